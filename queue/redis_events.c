/*
 * Put, lease and settle: one script each, pipelined.
 */
#include "queue/redis_engine.h"

#include "core/clock.h"
#include "core/crash_point.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEASE_BYTES = 8 << 20, /* payloads and results of one answer, but for the last one */
    LEASE_MOST = 1000,
    EVENT_OVERHEAD = 512, /* bytes that a finished event takes besides its own, roughly */
};

struct timed_request {
    struct redis_request request;
    int64_t sent_us;
};

static struct timed_request *new_request(struct redis_lane *lane, struct hg_queue_op *op,
                                         void (*finish)(struct redis_request *request))
{
    struct redis_engine *engine = lane->function->engine;
    struct timed_request *timed = redis_request_new(engine, sizeof(*timed), op, finish);

    timed->request.function = lane->function;
    timed->request.lane = lane;
    timed->sent_us = hg_mono_us();
    return timed;
}

/* What is answered in one turn went through the server, and to its disk, together. */
static void on_committed(struct hg_task *task)
{
    struct redis_engine *engine = hg_container_of(task, struct redis_engine, commit_task);

    queue_note_commit(engine->queue, engine->committed, engine->commit_us);
    engine->committed = 0;
    engine->commit_us = 0;
}

void redis_events_init(struct redis_engine *engine)
{
    hg_task_init(&engine->commit_task, on_committed);
}

static void note_commit(struct redis_request *request)
{
    struct timed_request *timed = hg_container_of(request, struct timed_request, request);
    struct redis_engine *engine = request->engine;

    engine->committed++;
    engine->commit_us = HG_MAX(engine->commit_us, hg_mono_us() - timed->sent_us);
    hg_loop_defer(engine->queue->loop, &engine->commit_task);
}

/* Put. */

static void on_put(struct redis_request *request)
{
    struct hg_put_op *op = hg_container_of(request->queue_op, struct hg_put_op, base);
    struct redis_engine *engine = request->engine;
    struct hg_str known = hg_redis_str(request->op.reply);
    int64_t due_ms = op->event->due_ms + engine->skew_ms;

    if (request->op.rc != HG_OK) {
        redis_end_failed(request);
        return;
    }
    hg_crash_point("after-commit");
    note_commit(request);
    if (known.n == HG_UUID_LEN) {
        op->was_known = true;
        memcpy(op->event->id, known.p, HG_UUID_LEN);
    } else if (due_ms > redis_now_ms(engine)) {
        redis_note_due(request->function, due_ms);
    } else {
        redis_note_ready(request->lane);
    }
    queue_op_end(&op->base, HG_OK, NULL);
    redis_request_free(request);
}

static void send_put(struct redis_function *function, struct hg_put_op *op)
{
    struct redis_engine *engine = function->engine;
    struct hg_event *event = op->event;
    struct redis_lane *lane = redis_lane_of(function, hg_str_of(hg_event_channel(event)));
    struct hg_redis_command *command = redis_command(engine, REDIS_PUT, function);
    struct hg_buf life;

    redis_encode(engine, event, &life);
    hg_redis_arg_cstr(command, event->id);
    hg_redis_arg_i64(command, event->accepted_ms + engine->skew_ms);
    hg_redis_arg_i64(command, event->due_ms + engine->skew_ms);
    hg_redis_arg_i64(command, redis_now_ms(engine));
    hg_redis_arg(command, hg_buf_str(&life));
    hg_redis_arg(command, hg_blob_str(event->payload));
    hg_redis_arg_cstr(command, event->dedup);
    hg_redis_arg_i64(command, HG_MAX(engine->queue->options.dedup_window_ms, (int64_t)1));
    hg_redis_arg_cstr(command, lane->channel);
    hg_buf_fini(&life);
    hg_redis_command_replicate(command);
    redis_submit(&new_request(lane, &op->base, on_put)->request, command);
}

/* Its first event: others learn of the function from {prefix}:functions, which must have it before the event counts. */
static void on_announced(struct redis_request *request)
{
    struct redis_function *function = request->function;
    struct hg_list puts, *link;

    function->announced = request->op.rc == HG_OK ? REDIS_ANNOUNCED : REDIS_UNKNOWN;
    hg_list_init(&puts);
    hg_list_move_all(&function->unannounced, &puts);
    while ((link = hg_list_pop_front(&puts))) {
        struct hg_queue_op *op = hg_container_of(link, struct hg_queue_op, link);

        if (request->op.rc == HG_OK)
            send_put(function, hg_container_of(op, struct hg_put_op, base));
        else
            queue_op_end(op, request->op.rc, "%s", request->op.why);
    }
    redis_end_failed(request);
}

