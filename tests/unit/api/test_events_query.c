/*
 * The query of the events pages: every parameter, and the sentences of mistakes.
 */
#include "api/events_query.h"
#include "tests/unit/unit.h"

#define NOW_MS INT64_C(1767322800000) /* 2026-01-02T03:00:00Z */
#define ALL 31u

static void expect_mistake(const char *text, unsigned takes, const char *sentence)
{
    struct events_query query;
    struct hg_error err = {""};

    assert_false(events_query_parse(hg_str_of(text), takes, NOW_MS, &query, &err));
    assert_string_equal(err.text, sentence);
}

static struct events_query parse(const char *text)
{
    struct events_query query;
    struct hg_error err = {""};

    if (!events_query_parse(hg_str_of(text), ALL, NOW_MS, &query, &err))
        fail_msg("%s: %s", text, err.text);
    return query;
}

static void test_nothing_given(void **state)
{
    struct events_query query = parse("");

    (void)state;
    assert_string_equal(query.function, "");
    assert_int_equal(query.states, 0);
    assert_int_equal(query.since_ms, 0);
    assert_int_equal(query.limit, 0);
    assert_string_equal(query.cursor, "");
}

static void test_all_together(void **state)
{
    struct events_query query =
        parse("function=orders&state=dead,%20queued&state=running&limit=1000&cursor=a%2Bb&");

    (void)state;
    assert_string_equal(query.function, "orders");
    assert_int_equal(query.states,
                     1u << HG_EVENT_DEAD | 1u << HG_EVENT_QUEUED | 1u << HG_EVENT_RUNNING);
    assert_int_equal(query.limit, 1000);
    assert_string_equal(query.cursor, "a+b");
}

static void test_names_of_functions(void **state)
{
    (void)state;
    assert_string_equal(parse("function=orders:live").function, "orders");
    assert_string_equal(
        parse("function=arn:aws:lambda:us-east-1:000000000000:function:a-b_c.d:7").function,
        "a-b_c.d");
    expect_mistake("function=", ALL,
                   "function: '' is not a function's name or ARN (1 to 140 letters, digits, '-', "
                   "'_', '.')");
    expect_mistake("function=a%00b", ALL,
                   "function: 'a' is not a function's name or ARN (1 to 140 letters, digits, '-', "
                   "'_', '.')");
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t since_ms;
    } cases[] = {
        {"since=10m", NOW_MS - 600000},
        {"since=1d", NOW_MS - 86400000},
        {"since=1767322800", NOW_MS},
        {"since=1767322800123", NOW_MS + 123},
        {"since=2026-01-02", NOW_MS - 3 * 3600000},
        {"since=2026-01-02T03:00", NOW_MS},
        {"since=2026-01-02T03:00:00Z", NOW_MS},
        {"since=2026-01-02T03:00:01.5Z", NOW_MS + 1500},
        {"since=2026-01-02T05:00:00%2B02:00", NOW_MS},
        {"since=2026-01-02T05:00:00+0200", NOW_MS},
        {"since=2026-01-01T22:00:00-05:00", NOW_MS},
    };
    static const char *const bad[] = {"yesterday",
                                      "2026-02-30",
                                      "2026-1-2",
                                      "0",
                                      "2026-01-02T24:00",
                                      "2026-01-02T03",
                                      "10 m",
                                      "",
                                      "99999999999999999999",
                                      "2026-01-02T03:00:00X"};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++)
        assert_int_equal(parse(cases[i].text).since_ms, cases[i].since_ms);
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        char text[64], sentence[256];

        (void)snprintf(text, sizeof(text), "since=%s", bad[i]);
        (void)snprintf(sentence, sizeof(sentence),
                       "since: '%s' is no time: a duration like 10m, seconds or milliseconds since "
                       "1970, or 2026-01-02T03:04:05Z",
                       bad[i]);
        expect_mistake(text, ALL, sentence);
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    expect_mistake("state=dead,deceased", ALL,
                   "state: 'deceased' is not one of queued, running, retrying, delivered, dead");
    expect_mistake("state=", ALL,
                   "state: is empty; give some of queued, running, retrying, delivered, dead");
    expect_mistake("limit=0", ALL, "limit: '0' is not a whole number from 1 to 1000");
    expect_mistake("limit=1001", ALL, "limit: '1001' is not a whole number from 1 to 1000");
    expect_mistake("limit=-1", ALL, "limit: '-1' is not a whole number from 1 to 1000");
    expect_mistake("functio=a", ALL,
                   "there is no parameter 'functio' here; allowed: function, state, since, limit, "
                   "cursor");
    expect_mistake("state=dead", EVENTS_TAKES_FUNCTION | EVENTS_TAKES_LIMIT,
                   "there is no parameter 'state' here; allowed: function, limit");
    expect_mistake("x", 0, "there is no parameter 'x' here; allowed: none");
}

static void test_ids(void **state)
{
    (void)state;
    assert_true(events_is_id(HG_STR("0190c2a4-7e0e-7e0e-9d0e-0c9a8b7d6e5f")));
    assert_false(events_is_id(HG_STR("0190C2A4-7e0e-7e0e-9d0e-0c9a8b7d6e5f")));
    assert_false(events_is_id(HG_STR("0190c2a4-7e0e-7e0e-9d0e-0c9a8b7d6e5")));
    assert_false(events_is_id(HG_STR("0190c2a4-7e0e-7e0e-9d0e-0c9a8b7d6e5f0")));
    assert_false(events_is_id(HG_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_given),      cmocka_unit_test(test_all_together),
        cmocka_unit_test(test_names_of_functions), cmocka_unit_test(test_times),
        cmocka_unit_test(test_mistakes),           cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
