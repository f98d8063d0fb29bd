/*
 * Settles: an event's new life, in the transaction that ends its lease.
 */
#include "queue/embedded.h"

int embedded_settle_op(struct embedded *e, struct hg_settle_op *op)
{
    struct hg_event *event = op->event;
    struct embedded_lease *lease = event->lease;

    if (!lease)
        return embedded_refuse(&op->base, HG_E_CONFLICT, "the event is not leased");
    if (op->verdict == HG_FINISH && e->forgets)
        return embedded_erase_event(e, lease->seq, &lease->head, event->id);
    return embedded_rewrite_event(e, lease->seq, &lease->head, event,
                                  event->result != lease->result);
}
