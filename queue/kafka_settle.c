/*
 * Settles, redrives and purges: a newer record of the event, then the old one
 * is let go.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/crash_point.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void end_lease(struct kafka_queue *kq, struct kafka_held *held)
{
    struct hg_settle_op *op = held->settle;

    op->event->lease = NULL;
    kafka_held_end(kq, held);
    kafka_gauges(kq);
    queue_op_end(&op->base, HG_OK, NULL);
}

static void on_settled(struct kafka_write *write)
{
    struct kafka_held *held = hg_container_of(write, struct kafka_held, write);
    struct kafka_queue *kq = write->kq;
    struct hg_settle_op *op = held->settle;

    if (write->rc != HG_OK) {
        held->settle = NULL;
        queue_op_end(&op->base, write->rc, "%s", write->why);
        return;
    }
    hg_crash_point("mid-settle");
    end_lease(kq, held);
}

void kafka_settle(struct hg_queue *queue, struct hg_settle_op *op)
{
    struct kafka_queue *kq = queue->engine;
    struct kafka_held *held = op->event->lease;
    int64_t wait_ms = op->event->due_ms - hg_steady_ms();

    hg_assert(held && held->state == KAFKA_LEASED && !held->settle);
    /* Another node had the event too and was first, or somebody purged it: there is nothing to add. */
    if (kafka_index_is_past(kq->index, held->id, held->redrives, held->hop)) {
        held->settle = op;
        end_lease(kq, held);
        return;
    }
    if (!kq->is_reachable) {
        char why[HG_EVENT_WHY_MAX];

        (void)queue_is_up(queue, why);
        queue_op_end(&op->base, HG_E_BUSY, "%s", why);
        return;
    }
    held->settle = op;
    held->write.done = on_settled;
    switch (op->verdict) {
    case HG_FINISH:
        kafka_write_end(kq, &held->write, op->event, held->hop, &held->place);
        break;
    case HG_REQUEUE:
        kafka_write_event(kq, &held->write, op->event, held->hop + 1,
                          wait_ms > 0 ? kafka_delay_topic(wait_ms) : HG_KAFKA_EVENTS);
        break;
    case HG_BURY:
        kafka_write_dead(kq, &held->write, op->event, held->hop);
        break;
    }
}

/* A redrive or purge under way. */
struct change {
    struct kafka_queue *kq;
    struct hg_change_op *op;
    struct kafka_read read;
    struct kafka_write write;
    struct hg_event *event;
    char id[HG_UUID_LEN + 1];
    uint32_t hop;
    bool was_dead;
};

static void end_change(struct change *change, enum hg_rc rc, const char *why)
{
    kafka_gauges(change->kq);
    queue_op_end(&change->op->base, rc, "%s", why);
    hg_event_free(change->event);
    free(change);
}

static void on_redriven(struct kafka_write *write)
{
    struct change *change = hg_container_of(write, struct change, write);

    if (write->rc == HG_OK && change->was_dead)
        kafka_write_tombstone(change->kq, HG_KAFKA_DEAD, change->id);
    end_change(change, write->rc, write->why);
}

static void on_payload_read(struct kafka_read *read)
{
    struct change *change = hg_container_of(read, struct change, read);
    struct kafka_index_entry entry;

    hg_blob_unref(read->result);
    if (read->rc == HG_E_NOT_FOUND) {
        end_change(change, HG_E_CONFLICT, "its payload is not kept any more");
        return;
    }
    if (read->rc != HG_OK) {
        end_change(change, read->rc, "its payload could not be read from Kafka");
        return;
    }
    change->event->payload = read->payload;
    if (!kafka_index_find(change->kq->index, change->id, &entry) || entry.rank != KAFKA_ENDED) {
        end_change(change, HG_E_CONFLICT, "it was redriven or purged meanwhile");
        return;
    }
    hg_event_reset(change->event, hg_steady_ms());
    kafka_write_event(change->kq, &change->write, change->event, change->hop + 1, HG_KAFKA_EVENTS);
}

static void redrive(struct change *change, const struct kafka_index_entry *entry)
{
    struct hg_error err = {{0}};

    if (entry->rank == KAFKA_LIVING) {
        end_change(change, HG_E_CONFLICT, "it has not ended: nothing to redrive");
        return;
    }
    change->event = hg_event_decode(entry->life, &err);
    if (!change->event) {
        end_change(change, HG_E_INTERNAL, err.text);
        return;
    }
    change->read.place = entry->body;
    (void)snprintf(change->read.id, sizeof(change->read.id), "%s", change->id);
    change->read.done = on_payload_read;
    change->write.done = on_redriven;
    kafka_read_start(change->kq, &change->read);
}

static void on_purged(struct kafka_write *write)
{
    struct change *change = hg_container_of(write, struct change, write);
    struct kafka_queue *kq = change->kq;
    struct kafka_held *held;

    if (write->rc == HG_OK) {
        kafka_index_purge(kq->index, change->id, change->hop, hg_steady_ms());
        held = hg_map_get(&kq->live, hg_str_of(change->id));
        if (held && (held->state == KAFKA_WAITING || held->state == KAFKA_DELAYED))
            kafka_held_end(kq, held);
        if (change->was_dead)
            kafka_write_tombstone(kq, HG_KAFKA_DEAD, change->id);
    }
    end_change(change, write->rc, write->why);
}

static bool is_remembered(const struct kafka_queue *kq, const struct kafka_index_entry *entry)
{
    return entry->rank == KAFKA_LIVING || entry->state == HG_EVENT_DEAD ||
           (entry->rank == KAFKA_ENDED &&
            entry->finished_ms + kq->queue->options.retention_ms > hg_steady_ms());
}

void kafka_change(struct hg_queue *queue, struct hg_change_op *op)
{
    struct kafka_queue *kq = queue->engine;
    struct kafka_held *held = hg_map_get(&kq->live, hg_str_of(op->id));
    struct kafka_index_entry entry;
    struct change *change;
    char why[HG_EVENT_WHY_MAX];

    if (!queue_is_up(queue, why)) {
        queue_op_end(&op->base, HG_E_BUSY, "%s", why);
        return;
    }
    if (strlen(op->id) > HG_UUID_LEN || !kafka_index_find(kq->index, op->id, &entry) ||
        !is_remembered(kq, &entry)) {
        queue_op_end(&op->base, HG_E_NOT_FOUND, "no such event");
        return;
    }
    if (held && held->state == KAFKA_LEASED) {
        queue_op_end(&op->base, HG_E_CONFLICT, "it is running");
        return;
    }
    change = hg_calloc(1, sizeof(*change));
    change->kq = kq;
    change->op = op;
    change->hop = entry.hop;
    change->was_dead = entry.state == HG_EVENT_DEAD;
    (void)snprintf(change->id, sizeof(change->id), "%s", op->id);
    if (op->change == HG_CHANGE_REDRIVE) {
        redrive(change, &entry);
        return;
    }
    /* One that is on its way to a delay topic arrives there a hop further. */
    if (held && held->state == KAFKA_MOVING)
        change->hop = held->hop + 1;
    change->write.done = on_purged;
    kafka_write_purge(kq, &change->write, change->id, change->hop);
}
