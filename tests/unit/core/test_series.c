/* core/statset, core/series_*: statistics, percentiles, keys; what the store holds over restarts, limits and damage. */
#include "core/series.h"
#include "core/series_key.h"
#include "core/series_parts.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOW = 29000000 };

struct folder {
    char path[64];
    char command[128];
};

static void make_folder(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof(folder->path), "/tmp/headgate-series-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
}

static void remove_folder(struct folder *folder)
{
    (void)snprintf(folder->command, sizeof(folder->command), "rm -r %s*", folder->path);
    assert_int_equal(system(folder->command), 0);
}

static struct series_store *open_store(const struct folder *folder,
                                       const struct hg_series_options *options)
{
    struct hg_error err;
    struct series_store *store =
        series_store_open(folder->path, options ? options : &hg_series_options_default, NOW, &err);

    assert_non_null(store);
    return store;
}

static void add(struct series_store *store, const char *key, int64_t minute, double value)
{
    struct hg_statset set = {0};

    hg_statset_add(&set, value, 1);
    series_store_add(store, hg_str_of(key), minute, &set);
    hg_statset_fini(&set);
}

struct sum {
    struct hg_statset set;
    unsigned minutes;
};

static void on_point(int64_t minute, const struct hg_statset *set, void *arg)
{
    struct sum *sum = arg;

    (void)minute;
    sum->minutes++;
    hg_statset_merge(&sum->set, set);
}

static bool has(struct series_store *store, const char *key, double count, double total)
{
    struct sum sum = {0};
    bool is_known = series_store_read(store, hg_str_of(key), 0, INT32_MAX, on_point, &sum);
    bool is_right = sum.set.count == count && sum.set.sum == total;

    hg_statset_fini(&sum.set);
    return is_known && is_right;
}

static void test_statset(void **state)
{
    struct hg_statset one = {0}, two = {0};
    double value;

    (void)state;
    assert_false(hg_statset_percentile(&one, 50, &value));
    hg_statset_add(&one, 5, 3);
    assert_int_equal(one.bucket_count, 0);
    assert_true(hg_statset_percentile(&one, 99, &value));
    assert_true(value == 5);
    for (int i = 1; i <= 1000; i++)
        hg_statset_add(&two, i, 1);
    assert_true(two.count == 1000 && two.sum == 500500 && two.min == 1 && two.max == 1000);
    assert_true(hg_statset_percentile(&two, 50, &value));
    assert_true(fabs(value - 500) <= 500 * 0.01);
    assert_true(hg_statset_percentile(&two, 99, &value));
    assert_true(fabs(value - 990) <= 990 * 0.01);
    assert_true(hg_statset_percentile(&two, 100, &value));
    assert_true(fabs(value - 1000) <= 1000 * 0.01);
    hg_statset_merge(&two, &one);
    assert_true(two.count == 1003 && two.sum == 500515 && two.min == 1 && two.max == 1000);
    hg_statset_merge(&one, &two);
    assert_true(one.count == 1006 && one.min == 1 && one.max == 1000);
    assert_true(hg_statset_percentile(&one, 50, &value));
    hg_statset_fini(&one);
    hg_statset_fini(&two);
}

static void test_statset_signs_and_summaries(void **state)
{
    struct hg_statset set = {0},
                      summary = {.count = 4, .sum = 10, .min = 1, .max = 4, .is_opaque = true};
    double value;

    (void)state;
    hg_statset_add(&set, -100, 1);
    hg_statset_add(&set, 0, 1);
    hg_statset_add(&set, 100, 1);
    assert_true(hg_statset_percentile(&set, 33, &value));
    assert_true(fabs(value + 100) <= 1);
    assert_true(hg_statset_percentile(&set, 50, &value));
    assert_true(value == 0);
    hg_statset_merge(&set, &summary);
    assert_true(set.count == 7 && set.sum == 10 && set.min == -100 && set.max == 100);
    assert_false(hg_statset_percentile(&set, 50, &value));
    hg_statset_fini(&set);
}

static void test_statset_stays_small(void **state)
{
    struct hg_statset set = {0};
    double value;

    (void)state;
    for (int i = 0; i < 2000; i++)
        hg_statset_add(&set, pow(1.05, i % 1000 - 400), 1);
    assert_int_equal(set.bucket_count, HG_STATSET_BUCKETS_MAX);
    assert_true(hg_statset_percentile(&set, 90, &value));
    assert_true(fabs(value - pow(1.05, 499)) <= 0.02 * pow(1.05, 499));
    hg_statset_fini(&set);
}

