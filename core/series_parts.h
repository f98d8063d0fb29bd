/*
 * The inside of the store of series, for the files that make it up: series_store, series_log, series_disk.
 */
#ifndef HG_CORE_SERIES_PARTS_H
#define HG_CORE_SERIES_PARTS_H

#include "core/list.h"
#include "core/map.h"
#include "core/series_store.h"

enum { SERIES_FILE_MAX = 1 << 28, SERIES_RECORD_BYTES = 1 << 20, SERIES_NAME_MAX = 64 };

struct series_point {
    struct series_point *older;
    struct series_point *next_dirty;
    struct series_entry *entry;
    int64_t minute;
    bool is_dirty; /* not in the log as it is */
    struct hg_statset set;
};

struct series_entry {
    struct hg_list recent;       /* in store->recent, the most recently active first */
    struct series_point *points; /* in memory, newest first */
    int64_t last_minute;
    uint64_t log_id; /* in the current log; 0: none yet */
    bool has_hash;
    unsigned char hash[HG_SERIES_HASH_LEN]; /* of the key; see entry_hash */
    uint32_t key_length;
    char key[];
};

struct series_store {
    struct hg_series_options options;
    char *dir;
    int dir_fd;
    struct hg_map entries; /* key → struct series_entry */
    struct hg_list recent;
    struct series_point *dirty;
    size_t memory; /* of points */
    size_t points;
    int64_t now_minute;

    int log_fd;      /* -1: none could be opened */
    uint64_t number; /* of the log */
    uint64_t log_bytes, next_log_id;
    int64_t log_since_us;
    bool is_log_broken; /* its end is not known: a run must come before it is used again */

    struct series_run *runs; /* ascending numbers */
    size_t run_count, run_room;
    uint64_t run_bytes;
    int64_t complained_us;
    unsigned garbage; /* folders that series_store_clean removes */
};

/* ---- series_store.c ---- */

struct series_entry *entry_get(struct series_store *store, struct hg_str key);
/* Made when a run is written or looked into: most names are only kept. */
const unsigned char *entry_hash(struct series_entry *entry);
/* The key's point in that minute; a fresh one if there is none. Marks nothing dirty. */
struct series_point *entry_point(struct series_store *store, struct series_entry *entry,
                                 int64_t minute);
void entry_note_active(struct series_store *store, struct series_entry *entry, int64_t minute);
/* Drops all points in memory. */
void series_store_drop_points(struct series_store *store);
/* And all names. */
void series_store_drop_all(struct series_store *store);
/* Drops names that have been idle for too long. */
void series_store_drop_idle(struct series_store *store);

/* ---- series_disk.c ---- */

/* Makes the folder. */
enum hg_rc disk_begin(struct series_store *store, struct hg_error *err);
/* Reads names, runs and the log. */
void disk_load(struct series_store *store);
/* Removes runs that are too old or too many. */
void disk_drop_old(struct series_store *store);
void disk_set_aside(struct series_store *store, const char *name, const char *why);
void disk_drop_run(struct series_store *store, size_t at);
/* At most once in a while. */
void disk_complain(struct series_store *store, const char *what, const char *why);
void disk_log_name(uint64_t number, char name[SERIES_NAME_MAX]);
enum hg_rc disk_write_all(int fd, struct hg_str text);
/* Takes over what a file of names holds; false at the first damage. */
bool disk_read_names(struct series_store *store, struct hg_str text);

/* ---- series_log.c ---- */

/* Appends the dirty points to the log. */
void disk_write_log(struct series_store *store);
/* Takes over what a log holds, as long as it is good; false at the first damage. */
bool disk_replay(struct series_store *store, struct hg_str *rest);

#endif
