/*
 * What the operator says: kafka://host:port,…?prefix=…, and kafka.* options.
 * Those that this engine knows it takes for itself, those that would break its
 * promises it refuses, the rest is librdkafka's, which judges them.
 */
#include "queue/kafka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTITIONS_DEFAULT = 8, PARTITIONS_MAX = 1024, REPLICATION_MAX = 100 };

static const struct {
    const char *suffix;
    int64_t delay_ms;
} topic_kinds[HG_KAFKA_TOPIC_COUNT] = {
    {"events", 0},        {"delay.1s", 1000},  {"delay.2s", 2000},   {"delay.5s", 5000},
    {"delay.15s", 15000}, {"delay.1m", 60000}, {"delay.2m", 120000}, {"delay.5m", 300000},
    {"dead", 0},          {"status", 0},
};

/* What "durable", "once" and "in this node's hands" rest on. */
static const char *const ours[] = {"acks",
                                   "request.required.acks",
                                   "enable.idempotence",
                                   "enable.auto.commit",
                                   "group.id",
                                   "auto.commit.enable",
                                   "enable.auto.offset.store",
                                   "auto.offset.reset",
                                   "partitioner",
                                   "transactional.id",
                                   "enable.partition.eof",
                                   "group.instance.id",
                                   "partition.assignment.strategy",
                                   "allow.auto.create.topics"};

int64_t kafka_delay_of(enum hg_kafka_topic_id topic)
{
    return topic_kinds[topic].delay_ms;
}

enum hg_kafka_topic_id kafka_delay_topic(int64_t wait_ms)
{
    enum hg_kafka_topic_id topic = HG_KAFKA_DELAY_FIRST;

    while (topic < HG_KAFKA_DELAY_LAST && topic_kinds[topic + 1].delay_ms <= wait_ms)
        topic++;
    return topic;
}

static bool is_topic_name(struct hg_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
                    name.p[i]) ||
            !name.p[i])
            return false;
    return name.n > 0;
}

static enum hg_rc read_query(struct hg_str query, struct kafka_options *out, struct hg_error *err)
{
    struct hg_str part;

    while (hg_str_next(&query, '&', &part)) {
        struct hg_str prefix = HG_STR("prefix=");

        if (!hg_str_starts(part, prefix))
            return hg_error_set(err, HG_E_INVALID,
                                "queue: kafka:// takes ?prefix=…, not \"%.*s\"; other settings are "
                                "kafka.* options",
                                HG_STR_ARG(part));
        part = hg_str_skip(part, prefix.n);
        if (!is_topic_name(part) || part.n > KAFKA_PREFIX_MAX)
            return hg_error_set(err, HG_E_INVALID,
                                "queue: prefix \"%.*s\" must be 1 to %d of letters, digits, '.', "
                                "'_' and '-'",
                                HG_STR_ARG(part), KAFKA_PREFIX_MAX);
        (void)snprintf(out->prefix, sizeof(out->prefix), "%.*s", HG_STR_ARG(part));
    }
    return HG_OK;
}

static enum hg_rc read_broker(struct hg_str broker, struct hg_error *err)
{
    ptrdiff_t colon = -1;
    uint64_t port;

    for (size_t i = 0; i < broker.n; i++)
        if (broker.p[i] == ':')
            colon = (ptrdiff_t)i;
    if (hg_str_find(broker, '@') >= 0)
        return hg_error_set(err, HG_E_INVALID,
                            "queue: user and password go into kafka.sasl.username and "
                            "kafka.sasl.password, not into the URI");
    if (broker.n == 0 || colon == 0 ||
        (colon > 0 && broker.p[broker.n - 1] != ']' &&
         (!hg_str_u64(hg_str_skip(broker, (size_t)colon + 1), 65535, &port) || port == 0)))
        return hg_error_set(err, HG_E_INVALID,
                            "queue: \"%.*s\" is no broker; kafka://host:port[,host:port…] is meant",
                            HG_STR_ARG(broker));
    return HG_OK;
}

static enum hg_rc read_uri(const char *uri, struct kafka_options *out, struct hg_error *err)
{
    struct hg_str rest = hg_str_of(uri), scheme = HG_STR("kafka://"), brokers, part;
    ptrdiff_t question;
    enum hg_rc rc = HG_OK;

