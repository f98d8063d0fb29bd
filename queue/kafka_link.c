/*
 * The brokers: reached, asked for the topics, lost, reached again. A probe is
 * the request that makes missing topics, sent when a broker is connected: when
 * it is answered, the engine goes on; so topics that somebody deleted come
 * back too. Tells the queue up when
 * the brokers answer, the index is fresh and the group is joined.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/log.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROBE_TIMEOUT_MS = 3000,
    PROBE_FIRST_MS = 500,
    PROBE_LAST_MS = 5000,
    ANSWER_MS = 300, /* for one try at the opening */
    METADATA_TIMEOUT_MS = 3000,
    OPEN_WAIT_MS = 15000,     /* for brokers that answer slowly; then the queue starts down */
    OPEN_WAIT_GONE_MS = 2000, /* once none did: one of several addresses may still */
    FLUSH_MS = 5000,
    SHARE = 4, /* delay, dead and status topics have so many times fewer partitions than events */
};

#define SETTING(k, v) \
    { \
        {(k), sizeof(k) - 1}, \
        { \
            (v), sizeof(v) - 1 \
        } \
    }

static const struct hg_kafka_setting common_settings[] = {
    SETTING("client.id", "headgate"),
    SETTING("message.max.bytes", "8388608"), /* payload, result and head */
    SETTING("socket.timeout.ms", "10000"),
    SETTING("reconnect.backoff.ms", "100"),
    SETTING("reconnect.backoff.max.ms", "1000"),
    SETTING("socket.keepalive.enable", "true"),
    SETTING("log.connection.close", "false"),
};

static const struct hg_kafka_setting producer_settings[] = {
    SETTING("enable.idempotence", "true"),
    SETTING("acks", "all"),
    SETTING("linger.ms", "1"),
    SETTING("message.timeout.ms", "5000"), /* then a put ends HG_E_BUSY */
    SETTING("queue.buffering.max.messages", "200000"),
    SETTING("queue.buffering.max.kbytes", "131072"),
};

static const struct hg_kafka_setting consumer_settings[] = {
    SETTING("enable.auto.commit", "false"),
    SETTING("enable.auto.offset.store", "false"),
    SETTING("auto.offset.reset", "earliest"),
    /* Not cooperative-sticky: librdkafka 2.0 aborts when a member leaves that never led the group. What runs while partitions
     * go and come back is found again in them, so little is lost by taking all from all. */
    SETTING("partition.assignment.strategy", "roundrobin"),
    SETTING("session.timeout.ms", "10000"),
    SETTING("heartbeat.interval.ms", "2000"),
    SETTING("fetch.error.backoff.ms", "100"),
    SETTING("fetch.message.max.bytes", "1048576"),
    SETTING("fetch.max.bytes", "16777216"),
    SETTING("queued.min.messages", "1000"), /* per partition, as the next one */
    SETTING("queued.max.messages.kbytes", "2048"),
    SETTING("check.crcs", "true"),
};

static void add(struct hg_kafka_setting *settings, size_t *count, struct hg_str key,
                const char *value)
{
    settings[(*count)++] = (struct hg_kafka_setting){key, hg_str_of(value)};
}

/* Ours, then the operator's; consumer: NULL for a producer. */
static struct hg_kafka *open_handle(struct kafka_queue *kq, const struct kafka_consumer *consumer,
                                    const struct hg_kafka_user *user, struct hg_error *err)
{
    const struct hg_kafka_setting *own = consumer ? consumer_settings : producer_settings;
    size_t own_count = consumer ? HG_COUNT(consumer_settings) : HG_COUNT(producer_settings);
    struct hg_kafka_setting settings[40];
    size_t count = 0;
    struct hg_kafka_options options = {
        .loop = kq->queue->loop,
        .name = consumer ? consumer->name : "producer",
        .is_consumer = consumer != NULL,
        .settings = settings,
        .extra = kq->options.client,
        .extra_count = kq->options.client_count,
        .user = *user,
    };

    add(settings, &count, HG_STR("bootstrap.servers"), kq->options.brokers);
    if (consumer) {
        add(settings, &count, HG_STR("group.id"), consumer->group);
        add(settings, &count, HG_STR("fetch.wait.max.ms"), consumer->fetch_wait_ms);
        if (consumer->instance)
            add(settings, &count, HG_STR("group.instance.id"), consumer->instance);
    }
    for (size_t i = 0; i < HG_COUNT(common_settings); i++)
        settings[count++] = common_settings[i];
    for (size_t i = 0; i < own_count; i++)
        settings[count++] = own[i];
    options.setting_count = count;
    return kafka_open(&options, err);
}

struct hg_kafka *kafka_link_consumer(struct kafka_queue *kq, const struct kafka_consumer *consumer,
                                     const struct hg_kafka_user *user, struct hg_error *err)
{
    return open_handle(kq, consumer, user, err);
}

