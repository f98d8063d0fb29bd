/*
 * Event invoke configs in force: look-ups, changes, what a new start makes of template and store; targets by their form.
 */
#include "config/event_config.h"
#include "config/target.h"
#include "tests/unit/config/transform_case.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* One data directory, opened with one snapshot after another. */
struct fixture {
    struct transform_case c;
    struct hg_loop *loop;
    struct hg_event_configs *configs;
    struct hg_event_setting settings[4];
    size_t setting_count;
};

static int setup(void **state)
{
    struct fixture *f = hg_calloc(1, sizeof(*f));

    case_init(&f->c);
    f->loop = hg_loop_new(0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    event_configs_close(f->configs);
    hg_loop_free(f->loop);
    case_fini(&f->c);
    free(f);
    return 0;
}

/* Starts anew with what settings holds. */
static void reopen(struct fixture *f)
{
    struct hg_snapshot *snapshot = snapshot_new(HG_STR("us-east-1"), HG_STR("000000000000"));
    struct hg_error err = {""};

    event_configs_close(f->configs);
    snapshot->event_settings = f->settings;
    snapshot->event_setting_count = f->setting_count;
    f->configs = event_configs_open(f->c.folder, snapshot, &err);
    if (!f->configs)
        fail_msg("%s", err.text);
    snapshot_unref(snapshot);
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

static void on_done(struct hg_event_config_op *op)
{
    op->configs = NULL; /* what the tests wait for */
}

static enum hg_rc change(struct fixture *f, struct hg_event_config_op *op, const char *function,
                         const char *qualifier)
{
    (void)snprintf(op->config.function, sizeof(op->config.function), "%s", function);
    (void)snprintf(op->config.qualifier, sizeof(op->config.qualifier), "%s", qualifier);
    op->done = on_done;
    event_configs_submit(f->configs, f->loop, op);
    while (op->configs)
        hg_loop_turn(f->loop, true);
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

static void test_a_store_that_is_refused(void **state)
{
    struct fixture *f = *state;
    struct hg_snapshot *snapshot = snapshot_new(HG_STR("us-east-1"), HG_STR("000000000000"));
    struct hg_error err = {""};

    case_file(&f->c, "config/store.db",
              "no database, but some text that is long enough to be looked at");
    assert_null(event_configs_open(f->c.folder, snapshot, &err));
    assert_non_null(strstr(err.text, "is damaged"));
    snapshot_unref(snapshot);
}

static void test_a_change_that_cannot_be_stored(void **state)
{
    struct fixture *f = *state;
    struct hg_event_config_op op = {.config = {.max_retries = 2, .max_age_s = -1}};
    char path[128];
    sqlite3 *db;

    reopen(f);
    assert_int_equal(put(f, "orders", "", 1), HG_OK);
    (void)snprintf(path, sizeof(path), "%s/config/store.db", f->c.folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE event_invoke_configs", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(change(f, &op, "orders", ""), HG_E_IO);
    assert_non_null(strstr(op.err.text, path));
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
        TEST(test_a_store_that_is_refused),
        TEST(test_a_change_that_cannot_be_stored),
        TEST(test_readers_while_it_changes),
        cmocka_unit_test(test_target_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
