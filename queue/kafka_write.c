/*
 * Everything that the engine writes to its topics, and what follows from the
 * brokers' acknowledgement: the index learns of it, status is told.
 */
#include "queue/kafka.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCRATCH_KEPT = 256 * 1024, /* bytes that the buffer keeps between records */
    UNSENT_MAX = 100000,       /* status records that wait to be sent again; the oldest go */
    RUN = 64, /* events for a partition before the next one's turn: batches stay whole */
};

static struct hg_str begin_record(struct kafka_queue *kq, const struct hg_kafka_record *record)
{
    hg_buf_clear(&kq->scratch, SCRATCH_KEPT);
    hg_assert(kafka_record_write(record, &kq->scratch));
    return hg_buf_str(&kq->scratch);
}

/*
 * The key is the function, but its events are spread over all partitions, so that nodes share a single function's work. Those
 * of one idempotency key meet in one, whatever node takes them (FNV-1a).
 */
static int32_t partition_for(struct kafka_queue *kq, const struct hg_event *event,
                             enum hg_kafka_topic_id topic)
{
    int32_t count = kq->partition_counts[topic];
    uint32_t hash = 2166136261u;

    if (event->dedup[0] && topic == HG_KAFKA_EVENTS && count > 0) {
        for (const char *p = event->dedup; *p; p++)
            hash = (hash ^ (unsigned char)*p) * 16777619u;
        return (int32_t)(hash % (uint32_t)count);
    }
    return count > 0 ? (int32_t)(kq->turn_of_partition++ / RUN % (unsigned)count) : -1;
}

static void end_write(struct kafka_write *write, enum hg_rc rc, const char *why)
{
    struct kafka_queue *kq = write->kq;

    write->rc = rc;
    write->why = why;
    if (rc == HG_OK)
        queue_note_commit(kq->queue, 1, hg_mono_us() - write->started_us);
    else if (rc == HG_E_BUSY && kq->is_reachable && !kq->is_closing)
        kafka_link_lost(kq, why);
    write->done(write);
}

static void send_record(struct kafka_write *write, enum hg_kafka_topic_id topic, int32_t partition,
                        const char *key, struct hg_str bytes,
                        void (*done)(struct hg_kafka_send *send))
{
    struct kafka_queue *kq = write->kq;

    write->send.done = done;
    write->topic = topic;
    if (kafka_send(kq->producer, &write->send, kq->options.topics[topic], partition, hg_str_of(key),
                   bytes, NULL, 0) != HG_OK)
        end_write(write, write->send.rc, write->send.why);
}

static void encode_life(const struct hg_event *event, struct hg_buf *life)
{
    hg_buf_init(life, 64 * 1024);
    hg_assert(hg_event_encode(event, life));
}

static void apply(struct kafka_queue *kq, const struct kafka_write *write,
                  const struct hg_kafka_place *status)
{
    struct hg_buf life;

    encode_life(write->event, &life);
    kafka_index_apply(kq->index, write->event, write->hop, &write->body, status, hg_buf_str(&life));
    hg_buf_fini(&life);
}

static void send_event(struct kafka_write *write, enum hg_kafka_topic_id topic, int32_t partition,
                       const char *key, void (*done)(struct hg_kafka_send *send))
{
    const struct hg_event *event = write->event;
    struct hg_buf life;
    struct hg_kafka_record record = {
        .kind = HG_KAFKA_RECORD_EVENT,
        .hop = write->hop,
        .written_ms = hg_steady_ms(),
        .payload = hg_blob_str(event->payload),
        .result = hg_blob_str(event->result),
        .has_payload = event->payload != NULL,
        .has_result = event->result != NULL,
    };

    encode_life(event, &life);
    record.life = hg_buf_str(&life);
    write->started_us = hg_mono_us();
    send_record(write, topic, partition, key, begin_record(write->kq, &record), done);
    hg_buf_fini(&life);
}

