/*
 * Invocations through the whole of workers/, with real processes.
 */
#include "tests/unit/unit.h"
#include "tests/unit/workers/log_text.h"

#include "tests/unit/workers/fixture.h"

static int set_up(void **state)
{
    struct fixture *f = malloc(sizeof(*f));

    fixture_init(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fixture_stop(f);
    free(f);
    return 0;
}

static void call(struct fixture *f, struct call *c, const char *event)
{
    call_start(f, c, 0, event, true);
    call_wait(c);
}

static void expect_answer(struct fixture *f, const char *event, enum hg_function_error error,
                          const char *answer)
{
    struct call c;

    call(f, &c, event);
    assert_int_equal(c.inv.rc, HG_OK);
    assert_str(hg_blob_str(c.inv.answer), answer);
    assert_int_equal(c.inv.error, error);
    invocation_fini(&c.inv);
}

/* Platform-made documents name the request. */
static void expect_failure(struct fixture *f, const char *event, const char *type, const char *text)
{
    struct call c;
    char expected[400];

    call(f, &c, event);
    assert_int_equal(c.inv.rc, HG_OK);
    snprintf(expected, sizeof(expected),
             "{\"errorType\":\"%s\",\"errorMessage\":\"RequestId: %s Error: %s\"}", type,
             c.inv.request_id, text);
    assert_str(hg_blob_str(c.inv.answer), expected);
    invocation_fini(&c.inv);
}

static void answers_come_back(void **state)
{
    struct fixture *f = *state;

    fixture_start(f, 1);
    expect_answer(f, "\"hello\"", HG_FUNCTION_OK, "\"done\"");
    expect_answer(f, "\"echo this\"", HG_FUNCTION_OK, "\"echo this\"");
    expect_answer(f, "\"error\"", HG_FUNCTION_ERROR, "not json");
    expect_answer(f, "\"twice\"", HG_FUNCTION_OK, "\"done\"");
    expect_answer(f, "\"wrong\"", HG_FUNCTION_OK, "\"done\"");
    expect_answer(f, "\"count\"", HG_FUNCTION_OK, "1");
    expect_answer(
        f, "\"huge\"", HG_FUNCTION_ERROR,
        "{\"errorMessage\":\"Response payload size exceeded maximum allowed payload size (6291556 "
        "bytes).\",\"errorType\":\"Function.ResponseSizeTooLarge\"}");
    /* The environment lives on. */
    expect_answer(f, "\"count\"", HG_FUNCTION_OK, "2");
}

static void exits_are_reported(void **state)
{
    struct fixture *f = *state;

    fixture_start(f, 1);
    expect_failure(f, "\"exit 3\"", "Runtime.ExitError",
                   "Runtime exited with error: exit status 3");
    expect_failure(f, "\"exit 0\"", "Runtime.ExitError",
                   "Runtime exited without providing a reason");
    expect_failure(f, "\"kill\"", "Runtime.ExitError", "Runtime exited with error: signal: killed");
    expect_answer(f, "\"count\"", HG_FUNCTION_OK, "1");
}

static void time_outs_are_reported(void **state)
{
    struct fixture *f = *state;
    struct call c;

    f->function->timeout_s = 1;
    fixture_start(f, 1);
    call(f, &c, "\"sleep 30000\"");
    assert_int_equal(c.inv.error, HG_FUNCTION_TIMEOUT);
    assert_int_equal(c.inv.duration_us, 1000000);
    assert_non_null(strstr(c.inv.tail_bytes, "\tDuration: 1000.00 ms\t"));
    assert_non_null(strstr(c.inv.tail_bytes, "\tStatus: timeout\t\n"));
    invocation_fini(&c.inv);
    expect_failure(f, "\"sleep 30000\"", "Sandbox.Timedout", "Task timed out after 1.00 seconds");
}

static void memory_is_limited(void **state)
{
    struct fixture *f = *state;

    fixture_start(f, 1);
    expect_failure(f, "\"eat\"", "Runtime.OutOfMemory",
                   "Runtime exited with error: signal: killed");
    expect_answer(f, "\"count\"", HG_FUNCTION_OK, "1");
}

static void scratch_survives_a_reset(void **state)
{
    struct fixture *f = *state;

    fixture_start(f, 1);
    expect_answer(f, "\"tmp\"", HG_FUNCTION_OK, "\"new\"");
    expect_answer(f, "\"tmp\"", HG_FUNCTION_OK, "\"kept\"");
}

static void failed_initialisations_are_tried_again(void **state)
{
    struct fixture *f = *state;
    struct hg_kv kv = {HG_STR("INIT"), HG_STR("exit")};

    f->function->environment = (struct hg_kv_list){&kv, 1};
    fixture_start(f, 1);
    expect_failure(f, "\"hello\"", "Runtime.ExitError", "Runtime exited with error: exit status 5");
}

static void init_errors_reach_the_caller(void **state)
{
    struct fixture *f = *state;
    struct hg_kv kv = {HG_STR("INIT"), HG_STR("error")};

    f->function->environment = (struct hg_kv_list){&kv, 1};
    fixture_start(f, 1);
    expect_answer(f, "\"hello\"", HG_FUNCTION_ERROR, "{\"no\":\"luck yet");
    expect_answer(f, "\"hello\"", HG_FUNCTION_ERROR, "{\"no\":\"luck yet");
}

static void slow_initialisations_go_on_in_the_invocation(void **state)
{
    struct fixture *f = *state;
    struct hg_kv kv = {HG_STR("INIT"), HG_STR("sleep 400")};
    struct call c;

    f->function->environment = (struct hg_kv_list){&kv, 1};
    f->options.init_timeout_ms = 200;
    fixture_start(f, 1);
    call(f, &c, "\"hello\"");
    assert_int_equal(c.inv.error, HG_FUNCTION_OK);
    assert_int_equal(c.inv.init_us, 0);
    assert_true(c.inv.duration_us >= 400000);
    invocation_fini(&c.inv);
}

static void missing_bootstraps_are_reported(void **state)
{
    struct fixture *f = *state;
    struct call c;

    f->function->code_dir = HG_STR("/tmp");
    fixture_start(f, 1);
    call(f, &c, "\"hello\"");
    assert_int_equal(c.inv.error, HG_FUNCTION_ERROR);
    assert_true(hg_str_find_str(hg_blob_str(c.inv.answer), HG_STR("Runtime.InvalidEntrypoint")) >
                0);
    invocation_fini(&c.inv);
}

static void log_tails_hold_what_was_printed(void **state)
{
    struct fixture *f = *state;
    struct call c;
    char expected[300];
    const char *init;

    fixture_start(f, 1);
    call(f, &c, "\"print\"");
    snprintf(
        expected, sizeof(expected),
        "START RequestId: %s Version: $LATEST\none\ntwo\nEND RequestId: %s\nREPORT RequestId: %s\tDuration: ",
        c.inv.request_id, c.inv.request_id, c.inv.request_id);
    assert_memory_equal(c.inv.log_tail.p, expected, strlen(expected));
    init = strstr(c.inv.tail_bytes, " MB\tInit Duration: ");
    assert_non_null(init);
    assert_memory_equal(c.inv.log_tail.p + c.inv.log_tail.n - 5, " ms\t\n", 5);
    invocation_fini(&c.inv);
    call(f, &c, "\"print\"");
    assert_null(strstr(c.inv.tail_bytes, "Init Duration"));
    invocation_fini(&c.inv);
}

static void parallel_calls_get_environments_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct call calls[8];
    int64_t begun;

    fixture_start(f, 2);
    begun = hg_mono_us();
    for (unsigned i = 0; i < 8; i++)
        call_start(f, &calls[i], i % 3, "\"sleep 1000\"", false);
    for (unsigned i = 0; i < 8; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].inv.rc, HG_OK);
        assert_int_equal(calls[i].inv.error, HG_FUNCTION_OK);
        invocation_fini(&calls[i].inv);
    }
    assert_true(hg_mono_us() - begun < 3000000);
}

