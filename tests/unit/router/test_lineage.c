/*
 * How often a chain has gone through a function (async.md §8).
 */
#include "tests/unit/unit.h"

#include "router/lineage.h"

#include <stdio.h>

/* The first eight digits of SHA-256 of the ARNs "a" and "b". */
#define HASH_A "ca978112"
#define HASH_B "3e23e816"

static const struct hg_function a = {.arn = {"a", 1}}, b = {.arn = {"b", 1}};
static const struct hg_function looper = {.arn = {"a", 1}, .may_recurse = true};
static char trace[HG_LINEAGE_TRACE_MAX];

static void given(const char *text)
{
    snprintf(trace, sizeof(trace), "%s", text);
}

static void test_counts(void **state)
{
    (void)state;
    given("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1");
    assert_true(lineage_enter(trace, &a));
    assert_string_equal(
        trace, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=1:" HASH_A ":0");
    assert_true(lineage_enter(trace, &a));
    assert_string_equal(
        trace, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=1:" HASH_A ":1");
    assert_true(lineage_enter(trace, &b));
    assert_string_equal(trace,
                        "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=1:" HASH_A
                        ":1|1:" HASH_B ":0");
}

static void test_lineage_in_the_middle(void **state)
{
    (void)state;
    given("Root=1-2-3;Lineage=1:" HASH_A ":4;Parent=53995c3f42cd8ad8");
    assert_true(lineage_enter(trace, &a));
    assert_string_equal(trace, "Root=1-2-3;Parent=53995c3f42cd8ad8;Lineage=1:" HASH_A ":5");
}

static void test_seventeenth_is_stopped(void **state)
{
    char before[HG_LINEAGE_TRACE_MAX];

    (void)state;
    given("Root=1-2-3");
    for (int i = 0; i < 16; i++)
        assert_true(lineage_enter(trace, &a));
    assert_string_equal(trace, "Root=1-2-3;Lineage=1:" HASH_A ":15");
    memcpy(before, trace, sizeof(before));
    assert_false(lineage_enter(trace, &a));
    assert_string_equal(trace, before);
    assert_true(lineage_enter(trace, &b));
}

static void test_loop_of_two(void **state)
{
    (void)state;
    given("Root=1-2-3");
    for (int i = 0; i < 16; i++) {
        assert_true(lineage_enter(trace, &a));
        assert_true(lineage_enter(trace, &b));
    }
    assert_false(lineage_enter(trace, &a));
    assert_false(lineage_enter(trace, &b));
}

static void test_allowed_loop(void **state)
{
    (void)state;
    given("Root=1-2-3");
    for (int i = 0; i < 1200; i++)
        assert_true(lineage_enter(trace, &looper));
    assert_string_equal(trace, "Root=1-2-3;Lineage=1:" HASH_A ":999");
}

static void test_many_functions(void **state)
{
    char names[40][3];

    (void)state;
    given("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    for (int i = 0; i < 40; i++) {
        struct hg_function f = {.arn = {names[i], 3}};

        names[i][0] = 'f';
        names[i][1] = (char)('0' + i / 10);
        names[i][2] = (char)('0' + i % 10);
        assert_true(lineage_enter(trace, &f));
        assert_true(strlen(trace) < HG_LINEAGE_TRACE_MAX - 1);
    }
    /* After all of them, a loop is still found. */
    for (int i = 0; i < 16; i++)
        assert_true(lineage_enter(trace, &a));
    assert_false(lineage_enter(trace, &a));
}

static void test_new_root(void **state)
{
    (void)state;
    given("");
    assert_true(lineage_enter(trace, &a));
    assert_int_equal(
        strlen(trace),
        strlen("Root=1-00000000-000000000000000000000000;Sampled=0;Lineage=1:" HASH_A ":0"));
    assert_memory_equal(trace, "Root=1-", 7);
    assert_non_null(strstr(trace, ";Sampled=0;Lineage=1:" HASH_A ":0"));
}

static void test_what_is_not_understood_is_dropped(void **state)
{
    static const char *const bad[] = {
        "Root=1-2-3;Lineage=",
        "Root=1-2-3;Lineage=1",
        "Root=1-2-3;Lineage=2:" HASH_A ":3",
        "Root=1-2-3;Lineage=1:xyz:3",
        "Root=1-2-3;Lineage=1:" HASH_A ":-1",
        "Root=1-2-3;Lineage=1:" HASH_A ":99999999999999999999",
        "Root=1-2-3;Lineage=1:" HASH_A ":3:4",
        "Root=1-2-3;Lineage=||::|1:" HASH_A "a:1",
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        given(bad[i]);
        assert_true(lineage_enter(trace, &a));
        assert_string_equal(trace, "Root=1-2-3;Lineage=1:" HASH_A ":0");
    }
}

static void test_full_header_keeps_the_lineage(void **state)
{
    (void)state;
    memset(trace, 'x', sizeof(trace) - 1);
    trace[sizeof(trace) - 1] = '\0';
    assert_true(lineage_enter(trace, &a));
    assert_string_equal(trace, "Lineage=1:" HASH_A ":0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_lineage_in_the_middle),
        cmocka_unit_test(test_seventeenth_is_stopped),
        cmocka_unit_test(test_loop_of_two),
        cmocka_unit_test(test_allowed_loop),
        cmocka_unit_test(test_many_functions),
        cmocka_unit_test(test_new_root),
        cmocka_unit_test(test_what_is_not_understood_is_dropped),
        cmocka_unit_test(test_full_header_keeps_the_lineage),
    };

    return cmocka_run_group_tests_name("lineage", tests, NULL, NULL);
}