static void test_code(void **state)
{
    struct hg_statset set = {0}, back = {0};
    struct hg_buf out;
    struct hg_str rest;

    (void)state;
    hg_buf_init(&out, 4096);
    hg_statset_add(&set, 1, 3);
    series_put_statset(&out, &set);
    assert_int_equal(out.len, 3); /* flags, count, value */
    rest = hg_buf_str(&out);
    assert_true(series_get_statset(&rest, &back));
    assert_true(rest.n == 0 && back.count == 3 && back.sum == 3 && back.min == 1 && back.max == 1);
    hg_statset_add(&set, 2.5, 1);
    hg_buf_clear(&out, 0);
    series_put_statset(&out, &set);
    for (size_t cut = 0; cut < out.len; cut++) {
        rest = hg_str_n(out.base, cut);
        assert_false(series_get_statset(&rest, &back));
    }
    rest = hg_buf_str(&out);
    assert_true(series_get_statset(&rest, &back));
    assert_true(back.count == 4 && back.sum == 5.5 && back.max == 2.5 && back.bucket_count == 2);
    hg_buf_fini(&out);
    hg_statset_fini(&set);
    hg_statset_fini(&back);
}

static void test_key(void **state)
{
    struct hg_metric metric = {.space = HG_STR("AWS/Lambda"),
                               .name = HG_STR("Errors"),
                               .unit = HG_STR("Count"),
                               .dimensions = {{HG_STR("Resource"), HG_STR("f:live")},
                                              {HG_STR("FunctionName"), HG_STR("f")}},
                               .dimension_count = 2},
                     back;
    struct hg_buf key;

    (void)state;
    hg_buf_init(&key, 4096);
    hg_metric_key(&metric, &key);
    assert_true(
        hg_str_eq(hg_buf_str(&key),
                  HG_STR("AWS/Lambda\0Errors\0FunctionName\0f\0Resource\0f:live\0\1Count\0")));
    assert_true(hg_metric_parse(hg_buf_str(&key), &back));
    assert_true(hg_str_is(back.space, "AWS/Lambda") && back.dimension_count == 2);
    assert_true(hg_str_is(back.dimensions[1].value, "f:live"));
    assert_true(hg_str_is(back.unit, "Count") && back.unit_at == 49);
    assert_false(hg_metric_parse(HG_STR("a\0b\0"), &back));
    assert_false(hg_metric_parse(HG_STR("a\0b\0c\0d\0"), &back));
    assert_false(hg_metric_parse(HG_STR("a\0b\0c\0\1d\0"), &back));
    assert_false(hg_metric_parse(HG_STR("a\0b\0\1d\0e"), &back));
    hg_buf_fini(&key);
}

static void test_restarts(void **state)
{
    struct folder folder;
    struct series_store *store;

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, NULL);
    add(store, "a", NOW, 1);
    add(store, "a", NOW, 2);
    add(store, "a", NOW - 5, 4);
    series_store_flush(store, NOW);
    add(store, "a", NOW, 8); /* the point is written again: the last one counts */
    series_store_close(store);
    store = open_store(&folder, NULL);
    assert_true(has(store, "a", 4, 15));
    add(store, "a", NOW, 16);
    add(store, "b", NOW, 1);
    series_store_close(store);
    store = open_store(&folder, NULL);
    assert_true(has(store, "a", 5, 31));
    assert_true(has(store, "b", 1, 1));
    assert_int_equal(series_store_count(store), 2);
    assert_false(series_store_read(store, HG_STR("c"), 0, INT32_MAX, on_point, NULL));
    series_store_close(store);
    remove_folder(&folder);
}

static void test_runs(void **state)
{
    struct folder folder;
    struct series_store *store;
    struct hg_error err;
    struct sum sum = {0};
    char key[16];

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, NULL);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3000; i++) {
            (void)snprintf(key, sizeof(key), "key-%d", i);
            add(store, key, NOW - round, i + 0.5);
        }
        assert_int_equal(series_store_make_run(store, &err), HG_OK);
        assert_int_equal(store->points, 0);
    }
    add(store, "key-7", NOW, 1);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        assert_true(has(store, key, i == 7 ? 4 : 3, 3 * (i + 0.5) + (i == 7 ? 1 : 0)));
    }
    assert_true(series_store_read(store, HG_STR("key-9"), NOW - 1, NOW, on_point, &sum));
    assert_int_equal(sum.minutes, 1);
    series_store_close(store);
    store = open_store(&folder, NULL);
    assert_int_equal(store->run_count, 3);
    assert_int_equal(series_store_count(store), 3000);
    assert_true(has(store, "key-7", 4, 23.5));
    series_store_close(store);
    remove_folder(&folder);
}

