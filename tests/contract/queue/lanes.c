/* Many events, many lanes, many loops; who is told what. */
#include "core/clock.h"
#include "tests/contract/queue/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the listener has heard. */
static struct {
    char watched[HG_EVENT_FUNCTION_MAX + 1];
    unsigned tells; /* of the watched function's first lane */
} heard;

static void on_lane_ready(void *arg, const char *function, const char *channel)
{
    (void)arg;
    assert_ptr_equal(hg_loop_current(), world.loop);
    if (!channel[0] && strcmp(function, heard.watched) == 0)
        heard.tells++;
}

static void watch(const char *function)
{
    (void)snprintf(heard.watched, sizeof(heard.watched), "%s", function);
    heard.tells = 0;
}

static bool was_told(void *arg)
{
    (void)arg;
    return heard.tells > 0;
}

static void test_listener(void **state)
{
    const char *function = fresh_function("told");
    struct hg_queue_listener listener = {.loop = world.loop, .on_lane_ready = on_lane_ready};
    struct hg_list events;
    struct hg_event *event;

    (void)state;
    hg_list_init(&events);
    watch(function);
    /* What was there before somebody listened is told too. */
    put_ok(function, "1", NULL);
    queue_listen(world.queue, &listener);
    wait_until(was_told, NULL, "the lane to be told");
    lease_count(function, "", 1, &events);

    /* Told anew once a lease has come back with less than its max. */
    while (lease_once(function, "", 1, &events))
        ;
    heard.tells = 0;
    put_ok(function, "2", NULL);
    wait_until(was_told, NULL, "the lane to be told again");
    lease_count(function, "", 1, &events);

    /* What becomes due later is told when it is. */
    while (lease_once(function, "", 1, &events))
        ;
    heard.tells = 0;
    event = pop(&events);
    event->due_ms = hg_steady_ms() + 700;
    settle_ok(event, HG_REQUEUE);
    wait_until(was_told, NULL, "the lane to be told of what is due now");
    lease_count(function, "", 1, &events);
    while ((event = pop(&events)))
        settle_ok(event, HG_FINISH);
}

static void test_lease_max(void **state)
{
    const char *function = fresh_function("max");
    struct hg_list events;
    struct hg_event *event;
    size_t got = 0;

    (void)state;
    hg_list_init(&events);
    for (int i = 0; i < 7; i++)
        put_ok(function, "{}", NULL);
    while (got < 7) {
        unsigned more = lease_once(function, "", 3, &events);

        assert_true(more <= 3);
        got += more;
        if (!more)
            wait_a_little();
    }
    assert_int_equal(lease_once(function, "", 3, &events), 0);
    while ((event = pop(&events)))
        settle_ok(event, HG_FINISH);
    assert_int_equal(lease_once("nobody-has-put-anything-here", "", 3, &events), 0);
}

/* One lane's backlog, leased and unsettled or waiting, is no other lane's affair. */
static void test_lanes_are_independent(void **state)
{
    const char *busy = fresh_function("busy"), *quiet = fresh_function("quiet");
    struct hg_event *events[300];
    struct hg_list held;
    struct hg_event *event;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(events); i++)
        events[i] = new_event(busy, "{}");
    put_all(events, HG_COUNT(events));
    hg_list_init(&held);
    lease_count(busy, "", 50, &held);
    put_ok(quiet, "{}", NULL);
    settle_ok(lease_one(quiet, ""), HG_FINISH);
    while ((event = pop(&held)))
        settle_ok(event, HG_FINISH);
    drain(busy, HG_COUNT(events) - 50);
}

static void test_many_lanes(void **state)
{
    enum { LANES = 500 };
    struct hg_event *events[LANES];
    char name[32];
    static char names[LANES][64];

    (void)state;
    for (size_t i = 0; i < LANES; i++) {
        (void)snprintf(name, sizeof(name), "lane%zu", i);
        (void)snprintf(names[i], sizeof(names[i]), "%s", fresh_function(name));
        events[i] = new_event(names[i], name);
    }
    put_all(events, LANES);
    for (size_t i = 0; i < LANES; i++) {
        struct hg_event *event = lease_one(names[i], "");

        (void)snprintf(name, sizeof(name), "lane%zu", i);
        assert_str(hg_blob_str(event->payload), name);
        settle_ok(event, HG_FINISH);
    }
}

