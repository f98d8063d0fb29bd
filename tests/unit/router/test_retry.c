/*
 * The schedule, row by row (async.md §§2 and 9).
 */
#include "tests/unit/unit.h"

#include "router/retry.h"

enum { ACCEPTED = 1000000 };

static struct hg_event event;
static struct hg_function function;
static struct hg_event_config config;
static struct hg_retry_rules rules;

static int set_up(void **state)
{
    (void)state;
    event = (struct hg_event){.accepted_ms = ACCEPTED, .due_ms = ACCEPTED, .current_target = -1};
    function = (struct hg_function){.reserved_concurrency = -1};
    config = (struct hg_event_config){.max_retries = -1, .max_age_s = -1};
    retry_rules(NULL, 1.0, &rules);
    return 0;
}

static enum hg_event_condition before(int64_t after_ms)
{
    return retry_before(&event, &function, &rules, ACCEPTED + after_ms);
}

static enum hg_event_condition after(enum hg_attempt_outcome outcome, int64_t after_ms)
{
    return retry_after(&event, outcome, &rules, ACCEPTED + after_ms, 0.0);
}

static void test_rules(void **state)
{
    (void)state;
    assert_int_equal(rules.max_retries, 2);
    assert_int_equal(rules.max_age_ms, 21600000);
    config.max_retries = 0;
    config.max_age_s = 60;
    retry_rules(&config, 0.01, &rules);
    assert_int_equal(rules.max_retries, 0);
    assert_int_equal(rules.max_age_ms, 600);
    config.max_retries = config.max_age_s = -1;
    retry_rules(&config, 1.0, &rules);
    assert_int_equal(rules.max_retries, 2);
    assert_int_equal(rules.max_age_ms, 21600000);
}

static void test_function_errors_one_and_two_minutes_apart(void **state)
{
    (void)state;
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 500), HG_CONDITION_NONE);
    assert_int_equal(event.tries, 1);
    assert_int_equal(event.due_ms, ACCEPTED + 60500);
    assert_int_equal(after(HG_ATTEMPT_TIMEOUT, 61000), HG_CONDITION_NONE);
    assert_int_equal(event.tries, 2);
    assert_int_equal(event.due_ms, ACCEPTED + 181000);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 182000), HG_CONDITION_RETRIES_EXHAUSTED);
    assert_int_equal(event.tries, 3);
}

static void test_no_retry_when_none_is_allowed(void **state)
{
    (void)state;
    config.max_retries = 0;
    retry_rules(&config, 1.0, &rules);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 10), HG_CONDITION_RETRIES_EXHAUSTED);
    assert_int_equal(event.tries, 1);
}

static void test_lowered_limit_counts_for_what_is_under_way(void **state)
{
    (void)state;
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 10), HG_CONDITION_NONE);
    config.max_retries = 1;
    retry_rules(&config, 1.0, &rules);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 60010), HG_CONDITION_RETRIES_EXHAUSTED);
    assert_int_equal(event.tries, 2);
}

static void test_age_limit_60_expires_after_the_first_attempt(void **state)
{
    (void)state;
    config.max_age_s = 60;
    retry_rules(&config, 1.0, &rules);
    assert_int_equal(before(3), HG_CONDITION_NONE);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 100), HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(event.tries, 1);
}

static void test_age_limit_60_holds_for_a_run_of_no_time(void **state)
{
    (void)state;
    config.max_age_s = 60;
    retry_rules(&config, 0.001, &rules);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 0), HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(event.tries, 1);
}

static void test_age_limit_90_allows_one_retry(void **state)
{
    (void)state;
    config.max_age_s = 90;
    retry_rules(&config, 1.0, &rules);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 100), HG_CONDITION_NONE);
    assert_int_equal(event.due_ms, ACCEPTED + 60100);
    assert_int_equal(before(60150), HG_CONDITION_NONE);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 60300), HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(event.tries, 2);
}

static void test_throttles_double_up_to_five_minutes(void **state)
{
    static const unsigned seconds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(seconds); i++) {
        assert_int_equal(after(i % 2 ? HG_ATTEMPT_SYSTEM_ERROR : HG_ATTEMPT_THROTTLED, 5),
                         HG_CONDITION_NONE);
        assert_int_equal(event.backoff_s, seconds[i]);
        assert_int_equal(event.due_ms, ACCEPTED + 5 + (int64_t)seconds[i] * 1000);
        assert_int_equal(event.tries, 0);
    }
}

static void test_jitter_shortens_by_a_quarter_at_most(void **state)
{
    (void)state;
    assert_int_equal(retry_after(&event, HG_ATTEMPT_THROTTLED, &rules, ACCEPTED, 0.5),
                     HG_CONDITION_NONE);
    assert_int_equal(event.due_ms, ACCEPTED + 875);
    event.backoff_s = 300;
    assert_int_equal(retry_after(&event, HG_ATTEMPT_THROTTLED, &rules, ACCEPTED, 0.999999),
                     HG_CONDITION_NONE);
    assert_int_equal(event.due_ms, ACCEPTED + 225000);
}

