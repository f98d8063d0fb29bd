/*
 * How much a function may take of what there is.
 */
#include "tests/unit/unit.h"

#include "router/lane_credit.h"
#include "router/lane_load.h"

static void test_reserved(void **state)
{
    struct hg_room room = {.is_reserved = true, .max = 10, .environments = 10, .run_us = 1000000};

    (void)state;
    assert_int_equal(credit_runs(&room, 1.0, false, 0, 0), 10);
    assert_int_equal(credit_runs(&room, 1.0, false, 7, 99), 3);
    assert_int_equal(credit_runs(&room, 0.5, false, 5, 0), 0);
    room.max = 1;
    assert_int_equal(credit_runs(&room, 0.5, false, 0, 0), 1);
    assert_int_equal(credit_runs(&room, 0.5, false, 1, 0), 0);
    /* Quick ones wait in the pool, so that the environment need not wait for a message. */
    room.run_us = 200;
    assert_int_equal(credit_runs(&room, 0.5, false, 1, 0), 8);
}

static void test_shared_leaves_something(void **state)
{
    struct hg_room room = {.max = 1000, .environments = 1000, .run_us = 1000000};

    (void)state;
    assert_int_equal(credit_runs(&room, 0.5, false, 0, 0), 400);
    assert_int_equal(credit_runs(&room, 0.5, false, 400, 400), 0);
    /* The next function, and the one after. */
    assert_int_equal(credit_runs(&room, 0.5, false, 0, 400), 80);
    assert_int_equal(credit_runs(&room, 0.5, false, 0, 480), 16);
    assert_int_equal(credit_runs(&room, 0.5, false, 0, 499), 1);
    assert_int_equal(credit_runs(&room, 0.5, false, 0, 500), 0);
    assert_int_equal(credit_runs(&room, 0.5, false, 350, 450), 0);
}

static void test_grows_with_its_environments(void **state)
{
    struct hg_room room = {.max = 1000};

    (void)state;
    assert_int_equal(credit_runs(&room, 1.0, false, 0, 0), 4);
    room.starting = 4;
    assert_int_equal(credit_runs(&room, 1.0, false, 4, 4), 0);
    room.environments = 4;
    room.run_us = 1000000;
    assert_int_equal(credit_runs(&room, 1.0, false, 4, 4), 4);
    room.environments = 100;
    assert_int_equal(credit_runs(&room, 1.0, false, 12, 12), 188);
    /* No more processes than before for work that has the processors already. */
    assert_int_equal(credit_runs(&room, 1.0, true, 12, 12), 92);
    assert_int_equal(credit_runs(&room, 1.0, true, 104, 104), 0);
    /* Quick ones need no more environments, only no pauses. */
    room.environments = 4;
    room.run_us = 100;
    assert_int_equal(credit_runs(&room, 1.0, true, 12, 12), 12);
}

static void test_full(void **state)
{
    struct hg_room room = {.max = 100, .is_full = true, .environments = 7, .run_us = 1000000};

    (void)state;
    assert_int_equal(credit_runs(&room, 1.0, false, 0, 0), 7);
    assert_int_equal(credit_runs(&room, 1.0, false, 7, 7), 0);
    /* Somebody else has everything: one asks for room. */
    room.environments = 0;
    assert_int_equal(credit_runs(&room, 1.0, false, 0, 0), 1);
}

static void test_others_come_first(void **state)
{
    struct hg_room room = {.max = 100, .environments = 50, .idle = 50, .queued_ahead = 1};

    (void)state;
    assert_int_equal(credit_runs(&room, 1.0, false, 0, 0), 0);
}

static void test_ahead(void **state)
{
    (void)state;
    assert_int_equal(credit_ahead(0, 5000), 0);
    assert_int_equal(credit_ahead(1, 5000), 0);
    assert_int_equal(credit_ahead(10000, 5000), 150);
    assert_int_equal(credit_ahead(10000, 10000), 250);
    assert_int_equal(credit_ahead(100000, 10000), 512);
    assert_int_equal(credit_ahead(1000, 900000), 105);
}

static void test_processor_time(void **state)
{
    uint64_t idle, all;

    (void)state;
    assert_true(load_parse(HG_STR("cpu  100 20 30 4000 50 6 7 8 90 10\ncpu0 1 2\n"), &idle, &all));
    assert_int_equal(idle, 4050);
    assert_int_equal(all, 4221);
    assert_true(load_parse(HG_STR("cpu 1 2 3 4"), &idle, &all));
    assert_int_equal(idle, 4);
    assert_false(load_parse(HG_STR("cpu 1 2 3"), &idle, &all));
    assert_false(load_parse(HG_STR("cpu0 1 2 3 4"), &idle, &all));
    assert_false(load_parse(HG_STR("cpu 1 x 3 4"), &idle, &all));
    assert_false(load_parse(HG_STR(""), &idle, &all));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_shared_leaves_something),
        cmocka_unit_test(test_grows_with_its_environments),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_others_come_first),
        cmocka_unit_test(test_ahead),
        cmocka_unit_test(test_processor_time),
    };

    return cmocka_run_group_tests_name("lane_credit", tests, NULL, NULL);
}
