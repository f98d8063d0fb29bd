/*
 * The store's files: names, which runs there are, what a start finds.
 */
#include "core/clock.h"
#include "core/log.h"
#include "core/series_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DAMAGED_MAX = 8, /* files set aside that are kept */
    RUNS_MAX = 1024, /* each is an open file */
    COMPLAIN_EVERY_US = 60000000,
};

void disk_complain(struct series_store *store, const char *what, const char *why)
{
    int64_t now = hg_mono_us();

    if (store->complained_us && now - store->complained_us < COMPLAIN_EVERY_US)
        return;
    store->complained_us = now;
    hg_warn("series_disk", "dir=%s %s: %s", store->dir, what, why);
}

void disk_set_aside(struct series_store *store, const char *name, const char *why)
{
    char aside[SERIES_NAME_MAX + 32];

    (void)snprintf(aside, sizeof(aside), "damaged-%s-%" PRId64, name, hg_wall_ms());
    hg_warn("series_damaged", "file=%s/%s is set aside as %s: %s", store->dir, name, aside, why);
    (void)renameat(store->dir_fd, name, store->dir_fd, aside);
}

void disk_log_name(uint64_t number, char name[SERIES_NAME_MAX])
{
    (void)snprintf(name, SERIES_NAME_MAX, "log-%" PRIu64, number);
}

static void run_name(uint64_t number, char name[SERIES_NAME_MAX])
{
    (void)snprintf(name, SERIES_NAME_MAX, "run-%" PRIu64, number);
}

enum hg_rc disk_write_all(int fd, struct hg_str text)
{
    while (text.n) {
        ssize_t length = write(fd, text.p, text.n);

        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return HG_E_IO;
        text = hg_str_skip(text, (size_t)length);
    }
    return HG_OK;
}

/* The whole file; p NULL when there is none or it is too large. To be freed. */
static struct hg_str read_file(const struct series_store *store, const char *name)
{
    int fd = openat(store->dir_fd, name, O_RDONLY | O_CLOEXEC);
    struct stat stat;
    struct hg_str text = {0};
    char *bytes;
    size_t have = 0;

    if (fd < 0)
        return text;
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size <= SERIES_FILE_MAX) {
        bytes = hg_malloc((size_t)stat.st_size + 1);
        while (have < (size_t)stat.st_size) {
            ssize_t got = pread(fd, bytes + have, (size_t)stat.st_size - have, (off_t)have);

            if (got <= 0)
                break;
            have += (size_t)got;
        }
        text = hg_str_n(bytes, have);
    }
    (void)close(fd);
    return text;
}

static void open_old_log(struct series_store *store, uint64_t number)
{
    size_t max_series = store->options.max_series;
    char name[SERIES_NAME_MAX];
    struct hg_str text, rest;
    struct hg_error why;

    disk_log_name(number, name);
    text = read_file(store, name);
    if (!text.p)
        return;
    store->number = number;
    store->log_bytes = text.n;
    rest = text;
    /* The log's numbers stand for entries: none may go while it is read. */
    store->options.max_series = SIZE_MAX;
    if (!disk_replay(store, &rest)) {
        disk_set_aside(store, name, "it ends in the middle of a record, or is damaged");
        /* What was good becomes a run. */
        if (series_store_make_run(store, &why) != HG_OK)
            disk_complain(store, "no run can be written", why.text);
    }
    store->options.max_series = max_series;
    free((void *)(uintptr_t)text.p);
}

/* ---- names ---- */

bool disk_read_names(struct series_store *store, struct hg_str text)
{
    struct hg_str payload, key;
    uint64_t minute;

    while (series_get_record(&text, &payload)) {
        while (payload.n) {
            struct series_entry *entry;

            if (!series_get_text(&payload, &key) || key.n > HG_SERIES_KEY_MAX ||
                !series_get_number(&payload, &minute) || minute > INT32_MAX)
                return false;
            if (store->entries.count >= store->options.max_series)
                return true;
            entry = entry_get(store, key);
            entry_note_active(store, entry, (int64_t)minute);
        }
    }
    return text.n == 0;
}

