/*
 * Looking: one event by its id, with payload and result, or a page of lives
 * from the index. What is leased on this node shows as running.
 */
#include "queue/kafka.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_MAX = 1000,
    SKIPPED_MAX = 20000, /* that one page passes over; then it ends early, with a cursor */
};

static struct kafka_held *leased_here(struct kafka_queue *kq, const char *id)
{
    struct kafka_held *held = hg_map_get(&kq->live, hg_str_of(id));

    return held && held->state == KAFKA_LEASED ? held : NULL;
}

static struct hg_event *decode(struct kafka_queue *kq, const struct kafka_index_entry *entry,
                               const char *id)
{
    struct hg_event *event = hg_event_decode(entry->life, NULL);

    if (event && leased_here(kq, id))
        event->state = HG_EVENT_RUNNING;
    return event;
}

static bool is_shown(const struct kafka_queue *kq, const struct kafka_index_entry *entry)
{
    return entry->rank == KAFKA_LIVING || entry->state == HG_EVENT_DEAD ||
           (entry->rank == KAFKA_ENDED &&
            entry->finished_ms + kq->queue->options.retention_ms > hg_steady_ms());
}

/* One by id, whose payload and result are fetched. */
struct lookup {
    struct kafka_queue *kq;
    struct hg_find_op *op;
    struct hg_event *event;
    struct kafka_read body, status;
    bool has_status;
    bool has_no_result; /* it ended without one: what lies with the payload is of an earlier run */
};

static void end_lookup(struct lookup *lookup)
{
    hg_list_push_back(&lookup->op->events, &lookup->event->link);
    queue_op_end(&lookup->op->base, HG_OK, NULL);
    free(lookup);
}

static void on_status_read(struct kafka_read *read)
{
    struct lookup *lookup = hg_container_of(read, struct lookup, status);

    hg_blob_unref(read->payload);
    if (read->result) {
        hg_blob_unref(lookup->event->result);
        lookup->event->result = read->result;
    }
    end_lookup(lookup);
}

/* A payload that is not kept any more, or cannot be read now, is left out: the life is worth showing. */
static void on_body_read(struct kafka_read *read)
{
    struct lookup *lookup = hg_container_of(read, struct lookup, body);

    lookup->event->payload = read->payload;
    if (lookup->has_no_result)
        hg_blob_unref(read->result);
    else
        lookup->event->result = read->result;
    if (!lookup->has_status) {
        end_lookup(lookup);
        return;
    }
    lookup->status.done = on_status_read;
    kafka_read_start(lookup->kq, &lookup->status);
}

static void find_one(struct kafka_queue *kq, struct hg_find_op *op)
{
    struct kafka_index_entry entry;
    struct kafka_held *held = hg_map_get(&kq->live, hg_str_of(op->id));
    struct hg_event *event = NULL;
    struct lookup *lookup;

    if (strlen(op->id) <= HG_UUID_LEN && kafka_index_find(kq->index, op->id, &entry) &&
        is_shown(kq, &entry))
        event = decode(kq, &entry, op->id);
    if (!event) {
        queue_op_end(&op->base, HG_E_NOT_FOUND, "no such event");
        return;
    }
    if (held && held->hop == entry.hop && entry.rank == KAFKA_LIVING) {
        event->payload = held->payload ? hg_blob_ref(held->payload) : NULL;
        event->result = held->result ? hg_blob_ref(held->result) : NULL;
        hg_list_push_back(&op->events, &event->link);
        queue_op_end(&op->base, HG_OK, NULL);
        return;
    }
    lookup = hg_calloc(1, sizeof(*lookup));
    lookup->kq = kq;
    lookup->op = op;
    lookup->event = event;
    lookup->body.place = entry.body;
    lookup->body.done = on_body_read;
    lookup->has_status = entry.has_result && entry.status.offset >= 0;
    lookup->status.place = entry.status;
    lookup->has_no_result = entry.rank == KAFKA_ENDED && !entry.has_result;
    kafka_read_start(kq, &lookup->body);
}

/* Where a page stands in the ids of one state. */
struct walk {
    enum hg_event_state state;
    bool has_next;
    int64_t accepted_ms;
    char id[HG_UUID_LEN + 1];
};

