/*
 * One log group on disk, <data_dir>/logs/<folder>/:
 *     <position>.log   lines (log_line.h); the name is the position of the first byte in all that was ever written to the group
 *     group.json       name, creation time, retention, tags; replaced by rename
 *     streams.log      streams that were made or deleted by the API, one line each
 * An event's position (that of its line) never changes, so that with its time it is an event's identity. What of the lines is kept in
 * memory is an index, made when somebody reads. Everything here blocks on the disk: the logs' thread only.
 */
#ifndef HG_WORKERS_LOG_GROUP_H
#define HG_WORKERS_LOG_GROUP_H

#include "core/map.h"
#include "workers/log_line.h"

enum {
    HG_LOG_FILE_MAX = 10485760, /* bytes, then the next file is begun */
    HG_LOG_FILES_KEPT = 6,
    HG_LOG_GROUP_NAME_MAX = 512,
    HG_LOG_STREAM_NAME_MAX = 512,
    HG_LOG_STREAMS_MADE_MAX = 100000, /* of one group, by CreateLogStream */
    HG_LOG_TAGS_MAX = 50,
};

struct hg_log_file {
    uint64_t base, size;
};

/* A run of lines in one file. */
struct hg_log_block {
    uint64_t at;
    uint64_t bytes;
    int64_t first_ms, last_ms;
};

struct hg_log_stream {
    struct hg_str name; /* encoded */
    int64_t created_ms, first_ms, last_ms, last_ingested_ms;
    uint64_t first_at, last_at;
    uint64_t hidden_before; /* what was written before this position was deleted with the stream */
    bool has_events;
    bool is_made; /* by CreateLogStream */
    char text[];  /* of name */
};

struct hg_log_tag {
    char *key, *value;
};

struct hg_log_group {
    char *name, *dir;
    uint64_t id; /* another one when the group is deleted and made again */
    int64_t created_ms;
    int retention_days; /* 0: for ever */
    char *kms_key;      /* as given; nothing is encrypted with it; NULL for none */
    char *log_class;    /* "STANDARD" … */
    struct hg_log_tag tags[HG_LOG_TAGS_MAX];
    size_t tag_count;
    struct hg_log_file files[HG_LOG_FILES_KEPT + 1]; /* oldest first */
    size_t file_count;
    bool is_loaded; /* the above, but name and dir, was read */

    /* The index; see log_index.c. */
    bool has_index;
    struct hg_map streams; /* struct hg_log_stream by encoded name */
    size_t made_count, hidden_count;
    struct hg_log_block *blocks;
    size_t block_count, block_room;
    uint64_t indexed_to;
    uint64_t used; /* grows with each use, over all groups */
};

struct hg_log_group *log_group_new(struct hg_str name, const char *dir);
void log_group_free(struct hg_log_group *group);

/* Makes folder and group.json. 0, or -1 with errno. */
int log_group_make(struct hg_log_group *group);
/* Reads what there is, once; files of the former layout (current.log.N) become such of this one. */
void log_group_load(struct hg_log_group *group);
/* Writes group.json. 0, or -1 with errno. */
int log_group_save(const struct hg_log_group *group);

/* Appends whole lines. 0, or -1 with errno; then nothing was added. */
int log_group_append(struct hg_log_group *group, struct hg_str lines);
/* Where the next line will be. */
uint64_t log_group_end(const struct hg_log_group *group);
uint64_t log_group_bytes(const struct hg_log_group *group);
/* Removes the files with nothing but events older than the retention. */
void log_group_expire(struct hg_log_group *group, int64_t now_ms);
/* Events before this moment are not shown any more. */
int64_t log_group_oldest_ms(const struct hg_log_group *group, int64_t now_ms);

/* Sets (value NULL: removes) a tag; false when there are too many. */
bool log_group_set_tag(struct hg_log_group *group, struct hg_str key, struct hg_str value);
void log_group_remove_tag(struct hg_log_group *group, struct hg_str key);

/*
 * Gives fn the lines from *at on up to `end`, and ends after the line with which more than max_bytes were read. *at is where the next
 * one begins; at a place where nothing can be read the rest of its file is passed over.
 */
typedef void (*hg_log_line_fn)(void *arg, uint64_t at, size_t bytes,
                               const struct hg_log_line *line);
void log_group_scan(const struct hg_log_group *group, uint64_t *at, uint64_t end, size_t max_bytes,
                    hg_log_line_fn fn, void *arg);

/* ---- log_index.c ---- */

/* Brings the index up to date, reading about *budget bytes at most (what was read is taken off); false: call again. */
bool log_index_update(struct hg_log_group *group, size_t *budget);
void log_index_drop(struct hg_log_group *group);
/* Files were removed: what pointed to them goes too. */
void log_index_trim(struct hg_log_group *group);
/* Bytes of memory, about. */
size_t log_index_cost(const struct hg_log_group *group);

/* The index must be up to date. Names are encoded. NULL when there is no such stream. */
struct hg_log_stream *log_index_stream(const struct hg_log_group *group, struct hg_str name);
/* 0, or -1 with errno. */
int log_index_make_stream(struct hg_log_group *group, struct hg_str name, int64_t now_ms);
int log_index_delete_stream(struct hg_log_group *group, struct hg_str name);
static inline bool log_stream_exists(const struct hg_log_stream *stream)
{
    return stream && (stream->is_made || stream->has_events);
}

#endif
