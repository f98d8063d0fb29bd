/* workers/minute: what is noted on loops reaches the store under every set of dimensions, once, or not at all after a reset. */
#include "workers/minute.h"

#include "core/clock.h"
#include "core/series_key.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

struct world {
    char dir[64];
    struct hg_loops *loops;
    struct hg_minutes *minutes;
    struct hg_timer timer;
    void (*act)(struct world *world);
    int64_t now_ms;
};

static struct world *world_of(struct hg_timer *timer)
{
    return hg_container_of(timer, struct world, timer);
}

static void on_timer(struct hg_timer *timer)
{
    struct world *world = world_of(timer);

    world->act(world);
}

/* Runs act on the control loop: recording asks for the loop that it is on. */
static void on_loop(struct world *world, void (*act)(struct world *world))
{
    world->act = act;
    hg_timer_start_us(&world->timer, 0);
    hg_loop_run(world->loops->control);
}

static void stop(struct world *world)
{
    hg_loop_stop(world->loops->control);
}

static int set_up(void **state)
{
    struct world *world = hg_calloc(1, sizeof(*world));
    struct hg_error err;

    (void)snprintf(world->dir, sizeof(world->dir), "/tmp/headgate-minute-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    world->now_ms = hg_steady_ms();
    world->loops = hg_loops_new(1);
    world->minutes = minutes_open(world->loops, world->dir, &err);
    assert_non_null(world->minutes);
    hg_timer_init(&world->timer, world->loops->control, on_timer);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    char command[96];

    minutes_close(world->minutes);
    hg_loops_free(world->loops);
    (void)snprintf(command, sizeof(command), "rm -r %s", world->dir);
    assert_int_equal(system(command), 0);
    free(world);
    return 0;
}

/* ---- asking the store, once it is closed and opened again ---- */

static void on_point(int64_t minute, const struct hg_statset *set, void *arg)
{
    (void)minute;
    hg_statset_merge(arg, set);
}

static double sum_of(struct series_store *store, struct hg_metric metric)
{
    struct hg_statset set = {0};
    struct hg_buf key;
    double sum;

    metric.space = HG_STR("AWS/Lambda");
    metric.unit = HG_STR("Count");
    hg_buf_init(&key, HG_SERIES_KEY_MAX);
    hg_metric_key(&metric, &key);
    sum = series_store_read(store, hg_buf_str(&key), 0, INT32_MAX, on_point, &set) ? set.sum : -1;
    hg_buf_fini(&key);
    hg_statset_fini(&set);
    return sum;
}

static struct series_store *reopen(struct world *world)
{
    struct hg_error err;
    struct series_store *store;

    minutes_close(world->minutes);
    world->minutes = NULL;
    store = series_store_open(world->dir, &hg_series_options_default, world->now_ms / 60000, &err);
    assert_non_null(store);
    return store;
}

static void note(struct world *world, const char *function, const char *qualifier,
                 const char *version)
{
    const struct hg_minute_subject subject = {.function = hg_str_of(function),
                                              .qualifier = hg_str_of(qualifier),
                                              .executed_version = hg_str_of(version)};

    minutes_note(world->minutes, HG_MINUTE_INVOCATIONS, &subject, world->now_ms, 1);
}

static void note_some(struct world *world)
{
    note(world, "f", "", "");
    note(world, "f", "live", "3");
    note(world, "f", "live", "4");
    note(world, "f", "live", "4");
    note(world, "g", "7", "");
    stop(world);
}

static void test_dimensions(void **state)
{
    struct world *world = *state;
    struct hg_dimension f = {HG_STR("FunctionName"), HG_STR("f")};
    struct hg_dimension live = {HG_STR("Resource"), HG_STR("f:live")};
    struct hg_dimension four = {HG_STR("ExecutedVersion"), HG_STR("4")};
    struct series_store *store;

    on_loop(world, note_some);
    store = reopen(world);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations")}) == 5);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations"),
                                                 .dimensions = {f},
                                                 .dimension_count = 1}) == 4);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations"),
                                                 .dimensions = {f, live},
                                                 .dimension_count = 2}) == 3);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations"),
                                                 .dimensions = {f, live, four},
                                                 .dimension_count = 3}) == 2);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Errors")}) == -1);
    series_store_close(store);
}

static void note_many(struct world *world)
{
    char name[32];

    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 1500; i++) {
            (void)snprintf(name, sizeof(name), "function-%d", i);
            note(world, name, "", "");
        }
    stop(world);
}

/* More functions than a batch has room for. */
static void test_many_functions(void **state)
{
    struct world *world = *state;
    struct series_store *store;

    on_loop(world, note_many);
    store = reopen(world);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations")}) == 4500);
    series_store_close(store);
}

static void note_forget_note(struct world *world)
{
    note(world, "f", "", "");
    minutes_forget(world->minutes);
    note(world, "g", "", "");
    stop(world);
}

static void test_forget(void **state)
{
    struct world *world = *state;
    struct hg_dimension f = {HG_STR("FunctionName"), HG_STR("f")};
    struct series_store *store;

    on_loop(world, note_forget_note);
    store = reopen(world);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations")}) == 1);
    assert_true(sum_of(store, (struct hg_metric){.name = HG_STR("Invocations"),
                                                 .dimensions = {f},
                                                 .dimension_count = 1}) == -1);
    series_store_close(store);
}

struct asked {
    struct hg_series_op op;
    struct world *world;
    size_t series;
};

static void work_count(struct hg_series_op *op, struct series_store *store)
{
    hg_container_of(op, struct asked, op)->series = series_store_count(store);
}

static void on_counted(struct hg_series_op *op)
{
    stop(hg_container_of(op, struct asked, op)->world);
}

static struct asked asked = {.op = {.work = work_count, .done = on_counted}};

static void on_flushed(void *arg)
{
    struct world *world = arg;

    asked.world = world;
    series_submit(minutes_store(world->minutes), world->loops->control, &asked.op);
}

static void note_and_flush(struct world *world)
{
    note(world, "f", "", "");
    minutes_flush(world->minutes, world->loops->control, on_flushed, world);
}

/* What is asked after a flush counts in what was noted before it. */
static void test_flush(void **state)
{
    struct world *world = *state;

    hg_loops_start(world->loops);
    on_loop(world, note_and_flush);
    hg_loops_stop(world->loops);
    assert_int_equal(asked.series, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_dimensions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forget, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flush, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