static void advance(struct kafka_queue *kq, const struct hg_find_op *op, struct walk *walk)
{
    walk->has_next = kafka_index_before(kq->index, op->function ? op->function : "", walk->state,
                                        &walk->accepted_ms, walk->id) &&
                     walk->accepted_ms >= op->since_ms;
}

static bool is_newer(const struct walk *a, const struct walk *b)
{
    if (a->accepted_ms != b->accepted_ms)
        return a->accepted_ms > b->accepted_ms;
    return strcmp(a->id, b->id) > 0;
}

static struct walk *newest(struct walk *walks, size_t count)
{
    struct walk *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (walks[i].has_next && (!best || is_newer(&walks[i], best)))
            best = &walks[i];
    return best;
}

/* Running ones are among the queued and the retrying in the index. */
static bool is_walked(unsigned states, enum hg_event_state state)
{
    if (state == HG_EVENT_RUNNING)
        return false;
    if (states == 0 || (states & 1u << state))
        return true;
    return (states & 1u << HG_EVENT_RUNNING) &&
           (state == HG_EVENT_QUEUED || state == HG_EVENT_RETRYING);
}

/* "1767322800123:<id>" of the last event that a page passed. False when it is none. */
static bool read_cursor(const char *cursor, struct walk *from)
{
    struct hg_str id = hg_str_of(cursor), accepted;

    *from = (struct walk){0};
    if (!cursor[0])
        return true;
    if (!hg_str_next(&id, ':', &accepted) || id.n >= sizeof(from->id) ||
        !hg_str_i64(accepted, 0, INT64_MAX, &from->accepted_ms))
        return false;
    memcpy(from->id, id.p, id.n);
    return id.n > 0;
}

static size_t begin_walks(struct kafka_queue *kq, const struct hg_find_op *op, struct walk from,
                          struct walk walks[HG_EVENT_STATE_COUNT])
{
    size_t count = 0;

    for (int i = 0; i < HG_EVENT_STATE_COUNT; i++) {
        if (!is_walked(op->states, (enum hg_event_state)i))
            continue;
        walks[count] = from;
        walks[count].state = (enum hg_event_state)i;
        advance(kq, op, &walks[count++]);
    }
    return count;
}

static void add_to_page(struct kafka_queue *kq, struct hg_find_op *op, const char *id,
                        unsigned *found)
{
    struct kafka_index_entry entry;
    struct hg_event *event;

    if (!kafka_index_find(kq->index, id, &entry) || !is_shown(kq, &entry))
        return;
    event = decode(kq, &entry, id);
    if (!event)
        return;
    if (op->states && !(op->states & 1u << event->state)) {
        hg_event_free(event);
        return;
    }
    hg_list_push_back(&op->events, &event->link);
    (*found)++;
}

static void find_page(struct kafka_queue *kq, struct hg_find_op *op)
{
    struct walk walks[HG_EVENT_STATE_COUNT], from, *walk;
    unsigned found = 0, max = HG_MIN(op->max, (unsigned)PAGE_MAX);
    size_t count;

    if (!read_cursor(op->cursor, &from)) {
        queue_op_end(&op->base, HG_E_INVALID, "the cursor is none that a page gave");
        return;
    }
    count = begin_walks(kq, op, from, walks);
    walk = newest(walks, count);
    op->cursor[0] = '\0';
    for (unsigned passed = 0; walk; passed++) {
        if (found == max || passed == SKIPPED_MAX)
            goto end;
        add_to_page(kq, op, walk->id, &found);
        (void)snprintf(op->cursor, sizeof(op->cursor), "%lld:%s", (long long)walk->accepted_ms,
                       walk->id);
        advance(kq, op, walk);
        walk = newest(walks, count);
    }
    op->cursor[0] = '\0';

end:
    queue_op_end(&op->base, HG_OK, NULL);
}

void kafka_find(struct hg_queue *queue, struct hg_find_op *op)
{
    struct kafka_queue *kq = queue->engine;

    if (op->id)
        find_one(kq, op);
    else
        find_page(kq, op);
}
