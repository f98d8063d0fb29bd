/*
 * Invoke: what it checks, and its synchronous and dry types (invoke-api.md §1
 * to §4).
 */
#include "api/lambda_invoke.h"
#include "core/crypto.h"
#include "core/json_scan.h"
#include "router/lineage.h"

#include <stdio.h>

enum { CLIENT_CONTEXT_MAX = 3583 };

/* One call on its way through a function; lives in the request's arena. */
struct invoke_call {
    struct hg_invocation invocation;
    struct hg_call *call;
};

enum invocation_type { SYNC, ASYNC, DRY_RUN };

/* False when answered. */
static bool parse_type(struct hg_call *call, enum invocation_type *type)
{
    struct hg_str text = req_header(call->req, "x-amz-invocation-type");

    if (!text.p || hg_str_is(text, "RequestResponse")) {
        *type = SYNC;
    } else if (hg_str_is(text, "Event")) {
        *type = ASYNC;
    } else if (hg_str_is(text, "DryRun")) {
        *type = DRY_RUN;
    } else {
        call_fail(
            call, HG_API_VALIDATION,
            "1 validation error detected: Value '%.*s' at 'invocationType' failed to satisfy constraint: "
            "Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
            HG_STR_ARG(text));
        return false;
    }
    return true;
}

static bool parse_log_type(struct hg_call *call, bool *wants_tail)
{
    struct hg_str text = req_header(call->req, "x-amz-log-type");

    *wants_tail = text.p && hg_str_is(text, "Tail");
    if (!text.p || *wants_tail || hg_str_is(text, "None"))
        return true;
    call_fail(
        call, HG_API_VALIDATION,
        "1 validation error detected: Value '%.*s' at 'logType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [None, Tail]",
        HG_STR_ARG(text));
    return false;
}

static bool parse_client_context(struct hg_call *call, struct hg_str *context)
{
    struct hg_str text = req_header(call->req, "x-amz-client-context");
    struct hg_buf decoded;
    bool is_good;

    *context = hg_str_n(NULL, 0);
    if (!text.p || text.n == 0)
        return true;
    hg_buf_init(&decoded, CLIENT_CONTEXT_MAX + 3);
    is_good = hg_base64_decode(&decoded, text) && decoded.len <= CLIENT_CONTEXT_MAX &&
              hg_json_parse(hg_buf_str(&decoded), NULL).kind == HG_JSON_OBJECT;
    if (is_good) {
        hg_buf_fini(&decoded);
        hg_buf_init(&decoded, CLIENT_CONTEXT_MAX + 3);
        (void)hg_base64_decode(&decoded, text);
        *context = hg_arena_str(call->req->arena, hg_buf_str(&decoded));
    } else {
        call_fail(call, HG_API_INVALID_CONTENT,
                  "Client context must be a valid Base64-encoded JSON object of at most %d bytes.",
                  CLIENT_CONTEXT_MAX);
    }
    hg_buf_fini(&decoded);
    return is_good;
}

bool lambda_check_payload(struct hg_call *call, const char *type, size_t limit)
{
    struct hg_str body = call->req->body;
    struct hg_json_fault fault;

    if (body.n > limit) {
        call_fail(call, HG_API_TOO_LARGE,
                  "%zu byte payload is too large for the %s invocation type (limit %zu bytes)",
                  body.n, type, limit);
        return false;
    }
    if (body.n && hg_json_parse(body, &fault).kind == HG_JSON_BAD) {
        call_fail(
            call, HG_API_INVALID_CONTENT,
            "Could not parse request body into json: Could not parse payload into json: %s\n at [Source: "
            "REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: %u, column: %u]",
            fault.text, fault.line, fault.column);
        return false;
    }
    return true;
}

static void add_log_tail(struct hg_call *call, struct hg_str tail)
{
    struct hg_buf *encoded = call_buffer(call);

    if (hg_base64_encode(encoded, tail))
        req_add_header(call->req, HG_STR("X-Amz-Log-Result"), hg_buf_str(encoded));
}

/* The runtime's word counts only for what is not JSON. */
static const char *answer_type(struct hg_call *call, const struct hg_invocation *inv)
{
    if (inv->content_type[0] == '\0' || strncmp(inv->content_type, "application/json", 16) == 0)
        return "application/json";
    if (hg_json_parse(hg_blob_str(inv->answer), NULL).kind != HG_JSON_BAD)
        return "application/json";
    return hg_arena_strdup(call->req->arena, hg_str_of(inv->content_type));
}

