/*
 * The embedded engine: what arrives in one turn of the loop is stored in one
 * transaction and flushed once; while that lasts, the next batch gathers in
 * the mailbox. Nothing ends with HG_OK before its transaction is durable.
 *
 * When there is no room, new events are refused, and what was accepted goes on
 * in the room that is held back for it.
 */
#include "queue/embedded.h"

#include "core/clock.h"
#include "core/crash_point.h"
#include "core/log.h"

#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH_MAX = 4096,           /* operations in a transaction */
    BATCH_BYTES_MAX = 16 << 20, /* of payloads and results */
    SWEEP_LEAST = 64, /* finished events forgotten with each batch, two more an operation */
    SWEEP_IDLE = 256, /* in a transaction of their own */
    SWEEP_PAUSE_MS = 20,
    TICK_MS = 1000,
    CODE_MAX = 16384,
};

/* What the batch must know of an operation: op->engine. */
struct kind {
    bool is_put;
    int (*run)(struct embedded *e, struct hg_queue_op *op);
    void (*ended)(struct embedded *e, struct hg_queue_op *op); /* durable */
    uint64_t (*bytes)(const struct hg_queue_op *op);
};

int embedded_refuse(struct hg_queue_op *op, enum hg_rc rc, const char *why)
{
    op->rc = rc;
    (void)snprintf(op->why, sizeof(op->why), "%s", why);
    return 0;
}

static int run_put(struct embedded *e, struct hg_queue_op *op)
{
    return embedded_put_op(e, hg_container_of(op, struct hg_put_op, base));
}

static void put_ended(struct embedded *e, struct hg_queue_op *op)
{
    (void)e;
    embedded_put_end(hg_container_of(op, struct hg_put_op, base));
}

static uint64_t put_bytes(const struct hg_queue_op *op)
{
    return hg_blob_str(hg_container_of(op, const struct hg_put_op, base)->event->payload).n;
}

static int run_settle(struct embedded *e, struct hg_queue_op *op)
{
    int err = embedded_settle_op(e, hg_container_of(op, struct hg_settle_op, base));

    hg_crash_point("mid-settle");
    return err;
}

static void settle_ended(struct embedded *e, struct hg_queue_op *op)
{
    struct hg_event *event = hg_container_of(op, struct hg_settle_op, base)->event;

    embedded_lease_end(e, event->lease);
    event->lease = NULL;
}

static uint64_t settle_bytes(const struct hg_queue_op *op)
{
    return hg_blob_str(hg_container_of(op, const struct hg_settle_op, base)->event->result).n;
}

static int run_change(struct embedded *e, struct hg_queue_op *op)
{
    return embedded_change_op(e, hg_container_of(op, struct hg_change_op, base));
}

static void change_ended(struct embedded *e, struct hg_queue_op *op)
{
    (void)e;
    (void)op;
}

/* As large as a redriven event is usually. */
static uint64_t change_bytes(const struct hg_queue_op *op)
{
    (void)op;
    return HG_EVENT_PAYLOAD_MAX / 64;
}

static const struct kind kind_put = {true, run_put, put_ended, put_bytes};
static const struct kind kind_settle = {false, run_settle, settle_ended, settle_bytes};
static const struct kind kind_change = {false, run_change, change_ended, change_bytes};

static const struct kind *kind_of(const struct hg_queue_op *op)
{
    return op->engine;
}

/* One transaction for all of them; after an error nothing of it has happened. */
static int transact(struct embedded *e, struct hg_queue_op *const *ops, size_t count,
                    unsigned sweep_max)
{
    int64_t began_us = hg_mono_us();
    unsigned swept;
    int err = embedded_begin(e);

    if (err)
        return err;
    for (size_t i = 0; i < count && !err; i++) {
        ops[i]->rc = HG_OK;
        ops[i]->why[0] = '\0';
        err = kind_of(ops[i])->run(e, ops[i]);
    }
    if (!err)
        err = embedded_sweep(e, sweep_max, &swept);
    if (!err)
        err = embedded_sweep_dedup(e, sweep_max);
    if (err) {
        embedded_abort(e);
        return err;
    }
    err = embedded_commit(e);
    if (err)
        return err;
    queue_note_commit(e->queue, count, hg_mono_us() - began_us);
    return 0;
}

