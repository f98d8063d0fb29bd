/*
 * The platform's own log lines: INIT_START, START, END, REPORT, INIT_REPORT,
 * as text or as JSON events.
 */
#ifndef HG_WORKERS_REPORT_H
#define HG_WORKERS_REPORT_H

#include "config/model.h"
#include "workers/env_log.h"
#include "workers/launch.h"

/* FUNCTION_ERROR: posted by the runtime. ERROR: found by the platform. */
enum hg_report_status {
    HG_REPORT_SUCCESS,
    HG_REPORT_FUNCTION_ERROR,
    HG_REPORT_ERROR,
    HG_REPORT_TIMEOUT
};

/* When a process is initialised: before it is asked for, kept so by provisioned concurrency, or in an invocation's time. */
enum hg_init_phase { HG_INIT_AHEAD, HG_INIT_PROVISIONED, HG_INIT_INVOKE };

/* What REPORT says of one invocation. */
struct hg_report {
    const char *request_id;
    enum hg_report_status status;
    const char *error_type; /* "" for none */
    int64_t duration_us;
    int64_t init_us; /* 0: no Init Duration */
    uint64_t peak_bytes;
    const char *
        extra_message; /* "Task timed out …", "Runtime exited …": an event of its own; NULL for none */
    size_t produced_bytes;
};

void report_init_start(struct hg_env_log *log, const struct hg_function *function,
                       const struct hg_plan *plan, enum hg_init_phase phase);
void report_start(struct hg_env_log *log, const struct hg_function *function,
                  const char *request_id);
void report_end(struct hg_env_log *log, const struct hg_function *function,
                const struct hg_report *report);
/* An initialisation that failed. */
void report_init_failed(struct hg_env_log *log, const struct hg_function *function,
                        enum hg_init_phase phase, enum hg_report_status status,
                        const char *error_type, int64_t init_us);

#endif
