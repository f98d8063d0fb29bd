/*
 * Invoke: what it checks, and its synchronous and dry types (invoke-api.md §1
 * to §4). InvokeWithResponseStream checks and runs the same way.
 */
#include "api/lambda_invoke.h"

#include "api/input.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/json_scan.h"
#include "router/lineage.h"
#include "workers/minute.h"

#include <stdio.h>

enum { CLIENT_CONTEXT_MAX = 3583 };

/* One call on its way through a function; lives in the request's arena. */
struct invoke_call {
    struct hg_invocation invocation;
    struct hg_call *call;
    void (*respond)(struct hg_call *call, struct hg_invocation *inv);
};

/* A header outside its enum: the model says so, together with all else that is wrong with the call. */
static bool fail_header(struct hg_call *call, const char *member)
{
    if (call_input(call))
        call_fail(call, HG_API_VALIDATION, "%s has an unknown value", member);
    return false;
}

/* False when answered. */
static bool parse_type(struct hg_call *call, bool streams, enum invocation_type *type)
{
    struct hg_str text = req_header(call->req, "x-amz-invocation-type");

    if (!text.p || hg_str_is(text, "RequestResponse"))
        *type = HG_INVOKE_SYNC;
    else if (hg_str_is(text, "Event") && !streams)
        *type = HG_INVOKE_EVENT;
    else if (hg_str_is(text, "DryRun"))
        *type = HG_INVOKE_DRY_RUN;
    else
        return fail_header(call, "InvocationType");
    return true;
}

/* Members of Invoke that Headgate does not offer. */
static bool check_offered(struct hg_call *call)
{
    static const struct {
        const char *header, *member, *advice;
    } refused[] = {
        {"x-amz-tenant-id", "TenantId", "environments are not kept apart by tenant"},
        {"x-amz-durable-execution-name", "DurableExecutionName",
         "durable executions are not available"},
    };

    for (size_t i = 0; i < HG_COUNT(refused); i++) {
        if (!req_header(call->req, refused[i].header).p)
            continue;
        if (call_input(call))
            call_fail(call, HG_API_INVALID_PARAMETER,
                      "%s is not supported by Headgate: %s: leave it out", refused[i].member,
                      refused[i].advice);
        return false;
    }
    return true;
}

