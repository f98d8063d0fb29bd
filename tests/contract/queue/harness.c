/*
 * The queue under test.
 */
#include "tests/contract/queue/harness.h"

#include "core/clock.h"
#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>

struct world world;

enum { HEARTBEAT_MS = 5 };

static void on_heartbeat(struct hg_timer *timer)
{
    hg_timer_start_ms(timer, HEARTBEAT_MS);
}

static bool set_option(struct hg_queue_options *options, const char *key, const char *value)
{
    if (strcmp(key, "retention_ms") == 0)
        options->retention_ms = atoll(value);
    else if (strcmp(key, "history_max") == 0)
        options->history_max = strtoull(value, NULL, 10);
    else if (strcmp(key, "store_max") == 0)
        options->store_max = strtoull(value, NULL, 10);
    else if (strcmp(key, "dedup_window_ms") == 0)
        options->dedup_window_ms = atoll(value);
    else if (strcmp(key, "durability") == 0)
        options->durability = strcmp(value, "os") == 0 ? HG_DURABLE_OS : HG_DURABLE_FLUSH;
    else
        return false;
    return true;
}

void world_init(int argc, char **argv)
{
    struct hg_queue_options *options = &world.options;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: %s URI DATA_DIR [KEY=VALUE]...\n", argv[0]);
        exit(2);
    }
    hg_log_setup(HG_LOG_WARN, HG_LOG_TEXT);
    *options = (struct hg_queue_options){
        .uri = argv[1],
        .data_dir = argv[2],
        .retention_ms = 24 * 3600 * 1000,
        .history_max = 1 << 30,
        .store_max = (uint64_t)4 << 30,
        .dedup_window_ms = 24 * 3600 * 1000,
    };
    options->extra.items = world.extra;
    for (int i = 3; i < argc; i++) {
        char *equals = strchr(argv[i], '=');

        if (!equals || options->extra.count == HG_COUNT(world.extra))
            exit(2);
        *equals = '\0';
        if (!set_option(options, argv[i], equals + 1))
            world.extra[options->extra.count++] =
                (struct hg_kv){hg_str_of(argv[i]), hg_str_of(equals + 1)};
    }
    world.is_embedded = strncmp(options->uri, "embedded", 8) == 0;
    world.is_kafka = strncmp(options->uri, "kafka", 5) == 0;
    world.loop = hg_loop_new(7);
    hg_timer_init(&world.heartbeat, world.loop, on_heartbeat);
    hg_timer_start_ms(&world.heartbeat, HEARTBEAT_MS);
}

void world_fini(void)
{
    hg_timer_stop(&world.heartbeat);
    hg_loop_free(world.loop);
}

void world_open(void)
{
    struct hg_error err = {""};
    enum hg_rc rc = queue_open(&world.options, &world.queue, &err);

    if (rc != HG_OK)
        fail_msg("queue_open: %s", err.text);
}

void world_close(void)
{
    queue_close(world.queue);
    world.queue = NULL;
}

static void turn(void)
{
    hg_loop_turn(world.loop, true);
    world.turns++;
}

void wait_until(bool (*holds)(void *arg), void *arg, const char *what)
{
    int64_t until_us = hg_mono_us() + (int64_t)DEADLINE_MS * 1000;

    while (!holds(arg)) {
        if (hg_mono_us() > until_us)
            fail_msg("waited %d s for: %s", DEADLINE_MS / 1000, what);
        turn();
    }
}

void wait_a_little(void)
{
    int64_t until_us = hg_mono_us() + 10000;

    while (hg_mono_us() < until_us)
        turn();
}

const char *fresh_function(const char *name)
{
    static char names[1024][64];
    static unsigned next;
    static char run[9];
    char *out = names[next++ % HG_COUNT(names)];

    if (!run[0])
        hg_hex_id(run, 8);
    (void)snprintf(out, sizeof(names[0]), "%s-%s", name, run);
    return out;
}

struct hg_event *new_event(const char *function, const char *payload)
{
    return hg_event_new(hg_str_of(function), HG_STR(""), hg_blob_new(payload, strlen(payload)));
}

static char pattern_byte(size_t at, unsigned seed)
{
    return (char)((at * 31 + at / 251 + seed) & 0xff);
}

struct hg_blob *pattern_blob(size_t length, unsigned seed)
{
    struct hg_blob *blob;
    struct hg_buf bytes;
    char *room;

    hg_buf_init(&bytes, length + 1);
    room = hg_buf_reserve(&bytes, length + 1);
    for (size_t i = 0; i < length; i++)
        room[i] = pattern_byte(i, seed);
    hg_buf_commit(&bytes, length);
    blob = hg_blob_take(&bytes);
    hg_buf_fini(&bytes);
    return blob;
}

