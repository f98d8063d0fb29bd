/*
 * AWS_PROXY: the request becomes an event, the function's return value an
 * answer (apigw-proxy-integration.md). Runs on the request's loop. What the
 * call holds is given back when the request is over, because the answer may
 * point into it. Calls that nobody waits for are in integ_lambda_event.c.
 */
#include "gateway/integ_lambda.h"

#include "core/clock.h"
#include "gateway/answer.h"
#include "gateway/binary.h"
#include "gateway/event.h"
#include "gateway/integ.h"

#include <stdio.h>

enum {
    REST_TIMEOUT_MS = 29000,
    HTTP_TIMEOUT_MS = 30000,
    PARENT_HEX = 16,
};

/* ---- binding ---- */

/*
 * Targets of mapped headers that make the real service fail at each call (apigw-routing.md §3.5).
 */
static bool is_illegal_target(struct hg_str header)
{
    static const char *const names[] = {"Content-Length",
                                        "Transfer-Encoding",
                                        "X-Amzn-Trace-Id",
                                        "X-Amzn-Apigateway-Api-Id",
                                        "Authorization",
                                        "Connection",
                                        "Expect",
                                        "Proxy-Authenticate",
                                        "TE"};

    for (size_t i = 0; i < HG_COUNT(names); i++) {
        if (hg_str_is_nocase(header, names[i]))
            return true;
    }
    return false;
}

static enum hg_rc bind_mapped_headers(struct hg_lambda *lambda, const struct hg_integ_model *model,
                                      struct hg_arena *arena, struct hg_error *err)
{
    static const struct hg_str prefix = {"integration.request.header.", 27};

    for (size_t i = 0; i < model->request_parameters.count; i++) {
        const struct hg_kv *kv = &model->request_parameters.items[i];
        struct hg_str header;

        if (!hg_str_starts(kv->key, prefix))
            continue;
        header = hg_str_skip(kv->key, prefix.n);
        if (is_illegal_target(header))
            return hg_error_set(err, HG_E_INVALID, "the mapped header %.*s is not allowed",
                                HG_STR_ARG(header));
        if (hg_str_is_nocase(header, "X-Amz-Invocation-Type"))
            lambda->invocation_type = phrase_of_mapping(arena, kv->value);
    }
    return HG_OK;
}

/* RequestParameters of an HTTP API's integration: InvocationType, a word or `$request.header.NAME`. */
static void bind_parameters(struct hg_lambda *lambda, const struct hg_integ_model *model,
                            struct hg_arena *arena)
{
    static const struct hg_str source = {"request.header.", 15};
    struct hg_str text = kv_get(&model->request_parameters, HG_STR("InvocationType")), name;
    bool is_braced;

    if (!text.p)
        return;
    is_braced = hg_str_starts(text, HG_STR("${")) && hg_str_ends(text, HG_STR("}"));
    name = hg_str_skip(text, is_braced ? 2 : HG_MIN(text.n, (size_t)1));
    name.n -= is_braced;
    if (text.n && text.p[0] == '$' && hg_str_starts(name, source))
        lambda->type_header = hg_arena_strdup(arena, hg_str_skip(name, source.n));
    else
        lambda->invocation_type = phrase_new(arena, HG_PHRASE_BODY, text);
}

static enum hg_rc bind_type(struct hg_lambda *lambda, const struct hg_api *api,
                            const struct hg_integ_model *model, struct hg_arena *arena,
                            struct hg_error *err)
{
    enum hg_rc rc = HG_OK;
    struct hg_str fixed;

    if (api->kind == HG_API_REST)
        rc = bind_mapped_headers(lambda, model, arena, err);
    else
        bind_parameters(lambda, model, arena);
    if (rc != HG_OK)
        return rc;
    if (model->invocation_type.n)
        lambda->invocation_type = phrase_new(arena, HG_PHRASE_BODY, model->invocation_type);
    if (!lambda->invocation_type)
        return HG_OK;
    fixed = phrase_literal(lambda->invocation_type);
    if (fixed.p && lambda_type_of(fixed) == HG_LAMBDA_UNKNOWN)
        return hg_error_set(err, HG_E_INVALID,
                            "the invocation type %.*s is none of Event, RequestResponse, DryRun",
                            HG_STR_ARG(fixed));
    return HG_OK;
}

