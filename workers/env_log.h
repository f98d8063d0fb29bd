/*
 * What one environment prints, cut into lines, and the tail of it that a caller
 * asked for. Home loop only.
 */
#ifndef HG_WORKERS_ENV_LOG_H
#define HG_WORKERS_ENV_LOG_H

#include "workers/log_sink.h"

enum {
    HG_LOG_STREAM_MAX = 160,
    HG_LOG_LINE_MAX = 262144, /* longer lines are split, as the service does */
    HG_LOG_BYTES_PER_SECOND =
        8388608, /* one environment's; what it prints beyond is dropped and counted */
    HG_LOG_READ_BYTES = 65536,
};

struct hg_env_log {
    struct hg_log_sink *sink;
    char *scratch; /* HG_LOG_READ_BYTES, shared by all environments of the loop */
    char stream[HG_LOG_STREAM_MAX];
    size_t stream_length;
    int fd; /* -1: none */
    struct event event;
    struct hg_buf partial; /* a line that has not ended yet */
    struct hg_buf tail;
    bool wants_tail;
    int64_t second;      /* of the monotonic clock, in which … */
    size_t second_bytes; /* … so much was taken */
    uint64_t dropped_bytes;
};

/* Makes the name of the log stream: a new environment has a new one. */
void env_log_init(struct hg_env_log *log, struct hg_log_sink *sink, char *scratch,
                  struct hg_str function_name, struct hg_str version);
void env_log_fini(struct hg_env_log *log);

/* Starts and ends reading a process's output; fd is owned from open on. close takes what is there first. */
void env_log_open(struct hg_env_log *log, struct hg_loop *loop, int fd);
void env_log_close(struct hg_env_log *log);
/* Takes what the process has printed up to now. */
void env_log_drain(struct hg_env_log *log);

/* A line of the platform's. */
void env_log_line(struct hg_env_log *log, int64_t wall_ms, struct hg_str text);

/* From now on lines are kept for the tail. */
void env_log_start_tail(struct hg_env_log *log);
/* The last max_bytes of it, malloc'd and terminated, its length in *length; NULL when none was started. */
char *env_log_take_tail(struct hg_env_log *log, size_t max_bytes, size_t *length);

#endif