static long resident_kb(void)
{
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file && fscanf(file, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (file)
        (void)fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Each is given once; what waits does not grow the process by its size. */
static void test_many_events(void **state)
{
    enum { MANY = 20000, PAYLOAD = 4096 };
    const char *function = fresh_function("many");
    struct hg_event **events = calloc(MANY, sizeof(*events));
    bool *seen = calloc(MANY, sizeof(*seen));
    struct hg_list leased;
    long before_kb;

    (void)state;
    before_kb = resident_kb();
    for (size_t at = 0; at < MANY; at += 2000) {
        for (size_t i = 0; i < 2000; i++) {
            events[i] = hg_event_new(hg_str_of(function), HG_STR(""),
                                     pattern_blob(PAYLOAD, (unsigned)(at + i)));
            events[i]->tries = (unsigned)(at + i);
        }
        put_all(events, 2000);
    }
    /* 80 MB wait; sanitizers keep freed memory for a while, hence the room. */
    if (resident_kb() - before_kb > 400 * 1024)
        fail_msg("the process grew by %ld KB", resident_kb() - before_kb);
    hg_list_init(&leased);
    for (size_t got = 0; got < MANY; got += 500) {
        struct hg_event *event;

        lease_count(function, "", 500, &leased);
        HG_LIST_EACH(link, &leased)
        {
            event = hg_container_of(link, struct hg_event, link);
            assert_true(event->tries < MANY);
            assert_false(seen[event->tries]);
            seen[event->tries] = true;
            if (event->tries % 100 == 0)
                assert_pattern(event->payload, PAYLOAD, event->tries);
        }
        settle_all(&leased);
    }
    free(events);
    free(seen);
}

struct putter;

struct put_call {
    struct hg_put_op op;
    struct putter *putter;
};

/* A loop of its own that puts; all ends come home to it. */
struct putter {
    struct hg_loop *loop;
    struct hg_loop_thread *thread;
    struct hg_mail start;
    const char *function;
    struct put_call calls[200];
    _Atomic unsigned ended, wrong;
};

static void on_put_ended(struct hg_queue_op *op)
{
    struct put_call *call = hg_container_of(op, struct put_call, op.base);
    struct putter *putter = call->putter;

    if (op->rc != HG_OK || hg_loop_current() != putter->loop)
        atomic_fetch_add(&putter->wrong, 1);
    hg_event_free(call->op.event);
    atomic_fetch_add(&putter->ended, 1);
}

static void on_start(struct hg_mail *mail)
{
    struct putter *putter = hg_container_of(mail, struct putter, start);

    for (size_t i = 0; i < HG_COUNT(putter->calls); i++) {
        struct put_call *call = &putter->calls[i];

        call->putter = putter;
        call->op.event = new_event(putter->function, "{}");
        call->op.base.done = on_put_ended;
        queue_put(world.queue, &call->op);
    }
}

static bool have_all_ended(void *arg)
{
    struct putter *putters = arg;

    for (int i = 0; i < 3; i++)
        if (atomic_load(&putters[i].ended) < HG_COUNT(putters[i].calls))
            return false;
    return true;
}

static void test_several_loops(void **state)
{
    const char *function = fresh_function("loops");
    struct putter *putters = calloc(3, sizeof(*putters));

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        putters[i].loop = hg_loop_new(i);
        putters[i].function = function;
        putters[i].thread = hg_loop_thread_start(putters[i].loop, "putter");
        hg_mailbox_post(&putters[i].loop->mailbox, &putters[i].start, on_start);
    }
    wait_until(have_all_ended, putters, "puts of three loops");
    for (unsigned i = 0; i < 3; i++) {
        hg_loop_thread_stop(putters[i].thread);
        hg_loop_free(putters[i].loop);
        assert_int_equal(atomic_load(&putters[i].wrong), 0);
    }
    drain(function, 3 * HG_COUNT(putters[0].calls));
    free(putters);
}

static bool is_settled_gauge(void *arg)
{
    const struct hg_queue_gauges *gauges = queue_gauges(world.queue);
    uint64_t wanted = *(uint64_t *)arg;

    return atomic_load(&gauges->states[HG_EVENT_QUEUED]) >= wanted;
}

static void test_gauges_and_metrics(void **state)
{
    const char *function = fresh_function("gauges");
    struct hg_buf text;
    char why[HG_EVENT_WHY_MAX];
    uint64_t wanted = 5;

    (void)state;
    for (int i = 0; i < 5; i++)
        put_ok(function, "{}", NULL);
    wait_until(is_settled_gauge, &wanted, "five queued events in the gauges");
    assert_true(queue_is_up(world.queue, why));
    assert_string_equal(why, "");
    hg_buf_init(&text, 1 << 20);
    queue_render_metrics(world.queue, &text);
    assert_true(hg_str_find_str(hg_buf_str(&text), HG_STR("headgate_event_queue_events{")) >= 0);
    assert_true(hg_str_find_str(hg_buf_str(&text), HG_STR("state=\"retrying\"")) >= 0);
    assert_true(hg_str_find_str(hg_buf_str(&text), HG_STR("headgate_event_queue_puts_total{")) >=
                0);
    assert_true(hg_str_find_str(hg_buf_str(&text),
                                HG_STR("headgate_event_queue_commit_duration_seconds_bucket{")) >=
                0);
    hg_buf_fini(&text);
    drain(function, 5);
}

static void test_bad_events_are_refused(void **state)
{
    struct hg_event *event = new_event(fresh_function("bad"), "{}");

    (void)state;
    memcpy(event->id, "not-a-uuid", 11);
    assert_int_equal(put(event), HG_E_INVALID);
    hg_event_free(event);
    event = new_event("", "{}");
    assert_int_equal(put(event), HG_E_INVALID);
    hg_event_free(event);
}

/* More at once than may be on their way: refused at once, with a sentence; those that were taken are there. */
struct flood {
    struct hg_task task;
    struct hg_put_op ops[3000];
    size_t stored, refused;
};

static struct flood *flood;

static void on_flood_ended(struct hg_queue_op *op)
{
    if (op->rc == HG_OK) {
        flood->stored++;
        return;
    }
    assert_int_equal(op->rc, HG_E_BUSY);
    assert_string_equal(op->why, "too many events wait to be stored");
    flood->refused++;
}

static void submit_flood(struct hg_task *task)
{
    (void)task;
    for (size_t i = 0; i < HG_COUNT(flood->ops); i++)
        queue_put(world.queue, &flood->ops[i]);
}

static bool has_flood_ended(void *arg)
{
    (void)arg;
    return flood->stored + flood->refused == HG_COUNT(flood->ops);
}

static void test_flood_is_refused(void **state)
{
    const char *function = fresh_function("flood");
    struct hg_blob *payload = pattern_blob(65536, 4);

    (void)state;
    flood = calloc(1, sizeof(*flood));
    for (size_t i = 0; i < HG_COUNT(flood->ops); i++) {
        flood->ops[i].event = hg_event_new(hg_str_of(function), HG_STR(""), hg_blob_ref(payload));
        flood->ops[i].base.done = on_flood_ended;
    }
    hg_task_init(&flood->task, submit_flood);
    hg_loop_defer(world.loop, &flood->task);
    wait_until(has_flood_ended, NULL, "the flood to end");
    assert_true(flood->stored > 0);
    assert_true(flood->refused > 0);
    drain(function, flood->stored);
    for (size_t i = 0; i < HG_COUNT(flood->ops); i++)
        hg_event_free(flood->ops[i].event);
    hg_blob_unref(payload);
    free(flood);
}

const struct CMUnitTest lane_tests[LANE_TESTS] = {
    cmocka_unit_test(test_listener),
    cmocka_unit_test(test_lease_max),
    cmocka_unit_test(test_lanes_are_independent),
    cmocka_unit_test(test_many_lanes),
    cmocka_unit_test(test_many_events),
    cmocka_unit_test(test_several_loops),
    cmocka_unit_test(test_gauges_and_metrics),
    cmocka_unit_test(test_bad_events_are_refused),
    cmocka_unit_test(test_flood_is_refused),
};
