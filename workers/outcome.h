/*
 * How invocations end in an environment. For environment.c.
 */
#ifndef HG_WORKERS_OUTCOME_H
#define HG_WORKERS_OUTCOME_H

#include "workers/environment.h"

struct hg_outcome {
    enum hg_function_error error;
    struct hg_blob *answer; /* a reference that outcome_complete takes */
    const char *content_type;
    enum hg_report_status status;
    const char *error_type;
    const char *message; /* of a failure that the platform found; NULL for none */
    int64_t duration_us; /* -1: as measured */
};

/* Each ends env->running; the environment's state is the caller's affair. */
void outcome_complete(struct hg_environment *env, const struct hg_outcome *outcome);
/* With a document that the platform makes. message goes to the log, NULL for none; text to the caller. */
void outcome_fail(struct hg_environment *env, const char *error_type, const char *message,
                  const char *text);
void outcome_time_out(struct hg_environment *env);
/* The process is gone, or about to be. */
void outcome_exited(struct hg_environment *env, const struct hg_exit *how);

/* An initialisation failed, in an invocation or before one: only logs it. */
void outcome_init_failed(struct hg_environment *env, enum hg_report_status status,
                         const char *error_type);

#endif
