/*
 * kafka://topic[?brokers=host:port,…]: the record as a message's value, the
 * event's id as its key. All destinations of the same brokers share one
 * producer. Brokers are named in the target, else by kafka.bootstrap.servers;
 * the other kafka.* options are the producer's. Topics are not made here.
 */
#include "core/kafka.h"
#include "router/dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOPIC_MAX = 249, SETTINGS_MAX = 100 };

#define SETTING(k, v) \
    { \
        {(k), sizeof(k) - 1}, \
        { \
            (v), sizeof(v) - 1 \
        } \
    }

static const struct hg_kafka_setting own_settings[] = {
    SETTING("client.id", "headgate"),
    SETTING("enable.idempotence", "true"),
    SETTING("acks", "all"),
    SETTING("linger.ms", "1"),
    SETTING("message.max.bytes", "8388608"),
    SETTING("message.timeout.ms", "10000"),
    /* So soon is a topic known to be missing. */
    SETTING("topic.metadata.propagation.max.ms", "3000"),
    SETTING("reconnect.backoff.max.ms", "1000"),
    SETTING("log.connection.close", "false"),
};

/* A producer for some brokers, on the router's loop; goes with its last destination. */
struct producer {
    struct hg_list link; /* of producers */
    struct hg_loop *loop;
    char brokers[HG_EVENT_TARGET_MAX + 1];
    struct hg_kafka *kafka;
    unsigned users;
    struct hg_task end;
    bool has_failed;                /* for good: the next destination makes another */
    char trouble[HG_EVENT_WHY_MAX]; /* the brokers' last complaint */
};

static struct hg_list producers = {&producers, &producers};

struct destination {
    char topic[TOPIC_MAX + 1];
    char brokers[HG_EVENT_TARGET_MAX + 1];
    struct producer *producer;
};

/* One record on its way; outlives a cancelled operation. */
struct sending {
    struct hg_kafka_send send;
    struct hg_dest_op *op; /* NULL once cancelled */
    struct producer *producer;
    const char *topic;
};

static bool matches(struct hg_str target)
{
    return hg_str_starts(target, HG_STR("kafka:"));
}

static enum hg_rc read_topic(struct hg_str topic, const char *target, struct destination *out,
                             struct hg_error *err)
{
    hg_assert(topic.p != NULL);
    if (topic.n == 0)
        return hg_error_set(err, HG_E_INVALID, "%s names no topic; kafka://topic is meant", target);
    if (topic.n > TOPIC_MAX)
        return hg_error_set(err, HG_E_INVALID, "%.64s…: a topic's name has at most %d characters",
                            target, TOPIC_MAX);
    if (hg_str_is(topic, ".") || hg_str_is(topic, ".."))
        return hg_error_set(err, HG_E_INVALID, "%s: no topic can be called \"%.*s\"", target,
                            HG_STR_ARG(topic));
    for (size_t i = 0; i < topic.n; i++) {
        char c = topic.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return hg_error_set(err, HG_E_INVALID,
                                "%s: a topic's name has letters, digits, '.', '_' and '-' only",
                                target);
    }
    memcpy(out->topic, topic.p, topic.n);
    return HG_OK;
}

static enum hg_rc read_target(const struct hg_dest *dest, const char *target,
                              struct destination *out, struct hg_error *err)
{
    struct hg_str rest = hg_str_of(target), scheme = HG_STR("kafka://"),
                  brokers = HG_STR("brokers=");
    ptrdiff_t question;
    enum hg_rc rc;

