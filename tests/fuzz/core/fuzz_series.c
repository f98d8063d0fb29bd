/*
 * The files of the store of series, as a disk may give them back: the first byte says which file the rest is, or what stands behind
 * checksums that fit. The store opens, reads what is good, takes what is new, and holds that after another start.
 */
#include "core/log.h"
#include "core/series_parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { NOW = 29000000, BYTES_MAX = 65536 };

static char dir[] = "/tmp/headgate-fuzz-series-XXXXXX";

/* What is in it was set aside by the last reset, but for the new log. */
static void remove_dir(void)
{
    char command[64];

    (void)snprintf(command, sizeof(command), "rm -r %s*", dir);
    (void)!system(command);
}

static void put_file(const char *name, const uint8_t *bytes, size_t size)
{
    char path[128];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    hg_assert(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && close(fd) == 0);
}

static void put_record(const char *name, const uint8_t *bytes, size_t size)
{
    struct hg_buf out;

    hg_buf_init(&out, 2 * BYTES_MAX);
    (void)series_begin_record(&out);
    hg_buf_append(&out, bytes, size);
    series_end_record(&out, 0);
    put_file(name, (const uint8_t *)hg_buf_str(&out).p, out.len);
    hg_buf_fini(&out);
}

/* A whole run, with these bytes as the points of the series that is looked for. */
static void put_run(const uint8_t *bytes, size_t size)
{
    unsigned char hash[HG_SERIES_HASH_LEN];
    struct series_run_writer writer;
    int fd = open(dir, O_RDONLY | O_DIRECTORY);

    series_hash(HG_STR("new"), hash);
    hg_assert(fd >= 0 && series_run_begin(&writer, fd, "run-2", NULL) == HG_OK);
    series_run_add(&writer, hash, hg_str_n((const char *)bytes, size), 0, INT32_MAX);
    hg_assert(series_run_end(&writer, NULL) == HG_OK);
    (void)close(fd);
}

static void put(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = {"log-3", "run-2", "names"};
    unsigned kind = bytes[0] % (2 * HG_COUNT(names));
    const char *name = names[kind % HG_COUNT(names)];

    if (kind < HG_COUNT(names))
        put_file(name, bytes + 1, size - 1);
    else if (kind == HG_COUNT(names) + 1)
        put_run(bytes + 1, size - 1);
    else
        put_record(name, bytes + 1, size - 1);
}

static void on_point(int64_t minute, const struct hg_statset *set, void *arg)
{
    double *count = arg;

    (void)minute;
    hg_assert(set->count > 0 && set->bucket_count <= HG_STATSET_BUCKETS_MAX);
    *count += set->count;
}

static void on_key(struct hg_str key, int64_t last_minute, void *arg)
{
    struct series_store *store = arg;
    double count = 0;

    (void)last_minute;
    hg_assert(series_store_read(store, key, 0, INT32_MAX, on_point, &count));
}

static struct series_store *open_store(void)
{
    struct hg_error err;
    struct series_store *store = series_store_open(dir, &hg_series_options_default, NOW, &err);

    hg_assert(store != NULL);
    return store;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static bool has_dir;
    struct hg_statset set = {.count = 1, .sum = 2, .min = 2, .max = 2};
    struct series_store *store;
    double count = 0;

    if (!has_dir) {
        hg_log_setup(HG_LOG_ERROR, HG_LOG_TEXT);
        hg_assert(mkdtemp(dir) != NULL && atexit(remove_dir) == 0);
        has_dir = true;
    }
    if (!size || size > BYTES_MAX)
        return 0;
    put(bytes, size);
    store = open_store();
    series_store_each(store, on_key, store);
    series_store_add(store, HG_STR("new"), NOW, &set);
    series_store_close(store);
    store = open_store();
    hg_assert(series_store_read(store, HG_STR("new"), NOW, NOW + 1, on_point, &count) &&
              count >= 1);
    hg_assert(series_store_reset(store, NULL) == HG_OK);
    series_store_clean(store);
    series_store_close(store);
    return 0;
}
