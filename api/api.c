/*
 * The management port: tells calls apart by path and hands each to its
 * operation. Runs on the request's loop; keeps no state but the phase.
 */
#include "api/api.h"

#include "api/access.h"
#include "api/call.h"
#include "api/lambda_code.h"
#include "api/reset.h"
#include "api/service.h"
#include "core/clock.h"
#include "core/uri.h"

#include <stdatomic.h>
#include <stdlib.h>

static const struct {
    const struct model_op *model;
    hg_operation_fn run;
} operations[] = {
#define HG_OP(name, run) {&model_ops[HG_MODEL_##name], run},
#include "api/operations.def"
#undef HG_OP
};

static const struct {
    const char *method, *path, *name;
    hg_operation_fn run;
} pages[] = {
    {"GET", "/_headgate/health", "health", page_health},
    {"GET", "/_headgate/routes", "routes", page_routes},
    {"GET", "/metrics", "metrics", page_metrics},
    {"POST", "/_headgate/reset", "reset", page_reset},
    {"GET", "/_headgate/code/{Name}", "code", page_code},
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
    api->code = code_service_new(options->loops, options->data_dir);
    api->started_us = hg_mono_us();
    atomic_init(&api->phase, HG_API_STARTING);
    return api;
}

void api_server_free(struct hg_api_server *api)
{
    if (!api)
        return;
    code_service_free(api->code);
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

/* "List=ALL": whether the request's query has it. */
static bool query_matches(const struct hg_call *call, const char *wanted)
{
    struct hg_str pair = hg_str_of(wanted), name;
    struct hg_str value;
    char text[16];

    (void)hg_str_next(&pair, '=', &name);
    hg_assert(name.n < sizeof(text));
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    value = call_query(call, text);
    return value.p && hg_str_eq(value, pair);
}

/* Runs the Lambda operation that the request means. False: there is none; *is_path_known tells a wrong method from a wrong path. */
static bool run_operation(struct hg_call *call, bool *is_path_known)
{
    for (size_t i = 0; i < HG_COUNT(operations); i++) {
        const struct model_op *model = operations[i].model;

        if (!path_matches(call, model->path))
            continue;
        *is_path_known = true;
        if (!hg_str_is(call->req->method, model->method) ||
            (model->query && !query_matches(call, model->query)))
            continue;
        call->operation = model->name;
        call->model = model;
        if (operations[i].run)
            operations[i].run(call);
        else
            call_fail(call, HG_API_NOT_AVAILABLE, "%s is not available in Headgate", model->name);
        return true;
    }
    return false;
}

static bool run_page(struct hg_call *call, bool *is_path_known)
{
    for (size_t i = 0; i < HG_COUNT(pages); i++) {
        if (!path_matches(call, pages[i].path))
            continue;
        *is_path_known = true;
        if (!hg_str_is(call->req->method, pages[i].method))
            continue;
        call->operation = pages[i].name;
        pages[i].run(call);
        return true;
    }
    return false;
}

static void answer_other(struct hg_call *call, bool is_path_known)
{
    for (size_t i = 0; i < HG_COUNT(other_services); i++) {
        if (hg_str_starts(call->req->path, hg_str_of(other_services[i].prefix))) {
            call_fail(call, HG_API_NOT_AVAILABLE, "%s", other_services[i].text);
            return;
        }
    }
    if (is_path_known)
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
    if (code_large_body(req).p)
        return code_large_body(req);
    /* Clients read the exception's name from __type where the header is missing. */
    if (hg_str_is(req_header(req, "x-amz-invocation-type"), "Event"))
        return HG_STR(
            "{\"__type\":\"RequestEntityTooLargeException\",\"Message\":\"the payload is too large for the "
            "Event invocation type (limit 1048576 bytes)\"}");
    return HG_STR(
        "{\"__type\":\"RequestEntityTooLargeException\",\"Message\":\"the payload is too large for the "
        "RequestResponse invocation type (limit 6291456 bytes)\"}");
}

size_t api_server_body_max(const struct hg_request *req, size_t otherwise)
{
    return gateway_owns(req) ? otherwise : code_body_max(req, otherwise);
}

void api_server_on_request(struct hg_request *req, void *arg)
{
    struct hg_api_server *api = arg;
    struct hg_call *call;
    bool is_path_known = false;

    if (gateway_owns(req)) {
        gateway_on_request(req, api->options.gateway);
        return;
    }
    call = hg_arena_must(req->arena, sizeof(*call));
    call->req = req;
    call->api = api;
    hg_uuid(call->request_id);
    if (!access_check(call))
        return;
    if (!service_run(call) && !run_operation(call, &is_path_known) &&
        !run_page(call, &is_path_known))
        answer_other(call, is_path_known);
}
