/*
 * The Redis engine's life: opened, connected and known to be so by its beats,
 * closed; and what its other files stand on: functions and lanes, requests,
 * the clock. What it stores is told in redis_engine.h.
 */
#include "queue/redis_engine.h"

#include "core/clock.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    OPEN_MS = 3000, /* to wait for a server at open */
    CLOSE_MS = 5000,
    LIFE_MAX = 16384,
};

int64_t redis_now_ms(const struct redis_engine *engine)
{
    return hg_steady_ms() + engine->skew_ms;
}

void redis_shift_times(struct hg_event *event, int64_t by_ms)
{
    event->accepted_ms += by_ms;
    event->due_ms += by_ms;
    if (event->finished_ms)
        event->finished_ms += by_ms;
    for (size_t i = 0; i < event->attempt_count; i++)
        event->attempts[i].started_ms += by_ms;
    for (size_t i = 0; i < event->target_count; i++) {
        if (event->targets[i].due_ms)
            event->targets[i].due_ms += by_ms;
        if (event->targets[i].finished_ms)
            event->targets[i].finished_ms += by_ms;
    }
}

void redis_encode(struct redis_engine *engine, struct hg_event *event, struct hg_buf *out)
{
    hg_buf_init(out, LIFE_MAX);
    redis_shift_times(event, engine->skew_ms);
    hg_assert(hg_event_encode(event, out));
    redis_shift_times(event, -engine->skew_ms);
}

struct hg_event *redis_decode(struct redis_engine *engine, struct hg_str life)
{
    struct hg_error err = {""};
    struct hg_event *event = hg_event_decode(life, &err);

    if (event)
        redis_shift_times(event, -engine->skew_ms);
    else
        hg_error("redis_event_unreadable", "%s", err.text);
    return event;
}

struct redis_function *redis_function_of(struct redis_engine *engine, struct hg_str name)
{
    struct redis_function *function = hg_map_get(&engine->by_name, name);

    if (function)
        return function;
    hg_assert(name.n <= HG_EVENT_FUNCTION_MAX);
    function = hg_calloc(1, sizeof(*function));
    function->engine = engine;
    memcpy(function->name, name.p, name.n);
    (void)snprintf(function->tag, sizeof(function->tag), "{%s:%s}", engine->settings.prefix,
                   function->name);
    hg_list_init(&function->lanes);
    hg_list_init(&function->unannounced);
    hg_list_push_back(&engine->functions, &function->link);
    (void)hg_map_set(&engine->by_name, hg_str_of(function->name), function);
    return function;
}

struct redis_lane *redis_lane_of(struct redis_function *function, struct hg_str channel)
{
    struct redis_lane *lane;

    HG_LIST_EACH(link, &function->lanes)
    {
        lane = hg_container_of(link, struct redis_lane, link);
        if (hg_str_is(channel, lane->channel))
            return lane;
    }
    lane = hg_calloc(1, sizeof(*lane) + channel.n + 1);
    lane->function = function;
    memcpy(lane->channel, channel.p, channel.n);
    hg_list_init(&lane->held);
    hg_list_init(&lane->wakes);
    hg_list_push_back(&function->lanes, &lane->link);
    return lane;
}

struct hg_redis_command *redis_command(struct redis_engine *engine, enum redis_script script,
                                       const struct redis_function *function)
{
    struct hg_redis_command *command = hg_redis_eval(&engine->scripts[script], 2);
    const char *tag = function ? function->tag : engine->tag;
    char nothing[HG_REDIS_TAG_MAX + 4];

    (void)snprintf(nothing, sizeof(nothing), "%s:-", tag);
    hg_redis_key(command, hg_str_of(tag));
    hg_redis_key(command, hg_str_of(nothing));
    return command;
}

static void on_request_done(struct hg_redis_op *op)
{
    struct redis_request *request = hg_container_of(op, struct redis_request, op);

    request->finish(request);
}

void *redis_request_new(struct redis_engine *engine, size_t size, struct hg_queue_op *queue_op,
                        void (*finish)(struct redis_request *request))
{
    struct redis_request *request = hg_calloc(1, size);

    request->engine = engine;
    request->queue_op = queue_op;
    request->finish = finish;
    request->op.done = on_request_done;
    hg_list_push_back(&engine->requests, &request->link);
    return request;
}

void redis_submit(struct redis_request *request, struct hg_redis_command *command)
{
    hg_redis_submit(request->engine->redis, command, &request->op);
}

void redis_request_free(struct redis_request *request)
{
    hg_list_unlink(&request->link);
    if (request->drop)
        request->drop(request);
    free(request);
}

