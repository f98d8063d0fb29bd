/*
 * One event's run: looked up anew, put to the pool, and its outcome noted.
 */
#include "core/clock.h"
#include "core/crash_point.h"
#include "router/lineage.h"
#include "router/parts.h"
#include "router/record.h"
#include "router/retry.h"

#include <stdio.h>

static void on_invoked(struct hg_invocation *inv);

static void read_rules(struct hg_router *router, const struct hg_event *event,
                       struct hg_retry_rules *rules)
{
    struct hg_event_config config;
    bool is_configured = router_find_config(router, event, &config);

    retry_rules(is_configured ? &config : NULL, router->options.retry_scale, rules);
}

static bool has_no_loop(struct hg_charge *charge, const struct hg_function *function)
{
    char *trace = charge->inv.trace_id;

    _Static_assert((int)HG_TRACE_MAX == HG_LINEAGE_TRACE_MAX, "one header");
    (void)snprintf(trace, HG_TRACE_MAX, "%s", charge->event->trace_id);
    return lineage_enter(trace, function);
}

static void submit(struct hg_charge *charge, const struct hg_function *function)
{
    struct hg_lane *lane = charge->lane;
    struct hg_router *router = lane->router;
    struct hg_invocation *inv = &charge->inv;
    const char *qualifier = charge->event->qualifier;

    inv->snapshot = snapshot_ref(router->snapshot);
    inv->function = function;
    memcpy(inv->request_id, charge->event->id, sizeof(inv->request_id));
    (void)snprintf(inv->invoked_arn, sizeof(inv->invoked_arn), "%.*s%s%s",
                   HG_STR_ARG(function->arn), qualifier[0] ? ":" : "", qualifier);
    inv->event = charge->event->payload ? hg_blob_ref(charge->event->payload) : NULL;
    inv->is_background = true;
    inv->done = on_invoked;
    charge->state = HG_CHARGE_RUNNING;
    charge->is_reserved = function->reserved_concurrency >= 0;
    charge->started_ms = hg_steady_ms();
    lane->running++;
    router->together += charge->is_reserved ? 0 : 1;
    metrics_add(&lane->counts->running);
    metrics_note_age(lane->counts, charge->started_ms - charge->event->accepted_ms);
    router_note(lane->router, HG_MINUTE_ASYNC_AGE, charge->event,
                (double)HG_MAX(charge->started_ms - charge->event->accepted_ms, (int64_t)0));
    invoke_submit(router->options.workers, inv);
    hg_crash_point("mid-invocation");
}

bool run_begin(struct hg_charge *charge)
{
    struct hg_lane *lane = charge->lane;
    struct hg_router *router = lane->router;
    struct hg_event *event = charge->event;
    const struct hg_function *function =
        router_find_function(router, hg_str_of(event->function), hg_str_of(event->qualifier));
    enum hg_event_condition condition;
    struct hg_retry_rules rules;

    read_rules(router, event, &rules);
    condition = retry_before(event, function, &rules, hg_steady_ms());
    if (condition == HG_CONDITION_NONE) {
        invocation_init(&charge->inv, 0);
        if (has_no_loop(charge, function)) {
            submit(charge, function);
            return true;
        }
        metrics_add(&lane->counts->recursive);
        router_note(router, HG_MINUTE_RECURSIVE_DROPPED, event, 1);
        condition = HG_CONDITION_RECURSION;
    }
    settle_end(charge, condition);
    lane_note_end(lane);
    return false;
}

static enum hg_attempt_outcome outcome_of(const struct hg_invocation *inv)
{
    if (inv->rc == HG_E_THROTTLED)
        return HG_ATTEMPT_THROTTLED;
    if (inv->rc != HG_OK)
        return HG_ATTEMPT_SYSTEM_ERROR;
    switch (inv->error) {
    case HG_FUNCTION_OK:
        return HG_ATTEMPT_SUCCESS;
    case HG_FUNCTION_ERROR:
        return HG_ATTEMPT_FUNCTION_ERROR;
    case HG_FUNCTION_TIMEOUT:
        break;
    }
    return HG_ATTEMPT_TIMEOUT;
}