static void end_stored(struct embedded *e, struct hg_queue_op *const *ops, size_t count)
{
    bool has_put = false;

    for (size_t i = 0; i < count; i++)
        has_put |= kind_of(ops[i])->is_put;
    if (has_put)
        hg_crash_point("after-commit");
    for (size_t i = 0; i < count; i++) {
        char why[HG_EVENT_WHY_MAX];

        if (ops[i]->rc == HG_OK)
            kind_of(ops[i])->ended(e, ops[i]);
        memcpy(why, ops[i]->why, sizeof(why));
        queue_op_end(ops[i], ops[i]->rc, ops[i]->rc == HG_OK ? NULL : "%s", why);
    }
    for (size_t i = 0; i < e->arrival_count; i++)
        embedded_lane_arrived(e->arrivals[i].lane, e->arrivals[i].due_ms, e->arrivals[i].seq);
    e->arrival_count = 0;
}

static void end_failed(struct hg_queue_op *op, int err)
{
    if (embedded_is_lack_of_room(err))
        queue_op_end(op, HG_E_BUSY, "there is no room to store it: %s", embedded_error_text(err));
    else
        queue_op_end(op, HG_E_IO, "the event store cannot be written: %s",
                     embedded_error_text(err));
}

static void become_full(struct embedded *e, int err)
{
    e->is_full = true;
    e->is_map_full = err == MDB_MAP_FULL;
    if (!e->is_map_full)
        embedded_reserve_give(e->folder);
    embedded_make_roomy(e, true);
    if (e->is_map_full)
        queue_set_down(e->queue,
                       "the event store has reached its maximum of %llu MB: let the functions work "
                       "it off, purge events, or allow it more",
                       (unsigned long long)(e->map_bytes >> 20));
    else
        queue_set_down(e->queue, "no room on the disk of %s (%s): make some", e->folder,
                       embedded_error_text(err));
}

static void become_faulty(struct embedded *e, int err)
{
    e->is_faulty = true;
    queue_set_down(e->queue, "the event store %s cannot be written: %s%s", e->file,
                   embedded_error_text(err),
                   err == MDB_PANIC ? "; restart the program when the disk is well again" : "");
}

/* An error of one event's rows, not of the whole store: the others need not suffer. */
static bool is_of_one_event(int err)
{
    return err == MDB_NOTFOUND || err == MDB_KEYEXIST || err == MDB_CORRUPTED ||
           err == MDB_PAGE_NOTFOUND || err == MDB_BAD_TXN || err == MDB_BAD_VALSIZE;
}

static void run_each(struct embedded *e, struct hg_queue_op *const *ops, size_t count)
{
    bool has_given_up = false;
    int err = 0;

    for (size_t i = 0; i < count; i++) {
        if (!has_given_up)
            err = transact(e, &ops[i], 1, 0);
        if (!err) {
            end_stored(e, &ops[i], 1);
            continue;
        }
        end_failed(ops[i], err);
        if (has_given_up || embedded_is_lack_of_room(err) || is_of_one_event(err))
            continue;
        has_given_up = true;
        become_faulty(e, err);
    }
}

/* Without room, what was accepted before comes first: all together, or what fits of it. */
static void run_tight(struct embedded *e, struct hg_queue_op *const *ops, size_t count)
{
    if (!count)
        return;
    if (transact(e, ops, count, 0) == 0) {
        end_stored(e, ops, count);
        return;
    }
    e->forgets = true;
    run_each(e, ops, count);
    e->forgets = false;
}

/* Ends puts with err; the others move up. Returns how many they are. */
static size_t refuse_puts(struct hg_queue_op **ops, size_t count, int err)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kind_of(ops[i])->is_put)
            end_failed(ops[i], err);
        else
            ops[kept++] = ops[i];
    }
    return kept;
}

