/*
 * Topics: made when missing, asked for. See core/kafka.h.
 */
#include "core/kafka_handle.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>

enum { WHY_MAX = 512 };

static rd_kafka_NewTopic_t *new_topic(const struct hg_kafka_topic *topic, char *why, size_t size)
{
    rd_kafka_NewTopic_t *made =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, topic->replication, why, size);

    for (size_t i = 0; made && i < topic->setting_count; i++) {
        char *key = hg_strndup(topic->settings[i].key.p, topic->settings[i].key.n);
        char *value = hg_strndup(topic->settings[i].value.p, topic->settings[i].value.n);

        (void)rd_kafka_NewTopic_set_config(made, key, value);
        free(key);
        free(value);
    }
    return made;
}

void kafka_make_topics(struct hg_kafka *kafka, struct hg_kafka_make_topics *make,
                       const struct hg_kafka_topic *topics, size_t count, int64_t timeout_ms)
{
    rd_kafka_NewTopic_t **list = hg_calloc(count, sizeof(rd_kafka_NewTopic_t *));
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(kafka->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char why[WHY_MAX];

    (void)rd_kafka_AdminOptions_set_request_timeout(options, (int)timeout_ms, why, sizeof(why));
    rd_kafka_AdminOptions_set_opaque(options, make);
    for (size_t i = 0; i < count; i++) {
        list[i] = new_topic(&topics[i], why, sizeof(why));
        hg_assert(list[i] != NULL); /* names and counts were checked with the options */
    }
    rd_kafka_CreateTopics(kafka->rk, list, count, options, kafka->queue);
    rd_kafka_NewTopic_destroy_array(list, count);
    rd_kafka_AdminOptions_destroy(options);
    free(list);
}

static bool is_no_answer(rd_kafka_resp_err_t code)
{
    return code == RD_KAFKA_RESP_ERR__TIMED_OUT || code == RD_KAFKA_RESP_ERR__TRANSPORT ||
           code == RD_KAFKA_RESP_ERR__DESTROY || code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT ||
           code == RD_KAFKA_RESP_ERR_NOT_CONTROLLER ||
           code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           code == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR;
}

void kafka_end_make_topics(struct rd_kafka_op_s *event)
{
    struct hg_kafka_make_topics *make = rd_kafka_event_opaque(event);
    const rd_kafka_CreateTopics_result_t *result = rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_topic_result_t **topics;
    size_t count = 0;

    make->rc = HG_OK;
    make->why[0] = '\0';
    if (rd_kafka_event_error(event)) {
        make->rc = is_no_answer(rd_kafka_event_error(event)) ? HG_E_BUSY : HG_E_INVALID;
        (void)snprintf(make->why, sizeof(make->why), "%s", rd_kafka_event_error_string(event));
        make->done(make);
        return;
    }
    topics = rd_kafka_CreateTopics_result_topics(result, &count);
    for (size_t i = 0; i < count && make->rc == HG_OK; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(topics[i]);
        const char *text = rd_kafka_topic_result_error_string(topics[i]);

        if (!code || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue;
        /* A broker that has just started has not met the others: too few for the replication wanted is no refusal. */
        make->rc = is_no_answer(code) ? HG_E_BUSY : HG_E_INVALID;
        (void)snprintf(make->why, sizeof(make->why), "topic %s: %s",
                       rd_kafka_topic_result_name(topics[i]), text ? text : rd_kafka_err2str(code));
    }
    make->done(make);
}

bool kafka_is_answered(struct hg_kafka *kafka, int64_t timeout_ms)
{
    const struct rd_kafka_metadata *metadata = NULL;

    if (rd_kafka_metadata(kafka->rk, 0, NULL, &metadata, (int)timeout_ms))
        return false;
    rd_kafka_metadata_destroy(metadata);
    return true;
}

int kafka_partition_count(struct hg_kafka *kafka, const char *topic, int64_t timeout_ms)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka->rk, topic, NULL);
    const struct rd_kafka_metadata *metadata = NULL;
    int count = 0;

    if (handle && !rd_kafka_metadata(kafka->rk, 0, handle, &metadata, (int)timeout_ms)) {
        if (metadata->topic_cnt == 1 && !metadata->topics[0].err)
            count = metadata->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    if (handle)
        rd_kafka_topic_destroy(handle);
    return count;
}