static void note_attempt(struct hg_charge *charge, enum hg_attempt_outcome outcome, int64_t now_ms)
{
    const struct hg_invocation *inv = &charge->inv;
    struct hg_event_attempt attempt = {.outcome = outcome, .count = 1};

    attempt.duration_ms = inv->rc == HG_OK ? inv->duration_us / 1000 : now_ms - charge->started_ms;
    attempt.started_ms = now_ms - attempt.duration_ms;
    if (inv->rc == HG_E_THROTTLED)
        (void)snprintf(attempt.error, sizeof(attempt.error), "%s",
                       inv->throttle_reason ? inv->throttle_reason : hg_rc_text(inv->rc));
    else if (inv->rc != HG_OK && inv->answer)
        (void)snprintf(attempt.error, sizeof(attempt.error), "%.*s",
                       HG_STR_ARG(hg_blob_str(inv->answer)));
    else if (inv->rc != HG_OK)
        (void)snprintf(attempt.error, sizeof(attempt.error), "%s", hg_rc_text(inv->rc));
    else if (outcome != HG_ATTEMPT_SUCCESS)
        record_error_text(hg_blob_str(inv->answer), attempt.error, sizeof(attempt.error));
    hg_event_note_attempt(charge->event, &attempt);
}

/* What the record will say; the answer changes hands. */
static void keep_result(struct hg_charge *charge)
{
    struct hg_invocation *inv = &charge->inv;
    struct hg_event *event = charge->event;

    hg_blob_unref(event->result);
    event->result = inv->answer;
    inv->answer = NULL;
    event->has_function_error = inv->error != HG_FUNCTION_OK;
    (void)snprintf(event->executed_version, sizeof(event->executed_version), "%.*s",
                   HG_STR_ARG(inv->function->version));
}

static void leave_pool(struct hg_charge *charge)
{
    struct hg_lane *lane = charge->lane;

    lane->running--;
    lane->router->together -= charge->is_reserved ? 0 : 1;
    metrics_take(&lane->counts->running);
    invocation_fini(&charge->inv);
}

static void on_invoked(struct hg_invocation *inv)
{
    struct hg_charge *charge = hg_container_of(inv, struct hg_charge, inv);
    struct hg_lane *lane = charge->lane;
    struct hg_router *router = lane->router;
    enum hg_attempt_outcome outcome = outcome_of(inv);
    enum hg_event_condition condition;
    struct hg_retry_rules rules;
    int64_t now_ms = hg_steady_ms();

    hg_crash_point("after-response");
    if (inv->rc != HG_OK && router->is_draining) {
        /* The pool ends before the event had its chance. */
        leave_pool(charge);
        settle_unchanged(charge);
        return;
    }
    note_attempt(charge, outcome, now_ms);
    if (inv->rc == HG_OK)
        keep_result(charge);
    leave_pool(charge);
    if (outcome == HG_ATTEMPT_THROTTLED)
        metrics_add(&lane->counts->throttles);
    else if (outcome == HG_ATTEMPT_SYSTEM_ERROR)
        metrics_add(&lane->counts->system_errors);
    read_rules(router, charge->event, &rules);
    condition = retry_after(charge->event, outcome, &rules, now_ms, router_random());
    if (condition == HG_CONDITION_NONE)
        settle(charge, HG_REQUEUE);
    else
        settle_end(charge, condition);
    lane_note_end(lane);
    lane_wake(lane);
    lanes_wake_one(router);
}

void run_abandon(struct hg_charge *charge)
{
    invoke_cancel(charge->lane->router->options.workers, &charge->inv);
    leave_pool(charge);
}

void run_cancel(struct hg_charge *charge)
{
    run_abandon(charge);
    settle_unchanged(charge);
}
