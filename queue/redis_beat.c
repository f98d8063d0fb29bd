/*
 * The node's beats: they tell the others that it lives, agree on the clock,
 * and find out whether the server takes new events.
 */
#include "queue/redis_engine.h"

#include "core/clock.h"

#include <stdio.h>

enum {
    BEATS_PER_LEASE = 5, /* within redis.lease-timeout */
    BEAT_DOWN_MS = 500,  /* while the server takes no writes */
};

/* The server answers but refuses writes: no new events until one gets through (try_write). */
void redis_note_refusal(struct redis_engine *engine, const struct hg_redis_op *op)
{
    /* In a cluster the beat goes to one of many nodes and would tell nothing of the others. */
    if (hg_redis_is_cluster(engine->redis) || !engine->is_connected || !op->why[0])
        return;
    queue_set_down(engine->queue, "%s", op->why);
    hg_timer_start_ms(&engine->beat_timer, BEAT_DOWN_MS);
}

static void go_live(struct redis_engine *engine)
{
    engine->is_live = true;
    engine->why[0] = '\0';
    redis_tend_start(engine);
    redis_wake_start(engine);
}

static void on_write_tried(struct redis_request *request)
{
    struct redis_engine *engine = request->engine;

    if (!engine->is_connected) {
        redis_request_free(request);
        return;
    }
    if (request->op.rc == HG_OK) {
        queue_set_up(engine->queue);
    } else {
        queue_set_down(engine->queue, "%s", request->op.why);
        hg_timer_start_ms(&engine->beat_timer, BEAT_DOWN_MS);
    }
    redis_request_free(request);
}

/*
 * Whether new events can be stored: a write of nothing, which is refused as theirs would be. The beat itself gets
 * through when memory is short, so that what is there can be run and give memory back.
 */
static void try_write(struct redis_engine *engine)
{
    struct hg_redis_command *command = hg_redis_command("SETRANGE");
    char key[HG_REDIS_TAG_MAX + 4];

    (void)snprintf(key, sizeof(key), "%s:-", engine->tag);
    hg_redis_key(command, hg_str_of(key));
    hg_redis_arg_i64(command, 0);
    hg_redis_arg_cstr(command, "");
    hg_redis_command_replicate(command);
    redis_submit(redis_request_new(engine, sizeof(struct redis_request), NULL, on_write_tried),
                 command);
}

static void on_beat(struct redis_request *request)
{
    struct redis_engine *engine = request->engine;
    int64_t interval_ms = engine->settings.lease_timeout_ms / BEATS_PER_LEASE;
    int64_t ahead_ms;

    engine->is_beating = false;
    if (request->op.rc != HG_OK) {
        if (engine->is_connected) {
            (void)snprintf(engine->why, sizeof(engine->why), "%s", request->op.why);
            queue_set_down(engine->queue, "%s", request->op.why);
            hg_timer_start_ms(&engine->beat_timer, BEAT_DOWN_MS);
        }
        redis_request_free(request);
        return;
    }
    ahead_ms = hg_redis_int(hg_redis_at(request->op.reply, 0)) - redis_now_ms(engine);
    /* The fastest of the nodes' clocks leads; they differ by parts per million. */
    if (!engine->has_clock || ahead_ms > 0)
        engine->skew_ms += ahead_ms;
    engine->has_clock = true;
    redis_note_beats(engine, hg_redis_at(request->op.reply, 1));
    redis_learn_functions(engine, hg_redis_at(request->op.reply, 2));
    redis_request_free(request);
    if (!engine->is_connected)
        return;
    hg_timer_start_ms(&engine->beat_timer, interval_ms);
    if (!engine->is_live)
        go_live(engine);
    try_write(engine);
}

void redis_beat(struct redis_engine *engine)
{
    struct hg_redis_command *command;

    if (engine->is_beating || !engine->is_connected)
        return;
    engine->is_beating = true;
    command = redis_command(engine, REDIS_BEAT, NULL);
    hg_redis_arg_cstr(command, engine->node);
    if (engine->has_clock)
        hg_redis_arg_i64(command, redis_now_ms(engine));
    else
        hg_redis_arg_cstr(command, "");
    redis_submit(redis_request_new(engine, sizeof(struct redis_request), NULL, on_beat), command);
}

static void on_beat_timer(struct hg_timer *timer)
{
    redis_beat(hg_container_of(timer, struct redis_engine, beat_timer));
}

void redis_beat_init(struct redis_engine *engine)
{
    hg_timer_init(&engine->beat_timer, engine->queue->loop, on_beat_timer);
}