static void run_ops(struct embedded *e, struct hg_queue_op **ops, size_t count)
{
    int err;

    if (e->is_full) {
        count = refuse_puts(ops, count, e->is_map_full ? MDB_MAP_FULL : ENOSPC);
        run_tight(e, ops, count);
        return;
    }
    err = transact(e, ops, count, SWEEP_LEAST + 2 * (unsigned)count);
    if (!err) {
        end_stored(e, ops, count);
    } else if (embedded_is_lack_of_room(err)) {
        become_full(e, err);
        run_tight(e, ops, refuse_puts(ops, count, err));
    } else {
        run_each(e, ops, count);
    }
}

/* What fits one transaction, of what waits. */
static void run_batch(struct embedded *e)
{
    struct hg_queue_op *ops[BATCH_MAX];
    struct hg_list *link;
    size_t count = 0;
    uint64_t bytes = 0;

    while (count < BATCH_MAX && bytes < BATCH_BYTES_MAX && (link = hg_list_pop_front(&e->batch))) {
        ops[count] = hg_container_of(link, struct hg_queue_op, link);
        bytes += kind_of(ops[count])->bytes(ops[count]);
        count++;
    }
    if (count)
        run_ops(e, ops, count);
}

static void on_turn_ended(struct hg_task *task)
{
    struct embedded *e = hg_container_of(task, struct embedded, turn);

    run_batch(e);
    /* Behind the ends of this batch, which go home first. */
    if (!hg_list_empty(&e->batch))
        hg_loop_defer(e->queue->loop, task);
    embedded_gauge(e);
    embedded_trim(e);
}

static void gather(struct hg_queue *queue, struct hg_queue_op *op, const struct kind *kind)
{
    struct embedded *e = queue->engine;

    op->engine = (void *)(uintptr_t)kind;
    hg_list_push_back(&e->batch, &op->link);
    hg_loop_defer(queue->loop, &e->turn);
}

static void gather_put(struct hg_queue *queue, struct hg_put_op *op)
{
    gather(queue, &op->base, &kind_put);
}

static void gather_settle(struct hg_queue *queue, struct hg_settle_op *op)
{
    gather(queue, &op->base, &kind_settle);
}

static void gather_change(struct hg_queue *queue, struct hg_change_op *op)
{
    gather(queue, &op->base, &kind_change);
}

static void lease(struct hg_queue *queue, struct hg_lease_op *op)
{
    struct embedded *e = queue->engine;

    embedded_serve_lease(e, op);
    hg_loop_defer(queue->loop, &e->turn);
}

static void find(struct hg_queue *queue, struct hg_find_op *op)
{
    struct embedded *e = queue->engine;

    embedded_find_op(e, op);
    hg_loop_defer(queue->loop, &e->turn);
}

static void on_again(struct hg_timer *timer)
{
    struct embedded *e = hg_container_of(timer, struct embedded, again);

    embedded_finds_continue(e);
    embedded_trim(e);
}

/* Whether new events can be taken again. */
static void look_for_room(struct embedded *e)
{
    embedded_make_roomy(e, false);
    embedded_reserve_make(e->folder);
    if (embedded_reserve_is_there(e->folder) && embedded_has_room(e)) {
        e->is_full = e->is_map_full = false;
        queue_set_up(e->queue);
        return;
    }
    if (!e->is_map_full)
        embedded_reserve_give(e->folder);
    embedded_make_roomy(e, true);
}

/* Whether the store takes an empty transaction again. */
static void look_for_health(struct embedded *e)
{
    if (transact(e, NULL, 0, 0) != 0)
        return;
    e->is_faulty = false;
    queue_set_up(e->queue);
}