/* What the reference means is found by each request: functions come and go by the management API. */
static void bind_function(struct hg_integ *in, struct hg_lambda *lambda,
                          const struct hg_stack *stack, struct hg_str ref)
{
    struct hg_function_parts parts;

    if (!function_parts(ref, &parts) ||
        (parts.region.p && !hg_str_eq(parts.region, stack->region)) ||
        (parts.account.p && !hg_str_eq(parts.account, stack->account)))
        parts = (struct hg_function_parts){0};
    lambda->name = parts.name;
    lambda->qualifier = parts.qualifier;
    if (!in->api->is_function_url &&
        (!parts.name.p || !stack_find_function(stack, parts.name, parts.qualifier)))
        in->warning =
            hg_str_of(hg_arena_printf(stack->arena, "there is no function %.*s", HG_STR_ARG(ref)));
}

enum hg_rc lambda_bind(struct hg_integ *in, struct hg_stack *stack, struct hg_error *err)
{
    const struct hg_integ_model *model = in->model;
    struct hg_lambda *lambda = hg_arena_must(stack->arena, sizeof(*lambda));
    bool is_rest = in->api->kind == HG_API_REST;
    struct hg_str fixed;
    enum hg_rc rc;

    in->state = lambda;
    if (is_rest)
        lambda->contract = HG_CONTRACT_REST;
    else if (in->api->is_function_url)
        lambda->contract = HG_CONTRACT_URL;
    else
        lambda->contract =
            hg_str_is(model->payload_version, "1.0") ? HG_CONTRACT_HTTP_V1 : HG_CONTRACT_HTTP_V2;
    lambda->timeout_ms = model->timeout_ms ? model->timeout_ms
                         : is_rest         ? REST_TIMEOUT_MS
                                           : HTTP_TIMEOUT_MS;
    if (is_rest && model->http_method.n && !hg_str_is(model->http_method, "POST"))
        return hg_error_set(err, HG_E_INVALID, "a Lambda function is called with POST, not %.*s",
                            HG_STR_ARG(model->http_method));
    rc = bind_type(lambda, in->api, model, stack->arena, err);
    if (rc != HG_OK)
        return rc;
    lambda->ref = phrase_new(stack->arena, HG_PHRASE_BODY, model->function_ref);
    fixed = phrase_literal(lambda->ref);
    if (fixed.p)
        bind_function(in, lambda, stack, fixed);
    return HG_OK;
}

/* ---- the call ---- */

/* The function's reference with its variables put in; in the request's arena or the snapshot's. */
static struct hg_str resolved_ref(const struct hg_lambda *lambda, struct hg_context *ctx)
{
    struct hg_str ref = phrase_literal(lambda->ref);
    struct hg_buf buf;

    if (ref.p)
        return ref;
    hg_buf_init(&buf, HG_INVOKED_ARN_MAX);
    (void)phrase_render(lambda->ref, ctx, HG_STR(""), &buf);
    return context_keep(ctx, &buf);
}

struct hg_str lambda_qualifier(struct hg_str ref)
{
    static const struct hg_str marker = {"function:", 9};
    ptrdiff_t at = hg_str_find_str(ref, marker);

    if (at >= 0)
        ref = hg_str_skip(ref, (size_t)at + marker.n);
    at = hg_str_find(ref, ':');
    return at < 0 ? hg_str_n("", 0) : hg_str_skip(ref, (size_t)at + 1);
}

static void put_arn(struct hg_invocation *inv, struct hg_str ref)
{
    struct hg_str arn = inv->function->arn, qualifier = lambda_qualifier(ref);

    (void)snprintf(inv->invoked_arn, sizeof(inv->invoked_arn), "%.*s%s%.*s", HG_STR_ARG(arn),
                   qualifier.n ? ":" : "", HG_STR_ARG(qualifier));
}

/* The function's own trace id has a parent and a sampling decision (apigw-routing.md §3.2). */
static void put_trace(struct hg_invocation *inv, struct hg_str trace)
{
    bool has_parent = hg_str_find_str(trace, HG_STR("Parent=")) >= 0;
    bool is_decided = hg_str_find_str(trace, HG_STR("Sampled=")) >= 0;
    char parent[PARENT_HEX + 1];

    hg_hex_id(parent, PARENT_HEX);
    (void)snprintf(inv->trace_id, sizeof(inv->trace_id), "%.*s%s%s%s", HG_STR_ARG(trace),
                   has_parent ? "" : ";Parent=", has_parent ? "" : parent,
                   is_decided   ? ""
                   : has_parent ? ";Sampled=1"
                                : ";Sampled=0");
}

void lambda_fail(struct hg_lambda_call *call, enum hg_gateway_error error, const char *why)
{
    call->ctx->integ_error = why;
    answer_error(call->ctx, error);
}