static bool take_place(struct kafka_write *write)
{
    if (write->send.rc != HG_OK) {
        end_write(write, write->send.rc, write->send.why);
        return false;
    }
    write->body.topic = write->topic;
    write->body.partition = write->send.partition;
    write->body.offset = write->send.offset;
    return true;
}

static void on_event_stored(struct hg_kafka_send *send)
{
    struct kafka_write *write = hg_container_of(send, struct kafka_write, send);
    struct hg_kafka_place unknown = {.topic = HG_KAFKA_STATUS, .offset = -1};

    if (!take_place(write))
        return;
    apply(write->kq, write, &unknown);
    kafka_write_status(write->kq, write->event->id);
    end_write(write, HG_OK, "");
}

void kafka_write_event(struct kafka_queue *kq, struct kafka_write *write,
                       const struct hg_event *event, uint32_t hop, enum hg_kafka_topic_id topic)
{
    write->kq = kq;
    write->event = event;
    write->hop = hop;
    send_event(write, topic, partition_for(kq, event, topic), event->function, on_event_stored);
}

static void on_end_stored(struct hg_kafka_send *send)
{
    struct kafka_write *write = hg_container_of(send, struct kafka_write, send);
    struct hg_kafka_place status = {HG_KAFKA_STATUS, send->partition, send->offset};

    if (send->rc == HG_OK)
        apply(write->kq, write, &status);
    end_write(write, send->rc, send->why);
}

void kafka_write_end(struct kafka_queue *kq, struct kafka_write *write,
                     const struct hg_event *event, uint32_t hop, const struct hg_kafka_place *body)
{
    struct hg_buf life;
    struct hg_kafka_record record = {
        .kind = HG_KAFKA_RECORD_LIFE,
        .hop = hop,
        .written_ms = hg_steady_ms(),
        .place = *body,
        .result = hg_blob_str(event->result),
        .has_result = event->result != NULL,
    };

    write->kq = kq;
    write->event = event;
    write->hop = hop;
    write->body = *body;
    write->started_us = hg_mono_us();
    encode_life(event, &life);
    record.life = hg_buf_str(&life);
    send_record(write, HG_KAFKA_STATUS, -1, event->id, begin_record(kq, &record), on_end_stored);
    hg_buf_fini(&life);
}

static void on_dead_stored(struct hg_kafka_send *send)
{
    struct kafka_write *write = hg_container_of(send, struct kafka_write, send);
    struct hg_kafka_place body;

    if (!take_place(write))
        return;
    body = write->body;
    kafka_write_end(write->kq, write, write->event, write->hop, &body);
}

void kafka_write_dead(struct kafka_queue *kq, struct kafka_write *write,
                      const struct hg_event *event, uint32_t hop)
{
    write->kq = kq;
    write->event = event;
    write->hop = hop;
    send_event(write, HG_KAFKA_DEAD, -1, event->id, on_dead_stored);
}

static void on_purge_stored(struct hg_kafka_send *send)
{
    struct kafka_write *write = hg_container_of(send, struct kafka_write, send);

    end_write(write, send->rc, send->why);
}

void kafka_write_purge(struct kafka_queue *kq, struct kafka_write *write, const char *id,
                       uint32_t hop)
{
    struct hg_kafka_record record = {
        .kind = HG_KAFKA_RECORD_PURGED, .hop = hop, .written_ms = hg_steady_ms()};

    write->kq = kq;
    write->event = NULL;
    write->hop = hop;
    write->started_us = hg_mono_us();
    send_record(write, HG_KAFKA_STATUS, -1, id, begin_record(kq, &record), on_purge_stored);
}

/* A record that nobody waits for. */
struct lone_send {
    struct hg_kafka_send send;
    struct hg_list link; /* of unsent */
    struct kafka_queue *kq;
    char id[HG_UUID_LEN + 1];
};