static void respond_answer(struct hg_call *call, struct hg_invocation *inv)
{
    struct hg_request *req = call->req;

    req_add_header(req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_add_header(req, HG_STR("X-Amz-Executed-Version"),
                   hg_arena_str(req->arena, inv->function->version));
    if (inv->error != HG_FUNCTION_OK)
        req_add_header(req, HG_STR("X-Amz-Function-Error"), HG_STR("Unhandled"));
    if (inv->wants_log_tail)
        add_log_tail(call, inv->log_tail);
    req_add_header(req, HG_STR("X-Amzn-Trace-Id"),
                   hg_arena_str(req->arena, hg_str_of(inv->trace_id)));
    req->response.holder = hg_blob_ref(inv->answer);
    req_respond_with(req, 200, answer_type(call, inv), hg_blob_str(inv->answer));
}

static void respond_failure(struct hg_call *call, const struct hg_invocation *inv)
{
    switch (inv->rc) {
    case HG_E_THROTTLED:
        call_throttle(call, inv->throttle_reason ? inv->throttle_reason
                                                 : "ConcurrentInvocationLimitExceeded");
        break;
    case HG_E_UNAVAILABLE:
    case HG_E_UNSUPPORTED:
        call_fail(call, HG_API_INVALID_RUNTIME, "%s", hg_rc_text(inv->rc));
        break;
    default:
        call_fail(call, HG_API_SERVICE, "%s", hg_rc_text(inv->rc));
        break;
    }
}

static void on_invoked(struct hg_invocation *inv)
{
    struct invoke_call *invoke = hg_container_of(inv, struct invoke_call, invocation);
    struct hg_call *call = invoke->call;

    call->req->on_abort = NULL;
    if (inv->rc == HG_OK)
        respond_answer(call, inv);
    else
        respond_failure(call, inv);
}

/* The client has left: the function runs on, its answer is dropped (invoke-api.md §9). */
static void on_abort(struct hg_request *req)
{
    struct invoke_call *invoke = req->user;

    invoke_cancel(invoke->call->api->options.workers, &invoke->invocation);
}

static void free_invocation(void *ptr)
{
    invocation_fini(ptr);
}

void lambda_trace(const struct hg_call *call, char out[HG_TRACE_MAX])
{
    struct hg_str given = req_header(call->req, "x-amzn-trace-id");

    if (given.n >= HG_TRACE_MAX)
        given.n = 0;
    (void)snprintf(out, HG_TRACE_MAX, "%.*s", HG_STR_ARG(given));
}

/* Takes over the reference to snapshot. */
static void submit(struct hg_call *call, struct hg_snapshot *snapshot,
                   const struct hg_function *function, const struct hg_function_ref *ref,
                   bool wants_tail, struct hg_str client_context)
{
    struct invoke_call *invoke = hg_arena_must(call->req->arena, sizeof(*invoke));
    struct hg_invocation *inv = &invoke->invocation;
    struct hg_str body = call->req->body;

    invocation_init(inv, HG_INVOKE_REQUEST_MAX);
    hg_arena_defer(call->req->arena, free_invocation, inv);
    invoke->call = call;
    memcpy(inv->request_id, call->request_id, sizeof(inv->request_id));
    inv->snapshot = snapshot;
    inv->function = function;
    inv->client_context = client_context;
    inv->wants_log_tail = wants_tail;
    inv->done = on_invoked;
    lambda_trace(call, inv->trace_id);
    if (!lineage_enter(inv->trace_id, function)) {
        call_fail(call, HG_API_RECURSIVE,
                  "Function %.*s was stopped: it was invoked more than %d times in one chain of "
                  "invocations (RecursiveLoop: Allow lets it run)",
                  HG_STR_ARG(function->name), HG_LINEAGE_RUNS_MAX);
        return;
    }
    (void)snprintf(inv->invoked_arn, sizeof(inv->invoked_arn), "%.*s%s%.*s",
                   HG_STR_ARG(function->arn), ref->qualifier.n ? ":" : "",
                   HG_STR_ARG(ref->qualifier));
    hg_buf_append_str(&inv->payload, body.n ? body : HG_STR("{}"));
    call->req->user = invoke;
    call->req->on_abort = on_abort;
    invoke_submit(call->api->options.workers, inv);
}

void lambda_invoke(struct hg_call *call)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    const struct hg_function *function = NULL;
    struct hg_function_ref ref;
    struct hg_str client_context = {NULL, 0};
    enum invocation_type type;
    bool wants_tail;

    /* The client context is not carried by events, so it is not looked at there. */
    if (lambda_parse_name(call, snapshot, &ref) && parse_type(call, &type) &&
        parse_log_type(call, &wants_tail) &&
        (type == ASYNC || parse_client_context(call, &client_context)) &&
        (type == ASYNC ? lambda_check_payload(call, "Event", HG_EVENT_PAYLOAD_MAX)
                       : lambda_check_payload(call, "RequestResponse", HG_INVOKE_REQUEST_MAX)))
        function = lambda_find(call, snapshot, &ref, true);
    if (!function) {
        snapshot_unref(snapshot);
        return;
    }
    if (type == SYNC) {
        submit(call, snapshot, function, &ref, wants_tail, client_context);
        return;
    }
    if (type == ASYNC) {
        lambda_accept_event(call, function, &ref, HG_STR(""));
    } else {
        req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
        call->req->response.status = 204;
        req_respond(call->req);
    }
    snapshot_unref(snapshot);
}
