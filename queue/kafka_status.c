/*
 * Reads the status topic into the index, all partitions on every node; says
 * when the index is fresh; and forgets what is older than the retention.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/log.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MARK_AGAIN_MS = 3000, /* a mark that did not come back was lost with its broker */
    SWEEP_EVERY_MS = 1000,
    SWEEP_MAX = 2000,       /* events forgotten in one sweep */
    FORGET_LATE_MS = 30000, /* another node that sweeps does it first, most of the time */
};

static void note_mark(struct kafka_queue *kq, int32_t partition, struct hg_str text)
{
    char expected[HG_UUID_LEN + 2];
    uint64_t mark;

    (void)snprintf(expected, sizeof(expected), "%s ", kq->run);
    if (!hg_str_starts(text, hg_str_of(expected)) ||
        !hg_str_u64(hg_str_skip(text, strlen(expected)), UINT64_MAX, &mark))
        return;
    if (partition < 0 || partition >= (int32_t)HG_COUNT(kq->seen_marks) ||
        kq->seen_marks[partition] >= mark)
        return;
    kq->seen_marks[partition] = mark;
    if (mark == kq->mark && kq->marks_missing > 0 && --kq->marks_missing == 0) {
        kafka_link_look(kq);
        kafka_source_wake(kq);
    }
}

/* Another node's news may be of something that is held here: it is found out when it is to be leased. */
static void apply_record(struct kafka_queue *kq, const struct hg_kafka_record *record,
                         const char *id, const struct hg_kafka_place *place)
{
    struct hg_error err = {{0}};
    struct hg_event *event;

    if (record->kind == HG_KAFKA_RECORD_PURGED) {
        kafka_index_purge(kq->index, id, record->hop, hg_steady_ms());
        return;
    }
    event = hg_event_decode(record->life, &err);
    if (!event || strcmp(event->id, id) != 0) {
        hg_warn("kafka_status", "partition=%d offset=%lld is skipped: %s", place->partition,
                (long long)place->offset, event ? "its key is another event's" : err.text);
        hg_event_free(event);
        return;
    }
    if (record->has_result)
        event->result = hg_blob_new(record->result.p, record->result.n);
    kafka_index_apply(kq->index, event, record->hop, &record->place, place, record->life);
    hg_event_free(event);
}

static void on_message(void *arg, const rd_kafka_message_t *message)
{
    struct kafka_queue *kq = arg;
    struct hg_kafka_place place = {HG_KAFKA_STATUS, message->partition, message->offset};
    struct hg_kafka_record record;
    struct hg_error err = {{0}};
    char id[HG_UUID_LEN + 1];

    kafka_index_set_position(kq->index, message->partition, message->offset + 1);
    if (message->key_len > HG_UUID_LEN)
        return;
    (void)snprintf(id, sizeof(id), "%.*s", (int)message->key_len, (const char *)message->key);
    if (!message->payload) {
        kafka_index_forget(kq->index, id);
        return;
    }
    if (kafka_record_read(hg_str_n(message->payload, message->len), &record, &err) != HG_OK) {
        hg_warn("kafka_status", "partition=%d offset=%lld is skipped: %s", place.partition,
                (long long)place.offset, err.text);
        return;
    }
    if (record.kind == HG_KAFKA_RECORD_MARK)
        note_mark(kq, message->partition, record.life);
    else if (record.kind != HG_KAFKA_RECORD_EVENT)
        apply_record(kq, &record, id, &place);
}

static void on_trouble(void *arg, enum hg_kafka_trouble trouble, const char *sentence)
{
    (void)arg;
    if (trouble == HG_KAFKA_ODD)
        hg_debug("kafka_status", "%s", sentence);
    else if (trouble != HG_KAFKA_DOWN) /* the producer tells that */
        hg_warn("kafka_status", "%s", sentence);
}

