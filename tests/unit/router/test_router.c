/*
 * Events from acceptance to their end: with the embedded queue, real
 * environments and directories as targets, on a schedule of milliseconds.
 */
#include "tests/unit/unit.h"

#include "tests/unit/router/world.h"

#include <dirent.h>
#include <sys/stat.h>

static struct world w;
static char id[HG_UUID_LEN + 1];

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    return 0;
}

static void close_all(void)
{
    world_stop(&w);
    world_fini(&w);
}

/* A target "file:///…/name" below the test's folder. */
static struct hg_str directory(const char *name)
{
    char uri[200];

    snprintf(uri, sizeof(uri), "file://%s/%s", w.f.dir, name);
    assert_int_equal(mkdir(uri + strlen("file://"), 0700), 0);
    return hg_arena_str(w.f.stack->arena, hg_str_of(uri));
}

static unsigned count_files(const char *folder)
{
    struct dirent *entry;
    unsigned count = 0;
    DIR *dir = opendir(folder);
    char path[600];

    while (dir && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        count += entry->d_type == DT_DIR ? count_files(path) : 1;
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

static unsigned files_in(const char *name)
{
    char path[200];

    snprintf(path, sizeof(path), "%s/%s", w.f.dir, name);
    return count_files(path);
}

static void test_success(void **state)
{
    struct hg_event *event;

    (void)state;
    (void)world_function(&w, "probe");
    world_start(&w, 2);
    world_publish(&w, "probe", "\"hello\"", id);
    event = world_wait(&w, id, HG_EVENT_DELIVERED);
    assert_int_equal(event->condition, HG_CONDITION_SUCCESS);
    assert_int_equal(event->tries, 1);
    assert_int_equal(event->attempt_count, 1);
    assert_int_equal(event->attempts[0].outcome, HG_ATTEMPT_SUCCESS);
    assert_string_equal(event->executed_version, "$LATEST");
    hg_event_free(event);
    close_all();
}

static void test_failure_without_target_is_kept(void **state)
{
    struct hg_event *event;

    (void)state;
    (void)world_function(&w, "probe");
    world_start(&w, 2);
    world_publish(&w, "probe", "\"error\"", id);
    event = world_wait(&w, id, HG_EVENT_DEAD);
    assert_int_equal(event->condition, HG_CONDITION_RETRIES_EXHAUSTED);
    assert_int_equal(event->tries, 3);
    assert_int_equal(event->attempt_count, 3);
    assert_in_range(event->attempts[1].started_ms - event->attempts[0].started_ms, 60, 1000);
    assert_in_range(event->attempts[2].started_ms - event->attempts[1].started_ms, 120, 1000);
    assert_string_equal(event->why, "RetriesExhausted: no destination or dead-letter queue");
    hg_event_free(event);
    close_all();
}

static void test_failure_is_told_to_destination_and_dead_letter_queue(void **state)
{
    struct hg_event *event;

    (void)state;
    world_function(&w, "probe")->dead_letter = directory("letters");
    world_setting(&w, "probe")->on_failure = directory("failures");
    w.settings[0].max_retries = 1;
    world_start(&w, 2);
    world_publish(&w, "probe", "\"error\"", id);
    event = world_wait(&w, id, HG_EVENT_DELIVERED);
    assert_int_equal(event->condition, HG_CONDITION_RETRIES_EXHAUSTED);
    assert_int_equal(event->tries, 2);
    assert_int_equal(event->target_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(event->targets[i].state, HG_TARGET_DONE);
        assert_int_equal(event->targets[i].tries, 1);
    }
    assert_true(files_in("failures") >= 1);
    assert_true(files_in("letters") >= 1);
    hg_event_free(event);
    close_all();
}

static void test_target_that_can_never_work(void **state)
{
    struct hg_event *event;

    (void)state;
    world_function(&w, "probe")->dead_letter = directory("letters");
    world_setting(&w, "probe")->on_failure =
        HG_STR("arn:aws:lambda:eu-west-1:000000000000:function:gone");
    w.settings[0].max_retries = 0;
    world_start(&w, 2);
    world_publish(&w, "probe", "\"error\"", id);
    event = world_wait(&w, id, HG_EVENT_DEAD);
    assert_int_equal(event->targets[0].state, HG_TARGET_FAILED);
    assert_int_equal(event->targets[1].state, HG_TARGET_DONE);
    assert_non_null(
        strstr(event->why, "OnFailure arn:aws:lambda:eu-west-1:000000000000:function:gone"));
    hg_event_free(event);
    close_all();
}

static void test_zero_concurrency(void **state)
{
    struct hg_event *event;

    (void)state;
    world_function(&w, "probe")->reserved_concurrency = 0;
    world_setting(&w, "probe")->on_failure = directory("failures");
    world_start(&w, 2);
    world_publish(&w, "probe", "\"hello\"", id);
    event = world_wait(&w, id, HG_EVENT_DELIVERED);
    assert_int_equal(event->condition, HG_CONDITION_ZERO_CONCURRENCY);
    assert_int_equal(event->tries, 0);
    assert_int_equal(event->attempt_count, 0);
    hg_event_free(event);
    close_all();
}

static void test_age_limit(void **state)
{
    struct hg_event *event;

    (void)state;
    (void)world_function(&w, "probe");
    world_setting(&w, "probe")->max_age_s = 90;
    w.retry_scale = 0.01;
    world_start(&w, 2);
    world_publish(&w, "probe", "\"error\"", id);
    event = world_wait(&w, id, HG_EVENT_DEAD);
    assert_int_equal(event->condition, HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(event->tries, 2);
    hg_event_free(event);
    close_all();
}

static void test_deleted_function(void **state)
{
    struct hg_event *event;

    (void)state;
    (void)world_function(&w, "probe");
    world_start(&w, 2);
    world_publish(&w, "gone", "1", id);
    event = world_wait(&w, id, HG_EVENT_DEAD);
    assert_int_equal(event->condition, HG_CONDITION_NO_FUNCTION);
    hg_event_free(event);
    close_all();
}

static void test_loop_of_functions_is_stopped(void **state)
{
    struct hg_event *event;
    struct hg_buf metrics;

    (void)state;
    (void)world_function(&w, "ping");
    (void)world_function(&w, "pong");
    world_setting(&w, "ping")->on_success =
        HG_STR("arn:aws:lambda:eu-west-1:000000000000:function:pong");
    world_setting(&w, "pong")->on_success =
        HG_STR("arn:aws:lambda:eu-west-1:000000000000:function:ping");
    w.settings[0].on_failure = w.settings[1].on_failure = directory("failures");
    world_start(&w, 2);
    world_publish(&w, "ping", "1", id);
    event = world_wait(&w, id, HG_EVENT_DELIVERED);
    assert_int_equal(event->condition, HG_CONDITION_SUCCESS);
    hg_event_free(event);
    hg_buf_init(&metrics, 1 << 20);
    do {
        usleep(5000);
        hg_buf_clear(&metrics, 1 << 20);
        router_render_metrics(w.router, &metrics);
    } while (
        hg_str_find_str(hg_buf_str(&metrics),
                        HG_STR("headgate_function_recursive_invocations_dropped_total{function="
                               "\"ping\"} 1\n")) < 0);
    /* Sixteen runs of each, of which the last ping is the thirty-third event. */
    assert_true(
        hg_str_find_str(
            hg_buf_str(&metrics),
            HG_STR("headgate_function_async_events_received_total{function=\"ping\"} 17\n")) >= 0);
    assert_true(
        hg_str_find_str(
            hg_buf_str(&metrics),
            HG_STR("headgate_function_async_events_received_total{function=\"pong\"} 16\n")) >= 0);
    hg_buf_fini(&metrics);
    close_all();
}

/* Thousands of a sleeper's events do not keep others waiting. */
static void test_backlog_of_one_function_is_its_own(void **state)
{
    enum { SLEEPERS = 2000, QUICK = 40 };
    int64_t slowest_us = 0;

    (void)state;
    world_function(&w, "sleeper")->reserved_concurrency = 1;
    (void)world_function(&w, "quick");
    world_start(&w, 2);
    world_publish(&w, "quick", "1", id);
    hg_event_free(world_wait(&w, id, HG_EVENT_DELIVERED));
    for (int i = 0; i < SLEEPERS; i++)
        world_publish(&w, "sleeper", "\"sleep 1000\"", id);
    for (int i = 0; i < QUICK; i++) {
        int64_t start_us = hg_mono_us();

        world_publish(&w, "quick", "1", id);
        hg_event_free(world_wait(&w, id, HG_EVENT_DELIVERED));
        slowest_us = HG_MAX(slowest_us, hg_mono_us() - start_us);
    }
    /* A sleeper alone takes a second. */
    assert_in_range(slowest_us, 0, 700000);
    close_all();
}

static void test_drain_gives_back(void **state)
{
    const struct hg_queue_gauges *gauges;
    char ids[20][HG_UUID_LEN + 1];

    (void)state;
    world_function(&w, "probe")->reserved_concurrency = 1;
    world_start(&w, 2);
    for (int i = 0; i < 20; i++)
        world_publish(&w, "probe", "\"sleep 2500\"", ids[i]);
    hg_event_free(world_wait(&w, ids[0], HG_EVENT_RUNNING));
    world_stop(&w);
    /* Gauges are of the store as it was found. */
    world_open(&w);
    gauges = queue_gauges(w.queue);
    assert_int_equal(atomic_load(&gauges->states[HG_EVENT_QUEUED]), 20);
    queue_close(w.queue);
    router_free(w.router);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_success, set_up),
        cmocka_unit_test_setup(test_failure_without_target_is_kept, set_up),
        cmocka_unit_test_setup(test_failure_is_told_to_destination_and_dead_letter_queue, set_up),
        cmocka_unit_test_setup(test_target_that_can_never_work, set_up),
        cmocka_unit_test_setup(test_zero_concurrency, set_up),
        cmocka_unit_test_setup(test_age_limit, set_up),
        cmocka_unit_test_setup(test_deleted_function, set_up),
        cmocka_unit_test_setup(test_loop_of_functions_is_stopped, set_up),
        cmocka_unit_test_setup(test_backlog_of_one_function_is_its_own, set_up),
        cmocka_unit_test_setup(test_drain_gives_back, set_up),
    };

    return cmocka_run_group_tests_name("router", tests, NULL, NULL);
}