static enum hg_rc write_names(struct series_store *store)
{
    int fd = openat(store->dir_fd, "names.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    enum hg_rc rc = HG_OK;
    struct hg_buf out;

    if (fd < 0)
        return HG_E_IO;
    hg_buf_init(&out, SERIES_RECORD_BYTES + 2 * HG_SERIES_KEY_MAX);
    /* The least recently active first: reading them in this order restores the order. */
    for (struct hg_list *link = store->recent.prev; link != &store->recent && rc == HG_OK;
         link = link->prev) {
        const struct series_entry *entry = hg_container_of(link, struct series_entry, recent);

        if (!out.len)
            (void)series_begin_record(&out);
        series_put_text(&out, hg_str_n(entry->key, entry->key_length));
        series_put_number(&out, (uint64_t)entry->last_minute);
        if (out.len > SERIES_RECORD_BYTES || link->prev == &store->recent) {
            series_end_record(&out, 0);
            rc = disk_write_all(fd, hg_buf_str(&out));
            hg_buf_clear(&out, SERIES_RECORD_BYTES);
        }
    }
    hg_buf_fini(&out);
    if (rc == HG_OK && fsync(fd) != 0)
        rc = HG_E_IO;
    (void)close(fd);
    if (rc == HG_OK && renameat(store->dir_fd, "names.new", store->dir_fd, "names") != 0)
        rc = HG_E_IO;
    return rc;
}

/* ---- runs ---- */

static void add_run(struct series_store *store, const struct series_run *run)
{
    size_t at = store->run_count;

    if (store->run_count == store->run_room) {
        store->run_room = store->run_room ? 2 * store->run_room : 64;
        store->runs = hg_realloc(store->runs, store->run_room * sizeof(*store->runs));
    }
    while (at > 0 && store->runs[at - 1].number > run->number) {
        store->runs[at] = store->runs[at - 1];
        at--;
    }
    store->runs[at] = *run;
    store->run_count++;
    store->run_bytes += run->bytes;
}

static void forget_run(struct series_store *store, size_t at)
{
    (void)close(store->runs[at].fd);
    store->run_bytes -= store->runs[at].bytes;
    store->run_count--;
    memmove(&store->runs[at], &store->runs[at + 1], (store->run_count - at) * sizeof(*store->runs));
}

void disk_drop_run(struct series_store *store, size_t at)
{
    char name[SERIES_NAME_MAX];

    run_name(store->runs[at].number, name);
    disk_set_aside(store, name, "a checksum does not fit");
    forget_run(store, at);
}

void disk_drop_old(struct series_store *store)
{
    int64_t oldest = store->now_minute - store->options.keep_minutes;

    for (size_t i = 0; i < store->run_count;) {
        bool is_too_much =
            i == 0 && (store->run_bytes > store->options.max_bytes || store->run_count > RUNS_MAX);
        char name[SERIES_NAME_MAX];

        if (store->runs[i].max_minute >= oldest && !is_too_much) {
            i++;
            continue;
        }
        run_name(store->runs[i].number, name);
        (void)unlinkat(store->dir_fd, name, 0);
        forget_run(store, i);
    }
}

static bool open_run(struct series_store *store, uint64_t number)
{
    struct series_run run = {.number = number};
    char name[SERIES_NAME_MAX];
    int fd;

    run_name(number, name);
    fd = openat(store->dir_fd, name, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && series_run_open(&run, fd) == HG_OK) {
        add_run(store, &run);
        return true;
    }
    if (fd >= 0)
        (void)close(fd);
    disk_set_aside(store, name, "it is not a whole run");
    return false;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(entry_hash(*(struct series_entry *const *)a),
                  entry_hash(*(struct series_entry *const *)b), HG_SERIES_HASH_LEN);
}

/* Entries with points, by hash. To be freed. */
static struct series_entry **sorted_entries(struct series_store *store, size_t *count)
{
    struct series_entry **entries =
        hg_calloc(store->entries.count + 1, sizeof(struct series_entry *));
    const struct hg_map_entry *slot;

    *count = 0;
    for (size_t at = 0; (slot = hg_map_next(&store->entries, &at));) {
        struct series_entry *entry = slot->value;

        if (entry->points)
            entries[(*count)++] = entry;
    }
    qsort(entries, *count, sizeof(struct series_entry *), compare_hashes);
    return entries;
}

static enum hg_rc write_run(struct series_store *store, struct hg_error *err)
{
    struct series_run_writer writer;
    struct series_entry **entries;
    struct hg_buf body;
    size_t count;
    enum hg_rc rc = series_run_begin(&writer, store->dir_fd, "run.new", err);

    if (rc != HG_OK)
        return rc;
    hg_buf_init(&body, SERIES_FILE_MAX);
    entries = sorted_entries(store, &count);
    for (size_t i = 0; i < count; i++) {
        int64_t before = 0, newest = entries[i]->points->minute;

        for (const struct series_point *p = entries[i]->points; p; p = p->older) {
            series_put_point(&body, p->minute, before, &p->set);
            before = p->minute;
        }
        series_run_add(&writer, entry_hash(entries[i]), hg_buf_str(&body), before, newest);
        hg_buf_clear(&body, SERIES_RECORD_BYTES);
    }
    free(entries);
    hg_buf_fini(&body);
    return series_run_end(&writer, err);
}

static void begin_log(struct series_store *store, uint64_t number)
{
    char name[SERIES_NAME_MAX];

    disk_log_name(store->number, name);
    if (store->log_fd >= 0)
        (void)close(store->log_fd);
    (void)unlinkat(store->dir_fd, name, 0);
    store->log_fd = -1;
    store->number = number;
    store->log_bytes = store->next_log_id = 0;
    store->is_log_broken = false;
    store->log_since_us = hg_mono_us();
}

enum hg_rc series_store_make_run(struct series_store *store, struct hg_error *err)
{
    char name[SERIES_NAME_MAX];
    enum hg_rc rc;