void redis_end_failed(struct redis_request *request)
{
    if (request->op.rc == HG_E_BUSY)
        redis_note_refusal(request->engine, &request->op);
    if (request->queue_op)
        queue_op_end(request->queue_op, request->op.rc, "%s", request->op.why);
    redis_request_free(request);
}

bool redis_is_there(struct redis_engine *engine, struct hg_queue_op *op)
{
    if (engine->is_live)
        return true;
    queue_op_end(op, HG_E_BUSY, "%s",
                 engine->why[0] ? engine->why : "the Redis server is not reachable");
    return false;
}

void redis_learn_functions(struct redis_engine *engine, const struct redisReply *names)
{
    for (size_t i = 0; i < hg_redis_count(names); i++) {
        struct hg_str name = hg_redis_str(hg_redis_at(names, i));

        if (name.n && name.n <= HG_EVENT_FUNCTION_MAX)
            (void)redis_function_of(engine, name);
    }
}

static void on_state(void *arg, bool is_up, enum hg_rc rc, const char *why)
{
    struct redis_engine *engine = arg;

    engine->is_connected = is_up;
    if (is_up) {
        redis_beat(engine);
        return;
    }
    engine->is_live = false;
    engine->refused = rc == HG_E_INVALID ? rc : HG_OK;
    (void)snprintf(engine->why, sizeof(engine->why), "%s", why);
    hg_timer_stop(&engine->beat_timer);
    redis_tend_stop(engine);
    /* It may come back without its data, or as another server: functions are named to it again. */
    HG_LIST_EACH(link, &engine->functions)
    {
        struct redis_function *function = hg_container_of(link, struct redis_function, link);

        if (function->announced == REDIS_ANNOUNCED)
            function->announced = REDIS_UNKNOWN;
    }
    queue_set_down(engine->queue, "%s", why);
}

static void on_node(void *arg, struct hg_redis_node *node)
{
    redis_check_node(arg, node);
}

/* Open. */

/* The version of a server that can be reached now; 0 otherwise. */
struct probe {
    struct hg_redis *redis;
    struct hg_redis_op op;
    struct hg_timer timer;
    bool is_over;
    enum hg_rc rc;
    unsigned version;
    char why[HG_EVENT_WHY_MAX];
};

static void on_version(struct hg_redis_op *op)
{
    struct probe *probe = hg_container_of(op, struct probe, op);
    struct hg_str text = hg_redis_str(op->reply);
    ptrdiff_t at = hg_str_find_str(text, HG_STR("redis_version:"));
    struct hg_str major;
    uint64_t number;

    if (at >= 0) {
        text = hg_str_skip(text, (size_t)at + sizeof("redis_version:") - 1);
        if (hg_str_next(&text, '.', &major) && hg_str_u64(major, 1000, &number))
            probe->version = (unsigned)number;
    }
    probe->is_over = true;
}

static void on_probe_state(void *arg, bool is_up, enum hg_rc rc, const char *why)
{
    struct probe *probe = arg;
    struct hg_redis_command *command;

    if (is_up) {
        command = hg_redis_command("INFO");
        hg_redis_arg_cstr(command, "server");
        probe->op.done = on_version;
        hg_redis_submit(probe->redis, command, &probe->op);
        return;
    }
    probe->rc = rc;
    (void)snprintf(probe->why, sizeof(probe->why), "%s", why);
    probe->is_over = true;
}

static void on_probe_timer(struct hg_timer *timer)
{
    struct probe *probe = hg_container_of(timer, struct probe, timer);

    probe->is_over = true;
}

void redis_client_options(const struct redis_engine *engine, struct hg_redis_options *options)
{
    const struct redis_settings *settings = &engine->settings;

    hg_redis_options_init(options, &settings->server);
    options->tls_ca = settings->tls_ca[0] ? settings->tls_ca : NULL;
    options->timeout_ms = settings->timeout_ms;
    options->connect_timeout_ms = settings->timeout_ms;
    options->replicas = settings->wait;
    options->replicas_timeout_ms = settings->wait_timeout_ms;
}

static enum hg_rc look_at_server(struct redis_engine *engine, struct hg_error *err)
{
    struct hg_loop *loop = engine->queue->loop;
    struct hg_redis_options options;
    struct probe probe = {.rc = HG_OK};

