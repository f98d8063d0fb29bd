/*
 * Brings an event's record, or for a dead-letter queue the event itself, to
 * its targets: one at a time, each on a schedule of its own, so that a target
 * that fails does not keep the other one waiting.
 */
#include "core/clock.h"
#include "core/log.h"
#include "router/parts.h"
#include "router/record.h"
#include "router/retry.h"

#include <stdio.h>
#include <stdlib.h>

struct hg_delivery {
    struct hg_charge *charge;
    struct hg_dest_place *place;
    struct hg_dest_op op;
    struct hg_buf record;
};

static struct hg_event_target *current_target(const struct hg_event *event)
{
    return &event->targets[event->current_target];
}

static const char *role_name(enum hg_target_role role)
{
    switch (role) {
    case HG_TARGET_ON_SUCCESS:
        return "OnSuccess";
    case HG_TARGET_ON_FAILURE:
        return "OnFailure";
    case HG_TARGET_DEAD_LETTER:
        break;
    }
    return "dead-letter queue";
}

static void copy_text(char out[HG_EVENT_WHY_MAX], const char *text)
{
    (void)snprintf(out, HG_EVENT_WHY_MAX, "%s", text);
}

/* ---- what comes next ---- */

static void bury_undelivered(struct hg_charge *charge)
{
    struct hg_event *event = charge->event;
    char shown[HG_EVENT_TARGET_MAX + 1];
    size_t at = 0;

    for (size_t i = 0; i < event->target_count; i++) {
        const struct hg_event_target *target = &event->targets[i];

        if (target->state != HG_TARGET_FAILED || at >= sizeof(event->why))
            continue;
        dest_show(target->uri, shown);
        at += (size_t)snprintf(event->why + at, sizeof(event->why) - at, "%s%s %.80s: %s",
                               at ? "; " : "", role_name(target->role), shown, target->error);
    }
    settle(charge, HG_BURY);
}

void delivery_next(struct hg_charge *charge)
{
    struct hg_event *event = charge->event;
    int next = -1;
    bool has_failed = false;

    for (int i = 0; i < (int)event->target_count; i++) {
        const struct hg_event_target *target = &event->targets[i];

        if (target->state == HG_TARGET_PENDING &&
            (next < 0 || target->due_ms < event->targets[next].due_ms))
            next = i;
        has_failed = has_failed || target->state == HG_TARGET_FAILED;
    }
    if (next >= 0) {
        event->current_target = next;
        event->due_ms = event->targets[next].due_ms;
        settle(charge, HG_REQUEUE);
    } else if (has_failed) {
        bury_undelivered(charge);
    } else {
        settle(charge, HG_FINISH);
    }
}

static void note_success(struct hg_charge *charge, const char *receipt, int64_t now_ms)
{
    struct hg_event_target *target = current_target(charge->event);

    target->state = HG_TARGET_DONE;
    target->finished_ms = now_ms;
    target->error[0] = '\0';
    copy_text(target->receipt, receipt);
    metrics_add(&charge->lane->counts->delivered);
}

static void note_failure(struct hg_charge *charge, bool is_final, const char *why, int64_t now_ms)
{
    struct hg_event_target *target = current_target(charge->event);
    struct hg_async_counts *counts = charge->lane->counts;
    double scale = charge->lane->router->options.retry_scale;
    char shown[HG_EVENT_TARGET_MAX + 1];

    copy_text(target->error, why);
    target->due_ms = is_final ? 0 : retry_delivery(target->tries, now_ms, scale, router_random());
    if (target->due_ms) {
        metrics_add(&counts->delivery_retries);
        return;
    }
    target->state = HG_TARGET_FAILED;
    target->finished_ms = now_ms;
    metrics_add(target->role == HG_TARGET_DEAD_LETTER ? &counts->dead_letter_errors
                                                      : &counts->delivery_failures);
    router_note(charge->lane->router,
                target->role == HG_TARGET_DEAD_LETTER ? HG_MINUTE_DEAD_LETTER_ERRORS
                                                      : HG_MINUTE_DELIVERY_FAILURES,
                charge->event, 1);
    dest_show(target->uri, shown);
    hg_warn("delivery_failed", "id=%s function=%s role=\"%s\" target=%s %s", charge->event->id,
            charge->event->function, role_name(target->role), shown, target->error);
}