/* A little at a time, so that nobody waits for it. */
static void on_sweep(struct hg_timer *timer)
{
    struct embedded *e = hg_container_of(timer, struct embedded, sweeper);
    int err;

    if (!embedded_wants_sweep(e))
        return;
    err = transact(e, NULL, 0, SWEEP_IDLE);
    if (err)
        hg_error("queue_sweep_failed", "store=%s finished events stay: %s", e->file,
                 embedded_error_text(err));
    else
        hg_timer_start_ms(timer, SWEEP_PAUSE_MS);
    embedded_gauge(e);
}

static void on_tick(struct hg_timer *timer)
{
    struct embedded *e = hg_container_of(timer, struct embedded, tick);

    if (!hg_timer_is_running(&e->sweeper))
        on_sweep(&e->sweeper);
    if (e->is_full)
        look_for_room(e);
    if (e->is_faulty)
        look_for_health(e);
    embedded_lanes_tidy(e);
    embedded_gauge(e);
    embedded_gauge_oldest(e);
    embedded_trim(e);
    hg_timer_start_ms(&e->tick, TICK_MS);
}

static enum hg_rc check(const struct hg_queue_options *options, struct hg_error *err)
{
    if (strcmp(options->uri, "embedded:") != 0)
        return hg_error_set(err, HG_E_INVALID,
                            "queue: \"%s\": write \"embedded:\"; it is kept in the data directory",
                            options->uri);
    for (size_t i = 0; i < options->extra.count; i++)
        if (hg_str_starts(options->extra.items[i].key, HG_STR("embedded.")))
            return hg_error_set(err, HG_E_INVALID, "%.*s: the embedded queue has no such option",
                                HG_STR_ARG(options->extra.items[i].key));
    return HG_OK;
}

static void free_engine(struct embedded *e)
{
    embedded_leases_free(e);
    embedded_lanes_free(e);
    embedded_store_close(e);
    hg_buf_fini(&e->scratch);
    free(e->arrivals);
    free(e->folder);
    free(e->file);
    free(e);
}

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = hg_malloc(size);

    (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

static enum hg_rc open_engine(struct hg_queue *queue, struct hg_error *err)
{
    struct embedded *e = hg_calloc(1, sizeof(*e));
    enum hg_rc rc;

    e->queue = queue;
    e->folder = join(queue->options.data_dir, "queue");
    e->file = join(e->folder, "data.mdb");
    e->lock_fd = e->statm_fd = -1;
    hg_buf_init(&e->scratch, CODE_MAX);
    hg_map_init(&e->lanes);
    hg_map_init(&e->leases);
    hg_list_init(&e->batch);
    hg_list_init(&e->finds);
    hg_task_init(&e->turn, on_turn_ended);
    hg_timer_init(&e->again, queue->loop, on_again);
    hg_timer_init(&e->tick, queue->loop, on_tick);
    hg_timer_init(&e->sweeper, queue->loop, on_sweep);
    rc = embedded_store_open(e, err);
    if (rc != HG_OK) {
        free_engine(e);
        return rc;
    }
    queue->engine = e;
    /* It took the room that is held back to open it: new events must wait. */
    if (e->is_roomy)
        become_full(e, e->is_map_full ? MDB_MAP_FULL : ENOSPC);
    else
        embedded_reserve_make(e->folder);
    embedded_gauge(e);
    embedded_gauge_oldest(e);
    hg_timer_start_ms(&e->tick, TICK_MS);
    return HG_OK;
}

static void close_engine(struct hg_queue *queue)
{
    struct embedded *e = queue->engine;

    hg_timer_stop(&e->tick);
    hg_timer_stop(&e->sweeper);
    hg_timer_stop(&e->again);
    hg_task_cancel(&e->turn);
    while (!hg_list_empty(&e->batch))
        run_batch(e);
    embedded_finds_end(e);
    free_engine(e);
}

const struct hg_queue_ops hg_queue_embedded_ops = {
    .scheme = "embedded",
    .check = check,
    .open = open_engine,
    .put = gather_put,
    .lease = lease,
    .settle = gather_settle,
    .find = find,
    .change = gather_change,
    .close = close_engine,
};