static void on_answered(struct hg_lambda_call *call)
{
    struct hg_context *ctx = call->ctx;
    struct hg_response *response = &ctx->req->response;
    struct hg_answer answer;
    bool may_decode =
        call->lambda->contract == HG_CONTRACT_REST &&
        binary_matches(ctx->api->binary_types, ctx->api->binary_type_count, ctx->noted.accept);

    if (call->lambda->custom) {
        ctx->req->response.holder = hg_blob_ref(call->inv.answer);
        custom_answer(call->lambda->custom, ctx, 200, hg_blob_str(call->inv.answer));
        return;
    }
    switch (response_parse(hg_blob_str(call->inv.answer), call->lambda->contract, may_decode,
                           ctx->req->arena, &answer)) {
    case HG_VERDICT_OK:
        break;
    case HG_VERDICT_MALFORMED:
        lambda_fail(call, HG_GATEWAY_FUNCTION, "Malformed Lambda proxy response");
        return;
    case HG_VERDICT_BAD_BASE64:
        lambda_fail(call, HG_GATEWAY_INTEGRATION, "Unable to base64 decode the body");
        return;
    }
    ctx->integ_status = answer.status;
    *response = (struct hg_response){
        .status = answer.status,
        .headers = answer.headers,
        .header_count = answer.header_count,
        .header_room = answer.header_room,
        .body = answer.body,
        .holder = answer.holder,
    };
    if (call->lambda->contract == HG_CONTRACT_REST)
        req_add_header(ctx->req, HG_STR("X-Amzn-Trace-Id"), context_trace(ctx));
    answer_send(ctx);
}

static void on_invocation_done(struct hg_invocation *inv)
{
    struct hg_lambda_call *call = hg_container_of(inv, struct hg_lambda_call, inv);
    struct hg_context *ctx = call->ctx;

    call->is_running = false;
    hg_timer_stop(&call->timer);
    ctx->integ_us = hg_mono_us() - call->start_us;
    ctx->integ_request_id = inv->request_id;
    ctx->integ_service_status = hg_rc_status(inv->rc);
    switch (inv->rc) {
    case HG_OK:
        /* A custom integration takes the error document for an answer like any other (apigw-integrations.md §6). */
        if (inv->error == HG_FUNCTION_OK || call->lambda->custom)
            on_answered(call);
        else
            lambda_fail(call, HG_GATEWAY_FUNCTION, "The function failed");
        break;
    case HG_E_THROTTLED:
    case HG_E_BUSY:
        lambda_fail(call, HG_GATEWAY_FUNCTION_THROTTLED, "The function was throttled");
        break;
    case HG_E_TOO_LARGE:
        lambda_fail(call, HG_GATEWAY_TOO_LONG, "The event is too large");
        break;
    case HG_E_DEADLINE:
        lambda_fail(call, HG_GATEWAY_TIMEOUT, "Execution failed due to a timeout error");
        break;
    default:
        lambda_fail(call, HG_GATEWAY_INTEGRATION, hg_rc_text(inv->rc));
        break;
    }
}

/*
 * The function runs on to its end; nobody waits for what it returns (apigw-proxy-integration.md
 * §4.5).
 */
static void on_timeout(struct hg_timer *timer)
{
    struct hg_lambda_call *call = hg_container_of(timer, struct hg_lambda_call, timer);

    if (call->is_running)
        invoke_cancel(call->ctx->workers, &call->inv);
    lambda_forget(call);
    call->is_running = false;
    call->ctx->integ_us = hg_mono_us() - call->start_us;
    lambda_fail(call, HG_GATEWAY_TIMEOUT, "Execution failed due to a timeout error");
}

bool lambda_write_event(const struct hg_lambda_call *call, struct hg_buf *out)
{
    if (call->lambda->custom)
        return custom_write_payload(call->lambda->custom, call->ctx, out);
    if (call->lambda->contract == HG_CONTRACT_HTTP_V2 || call->lambda->contract == HG_CONTRACT_URL)
        return event_v2_write(call->ctx, out);
    return event_v1_write(call->ctx, out);
}

