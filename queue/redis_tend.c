/*
 * What nobody asks for: due events are moved into their lanes, old history is
 * forgotten, gauges are read, and leases of dead nodes are given back.
 *
 * Each function is tended when its next event is due, as far as this node
 * knows, and once in a poll besides: for what other nodes left behind. A node
 * is dead when its beats have stood still for redis.lease-timeout, by the
 * clock of a node that was itself connected and awake all that time.
 */
#include "queue/redis_engine.h"

#include "core/clock.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 1000,
    POLL_FUNCTION_US =
        2000,               /* a poll takes at least this for each function: 500 scripts a second */
    MOVE_MOST = 500,        /* in one script: a few milliseconds of the server's time */
    FORGET_PEER_AFTER = 10, /* lease time-outs */
    DUE_LONGEST_MS = 3600000,
};

/* Peers. */

static struct redis_peer *peer_of(struct redis_engine *engine, struct hg_str name)
{
    struct redis_peer *peer;

    HG_LIST_EACH(link, &engine->peers)
    {
        peer = hg_container_of(link, struct redis_peer, link);
        if (hg_str_is(name, peer->name))
            return peer;
    }
    peer = hg_calloc(1, sizeof(*peer));
    (void)snprintf(peer->name, sizeof(peer->name), "%.*s", HG_STR_ARG(name));
    peer->beats = -1;
    peer->since_us = hg_mono_us();
    hg_list_push_back(&engine->peers, &peer->link);
    return peer;
}

static bool is_silent(const struct redis_engine *engine, const struct redis_peer *peer, int factor)
{
    return hg_mono_us() - peer->since_us > engine->settings.lease_timeout_ms * 1000 * factor;
}

/* What this node did not see, because it was not connected or was stopped, proves nothing. */
static void look_anew(struct redis_engine *engine)
{
    HG_LIST_EACH(link, &engine->peers)
    hg_container_of(link, struct redis_peer, link)->since_us = hg_mono_us();
    engine->beat_us = hg_mono_us();
}

static void on_forgotten(struct redis_request *request)
{
    redis_request_free(request);
}

static void forget(struct redis_engine *engine, struct redis_peer *peer)
{
    char key[HG_REDIS_TAG_MAX + 16];
    struct hg_redis_command *command = hg_redis_command("HDEL");

    (void)snprintf(key, sizeof(key), "%s:nodes", engine->tag);
    hg_redis_key(command, hg_str_of(key));
    hg_redis_arg_cstr(command, peer->name);
    redis_submit(redis_request_new(engine, sizeof(struct redis_request), NULL, on_forgotten),
                 command);
    hg_list_unlink(&peer->link);
    free(peer);
}

void redis_note_beats(struct redis_engine *engine, const struct redisReply *nodes)
{
    int64_t now_us = hg_mono_us();
    unsigned alive = 1;

    if (now_us - engine->beat_us > engine->settings.lease_timeout_ms * 1000 / 2)
        look_anew(engine);
    engine->beat_us = now_us;
    for (size_t i = 0; i + 1 < hg_redis_count(nodes); i += 2) {
        struct hg_str name = hg_redis_str(hg_redis_at(nodes, i));
        int64_t beats = hg_redis_int(hg_redis_at(nodes, i + 1));
        struct redis_peer *peer;

        if (name.n != HG_UUID_LEN || hg_str_is(name, engine->node))
            continue;
        peer = peer_of(engine, name);
        if (peer->beats != beats)
            peer->since_us = now_us;
        peer->beats = beats;
    }
    HG_LIST_EACH(link, &engine->peers)
    {
        struct redis_peer *peer = hg_container_of(link, struct redis_peer, link);

        if (is_silent(engine, peer, FORGET_PEER_AFTER))
            forget(engine, peer);
        else if (!is_silent(engine, peer, 1))
            alive++;
    }
    engine->node_count = alive;
}

/* Reclaim. */

struct reclaim {
    struct redis_request request;
    bool is_own;
    char consumer[HG_UUID_LEN + 1];
};

static void on_reclaimed(struct redis_request *request)
{
    struct reclaim *reclaim = hg_container_of(request, struct reclaim, request);
    int64_t count = hg_redis_int(request->op.reply);

    if (request->op.rc != HG_OK && reclaim->is_own)
        request->lane->has_unknown = true;
    if (count > 0) {
        hg_info("redis_leases_back", "function=%s count=%lld node=%s", request->function->name,
                (long long)count, reclaim->is_own ? "this one" : reclaim->consumer);
        redis_note_ready(request->lane);
    }
    redis_request_free(request);
}