static void test_a_run_ends_the_back_off(void **state)
{
    (void)state;
    (void)after(HG_ATTEMPT_THROTTLED, 0);
    (void)after(HG_ATTEMPT_THROTTLED, 1000);
    assert_int_equal(event.backoff_s, 2);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 3000), HG_CONDITION_NONE);
    assert_int_equal(event.backoff_s, 0);
    assert_int_equal(event.due_ms, ACCEPTED + 63000);
    (void)after(HG_ATTEMPT_THROTTLED, 63000);
    assert_int_equal(event.backoff_s, 1);
    assert_int_equal(event.tries, 1);
}

static void test_throttled_event_expires(void **state)
{
    (void)state;
    event.backoff_s = 128;
    config.max_age_s = 300;
    retry_rules(&config, 1.0, &rules);
    assert_int_equal(after(HG_ATTEMPT_THROTTLED, 43000), HG_CONDITION_NONE);
    event.backoff_s = 128;
    assert_int_equal(after(HG_ATTEMPT_THROTTLED, 44001), HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(event.tries, 0);
}

static void test_success(void **state)
{
    (void)state;
    assert_int_equal(after(HG_ATTEMPT_SUCCESS, 5), HG_CONDITION_SUCCESS);
    assert_int_equal(event.tries, 1);
}

static void test_before_a_run(void **state)
{
    (void)state;
    assert_int_equal(before(0), HG_CONDITION_NONE);
    assert_int_equal(before(21600000), HG_CONDITION_NONE);
    assert_int_equal(before(21600001), HG_CONDITION_AGE_EXCEEDED);
    function.reserved_concurrency = 1;
    assert_int_equal(before(0), HG_CONDITION_NONE);
    function.reserved_concurrency = 0;
    assert_int_equal(before(0), HG_CONDITION_ZERO_CONCURRENCY);
    assert_int_equal(before(21600001), HG_CONDITION_ZERO_CONCURRENCY);
    assert_int_equal(retry_before(&event, NULL, &rules, ACCEPTED), HG_CONDITION_NO_FUNCTION);
}

static void test_scale_shortens_everything_alike(void **state)
{
    (void)state;
    config.max_age_s = 90;
    retry_rules(&config, 0.01, &rules);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 20), HG_CONDITION_NONE);
    assert_int_equal(event.due_ms, ACCEPTED + 620);
    assert_int_equal(before(900), HG_CONDITION_NONE);
    /* It was due in time; a machine that is a little late does not lose it. */
    assert_int_equal(before(1620), HG_CONDITION_NONE);
    assert_int_equal(before(1621), HG_CONDITION_AGE_EXCEEDED);
    event.due_ms = ACCEPTED;
    assert_int_equal(before(900), HG_CONDITION_NONE);
    assert_int_equal(before(901), HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(after(HG_ATTEMPT_FUNCTION_ERROR, 640), HG_CONDITION_AGE_EXCEEDED);
    assert_int_equal(retry_after(&event, HG_ATTEMPT_THROTTLED, &rules, ACCEPTED, 0.8),
                     HG_CONDITION_NONE);
    assert_int_equal(event.due_ms, ACCEPTED + 8);
}

static void test_delivery(void **state)
{
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 64, 128, 300, 300};

    (void)state;
    for (unsigned i = 0; i < HG_COUNT(seconds); i++)
        assert_int_equal(retry_delivery(i + 1, 2000, 1.0, 0.0), 2000 + seconds[i] * 1000);
    assert_int_equal(retry_delivery(1, 2000, 1.0, 0.5), 2875);
    assert_int_equal(retry_delivery(1, 2000, 0.01, 0.0), 2010);
    /* 255 s of the first eight and 71 times 300 s: about six hours. */
    assert_int_equal(retry_delivery(79, 2000, 1.0, 0.0), 302000);
    assert_int_equal(retry_delivery(80, 2000, 1.0, 0.0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_rules, set_up),
        cmocka_unit_test_setup(test_function_errors_one_and_two_minutes_apart, set_up),
        cmocka_unit_test_setup(test_no_retry_when_none_is_allowed, set_up),
        cmocka_unit_test_setup(test_lowered_limit_counts_for_what_is_under_way, set_up),
        cmocka_unit_test_setup(test_age_limit_60_expires_after_the_first_attempt, set_up),
        cmocka_unit_test_setup(test_age_limit_60_holds_for_a_run_of_no_time, set_up),
        cmocka_unit_test_setup(test_age_limit_90_allows_one_retry, set_up),
        cmocka_unit_test_setup(test_throttles_double_up_to_five_minutes, set_up),
        cmocka_unit_test_setup(test_jitter_shortens_by_a_quarter_at_most, set_up),
        cmocka_unit_test_setup(test_a_run_ends_the_back_off, set_up),
        cmocka_unit_test_setup(test_throttled_event_expires, set_up),
        cmocka_unit_test_setup(test_success, set_up),
        cmocka_unit_test_setup(test_before_a_run, set_up),
        cmocka_unit_test_setup(test_scale_shortens_everything_alike, set_up),
        cmocka_unit_test_setup(test_delivery, set_up),
    };

    return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
