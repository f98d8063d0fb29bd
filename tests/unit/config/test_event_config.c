/*
 * Event invoke configs in force: look-ups, changes, what a new start makes of template and store; targets by their form.
 */
#include "config/event_config.h"
#include "config/target.h"
#include "tests/unit/config/catalog_case.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* One data directory, opened with one stack after another. */
struct fixture {
    struct catalog_case *cc;
    struct hg_event_configs *configs;
    struct hg_event_setting settings[4];
    size_t setting_count;
};

static int setup(void **state)
{
    struct fixture *f = hg_calloc(1, sizeof(*f));
    void *cc;

    (void)catalog_case_setup(&cc);
    f->cc = cc;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *cc = f->cc;

    event_configs_close(f->configs);
    (void)catalog_case_teardown(&cc);
    free(f);
    return 0;
}

/* Starts anew with what settings holds, and the functions that the tests speak of. */
static void reopen(struct fixture *f)
{
    static const char *const names[] = {"orders", "audit", "other", "a", "b", "c"};
    struct hg_stack *stack = f->cc->stack;

    event_configs_close(f->configs);
    for (size_t i = 0; i < HG_COUNT(names); i++)
        (void)catalog_case_function(f->cc, names[i], "$LATEST");
    stack->event_settings = hg_arena_must(stack->arena, sizeof(f->settings));
    memcpy(stack->event_settings, f->settings, sizeof(f->settings));
    stack->event_setting_count = f->setting_count;
    catalog_case_open(f->cc, true);
    f->configs = event_configs_open(catalog_registry(f->cc->catalog), f->cc->catalog);
}

static void set(struct fixture *f, const char *function, const char *qualifier, int retries)
{
    f->settings[f->setting_count++] = (struct hg_event_setting){
        .function_name = hg_str_of(function),
        .qualifier = hg_str_of(qualifier),
        .max_retries = retries,
        .max_age_s = -1,
        .on_success = HG_STR(""),
        .on_failure = HG_STR("kafka://dead"),
    };
}

static bool is_done;

static void on_done(struct hg_event_config_op *op)
{
    (void)op;
    is_done = true;
}

static enum hg_rc change(struct fixture *f, struct hg_event_config_op *op, const char *function,
                         const char *qualifier)
{
    (void)snprintf(op->config.function, sizeof(op->config.function), "%s", function);
    (void)snprintf(op->config.qualifier, sizeof(op->config.qualifier), "%s", qualifier);
    op->done = on_done;
    is_done = false;
    event_configs_submit(f->configs, f->cc->loop, op);
    while (!is_done)
        hg_loop_turn(f->cc->loop, true);
    return op->rc;
}

static enum hg_rc put(struct fixture *f, const char *function, const char *qualifier, int retries)
{
    struct hg_event_config_op op = {.config = {.max_retries = retries, .max_age_s = -1}};

    return change(f, &op, function, qualifier);
}

static enum hg_rc drop(struct fixture *f, const char *function, const char *qualifier)
{
    struct hg_event_config_op op = {.change = HG_EVENT_CONFIG_DELETE};

    return change(f, &op, function, qualifier);
}

enum { NONE = -2 };

static int retries(struct fixture *f, const char *function, const char *qualifier)
{
    struct hg_event_config config;

    if (!event_configs_find(f->configs, hg_str_of(function), hg_str_of(qualifier), &config))
        return NONE;
    assert_string_equal(config.function, function);
    return config.max_retries;
}

static void test_find(void **state)
{
    struct fixture *f = *state;
    struct hg_event_config config;

    set(f, "orders", "$LATEST", 1);
    set(f, "orders", "live", 0);
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), 1);
    assert_int_equal(retries(f, "orders", "$LATEST"), 1);
    assert_int_equal(retries(f, "orders", "live"), 0);
    assert_int_equal(retries(f, "orders", "1"), NONE);
    assert_int_equal(retries(f, "order", ""), NONE);
    assert_int_equal(retries(f, "orderss", ""), NONE);
    assert_true(event_configs_find(f->configs, HG_STR("orders"), HG_STR(""), &config));
    assert_string_equal(config.qualifier, "$LATEST");
    assert_string_equal(config.on_failure, "kafka://dead");
    assert_string_equal(config.on_success, "");
    assert_int_equal(config.max_age_s, -1);
    assert_true(config.last_modified_ms > INT64_C(1600000000000));
}