static void announce(struct redis_function *function)
{
    struct redis_engine *engine = function->engine;
    struct hg_redis_command *command = hg_redis_command("SADD");
    char key[HG_REDIS_TAG_MAX + 16];
    struct redis_request *request = redis_request_new(engine, sizeof(*request), NULL, on_announced);

    function->announced = REDIS_ANNOUNCING;
    request->function = function;
    (void)snprintf(key, sizeof(key), "%s:functions", engine->tag);
    hg_redis_key(command, hg_str_of(key));
    hg_redis_arg_cstr(command, function->name);
    hg_redis_command_replicate(command);
    redis_submit(request, command);
}

void redis_put(struct hg_queue *queue, struct hg_put_op *op)
{
    struct redis_engine *engine = queue->engine;
    struct redis_function *function;

    if (!redis_is_there(engine, &op->base))
        return;
    function = redis_function_of(engine, hg_str_of(op->event->function));
    if (function->announced == REDIS_ANNOUNCED) {
        send_put(function, op);
        return;
    }
    hg_list_push_back(&function->unannounced, &op->base.link);
    if (function->announced == REDIS_UNKNOWN)
        announce(function);
}

/* Lease. */

static struct hg_blob *blob_of(const struct redisReply *reply)
{
    struct hg_str bytes = hg_redis_str(reply);

    return hg_redis_is_nil(reply) ? NULL : hg_blob_new(bytes.p, bytes.n);
}

static void take_event(struct redis_lane *lane, struct hg_lease_op *op,
                       const struct redisReply *found)
{
    struct redis_engine *engine = lane->function->engine;
    struct hg_str entry = hg_redis_str(hg_redis_at(found, 0));
    struct hg_event *event = redis_decode(engine, hg_redis_str(hg_redis_at(found, 1)));
    int64_t lost = hg_redis_int(hg_redis_at(found, 4));
    struct redis_lease *lease;

    /* What another version wrote stays leased until this node ends: then one that reads it may have it. */
    if (!event || entry.n >= HG_REDIS_ENTRY_MAX) {
        hg_event_free(event);
        return;
    }
    lease = hg_calloc(1, sizeof(*lease));
    lease->lane = lane;
    memcpy(lease->entry, entry.p, entry.n);
    event->payload = blob_of(hg_redis_at(found, 2));
    event->result = blob_of(hg_redis_at(found, 3));
    lease->result = event->result ? hg_blob_ref(event->result) : NULL;
    if (lost > 0) {
        event->deliveries += (unsigned)lost;
        (void)atomic_fetch_add(&engine->queue->gauges.redelivered, 1);
    }
    event->lease = lease;
    hg_list_push_back(&lane->held, &lease->link);
    hg_list_push_back(&op->events, &event->link);
    op->got++;
}

static void on_lease(struct redis_request *request)
{
    struct hg_lease_op *op = hg_container_of(request->queue_op, struct hg_lease_op, base);
    const struct redisReply *found = hg_redis_at(request->op.reply, 0);
    struct redis_lane *lane = request->lane;

    lane->leasing--;
    if (request->op.rc != HG_OK) {
        lane->has_unknown = lane->has_unknown || request->op.was_sent;
        redis_end_failed(request);
        return;
    }
    for (size_t i = 0; i < hg_redis_count(found); i++)
        take_event(lane, op, hg_redis_at(found, i));
    if (op->got)
        hg_crash_point("after-lease");
    if (hg_redis_int(hg_redis_at(request->op.reply, 1)) && op->got < op->max)
        redis_note_ready(lane);
    queue_op_end(&op->base, HG_OK, NULL);
    redis_request_free(request);
}

void redis_lease(struct hg_queue *queue, struct hg_lease_op *op)
{
    struct redis_engine *engine = queue->engine;
    struct hg_redis_command *command;
    struct redis_lane *lane;

    if (!redis_is_there(engine, &op->base))
        return;
    lane =
        redis_lane_of(redis_function_of(engine, hg_str_of(op->function)), hg_str_of(op->channel));
    if (lane->has_unknown && !lane->leasing)
        redis_reclaim(lane, engine->node);
    lane->leasing++;
    command = redis_command(engine, REDIS_LEASE, lane->function);
    hg_redis_arg_cstr(command, lane->channel);
    hg_redis_arg_cstr(command, engine->node);
    hg_redis_arg_i64(command, HG_MIN(op->max, (unsigned)LEASE_MOST));
    hg_redis_arg_i64(command, LEASE_BYTES);
    redis_submit(&new_request(lane, &op->base, on_lease)->request, command);
}

/* Settle. */

