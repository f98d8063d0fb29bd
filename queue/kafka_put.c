/*
 * Puts: an event goes to events, or, when its lane has more here than it can
 * take, straight to a delay topic, out of the way of the others.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/crash_point.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kafka_put {
    struct kafka_write write;
    struct hg_put_op *op;
    struct hg_list followers; /* operations with the same id or idempotency key, by base.link */
    struct hg_str key;        /* function \0 idempotency key; none: empty */
    char text[HG_EVENT_FUNCTION_MAX + HG_EVENT_DEDUP_MAX + 2];
};

static void end_known(struct hg_put_op *op, const char *id)
{
    hg_assert(id != NULL);
    memmove(op->event->id, id, strlen(id) + 1);
    op->was_known = true;
    queue_op_end(&op->base, HG_OK, NULL);
}

static void on_put_stored(struct kafka_write *write)
{
    struct kafka_put *put = hg_container_of(write, struct kafka_put, write);
    struct kafka_queue *kq = write->kq;
    struct hg_list *link;

    (void)hg_map_remove(&kq->puts, hg_str_of(put->op->event->id));
    if (put->key.n)
        (void)hg_map_remove(&kq->put_keys, put->key);
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

static size_t key_of(const struct hg_event *event, char *text, size_t size)
{
    return (size_t)snprintf(text, size, "%s%c%s", event->function, '\0', event->dedup);
}

/* Not into events when it is not due yet, or when there is no room for it; but with a key: see is_twin in kafka_source.c. */
static enum hg_kafka_topic_id topic_for(struct kafka_queue *kq, struct hg_event *event)
{
    int64_t now_ms = hg_steady_ms();
    struct kafka_lane *lane;

    if (event->dedup[0])
        return HG_KAFKA_EVENTS;
    if (event->due_ms > now_ms)
        return kafka_delay_topic(event->due_ms - now_ms);
    lane = kafka_lane_of(kq, event, false);
    if (!lane || kafka_lane_has_room(kq, lane))
        return HG_KAFKA_EVENTS;
    return kafka_delay_topic(kafka_lane_next_place(kq, lane, now_ms) - now_ms);
}

static void store(struct kafka_queue *kq, struct hg_put_op *op, uint32_t hop)
{
    struct kafka_put *put = hg_calloc(1, sizeof(*put));

    put->op = op;
    put->write.done = on_put_stored;
    hg_list_init(&put->followers);
    (void)hg_map_set(&kq->puts, hg_str_of(op->event->id), put);
    if (op->event->dedup[0]) {
        put->key = hg_str_n(put->text, key_of(op->event, put->text, sizeof(put->text)));
        (void)hg_map_set(&kq->put_keys, put->key, put);
    }
    kafka_write_event(kq, &put->write, op->event, hop, topic_for(kq, op->event));
}

void kafka_put(struct hg_queue *queue, struct hg_put_op *op)
{
    struct kafka_queue *kq = queue->engine;
    char why[HG_EVENT_WHY_MAX], id[HG_UUID_LEN + 1];
    char key[HG_EVENT_FUNCTION_MAX + HG_EVENT_DEDUP_MAX + 2];
    struct kafka_index_entry entry;
    struct kafka_put *other;

    op->was_known = false;
    if (!kq->is_up) {
        (void)queue_is_up(queue, why);
        queue_op_end(&op->base, HG_E_BUSY, "%s", why);
        return;
    }
    if (op->event->dedup[0] && kafka_index_find_first(kq->index, op->event, -1, id)) {
        end_known(op, id);
        return;
    }
    other = hg_map_get(&kq->puts, hg_str_of(op->event->id));
    if (!other && op->event->dedup[0])
        other = hg_map_get(&kq->put_keys, hg_str_n(key, key_of(op->event, key, sizeof(key))));
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