static void one_idle_environment_serves_every_loop(void **state)
{
    struct fixture *f = *state;
    struct call c;
    char first[32];

    fixture_start(f, 2);
    call(f, &c, "\"pid\"");
    snprintf(first, sizeof(first), "%.*s", HG_STR_ARG(hg_blob_str(c.inv.answer)));
    invocation_fini(&c.inv);
    for (unsigned i = 0; i < 30; i++) {
        call_start(f, &c, i % 3, "\"pid\"", false);
        call_wait(&c);
        assert_str(hg_blob_str(c.inv.answer), first);
        invocation_fini(&c.inv);
    }
}

static void reserved_concurrency_of_nothing_throttles(void **state)
{
    struct fixture *f = *state;
    struct call c;

    f->function->reserved_concurrency = 0;
    fixture_start(f, 1);
    call(f, &c, "\"hello\"");
    assert_int_equal(c.inv.rc, HG_E_THROTTLED);
    assert_string_equal(c.inv.throttle_reason, "ReservedFunctionConcurrentInvocationLimitExceeded");
    invocation_fini(&c.inv);
}

static void waiting_too_long_is_throttled(void **state)
{
    struct fixture *f = *state;
    struct call first, second;

    f->options.max_concurrency = 1;
    f->options.queue_wait_ms = 50;
    fixture_start(f, 1);
    call_start(f, &first, 0, "\"sleep 1000\"", false);
    call_start(f, &second, 0, "\"sleep 1000\"", false);
    call_wait(&second);
    assert_int_equal(second.inv.rc, HG_E_THROTTLED);
    assert_string_equal(second.inv.throttle_reason, "ConcurrentInvocationLimitExceeded");
    call_wait(&first);
    assert_int_equal(first.inv.rc, HG_OK);
    invocation_fini(&first.inv);
    invocation_fini(&second.inv);
}

