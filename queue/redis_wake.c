/*
 * Tells other nodes which lanes have something due: a short stream that every
 * node reads with a blocking command on a connection of its own. Only a hint
 * for low latency, at most one for a lane every few milliseconds and none
 * while this node is alone; what is missed, the next poll finds.
 */
#include "queue/redis_engine.h"

#include <stdio.h>
#include <string.h>

enum {
    GATHER_MS = 4,   /* hints of so long go out together */
    KEPT = 1000,     /* entries of the stream, roughly */
    BLOCK_MS = 5000, /* of one read */
    RETRY_MS = 1000,
};

static void read_on(struct redis_engine *engine);

static void wake_key(const struct redis_engine *engine, char key[HG_REDIS_TAG_MAX + 8])
{
    (void)snprintf(key, HG_REDIS_TAG_MAX + 8, "%s:wake", engine->tag);
}

/* Sending. */

static void on_told(struct redis_request *request)
{
    redis_request_free(request);
}

static void tell(struct redis_engine *engine, const char *function, const char *channel)
{
    struct hg_redis_command *command = hg_redis_command("XADD");
    char key[HG_REDIS_TAG_MAX + 8];

    wake_key(engine, key);
    hg_redis_key(command, hg_str_of(key));
    hg_redis_arg_cstr(command, "MAXLEN");
    hg_redis_arg_cstr(command, "~");
    hg_redis_arg_i64(command, KEPT);
    hg_redis_arg_cstr(command, "*");
    hg_redis_arg_cstr(command, "n");
    hg_redis_arg_cstr(command, engine->node);
    hg_redis_arg_cstr(command, "f");
    hg_redis_arg_cstr(command, function);
    hg_redis_arg_cstr(command, "c");
    hg_redis_arg_cstr(command, channel);
    redis_submit(redis_request_new(engine, sizeof(struct redis_request), NULL, on_told), command);
}

static void on_wake_timer(struct hg_timer *timer)
{
    struct redis_engine *engine = hg_container_of(timer, struct redis_engine, wake_timer);
    struct hg_list *link;

    while ((link = hg_list_pop_front(&engine->wakes))) {
        const struct redis_lane *lane = hg_container_of(link, struct redis_lane, wakes);

        if (engine->is_live)
            tell(engine, lane->function->name, lane->channel);
    }
}

void redis_wake_others(struct redis_lane *lane)
{
    struct redis_engine *engine = lane->function->engine;

    if (engine->node_count < 2 || !hg_list_empty(&lane->wakes))
        return;
    hg_list_push_back(&engine->wakes, &lane->wakes);
    if (!hg_timer_is_running(&engine->wake_timer))
        hg_timer_start_ms(&engine->wake_timer, GATHER_MS);
}

/* Reading. */

static void take_hint(struct redis_engine *engine, const struct redisReply *entry)
{
    const struct redisReply *fields = hg_redis_at(entry, 1);
    struct hg_str position = hg_redis_str(hg_redis_at(entry, 0));
    struct hg_str function = hg_redis_str(hg_redis_at(fields, 3));
    struct hg_str channel = hg_redis_str(hg_redis_at(fields, 5));

    if (position.n > 0 && position.n < HG_REDIS_ENTRY_MAX)
        (void)snprintf(engine->wake_position, sizeof(engine->wake_position), "%.*s",
                       HG_STR_ARG(position));
    if (hg_str_is(hg_redis_str(hg_redis_at(fields, 1)), engine->node))
        return;
    if (!function.n) {
        /* Another node has come: see who is there. */
        hg_timer_start_ms(&engine->beat_timer, 0);
    } else if (function.n <= HG_EVENT_FUNCTION_MAX && channel.n <= HG_EVENT_TARGET_MAX) {
        struct redis_function *found = redis_function_of(engine, function);

        queue_lane_ready(engine->queue, found->name, redis_lane_of(found, channel)->channel);
    }
}