    redis_client_options(engine, &options);
    options.on_state = on_probe_state;
    options.arg = &probe;
    probe.redis = hg_redis_new(loop, &options, err);
    if (!probe.redis)
        return HG_E_INVALID;
    hg_timer_init(&probe.timer, loop, on_probe_timer);
    hg_timer_start_ms(&probe.timer, OPEN_MS);
    while (!probe.is_over)
        hg_loop_turn(loop, true);
    hg_timer_stop(&probe.timer);
    hg_redis_free(probe.redis);
    if (probe.rc == HG_E_INVALID)
        return hg_error_set(err, HG_E_INVALID, "queue: the Redis server refuses: %s", probe.why);
    redis_scripts_make(engine->scripts, probe.version >= 7);
    return HG_OK;
}

/*
 * The node's name is kept in the data directory, so that a restart gives the
 * leases of the dead process back at once. Without a directory, or with one in
 * use, they come back when its beats are missed.
 */
static void take_name(struct redis_engine *engine)
{
    char path[4096];
    ssize_t got;

    hg_uuid(engine->node);
    engine->node_fd = -1;
    if (!engine->queue->options.data_dir[0])
        return;
    (void)snprintf(path, sizeof(path), "%s/queue-redis.node", engine->queue->options.data_dir);
    engine->node_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (engine->node_fd < 0 || flock(engine->node_fd, LOCK_EX | LOCK_NB) != 0) {
        if (engine->node_fd >= 0)
            (void)close(engine->node_fd);
        engine->node_fd = -1;
        return;
    }
    got = pread(engine->node_fd, engine->former, HG_UUID_LEN, 0);
    if (got != HG_UUID_LEN || !hg_uuid_is_valid(hg_str_of(engine->former)))
        engine->former[0] = '\0';
    if (pwrite(engine->node_fd, engine->node, HG_UUID_LEN, 0) != HG_UUID_LEN)
        hg_warn("redis_node_name", "path=%s %s", path, strerror(errno));
}

static struct redis_engine *new_engine(struct hg_queue *queue)
{
    struct redis_engine *engine = hg_calloc(1, sizeof(*engine));

    engine->queue = queue;
    engine->node_fd = -1;
    hg_map_init(&engine->by_name);
    hg_list_init(&engine->functions);
    hg_list_init(&engine->requests);
    hg_list_init(&engine->peers);
    hg_list_init(&engine->wakes);
    engine->node_count = 1;
    engine->recent = hg_calloc(HG_REDIS_RECENT, sizeof(*engine->recent));
    redis_beat_init(engine);
    redis_events_init(engine);
    redis_tend_init(engine);
    redis_wake_init(engine);
    return engine;
}

static void free_function(struct redis_function *function)
{
    struct hg_list *link, *held;

    while ((link = hg_list_pop_front(&function->unannounced)))
        queue_op_end(hg_container_of(link, struct hg_queue_op, link), HG_E_BUSY,
                     "the queue is being closed");
    while ((link = hg_list_pop_front(&function->lanes))) {
        struct redis_lane *lane = hg_container_of(link, struct redis_lane, link);

        while ((held = hg_list_pop_front(&lane->held))) {
            struct redis_lease *lease = hg_container_of(held, struct redis_lease, link);

            hg_blob_unref(lease->result);
            free(lease);
        }
        free(lane);
    }
    free(function);
}

static void free_engine(struct redis_engine *engine)
{
    struct hg_list *link;

    hg_task_cancel(&engine->commit_task);
    hg_timer_stop(&engine->beat_timer);
    redis_tend_stop(engine);
    redis_wake_stop(engine);
    hg_redis_free(engine->redis);
    while ((link = hg_list_pop_front(&engine->requests))) {
        struct redis_request *request = hg_container_of(link, struct redis_request, link);

        if (request->queue_op)
            queue_op_end(request->queue_op, HG_E_BUSY, "the queue is being closed");
        redis_request_free(request);
    }
    while ((link = hg_list_pop_front(&engine->functions)))
        free_function(hg_container_of(link, struct redis_function, link));
    while ((link = hg_list_pop_front(&engine->peers)))
        free(hg_container_of(link, struct redis_peer, link));
    hg_map_fini(&engine->by_name);
    redis_scripts_free(engine->scripts);
    if (engine->node_fd >= 0)
        (void)close(engine->node_fd);
    free(engine->recent);
    free(engine);
}

static void on_open_timer(struct hg_timer *timer)
{
    (void)timer; /* ends a turn of the loop */
}