static void schedule_probe(struct kafka_queue *kq)
{
    unsigned shift = HG_MIN(kq->probes, 4u);

    kq->probes++;
    if (!kq->is_closing)
        hg_timer_start_ms(&kq->probe_timer,
                          HG_MIN((int64_t)PROBE_FIRST_MS << shift, PROBE_LAST_MS));
}

void kafka_link_lost(struct kafka_queue *kq, const char *why)
{
    if (!kq->is_reachable && kq->is_known)
        return;
    kq->is_reachable = false;
    kq->is_up = false;
    queue_set_down(kq->queue, "Kafka at %.120s: %.100s", kq->options.brokers, why);
    kq->probes = 0;
    if (kq->must_renew)
        schedule_probe(kq);
}

static void on_trouble(void *arg, enum hg_kafka_trouble trouble, const char *sentence)
{
    struct kafka_queue *kq = arg;

    switch (trouble) {
    case HG_KAFKA_DOWN:
        kq->was_gone = true;
        if (!kq->was_denied)
            kafka_link_lost(kq, sentence);
        break;
    case HG_KAFKA_DENIED:
        if (!kq->was_denied)
            hg_error("kafka_denied", "brokers=%s %s", kq->options.brokers, sentence);
        kq->was_denied = true;
        (void)snprintf(kq->denial, sizeof(kq->denial), "%s", sentence);
        kafka_link_lost(kq, sentence);
        break;
    case HG_KAFKA_FATAL:
        hg_warn("kafka_producer", "is made anew: %s", sentence);
        kq->must_renew = true; /* not here: the handle is being served */
        kafka_link_lost(kq, sentence);
        break;
    case HG_KAFKA_ODD:
        hg_debug("kafka_producer", "%s", sentence);
        break;
    }
}

static void probe(struct kafka_queue *kq);

static void on_connected(void *arg)
{
    struct kafka_queue *kq = arg;

    if (!kq->is_reachable && !kq->is_making && !kq->must_renew && !kq->is_closing &&
        !hg_timer_is_running(&kq->probe_timer))
        probe(kq);
}

static bool open_producer(struct kafka_queue *kq, struct hg_error *err)
{
    struct hg_kafka_user user = {.on_trouble = on_trouble, .on_connected = on_connected, .arg = kq};

    kq->producer = open_handle(kq, NULL, &user, err);
    return kq->producer != NULL;
}

static size_t topic_settings(const struct kafka_queue *kq, enum hg_kafka_topic_id topic,
                             struct hg_kafka_setting *out)
{
    static const struct hg_kafka_setting queue_topic[] = {
        SETTING("cleanup.policy", "delete"),
        /* By time alone nothing goes that nobody has run: what is settled and old is deleted by kafka_trim.c. */
        SETTING("retention.ms", "-1"),
        SETTING("retention.bytes", "-1"),
        SETTING("max.message.bytes", "8388608"),
    };
    static const struct hg_kafka_setting compacted[] = {
        SETTING("cleanup.policy", "compact"),        SETTING("max.message.bytes", "8388608"),
        SETTING("min.cleanable.dirty.ratio", "0.3"), SETTING("segment.ms", "3600000"),
        SETTING("delete.retention.ms", "86400000"),
    };
    bool is_compacted = topic == HG_KAFKA_DEAD || topic == HG_KAFKA_STATUS;
    const struct hg_kafka_setting *own = is_compacted ? compacted : queue_topic;
    size_t own_count = is_compacted ? HG_COUNT(compacted) : HG_COUNT(queue_topic), count = 0;

    for (size_t i = 0; i < own_count; i++)
        out[count++] = own[i];
    for (size_t i = 0; i < kq->options.topic_count; i++)
        out[count++] = kq->options.topic[i]; /* the later one of a name counts */
    return count;
}

static void on_topics_made(struct hg_kafka_make_topics *make);

static void probe(struct kafka_queue *kq)
{
    struct hg_kafka_setting settings[HG_KAFKA_TOPIC_COUNT][KAFKA_SETTINGS_MAX + 8];
    struct hg_kafka_topic topics[HG_KAFKA_TOPIC_COUNT];

    for (int i = 0; i < HG_KAFKA_TOPIC_COUNT; i++) {
        enum hg_kafka_topic_id topic = (enum hg_kafka_topic_id)i;

        topics[i].name = kq->options.topics[i];
        topics[i].partitions = topic == HG_KAFKA_EVENTS ? kq->options.partitions
                                                        : HG_MAX(kq->options.partitions / SHARE, 1);
        topics[i].replication = kq->options.replication;
        topics[i].settings = settings[i];
        topics[i].setting_count = topic_settings(kq, topic, settings[i]);
    }
    kq->is_making = true;
    kq->make.done = on_topics_made;
    kafka_make_topics(kq->producer, &kq->make, topics, HG_COUNT(topics), PROBE_TIMEOUT_MS);
}

