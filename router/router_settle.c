/*
 * Tells the queue how it goes on with an event, as often as it takes: what the
 * queue refuses now is kept and told again, and no more is leased meanwhile.
 */
#include "core/clock.h"
#include "core/log.h"
#include "router/parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { SETTLE_AGAIN_MS = 50, SETTLE_AGAIN_MAX_MS = 5000 };

static void on_settle_again(struct hg_timer *timer);

void settles_init(struct hg_router *router)
{
    hg_list_init(&router->unsettled);
    hg_timer_init(&router->settle_again, router->loop, on_settle_again);
    router->settle_wait_ms = SETTLE_AGAIN_MS;
}

static void keep_unsettled(struct hg_charge *charge)
{
    struct hg_router *router = charge->lane->router;

    charge->state = HG_CHARGE_UNSETTLED;
    hg_list_push_back(&router->unsettled, &charge->link);
    if (hg_timer_is_running(&router->settle_again) || router->is_closed)
        return;
    hg_warn("settle_refused", "again_in_ms=%lld %s", (long long)router->settle_wait_ms,
            charge->settle.base.why);
    hg_timer_start_ms(&router->settle_again, router->settle_wait_ms);
    router->settle_wait_ms = HG_MIN(2 * router->settle_wait_ms, (int64_t)SETTLE_AGAIN_MAX_MS);
}

static void on_settled(struct hg_queue_op *op)
{
    struct hg_charge *charge =
        hg_container_of(hg_container_of(op, struct hg_settle_op, base), struct hg_charge, settle);
    struct hg_lane *lane = charge->lane;

    if (op->rc != HG_OK && hg_rc_again(op->rc)) {
        keep_unsettled(charge);
        return;
    }
    if (op->rc == HG_OK)
        lane->router->settle_wait_ms = SETTLE_AGAIN_MS;
    else
        /* The lease is not this program's any more; whoever has it goes on. */
        hg_warn("settle_lost", "id=%s function=%s %s", charge->event->id, lane->function, op->why);
    charge_free(charge);
}

static void submit(struct hg_charge *charge)
{
    charge->state = HG_CHARGE_SETTLING;
    queue_settle(charge->lane->router->options.queue, &charge->settle);
}

static void on_settle_again(struct hg_timer *timer)
{
    struct hg_router *router = hg_container_of(timer, struct hg_router, settle_again);
    struct hg_list *link;

    while ((link = hg_list_pop_front(&router->unsettled)))
        submit(hg_container_of(link, struct hg_charge, link));
}

void settle(struct hg_charge *charge, enum hg_verdict verdict)
{
    struct hg_event *event = charge->event;

    hg_list_init(&charge->link);
    if (charge->lane->router->is_closed) {
        charge->state = HG_CHARGE_SETTLING;
        charge_free(charge);
        return;
    }
    switch (verdict) {
    case HG_REQUEUE:
        event->state =
            event->attempt_count || event->target_count ? HG_EVENT_RETRYING : HG_EVENT_QUEUED;
        break;
    case HG_FINISH:
        event->state = HG_EVENT_DELIVERED;
        /* Nobody asks for it any more. */
        hg_blob_unref(event->result);
        event->result = NULL;
        break;
    case HG_BURY:
        event->state = HG_EVENT_DEAD;
        break;
    }
    charge->settle.base.done = on_settled;
    charge->settle.event = event;
    charge->settle.verdict = verdict;
    submit(charge);
}

void settle_unchanged(struct hg_charge *charge)
{
    settle(charge, HG_REQUEUE);
}

/* ---- the end of an invocation ---- */

static void add_target(struct hg_event *event, struct hg_str uri, enum hg_target_role role,
                       int64_t now_ms)
{
    struct hg_event_target *target;

    if (!uri.n)
        return;
    target = &event->targets[event->target_count++];
    target->role = role;
    target->due_ms = now_ms;
    if (uri.n > HG_EVENT_TARGET_MAX) {
        target->state = HG_TARGET_FAILED;
        (void)snprintf(target->error, sizeof(target->error), "its name is longer than %d bytes",
                       HG_EVENT_TARGET_MAX);
        return;
    }
    memcpy(target->uri, uri.p, uri.n);
}

static void add_targets(struct hg_charge *charge)
{
    struct hg_router *router = charge->lane->router;
    struct hg_event *event = charge->event;
    const struct hg_function *function =
        router_find_function(router, hg_str_of(event->function), hg_str_of(event->qualifier));
    struct hg_event_config config;
    int64_t now_ms = hg_steady_ms();
    bool is_success = event->condition == HG_CONDITION_SUCCESS;

    free(event->targets);
    event->targets = hg_calloc(HG_EVENT_TARGETS_MAX, sizeof(*event->targets));
    event->target_count = 0;
    if (router_find_config(router, event, &config))
        add_target(event, hg_str_of(is_success ? config.on_success : config.on_failure),
                   is_success ? HG_TARGET_ON_SUCCESS : HG_TARGET_ON_FAILURE, now_ms);
    if (!is_success && function)
        add_target(event, function->dead_letter, HG_TARGET_DEAD_LETTER, now_ms);
}

static void bury_untold(struct hg_charge *charge)
{
    struct hg_event *event = charge->event;

    (void)snprintf(event->why, sizeof(event->why), "%s: no destination or dead-letter queue",
                   hg_event_condition_name(event->condition));
    settle(charge, HG_BURY);
}

void settle_end(struct hg_charge *charge, enum hg_event_condition condition)
{
    struct hg_event *event = charge->event;

    event->condition = condition;
    if (condition != HG_CONDITION_SUCCESS) {
        metrics_add(&charge->lane->counts->dropped[condition]);
        router_note(charge->lane->router, HG_MINUTE_ASYNC_DROPPED, event, 1);
    }
    add_targets(charge);
    if (event->target_count)
        delivery_next(charge);
    else if (condition == HG_CONDITION_SUCCESS)
        settle(charge, HG_FINISH);
    else
        bury_untold(charge);
}
