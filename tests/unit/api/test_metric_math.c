/* api/cloudwatch_math: what the operators bind, gaps, numbers and series, what is refused. */
#include "api/cloudwatch_math.h"
#include "tests/unit/unit.h"

#include <math.h>

enum { COUNT = 3 };
#define GAP NAN

static struct math_series a = {.period_s = 60,
                               .count = COUNT,
                               .values = (double[]){1, 2, 3},
                               .has = (bool[]){true, true, true}},
                          b = {.period_s = 60,
                               .count = COUNT,
                               .values = (double[]){4, 0, 0},
                               .has = (bool[]){true, false, true}},
                          hourly = {.period_s = 3600,
                                    .count = 1,
                                    .values = (double[]){1},
                                    .has = (bool[]){true}};

static const struct math_series *find(struct hg_str id, void *arg)
{
    (void)arg;
    if (hg_str_is(id, "hourly"))
        return &hourly;
    return hg_str_is(id, "a") ? &a : hg_str_is(id, "b") ? &b : NULL;
}

static void check(const char *expression, double first, double second, double third)
{
    const struct math_context context = {.find = find};
    const double expected[COUNT] = {first, second, third};
    struct math_series result;
    struct hg_error err;

    assert_int_equal(math_evaluate(&context, hg_str_of(expression), &result, &err), HG_OK);
    assert_int_equal(result.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(result.has[i], !isnan(expected[i]));
        assert_true(isnan(expected[i]) || fabs(result.values[i] - expected[i]) < 1e-12);
    }
    math_series_fini(&result);
}

static void refused(const char *expression, enum hg_rc rc, const char *text)
{
    const struct math_context context = {.find = find};
    struct math_series result;
    struct hg_error err = {""};

    assert_int_equal(math_evaluate(&context, hg_str_of(expression), &result, &err), rc);
    assert_non_null(strstr(err.text, text));
}

static void test_operators(void **state)
{
    (void)state;
    check("1 + 2 * a", 3, 5, 7);
    check("(1 + 2) * a", 3, 6, 9);
    check("10 - a - 1", 8, 7, 6);
    check("12 / a / 2", 6, 3, 2);
    check("2 ^ a", 2, 4, 8);
    check("-a + 1", 0, -1, -2);
    check("a > 1 && a < 3", 0, 1, 0);
    check("a == 1 OR a >= 3", 1, 0, 1);
    check("1.5e1 * a", 15, 30, 45);
}

static void test_gaps(void **state)
{
    (void)state;
    check("a + b", 5, GAP, 3);
    check("a / b", 0.25, GAP, GAP); /* 3 / 0 */
    check("b + 0", 4, GAP, 0);
    check("FILL(b, 9) + a", 5, 11, 3);
    check("FILL(b, LINEAR)", 4, 2, 0);
    check("FILL(b, REPEAT)", 4, 4, 0);
    check("SUM([a, b])", 5, 2, 3);
    check("AVG([a, b])", 2.5, 2, 1.5);
    check("IF(b, a, 7)", 1, GAP, 7);
    check("a * 0 + SUM(b)", 4, 4, 4);
    check("a * 0 + AVG(b)", 2, 2, 2);
}

static void test_refusals(void **state)
{
    (void)state;
    refused("a +", HG_E_INVALID, "ends too early");
    refused("a b", HG_E_INVALID, "unexpected: b");
    refused("1 + 1", HG_E_INVALID, "does not give a time series");
    refused("c", HG_E_INVALID, "nothing is known by the id c");
    refused("a + hourly", HG_E_UNSUPPORTED, "different periods");
    refused("SUM([a, hourly])", HG_E_UNSUPPORTED, "different periods");
    refused("SUM(1)", HG_E_INVALID, "needed by SUM");
    refused("[a, b] + 1", HG_E_UNSUPPORTED, "arrays of series");
    refused("1 / 0 + a", HG_E_INVALID, "no value");
}

static void count_ids(struct hg_str id, void *arg)
{
    (void)id;
    ++*(unsigned *)arg;
}

static void test_check(void **state)
{
    unsigned ids = 0;
    struct hg_error err;

    (void)state;
    assert_int_equal(math_check(HG_STR("FILL(a, REPEAT) + b * a"), count_ids, &ids, &err), HG_OK);
    assert_int_equal(ids, 3);
    assert_int_equal(math_check(HG_STR("RATE(a)"), count_ids, &ids, &err), HG_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "not available: RATE"));
    assert_int_equal(math_check(HG_STR("SUM(a, b)"), count_ids, &ids, &err), HG_E_INVALID);
    assert_int_equal(math_check(HG_STR("SEARCH('x')"), count_ids, &ids, &err), HG_E_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
