/*
 * Run files of the store of series: what was in memory once, written in one go and never changed. A series' points lie together,
 * found by the hash of its key. One thread.
 */
#ifndef HG_CORE_SERIES_RUN_H
#define HG_CORE_SERIES_RUN_H

#include "core/error.h"
#include "core/series_code.h"

enum { HG_SERIES_HASH_LEN = 16 };

struct series_run {
    int fd;
    uint64_t number;
    int64_t min_minute, max_minute;
    uint64_t entries, index_at; /* of the index */
    uint64_t bytes;
};

/* The points of one series on their way into a run; body as series_put_point makes it. */
struct series_chunk {
    unsigned char hash[HG_SERIES_HASH_LEN];
    uint64_t at;
    uint32_t length, checksum;
};

void series_hash(struct hg_str key, unsigned char hash[HG_SERIES_HASH_LEN]);
/* before: the minute of the point before in the same chunk, 0 for the first. */
void series_put_point(struct hg_buf *out, int64_t minute, int64_t before,
                      const struct hg_statset *set);

/* Writing: begin, then every series in the order of their hashes, then end, which makes the file durable. */
struct series_run_writer {
    int fd;
    struct hg_buf out;
    uint64_t written;
    struct series_chunk *index;
    size_t count, room;
    int64_t min_minute, max_minute;
    bool has_failed;
};
enum hg_rc series_run_begin(struct series_run_writer *writer, int dir_fd, const char *name,
                            struct hg_error *err);
void series_run_add(struct series_run_writer *writer, const unsigned char hash[HG_SERIES_HASH_LEN],
                    struct hg_str body, int64_t min_minute, int64_t max_minute);
enum hg_rc series_run_end(struct series_run_writer *writer, struct hg_error *err);

/* Takes fd on success. HG_E_INVALID: not a run. */
enum hg_rc series_run_open(struct series_run *run, int fd);

/* Calls each with the series' points of minutes from ≤ minute < to. HG_E_NOT_FOUND: it has none; HG_E_INVALID: damaged. */
typedef void (*series_point_fn)(int64_t minute, const struct hg_statset *set, void *arg);
enum hg_rc series_run_read(const struct series_run *run,
                           const unsigned char hash[HG_SERIES_HASH_LEN], int64_t from, int64_t to,
                           series_point_fn each, void *arg);

#endif
