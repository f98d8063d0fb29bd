/*
 * The log of what is in no run yet: keys, numbered in the order of their coming, and points as they were at that time.
 */
#include "core/series_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

enum { IS_KEY = 1, IS_POINT = 2 };

static bool open_log(struct series_store *store)
{
    char name[SERIES_NAME_MAX];

    if (store->log_fd >= 0)
        return true;
    disk_log_name(store->number, name);
    store->log_fd = openat(store->dir_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return store->log_fd >= 0;
}

static void put_logged(struct series_store *store, struct hg_buf *out,
                       const struct series_point *point)
{
    struct series_entry *entry = point->entry;

    if (!entry->log_id) {
        entry->log_id = ++store->next_log_id;
        hg_buf_append_byte(out, IS_KEY);
        series_put_text(out, hg_str_n(entry->key, entry->key_length));
    }
    hg_buf_append_byte(out, IS_POINT);
    series_put_number(out, entry->log_id);
    series_put_number(out, (uint64_t)point->minute);
    series_put_statset(out, &point->set);
}

static void write_record(struct series_store *store, struct hg_buf *out)
{
    series_end_record(out, 0);
    if (!store->is_log_broken && disk_write_all(store->log_fd, hg_buf_str(out)) != HG_OK) {
        disk_complain(store, "the log cannot be written", strerror(errno));
        store->is_log_broken = true;
    }
    store->log_bytes += out->len;
    hg_buf_clear(out, SERIES_RECORD_BYTES);
}

void disk_write_log(struct series_store *store)
{
    struct series_point *point = store->dirty;
    struct hg_buf out;

    if (!point)
        return;
    if (!open_log(store)) {
        disk_complain(store, "the log cannot be opened", strerror(errno));
        store->is_log_broken = true;
    }
    hg_buf_init(&out, SERIES_RECORD_BYTES + 4 * HG_SERIES_KEY_MAX);
    while (point) {
        struct series_point *next = point->next_dirty;

        if (!out.len)
            (void)series_begin_record(&out);
        put_logged(store, &out, point);
        point->is_dirty = false;
        point->next_dirty = NULL;
        if (out.len > SERIES_RECORD_BYTES)
            write_record(store, &out);
        point = next;
    }
    store->dirty = NULL;
    if (out.len)
        write_record(store, &out);
    hg_buf_fini(&out);
}

struct replay {
    struct series_entry **entries; /* by log id - 1 */
    size_t count, room;
};

static bool replay_key(struct series_store *store, struct replay *replay, struct hg_str *rest)
{
    struct hg_str key;
    struct series_entry *entry;

    if (!series_get_text(rest, &key) || key.n > HG_SERIES_KEY_MAX)
        return false;
    entry = entry_get(store, key);
    entry->log_id = ++store->next_log_id;
    if (replay->count == replay->room) {
        replay->room = replay->room ? 2 * replay->room : 256;
        replay->entries = hg_realloc(replay->entries, replay->room * sizeof(struct series_entry *));
    }
    replay->entries[replay->count++] = entry;
    return true;
}

/* Points stand in the log as they were at that time: the last one counts. */
static bool replay_point(struct series_store *store, const struct replay *replay,
                         struct hg_str *rest)
{
    struct hg_statset set = {0};
    uint64_t id, minute;
    bool is_good = series_get_number(rest, &id) && id > 0 && id <= replay->count &&
                   series_get_number(rest, &minute) && minute < INT32_MAX &&
                   series_get_statset(rest, &set);

    if (is_good) {
        struct series_entry *entry = replay->entries[id - 1];
        struct series_point *point = entry_point(store, entry, (int64_t)minute);

        store->memory -= hg_statset_bytes(&point->set);
        hg_statset_copy(&point->set, &set);
        store->memory += hg_statset_bytes(&point->set);
        entry_note_active(store, entry, (int64_t)minute);
    }
    hg_statset_fini(&set);
    return is_good;
}

bool disk_replay(struct series_store *store, struct hg_str *rest)
{
    struct replay replay = {0};
    struct hg_str payload;
    bool is_good = true;

    while (is_good && series_get_record(rest, &payload)) {
        while (is_good && payload.n) {
            char kind = payload.p[0];

            payload = hg_str_skip(payload, 1);
            if (kind == IS_KEY)
                is_good = replay_key(store, &replay, &payload);
            else
                is_good = kind == IS_POINT && replay_point(store, &replay, &payload);
        }
    }
    free(replay.entries);
    return is_good && rest->n == 0;
}