    if (!hg_str_starts(rest, scheme))
        return hg_error_set(err, HG_E_INVALID, "queue: \"%s\" does not begin with kafka://", uri);
    rest = hg_str_skip(rest, scheme.n);
    question = hg_str_find(rest, '?');
    brokers = question < 0 ? rest : hg_str_n(rest.p, (size_t)question);
    if (hg_str_ends(brokers, HG_STR("/")))
        brokers.n--;
    if (brokers.n == 0 || brokers.n >= sizeof(out->brokers))
        return hg_error_set(
            err, HG_E_INVALID,
            "queue: \"%s\" names no broker; kafka://host:port[,host:port…] is meant", uri);
    (void)snprintf(out->brokers, sizeof(out->brokers), "%.*s", HG_STR_ARG(brokers));
    (void)snprintf(out->prefix, sizeof(out->prefix), "headgate");
    while (rc == HG_OK && hg_str_next(&brokers, ',', &part))
        rc = read_broker(part, err);
    if (rc == HG_OK && question >= 0)
        rc = read_query(hg_str_skip(rest, (size_t)question + 1), out, err);
    return rc;
}

static enum hg_rc read_number(const struct hg_kv *kv, int least, int most, int *out,
                              struct hg_error *err)
{
    uint64_t value;

    if (!hg_str_u64(kv->value, (uint64_t)most, &value) || (int)value < least)
        return hg_error_set(err, HG_E_INVALID, "%.*s: \"%.*s\" is not a number from %d to %d",
                            HG_STR_ARG(kv->key), HG_STR_ARG(kv->value), least, most);
    *out = (int)value;
    return HG_OK;
}

static enum hg_rc read_topic_option(const struct hg_kv *kv, struct hg_str key,
                                    struct kafka_options *out, struct hg_error *err)
{
    if (hg_str_is(key, "partitions"))
        return read_number(kv, 1, PARTITIONS_MAX, &out->partitions, err);
    if (hg_str_is(key, "replication.factor") || hg_str_is(key, "replication"))
        return read_number(kv, 1, REPLICATION_MAX, &out->replication, err);
    if (hg_str_is(key, "cleanup.policy"))
        return hg_error_set(err, HG_E_INVALID,
                            "kafka.topic.cleanup.policy: each topic needs its own; it is not to be "
                            "set");
    if (out->topic_count == KAFKA_SETTINGS_MAX)
        return hg_error_set(err, HG_E_INVALID, "more than %d kafka.topic.* options",
                            KAFKA_SETTINGS_MAX);
    out->topic[out->topic_count++] = (struct hg_kafka_setting){key, kv->value};
    return HG_OK;
}

static enum hg_rc read_option(const struct hg_kv *kv, struct kafka_options *out,
                              struct hg_error *err)
{
    struct hg_str kafka = HG_STR("kafka."), topic = HG_STR("topic."), key;

    if (!hg_str_starts(kv->key, kafka))
        return HG_OK; /* another engine's */
    key = hg_str_skip(kv->key, kafka.n);
    if (hg_str_starts(key, topic))
        return read_topic_option(kv, hg_str_skip(key, topic.n), out, err);
    if (hg_str_is(key, "bootstrap.servers") || hg_str_is(key, "metadata.broker.list"))
        return HG_OK; /* for destinations; the queue's are in its URI */
    for (size_t i = 0; i < HG_COUNT(ours); i++)
        if (hg_str_is(key, ours[i]))
            return hg_error_set(err, HG_E_INVALID,
                                "kafka.%s: Headgate sets this itself, or events could be lost",
                                ours[i]);
    if (out->client_count == KAFKA_SETTINGS_MAX)
        return hg_error_set(err, HG_E_INVALID, "more than %d kafka.* options", KAFKA_SETTINGS_MAX);
    out->client[out->client_count++] = (struct hg_kafka_setting){key, kv->value};
    return HG_OK;
}

enum hg_rc kafka_options_read(const struct hg_queue_options *options, struct kafka_options *out,
                              struct hg_error *err)
{
    enum hg_rc rc;

    memset(out, 0, sizeof(*out));
    out->partitions = PARTITIONS_DEFAULT;
    out->replication = -1;
    rc = read_uri(options->uri, out, err);
    for (size_t i = 0; i < options->extra.count && rc == HG_OK; i++)
        rc = read_option(&options->extra.items[i], out, err);
    if (rc != HG_OK)
        return rc;
    for (int i = 0; i < HG_KAFKA_TOPIC_COUNT; i++)
        (void)snprintf(out->topics[i], sizeof(out->topics[i]), "%s.%s", out->prefix,
                       topic_kinds[i].suffix);
    return kafka_check(out->client, out->client_count, err);
}