static void leave(struct hg_charge *charge)
{
    struct hg_delivery *delivery = charge->delivery;

    charge->delivery = NULL;
    charge->lane->running--;
    if (!delivery)
        return;
    if (delivery->place)
        dests_give(delivery->place);
    hg_buf_fini(&delivery->record);
    free(delivery);
}

static void end(struct hg_charge *charge)
{
    struct hg_lane *lane = charge->lane;

    leave(charge);
    lane_note_end(lane);
    delivery_next(charge);
    lane_wake(lane);
}

static void on_delivered(struct hg_dest_op *op)
{
    struct hg_delivery *delivery = hg_container_of(op, struct hg_delivery, op);
    struct hg_charge *charge = delivery->charge;
    int64_t now_ms = hg_steady_ms();

    current_target(charge->event)->tries++;
    if (op->rc == HG_OK)
        note_success(charge, op->receipt, now_ms);
    else
        note_failure(charge, op->is_final, op->why[0] ? op->why : hg_rc_text(op->rc), now_ms);
    end(charge);
}

/* ---- sending ---- */

static void write_record(struct hg_delivery *delivery, const struct hg_event *event)
{
    struct hg_router *router = delivery->charge->lane->router;
    const struct hg_function *function =
        router_find_function(router, hg_str_of(event->function), hg_str_n(NULL, 0));
    char arn[HG_INVOKED_ARN_MAX];
    int length = 0;

    /* One that is deleted still has its name. */
    if (!function)
        length = snprintf(arn, sizeof(arn), "arn:aws:lambda:%s:%s:function:%s",
                          router->options.region, router->options.account, event->function);
    record_write(event, function ? function->arn : hg_str_n(arn, (size_t)length), hg_wall_ms(),
                 &delivery->record);
}

static void fill_op(struct hg_delivery *delivery, const struct hg_event *event,
                    enum hg_target_role role)
{
    struct hg_dest_op *op = &delivery->op;

    op->event = event;
    op->role = role;
    op->done = on_delivered;
    if (role == HG_TARGET_DEAD_LETTER) {
        op->body = event->payload && hg_blob_str(event->payload).n ? hg_blob_str(event->payload)
                                                                   : HG_STR("{}");
        record_error(event, op->error_code, op->error_message);
    } else {
        write_record(delivery, event);
        op->body = hg_buf_str(&delivery->record);
    }
}

void delivery_begin(struct hg_charge *charge)
{
    struct hg_router *router = charge->lane->router;
    const struct hg_event_target *target = current_target(charge->event);
    struct hg_delivery *delivery;
    struct hg_dest_place *place;
    struct hg_error why;
    enum hg_rc rc;

    charge->lane->running++;
    place = dests_take(router, target->uri, &rc, &why);
    if (!place) {
        note_failure(charge, rc == HG_E_INVALID, why.text, hg_steady_ms());
        end(charge);
        return;
    }
    delivery = hg_calloc(1, sizeof(*delivery));
    delivery->charge = charge;
    delivery->place = place;
    hg_buf_init(&delivery->record, HG_RECORD_MAX);
    fill_op(delivery, charge->event, target->role);
    charge->delivery = delivery;
    charge->state = HG_CHARGE_DELIVERING;
    dest_send(place->dest, &delivery->op);
}

void delivery_abandon(struct hg_charge *charge)
{
    struct hg_delivery *delivery = charge->delivery;

    dest_cancel(delivery->place->dest, &delivery->op);
    leave(charge);
}

void delivery_cancel(struct hg_charge *charge)
{
    delivery_abandon(charge);
    settle_unchanged(charge);
}
