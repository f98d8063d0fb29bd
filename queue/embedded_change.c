/*
 * Redrive and purge.
 */
#include "queue/embedded.h"

#include "core/clock.h"

#include <lmdb.h>

/* As a new one behind all others: pages are in the order of acceptance. */
static int redrive(struct embedded *e, struct hg_change_op *op, uint64_t seq)
{
    struct embedded_head head;
    struct hg_event *event;
    struct hg_error why;
    int err = embedded_load_event(e, seq, true, &event, &head, &why);

    if (err)
        return err;
    if (!event)
        return embedded_refuse(&op->base, HG_E_CONFLICT, why.text);
    if (event->state != HG_EVENT_DELIVERED && event->state != HG_EVENT_DEAD) {
        hg_event_free(event);
        return embedded_refuse(&op->base, HG_E_CONFLICT,
                               "the event is not finished: it waits for a run");
    }
    err = embedded_erase_event(e, seq, &head, event->id);
    if (!err) {
        hg_event_reset(event, hg_steady_ms());
        err = embedded_store_event(e, event);
    }
    hg_event_free(event);
    return err;
}

int embedded_change_op(struct embedded *e, struct hg_change_op *op)
{
    struct embedded_lease *lease;
    struct embedded_head head;
    struct hg_str code;
    uint64_t seq;
    int err =
        hg_uuid_is_valid(hg_str_of(op->id)) ? embedded_find_seq(e, op->id, &seq) : MDB_NOTFOUND;

    if (err == MDB_NOTFOUND)
        return embedded_refuse(&op->base, HG_E_NOT_FOUND, "there is no event with this id");
    if (err)
        return err;
    lease = embedded_lease_of(e, seq);
    if (lease && !lease->is_unreadable)
        return embedded_refuse(&op->base, HG_E_CONFLICT, "the event is being worked on");
    if (op->change == HG_CHANGE_REDRIVE)
        return redrive(e, op, seq);
    err = embedded_load_head(e, seq, &head, &code);
    return err ? err : embedded_erase_event(e, seq, &head, op->id);
}
