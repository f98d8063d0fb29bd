/*
 * Settles: an event's new life, in the transaction that ends its lease.
 */
#include "queue/embedded.h"

#include "core/clock.h"

static void write_verdict(struct hg_event *event, enum hg_verdict verdict)
{
    switch (verdict) {
    case HG_FINISH:
        event->state = HG_EVENT_DELIVERED;
        break;
    case HG_BURY:
        event->state = HG_EVENT_DEAD;
        break;
    case HG_REQUEUE:
        if (event->state != HG_EVENT_QUEUED)
            event->state = HG_EVENT_RETRYING;
        event->finished_ms = 0;
        return;
    }
    if (!event->finished_ms)
        event->finished_ms = hg_steady_ms();
}

int embedded_settle_op(struct embedded *e, struct hg_settle_op *op)
{
    struct hg_event *event = op->event;
    struct embedded_lease *lease = event->lease;

    if (!lease)
        return embedded_refuse(&op->base, HG_E_CONFLICT, "the event is not leased");
    write_verdict(event, op->verdict);
    if (op->verdict == HG_FINISH && e->forgets)
        return embedded_erase_event(e, lease->seq, &lease->head, event->id);
    return embedded_rewrite_event(e, lease->seq, &lease->head, event,
                                  event->result != lease->result);
}
