/*
 * The management port: tells calls apart by path and hands each to its
 * operation. Runs on the request's loop; keeps no state but the phase.
 */
#include "api/api.h"

#include "api/call.h"
#include "core/clock.h"
#include "core/uri.h"

#include <stdatomic.h>
#include <stdlib.h>

struct operation {
    const char *method; /* "*": any */
    const char *path;
    const char *name;
    hg_operation_fn run;
};

static const struct operation lambda_operations[] = {
#define HG_OP(method, path, name, run) {method, path, name, run},
#include "api/operations.def"
#undef HG_OP
};

static const struct operation pages[] = {
    {"GET", "/_headgate/health", "health", page_health},
    {"GET", "/_headgate/routes", "routes", page_routes},
    {"GET", "/metrics", "metrics", page_metrics},
    {"GET", "/_headgate/events", "events", page_events},
    {"POST", "/_headgate/events/redrive", "redrive of events", page_events_redrive},
    {"POST", "/_headgate/events/purge", "purge of events", page_events_purge},
    {"GET", "/_headgate/events/{RequestId}", "event", page_event},
    {"DELETE", "/_headgate/events/{RequestId}", "purge of an event", page_event_purge},
    {"POST", "/_headgate/events/{RequestId}/redrive", "redrive of an event", page_event_redrive},
};

/* Whole services that share this port in the design and are not served yet, told apart by the start of their paths. */
static const struct {
    const char *prefix, *text;
} other_services[] = {
    {"/restapis",
     "the API Gateway management API (v1) is not available yet; routes come from the template"},
    {"/v2/apis",
     "the API Gateway management API (v2) is not available yet; routes come from the template"},
    {"/_headgate/console",
     "the web console is not available yet; see /_headgate/routes and /metrics"},
};

struct hg_api_server *api_server_new(const struct hg_api_options *options)
{
    struct hg_api_server *api = hg_calloc(1, sizeof(*api));

    api->options = *options;
    api->started_us = hg_mono_us();
    atomic_init(&api->phase, HG_API_STARTING);
    return api;
}

void api_server_free(struct hg_api_server *api)
{
    free(api);
}

void api_server_set_phase(struct hg_api_server *api, enum hg_api_phase phase)
{
    atomic_store(&api->phase, (int)phase);
}

static struct hg_str decoded(struct hg_call *call, struct hg_str raw)
{
    struct hg_buf buf;
    struct hg_str text;

    hg_buf_init(&buf, HG_REQUEST_HEADERS_MAX);
    hg_uri_decode(&buf, raw);
    text = hg_arena_str(call->req->arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return text;
}

/* Compares segment by segment; a `{…}` takes one segment, one trailing slash of the path is ignored. */
static bool path_matches(struct hg_call *call, const char *template)
{
    struct hg_str want = hg_str_of(template), path = call->req->path, want_part, part;
    size_t params = 0;

    if (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    while (hg_str_next(&want, '/', &want_part)) {
        if (!hg_str_next(&path, '/', &part))
            return false;
        if (want_part.n && want_part.p[0] == '{') {
            if (part.n == 0)
                return false;
            call->params[params++] = part;
        } else if (!hg_str_eq(want_part, part)) {
            return false;
        }
    }
    if (path.p && path.n)
        return false;
    for (size_t i = 0; i < params; i++)
        call->params[i] = decoded(call, call->params[i]);
    return true;
}

/* Finds the row; *is_path_known tells a wrong method from a wrong path. */
static const struct operation *find(struct hg_call *call, const struct operation *rows,
                                    size_t count, bool *is_path_known)
{
    for (size_t i = 0; i < count; i++) {
        if (!path_matches(call, rows[i].path))
            continue;
        *is_path_known = true;
        if (rows[i].method[0] == '*' || hg_str_is(call->req->method, rows[i].method))
            return &rows[i];
    }
    return NULL;
}

static void answer_other(struct hg_call *call, bool is_path_known)
{
    struct hg_str target = req_header(call->req, "x-amz-target");

    for (size_t i = 0; i < HG_COUNT(other_services); i++) {
        if (hg_str_starts(call->req->path, hg_str_of(other_services[i].prefix))) {
            call_fail(call, HG_API_NOT_AVAILABLE, "%s", other_services[i].text);
            return;
        }
    }
    if (target.p)
        call_fail(call, HG_API_NOT_AVAILABLE, "%.*s is not available yet", HG_STR_ARG(target));
    else if (is_path_known)
        call_fail(call, HG_API_UNKNOWN_OPERATION, "%.*s has no method %.*s",
                  HG_STR_ARG(call->req->path), HG_STR_ARG(call->req->method));
    else
        call_fail(call, HG_API_UNKNOWN_OPERATION,
                  "no operation at %.*s; see /_headgate/health, /_headgate/routes, /metrics and "
                  "/2015-03-31/functions",
                  HG_STR_ARG(call->req->path));
}

struct hg_str api_server_on_large_body(const struct hg_request *req, void *arg)
{
    struct hg_api_server *api = arg;

    if (gateway_owns(req))
        return gateway_oversize_body(req, api->options.gateway);
    /* Clients read the exception's name from __type where the header is missing. */
    if (hg_str_is(req_header(req, "x-amz-invocation-type"), "Event"))
        return HG_STR(
            "{\"__type\":\"RequestEntityTooLargeException\",\"Message\":\"the payload is too large for the "
            "Event invocation type (limit 1048576 bytes)\"}");
    return HG_STR(
        "{\"__type\":\"RequestEntityTooLargeException\",\"Message\":\"the payload is too large for the "
        "RequestResponse invocation type (limit 6291456 bytes)\"}");
}

void api_server_on_request(struct hg_request *req, void *arg)
{
    struct hg_api_server *api = arg;
    struct hg_call *call;
    const struct operation *op;
    bool is_path_known = false;

    if (gateway_owns(req)) {
        gateway_on_request(req, api->options.gateway);
        return;
    }
    call = hg_arena_must(req->arena, sizeof(*call));
    call->req = req;
    call->api = api;
    hg_uuid(call->request_id);
    op = find(call, lambda_operations, HG_COUNT(lambda_operations), &is_path_known);
    if (!op)
        op = find(call, pages, HG_COUNT(pages), &is_path_known);
    if (!op) {
        answer_other(call, is_path_known);
        return;
    }
    call->operation = op->name;
    if (op->run)
        op->run(call);
    else
        call_fail(call, HG_API_NOT_AVAILABLE, "%s is not available yet", op->name);
}
