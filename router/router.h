/*
 * Asynchronous events: accepts them, runs them when functions have room,
 * retries, and tells their outcome to destinations (async.md). Lives on the
 * control loop; publish may be called on every loop.
 */
#ifndef HG_ROUTER_ROUTER_H
#define HG_ROUTER_ROUTER_H

#include "config/event_config.h"
#include "queue/queue.h"
#include "workers/pool.h"

struct hg_router;

struct hg_router_options {
    struct hg_loops *loops;
    struct hg_registry *registry;
    struct hg_workers *workers;
    struct hg_queue *queue;
    struct hg_event_configs *configs;
    const char *region, *account;
    double
        retry_scale; /* every delay and age limit of the schedule is multiplied by it; 1: the service's */
    double
        share; /* of the environments that a function may have: what asynchronous events take at most; 0 < share ≤ 1 */
    struct hg_kv_list extra; /* as hg_queue_options.extra */
};

struct hg_router *router_new(const struct hg_router_options *options, struct hg_error *err);
/* Leases from now on. Control loop. */
void router_start(struct hg_router *router);
/*
 * Leases nothing more; what runs may end until timeout_ms, what does not goes back to the queue as it was; then done
 * on the control loop. Publishing still works. Before workers_drain.
 */
void router_drain(struct hg_router *router, int64_t timeout_ms, void (*done)(void *arg), void *arg);
/* Loops must be stopped and the queue closed. NULL is allowed. */
void router_free(struct hg_router *router);

/* One event on its way in; embedded by the caller, who keeps it until done. */
struct hg_publish {
    struct hg_event *event; /* made by hg_event_new; the caller's */
    void (*done)(
        struct hg_publish *publish); /* on the submitting loop, never inside router_publish */
    enum hg_rc rc;                   /* HG_OK: durable; HG_E_BUSY: not now, see why */
    char why[HG_EVENT_WHY_MAX];
    bool was_known; /* the idempotency key (event->dedup) was there: event->id is the first one's */
    struct hg_put_op put; /* router's */
    struct hg_router *router;
};

/* Any equal loop or the control loop. The function must exist and the payload be valid JSON: the caller has looked. */
void router_publish(struct hg_router *router, struct hg_publish *publish);

/* Prometheus text: AsyncEventsReceived, AsyncEventAge, AsyncEventsDropped, … of async.md §6 by function. Any thread. */
void router_render_metrics(struct hg_router *router, struct hg_buf *out);

#endif