void redis_reclaim(struct redis_lane *lane, const char *consumer)
{
    struct redis_function *function = lane->function;
    struct redis_engine *engine = function->engine;
    struct reclaim *reclaim = redis_request_new(engine, sizeof(*reclaim), NULL, on_reclaimed);
    struct hg_redis_command *command = redis_command(engine, REDIS_RECLAIM, function);

    reclaim->request.function = function;
    reclaim->request.lane = lane;
    reclaim->is_own = strcmp(consumer, engine->node) == 0;
    (void)snprintf(reclaim->consumer, sizeof(reclaim->consumer), "%s", consumer);
    hg_redis_arg_cstr(command, lane->channel);
    hg_redis_arg_cstr(command, consumer);
    if (reclaim->is_own) {
        lane->has_unknown = false;
        HG_LIST_EACH(link, &lane->held)
        hg_redis_arg_cstr(command, hg_container_of(link, struct redis_lease, link)->entry);
    }
    redis_submit(&reclaim->request, command);
}

static void look_at_holder(struct redis_lane *lane, struct hg_str name)
{
    struct redis_engine *engine = lane->function->engine;
    const struct redis_peer *peer;

    if (name.n != HG_UUID_LEN)
        return;
    if (hg_str_is(name, engine->node)) {
        if (lane->has_unknown && !lane->leasing)
            redis_reclaim(lane, engine->node);
        return;
    }
    /* This directory's former process: it is dead, or it would still have the lock. */
    if (hg_str_is(name, engine->former)) {
        redis_reclaim(lane, engine->former);
        return;
    }
    peer = peer_of(engine, name);
    if (is_silent(engine, peer, 1))
        redis_reclaim(lane, peer->name);
}

/* Tending. */

static void take_lanes(struct redis_function *function, const struct redisReply *lanes)
{
    for (size_t i = 0; i < hg_redis_count(lanes); i++) {
        const struct redisReply *found = hg_redis_at(lanes, i);
        const struct redisReply *holders = hg_redis_at(found, 2);
        struct hg_str channel = hg_redis_str(hg_redis_at(found, 0));
        struct redis_lane *lane;

        if (channel.n > HG_EVENT_TARGET_MAX)
            continue;
        lane = redis_lane_of(function, channel);
        if (hg_redis_int(hg_redis_at(found, 1)) > 0)
            queue_lane_ready(function->engine->queue, function->name, lane->channel);
        for (size_t k = 0; k < hg_redis_count(holders); k++)
            look_at_holder(lane, hg_redis_str(hg_redis_at(holders, k)));
    }
}

static void plan(struct redis_engine *engine)
{
    int64_t next_ms = 0, wait_ms;

    HG_LIST_EACH(link, &engine->functions)
    {
        const struct redis_function *function = hg_container_of(link, struct redis_function, link);

        if (function->next_due_ms && !function->is_tending &&
            (!next_ms || function->next_due_ms < next_ms))
            next_ms = function->next_due_ms;
    }
    if (!next_ms)
        return;
    wait_ms = next_ms - redis_now_ms(engine);
    hg_timer_start_ms(&engine->due_timer,
                      HG_MIN(HG_MAX(wait_ms, (int64_t)1), (int64_t)DUE_LONGEST_MS));
}

static void on_tended(struct redis_request *request)
{
    enum { NEXT, MOVED, QUEUED, RETRYING, LEASED, FINISHED, DEAD, OLDEST, BYTES, LANES };
    struct redis_function *function = request->function;
    struct redis_engine *engine = request->engine;
    const struct redisReply *reply = request->op.reply;
    bool again = function->tends_again;

    function->is_tending = function->tends_again = false;
    if (request->op.rc != HG_OK) {
        /* The next poll tries again. */
        redis_end_failed(request);
        return;
    }
    function->next_due_ms = hg_redis_int(hg_redis_at(reply, NEXT));
    function->states[HG_EVENT_QUEUED] = (uint64_t)hg_redis_int(hg_redis_at(reply, QUEUED));
    function->states[HG_EVENT_RETRYING] = (uint64_t)hg_redis_int(hg_redis_at(reply, RETRYING));
    function->states[HG_EVENT_RUNNING] = (uint64_t)hg_redis_int(hg_redis_at(reply, LEASED));
    function->states[HG_EVENT_DELIVERED] = (uint64_t)hg_redis_int(hg_redis_at(reply, FINISHED));
    function->states[HG_EVENT_DEAD] = (uint64_t)hg_redis_int(hg_redis_at(reply, DEAD));
    function->oldest_ms = hg_redis_int(hg_redis_at(reply, OLDEST));
    function->finished_bytes = (uint64_t)hg_redis_int(hg_redis_at(reply, BYTES));
    take_lanes(function, hg_redis_at(reply, LANES));
    redis_request_free(request);
    if (again || (function->next_due_ms && function->next_due_ms <= redis_now_ms(engine)))
        redis_tend(function);
    else
        plan(engine);
}