void assert_pattern(const struct hg_blob *blob, size_t length, unsigned seed)
{
    struct hg_str text = hg_blob_str(blob);

    assert_int_equal(text.n, length);
    for (size_t i = 0; i < length; i++)
        if (text.p[i] != pattern_byte(i, seed))
            fail_msg("byte %zu of %zu differs", i, length);
}

/* An operation on its way: submitted by a task, so that the loop is current. */
struct call {
    struct hg_task task;
    struct hg_queue_op *op;
    void (*submit)(struct call *call);
    bool is_submitting, is_done;
};

static struct call *call_now;

static void on_done(struct hg_queue_op *op)
{
    (void)op;
    /* Never inside the call. */
    assert_false(call_now->is_submitting);
    assert_ptr_equal(hg_loop_current(), world.loop);
    call_now->is_done = true;
}

static void run_call(struct hg_task *task)
{
    struct call *call = hg_container_of(task, struct call, task);

    call->is_submitting = true;
    call->submit(call);
    call->is_submitting = false;
}

static bool is_done(void *arg)
{
    return ((struct call *)arg)->is_done;
}

static enum hg_rc run(struct hg_queue_op *op, void (*submit)(struct call *call))
{
    struct call call = {.op = op, .submit = submit};

    op->done = on_done;
    call_now = &call;
    hg_task_init(&call.task, run_call);
    hg_loop_defer(world.loop, &call.task);
    hg_loop_turn(world.loop, false);
    wait_until(is_done, &call, "an operation to end");
    if (op->rc == HG_OK)
        assert_string_equal(op->why, "");
    else
        assert_true(op->why[0] != '\0');
    return op->rc;
}

static void submit_put(struct call *call)
{
    queue_put(world.queue, hg_container_of(call->op, struct hg_put_op, base));
}

static void submit_lease(struct call *call)
{
    queue_lease(world.queue, hg_container_of(call->op, struct hg_lease_op, base));
}

static void submit_settle(struct call *call)
{
    queue_settle(world.queue, hg_container_of(call->op, struct hg_settle_op, base));
}

static void submit_find(struct call *call)
{
    queue_find(world.queue, hg_container_of(call->op, struct hg_find_op, base));
}

static void submit_change(struct call *call)
{
    queue_change(world.queue, hg_container_of(call->op, struct hg_change_op, base));
}

enum hg_rc put(struct hg_event *event)
{
    struct hg_put_op op = {.event = event};

    return run(&op.base, submit_put);
}

void put_ok(const char *function, const char *payload, char id[HG_UUID_LEN + 1])
{
    struct hg_event *event = new_event(function, payload);

    if (id)
        memcpy(id, event->id, HG_UUID_LEN + 1);
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);
}

struct many_puts {
    struct hg_task task;
    struct hg_put_op *ops;
    size_t next, count, done;
};

static struct many_puts *many;

enum { PUTS_AT_ONCE = 2000 };

static void on_many_done(struct hg_queue_op *op)
{
    assert_int_equal(op->rc, HG_OK);
    many->done++;
    hg_loop_defer(world.loop, &many->task);
}

static void submit_many(struct hg_task *task)
{
    (void)task;
    while (many->next < many->count && many->next - many->done < PUTS_AT_ONCE)
        queue_put(world.queue, &many->ops[many->next++]);
}

static bool are_many_done(void *arg)
{
    (void)arg;
    return many->done == many->count;
}

void put_all(struct hg_event **events, size_t count)
{
    struct many_puts puts = {.count = count};

    puts.ops = hg_calloc(count, sizeof(*puts.ops));
    for (size_t i = 0; i < count; i++) {
        puts.ops[i].event = events[i];
        puts.ops[i].base.done = on_many_done;
    }
    many = &puts;
    hg_task_init(&puts.task, submit_many);
    hg_loop_defer(world.loop, &puts.task);
    wait_until(are_many_done, NULL, "many puts");
    for (size_t i = 0; i < count; i++)
        hg_event_free(events[i]);
    free(puts.ops);
}

unsigned lease_once(const char *function, const char *channel, unsigned max, struct hg_list *events)
{
    struct hg_lease_op op = {.function = function, .channel = channel, .max = max};
    unsigned count = 0;

    assert_int_equal(run(&op.base, submit_lease), HG_OK);
    HG_LIST_EACH(link, &op.events)
    count++;
    assert_int_equal(count, op.got);
    assert_true(op.got <= max);
    hg_list_move_all(&op.events, events);
    return count;
}

struct hg_event *pop(struct hg_list *events)
{
    struct hg_list *link = hg_list_pop_front(events);

    return link ? hg_container_of(link, struct hg_event, link) : NULL;
}