/* Until the server is known to be usable, or not to be there. */
static void await_state(struct redis_engine *engine)
{
    int64_t until_us = hg_mono_us() + (int64_t)OPEN_MS * 1000;
    struct hg_timer timer;

    hg_timer_init(&timer, engine->queue->loop, on_open_timer);
    hg_timer_start_ms(&timer, OPEN_MS);
    while (!engine->is_live && !engine->why[0] && hg_mono_us() < until_us)
        hg_loop_turn(engine->queue->loop, true);
    hg_timer_stop(&timer);
    if (!engine->is_live && !engine->why[0])
        queue_set_down(engine->queue, "%s:%u: no answer yet", engine->settings.server.host,
                       engine->settings.server.port);
}

static enum hg_rc open_engine(struct hg_queue *queue, struct hg_error *err)
{
    struct redis_engine *engine = new_engine(queue);
    struct hg_redis_options options;
    enum hg_rc rc = redis_settings_read(&queue->options, &engine->settings, err);

    (void)snprintf(engine->tag, sizeof(engine->tag), "{%s}", engine->settings.prefix);
    if (rc == HG_OK)
        rc = look_at_server(engine, err);
    if (rc == HG_OK) {
        take_name(engine);
        redis_client_options(engine, &options);
        options.scripts = engine->scripts;
        options.script_count = REDIS_SCRIPT_COUNT;
        options.on_state = on_state;
        options.on_node = on_node;
        options.arg = engine;
        engine->redis = hg_redis_new(queue->loop, &options, err);
        rc = engine->redis ? HG_OK : HG_E_INVALID;
    }
    if (rc == HG_OK) {
        await_state(engine);
        if (engine->refused != HG_OK)
            rc = hg_error_set(err, engine->refused, "queue: the Redis server refuses: %s",
                              engine->why);
    }
    if (rc != HG_OK) {
        free_engine(engine);
        return rc;
    }
    queue->engine = engine;
    return HG_OK;
}

static enum hg_rc check_options(const struct hg_queue_options *options, struct hg_error *err)
{
    struct redis_settings settings;

    return redis_settings_read(options, &settings, err);
}

/* Close. */

static void await_requests(struct redis_engine *engine)
{
    int64_t until_us = hg_mono_us() + (int64_t)CLOSE_MS * 1000;
    struct hg_timer timer;

    hg_timer_init(&timer, engine->queue->loop, on_open_timer);
    hg_timer_start_ms(&timer, CLOSE_MS);
    /* What was submitted outside of a turn goes out at the end of one. */
    hg_loop_turn(engine->queue->loop, false);
    while (!hg_list_empty(&engine->requests) && hg_mono_us() < until_us)
        hg_loop_turn(engine->queue->loop, true);
    hg_timer_stop(&timer);
}

static void on_left(struct redis_request *request)
{
    redis_request_free(request);
}

static void leave(struct redis_engine *engine)
{
    struct hg_redis_command *command;
    char nodes[HG_REDIS_TAG_MAX + 8];

    HG_LIST_EACH(at, &engine->functions)
    {
        struct redis_function *function = hg_container_of(at, struct redis_function, link);

        HG_LIST_EACH(link, &function->lanes)
        {
            struct redis_lane *lane = hg_container_of(link, struct redis_lane, link);
            struct hg_list *held;

            if (hg_list_empty(&lane->held) && !lane->has_unknown)
                continue;
            while ((held = hg_list_pop_front(&lane->held))) {
                struct redis_lease *lease = hg_container_of(held, struct redis_lease, link);

                hg_blob_unref(lease->result);
                free(lease);
            }
            redis_reclaim(lane, engine->node);
        }
    }
    (void)snprintf(nodes, sizeof(nodes), "%s:nodes", engine->tag);
    command = hg_redis_command("HDEL");
    hg_redis_key(command, hg_str_of(nodes));
    hg_redis_arg_cstr(command, engine->node);
    redis_submit(redis_request_new(engine, sizeof(struct redis_request), NULL, on_left), command);
}

static void close_engine(struct hg_queue *queue)
{
    struct redis_engine *engine = queue->engine;

    hg_timer_stop(&engine->beat_timer);
    redis_tend_stop(engine);
    redis_wake_stop(engine);
    await_requests(engine);
    if (engine->is_live && hg_list_empty(&engine->requests)) {
        leave(engine);
        await_requests(engine);
    }
    free_engine(engine);
    queue->engine = NULL;
}

const struct hg_queue_ops hg_queue_redis_ops = {
    .scheme = "redis",
    .check = check_options,
    .open = open_engine,
    .put = redis_put,
    .lease = redis_lease,
    .settle = redis_settle,
    .find = redis_find,
    .change = redis_change,
    .close = close_engine,
};