static void on_lone_ended(struct hg_kafka_send *send)
{
    free(hg_container_of(send, struct lone_send, send));
}

void kafka_write_tombstone(struct kafka_queue *kq, enum hg_kafka_topic_id topic, const char *id)
{
    struct lone_send *lone = hg_calloc(1, sizeof(*lone));

    lone->send.done = on_lone_ended;
    /* One that does not arrive leaves a record that is told to be past by its hop. */
    if (kafka_send(kq->producer, &lone->send, kq->options.topics[topic], -1, hg_str_of(id),
                   (struct hg_str){NULL, 0}, NULL, 0) != HG_OK)
        free(lone);
}

static void keep_unsent(struct kafka_queue *kq, struct lone_send *lone)
{
    if (kq->unsent_count == UNSENT_MAX) {
        struct hg_list *oldest = hg_list_pop_front(&kq->unsent);

        free(hg_container_of(oldest, struct lone_send, link));
        kq->unsent_count--;
    }
    hg_list_push_back(&kq->unsent, &lone->link);
    kq->unsent_count++;
}

static void on_status_ended(struct hg_kafka_send *send)
{
    struct lone_send *lone = hg_container_of(send, struct lone_send, send);

    if (send->rc == HG_E_BUSY && !lone->kq->is_closing)
        keep_unsent(lone->kq, lone);
    else
        free(lone);
}

static void send_status(struct kafka_queue *kq, struct lone_send *lone)
{
    struct kafka_index_entry entry;
    struct hg_kafka_record record = {.kind = HG_KAFKA_RECORD_LIFE, .written_ms = hg_steady_ms()};

    /* What has ended meanwhile was told in its own record. */
    if (!kafka_index_find(kq->index, lone->id, &entry) || entry.rank != KAFKA_LIVING) {
        free(lone);
        return;
    }
    record.hop = entry.hop;
    record.place = entry.body;
    record.life = entry.life;
    if (kafka_send(kq->producer, &lone->send, kq->options.topics[HG_KAFKA_STATUS], -1,
                   hg_str_of(lone->id), begin_record(kq, &record), NULL, 0) != HG_OK)
        keep_unsent(kq, lone);
}

void kafka_write_status(struct kafka_queue *kq, const char *id)
{
    struct lone_send *lone = hg_calloc(1, sizeof(*lone));

    lone->send.done = on_status_ended;
    lone->kq = kq;
    (void)snprintf(lone->id, sizeof(lone->id), "%s", id);
    hg_list_init(&lone->link);
    send_status(kq, lone);
}

void kafka_write_again(struct kafka_queue *kq)
{
    struct hg_list again;
    struct hg_list *link;

    hg_list_init(&again);
    hg_list_move_all(&kq->unsent, &again);
    kq->unsent_count = 0;
    while ((link = hg_list_pop_front(&again)))
        send_status(kq, hg_container_of(link, struct lone_send, link));
}

void kafka_write_mark(struct kafka_queue *kq, int32_t partition)
{
    struct lone_send *lone = hg_calloc(1, sizeof(*lone));
    char text[HG_UUID_LEN + 32];
    struct hg_kafka_record record = {.kind = HG_KAFKA_RECORD_MARK, .written_ms = hg_steady_ms()};

    (void)snprintf(text, sizeof(text), "%s %llu", kq->run, (unsigned long long)kq->mark);
    record.life = hg_str_of(text);
    lone->send.done = on_lone_ended;
    /* The same key for all nodes: compaction leaves one mark in a partition. */
    if (kafka_send(kq->producer, &lone->send, kq->options.topics[HG_KAFKA_STATUS], partition,
                   HG_STR("mark"), begin_record(kq, &record), NULL, 0) != HG_OK)
        free(lone);
}

void kafka_write_fini(struct kafka_queue *kq)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&kq->unsent)))
        free(hg_container_of(link, struct lone_send, link));
}