void lease_count(const char *function, const char *channel, size_t count, struct hg_list *events)
{
    int64_t until_us = hg_mono_us() + (int64_t)DEADLINE_MS * 1000;

    for (size_t got = 0; got < count;) {
        size_t more =
            lease_once(function, channel, (unsigned)HG_MIN(count - got, (size_t)500), events);

        got += more;
        if (!more)
            wait_a_little();
        if (hg_mono_us() > until_us)
            fail_msg("leased %zu of %zu events of %s", got, count, function);
    }
}

struct hg_event *lease_one(const char *function, const char *channel)
{
    struct hg_list events;

    hg_list_init(&events);
    lease_count(function, channel, 1, &events);
    return pop(&events);
}

enum hg_rc settle(struct hg_event *event, enum hg_verdict verdict)
{
    struct hg_settle_op op = {.event = event, .verdict = verdict};

    return run(&op.base, submit_settle);
}

void settle_ok(struct hg_event *event, enum hg_verdict verdict)
{
    if (verdict == HG_FINISH)
        event->state = HG_EVENT_DELIVERED;
    else if (verdict == HG_BURY)
        event->state = HG_EVENT_DEAD;
    else
        event->state = HG_EVENT_RETRYING;
    if (verdict != HG_REQUEUE)
        event->finished_ms = hg_steady_ms();
    assert_int_equal(settle(event, verdict), HG_OK);
    hg_event_free(event);
}

struct many_settles {
    struct hg_task task;
    struct hg_list events;
    size_t running;
};

struct settle_call {
    struct hg_settle_op op;
    struct many_settles *many;
};

static void on_many_settled(struct hg_queue_op *op)
{
    struct settle_call *call = hg_container_of(op, struct settle_call, op.base);

    assert_int_equal(op->rc, HG_OK);
    call->many->running--;
    hg_event_free(call->op.event);
    free(call);
}

static void submit_settles(struct hg_task *task)
{
    struct many_settles *settles = hg_container_of(task, struct many_settles, task);
    struct hg_event *event;

    while ((event = pop(&settles->events))) {
        struct settle_call *call = hg_calloc(1, sizeof(*call));

        event->state = HG_EVENT_DELIVERED;
        event->finished_ms = hg_steady_ms();
        call->many = settles;
        call->op.event = event;
        call->op.verdict = HG_FINISH;
        call->op.base.done = on_many_settled;
        settles->running++;
        queue_settle(world.queue, &call->op);
    }
}

static bool are_settled(void *arg)
{
    const struct many_settles *settles = arg;

    return settles->running == 0 && hg_list_empty(&settles->events);
}

void settle_all(struct hg_list *events)
{
    struct many_settles settles = {.running = 0};

    hg_list_init(&settles.events);
    hg_list_move_all(events, &settles.events);
    hg_task_init(&settles.task, submit_settles);
    hg_loop_defer(world.loop, &settles.task);
    wait_until(are_settled, &settles, "many settles");
}

void drain(const char *function, size_t count)
{
    struct hg_list events;

    hg_list_init(&events);
    for (size_t got = 0; got < count; got += HG_MIN(count - got, (size_t)500)) {
        lease_count(function, "", HG_MIN(count - got, (size_t)500), &events);
        settle_all(&events);
    }
}

enum hg_rc find_id(const char *id, struct hg_event **event)
{
    struct hg_find_op op = {.id = id};
    enum hg_rc rc = run(&op.base, submit_find);

    *event = rc == HG_OK ? pop(&op.events) : NULL;
    assert_true(hg_list_empty(&op.events));
    return rc;
}

struct hg_event *find_state(const char *id, enum hg_event_state state)
{
    int64_t until_us = hg_mono_us() + (int64_t)DEADLINE_MS * 1000;

    for (;;) {
        struct hg_event *event;

        if (find_id(id, &event) == HG_OK && event->state == state)
            return event;
        if (hg_mono_us() > until_us)
            fail_msg("event %s is %s, not %s", id,
                     event ? hg_event_state_name(event->state) : "unknown",
                     hg_event_state_name(state));
        hg_event_free(event);
        wait_a_little();
    }
}

void free_events(struct hg_list *events)
{
    struct hg_event *event;

    while ((event = pop(events)))
        hg_event_free(event);
}

size_t find_page(struct hg_find_op *op)
{
    size_t count = 0;

    assert_int_equal(run(&op->base, submit_find), HG_OK);
    HG_LIST_EACH(link, &op->events)
    count++;
    return count;
}

enum hg_rc change(const char *id, enum hg_queue_change what, char why[HG_EVENT_WHY_MAX])
{
    struct hg_change_op op = {.id = id, .change = what};
    enum hg_rc rc = run(&op.base, submit_change);

    if (why)
        memcpy(why, op.base.why, HG_EVENT_WHY_MAX);
    return rc;
}