    series_store_drop_idle(store);
    if (write_names(store) != HG_OK)
        return hg_error_set(err, HG_E_IO, "names: %s", strerror(errno));
    if (store->points) {
        rc = write_run(store, err);
        if (rc != HG_OK)
            return rc;
        run_name(store->number, name);
        if (renameat(store->dir_fd, "run.new", store->dir_fd, name) != 0 ||
            fsync(store->dir_fd) != 0)
            return hg_error_set(err, HG_E_IO, "%s: %s", name, strerror(errno));
        /* From here on the log is superseded: its points are in the run. */
        series_store_drop_points(store);
        (void)open_run(store, store->number);
    }
    begin_log(store, store->number + 1);
    disk_drop_old(store);
    return HG_OK;
}

/* ---- start and reset ---- */

static bool number_of(const char *name, const char *prefix, uint64_t *number)
{
    struct hg_str text = hg_str_of(name);

    return hg_str_starts(text, hg_str_of(prefix)) &&
           hg_str_u64(hg_str_skip(text, strlen(prefix)), INT64_MAX, number);
}

static DIR *list_dir(const struct series_store *store)
{
    int fd = openat(store->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir && fd >= 0)
        (void)close(fd);
    return dir;
}

static void open_names(struct series_store *store)
{
    struct hg_str text = read_file(store, "names");

    if (text.p && !disk_read_names(store, text))
        disk_set_aside(store, "names", "a checksum does not fit");
    free((void *)(uintptr_t)text.p);
}

/* All runs; the newest log that no run supersedes is read, others are done with. */
static void open_files(struct series_store *store)
{
    DIR *dir = list_dir(store);
    uint64_t number, newest_run = 0, newest_log = 0;
    const struct dirent *item;
    unsigned damaged = 0;

    if (!dir) {
        disk_complain(store, "files cannot be listed", strerror(errno));
        return;
    }
    while ((item = readdir(dir))) {
        if (number_of(item->d_name, "run-", &number)) {
            if (open_run(store, number))
                newest_run = HG_MAX(newest_run, number);
        } else if (number_of(item->d_name, "log-", &number)) {
            newest_log = HG_MAX(newest_log, number);
        } else if (hg_str_starts(hg_str_of(item->d_name), HG_STR("damaged-")) &&
                   ++damaged > DAMAGED_MAX) {
            (void)unlinkat(store->dir_fd, item->d_name, 0);
        }
    }
    rewinddir(dir);
    while ((item = readdir(dir)))
        if (number_of(item->d_name, "log-", &number) &&
            (number < newest_log || number <= newest_run))
            (void)unlinkat(store->dir_fd, item->d_name, 0);
    (void)closedir(dir);
    store->number = newest_run + 1;
    if (newest_log > newest_run)
        open_old_log(store, newest_log);
}

enum hg_rc disk_begin(struct series_store *store, struct hg_error *err)
{
    if (mkdir(store->dir, 0700) != 0 && errno != EEXIST)
        return hg_error_set(err, HG_E_IO, "%s: %s", store->dir, strerror(errno));
    store->dir_fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->dir_fd < 0)
        return hg_error_set(err, HG_E_IO, "%s: %s", store->dir, strerror(errno));
    return HG_OK;
}

void disk_load(struct series_store *store)
{
    open_names(store);
    open_files(store);
    series_store_drop_idle(store);
    disk_drop_old(store);
}

/* One rename hides all files at once, whatever their number; they are removed later. */
enum hg_rc series_store_reset(struct series_store *store, struct hg_error *err)
{
    char aside[4096];
    int fd;

    (void)snprintf(aside, sizeof(aside), "%s.gone-%" PRIu64, store->dir,
                   (uint64_t)hg_wall_ms() * 1000 + store->garbage++ % 1000);
    if (rename(store->dir, aside) != 0 || mkdir(store->dir, 0700) != 0)
        return hg_error_set(err, HG_E_IO, "%s: %s", store->dir, strerror(errno));
    fd = open(store->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return hg_error_set(err, HG_E_IO, "%s: %s", store->dir, strerror(errno));
    (void)close(store->dir_fd);
    store->dir_fd = fd;
    while (store->run_count)
        forget_run(store, store->run_count - 1);
    series_store_drop_all(store);
    begin_log(store, 1);
    return HG_OK;
}

static void remove_folder(int parent, const char *name)
{
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *item;

    while (dir && (item = readdir(dir)))
        if (item->d_name[0] != '.')
            (void)unlinkat(fd, item->d_name, 0);
    if (dir)
        (void)closedir(dir);
    (void)unlinkat(parent, name, AT_REMOVEDIR);
}

void series_store_clean(struct series_store *store)
{
    int parent = openat(store->dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = parent >= 0 ? fdopendir(parent) : NULL;
    const char *slash = strrchr(store->dir, '/');
    const struct dirent *item;
    char prefix[SERIES_NAME_MAX];

    (void)snprintf(prefix, sizeof(prefix), "%s.gone-", slash ? slash + 1 : store->dir);
    while (dir && (item = readdir(dir)))
        if (hg_str_starts(hg_str_of(item->d_name), hg_str_of(prefix)))
            remove_folder(parent, item->d_name);
    if (dir)
        (void)closedir(dir);
}
