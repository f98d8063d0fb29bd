/*
 * Handles of librdkafka: made, served, closed; messages sent. One thread each,
 * the loop's; librdkafka's own threads only write the eventfd and the log.
 * Topics are made in kafka_admin.c.
 */
#include "core/kafka.h"

#include "core/clock.h"
#include "core/kafka_handle.h"
#include "core/log.h"

#include <librdkafka/rdkafka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    SERVE_MAX = 1000,     /* messages or reports in one turn; the rest waits for the next */
    POLL_EVERY_MS = 1000, /* keeps max.poll.interval.ms from running out on a silent topic */
    WHY_MAX = 512,
};

/* The library tells every failed reconnect; what matters comes as an error event, with a sentence. */
static void on_library_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const struct hg_kafka *kafka = rd_kafka_opaque(rk);

    hg_debug("kafka", "handle=%s level=%d facility=%s %s", kafka ? kafka->name : "", level,
             facility, text);
}

static enum hg_rc set(rd_kafka_conf_t *conf, const struct hg_kafka_setting *setting,
                      struct hg_error *err)
{
    char key[256], why[WHY_MAX];
    char *value = hg_strndup(setting->value.p, setting->value.n);
    rd_kafka_conf_res_t result;

    (void)snprintf(key, sizeof(key), "%.*s", HG_STR_ARG(setting->key));
    result = rd_kafka_conf_set(conf, key, value, why, sizeof(why));
    free(value);
    if (result != RD_KAFKA_CONF_OK)
        return hg_error_set(err, HG_E_INVALID, "kafka.%s: %s", key, why);
    return HG_OK;
}

enum hg_rc kafka_check(const struct hg_kafka_setting *settings, size_t count, struct hg_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum hg_rc rc = HG_OK;

    for (size_t i = 0; i < count && rc == HG_OK; i++)
        rc = set(conf, &settings[i], err);
    rd_kafka_conf_destroy(conf);
    return rc;
}

static bool is_denial(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM:
    case RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return true;
    default:
        return false;
    }
}

