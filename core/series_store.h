/*
 * Time series on disk: for each key (any bytes) and minute a statset. What is new is in memory and in a log; from time to time it
 * becomes a run (core/series_run.h), and a new log begins. Reading merges what the runs and the memory have. Files that are damaged
 * are renamed to damaged-…, with a line in the log of the program, and not looked at any more.
 *
 *   names   keys and the minute in which each was last active, whole again with every run
 *   log-N   what is not in a run yet; superseded by run-N
 *   run-N   immutable
 *
 * One thread; blocks on the disk. What was added survives the end of the process once series_store_flush has run after it, and power cuts
 * once it is in a run.
 */
#ifndef HG_CORE_SERIES_STORE_H
#define HG_CORE_SERIES_STORE_H

#include "core/error.h"
#include "core/series_run.h"

struct hg_series_options {
    uint64_t max_bytes;   /* of runs; beyond it the oldest go */
    size_t max_memory;    /* of points that are in no run */
    size_t max_series;    /* beyond it the least recently active go */
    int64_t keep_minutes; /* older points go */
};
extern const struct hg_series_options hg_series_options_default;

struct series_store;

/* Makes dir when it is not there. NULL with a sentence when it cannot be used. */
struct series_store *series_store_open(const char *dir, const struct hg_series_options *options,
                                       int64_t now_minute, struct hg_error *err);
/* The same in two steps: reading the files, which may take a while, is the second. */
struct series_store *series_store_begin(const char *dir, const struct hg_series_options *options,
                                        int64_t now_minute, struct hg_error *err);
void series_store_load(struct series_store *store);
/* Writes what is not written. NULL is allowed. */
void series_store_close(struct series_store *store);

/* Merges set into what the key has in that minute. Ignores minutes that are too old. */
void series_store_add(struct series_store *store, struct hg_str key, int64_t minute,
                      const struct hg_statset *set);
/* False: nothing is known under that key. Otherwise calls each for from ≤ minute < to: in no order, a minute maybe several times. */
bool series_store_read(struct series_store *store, struct hg_str key, int64_t from, int64_t to,
                       series_point_fn each, void *arg);
/* All keys, in no order. */
typedef void (*series_key_fn)(struct hg_str key, int64_t last_minute, void *arg);
void series_store_each(const struct series_store *store, series_key_fn each, void *arg);
/* Writes to the log what is new; drops what is too old. */
void series_store_flush(struct series_store *store, int64_t now_minute);
/* Makes a run of what is in memory, begins a new log. */
enum hg_rc series_store_make_run(struct series_store *store, struct hg_error *err) hg_must_use;
/* Forgets everything; the files themselves are removed by series_store_clean. */
enum hg_rc series_store_reset(struct series_store *store, struct hg_error *err) hg_must_use;
void series_store_clean(struct series_store *store);
size_t series_store_count(const struct series_store *store);

#endif