    if (!hg_str_starts(rest, scheme))
        return hg_error_set(err, HG_E_INVALID, "%s: a topic is given as kafka://topic", target);
    rest = hg_str_skip(rest, scheme.n);
    question = hg_str_find(rest, '?');
    rc = read_topic(question < 0 ? rest : hg_str_n(rest.p, (size_t)question), target, out, err);
    if (rc != HG_OK)
        return rc;
    if (question >= 0) {
        rest = hg_str_skip(rest, (size_t)question + 1);
        if (!hg_str_starts(rest, brokers) || rest.n == brokers.n || hg_str_find(rest, '&') >= 0)
            return hg_error_set(err, HG_E_INVALID,
                                "%s: kafka://topic takes ?brokers=host:port[,host:port…] only",
                                target);
        rest = hg_str_skip(rest, brokers.n);
        hg_assert(rest.p != NULL);
        memcpy(out->brokers, rest.p, rest.n);
        return HG_OK;
    }
    for (size_t i = 0; i < dest->context->extra.count; i++) {
        const struct hg_kv *kv = &dest->context->extra.items[i];

        if (hg_str_is(kv->key, "kafka.bootstrap.servers") && kv->value.n &&
            kv->value.n <= HG_EVENT_TARGET_MAX)
            (void)snprintf(out->brokers, sizeof(out->brokers), "%.*s", HG_STR_ARG(kv->value));
    }
    if (!out->brokers[0])
        return hg_error_set(err, HG_E_INVALID,
                            "%s: which brokers? Set kafka.bootstrap.servers, or write "
                            "kafka://topic?brokers=host:port",
                            target);
    return HG_OK;
}

static void on_trouble(void *arg, enum hg_kafka_trouble trouble, const char *sentence)
{
    struct producer *producer = arg;

    producer->has_failed |= trouble == HG_KAFKA_FATAL;
    (void)snprintf(producer->trouble, sizeof(producer->trouble), "%s", sentence);
}

static bool is_for_queue(struct hg_str key)
{
    return hg_str_starts(key, HG_STR("kafka.topic.")) || hg_str_is(key, "kafka.bootstrap.servers");
}

static struct hg_kafka *open_kafka(const struct hg_dest_context *context, struct producer *producer,
                                   struct hg_error *err)
{
    struct hg_kafka_setting own[HG_COUNT(own_settings) + 1], extra[SETTINGS_MAX];
    struct hg_kafka_options options = {
        .loop = context->loop,
        .name = "destination",
        .settings = own,
        .setting_count = HG_COUNT(own),
        .extra = extra,
        .user = {.on_trouble = on_trouble, .arg = producer},
    };

    memcpy(own, own_settings, sizeof(own_settings));
    own[HG_COUNT(own_settings)] =
        (struct hg_kafka_setting){HG_STR("bootstrap.servers"), hg_str_of(producer->brokers)};
    for (size_t i = 0; i < context->extra.count && options.extra_count < SETTINGS_MAX; i++) {
        const struct hg_kv *kv = &context->extra.items[i];

        if (hg_str_starts(kv->key, HG_STR("kafka.")) && !is_for_queue(kv->key))
            extra[options.extra_count++] =
                (struct hg_kafka_setting){hg_str_skip(kv->key, strlen("kafka.")), kv->value};
    }
    return kafka_open(&options, err);
}

static struct producer *join_producer(const struct hg_dest_context *context, const char *brokers,
                                      struct hg_error *err)
{
    struct producer *producer;

    HG_LIST_EACH(it, &producers)
    {
        producer = hg_container_of(it, struct producer, link);
        if (producer->loop != context->loop || producer->has_failed ||
            strcmp(producer->brokers, brokers) != 0)
            continue;
        producer->users++;
        return producer;
    }
    producer = hg_calloc(1, sizeof(*producer));
    producer->loop = context->loop;
    producer->users = 1;
    (void)snprintf(producer->brokers, sizeof(producer->brokers), "%s", brokers);
    producer->kafka = open_kafka(context, producer, err);
    if (!producer->kafka) {
        free(producer);
        return NULL;
    }
    hg_list_push_back(&producers, &producer->link);
    return producer;
}

static void end_producer(struct hg_task *task)
{
    struct producer *producer = hg_container_of(task, struct producer, end);

    /* Only cancelled records may still be under way. */
    kafka_close(producer->kafka, 0);
    free(producer);
}

