/*
 * Lambda integrations with the invocation type Event: the request is answered
 * with 202 as soon as the event is durable (async.md §1). The answer's request
 * id is the event's, so that a client can look it up.
 */
#include "core/clock.h"
#include "gateway/answer.h"
#include "gateway/dedup.h"
#include "gateway/integ_lambda.h"
#include "router/router.h"

#include <stdio.h>
#include <stdlib.h>

/* Lives until it is stored or refused. */
struct hg_lambda_event {
    struct hg_publish publish;
    struct hg_lambda_call *call; /* NULL: the request is over */
};

enum hg_lambda_type lambda_type_of(struct hg_str text)
{
    if (!text.n || hg_str_is(text, "RequestResponse"))
        return HG_LAMBDA_SYNC;
    if (hg_str_is(text, "Event"))
        return HG_LAMBDA_EVENT;
    return hg_str_is(text, "DryRun") ? HG_LAMBDA_DRY_RUN : HG_LAMBDA_UNKNOWN;
}

enum hg_lambda_type lambda_type_asked(const struct hg_lambda *lambda, struct hg_context *ctx)
{
    enum hg_lambda_type type;
    struct hg_str fixed;
    struct hg_buf text;

    if (lambda->type_header)
        return lambda_type_of(req_header(ctx->req, lambda->type_header));
    if (!lambda->invocation_type)
        return HG_LAMBDA_SYNC;
    fixed = phrase_literal(lambda->invocation_type);
    if (fixed.p)
        return lambda_type_of(fixed);
    hg_buf_init(&text, HG_REQUEST_HEADERS_MAX);
    (void)phrase_render(lambda->invocation_type, ctx, HG_STR(""), &text);
    type = lambda_type_of(hg_buf_str(&text));
    hg_buf_fini(&text);
    return type;
}

static void respond_accepted(struct hg_lambda_call *call)
{
    struct hg_context *ctx = call->ctx;

    if (call->lambda->custom) {
        custom_answer(call->lambda->custom, ctx, 202, HG_STR(""));
        return;
    }
    ctx->integ_status = 202;
    ctx->req->response.status = 202;
    /* REST APIs say it in any case. */
    if (ctx->api->kind == HG_API_HTTP)
        req_add_header(ctx->req, HG_STR("x-amzn-RequestId"), hg_str_of(ctx->request_id));
    else
        req_add_header(ctx->req, HG_STR("X-Amzn-Trace-Id"), context_trace(ctx));
    answer_send(ctx);
}

static void respond_refused(struct hg_lambda_call *call, enum hg_rc rc)
{
    switch (rc) {
    case HG_E_BUSY:
        req_add_header(call->ctx->req, HG_STR("Retry-After"), HG_STR("1"));
        lambda_fail(call, HG_GATEWAY_QUEUE, "The event could not be stored");
        break;
    case HG_E_TOO_LARGE:
        lambda_fail(call, HG_GATEWAY_TOO_LONG, "The event is too large");
        break;
    default:
        lambda_fail(call, HG_GATEWAY_INTEGRATION, hg_rc_text(rc));
        break;
    }
}

static void on_published(struct hg_publish *publish)
{
    struct hg_lambda_event *event = hg_container_of(publish, struct hg_lambda_event, publish);
    struct hg_lambda_call *call = event->call;

    if (call) {
        hg_timer_stop(&call->timer);
        call->event = NULL;
        call->ctx->integ_us = hg_mono_us() - call->start_us;
        memcpy(call->ctx->request_id, publish->event->id, sizeof(call->ctx->request_id));
        call->ctx->integ_request_id = call->ctx->request_id;
        call->ctx->integ_service_status = publish->rc == HG_OK ? 202 : hg_rc_status(publish->rc);
        if (publish->rc == HG_OK)
            respond_accepted(call);
        else
            respond_refused(call, publish->rc);
    }
    hg_event_free(publish->event);
    free(event);
}

/* The event's JSON within what events may have; NULL when it is too large. */
static struct hg_blob *make_payload(struct hg_lambda_call *call)
{
    struct hg_blob *payload = NULL;
    struct hg_buf buf;

    hg_buf_init(&buf, HG_EVENT_PAYLOAD_MAX);
    if (lambda_write_event(call, &buf))
        payload = hg_blob_take(&buf);
    hg_buf_fini(&buf);
    return payload;
}

void lambda_publish(struct hg_lambda_call *call, struct hg_str ref)
{
    struct hg_context *ctx = call->ctx;
    struct hg_event *event;
    struct hg_str key;
    struct hg_error err;
    struct hg_buf text;

    if (!dedup_key(ctx->req, &key, &err)) {
        hg_buf_init(&text, HG_ERROR_MAX);
        hg_buf_append_cstr(&text, err.text);
        ctx->error_text = context_keep(ctx, &text);
        lambda_fail(call, HG_GATEWAY_BAD_EVENT, "The idempotency key cannot be used");
        return;
    }
    event = hg_event_new(call->inv.function->name, lambda_qualifier(ref), NULL);
    /* Before the payload is written: what it says of the request is the same id. */
    memcpy(ctx->request_id, event->id, sizeof(ctx->request_id));
    event->payload = make_payload(call);
    if (!event->payload) {
        hg_event_free(event);
        lambda_fail(call, HG_GATEWAY_TOO_LONG, "The event is too large");
        return;
    }
    (void)snprintf(event->dedup, sizeof(event->dedup), "%.*s", HG_STR_ARG(key));
    memcpy(event->trace_id, call->inv.trace_id, sizeof(event->trace_id));
    call->event = hg_calloc(1, sizeof(*call->event));
    call->event->call = call;
    call->event->publish.event = event;
    call->event->publish.done = on_published;
    router_publish(ctx->router, &call->event->publish);
}

void lambda_forget(struct hg_lambda_call *call)
{
    if (call->event)
        call->event->call = NULL;
    call->event = NULL;
}