static struct hg_lambda_call *call_new(const struct hg_lambda *lambda, struct hg_context *ctx,
                                       const struct hg_function *function, struct hg_str ref)
{
    struct hg_lambda_call *call = hg_arena_alloc(ctx->req->arena, sizeof(*call));

    if (!call)
        return NULL;
    *call = (struct hg_lambda_call){.ctx = ctx, .lambda = lambda, .start_us = hg_mono_us()};
    invocation_init(&call->inv, HG_INVOKE_REQUEST_MAX);
    call->inv.snapshot = snapshot_ref(ctx->snapshot);
    call->inv.function = function;
    call->inv.done = on_invocation_done;
    /* The request's id is the invocation's (function-api.md §12.2). */
    if (lambda->contract == HG_CONTRACT_URL)
        memcpy(call->inv.request_id, context_request_id(ctx).p, HG_UUID_LEN);
    put_arn(&call->inv, ref);
    put_trace(&call->inv, context_trace(ctx));
    hg_timer_init(&call->timer, ctx->req->loop, on_timeout);
    ctx->integ_state = call;
    return call;
}

static const struct hg_function *find_function(const struct hg_lambda *lambda,
                                               const struct hg_context *ctx, struct hg_str ref)
{
    if (lambda->name.p)
        return snapshot_find_function(ctx->snapshot, lambda->name, lambda->qualifier);
    /* A colon at the end: the stage has no variable for the alias. */
    if (!ref.n || hg_str_ends(ref, HG_STR(":")))
        return NULL;
    return snapshot_find_function(ctx->snapshot, ref, HG_STR(""));
}

void lambda_begin(struct hg_integ *in, struct hg_context *ctx)
{
    const struct hg_lambda *lambda = in->state;
    enum hg_lambda_type type = lambda_type_asked(lambda, ctx);
    struct hg_str ref = resolved_ref(lambda, ctx);
    const struct hg_function *function = find_function(lambda, ctx, ref);
    struct hg_lambda_call *call;

    if (!function || type == HG_LAMBDA_UNKNOWN) {
        ctx->integ_error =
            function ? "The invocation type is unknown" : "The function does not exist";
        answer_error(ctx, HG_GATEWAY_INTEGRATION);
        return;
    }
    if (lambda->custom && !custom_check_body(lambda->custom, ctx))
        return;
    if (type == HG_LAMBDA_DRY_RUN && lambda->custom) {
        custom_answer(lambda->custom, ctx, 204, HG_STR(""));
        return;
    }
    if (type == HG_LAMBDA_DRY_RUN) {
        ctx->req->response.status = 204;
        answer_send(ctx);
        return;
    }
    call = call_new(lambda, ctx, function, ref);
    if (call && type == HG_LAMBDA_EVENT) {
        hg_timer_start_ms(&call->timer, lambda->timeout_ms);
        lambda_publish(call, ref);
        return;
    }
    if (!call || !lambda_write_event(call, &call->inv.payload)) {
        ctx->integ_error = "The event is too large";
        answer_error(ctx, HG_GATEWAY_TOO_LONG);
        return;
    }
    call->is_running = true;
    hg_timer_start_ms(&call->timer, lambda->timeout_ms);
    invoke_submit(ctx->workers, &call->inv);
}

void lambda_end(struct hg_integ *in, struct hg_context *ctx)
{
    struct hg_lambda_call *call = ctx->integ_state;

    (void)in;
    if (call->is_running)
        invoke_cancel(ctx->workers, &call->inv);
    lambda_forget(call);
    hg_timer_stop(&call->timer);
    invocation_fini(&call->inv);
    ctx->integ_state = NULL;
}

const struct hg_function *integ_lambda_function(const struct hg_integ *in,
                                                const struct hg_snapshot *snapshot)
{
    const struct hg_lambda *lambda = in->state;

    if ((in->ops != &integ_lambda_ops && in->ops != &integ_lambda_custom_ops) || !lambda->name.p)
        return NULL;
    return snapshot_find_function(snapshot, lambda->name, lambda->qualifier);
}

void lambda_describe(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                     struct hg_buf *out)
{
    const struct hg_function *function = integ_lambda_function(in, snapshot);
    const struct hg_lambda *lambda = in->state;
    bool is_event = lambda->invocation_type &&
                    lambda_type_of(phrase_literal(lambda->invocation_type)) == HG_LAMBDA_EVENT;

    if (function)
        hg_buf_printf(out, "%.*s (%.*s%s)", HG_STR_ARG(function->name),
                      HG_STR_ARG(function->runtime), is_event ? ", asynchronous" : "");
    else
        hg_buf_append_str(out, in->model->function_ref);
}

const struct hg_integ_ops integ_lambda_ops = {
    .type = "AWS_PROXY",
    .bind = lambda_bind,
    .begin = lambda_begin,
    .end = lambda_end,
    .describe = lambda_describe,
};