static void test_changes(void **state)
{
    struct fixture *f = *state;
    struct hg_event_config_op op = {.change = HG_EVENT_CONFIG_UPDATE,
                                    .config = {.max_retries = -1, .max_age_s = 90}};
    struct hg_event_config config;

    reopen(f);
    assert_int_equal(change(f, &op, "orders", ""), HG_E_NOT_FOUND);
    assert_int_equal(drop(f, "orders", ""), HG_E_NOT_FOUND);
    assert_int_equal(put(f, "orders", "", 1), HG_OK);
    assert_int_equal(retries(f, "orders", "$LATEST"), 1);

    op.config = (struct hg_event_config){.max_retries = -1, .max_age_s = 90};
    assert_int_equal(change(f, &op, "orders", "$LATEST"), HG_OK);
    assert_int_equal(op.config.max_retries, 1);
    assert_int_equal(op.config.max_age_s, 90);

    op.config =
        (struct hg_event_config){.max_retries = 2, .max_age_s = -1, .on_success = "kafka://a"};
    assert_int_equal(change(f, &op, "orders", ""), HG_OK);
    assert_string_equal(op.config.on_success, ""); /* not given: has_destinations is false */
    op.config.on_success[0] = '\0';
    (void)snprintf(op.config.on_failure, sizeof(op.config.on_failure), "kafka://b");
    op.has_destinations = true;
    assert_int_equal(change(f, &op, "orders", ""), HG_OK);
    assert_true(event_configs_find(f->configs, HG_STR("orders"), HG_STR(""), &config));
    assert_int_equal(config.max_retries, 2);
    assert_int_equal(config.max_age_s, 90);
    assert_string_equal(config.on_failure, "kafka://b");

    assert_int_equal(drop(f, "orders", ""), HG_OK);
    assert_int_equal(retries(f, "orders", ""), NONE);
}

/* The qualifiers of a function's configs, with blanks between. */
static void expect_list(struct fixture *f, const char *after, size_t max, size_t total,
                        const char *expected)
{
    struct hg_event_config configs[8];
    struct hg_buf text;
    size_t count = event_configs_list(f->configs, HG_STR("b"), hg_str_of(after), configs, max);

    assert_int_equal(count, total);
    hg_buf_init(&text, 1024);
    for (size_t i = 0; i < HG_MIN(count, max); i++)
        hg_buf_printf(&text, "%s%s", i ? " " : "", configs[i].qualifier);
    assert_str(hg_buf_str(&text), expected);
    hg_buf_fini(&text);
}

static void test_list(void **state)
{
    static const char *const qualifiers[] = {"live", "10", "9", "$LATEST", "1a", "beta"};
    struct fixture *f = *state;

    reopen(f);
    expect_list(f, "", 8, 0, "");
    for (size_t i = 0; i < HG_COUNT(qualifiers); i++)
        assert_int_equal(put(f, "b", qualifiers[i], 0), HG_OK);
    assert_int_equal(put(f, "a", "", 0), HG_OK);
    assert_int_equal(put(f, "c", "", 0), HG_OK);
    expect_list(f, "", 8, 6, "$LATEST 9 10 1a beta live");
    expect_list(f, "", 2, 6, "$LATEST 9");
    expect_list(f, "9", 2, 4, "10 1a");
    expect_list(f, "alpha", 8, 2, "beta live"); /* one that is gone */
    expect_list(f, "live", 8, 0, "");
}

static void test_the_api_outlives_a_restart(void **state)
{
    struct fixture *f = *state;

    set(f, "orders", "$LATEST", 1);
    reopen(f);
    assert_int_equal(put(f, "orders", "", 0), HG_OK);
    assert_int_equal(put(f, "audit", "live", 2), HG_OK);
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), 0);
    assert_int_equal(retries(f, "audit", "live"), 2);
}

static void test_a_changed_template_counts(void **state)
{
    struct fixture *f = *state;

    set(f, "orders", "$LATEST", 1);
    reopen(f);
    assert_int_equal(put(f, "orders", "", 0), HG_OK);
    f->settings[0].max_retries = 2;
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), 2);
    assert_int_equal(drop(f, "orders", ""), HG_OK);
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), NONE); /* deleted since it was applied */
    f->settings[0].on_failure = HG_STR("kafka://other");
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), 2);
}

static void test_what_the_template_dropped_goes(void **state)
{
    struct fixture *f = *state;

    set(f, "orders", "$LATEST", 1);
    set(f, "audit", "$LATEST", 1);
    reopen(f);
    assert_int_equal(put(f, "orders", "", 0), HG_OK); /* changed, still the template's */
    assert_int_equal(drop(f, "audit", ""), HG_OK);
    assert_int_equal(put(f, "audit", "", 0), HG_OK); /* made anew: the API's own */
    assert_int_equal(put(f, "other", "", 0), HG_OK);
    f->setting_count = 0;
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), NONE);
    assert_int_equal(retries(f, "audit", ""), 0);
    assert_int_equal(retries(f, "other", ""), 0);
    set(f, "orders", "$LATEST", 1);
    reopen(f); /* and comes back with the template */
    assert_int_equal(retries(f, "orders", ""), 1);
}