static void tell_trouble(struct hg_kafka *kafka, rd_kafka_resp_err_t code, const char *reason)
{
    char why[WHY_MAX], text[WHY_MAX];
    enum hg_kafka_trouble trouble = HG_KAFKA_ODD;

    if (!kafka->user.on_trouble)
        return;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(kafka->rk, why, sizeof(why));

        trouble = HG_KAFKA_FATAL;
        (void)snprintf(text, sizeof(text), "%s: %.400s", rd_kafka_err2name(fatal), why);
    } else if (is_denial(code)) {
        trouble = HG_KAFKA_DENIED;
        (void)snprintf(text, sizeof(text), "%s", reason ? reason : rd_kafka_err2str(code));
    } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        trouble = HG_KAFKA_DOWN;
        (void)snprintf(text, sizeof(text), "no broker answers");
    } else {
        (void)snprintf(text, sizeof(text), "%s", reason ? reason : rd_kafka_err2str(code));
    }
    kafka->user.on_trouble(kafka->user.arg, trouble, text);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    (void)rk;
    tell_trouble(opaque, code, reason);
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t code,
                         rd_kafka_topic_partition_list_t *partitions, void *opaque)
{
    struct hg_kafka *kafka = opaque;
    bool is_cooperative = strcmp(rd_kafka_rebalance_protocol(rk), "COOPERATIVE") == 0;
    bool is_assigned = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
    rd_kafka_error_t *error = NULL;

    if (kafka->user.on_rebalance)
        kafka->user.on_rebalance(kafka->user.arg, is_assigned,
                                 !is_assigned && rd_kafka_assignment_lost(rk), partitions);
    if (is_cooperative)
        error = is_assigned ? rd_kafka_incremental_assign(rk, partitions)
                            : rd_kafka_incremental_unassign(rk, partitions);
    else
        (void)rd_kafka_assign(rk, is_assigned ? partitions : NULL);
    if (error) {
        tell_trouble(kafka, rd_kafka_error_code(error), rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
    }
}

static void end_send(const rd_kafka_message_t *message)
{
    struct hg_kafka_send *send = message->_private;

    send->partition = message->partition;
    send->offset = message->offset;
    send->rc = HG_OK;
    send->why = "";
    if (message->err) {
        send->why = rd_kafka_err2str(message->err);
        send->rc = HG_E_BUSY;
        if (message->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
            send->rc = HG_E_TOO_LARGE;
        send->is_final = send->rc == HG_E_TOO_LARGE || is_denial(message->err) ||
                         message->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                         message->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                         message->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
                         message->err == RD_KAFKA_RESP_ERR_INVALID_RECORD;
    }
    send->done(send);
}

static void serve_event(struct hg_kafka *kafka, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;

    switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_DR:
        while ((message = rd_kafka_event_message_next(event)))
            end_send(message);
        break;
    case RD_KAFKA_EVENT_ERROR:
        tell_trouble(kafka, rd_kafka_event_error(event), rd_kafka_event_error_string(event));
        break;
    case RD_KAFKA_EVENT_STATS:
        /* The one thing there that no event tells. */
        if (kafka->user.on_connected && strstr(rd_kafka_event_stats(event), "\"state\":\"UP\""))
            kafka->user.on_connected(kafka->user.arg);
        break;
    case RD_KAFKA_EVENT_CREATETOPICS_RESULT:
        kafka_end_make_topics(event);
        break;
    default:
        break;
    }
    rd_kafka_event_destroy(event);
}

static void serve_message(struct hg_kafka *kafka, rd_kafka_message_t *message)
{
    if (!message->err)
        kafka->user.on_message(kafka->user.arg, message);
    else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        tell_trouble(kafka, message->err, rd_kafka_message_errstr(message));
    rd_kafka_message_destroy(message);
}

/* False when nothing came within timeout_ms. */
static bool serve_one(struct hg_kafka *kafka, int timeout_ms)
{
    rd_kafka_event_t *event;
    rd_kafka_message_t *message;

    if (!kafka->is_consumer) {
        event = rd_kafka_queue_poll(kafka->queue, timeout_ms);
        if (event)
            serve_event(kafka, event);
        return event != NULL;
    }
    /* Counts as the application's poll of the group; rebalances and errors run inside. */
    message = rd_kafka_consumer_poll(kafka->rk, timeout_ms);
    if (message)
        serve_message(kafka, message);
    return message != NULL;
}

static void serve_all(struct hg_kafka *kafka)
{
    unsigned served = 0;

    while (served < SERVE_MAX && serve_one(kafka, 0))
        served++;
    if (served == SERVE_MAX)
        kafka_wake(kafka);
    if (kafka->user.on_wake)
        kafka->user.on_wake(kafka->user.arg);
}

static void on_woken(evutil_socket_t fd, short what, void *arg)
{
    uint64_t count;

    (void)what;
    /* Read first: what arrives while serving wakes anew. */
    (void)!read(fd, &count, sizeof(count));
    serve_all(arg);
}

static void on_poll_due(struct hg_timer *timer)
{
    struct hg_kafka *kafka = hg_container_of(timer, struct hg_kafka, poll_timer);

    serve_all(kafka);
    hg_timer_start_ms(timer, POLL_EVERY_MS);
}

void kafka_wake(struct hg_kafka *kafka)
{
    uint64_t one = 1;

    (void)!write(kafka->wake_fd, &one, sizeof(one));
}

void kafka_watch(struct hg_kafka *kafka, struct rd_kafka_queue_s *queue)
{
    uint64_t one = 1;

    rd_kafka_queue_io_event_enable(queue, kafka->wake_fd, &one, sizeof(one));
}

void kafka_serve(struct hg_kafka *kafka, int64_t timeout_ms)
{
    if (serve_one(kafka, (int)timeout_ms))
        serve_all(kafka);
    else if (kafka->user.on_wake)
        kafka->user.on_wake(kafka->user.arg);
}

static rd_kafka_conf_t *make_conf(struct hg_kafka *kafka, const struct hg_kafka_options *options,
                                  struct hg_error *err)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum hg_rc rc = HG_OK;

    rd_kafka_conf_set_opaque(conf, kafka);
    rd_kafka_conf_set_log_cb(conf, on_library_log);
    if (options->is_consumer) {
        rd_kafka_conf_set_error_cb(conf, on_error);
        if (options->user.on_rebalance)
            rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    } else {
        rd_kafka_conf_set_events(conf,
                                 RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_STATS);
        if (options->user.on_connected)
            (void)rd_kafka_conf_set(conf, "statistics.interval.ms", "1000", NULL, 0);
    }
    for (size_t i = 0; i < options->setting_count && rc == HG_OK; i++)
        rc = set(conf, &options->settings[i], err);
    for (size_t i = 0; i < options->extra_count && rc == HG_OK; i++)
        rc = set(conf, &options->extra[i], err);
    if (rc == HG_OK)
        return conf;
    rd_kafka_conf_destroy(conf);
    return NULL;
}

