/*
 * Functions as destinations: the record becomes an event of the function. Its
 * id is made from the record's event and outcome, so that a record that is
 * delivered twice is one event.
 */
#include "router/dest_name.h"
#include "router/lineage.h"
#include "router/parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Outlives a cancelled delivery: the queue has the event. */
struct function_send {
    struct hg_publish publish;
    struct hg_router *router;
    struct hg_dest_op *op; /* NULL once cancelled */
};

/* arn:aws:lambda:…, ACCOUNT:function:name, function:name; with or without a qualifier. */
static bool function_matches(struct hg_str target)
{
    struct hg_str part;

    if (!hg_str_starts(target, HG_STR("arn:")))
        return hg_str_starts(target, HG_STR("function:")) ||
               (hg_str_find_str(target, HG_STR(":function:")) > 0 &&
                hg_str_find_str(target, HG_STR("//")) < 0);
    return hg_str_next(&target, ':', &part) && hg_str_next(&target, ':', &part) &&
           hg_str_starts(part, HG_STR("aws")) && hg_str_next(&target, ':', &part) &&
           hg_str_is(part, "lambda");
}

static enum hg_rc function_bind(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    /* Whether it exists is found out at each delivery: functions come and go. */
    (void)dest;
    (void)target;
    (void)err;
    return HG_OK;
}

static void function_unbind(struct hg_dest *dest)
{
    (void)dest;
}

static void on_published(struct hg_publish *publish)
{
    struct function_send *send = hg_container_of(publish, struct function_send, publish);
    struct hg_router *router = send->router;
    struct hg_dest_op *op = send->op;
    char id[HG_UUID_LEN + 1];

    memcpy(id, publish->event->id, sizeof(id));
    hg_event_free(publish->event);
    router->publishing--;
    if (op && publish->rc == HG_OK)
        dest_accept(op, "%s", id);
    else if (op)
        dest_refuse(op, publish->rc, !hg_rc_again(publish->rc), "%s",
                    publish->why[0] ? publish->why : hg_rc_text(publish->rc));
    free(send);
    router_look_drained(router);
}

/* What stands behind the name: the qualifier, as it was written. */
static struct hg_str qualifier_of(const char *target)
{
    const char *name = strstr(target, "function:");
    const char *colon = name ? strchr(name + strlen("function:"), ':') : NULL;

    return colon ? hg_str_of(colon + 1) : hg_str_n("", 0);
}

/* The chain that the event's own invocation was part of goes on. */
static void carry_lineage(struct hg_router *router, const struct hg_event *from,
                          struct hg_event *to)
{
    const struct hg_function *function =
        router_find_function(router, hg_str_of(from->function), hg_str_n(NULL, 0));

    hg_assert(from != NULL);
    memcpy(to->trace_id, from->trace_id, sizeof(to->trace_id));
    if (function)
        (void)lineage_enter(to->trace_id, function);
}

static void function_send(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct hg_router *router = dest->context->router;
    const struct hg_function *function =
        router_find_function(router, hg_str_of(dest->target), hg_str_n(NULL, 0));
    struct hg_str qualifier = qualifier_of(dest->target);
    struct function_send *send;

    if (!function || function->name.n > HG_EVENT_FUNCTION_MAX ||
        qualifier.n > HG_EVENT_QUALIFIER_MAX) {
        dest_refuse_later(dest, op, HG_E_NOT_FOUND, true, "there is no function %s", dest->target);
        return;
    }
    if (op->body.n > HG_EVENT_PAYLOAD_MAX) {
        dest_refuse_later(dest, op, HG_E_TOO_LARGE, true,
                          "the record has %zu bytes, an event at most %d", op->body.n,
                          HG_EVENT_PAYLOAD_MAX);
        return;
    }
    send = hg_calloc(1, sizeof(*send));
    send->router = router;
    send->op = op;
    send->publish.event =
        hg_event_new(function->name, qualifier, hg_blob_new(op->body.p, op->body.n));
    dest_record_uuid(op, send->publish.event->id);
    carry_lineage(router, op->event, send->publish.event);
    send->publish.done = on_published;
    op->state = send;
    router->publishing++;
    router_publish(router, &send->publish);
}

static void function_cancel(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct function_send *send = op->state;

    (void)dest;
    send->op = NULL;
    op->state = NULL;
}

const struct hg_dest_ops hg_dest_function = {
    .type = "function",
    .matches = function_matches,
    .bind = function_bind,
    .send = function_send,
    .cancel = function_cancel,
    .unbind = function_unbind,
};
