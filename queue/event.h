/*
 * An asynchronous event and its life: what was asked, what happened so far,
 * what comes next. The router changes it, an engine keeps it.
 *
 * An event waits in a lane: those of one function that wait to run, or those
 * of one function whose record waits for the same target. Lanes are
 * independent: a slow or broken one never holds up another.
 */
#ifndef HG_QUEUE_EVENT_H
#define HG_QUEUE_EVENT_H

#include "core/blob.h"
#include "core/error.h"
#include "core/id.h"
#include "core/list.h"

enum {
    HG_EVENT_FUNCTION_MAX = 140, /* bytes of a function's name */
    HG_EVENT_QUALIFIER_MAX = 128,
    HG_EVENT_DEDUP_MAX = 128, /* bytes of an idempotency key */
    HG_EVENT_TRACE_MAX = 256,
    HG_EVENT_VERSION_MAX = 64,
    HG_EVENT_PAYLOAD_MAX = 1048576, /* invoke-api.md §3 */
    HG_EVENT_RESULT_MAX = 6291556,  /* what a function may return */
    HG_EVENT_TARGET_MAX = 512,      /* bytes of a destination's ARN or URI */
    HG_EVENT_WHY_MAX = 256,         /* bytes of a kept error text */
    HG_EVENT_ATTEMPTS_KEPT = 8,     /* the newest ones */
    HG_EVENT_TARGETS_MAX = 2,       /* OnSuccess, or OnFailure and dead-letter queue */
};

enum hg_event_state {
    HG_EVENT_QUEUED,   /* waits for its first attempt */
    HG_EVENT_RUNNING,  /* leased: an attempt or a delivery is being made; never stored */
    HG_EVENT_RETRYING, /* waits for its next attempt, or for its record's delivery */
    HG_EVENT_DELIVERED, /* the function succeeded or its failure reached every target: nothing is left to do */
    HG_EVENT_DEAD, /* it failed and nobody could be told: kept with the reason */
    HG_EVENT_STATE_COUNT
};

/* "queued", …; static. */
const char *hg_event_state_name(enum hg_event_state state);
/* False when text is none of them. */
bool hg_event_state_of(struct hg_str text, enum hg_event_state *state);

/* How the invocation ended (async.md §4.2). */
enum hg_event_condition {
    HG_CONDITION_NONE, /* it has not ended */
    HG_CONDITION_SUCCESS,
    HG_CONDITION_RETRIES_EXHAUSTED,
    HG_CONDITION_AGE_EXCEEDED,
    HG_CONDITION_ZERO_CONCURRENCY,
    HG_CONDITION_RECURSION,
    HG_CONDITION_NO_FUNCTION, /* deleted while the event was queued */
    HG_CONDITION_COUNT
};

/* "Success", "RetriesExhausted", …; "" for none; static. */
const char *hg_event_condition_name(enum hg_event_condition condition);

enum hg_attempt_outcome {
    HG_ATTEMPT_SUCCESS,
    HG_ATTEMPT_FUNCTION_ERROR, /* handled error, crash, oversize response */
    HG_ATTEMPT_TIMEOUT,
    HG_ATTEMPT_THROTTLED,
    HG_ATTEMPT_SYSTEM_ERROR, /* no environment could be made */
};

const char *hg_attempt_name(enum hg_attempt_outcome outcome);

/* One run of the function, or a try that came to none. Consecutive throttles share one entry, counted. */
struct hg_event_attempt {
    int64_t started_ms, duration_ms;
    enum hg_attempt_outcome outcome;
    unsigned count;
    char error[HG_EVENT_WHY_MAX]; /* "" on success */
};

enum hg_target_role { HG_TARGET_ON_SUCCESS, HG_TARGET_ON_FAILURE, HG_TARGET_DEAD_LETTER };
enum hg_target_state { HG_TARGET_PENDING, HG_TARGET_DONE, HG_TARGET_FAILED };

/* Where the event's record (dead-letter queue: the event itself) goes. */
struct hg_event_target {
    char uri[HG_EVENT_TARGET_MAX + 1];
    enum hg_target_role role;
    enum hg_target_state state;
    unsigned tries;
    int64_t due_ms;      /* of the next try */
    int64_t finished_ms; /* 0 while pending */
    char receipt
        [HG_EVENT_WHY_MAX]; /* what the target said on acceptance: a message id, an object's key */
    char error[HG_EVENT_WHY_MAX]; /* of the last failed try */
};

/* Owned by whoever holds it: the publisher until put is done, then nobody (the engine has it stored);
 * the router from lease until settle is done. */
struct hg_event {
    struct hg_list link; /* for the holder */

    /* What was asked; never changes after put. */
    char id[HG_UUID_LEN + 1];
    char function[HG_EVENT_FUNCTION_MAX + 1];   /* unqualified name */
    char qualifier[HG_EVENT_QUALIFIER_MAX + 1]; /* as addressed; "" for none */
    char dedup[HG_EVENT_DEDUP_MAX + 1];         /* "" for none */
    char trace_id[HG_EVENT_TRACE_MAX];
    struct hg_blob *payload; /* a reference; NULL in a listing */
    int64_t accepted_ms;     /* hg_steady_ms; ages count from here; a redrive sets it anew */

    /* Its life. */
    enum hg_event_state state;
    enum hg_event_condition condition;
    int64_t due_ms;      /* not to be leased before; hg_steady_ms */
    int64_t finished_ms; /* 0 while it lives */
    unsigned tries;      /* runs of the function that count: approximateInvokeCount */
    unsigned backoff_s;  /* of the last throttle; 0 after a run */
    unsigned redrives;
    unsigned deliveries; /* leases that ended without a settle, as far as is known: a node died */
    char executed_version[HG_EVENT_VERSION_MAX]; /* "" when it never ran */
    bool has_function_error;                     /* what result is */
    struct hg_blob
        *result; /* of the last run: the answer or the error document; a reference or NULL */
    struct hg_event_attempt *attempts; /* malloc'd; attempt_count of them, oldest first */
    size_t attempt_count;
    struct hg_event_target *targets; /* malloc'd */
    size_t target_count;
    int current_target;         /* index of the target that it waits for; -1: it waits to run */
    char why[HG_EVENT_WHY_MAX]; /* of a dead one */

    void *lease; /* the engine's, while leased */
};

/* A queued event with a fresh, time-ordered id (UUID version 7), accepted now. Takes payload's reference. */
struct hg_event *hg_event_new(struct hg_str function, struct hg_str qualifier,
                              struct hg_blob *payload);
/* NULL is allowed. */
void hg_event_free(struct hg_event *event);

/* The lane's second name: "" for events that wait to run, else the URI of the current target. */
const char *hg_event_channel(const struct hg_event *event);

/* Adds an attempt; consecutive throttles or system errors are counted in one entry, and the oldest of many falls out. */
void hg_event_note_attempt(struct hg_event *event, const struct hg_event_attempt *attempt);
/* Back to a queued event that was never tried, accepted now: redrive. Keeps its attempts for people to see. */
void hg_event_reset(struct hg_event *event, int64_t now_ms);

/*
 * Everything but payload and result as bytes with a format version in front, for engines to store; the same for all engines.
 * decode gives NULL and a sentence for bytes that it does not understand (a newer version says so).
 */
bool hg_event_encode(const struct hg_event *event, struct hg_buf *out);
struct hg_event *hg_event_decode(struct hg_str bytes, struct hg_error *err);

#endif