/* From where the index stands. */
static void assign(struct kafka_queue *kq)
{
    const char *topic = kq->options.topics[HG_KAFKA_STATUS];
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(kq->partition_counts[HG_KAFKA_STATUS]);

    for (int32_t i = 0; i < kq->partition_counts[HG_KAFKA_STATUS]; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset =
            kafka_index_position(kq->index, i);
    (void)rd_kafka_assign(kafka_raw(kq->status), list);
    rd_kafka_topic_partition_list_destroy(list);
}

enum hg_rc kafka_status_open(struct kafka_queue *kq, struct hg_error *err)
{
    struct hg_kafka_user user = {.on_trouble = on_trouble, .on_message = on_message, .arg = kq};
    struct kafka_consumer consumer = {.name = "status", .fetch_wait_ms = "100"};
    char group[KAFKA_TOPIC_NAME_MAX];

    /* librdkafka wants a name; nothing is joined or committed under it. */
    (void)snprintf(group, sizeof(group), "%s.status", kq->options.prefix);
    consumer.group = group;
    kq->status = kafka_link_consumer(kq, &consumer, &user, err);
    if (!kq->status)
        return HG_E_INVALID;
    assign(kq);
    return HG_OK;
}

void kafka_status_close(struct kafka_queue *kq)
{
    kafka_close(kq->status, 0);
    kq->status = NULL;
}

void kafka_status_mark(struct kafka_queue *kq)
{
    int32_t count =
        HG_MIN(kq->partition_counts[HG_KAFKA_STATUS], (int32_t)HG_COUNT(kq->seen_marks));

    if (kq->is_closing)
        return;
    kq->mark++;
    kq->marked_ms = (uint64_t)hg_boot_ms();
    kq->marks_missing = (unsigned)count;
    for (int32_t i = 0; i < count; i++)
        kafka_write_mark(kq, i);
}

bool kafka_status_is_fresh(const struct kafka_queue *kq)
{
    return kq->mark > 0 && kq->marks_missing == 0;
}

/* Events of this node's share: those whose partition of events it has, or would have. */
static bool is_mine(const struct kafka_queue *kq, const char *id)
{
    int32_t count = kq->partition_counts[HG_KAFKA_EVENTS];
    unsigned sum = 0;

    for (const char *p = id; *p; p++)
        sum = sum * 31 + (unsigned char)*p;
    HG_LIST_EACH(it, &kq->partitions)
    {
        const struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        if (partition->topic == HG_KAFKA_EVENTS && count > 0 &&
            partition->number == (int32_t)(sum % (unsigned)count))
            return true;
    }
    return false;
}

/* An idempotency key is remembered for its own time, also when the event itself is not shown any more. */
static bool is_kept_for_key(struct kafka_queue *kq, const char *id, int64_t now_ms)
{
    struct kafka_index_entry entry;
    struct hg_event *event;
    bool is_kept;

    if (!kafka_index_find(kq->index, id, &entry) || entry.rank == KAFKA_PURGED ||
        entry.accepted_ms + kq->queue->options.dedup_window_ms <= now_ms)
        return false;
    event = hg_event_decode(entry.life, NULL);
    is_kept = event && event->dedup[0];
    hg_event_free(event);
    return is_kept;
}

static void sweep(struct kafka_queue *kq, int64_t now_ms)
{
    const struct hg_queue_options *options = &kq->queue->options;
    int64_t finished_ms = 0;
    char id[HG_UUID_LEN + 1] = "";

    for (int i = 0; i < SWEEP_MAX; i++) {
        bool is_too_much = kafka_index_ended_bytes(kq->index) > options->history_max;
        int64_t age_ms;

        if (!kafka_index_next_ended(kq->index, &finished_ms, id))
            return;
        age_ms = now_ms - finished_ms - options->retention_ms;
        if (age_ms < 0 && !is_too_much)
            return;
        if (!is_too_much && is_kept_for_key(kq, id, now_ms))
            continue;
        /* Each node clears its own share; what nobody clears is cleared by all. */
        if (!is_mine(kq, id) && age_ms < FORGET_LATE_MS && !is_too_much)
            continue;
        kafka_write_tombstone(kq, HG_KAFKA_STATUS, id);
        kafka_index_forget(kq->index, id);
    }
}

void kafka_status_tick(struct kafka_queue *kq, int64_t now_ms)
{
    const char *why;

    if (kafka_index_has_failed(kq->index, &why)) {
        kafka_link_lost(kq, why);
        if (!kafka_index_recover(kq->index))
            return;
        if (kq->status)
            assign(kq);
        kafka_status_mark(kq);
    }
    if (!kq->is_reachable)
        return;
    if (kq->marks_missing > 0 && hg_boot_ms() - (int64_t)kq->marked_ms > MARK_AGAIN_MS)
        kafka_status_mark(kq);
    kafka_write_again(kq);
    if (now_ms - kq->swept_ms >= SWEEP_EVERY_MS) {
        kq->swept_ms = now_ms;
        sweep(kq, now_ms);
    }
}
