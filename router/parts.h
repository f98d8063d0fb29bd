/*
 * The router's own structures, for the files that make it up (router, lane,
 * router_run, router_settle, delivery, publish, dest_function). Control loop
 * only, but for what publishing reads.
 *
 * struct hg_router     all of it
 *   struct hg_lane     events of one function that wait to run, or for one target
 *     struct hg_charge one leased event, from lease to settle
 */
#ifndef HG_ROUTER_PARTS_H
#define HG_ROUTER_PARTS_H

#include "core/map.h"
#include "router/dest.h"
#include "router/lane_load.h"
#include "router/metrics.h"
#include "router/router.h"
#include "workers/minute.h"

struct hg_lane {
    struct hg_router *router;
    struct hg_list turn; /* among those that may have something to do, or those that are blocked */
    struct hg_str key;   /* function NUL channel */
    const char *function, *channel;
    struct hg_async_counts *counts;

    struct hg_lease_op lease;
    bool is_leasing;
    bool is_ready; /* the queue has something due */
    bool was_told; /* that, while a lease was under way */
    int64_t leased_us;
    int64_t hold_until_us; /* after a failed lease */

    struct hg_list buffered; /* struct hg_charge by link: leased, not begun */
    unsigned buffered_count;
    unsigned running; /* invocations, or deliveries */
    unsigned at_hand; /* all charges, those that are being settled included */

    /* Measured. */
    double per_second; /* ends */
    unsigned ended;    /* in the window */
    int64_t window_us;
    int64_t lease_us; /* what a lease takes */
    size_t event_bytes;
    int64_t used_us; /* last time that it had something */
};

enum hg_charge_state {
    HG_CHARGE_BUFFERED,
    HG_CHARGE_RUNNING,
    HG_CHARGE_DELIVERING,
    HG_CHARGE_SETTLING,
    HG_CHARGE_UNSETTLED, /* the queue refused: settled again later */
};

struct hg_charge {
    struct hg_list all;  /* in router->charges */
    struct hg_list link; /* in lane->buffered or router->unsettled */
    struct hg_lane *lane;
    struct hg_event *event;
    enum hg_charge_state state;
    size_t bytes;
    bool is_reserved; /* it runs under its function's own limit */
    int64_t started_ms;
    struct hg_invocation inv;
    struct hg_delivery *delivery; /* while it is being delivered */
    struct hg_settle_op settle;
};

/* A destination that was used lately. */
struct hg_dest_place {
    struct hg_str key; /* dest->target */
    struct hg_dest *dest;
    unsigned used; /* deliveries under way */
    int64_t used_us;
};

struct hg_router {
    struct hg_router_options options;
    struct hg_loop *loop;
    struct hg_async_metrics metrics;
    struct hg_dest_context context;
    struct hg_map dests; /* target → struct hg_dest_place */

    struct hg_snapshot *snapshot; /* a reference, of snapshot_version */
    uint64_t snapshot_version;

    struct hg_map lanes; /* key → struct hg_lane */
    struct hg_list turns, blocked;
    struct hg_task pump;
    struct hg_timer poll;  /* while lanes are blocked */
    struct hg_timer sweep; /* of idle lanes and destinations */

    struct hg_list charges;
    unsigned at_hand;
    uint64_t bytes_at_hand;
    struct hg_load load;
    unsigned together; /* runs without a limit of their own */
    unsigned leasing;
    unsigned publishing; /* by function destinations */

    struct hg_list unsettled;
    struct hg_timer settle_again;
    int64_t settle_wait_ms;

    bool is_started, is_draining, is_drained;
    bool is_closed; /* the queue is gone */
    int64_t cancel_at_us, abandon_at_us;
    struct hg_timer drain_timer;
    void (*drained)(void *arg);
    void *drained_arg;
};

/* ---- router.c ---- */

/* What the event is addressed to now, or NULL. Valid until the next call; reference it by router->snapshot. */
const struct hg_function *router_find_function(struct hg_router *router, struct hg_str name,
                                               struct hg_str qualifier);
/* False when there is none. */
bool router_find_config(struct hg_router *router, const struct hg_event *event,
                        struct hg_event_config *config);
double router_random(void);
/* Tells CloudWatch of something that concerns the event; see workers/minute.h. */
void router_note(const struct hg_router *router, enum hg_minute_metric metric,
                 const struct hg_event *event, double value);
/* Something has come to its end: maybe the drain has. */
void router_look_drained(struct hg_router *router);

/* ---- lane.c ---- */

void lanes_init(struct hg_router *router);
void lanes_fini(struct hg_router *router);
/* The queue's word: something is due. */
void lanes_on_ready(void *arg, const char *function, const char *channel);
/* May have something to do. */
void lane_wake(struct hg_lane *lane);
/* One of those that wait for room; somebody has left some. */
void lanes_wake_one(struct hg_router *router);
/* A run or delivery has ended: counts it. */
void lane_note_end(struct hg_lane *lane);
/* The charge is settled or has no future: frees it and its event. */
void charge_free(struct hg_charge *charge);
/* Gives all that has not begun back to the queue. */
void lanes_give_back(struct hg_router *router);
/* Frees lanes that had nothing for a while. */
void lanes_sweep(struct hg_router *router);

/* ---- router_run.c ---- */

/* Runs the event, or ends it: true when it takes a place in the pool. */
bool run_begin(struct hg_charge *charge);
/* Takes it back from the pool and gives it back to the queue as it was. */
void run_cancel(struct hg_charge *charge);
/* The same, and tells nobody: at the end of everything. */
void run_abandon(struct hg_charge *charge);

/* ---- router_settle.c ---- */

void settles_init(struct hg_router *router);
void settle(struct hg_charge *charge, enum hg_verdict verdict);
/* Back to the queue as it was leased. */
void settle_unchanged(struct hg_charge *charge);
/* The invocation has ended for good: stores that, and who must be told. */
void settle_end(struct hg_charge *charge, enum hg_event_condition condition);

/* ---- delivery.c ---- */

void delivery_begin(struct hg_charge *charge);
/* Gives it back to the queue as it was; the target may have got it. */
void delivery_cancel(struct hg_charge *charge);
/* The same, and tells nobody: at the end of everything. */
void delivery_abandon(struct hg_charge *charge);
/* Goes on to the target that is due first, or ends the event when none is left. */
void delivery_next(struct hg_charge *charge);

/* ---- delivery_dest.c ---- */

/* NULL and a sentence: HG_E_BUSY when too many are in use, HG_E_INVALID when the target can never work. */
struct hg_dest_place *dests_take(struct hg_router *router, const char *target, enum hg_rc *rc,
                                 struct hg_error *err);
void dests_give(struct hg_dest_place *place);
/* Frees those that were not used for a while; all of them in the end. */
void dests_sweep(struct hg_router *router, int64_t older_than_us);

#endif
