/*
 * Forgetting: finished events whose time is over or whose bytes are too many,
 * a few in every transaction. And the queue's gauges.
 */
#include "queue/embedded.h"

#include "core/clock.h"

#include <lmdb.h>

enum { OLDEST_LOOKS = 2048 };

static bool is_over(const struct embedded *e, int64_t finished_ms)
{
    return finished_ms + e->queue->options.retention_ms <= hg_steady_ms() ||
           e->state.history_bytes > e->queue->options.history_max || e->is_map_full;
}

static int erase(struct embedded *e, uint64_t seq)
{
    struct embedded_head head;
    struct hg_event *event;
    int err = embedded_load_event(e, seq, false, &event, &head, NULL);

    if (err)
        return err;
    /* Its id is in the bytes that are not understood: what is left of it is one row that points nowhere. */
    err = embedded_erase_event(e, seq, &head, event ? event->id : NULL);
    hg_event_free(event);
    return err;
}

int embedded_sweep(struct embedded *e, unsigned max, unsigned *swept)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    int err = mdb_cursor_open(e->txn, e->tables[TABLE_DONE], &cursor);

    *swept = 0;
    while (!err && *swept < max) {
        err = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
        if (!err && k.mv_size != 16)
            err = MDB_CORRUPTED;
        if (err || !is_over(e, (int64_t)embedded_get_be64(k.mv_data)))
            break;
        err = erase(e, embedded_get_be64((const char *)k.mv_data + 8));
        (*swept)++;
    }
    mdb_cursor_close(cursor);
    return err == MDB_NOTFOUND ? 0 : err;
}

static void move_oldest(struct embedded *e)
{
    unsigned char key[8];
    MDB_val k = {sizeof(key), key}, v;
    MDB_cursor *cursor;
    int err;

    if (mdb_cursor_open(e->reader, e->tables[TABLE_HEAD], &cursor) != 0)
        return;
    embedded_put_be64(key, e->oldest_seq);
    err = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
    for (unsigned i = 0; i < OLDEST_LOOKS && !err; i++) {
        struct embedded_head head;

        if (k.mv_size != sizeof(key) || v.mv_size < sizeof(head))
            break;
        memcpy(&head, v.mv_data, sizeof(head));
        e->oldest_seq = embedded_get_be64(k.mv_data);
        if (head.state == HG_EVENT_QUEUED || head.state == HG_EVENT_RETRYING) {
            atomic_store(&e->queue->gauges.oldest_ms, head.accepted_ms);
            break;
        }
        err = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
}

/* The first key of a table begins with a time. */
static bool first_time(struct embedded *e, enum embedded_table table, int64_t *time_ms)
{
    MDB_cursor *cursor;
    MDB_val k, v;
    int err = mdb_cursor_open(e->reader, e->tables[table], &cursor);

    if (err)
        return false;
    err = mdb_cursor_get(cursor, &k, &v, MDB_FIRST);
    if (!err && k.mv_size >= 8)
        *time_ms = (int64_t)embedded_get_be64(k.mv_data);
    mdb_cursor_close(cursor);
    return !err;
}

bool embedded_wants_sweep(struct embedded *e)
{
    int64_t time_ms = 0;
    bool is_due = false;

    if (embedded_read(e)) {
        is_due = (first_time(e, TABLE_DONE, &time_ms) && is_over(e, time_ms)) ||
                 (first_time(e, TABLE_DEDUP_END, &time_ms) && time_ms <= hg_steady_ms());
        embedded_read_end(e);
    }
    return is_due;
}

void embedded_gauge(struct embedded *e)
{
    struct hg_queue_gauges *gauges = &e->queue->gauges;
    const uint64_t *stored = e->state.counts, *leased = e->leased_states;

    for (int i = 0; i < HG_EVENT_STATE_COUNT; i++)
        if (i != HG_EVENT_RUNNING)
            atomic_store(&gauges->states[i], stored[i] - leased[i]);
    atomic_store(&gauges->states[HG_EVENT_RUNNING],
                 leased[HG_EVENT_QUEUED] + leased[HG_EVENT_RETRYING]);
    if (stored[HG_EVENT_QUEUED] + stored[HG_EVENT_RETRYING] == 0)
        atomic_store(&gauges->oldest_ms, 0);
}

void embedded_gauge_oldest(struct embedded *e)
{
    atomic_store(&e->queue->gauges.bytes, embedded_file_bytes(e));
    if (e->state.counts[HG_EVENT_QUEUED] + e->state.counts[HG_EVENT_RETRYING] == 0)
        return;
    if (embedded_read(e)) {
        move_oldest(e);
        embedded_read_end(e);
    }
}