static void go_on(struct redis_engine *engine)
{
    engine->is_waking = false;
    if (engine->wake_op.rc == HG_OK)
        read_on(engine);
    else
        hg_timer_start_ms(&engine->wake_retry, RETRY_MS);
}

static void on_hints(struct hg_redis_op *op)
{
    struct redis_engine *engine = hg_container_of(op, struct redis_engine, wake_op);
    const struct redisReply *entries = hg_redis_at(hg_redis_at(op->reply, 0), 1);

    for (size_t i = 0; i < hg_redis_count(entries); i++)
        take_hint(engine, hg_redis_at(entries, i));
    go_on(engine);
}

static void on_position(struct hg_redis_op *op)
{
    struct redis_engine *engine = hg_container_of(op, struct redis_engine, wake_op);
    struct hg_str last = hg_redis_str(hg_redis_at(hg_redis_at(op->reply, 0), 0));

    engine->has_wake_position = op->rc == HG_OK;
    (void)snprintf(engine->wake_position, sizeof(engine->wake_position), "%.*s",
                   last.n ? (int)last.n : 3, last.n ? last.p : "0-0");
    go_on(engine);
}

static void read_on(struct redis_engine *engine)
{
    struct hg_redis_command *command;
    char key[HG_REDIS_TAG_MAX + 8];

    if (engine->is_waking || !hg_redis_is_up(engine->waker))
        return;
    engine->is_waking = true;
    wake_key(engine, key);
    if (!engine->has_wake_position) {
        command = hg_redis_command("XREVRANGE");
        hg_redis_key(command, hg_str_of(key));
        hg_redis_arg_cstr(command, "+");
        hg_redis_arg_cstr(command, "-");
        hg_redis_arg_cstr(command, "COUNT");
        hg_redis_arg_i64(command, 1);
        engine->wake_op.done = on_position;
    } else {
        command = hg_redis_command("XREAD");
        hg_redis_arg_cstr(command, "COUNT");
        hg_redis_arg_i64(command, KEPT);
        hg_redis_arg_cstr(command, "BLOCK");
        hg_redis_arg_i64(command, BLOCK_MS);
        hg_redis_arg_cstr(command, "STREAMS");
        hg_redis_key(command, hg_str_of(key));
        hg_redis_arg_cstr(command, engine->wake_position);
        hg_redis_command_timeout(command, BLOCK_MS + engine->settings.timeout_ms);
        engine->wake_op.done = on_hints;
    }
    hg_redis_submit(engine->waker, command, &engine->wake_op);
}

static void on_wake_retry(struct hg_timer *timer)
{
    read_on(hg_container_of(timer, struct redis_engine, wake_retry));
}

static void on_state(void *arg, bool is_up, enum hg_rc rc, const char *why)
{
    struct redis_engine *engine = arg;

    (void)rc;
    (void)why;
    /* Ids of a server that came back without its data may lie before the position. */
    engine->has_wake_position = false;
    if (is_up)
        read_on(engine);
}

void redis_wake_init(struct redis_engine *engine)
{
    hg_timer_init(&engine->wake_timer, engine->queue->loop, on_wake_timer);
    hg_timer_init(&engine->wake_retry, engine->queue->loop, on_wake_retry);
}

void redis_wake_start(struct redis_engine *engine)
{
    struct hg_redis_options options;

    tell(engine, "", "");
    if (engine->waker)
        return;
    redis_client_options(engine, &options);
    options.replicas = 0;
    options.on_state = on_state;
    options.arg = engine;
    /* The same settings have worked before. */
    engine->waker = hg_redis_new(engine->queue->loop, &options, NULL);
}

void redis_wake_stop(struct redis_engine *engine)
{
    hg_timer_stop(&engine->wake_timer);
    hg_timer_stop(&engine->wake_retry);
    hg_redis_free(engine->waker);
    engine->waker = NULL;
    engine->is_waking = false;
}
