/*
 * The one way into a function. Gateway, management API and router all use it;
 * none of them knows what an environment is.
 */
#ifndef HG_WORKERS_INVOKE_H
#define HG_WORKERS_INVOKE_H

#include "config/model.h"
#include "core/blob.h"
#include "core/error.h"
#include "core/id.h"
#include "core/loop.h"

enum {
    HG_INVOKE_REQUEST_MAX = 6291456,  /* bytes of a synchronous payload */
    HG_INVOKE_RESPONSE_MAX = 6291556, /* bytes of an answer */
    HG_LOG_TAIL_MAX = 4096,
    HG_TRACE_MAX = 256,
    HG_INVOKED_ARN_MAX = 256,
};

/* How the function's run ended; meaningful when rc is HG_OK. */
enum hg_function_error {
    HG_FUNCTION_OK,
    HG_FUNCTION_ERROR, /* posted by the runtime on /error, or made by the platform (crash, time-out, …) */
    HG_FUNCTION_TIMEOUT, /* the platform's time-out; payload holds Sandbox.Timedout */
};

/*
 * One invocation: made and owned by the caller, lent to the pool from submit
 * until done runs (or cancel returns). Embedded in a larger struct of the caller.
 */
struct hg_invocation {
    /* Set by the caller. */
    struct hg_snapshot *snapshot;       /* a reference that the caller holds until done */
    const struct hg_function *function; /* inside snapshot */
    char request_id[HG_UUID_LEN + 1];
    struct hg_buf payload; /* the event; owned by this struct, moved to the worker side at submit */
    struct hg_blob
        *event; /* or the event as a reference, which submit takes; payload is then not looked at */
    char trace_id[HG_TRACE_MAX];          /* "" for none */
    char invoked_arn[HG_INVOKED_ARN_MAX]; /* as the caller qualified it */
    struct hg_str client_context;         /* decoded JSON; copied at submit; p NULL for none */
    bool wants_log_tail;
    bool is_background; /* waits behind every other one, and is not counted in what may wait */
    void (*done)(struct hg_invocation *inv); /* on the loop that submitted, never inside submit */

    /* Set by the pool before done. */
    enum hg_rc
        rc; /* HG_OK: the function ran. HG_E_THROTTLED, HG_E_BUSY, HG_E_UNAVAILABLE, … otherwise */
    const char *
        throttle_reason; /* static; with HG_E_THROTTLED: "ReservedFunctionConcurrentInvocationLimitExceeded", … */
    enum hg_function_error error;
    struct hg_blob *
        answer; /* what the function returned, or the error document; a reference that the caller drops. With HG_E_UNAVAILABLE a sentence that says why, or NULL; NULL with all other rc */
    char content_type[64];        /* of the answer, as the runtime said; "" for none */
    struct hg_str log_tail;       /* points into tail_bytes */
    char *tail_bytes;             /* freed by invocation_fini; NULL unless wanted */
    int64_t duration_us, init_us; /* init_us is 0 on a warm environment */

    /* For the pool. */
    struct hg_running *running;
};

struct hg_workers; /* workers/pool.h */

/* Zeroes inv and prepares its payload buffer with the maximum max_payload; sets a fresh request id. */
void invocation_init(struct hg_invocation *inv, size_t max_payload);
/* Frees payload, event, answer, tail and drops the snapshot reference. Not while submitted. */
void invocation_fini(struct hg_invocation *inv);

/* On any equal loop or the control loop. Takes the payload's memory. done follows exactly once, unless cancelled. */
void invoke_submit(struct hg_workers *workers, struct hg_invocation *inv);

/*
 * After this returns, done never runs and inv may be freed. The function keeps
 * running to its end, as the service does when a client leaves; an invocation
 * that still waits for an environment is dropped.
 */
void invoke_cancel(struct hg_workers *workers, struct hg_invocation *inv);

#endif