/* Not at once: this may be called by one of its reports. */
static void leave_producer(struct producer *producer)
{
    if (--producer->users > 0)
        return;
    hg_list_unlink(&producer->link);
    hg_task_init(&producer->end, end_producer);
    hg_loop_defer(producer->loop, &producer->end);
}

static enum hg_rc bind_topic(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct destination *destination = hg_calloc(1, sizeof(*destination));
    enum hg_rc rc = read_target(dest, target, destination, err);

    if (rc == HG_OK) {
        destination->producer = join_producer(dest->context, destination->brokers, err);
        if (!destination->producer)
            rc = HG_E_INVALID;
    }
    if (rc != HG_OK) {
        free(destination);
        return rc;
    }
    dest->state = destination;
    return HG_OK;
}

static void on_sent(struct hg_kafka_send *send)
{
    struct sending *sending = hg_container_of(send, struct sending, send);
    struct hg_dest_op *op = sending->op;

    if (op && send->rc == HG_OK)
        dest_accept(op, "%s partition %d offset %lld", sending->topic, send->partition,
                    (long long)send->offset);
    else if (op)
        dest_refuse(op, send->rc, send->is_final, "Kafka topic %s: %s%s%s", sending->topic,
                    send->why, sending->producer->trouble[0] ? "; " : "",
                    sending->producer->trouble);
    if (send->rc == HG_OK)
        sending->producer->trouble[0] = '\0';
    free(sending);
}

static size_t headers_of(const struct hg_dest_op *op, struct hg_kafka_header headers[3])
{
    if (op->role != HG_TARGET_DEAD_LETTER) {
        headers[0] = (struct hg_kafka_header){
            "condition", hg_str_of(hg_event_condition_name(op->event->condition))};
        return 1;
    }
    headers[0] = (struct hg_kafka_header){"RequestID", hg_str_of(op->event->id)};
    headers[1] = (struct hg_kafka_header){"ErrorCode", hg_str_of(op->error_code)};
    headers[2] = (struct hg_kafka_header){"ErrorMessage", hg_str_of(op->error_message)};
    return 3;
}

/* A producer that failed for good is replaced; its unsent records end through their own reports. */
static enum hg_rc renew(struct hg_dest *dest, struct destination *destination, struct hg_error *err)
{
    struct producer *next;

    if (!destination->producer->has_failed)
        return HG_OK;
    next = join_producer(dest->context, destination->brokers, err);
    if (!next)
        return HG_E_INVALID;
    leave_producer(destination->producer);
    destination->producer = next;
    return HG_OK;
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct destination *destination = dest->state;
    struct sending *sending;
    struct hg_kafka_header headers[3];
    struct hg_str value = op->body.p ? op->body : HG_STR("");
    struct hg_error err = {{0}};
    size_t count = headers_of(op, headers);

    if (renew(dest, destination, &err) != HG_OK) {
        dest_refuse_later(dest, op, HG_E_IO, false, "%s", err.text);
        return;
    }
    sending = hg_calloc(1, sizeof(*sending));
    sending->send.done = on_sent;
    sending->op = op;
    sending->producer = destination->producer;
    sending->topic = destination->topic;
    op->state = sending;
    if (kafka_send(destination->producer->kafka, &sending->send, destination->topic, -1,
                   hg_str_of(op->event->id), value, headers, count) == HG_OK)
        return;
    dest_refuse_later(dest, op, sending->send.rc, sending->send.is_final, "Kafka topic %s: %s",
                      destination->topic, sending->send.why);
    free(sending);
}

static void cancel(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct sending *sending = op->state;

    (void)dest;
    sending->op = NULL;
}

static void unbind_topic(struct hg_dest *dest)
{
    struct destination *destination = dest->state;

    leave_producer(destination->producer);
    free(destination);
}

const struct hg_dest_ops hg_dest_kafka = {
    .type = "kafka",
    .matches = matches,
    .bind = bind_topic,
    .send = send_record,
    .cancel = cancel,
    .unbind = unbind_topic,
};