static enum hg_rc remove_orders(struct hg_edit *edit, void *arg, struct hg_error *err)
{
    (void)arg, (void)err;
    edit_remove_family(edit, HG_STR("orders"));
    return HG_OK;
}

static void test_configs_go_with_their_function(void **state)
{
    struct fixture *f = *state;

    reopen(f);
    assert_int_equal(put(f, "nobody", "", 1), HG_E_NOT_FOUND);
    assert_int_equal(put(f, "orders", "", 1), HG_OK);
    assert_int_equal(catalog_case_change(f->cc, remove_orders, NULL), HG_OK);
    assert_int_equal(retries(f, "orders", ""), NONE);
    assert_int_equal(drop(f, "orders", ""), HG_E_NOT_FOUND);
    reopen(f); /* the template brings the function back */
    assert_int_equal(retries(f, "orders", ""), NONE);
    assert_int_equal(put(f, "orders", "", 1), HG_OK);
}

/* What the first schema had, and its hash of the template's value, are taken over. */
static void test_rows_of_the_first_schema(void **state)
{
    struct fixture *f = *state;

    set(f, "orders", "$LATEST", 1);
    reopen(f);
    (void)catalog_case_sql(f->cc, "DELETE FROM applied WHERE kind <> 'event-invoke-config'");
    event_configs_close(f->configs);
    f->configs = NULL;
    catalog_case_close(f->cc);
    (void)catalog_case_sql(f->cc, "DROP TABLE resources");
    (void)catalog_case_sql(
        f->cc,
        "CREATE TABLE event_invoke_configs (function TEXT NOT NULL, qualifier TEXT NOT NULL, "
        "max_retries INTEGER, max_age_s INTEGER, on_success TEXT NOT NULL, on_failure TEXT NOT NULL, "
        "last_modified_ms INTEGER NOT NULL, origin TEXT NOT NULL, "
        "PRIMARY KEY (function, qualifier)) WITHOUT ROWID");
    (void)catalog_case_sql(f->cc,
                           "INSERT INTO event_invoke_configs VALUES "
                           "('orders', '$LATEST', 0, NULL, '', 'kafka://it''s', 5, 'template'), "
                           "('audit', 'live', NULL, 90, '', '', 6, 'api'), "
                           "('gone', 'live', NULL, 90, '', '', 7, 'api')");
    (void)catalog_case_sql(f->cc, "PRAGMA user_version=1");
    reopen(f);
    {
        struct hg_event_config config;

        assert_true(event_configs_find(f->configs, HG_STR("orders"), HG_STR(""), &config));
        assert_int_equal(config.max_retries, 0);
        assert_int_equal(config.max_age_s, -1);
        assert_string_equal(config.on_failure, "kafka://it's");
        assert_int_equal(config.last_modified_ms, 5);
        assert_true(event_configs_find(f->configs, HG_STR("audit"), HG_STR("live"), &config));
        assert_int_equal(config.max_retries, -1);
        assert_int_equal(config.max_age_s, 90);
    }
    assert_int_equal(catalog_case_sql(f->cc, "SELECT count(*) FROM resources WHERE name = 'gone'"),
                     0);
    f->setting_count = 0; /* it was the template's */
    reopen(f);
    assert_int_equal(retries(f, "orders", ""), NONE);
    assert_int_equal(retries(f, "audit", "live"), -1);
}

static void test_a_change_that_cannot_be_stored(void **state)
{
    struct fixture *f = *state;
    struct hg_event_config_op op = {.config = {.max_retries = 2, .max_age_s = -1}};

    reopen(f);
    assert_int_equal(put(f, "orders", "", 1), HG_OK);
    (void)catalog_case_sql(f->cc, "ALTER TABLE resources RENAME TO elsewhere");
    assert_int_equal(change(f, &op, "orders", ""), HG_E_IO);
    assert_non_null(strstr(op.err.text, f->cc->path));
    assert_int_equal(drop(f, "orders", ""), HG_E_IO);
    assert_int_equal(retries(f, "orders", ""), 1);
}

struct reading {
    struct fixture *f;
    _Atomic bool is_over;
};

static void *read_until_over(void *arg)
{
    struct reading *reading = arg;
    struct hg_event_config config;

    while (!atomic_load(&reading->is_over)) {
        hg_assert(event_configs_find(reading->f->configs, HG_STR("orders"), HG_STR(""), &config));
        hg_assert(config.max_retries >= 0 && config.max_retries <= 2);
        hg_assert(
            event_configs_list(reading->f->configs, HG_STR("orders"), HG_STR(""), &config, 1) == 1);
    }
    return NULL;
}

