/*
 * Which events of a group to show: those of some streams, between two moments, that match a pattern; a page at a time, in the order
 * of time and position. Works in slices, so that writing goes on beside a long search. The logs' thread only.
 */
#ifndef HG_WORKERS_LOG_QUERY_H
#define HG_WORKERS_LOG_QUERY_H

#include "workers/log_pattern.h"
#include "workers/log_store.h"

/* Events are in the order of these. */
struct hg_log_position {
    int64_t wall_ms;
    uint64_t at;
};

/* One event of the answer. */
struct hg_log_found {
    struct hg_log_position position;
    int64_t ingested_ms;
    uint32_t stream_bytes, message_bytes;
    char text[]; /* name of the stream (decoded), message */
};

struct hg_log_query {
    /* Set by the caller, who keeps all of it. */
    struct hg_str group;
    const struct hg_str *streams; /* encoded; count 0: all … */
    size_t stream_count;
    struct hg_str prefix;     /* … that begin so */
    int64_t start_ms, end_ms; /* the end is not included */
    struct hg_log_position
        cursor;       /* forward: the first that may come; backward: the first that may not */
    bool is_backward; /* the last of them are wanted, not the first */
    size_t limit, max_bytes;        /* of one page; at least one event comes */
    struct hg_log_pattern *pattern; /* NULL: all */

    /* The answer. */
    struct hg_log_found **found; /* in order */
    size_t count;
    bool has_more;               /* further on there are more, or may be … */
    struct hg_log_position next; /* … with this as cursor */

    /* While it works. */
    uint64_t group_id;
    struct hg_log_block *blocks;
    size_t block_count, block_at, room, bytes;
    int64_t since_us;
    bool is_begun, hides_some;
    const struct hg_log_group *reading;
    struct hg_buf message;
};

/* Works for a while; false: call again after others had their turn. */
bool log_query_work(struct hg_log_query *query, struct hg_log_store *store) hg_must_use;
void log_query_fini(struct hg_log_query *query);

#endif
