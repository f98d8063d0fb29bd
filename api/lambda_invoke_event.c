/*
 * Asynchronous invocations: Invoke with the type Event, and the older
 * InvokeAsync (invoke-api.md §1, §6). What they are checked for was checked
 * before; here the event is made, stored, and answered for. It is stored to
 * the end even when the client has left: half a publish cannot be taken back.
 */
#include "api/lambda_invoke.h"
#include "gateway/dedup.h"

#include <stdio.h>
#include <stdlib.h>

enum { OLD_PAYLOAD_MAX = 262144 };

/* One event on its way in; lives until it is stored or refused. */
struct acceptance {
    struct hg_publish publish;
    struct hg_call *call; /* NULL: the client has left */
    struct hg_str body_202;
};

static void respond_accepted(struct hg_call *call, const struct hg_event *event,
                             struct hg_str body_202)
{
    struct hg_request *req = call->req;

    req_add_header(req, HG_STR("x-amzn-RequestId"), hg_arena_str(req->arena, hg_str_of(event->id)));
    req_add_header(req, HG_STR("X-Amzn-Trace-Id"),
                   hg_arena_str(req->arena, hg_str_of(event->trace_id)));
    if (body_202.n)
        req_add_header(req, HG_STR("Content-Type"), HG_STR("application/json"));
    req->response.status = 202;
    req->response.body = body_202;
    req_respond(req);
}

static void respond_refused(struct hg_call *call, const struct hg_publish *publish)
{
    const char *why = publish->why[0] ? publish->why : hg_rc_text(publish->rc);

    switch (publish->rc) {
    case HG_E_BUSY:
        req_add_header(call->req, HG_STR("Retry-After"), HG_STR("1"));
        call_fail(call, HG_API_SERVICE_BUSY, "The event was not accepted: %s", why);
        break;
    case HG_E_TOO_LARGE:
        call_fail(call, HG_API_TOO_LARGE, "The event was not accepted: %s", why);
        break;
    default:
        call_fail(call, HG_API_SERVICE, "The event was not accepted: %s", why);
        break;
    }
}

static void on_published(struct hg_publish *publish)
{
    struct acceptance *acceptance = hg_container_of(publish, struct acceptance, publish);
    struct hg_call *call = acceptance->call;

    if (call) {
        call->req->on_abort = NULL;
        if (publish->rc == HG_OK)
            respond_accepted(call, publish->event, acceptance->body_202);
        else
            respond_refused(call, publish);
    }
    hg_event_free(publish->event);
    free(acceptance);
}

static void on_abort(struct hg_request *req)
{
    struct acceptance *acceptance = req->user;

    acceptance->call = NULL;
}

void lambda_accept_event(struct hg_call *call, const struct hg_function *function,
                         const struct hg_function_ref *ref, struct hg_str body_202)
{
    struct hg_str body = call->req->body.n ? call->req->body : HG_STR("{}"), key;
    struct acceptance *acceptance;
    struct hg_event *event;
    struct hg_error err;

    if (!dedup_key(call->req, &key, &err)) {
        call_fail(call, HG_API_INVALID_PARAMETER, "%s", err.text);
        return;
    }
    event = hg_event_new(function->name, ref->qualifier, hg_blob_new(body.p, body.n));
    (void)snprintf(event->dedup, sizeof(event->dedup), "%.*s", HG_STR_ARG(key));
    lambda_trace(call, event->trace_id);
    acceptance = hg_calloc(1, sizeof(*acceptance));
    acceptance->call = call;
    acceptance->body_202 = body_202;
    acceptance->publish.event = event;
    acceptance->publish.done = on_published;
    call->req->user = acceptance;
    call->req->on_abort = on_abort;
    router_publish(call->api->options.router, &acceptance->publish);
}

void lambda_invoke_async(struct hg_call *call)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    const struct hg_function *function = NULL;
    struct hg_function_ref ref;

    if (lambda_parse_name(call, snapshot, &ref) &&
        lambda_check_payload(call, "Event", OLD_PAYLOAD_MAX))
        function = lambda_find(call, snapshot, &ref, true);
    if (function)
        lambda_accept_event(call, function, &ref, HG_STR("{\"Status\":202}"));
    snapshot_unref(snapshot);
}
