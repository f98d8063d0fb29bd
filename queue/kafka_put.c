/*
 * Puts: an event goes to events, or, when its lane has more here than it can
 * take, straight to a delay topic, out of the way of the others.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/crash_point.h"
#include "core/crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SALTS_MAX = 100 };

struct kafka_put {
    struct kafka_write write;
    struct hg_put_op *op;
    struct hg_list followers; /* operations with the same id, by base.link */
};

static void end_known(struct hg_put_op *op, const char *id)
{
    memmove(op->event->id, id, strlen(id) + 1);
    op->was_known = true;
    queue_op_end(&op->base, HG_OK, NULL);
}

/*
 * Two nodes that are given the same key at the same time make the same id of it, and the second copy is dropped where it is read.
 * salt: of an id that was purged, a next one.
 */
static void id_of_key(const struct hg_event *event, int64_t bucket, unsigned salt,
                      char id[HG_UUID_LEN + 1])
{
    unsigned char hash[HG_SHA256_LEN];
    char text[HG_EVENT_FUNCTION_MAX + HG_EVENT_DEDUP_MAX + 64];
    int length = snprintf(text, sizeof(text), "%s\n%lld\n%u\n%s", event->function,
                          (long long)bucket, salt, event->dedup);

    hg_sha256(hg_str_n(text, (size_t)length), hash);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x80); /* UUID version 8: of our own making */
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    (void)snprintf(id, HG_UUID_LEN + 1,
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", hash[0],
                   hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7], hash[8], hash[9],
                   hash[10], hash[11], hash[12], hash[13], hash[14], hash[15]);
}

/* True when the key was accepted before; else the event has the id that its key gives. */
static bool is_known_key(struct kafka_queue *kq, struct hg_event *event, char id[HG_UUID_LEN + 1])
{
    int64_t window_ms = HG_MAX(kq->queue->options.dedup_window_ms, 1);
    struct kafka_index_entry entry;

    if (kafka_index_find_dedup(kq->index, event->function, event->dedup,
                               event->accepted_ms - window_ms, id))
        return true;
    for (unsigned salt = 0; salt < SALTS_MAX; salt++) {
        id_of_key(event, event->accepted_ms / window_ms, salt, event->id);
        if (!kafka_index_find(kq->index, event->id, &entry))
            break;
    }
    return false;
}

static void on_put_stored(struct kafka_write *write)
{
    struct kafka_put *put = hg_container_of(write, struct kafka_put, write);
    struct kafka_queue *kq = write->kq;
    struct hg_list *link;

    (void)hg_map_remove(&kq->puts, hg_str_of(put->op->event->id));
    if (write->rc == HG_OK)
        hg_crash_point("after-commit");
    while ((link = hg_list_pop_front(&put->followers))) {
        struct hg_put_op *follower = hg_container_of(link, struct hg_put_op, base.link);

        if (write->rc == HG_OK)
            end_known(follower, put->op->event->id);
        else
            queue_op_end(&follower->base, write->rc, "%s", write->why);
    }
    queue_op_end(&put->op->base, write->rc, "%s", write->why);
    free(put);
}

/* Not into events when it is not due yet, or when there is no room for it. */
static enum hg_kafka_topic_id topic_for(struct kafka_queue *kq, struct hg_event *event)
{
    int64_t now_ms = hg_steady_ms();
    struct kafka_lane *lane;

    if (event->due_ms > now_ms)
        return kafka_delay_topic(event->due_ms - now_ms);
    lane = kafka_lane_of(kq, event, false);
    if (!lane || kafka_lane_has_room(kq, lane))
        return HG_KAFKA_EVENTS;
    event->due_ms = kafka_lane_next_place(kq, lane, now_ms);
    return kafka_delay_topic(event->due_ms - now_ms);
}

static void store(struct kafka_queue *kq, struct hg_put_op *op, uint32_t hop)
{
    struct kafka_put *put = hg_calloc(1, sizeof(*put));

    put->op = op;
    put->write.done = on_put_stored;
    hg_list_init(&put->followers);
    (void)hg_map_set(&kq->puts, hg_str_of(op->event->id), put);
    kafka_write_event(kq, &put->write, op->event, hop, topic_for(kq, op->event));
}

void kafka_put(struct hg_queue *queue, struct hg_put_op *op)
{
    struct kafka_queue *kq = queue->engine;
    char why[HG_EVENT_WHY_MAX], id[HG_UUID_LEN + 1];
    struct kafka_index_entry entry;
    struct kafka_put *other;

    op->was_known = false;
    if (!kq->is_up) {
        (void)queue_is_up(queue, why);
        queue_op_end(&op->base, HG_E_BUSY, "%s", why);
        return;
    }
    if (op->event->dedup[0] && is_known_key(kq, op->event, id)) {
        end_known(op, id);
        return;
    }
    other = hg_map_get(&kq->puts, hg_str_of(op->event->id));
    if (other) {
        hg_list_push_back(&other->followers, &op->base.link);
        return;
    }
    if (!kafka_index_find(kq->index, op->event->id, &entry)) {
        store(kq, op, 0);
    } else if (entry.rank == KAFKA_PURGED) {
        store(kq, op, entry.hop + 1);
    } else {
        (void)snprintf(id, sizeof(id), "%s", op->event->id);
        end_known(op, id);
    }
}
