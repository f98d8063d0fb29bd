/*
 * Events on their way in: from any loop straight to the queue. The lane hears
 * of them from the queue, once they are durable.
 */
#include "core/crash_point.h"
#include "router/lineage.h"
#include "router/parts.h"

#include <string.h>

static void on_put(struct hg_queue_op *op)
{
    struct hg_publish *publish =
        hg_container_of(hg_container_of(op, struct hg_put_op, base), struct hg_publish, put);

    /* Whatever keeps the queue from storing it now, the caller's answer is the same: later. */
    publish->rc = op->rc != HG_OK && hg_rc_again(op->rc) ? HG_E_BUSY : op->rc;
    memcpy(publish->why, op->why, sizeof(publish->why));
    publish->was_known = publish->put.was_known;
    if (op->rc == HG_OK && !publish->was_known) {
        metrics_add(&metrics_of(&publish->router->metrics, publish->event->function)->received);
        router_note(publish->router, HG_MINUTE_ASYNC_RECEIVED, publish->event, 1);
    }
    publish->done(publish);
}

void router_publish(struct hg_router *router, struct hg_publish *publish)
{
    publish->router = router;
    publish->put.event = publish->event;
    publish->put.base.done = on_put;
    if (!publish->event->trace_id[0])
        lineage_root(publish->event->trace_id);
    hg_crash_point("after-accept");
    queue_put(router->options.queue, &publish->put);
}