static void drop_lease(struct hg_event *event)
{
    struct redis_lease *lease = event->lease;

    hg_list_unlink(&lease->link);
    hg_blob_unref(lease->result);
    free(lease);
    event->lease = NULL;
}

static void on_settled(struct redis_request *request)
{
    struct hg_settle_op *op = hg_container_of(request->queue_op, struct hg_settle_op, base);
    struct redis_engine *engine = request->engine;
    struct hg_event *event = op->event;
    struct redis_lease *lease = event->lease;
    int64_t due_ms = event->due_ms + engine->skew_ms;

    if (request->op.rc != HG_OK) {
        lease->may_be_settled = lease->may_be_settled || request->op.was_sent;
        redis_end_failed(request);
        return;
    }
    hg_crash_point("mid-settle");
    note_commit(request);
    if (hg_redis_int(request->op.reply) == 0) {
        /* Given to another node, because this one was not heard of for too long: that one says how it ends. */
        if (!lease->may_be_settled)
            hg_warn("redis_lease_gone", "id=%s another node has taken it over", event->id);
    } else if (op->verdict == HG_REQUEUE) {
        struct hg_str channel = hg_str_of(hg_event_channel(event));

        if (due_ms > redis_now_ms(engine))
            redis_note_due(request->function, due_ms);
        else
            redis_note_ready(redis_lane_of(request->function, channel));
    }
    drop_lease(event);
    queue_op_end(&op->base, HG_OK, NULL);
    redis_request_free(request);
}

static void add_result(struct hg_redis_command *command, const struct hg_event *event)
{
    const struct redis_lease *lease = event->lease;

    /* Blobs never change: the same one is what is stored. */
    if (event->result == lease->result)
        hg_redis_arg_cstr(command, "=");
    else
        hg_redis_arg_cstr(command, event->result ? "+" : "-");
    hg_redis_arg(command,
                 event->result == lease->result ? hg_str_n("", 0) : hg_blob_str(event->result));
}

static const char *state_after(const struct hg_settle_op *op)
{
    switch (op->verdict) {
    case HG_FINISH:
        return "f";
    case HG_BURY:
        return "x";
    case HG_REQUEUE:
        break;
    }
    return op->event->state == HG_EVENT_QUEUED ? "q" : "r";
}

/* This function's part of what the history may take: all of it, until all functions together have more. */
static int64_t history_of(const struct redis_function *function)
{
    const struct redis_engine *engine = function->engine;
    uint64_t max = engine->queue->options.history_max, total = engine->history_bytes;

    if (total <= max || !total)
        return (int64_t)HG_MIN(max, (uint64_t)INT64_MAX);
    return (int64_t)((double)max * ((double)function->finished_bytes / (double)total));
}

void redis_add_history(struct hg_redis_command *command, const struct redis_function *function)
{
    const struct redis_engine *engine = function->engine;

    hg_redis_arg_i64(command, redis_now_ms(engine) - engine->queue->options.retention_ms);
    hg_redis_arg_i64(command, history_of(function));
}

void redis_settle(struct hg_queue *queue, struct hg_settle_op *op)
{
    struct redis_engine *engine = queue->engine;
    struct hg_event *event = op->event;
    struct redis_lease *lease = event->lease;
    struct redis_lane *lane = lease->lane;
    struct hg_redis_command *command;
    struct hg_buf life;

    if (!redis_is_there(engine, &op->base))
        return;
    redis_encode(engine, event, &life);
    command = redis_command(engine, REDIS_SETTLE, lane->function);
    hg_redis_arg_cstr(command, lane->channel);
    hg_redis_arg_cstr(command, lease->entry);
    hg_redis_arg_cstr(command, event->id);
    hg_redis_arg_cstr(command, state_after(op));
    hg_redis_arg(command, hg_buf_str(&life));
    add_result(command, event);
    hg_redis_arg_cstr(command, hg_event_channel(event));
    hg_redis_arg_i64(command, event->due_ms + engine->skew_ms);
    hg_redis_arg_i64(command, redis_now_ms(engine));
    hg_redis_arg_i64(command, event->accepted_ms + engine->skew_ms);
    hg_redis_arg_i64(command,
                     (event->finished_ms ? event->finished_ms : hg_steady_ms()) + engine->skew_ms);
    hg_redis_arg_i64(command, (int64_t)(life.len + hg_blob_str(event->payload).n +
                                        hg_blob_str(event->result).n + EVENT_OVERHEAD));
    redis_add_history(command, lane->function);
    hg_buf_fini(&life);
    hg_redis_command_replicate(command);
    redis_submit(&new_request(lane, &op->base, on_settled)->request, command);
}