static void large_events_and_answers_pass(void **state)
{
    struct fixture *f = *state;
    char *event = malloc(6000001);

    memset(event, 'x', 6000000);
    memcpy(event, "\"echo", 5);
    event[6000000] = '\0';
    fixture_start(f, 1);
    expect_answer(f, event, HG_FUNCTION_OK, event);
    expect_answer(f, event, HG_FUNCTION_OK, event);
    free(event);
}

/* Every invocation ends, whatever the ones before it did to their environments. */
static void nothing_is_lost_in_a_crowd(void **state)
{
    static const char *const events[] = {"\"hello\"", "\"exit 1\"", "\"kill\"", "\"sleep 5\"",
                                         "\"error\"", "\"twice\"",  "\"tmp\"",  "\"print\"",
                                         "\"wrong\"", "\"huge\""};
    enum { CALLS = 300 };
    struct fixture *f = *state;
    struct call *calls = calloc(CALLS, sizeof(*calls));

    f->options.max_concurrency = 6;
    f->options.queue_wait_ms = 60000;
    fixture_start(f, 2);
    for (unsigned i = 0; i < CALLS; i++)
        call_start(f, &calls[i], i % 3, events[i % HG_COUNT(events)], i % 4 == 0);
    for (unsigned i = 0; i < CALLS; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].inv.rc, HG_OK);
        assert_non_null(calls[i].inv.answer);
        invocation_fini(&calls[i].inv);
    }
    free(calls);
}

static void full_limit_does_not_make_environments_come_and_go(void **state)
{
    enum { CALLS = 200 };
    struct fixture *f = *state;
    struct call *calls = calloc(CALLS, sizeof(*calls));
    char first[32];

    f->function->reserved_concurrency = 1;
    f->options.queue_wait_ms = 60000;
    fixture_start(f, 2);
    for (unsigned i = 0; i < CALLS; i++)
        call_start(f, &calls[i], i % 2, "\"pid\"", false);
    for (unsigned i = 0; i < CALLS; i++) {
        call_wait(&calls[i]);
        assert_int_equal(calls[i].inv.rc, HG_OK);
        if (i == 0)
            snprintf(first, sizeof(first), "%.*s", HG_STR_ARG(hg_blob_str(calls[i].inv.answer)));
        assert_str(hg_blob_str(calls[i].inv.answer), first);
        invocation_fini(&calls[i].inv);
    }
    free(calls);
}

static void logs_reach_the_file_in_order(void **state)
{
    struct fixture *f = *state;
    struct call c;
    struct hg_buf text;
    char *start, *one, *end;

    fixture_start(f, 1);
    call(f, &c, "\"print\"");
    hg_buf_init(&text, 1 << 20);
    for (int i = 0; i < 500 && !hg_str_ends(hg_buf_str(&text), HG_STR("\t\n")); i++) {
        hg_buf_clear(&text, 0);
        (void)log_text(f->options.data_dir, "probe", &text);
        usleep(10000);
    }
    hg_buf_append_byte(&text, '\0');
    start = strstr(text.base, " START RequestId: ");
    one = strstr(text.base, " one\n");
    end = strstr(text.base, " END RequestId: ");
    assert_non_null(start);
    assert_non_null(one);
    assert_true(start < one && one < end);
    hg_buf_fini(&text);
    invocation_fini(&c.inv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(answers_come_back),
        TEST(exits_are_reported),
        TEST(time_outs_are_reported),
        TEST(memory_is_limited),
        TEST(scratch_survives_a_reset),
        TEST(failed_initialisations_are_tried_again),
        TEST(init_errors_reach_the_caller),
        TEST(slow_initialisations_go_on_in_the_invocation),
        TEST(missing_bootstraps_are_reported),
        TEST(log_tails_hold_what_was_printed),
        TEST(parallel_calls_get_environments_of_their_own),
        TEST(one_idle_environment_serves_every_loop),
        TEST(reserved_concurrency_of_nothing_throttles),
        TEST(waiting_too_long_is_throttled),
        TEST(large_events_and_answers_pass),
        TEST(nothing_is_lost_in_a_crowd),
        TEST(full_limit_does_not_make_environments_come_and_go),
        TEST(logs_reach_the_file_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
