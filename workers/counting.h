/*
 * What CloudWatch is told of invocations (metrics-logs.md §1). On the loop that the environment lives on, but for the sample.
 */
#ifndef HG_WORKERS_COUNTING_H
#define HG_WORKERS_COUNTING_H

#include "workers/environment.h"

/* What an invocation needs for it: qualifier and weighted alias. On the submitting loop, while inv's snapshot is there. */
void counting_prepare(struct hg_running *running, const struct hg_invocation *inv);
/* The environment takes on env->running. */
void counting_begin(struct hg_environment *env);
/* running has its outcome; it began duration_us (or more) ago. */
void counting_end(struct hg_environment *env, const struct hg_running *running,
                  bool has_function_error, int64_t duration_us);
/* env->running ends without an outcome: it is not counted. */
void counting_leave(struct hg_environment *env);
/* One that failed for its function before there was an environment. */
void counting_fail(const struct hg_running *running);
void counting_throttle(const struct hg_running *running);
/* Concurrency of what runs longer than a minute: every 15 s on the control loop. */
void counting_start(struct hg_workers *workers);
void counting_stop(struct hg_workers *workers);

#endif