static bool parse_log_type(struct hg_call *call, bool *wants_tail)
{
    struct hg_str text = req_header(call->req, "x-amz-log-type");

    *wants_tail = text.p && hg_str_is(text, "Tail");
    return !text.p || *wants_tail || hg_str_is(text, "None") || fail_header(call, "LogType");
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

const char *lambda_answer_type(struct hg_call *call, const struct hg_invocation *inv)
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
    req_respond_with(req, 200, lambda_answer_type(call, inv), hg_blob_str(inv->answer));
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
        if (inv->answer)
            call_fail(call, HG_API_INVALID_RUNTIME, "%.*s", HG_STR_ARG(hg_blob_str(inv->answer)));
        else
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
        invoke->respond(call, inv);
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

void lambda_run(struct hg_call *call, struct invoke_wish *wish,
                void (*respond)(struct hg_call *call, struct hg_invocation *inv))
{
    struct invoke_call *invoke = hg_arena_must(call->req->arena, sizeof(*invoke));
    struct hg_invocation *inv = &invoke->invocation;
    const struct hg_function *function = wish->function;
    struct hg_str body = call->req->body;

    invocation_init(inv, HG_INVOKE_REQUEST_MAX);
    hg_arena_defer(call->req->arena, free_invocation, inv);
    invoke->call = call;
    invoke->respond = respond;
    memcpy(inv->request_id, call->request_id, sizeof(inv->request_id));
    inv->snapshot = wish->snapshot;
    inv->function = function;
    inv->client_context = wish->client_context;
    inv->wants_log_tail = wish->wants_tail;
    inv->done = on_invoked;
    lambda_trace(call, inv->trace_id);
    if (!lineage_enter(inv->trace_id, function)) {
        minutes_note(workers_minutes(call->api->options.workers), HG_MINUTE_RECURSIVE_DROPPED,
                     &(struct hg_minute_subject){.function = function->name,
                                                 .qualifier = wish->ref.qualifier},
                     hg_steady_ms(), 1);
        call_fail(call, HG_API_RECURSIVE,
                  "Function %.*s was stopped: it was invoked more than %d times in one chain of "
                  "invocations (RecursiveLoop: Allow lets it run)",
                  HG_STR_ARG(function->name), HG_LINEAGE_RUNS_MAX);
        return;
    }
    (void)snprintf(inv->invoked_arn, sizeof(inv->invoked_arn), "%.*s%s%.*s",
                   HG_STR_ARG(function->arn), wish->ref.qualifier.n ? ":" : "",
                   HG_STR_ARG(wish->ref.qualifier));
    hg_buf_append_str(&inv->payload, body.n ? body : HG_STR("{}"));
    call->req->user = invoke;
    call->req->on_abort = on_abort;
    invoke_submit(call->api->options.workers, inv);
}

void lambda_answer_dry_run(struct hg_call *call, struct invoke_wish *wish)
{
    snapshot_unref(wish->snapshot);
    call_respond_empty(call, 204);
}

/* The function that is meant, in a state in which it can run. NULL when answered. */
static const struct hg_function *find_ready(struct hg_call *call,
                                            const struct hg_snapshot *snapshot,
                                            const struct hg_function_ref *ref)
{
    const struct hg_function *function;

    if (hg_str_is(ref->qualifier, "$LATEST.PUBLISHED") && snapshot_family(snapshot, ref->name)) {
        call_fail(call, HG_API_NO_PUBLISHED_VERSION,
                  "Function %.*s has no version published to $LATEST.PUBLISHED",
                  HG_STR_ARG(ref->name));
        return NULL;
    }
    function = lambda_find(call, snapshot, ref, true);
    if (function &&
        (hg_str_is(function->state, "Pending") || hg_str_is(function->state, "Failed"))) {
        call_fail(call, HG_API_CONFLICT,
                  "The operation cannot be performed at this time. The function is currently in "
                  "the following state: %.*s",
                  HG_STR_ARG(function->state));
        return NULL;
    }
    return function;
}

bool lambda_read_wish(struct hg_call *call, bool streams, struct invoke_wish *wish)
{
    *wish = (struct invoke_wish){.snapshot = registry_current(call->api->options.registry)};
    /* The client context is not carried by events, so it is not looked at there. */
    if (lambda_parse_name(call, wish->snapshot, &wish->ref) &&
        parse_type(call, streams, &wish->type) && parse_log_type(call, &wish->wants_tail) &&
        check_offered(call) &&
        (wish->type == HG_INVOKE_EVENT || parse_client_context(call, &wish->client_context)) &&
        (wish->type == HG_INVOKE_EVENT
             ? lambda_check_payload(call, "Event", HG_EVENT_PAYLOAD_MAX)
             : lambda_check_payload(call, "RequestResponse", HG_INVOKE_REQUEST_MAX)))
        wish->function = find_ready(call, wish->snapshot, &wish->ref);
    if (!wish->function)
        snapshot_unref(wish->snapshot);
    return wish->function != NULL;
}

void lambda_invoke(struct hg_call *call)
{
    struct invoke_wish wish;

    if (!lambda_read_wish(call, false, &wish))
        return;
    switch (wish.type) {
    case HG_INVOKE_SYNC:
        lambda_run(call, &wish, respond_answer);
        break;
    case HG_INVOKE_EVENT:
        lambda_accept_event(call, wish.function, &wish.ref, HG_STR(""));
        snapshot_unref(wish.snapshot);
        break;
    case HG_INVOKE_DRY_RUN:
        lambda_answer_dry_run(call, &wish);
        break;
    }
}