static void test_readers_while_it_changes(void **state)
{
    struct reading reading = {.f = *state};
    pthread_t threads[2];

    reopen(*state);
    assert_int_equal(put(*state, "orders", "", 0), HG_OK);
    for (size_t i = 0; i < HG_COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_until_over, &reading), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(put(*state, "orders", "", i % 3), HG_OK);
    atomic_store(&reading.is_over, true);
    for (size_t i = 0; i < HG_COUNT(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_target_kinds(void **state)
{
    static const struct {
        const char *target;
        enum hg_target_kind kind;
    } cases[] = {
        {"arn:aws:sqs:us-east-1:000000000000:q", HG_TARGET_KIND_SQS},
        {"arn:aws-cn:sns:us-east-1:000000000000:t", HG_TARGET_KIND_SNS},
        {"arn:aws:lambda:us-east-1:000000000000:function:f", HG_TARGET_KIND_LAMBDA},
        {"arn:aws:events:us-east-1:000000000000:event-bus/b", HG_TARGET_KIND_EVENTBRIDGE},
        {"arn:aws:s3:::bucket", HG_TARGET_KIND_S3},
        {"arn:aws:kinesis:us-east-1:000000000000:stream/s", HG_TARGET_KIND_OTHER},
        {"arn:gcp:sqs:us-east-1:000000000000:q", HG_TARGET_KIND_NONE},
        {"arn:aws", HG_TARGET_KIND_NONE},
        {"arn:aws::x", HG_TARGET_KIND_NONE},
        {"kafka://topic", HG_TARGET_KIND_OWN},
        {"redis://127.0.0.1:6379", HG_TARGET_KIND_OWN},
        {"rediss://127.0.0.1:6379", HG_TARGET_KIND_OWN},
        {"http://a", HG_TARGET_KIND_OWN},
        {"https://a/b?c", HG_TARGET_KIND_OWN},
        {"file:///tmp", HG_TARGET_KIND_OWN},
        {"file://tmp", HG_TARGET_KIND_NONE},
        {"https://", HG_TARGET_KIND_NONE},
        {"https://a b", HG_TARGET_KIND_NONE},
        {"ftp://a", HG_TARGET_KIND_NONE},
        {"", HG_TARGET_KIND_NONE},
        {"queue", HG_TARGET_KIND_NONE},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(cases); i++)
        if (target_kind(hg_str_of(cases[i].target)) != cases[i].kind)
            fail_msg("%s", cases[i].target);
    assert_null(target_fault(HG_STR("kafka://orders.failed_1-x")));
    assert_null(target_fault(HG_STR("kafka://orders?brokers=a:9092,b:9092")));
    assert_non_null(target_fault(HG_STR("kafka://orders?brokers=")));
    assert_non_null(target_fault(HG_STR("kafka://orders?group=x")));
    assert_non_null(target_fault(HG_STR("kafka://?brokers=a:9092")));
    assert_non_null(target_fault(HG_STR("kafka://.orders")));
    assert_non_null(target_fault(HG_STR("kafka://a/b")));
    assert_null(target_fault(HG_STR("file:///var/records")));
    assert_non_null(target_fault(HG_STR("file:///var/records?x")));
    assert_null(target_fault(HG_STR("redis://:secret@host/0/list")));
    assert_non_null(target_fault(HG_STR("redis:///0/list")));
    assert_non_null(target_fault(HG_STR("https://?x")));
    assert_null(target_fault(HG_STR("arn:aws:s3:::b?")));
    assert_true(target_is_fifo(HG_STR("arn:aws:sqs:us-east-1:000000000000:q.fifo")));
    assert_false(target_is_fifo(HG_STR("arn:aws:s3:::b.fifo")));
    assert_string_equal(target_kind_name(HG_TARGET_KIND_S3), "S3Bucket");
    assert_null(target_kind_name(HG_TARGET_KIND_OWN));
    assert_null(target_kind_name(HG_TARGET_KIND_NONE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_find),
        TEST(test_changes),
        TEST(test_list),
        TEST(test_the_api_outlives_a_restart),
        TEST(test_a_changed_template_counts),
        TEST(test_what_the_template_dropped_goes),
        TEST(test_configs_go_with_their_function),
        TEST(test_rows_of_the_first_schema),
        TEST(test_a_change_that_cannot_be_stored),
        TEST(test_readers_while_it_changes),
        cmocka_unit_test(test_target_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
