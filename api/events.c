/*
 * /_headgate/events: a page of events, one event's life.
 */
#include "api/events.h"

#include "core/clock.h"

#include <stdlib.h>

/* One look into the queue; lives until the queue has answered. */
struct look {
    struct hg_find_op op;
    struct hg_call *call; /* NULL: the client has left */
    struct events_query query;
    char id[HG_UUID_LEN + 1]; /* "": a page */
};

void events_free_list(struct hg_list *events)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(events)))
        hg_event_free(hg_container_of(link, struct hg_event, link));
}

void events_fail(struct hg_call *call, enum hg_rc rc, const char *why)
{
    const char *text = why[0] ? why : hg_rc_text(rc);

    switch (rc) {
    case HG_E_NOT_FOUND:
        call_fail(call, HG_API_NOT_FOUND, "%s", text);
        break;
    case HG_E_CONFLICT:
        call_fail(call, HG_API_CONFLICT, "%s", text);
        break;
    case HG_E_INVALID:
        call_fail(call, HG_API_INVALID_PARAMETER, "%s", text);
        break;
    case HG_E_UNSUPPORTED:
        call_fail(call, HG_API_NOT_AVAILABLE, "%s", text);
        break;
    case HG_E_BUSY:
        req_add_header(call->req, HG_STR("Retry-After"), HG_STR("1"));
        call_fail(call, HG_API_SERVICE_BUSY, "%s", text);
        break;
    default:
        call_fail(call, HG_API_SERVICE, "%s", text);
        break;
    }
}

bool events_read_query(struct hg_call *call, unsigned takes, struct events_query *query)
{
    struct hg_error err;

    if (events_query_parse(call->req->query, takes, hg_steady_ms(), query, &err))
        return true;
    call_fail(call, HG_API_INVALID_PARAMETER, "%s", err.text);
    return false;
}

const char *events_read_id(struct hg_call *call)
{
    if (events_is_id(call->params[0]))
        return hg_arena_strdup(call->req->arena, call->params[0]);
    call_fail(call, HG_API_INVALID_PARAMETER,
              "'%.*s' is not a request id such as 0190c2a4-7e0e-7e0e-9d0e-0c9a8b7d6e5f",
              HG_STR_ARG(call->params[0]));
    return NULL;
}

static void respond_page(struct hg_call *call, const struct hg_find_op *op)
{
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "events");
    hg_json_begin_array(&json);
    HG_LIST_EACH(link, &op->events)
    events_write_summary(&json, hg_container_of(link, struct hg_event, link));
    hg_json_end_array(&json);
    hg_json_field_cstr(&json, "cursor", op->cursor[0] ? op->cursor : NULL);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

static void respond_life(struct hg_call *call, const struct hg_find_op *op)
{
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    events_write_life(&json, hg_container_of(op->events.next, struct hg_event, link));
    call_respond_json(call, 200, buf);
}

static void on_found(struct hg_queue_op *base)
{
    struct look *look = hg_container_of(base, struct look, op.base);
    struct hg_call *call = look->call;

    if (call) {
        call->req->on_abort = NULL;
        if (base->rc == HG_OK && look->id[0])
            respond_life(call, &look->op);
        else if (base->rc == HG_OK)
            respond_page(call, &look->op);
        else if (base->rc == HG_E_NOT_FOUND)
            call_fail(call, HG_API_NOT_FOUND, "there is no event %s, or it is no longer remembered",
                      look->id);
        else
            events_fail(call, base->rc, base->why);
    }
    events_free_list(&look->op.events);
    free(look);
}

static void on_abort(struct hg_request *req)
{
    struct look *look = req->user;

    look->call = NULL;
}

static void begin(struct hg_call *call, struct look *look)
{
    look->call = call;
    look->op.base.done = on_found;
    call->req->user = look;
    call->req->on_abort = on_abort;
    queue_find(call->api->options.queue, &look->op);
}

void page_events(struct hg_call *call)
{
    const unsigned takes = EVENTS_TAKES_FUNCTION | EVENTS_TAKES_STATE | EVENTS_TAKES_SINCE |
                           EVENTS_TAKES_LIMIT | EVENTS_TAKES_CURSOR;
    struct events_query query;
    struct look *look;

    if (!events_read_query(call, takes, &query))
        return;
    look = hg_calloc(1, sizeof(*look));
    look->query = query;
    look->op.function = look->query.function[0] ? look->query.function : NULL;
    look->op.states = query.states;
    look->op.since_ms = query.since_ms;
    look->op.max = query.limit ? query.limit : EVENTS_PAGE_DEFAULT;
    memcpy(look->op.cursor, query.cursor, sizeof(query.cursor));
    begin(call, look);
}

void page_event(struct hg_call *call)
{
    const char *id = events_read_id(call);
    struct events_query none;
    struct look *look;

    if (!id || !events_read_query(call, 0, &none))
        return;
    look = hg_calloc(1, sizeof(*look));
    memcpy(look->id, id, sizeof(look->id));
    look->op.id = look->id;
    look->op.max = 1;
    begin(call, look);
}
