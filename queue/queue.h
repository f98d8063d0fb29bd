/*
 * Durable events: one queue with one engine behind it. Every function may be
 * called on any hg_loop thread; the operation's done runs on that same loop,
 * never inside the call. The caller embeds the operation and keeps it, and
 * what it points to, until done.
 */
#ifndef HG_QUEUE_QUEUE_H
#define HG_QUEUE_QUEUE_H

#include "config/model.h"
#include "core/loop.h"
#include "queue/event.h"

#include <stdatomic.h>

struct hg_queue;

enum hg_durability {
    HG_DURABLE_FLUSH, /* on the disk (fdatasync) before a put is done */
    HG_DURABLE_OS, /* handed to the operating system: survives a crash of the process, not of the machine */
};

struct hg_queue_options {
    const char *uri;      /* "embedded:", "redis://…", "rediss://…", "kafka://…" */
    const char *data_dir; /* absolute */
    enum hg_durability durability;
    int64_t retention_ms;    /* finished events are remembered this long … */
    uint64_t history_max;    /* … within about so many bytes; the oldest go first */
    uint64_t store_max;      /* bytes that the embedded store may take on disk */
    int64_t dedup_window_ms; /* how long an idempotency key is remembered */
    struct hg_kv_list
        extra; /* engine options as the operator gave them: "kafka.security.protocol" → "SASL_SSL", "redis.wait" → "1" */
};

/* Written by the engine, read by any thread; what this node knows of the whole queue. */
struct hg_queue_gauges {
    _Atomic uint64_t states[5]; /* events by enum hg_event_state */
    _Atomic int64_t oldest_ms;  /* acceptance of the oldest living one; 0: none */
    _Atomic uint64_t bytes;     /* stored, where the engine knows */
    _Atomic uint64_t
        redelivered;         /* leases given a second time, because a node died or was restarted */
    _Atomic uint64_t parked; /* moved out of the way of others (Kafka) */
};

/* Told on the listener's loop: the lane has something due. Until a lease returned less than its max, once. */
struct hg_queue_listener {
    struct hg_loop *loop;
    void (*on_lane_ready)(void *arg, const char *function, const char *channel);
    void *arg;
};

/*
 * Opens the engine that the URI names, on a thread of its own. Blocks until it is usable or has a sentence to say.
 * HG_E_INVALID: what was given is wrong; HG_E_CONFLICT: the store is damaged, newer, or in use; HG_E_IO: the machine refuses.
 */
enum hg_rc queue_open(const struct hg_queue_options *options, struct hg_queue **out,
                      struct hg_error *err) hg_must_use;
/* Checks a URI and the engine's options without opening. */
enum hg_rc queue_check(const struct hg_queue_options *options, struct hg_error *err) hg_must_use;
/* From here on lanes are told, those first that had something when it was opened. */
void queue_listen(struct hg_queue *queue, const struct hg_queue_listener *listener);
/* Submits nothing more, waits for what runs, closes the engine, joins its thread. No loop may be waiting for an operation. NULL is allowed. */
void queue_close(struct hg_queue *queue);

/* Common to all operations. */
struct hg_queue_op {
    void (*done)(struct hg_queue_op *op);
    enum hg_rc rc;
    char why[HG_EVENT_WHY_MAX]; /* "" when HG_OK */

    /* For queue.c and the engine. */
    struct hg_mail mail;
    struct hg_list link;
    struct hg_queue *queue;
    struct hg_loop *home;
    void *engine;
    void (*run)(struct hg_queue *queue, struct hg_queue_op *op);
};

/*
 * Stores an event. HG_OK: it is durable. was_known: its dedup key was accepted before within the window; nothing was
 * stored and event->id is now the first one's. An id that is already there is stored once (HG_OK, was_known).
 * HG_E_BUSY: not now (disk full, server gone, too much waits); nothing was stored, or (server lost midway) it may have been.
 */
struct hg_put_op {
    struct hg_queue_op base;
    struct hg_event *event; /* stays the caller's */
    bool was_known;
};

struct hg_lease_op {
    struct hg_queue_op base;
    const char *function, *channel; /* the lane; live until done */
    unsigned max;
    struct hg_list
        events; /* struct hg_event by link; now the caller's; initialised by queue_lease */
    unsigned got;
};

enum hg_verdict {
    HG_FINISH,  /* remembered until the retention ends; state is HG_EVENT_DELIVERED */
    HG_REQUEUE, /* due again at due_ms, in the lane that hg_event_channel says */
    HG_BURY,    /* kept until it is redriven or purged; state is HG_EVENT_DEAD */
};

/* Failure leaves the lease as it is: settle again. After HG_OK the caller frees the event. */
struct hg_settle_op {
    struct hg_queue_op base;
    struct hg_event *event; /* with its new life written in */
    enum hg_verdict verdict;
};

/* By id: with payload and result; HG_E_NOT_FOUND. Or a page: newest accepted first, without them. */
struct hg_find_op {
    struct hg_queue_op base;
    const char *id;       /* NULL: a page */
    const char *function; /* NULL: of all functions */
    unsigned states;      /* bits 1 << enum hg_event_state; 0: all */
    int64_t since_ms;     /* accepted at or after; 0: any */
    unsigned max;         /* of the page; at most 1000 */
    char cursor[128]; /* "" for the first page; afterwards where the next begins, "" at the end */
    struct hg_list events; /* copies; the caller frees them; initialised by queue_find */
};

enum hg_queue_change { HG_CHANGE_REDRIVE, HG_CHANGE_PURGE };

/*
 * REDRIVE: a finished or dead event whose payload is still there is queued anew (HG_E_CONFLICT otherwise, with a sentence).
 * PURGE: forgotten, whatever its state; HG_E_CONFLICT while it is leased. HG_E_NOT_FOUND when there is none.
 */
struct hg_change_op {
    struct hg_queue_op base;
    const char *id;
    enum hg_queue_change change;
};

void queue_put(struct hg_queue *queue, struct hg_put_op *op);
void queue_lease(struct hg_queue *queue, struct hg_lease_op *op);
void queue_settle(struct hg_queue *queue, struct hg_settle_op *op);
void queue_find(struct hg_queue *queue, struct hg_find_op *op);
void queue_change(struct hg_queue *queue, struct hg_change_op *op);

/* Any thread. "embedded", "redis", "kafka". */
const char *queue_engine_name(const struct hg_queue *queue);
/* False while the engine cannot take events; why gets the reason. Any thread. */
bool queue_is_up(const struct hg_queue *queue, char why[HG_EVENT_WHY_MAX]);
const struct hg_queue_gauges *queue_gauges(const struct hg_queue *queue);
/* Prometheus text: depth by state, oldest age, commit time and size, puts, leases, settles, redeliveries. Any thread. */
void queue_render_metrics(struct hg_queue *queue, struct hg_buf *out);

#endif
