/*
 * The files of the store of series, as a disk may give them back: the first byte says which file the rest is. The store opens, reads
 * what is good, takes what is new, and holds that after another start.
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
    static const char *const names[] = {"log-3", "run-2", "names"};
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
    put_file(names[bytes[0] % HG_COUNT(names)], bytes + 1, size - 1);
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