/* Blocks, but the brokers have just answered. */
static bool learn(struct kafka_queue *kq, struct hg_error *err)
{
    char *cluster;

    for (int i = 0; i < HG_KAFKA_TOPIC_COUNT; i++) {
        kq->partition_counts[i] =
            kafka_partition_count(kq->producer, kq->options.topics[i], METADATA_TIMEOUT_MS);
        if (kq->partition_counts[i] == 0) {
            (void)hg_error_set(err, HG_E_BUSY, "topic %s is not ready", kq->options.topics[i]);
            return false;
        }
    }
    cluster = rd_kafka_clusterid(kafka_raw(kq->producer), METADATA_TIMEOUT_MS);
    if (cluster) {
        char text[160];

        (void)snprintf(text, sizeof(text), "%.64s %.90s", cluster, kq->options.prefix);
        kafka_index_bind(kq->index, text);
        rd_kafka_mem_free(kafka_raw(kq->producer), cluster);
    }
    if (!kq->status && kafka_status_open(kq, err) != HG_OK)
        return false;
    return true;
}

static void on_topics_made(struct hg_kafka_make_topics *make)
{
    struct kafka_queue *kq = hg_container_of(make, struct kafka_queue, make);
    struct hg_error err = {{0}};

    kq->is_making = false;
    if (kq->is_closing)
        return;
    if (make->rc == HG_OK && !kq->must_renew && learn(kq, &err)) {
        kq->is_reachable = kq->is_known = true;
        kq->was_denied = false;
        kq->probes = 0;
        kafka_status_mark(kq);
        kafka_link_look(kq);
        return;
    }
    if (make->rc == HG_E_INVALID) {
        if (!kq->was_denied)
            hg_error("kafka_topics", "brokers=%s %s", kq->options.brokers, make->why);
        kq->was_denied = true;
        (void)snprintf(kq->denial, sizeof(kq->denial), "%s", make->why);
    }
    kq->is_reachable = false;
    queue_set_down(kq->queue, "Kafka at %.120s: %.100s", kq->options.brokers,
                   kq->was_denied ? kq->denial
                   : err.text[0]  ? err.text
                   : make->why[0] ? make->why
                                  : "is being reconnected");
    schedule_probe(kq);
}

/* The pause after a refusal is over, or the producer is to be made anew; on_connected goes on. */
static void on_probe_due(struct hg_timer *timer)
{
    struct kafka_queue *kq = hg_container_of(timer, struct kafka_queue, probe_timer);
    struct hg_error err = {{0}};

    if (!kq->must_renew)
        return;
    kafka_close(kq->producer, 0);
    kq->must_renew = false;
    /* The settings were good before. */
    hg_assert(open_producer(kq, &err));
}

void kafka_link_look(struct kafka_queue *kq)
{
    struct hg_error err = {{0}};
    const char *why;

    if (!kq->is_reachable || !kafka_status_is_fresh(kq) || kafka_index_has_failed(kq->index, &why))
        return;
    if (!kq->group && kafka_source_open(kq, &err) != HG_OK) {
        kafka_link_lost(kq, err.text);
        return;
    }
    if (!kq->is_up) {
        kq->is_up = true;
        queue_set_up(kq->queue);
        kafka_source_wake(kq);
    }
}

/* The loop does not run yet: serves the handles until the brokers were met, or are known not to be there. */
enum hg_rc kafka_link_open(struct kafka_queue *kq, struct hg_error *err)
{
    int64_t deadline_us = hg_mono_us() + (int64_t)OPEN_WAIT_MS * 1000, gone_us = 0;

    hg_timer_init(&kq->probe_timer, kq->queue->loop, on_probe_due);
    if (!open_producer(kq, err))
        return HG_E_INVALID;
    while (!kq->is_up && !kq->was_denied && hg_mono_us() < deadline_us) {
        if (!kq->is_making && !kq->is_reachable && kafka_is_answered(kq->producer, ANSWER_MS))
            on_connected(kq);
        hg_loop_turn(kq->queue->loop, kq->is_making || kq->is_reachable);
        if (kq->was_gone && gone_us == 0) {
            gone_us = hg_mono_us();
            deadline_us = HG_MIN(deadline_us, gone_us + (int64_t)OPEN_WAIT_GONE_MS * 1000);
        }
    }
    if (kq->was_denied)
        return hg_error_set(err, HG_E_INVALID, "Kafka at %s: %s", kq->options.brokers, kq->denial);
    if (!kq->is_up)
        queue_set_down(kq->queue, "Kafka at %.120s does not answer yet", kq->options.brokers);
    return HG_OK;
}

void kafka_link_close(struct kafka_queue *kq)
{
    hg_timer_stop(&kq->probe_timer);
    kafka_close(kq->producer, kq->is_reachable ? FLUSH_MS : 0);
    kq->producer = NULL;
}
