/*
 * What the embedded store promises beyond the contract: its clock goes on
 * across restarts, its history stays small, and it counts what a death cut
 * short.
 */
#include "core/clock.h"
#include "tests/contract/queue/harness.h"

#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

/* As if the program started anew with a wall clock that was stepped meanwhile. */
static void restart_with_clock_off_by(int64_t step_ms)
{
    world_close();
    hg_steady_set(hg_steady_ms() + step_ms);
    world_open();
}

static void test_stepped_clock(void **state)
{
    const char *function = fresh_function("clock");
    struct hg_list none;
    struct hg_event *event;
    int64_t before_ms, due_ms;

    (void)state;
    hg_list_init(&none);
    world_open();
    event = new_event(function, "{}");
    due_ms = event->due_ms = hg_steady_ms() + 4000;
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);

    /* Forward: not hurried. */
    before_ms = hg_steady_ms();
    restart_with_clock_off_by(HOUR_MS);
    assert_true(hg_steady_ms() >= before_ms && hg_steady_ms() < before_ms + HOUR_MS / 2);
    assert_int_equal(lease_once(function, "", 1, &none), 0);

    /* Back: not held up. */
    before_ms = hg_steady_ms();
    restart_with_clock_off_by(-HOUR_MS);
    assert_true(hg_steady_ms() >= before_ms && hg_steady_ms() < before_ms + HOUR_MS / 2);
    event = lease_one(function, "");
    assert_true(hg_steady_ms() >= due_ms && hg_steady_ms() < due_ms + DEADLINE_MS);
    settle_ok(event, HG_FINISH);
    world_close();
}

static void test_cut_short_deliveries_are_counted(void **state)
{
    const char *function = fresh_function("cut-short");
    struct hg_list events;
    struct hg_event *event;

    (void)state;
    world_open();
    put_ok(function, "1", NULL);
    put_ok(function, "2", NULL);
    hg_list_init(&events);
    lease_count(function, "", 1, &events);
    free_events(&events);
    world_close();

    world_open();
    assert_int_equal(atomic_load(&queue_gauges(world.queue)->redelivered), 1);
    lease_count(function, "", 2, &events);
    event = pop(&events);
    assert_str(hg_blob_str(event->payload), "1");
    assert_int_equal(event->deliveries, 1);
    settle_ok(event, HG_FINISH);
    event = pop(&events);
    assert_int_equal(event->deliveries, 0);
    settle_ok(event, HG_FINISH);
    world_close();

    world_open();
    assert_int_equal(atomic_load(&queue_gauges(world.queue)->redelivered), 0);
    world_close();
}

static bool is_history_small(void *arg)
{
    (void)arg;
    return atomic_load(&queue_gauges(world.queue)->states[HG_EVENT_DELIVERED]) < 100;
}

static void test_history_is_bounded(void **state)
{
    enum { EVENTS = 1000 };
    uint64_t kept = world.options.history_max;
    const char *function = fresh_function("history");
    struct hg_event *events[EVENTS];
    char dead[HG_UUID_LEN + 1];

    (void)state;
    world.options.history_max = 256 << 10;
    world_open();
    put_ok(function, "{}", dead);
    settle_ok(lease_one(function, ""), HG_BURY);
    for (size_t i = 0; i < EVENTS; i++)
        events[i] = hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(4096, 1));
    put_all(events, EVENTS);
    drain(function, EVENTS);
    wait_until(is_history_small, NULL, "the oldest finished events to be forgotten");
    assert_true(atomic_load(&queue_gauges(world.queue)->states[HG_EVENT_DELIVERED]) > 10);
    /* What nobody was told of is not history. */
    hg_event_free(find_state(dead, HG_EVENT_DEAD));
    world_close();
    world.options.history_max = kept;
}

static void test_durability_os(void **state)
{
    const char *function = fresh_function("os");

    (void)state;
    world.options.durability = HG_DURABLE_OS;
    world_open();
    put_ok(function, "{}", NULL);
    world_close();
    world_open();
    drain(function, 1);
    world_close();
    world.options.durability = HG_DURABLE_FLUSH;
}

static void test_options(void **state)
{
    struct hg_kv unknown = {HG_STR("embedded.speed"), HG_STR("high")},
                 others = {HG_STR("kafka.security.protocol"), HG_STR("SASL_SSL")};
    struct hg_queue_options options = world.options;
    struct hg_error err;

    (void)state;
    options.extra = (struct hg_kv_list){&unknown, 1};
    assert_int_equal(queue_check(&options, &err), HG_E_INVALID);
    assert_non_null(strstr(err.text, "embedded.speed"));
    /* For a Kafka destination. */
    options.extra = (struct hg_kv_list){&others, 1};
    assert_int_equal(queue_check(&options, &err), HG_OK);
    options.uri = "embedded:/somewhere";
    assert_int_equal(queue_check(&options, &err), HG_E_INVALID);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stepped_clock),
        cmocka_unit_test(test_cut_short_deliveries_are_counted),
        cmocka_unit_test(test_history_is_bounded),
        cmocka_unit_test(test_durability_os),
        cmocka_unit_test(test_options),
    };
    int failed;

    world_init(argc, argv);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_fini();
    return failed ? 1 : 0;
}