/* A crash after the run was renamed and before its log was removed: nothing counts twice. */
static void test_superseded_log(void **state)
{
    struct folder folder;
    struct series_store *store;
    struct hg_error err;
    char from[96], to[96];

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, NULL);
    add(store, "a", NOW, 1);
    series_store_flush(store, NOW);
    (void)snprintf(from, sizeof(from), "%s/log-1", folder.path);
    (void)snprintf(to, sizeof(to), "%s/kept", folder.path);
    assert_int_equal(link(from, to), 0);
    assert_int_equal(series_store_make_run(store, &err), HG_OK);
    series_store_close(store);
    assert_int_equal(rename(to, from), 0);
    store = open_store(&folder, NULL);
    assert_true(has(store, "a", 1, 1));
    series_store_close(store);
    remove_folder(&folder);
}

static void test_bounds(void **state)
{
    struct hg_series_options options = {
        .max_bytes = 4096, .max_memory = 1 << 16, .max_series = 50, .keep_minutes = 100};
    struct folder folder;
    struct series_store *store;
    char key[16];

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, &options);
    add(store, "old", NOW - 101, 1);
    assert_int_equal(series_store_count(store), 0);
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        for (int minute = 0; minute < 20; minute++)
            add(store, key, NOW - minute, i);
    }
    assert_in_range(series_store_count(store), 49, 50);
    series_store_flush(store, NOW);
    assert_true(store->run_bytes <= 4096);
    assert_true(store->memory <= (1 << 16));
    assert_true(has(store, "key-199", 20, 20 * 199));
    assert_false(series_store_read(store, HG_STR("key-1"), 0, INT32_MAX, on_point, NULL));
    /* Time goes by: runs go, and at the next one the names. */
    series_store_flush(store, NOW + 200);
    assert_int_equal(store->run_count, 0);
    series_store_close(store);
    remove_folder(&folder);
}

/* The log has more names than there is room for, and in another order: none goes while its number may still come. */
static void test_crowded_log(void **state)
{
    struct hg_series_options options = {
        .max_bytes = 4096, .max_memory = 1 << 16, .max_series = 50, .keep_minutes = 100};
    struct folder folder;
    struct series_store *store;
    char key[16];

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, &options);
    for (int i = 0; i <= 50; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        add(store, key, NOW, 1);
    }
    series_store_flush(store, NOW);
    add(store, "key-49", NOW, 1);
    series_store_close(store);
    store = open_store(&folder, &options);
    assert_true(has(store, "key-49", 2, 2));
    add(store, "one more", NOW, 1);
    assert_in_range(series_store_count(store), 49, 50);
    assert_true(has(store, "key-49", 2, 2));
    series_store_close(store);
    remove_folder(&folder);
}

static void damage(const struct folder *folder, const char *name, off_t at)
{
    char path[96], byte;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 0x55);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

/* Whatever byte is changed: the store opens, and what is there is right or missing. */
static void test_damage(void **state)
{
    static const char *const names[] = {"names", "run-1", "log-2"};
    struct hg_error err;

    (void)state;
    for (size_t n = 0; n < HG_COUNT(names); n++) {
        for (off_t at = 0; at < 60; at++) {
            struct folder folder;
            struct series_store *store;
            struct sum sum = {0};
            char path[96];
            struct stat stat_;

            make_folder(&folder);
            store = open_store(&folder, NULL);
            add(store, "a", NOW, 1);
            add(store, "b", NOW, 2);
            assert_int_equal(series_store_make_run(store, &err), HG_OK);
            add(store, "a", NOW + 1, 1);
            series_store_close(store);
            (void)snprintf(path, sizeof(path), "%s/%s", folder.path, names[n]);
            assert_int_equal(stat(path, &stat_), 0);
            if (at < stat_.st_size)
                damage(&folder, names[n], at);
            store = open_store(&folder, NULL);
            (void)series_store_read(store, HG_STR("a"), 0, INT32_MAX, on_point, &sum);
            assert_true(sum.set.count <= 2 && sum.set.count == sum.set.sum);
            add(store, "a", NOW, 1);
            series_store_flush(store, NOW);
            series_store_close(store);
            store = open_store(&folder, NULL);
            sum.set.count = 0;
            assert_true(series_store_read(store, HG_STR("a"), 0, INT32_MAX, on_point, &sum));
            assert_true(sum.set.count >= 1);
            series_store_close(store);
            remove_folder(&folder);
        }
    }
}

