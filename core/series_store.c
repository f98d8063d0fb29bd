/*
 * The part in memory, and what reading merges.
 */
#include "core/clock.h"
#include "core/log.h"
#include "core/series_parts.h"

#include <stdlib.h>
#include <unistd.h>

enum { RUN_EVERY_S = 3600, LOG_BYTES_MAX = 64 << 20 };

const struct hg_series_options hg_series_options_default = {
    .max_bytes = 1ULL << 30,
    .max_memory = 64 << 20,
    .max_series = 200000,
    .keep_minutes = 15 * 24 * 60,
};

static struct hg_str key_of(const struct series_entry *entry)
{
    return hg_str_n(entry->key, entry->key_length);
}

static void free_points(struct series_store *store, struct series_entry *entry)
{
    struct series_point *point = entry->points;

    while (point) {
        struct series_point *older = point->older;

        store->memory -= sizeof(*point) + hg_statset_bytes(&point->set);
        store->points--;
        hg_statset_fini(&point->set);
        free(point);
        point = older;
    }
    entry->points = NULL;
}

/* Its points must not be dirty. */
static void drop_entry(struct series_store *store, struct series_entry *entry)
{
    free_points(store, entry);
    (void)hg_map_remove(&store->entries, key_of(entry));
    hg_list_unlink(&entry->recent);
    free(entry);
}

/* The least recently active go, their points in memory with them: several, because the log must be written before. */
static void make_place(struct series_store *store)
{
    size_t keep = store->options.max_series - store->options.max_series / 64 - 1;

    disk_write_log(store);
    while (store->entries.count > keep)
        drop_entry(store, hg_container_of(store->recent.prev, struct series_entry, recent));
}

struct series_entry *entry_get(struct series_store *store, struct hg_str key)
{
    struct series_entry *entry = hg_map_get(&store->entries, key);

    if (entry)
        return entry;
    if (store->entries.count >= store->options.max_series)
        make_place(store);
    entry = hg_calloc(1, sizeof(*entry) + key.n + 1);
    memcpy(entry->key, key.p, key.n);
    entry->key_length = (uint32_t)key.n;
    hg_list_push_front(&store->recent, &entry->recent);
    (void)hg_map_set(&store->entries, key_of(entry), entry);
    return entry;
}

const unsigned char *entry_hash(struct series_entry *entry)
{
    if (!entry->has_hash)
        series_hash(key_of(entry), entry->hash);
    entry->has_hash = true;
    return entry->hash;
}

void entry_note_active(struct series_store *store, struct series_entry *entry, int64_t minute)
{
    entry->last_minute = HG_MAX(entry->last_minute, minute);
    hg_list_unlink(&entry->recent);
    hg_list_push_front(&store->recent, &entry->recent);
}

struct series_point *entry_point(struct series_store *store, struct series_entry *entry,
                                 int64_t minute)
{
    struct series_point **place = &entry->points, *point;

    while (*place && (*place)->minute > minute)
        place = &(*place)->older;
    point = *place;
    if (point && point->minute == minute)
        return point;
    point = hg_calloc(1, sizeof(*point));
    point->entry = entry;
    point->minute = minute;
    point->older = *place;
    *place = point;
    store->memory += sizeof(*point);
    store->points++;
    return point;
}

void series_store_drop_points(struct series_store *store)
{
    const struct hg_map_entry *slot;

    for (size_t at = 0; (slot = hg_map_next(&store->entries, &at));) {
        struct series_entry *entry = slot->value;

        free_points(store, entry);
        entry->log_id = 0;
    }
    store->dirty = NULL;
}

void series_store_drop_idle(struct series_store *store)
{
    HG_LIST_EACH(link, &store->recent)
    {
        struct series_entry *entry = hg_container_of(link, struct series_entry, recent);

        if (!entry->points && entry->last_minute < store->now_minute - store->options.keep_minutes)
            drop_entry(store, entry);
    }
}

void series_store_drop_all(struct series_store *store)
{
    series_store_drop_points(store);
    while (!hg_list_empty(&store->recent))
        drop_entry(store, hg_container_of(store->recent.next, struct series_entry, recent));
}