struct hg_kafka *kafka_open(const struct hg_kafka_options *options, struct hg_error *err)
{
    struct hg_kafka *kafka = hg_calloc(1, sizeof(*kafka));
    rd_kafka_conf_t *conf;
    char why[WHY_MAX];

    kafka->name = options->name;
    kafka->is_consumer = options->is_consumer;
    kafka->user = options->user;
    kafka->wake_fd = -1;
    conf = make_conf(kafka, options, err);
    if (!conf)
        goto fail;
    kafka->rk = rd_kafka_new(options->is_consumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf,
                             why, sizeof(why));
    if (!kafka->rk) {
        rd_kafka_conf_destroy(conf);
        (void)hg_error_set(err, HG_E_INVALID, "kafka: %s", why);
        goto fail;
    }
    kafka->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    hg_assert(kafka->wake_fd >= 0);
    if (options->is_consumer)
        (void)rd_kafka_poll_set_consumer(kafka->rk);
    kafka->queue = options->is_consumer ? rd_kafka_queue_get_consumer(kafka->rk)
                                        : rd_kafka_queue_get_main(kafka->rk);
    (void)event_assign(&kafka->event, options->loop->base, kafka->wake_fd, EV_READ | EV_PERSIST,
                       on_woken, kafka);
    (void)event_add(&kafka->event, NULL);
    kafka_watch(kafka, kafka->queue);
    hg_timer_init(&kafka->poll_timer, options->loop, on_poll_due);
    hg_timer_start_ms(&kafka->poll_timer, POLL_EVERY_MS);
    kafka_wake(kafka);
    return kafka;

fail:
    free(kafka);
    return NULL;
}

/* rd_kafka_flush would not serve the reports that it waits for. */
static void flush(struct hg_kafka *kafka, int64_t timeout_ms)
{
    int64_t deadline_us = hg_mono_us() + timeout_ms * 1000;

    while (rd_kafka_outq_len(kafka->rk) > 0 && hg_mono_us() < deadline_us)
        (void)serve_one(kafka, 20);
    if (rd_kafka_outq_len(kafka->rk) == 0)
        return;
    (void)rd_kafka_purge(kafka->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    deadline_us = hg_mono_us() + 1000000;
    while (rd_kafka_outq_len(kafka->rk) > 0 && hg_mono_us() < deadline_us)
        (void)serve_one(kafka, 20);
}

void kafka_close(struct hg_kafka *kafka, int64_t timeout_ms)
{
    if (!kafka)
        return;
    (void)event_del(&kafka->event);
    hg_timer_stop(&kafka->poll_timer);
    if (!kafka->is_consumer)
        flush(kafka, timeout_ms);
    rd_kafka_queue_io_event_enable(kafka->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(kafka->queue);
    /*
     * Without rd_kafka_consumer_close: it would not leave the group for a static member anyway, and version 2.0 waits for
     * ever in it when partitions are being assigned at that moment.
     */
    rd_kafka_destroy_flags(kafka->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    (void)close(kafka->wake_fd);
    free(kafka);
}

struct rd_kafka_s *kafka_raw(struct hg_kafka *kafka)
{
    return kafka->rk;
}

static enum hg_rc refuse(struct hg_kafka_send *send, rd_kafka_resp_err_t code)
{
    send->why = rd_kafka_err2str(code);
    send->is_final = code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || is_denial(code) ||
                     code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                     code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
    send->rc = code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ? HG_E_TOO_LARGE : HG_E_BUSY;
    return send->rc;
}

enum hg_rc kafka_send(struct hg_kafka *kafka, struct hg_kafka_send *send, const char *topic,
                      int32_t partition, struct hg_str key, struct hg_str value,
                      const struct hg_kafka_header *headers, size_t header_count)
{
    rd_kafka_headers_t *list = header_count ? rd_kafka_headers_new(header_count) : NULL;
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)key.p, key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)value.p, value.n}},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = send},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = list}, /* last: left out without any */
    };
    rd_kafka_resp_err_t code;
    rd_kafka_error_t *failure;

    send->is_final = false;
    for (size_t i = 0; i < header_count; i++)
        (void)rd_kafka_header_add(list, headers[i].name, -1, headers[i].value.p,
                                  (ssize_t)headers[i].value.n);
    failure = rd_kafka_produceva(kafka->rk, parts, HG_COUNT(parts) - (list ? 0 : 1));
    if (!failure)
        return HG_OK;
    code = rd_kafka_error_code(failure);
    rd_kafka_error_destroy(failure);
    if (list)
        rd_kafka_headers_destroy(list);
    return refuse(send, code);
}
