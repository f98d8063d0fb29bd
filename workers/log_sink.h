/*
 * Where the lines of one function on one loop gather before they go to disk.
 * Home loop only; never blocks, never grows beyond its maximum.
 */
#ifndef HG_WORKERS_LOG_SINK_H
#define HG_WORKERS_LOG_SINK_H

#include "workers/log_files.h"

enum {
    HG_LOG_OWN_GROUP_MAX = 96, /* "/aws/lambda/" and a function's name */
    HG_LOG_SINK_MAX =
        2097152, /* bytes that wait for the disk; what comes on top is dropped and counted */
};

struct hg_log_sink {
    struct hg_log_files *files;
    struct hg_loop *loop;
    struct hg_buf filling;
    struct hg_log_batch batch; /* what is being written */
    bool is_writing;
    struct hg_timer timer;
    struct hg_task flush;
    int64_t flushed_ms;
    uint64_t dropped_lines;
    char own_group[HG_LOG_OWN_GROUP_MAX];
};

/* group ("": /aws/lambda/<function_name>) and function_name must outlive the sink. */
void log_sink_init(struct hg_log_sink *sink, struct hg_log_files *files, struct hg_loop *loop,
                   struct hg_str group, struct hg_str function_name);
/* The log thread must have ended. */
void log_sink_fini(struct hg_log_sink *sink);

/* Adds one event; text may end in a line feed or not. */
void log_sink_line(struct hg_log_sink *sink, int64_t wall_ms, struct hg_str stream,
                   struct hg_str text);
/* Whether nothing waits and nothing is being written: it may be ended. */
bool log_sink_is_quiet(const struct hg_log_sink *sink);
/* Writes now what has gathered. */
void log_sink_flush(struct hg_log_sink *sink);

#endif