static void test_torn_log(void **state)
{
    struct folder folder;
    struct series_store *store;
    char path[96];
    struct stat before;

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, NULL);
    add(store, "a", NOW, 1);
    series_store_flush(store, NOW);
    (void)snprintf(path, sizeof(path), "%s/log-1", folder.path);
    assert_int_equal(stat(path, &before), 0);
    add(store, "a", NOW, 2);
    series_store_close(store);
    assert_int_equal(truncate(path, before.st_size + 5), 0);
    store = open_store(&folder, NULL);
    assert_true(has(store, "a", 1, 1));
    add(store, "a", NOW, 4);
    series_store_close(store);
    store = open_store(&folder, NULL);
    assert_true(has(store, "a", 2, 5));
    series_store_close(store);
    remove_folder(&folder);
}

/* The disk is full for a while: nothing is lost that fits into memory. */
static void test_full_disk(void **state)
{
    struct rlimit limit, small;
    struct folder folder;
    struct series_store *store;
    char key[16];

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, NULL);
    add(store, "before", NOW, 1);
    series_store_flush(store, NOW);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 1000;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(key, sizeof(key), "key-%d", i);
        add(store, key, NOW, i);
    }
    series_store_flush(store, NOW);
    add(store, "key-7", NOW, 1);
    series_store_flush(store, NOW);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(has(store, "key-499", 1, 499));
    series_store_flush(store, NOW);
    series_store_close(store);
    store = open_store(&folder, NULL);
    assert_true(has(store, "before", 1, 1));
    assert_true(has(store, "key-7", 2, 8));
    assert_true(has(store, "key-499", 1, 499));
    series_store_close(store);
    remove_folder(&folder);
}

static void test_reset(void **state)
{
    struct folder folder;
    struct series_store *store;
    struct hg_error err;

    (void)state;
    make_folder(&folder);
    store = open_store(&folder, NULL);
    add(store, "a", NOW, 1);
    assert_int_equal(series_store_make_run(store, &err), HG_OK);
    add(store, "b", NOW, 1);
    series_store_flush(store, NOW);
    assert_int_equal(series_store_reset(store, &err), HG_OK);
    series_store_clean(store);
    assert_int_equal(series_store_count(store), 0);
    add(store, "c", NOW, 1);
    series_store_close(store);
    store = open_store(&folder, NULL);
    assert_int_equal(series_store_count(store), 1);
    assert_true(has(store, "c", 1, 1));
    series_store_close(store);
    remove_folder(&folder);
}

struct asked {
    struct hg_series_op op;
    struct hg_loop *loop;
    bool is_found, is_done;
};

static void work_add(struct hg_series_op *op, struct series_store *store)
{
    (void)op;
    add(store, "a", NOW, 1);
}

static void work_look(struct hg_series_op *op, struct series_store *store)
{
    hg_container_of(op, struct asked, op)->is_found = series_store_count(store) > 0;
}

static void on_looked(struct hg_series_op *op)
{
    hg_container_of(op, struct asked, op)->is_done = true;
}

static void wait_for(struct asked *asked)
{
    while (!asked->is_done)
        hg_loop_turn(asked->loop, true);
}

static void test_thread(void **state)
{
    struct hg_series_options options = hg_series_options_default;
    struct folder folder;
    struct hg_error err;
    struct hg_loop *loop = hg_loop_new(0);
    struct hg_series_op put = {.work = work_add};
    struct asked first = {.op = {.work = work_look, .done = on_looked}, .loop = loop};
    struct asked reset = {.op = {.done = on_looked}, .loop = loop};
    struct asked second = {.op = {.work = work_look, .done = on_looked}, .loop = loop};
    struct hg_series *series;

    (void)state;
    options.keep_minutes = INT32_MAX;
    make_folder(&folder);
    series = series_open(folder.path, &options, &err);
    assert_non_null(series);
    series_submit(series, loop, &put);
    series_submit(series, loop, &first.op);
    series_submit_reset(series, loop, &reset.op);
    series_submit(series, loop, &second.op);
    wait_for(&first);
    wait_for(&reset);
    wait_for(&second);
    assert_true(first.is_found);
    assert_int_equal(reset.op.rc, HG_OK);
    assert_false(second.is_found);
    series_close(series);
    hg_loop_free(loop);
    remove_folder(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statset),
        cmocka_unit_test(test_statset_signs_and_summaries),
        cmocka_unit_test(test_statset_stays_small),
        cmocka_unit_test(test_code),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_superseded_log),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_crowded_log),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_torn_log),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