void redis_tend(struct redis_function *function)
{
    struct redis_engine *engine = function->engine;
    struct redis_request *request;
    struct hg_redis_command *command;

    if (!engine->is_live)
        return;
    if (function->is_tending) {
        function->tends_again = true;
        return;
    }
    function->is_tending = true;
    request = redis_request_new(engine, sizeof(*request), NULL, on_tended);
    request->function = function;
    command = redis_command(engine, REDIS_TEND, function);
    hg_redis_arg_i64(command, redis_now_ms(engine));
    hg_redis_arg_i64(command, MOVE_MOST);
    redis_add_history(command, function);
    redis_submit(request, command);
}

void redis_note_due(struct redis_function *function, int64_t due_ms)
{
    struct redis_engine *engine = function->engine;

    if (function->next_due_ms && function->next_due_ms <= due_ms)
        return;
    function->next_due_ms = due_ms;
    plan(engine);
}

void redis_note_ready(struct redis_lane *lane)
{
    queue_lane_ready(lane->function->engine->queue, lane->function->name, lane->channel);
    redis_wake_others(lane);
}

static void on_due_timer(struct hg_timer *timer)
{
    struct redis_engine *engine = hg_container_of(timer, struct redis_engine, due_timer);
    int64_t now_ms = redis_now_ms(engine);

    HG_LIST_EACH(link, &engine->functions)
    {
        struct redis_function *function = hg_container_of(link, struct redis_function, link);

        if (function->next_due_ms && function->next_due_ms <= now_ms)
            redis_tend(function);
    }
    plan(engine);
}

static void sum_gauges(struct redis_engine *engine)
{
    uint64_t states[HG_EVENT_STATE_COUNT] = {0}, history = 0;
    struct hg_queue_gauges *gauges = &engine->queue->gauges;
    int64_t oldest_ms = 0;

    HG_LIST_EACH(link, &engine->functions)
    {
        const struct redis_function *function = hg_container_of(link, struct redis_function, link);

        for (size_t i = 0; i < HG_EVENT_STATE_COUNT; i++)
            states[i] += function->states[i];
        history += function->finished_bytes;
        if (function->oldest_ms && (!oldest_ms || function->oldest_ms < oldest_ms))
            oldest_ms = function->oldest_ms;
    }
    for (size_t i = 0; i < HG_EVENT_STATE_COUNT; i++)
        atomic_store(&gauges->states[i], states[i]);
    atomic_store(&gauges->oldest_ms, oldest_ms ? oldest_ms - engine->skew_ms : 0);
    engine->history_bytes = history;
}

static void poll_all(struct redis_engine *engine)
{
    int64_t pause_us = (int64_t)POLL_MS * 1000;

    /* What the last poll brought. */
    sum_gauges(engine);
    HG_LIST_EACH(link, &engine->functions)
    redis_tend(hg_container_of(link, struct redis_function, link));
    pause_us = HG_MAX(pause_us, (int64_t)(engine->by_name.count * POLL_FUNCTION_US));
    hg_timer_start_us(&engine->poll_timer, pause_us);
}

static void on_poll_timer(struct hg_timer *timer)
{
    poll_all(hg_container_of(timer, struct redis_engine, poll_timer));
}

void redis_tend_init(struct redis_engine *engine)
{
    hg_timer_init(&engine->poll_timer, engine->queue->loop, on_poll_timer);
    hg_timer_init(&engine->due_timer, engine->queue->loop, on_due_timer);
}

void redis_tend_start(struct redis_engine *engine)
{
    look_anew(engine);
    poll_all(engine);
}

void redis_tend_stop(struct redis_engine *engine)
{
    hg_timer_stop(&engine->poll_timer);
    hg_timer_stop(&engine->due_timer);
}