void series_store_add(struct series_store *store, struct hg_str key, int64_t minute,
                      const struct hg_statset *set)
{
    struct series_entry *entry;
    struct series_point *point;

    if (minute < store->now_minute - store->options.keep_minutes || minute < 0 || set->count <= 0)
        return;
    entry = entry_get(store, key);
    point = entry_point(store, entry, minute);
    store->memory -= hg_statset_bytes(&point->set);
    hg_statset_merge(&point->set, set);
    store->memory += hg_statset_bytes(&point->set);
    entry_note_active(store, entry, minute);
    if (!point->is_dirty) {
        point->is_dirty = true;
        point->next_dirty = store->dirty;
        store->dirty = point;
    }
    if (store->memory > store->options.max_memory) {
        struct hg_error why;

        if (series_store_make_run(store, &why) != HG_OK && store->points) {
            disk_complain(store, "points are dropped, memory is full", why.text);
            series_store_drop_points(store);
        }
    }
}

bool series_store_read(struct series_store *store, struct hg_str key, int64_t from, int64_t to,
                       series_point_fn each, void *arg)
{
    struct series_entry *entry = hg_map_get(&store->entries, key);

    if (!entry)
        return false;
    from = HG_MAX(from, store->now_minute - store->options.keep_minutes);
    for (size_t i = 0; i < store->run_count;) {
        if (series_run_read(&store->runs[i], entry_hash(entry), from, to, each, arg) ==
            HG_E_INVALID)
            disk_drop_run(store, i);
        else
            i++;
    }
    for (const struct series_point *point = entry->points; point; point = point->older)
        if (point->minute >= from && point->minute < to)
            each(point->minute, &point->set, arg);
    return true;
}

void series_store_each(const struct series_store *store, series_key_fn each, void *arg)
{
    const struct hg_map_entry *slot;

    for (size_t at = 0; (slot = hg_map_next(&store->entries, &at));) {
        const struct series_entry *entry = slot->value;

        each(key_of(entry), entry->last_minute, arg);
    }
}

void series_store_flush(struct series_store *store, int64_t now_minute)
{
    struct hg_error why;

    store->now_minute = HG_MAX(store->now_minute, now_minute);
    disk_write_log(store);
    if (store->points && (store->is_log_broken || store->log_bytes > LOG_BYTES_MAX ||
                          hg_mono_us() - store->log_since_us > RUN_EVERY_S * 1000000LL)) {
        if (series_store_make_run(store, &why) != HG_OK)
            disk_complain(store, "no run can be written", why.text);
    }
    disk_drop_old(store);
}

size_t series_store_count(const struct series_store *store)
{
    return store->entries.count;
}

struct series_store *series_store_begin(const char *dir, const struct hg_series_options *options,
                                        int64_t now_minute, struct hg_error *err)
{
    struct series_store *store = hg_calloc(1, sizeof(*store));

    store->options = *options;
    store->dir = hg_strdup(dir);
    store->dir_fd = store->log_fd = -1;
    store->now_minute = now_minute;
    store->log_since_us = hg_mono_us();
    hg_map_init(&store->entries);
    hg_list_init(&store->recent);
    if (disk_begin(store, err) == HG_OK)
        return store;
    series_store_close(store);
    return NULL;
}

void series_store_load(struct series_store *store)
{
    disk_load(store);
}

struct series_store *series_store_open(const char *dir, const struct hg_series_options *options,
                                       int64_t now_minute, struct hg_error *err)
{
    struct series_store *store = series_store_begin(dir, options, now_minute, err);

    if (store)
        series_store_load(store);
    return store;
}

void series_store_close(struct series_store *store)
{
    if (!store)
        return;
    if (store->dir_fd >= 0)
        disk_write_log(store);
    series_store_drop_all(store);
    hg_map_fini(&store->entries);
    for (size_t i = 0; i < store->run_count; i++)
        (void)close(store->runs[i].fd);
    free(store->runs);
    if (store->log_fd >= 0)
        (void)close(store->log_fd);
    if (store->dir_fd >= 0)
        (void)close(store->dir_fd);
    free(store->dir);
    free(store);
}
