/* Closing and opening again; options that must be set at the opening. */
#include "core/clock.h"
#include "tests/contract/queue/suite.h"

#include <stdlib.h>
#include <string.h>

static void test_reopen_keeps_everything(void **state)
{
    const char *function = fresh_function("reopen"), *uri = "arn:aws:sns:us-east-1:000:topic";
    char queued[HG_UUID_LEN + 1], later[HG_UUID_LEN + 1], record[HG_UUID_LEN + 1];
    char dead[HG_UUID_LEN + 1], finished[HG_UUID_LEN + 1];
    struct hg_event *event;
    int64_t due_ms;

    (void)state;
    world_open();
    put_ok(function, "record", record);
    event = lease_one(function, "");
    event->targets = calloc(1, sizeof(*event->targets));
    event->target_count = 1;
    memcpy(event->targets[0].uri, uri, strlen(uri) + 1);
    event->current_target = 0;
    event->due_ms = hg_steady_ms();
    settle_ok(event, HG_REQUEUE);
    put_ok(function, "dead", dead);
    settle_ok(lease_one(function, ""), HG_BURY);
    put_ok(function, "finished", finished);
    settle_ok(lease_one(function, ""), HG_FINISH);
    put_ok(function, "later", later);
    event = lease_one(function, "");
    due_ms = event->due_ms = hg_steady_ms() + 2000;
    settle_ok(event, HG_REQUEUE);
    put_ok(function, "queued", queued);
    world_close();

    world_open();
    event = lease_one(function, uri);
    assert_string_equal(event->id, record);
    settle_ok(event, HG_FINISH);
    event = lease_one(function, "");
    assert_string_equal(event->id, queued);
    assert_str(hg_blob_str(event->payload), "queued");
    settle_ok(event, HG_FINISH);
    event = lease_one(function, "");
    assert_string_equal(event->id, later);
    assert_true(hg_steady_ms() >= due_ms);
    settle_ok(event, HG_FINISH);
    hg_event_free(find_state(dead, HG_EVENT_DEAD));
    event = find_state(finished, HG_EVENT_DELIVERED);
    assert_str(hg_blob_str(event->payload), "finished");
    hg_event_free(event);
    world_close();
}

static void test_leases_come_back(void **state)
{
    const char *function = fresh_function("comeback");
    struct hg_list events;
    char id[HG_UUID_LEN + 1];
    struct hg_event *event;

    (void)state;
    world_open();
    hg_list_init(&events);
    put_ok(function, "{}", id);
    lease_count(function, "", 1, &events);
    free_events(&events);
    world_close();

    world_open();
    event = lease_one(function, "");
    assert_string_equal(event->id, id);
    assert_int_equal(event->tries, 0);
    settle_ok(event, HG_FINISH);
    world_close();
}

static struct {
    const char *function;
    bool is_told;
} restart_heard;

static void on_lane_ready(void *arg, const char *function, const char *channel)
{
    (void)arg;
    (void)channel;
    if (strcmp(function, restart_heard.function) == 0)
        restart_heard.is_told = true;
}

static bool was_told(void *arg)
{
    (void)arg;
    return restart_heard.is_told;
}

static void test_lanes_are_told_after_opening(void **state)
{
    struct hg_queue_listener listener = {.loop = world.loop, .on_lane_ready = on_lane_ready};

    (void)state;
    restart_heard.function = fresh_function("told-again");
    world_open();
    put_ok(restart_heard.function, "{}", NULL);
    world_close();
    world_open();
    queue_listen(world.queue, &listener);
    wait_until(was_told, NULL, "the lane to be told after the opening");
    drain(restart_heard.function, 1);
    world_close();
}

static bool is_forgotten(void *arg)
{
    struct hg_event *event;
    bool is_gone = find_id(arg, &event) == HG_E_NOT_FOUND;

    hg_event_free(event);
    return is_gone;
}

static void test_retention(void **state)
{
    int64_t kept_ms = world.options.retention_ms;
    const char *function = fresh_function("retention");
    char finished[HG_UUID_LEN + 1], dead[HG_UUID_LEN + 1], queued[HG_UUID_LEN + 1];

    (void)state;
    world.options.retention_ms = 1500;
    world_open();
    put_ok(function, "{}", finished);
    settle_ok(lease_one(function, ""), HG_FINISH);
    put_ok(function, "{}", dead);
    settle_ok(lease_one(function, ""), HG_BURY);
    put_ok(function, "{}", queued);
    hg_event_free(find_state(finished, HG_EVENT_DELIVERED));
    wait_until(is_forgotten, finished, "the finished event to be forgotten");
    hg_event_free(find_state(dead, HG_EVENT_DEAD));
    hg_event_free(find_state(queued, HG_EVENT_QUEUED));
    drain(function, 1);
    world_close();
    world.options.retention_ms = kept_ms;
}

static void test_dedup_window(void **state)
{
    int64_t kept_ms = world.options.dedup_window_ms;
    const char *function = fresh_function("window");
    struct hg_event *first = new_event(function, "1"), *again;
    int64_t until_ms = hg_steady_ms() + DEADLINE_MS;
    bool is_new = false;

    (void)state;
    world.options.dedup_window_ms = 1000;
    world_open();
    memcpy(first->dedup, "k", 2);
    assert_int_equal(put(first), HG_OK);
    while (!is_new) {
        again = new_event(function, "2");
        memcpy(again->dedup, "k", 2);
        assert_int_equal(put(again), HG_OK);
        is_new = strcmp(again->id, first->id) != 0;
        hg_event_free(again);
        assert_true(hg_steady_ms() < until_ms);
        wait_a_little();
    }
    drain(function, 2);
    hg_event_free(first);
    world_close();
    world.options.dedup_window_ms = kept_ms;
}

static void test_bad_uris(void **state)
{
    struct hg_queue_options options = world.options;
    struct hg_queue *queue;
    struct hg_error err = {""};

    (void)state;
    options.uri = "carrier-pigeon://loft";
    assert_int_equal(queue_check(&options, &err), HG_E_INVALID);
    assert_non_null(strstr(err.text, "carrier-pigeon"));
    assert_int_equal(queue_open(&options, &queue, &err), HG_E_INVALID);
    assert_null(queue);
    assert_int_equal(queue_check(&world.options, &err), HG_OK);
}

const struct CMUnitTest restart_tests[RESTART_TESTS] = {
    cmocka_unit_test(test_reopen_keeps_everything),
    cmocka_unit_test(test_leases_come_back),
    cmocka_unit_test(test_lanes_are_told_after_opening),
    cmocka_unit_test(test_retention),
    cmocka_unit_test(test_dedup_window),
    cmocka_unit_test(test_bad_uris),
};
