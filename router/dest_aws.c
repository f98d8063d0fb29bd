/*
 * Signed calls to AWS services, one dialect for all of them.
 */
#include "router/dest_aws.h"

#include "core/clock.h"
#include "core/json_scan.h"
#include "core/sigv4.h"
#include "http/client_url.h"

#include <stdio.h>
#include <stdlib.h>

enum { CALL_ARENA_MAX = 64 * 1024 };

bool aws_arn_split(struct hg_str text, struct aws_arn *arn)
{
    struct hg_str *parts[] = {NULL, &arn->partition, &arn->service, &arn->region, &arn->account};

    if (!hg_str_starts(text, HG_STR("arn:")))
        return false;
    for (size_t i = 0; i < HG_COUNT(parts); i++) {
        ptrdiff_t colon = hg_str_find(text, ':');

        if (colon < 0)
            return false;
        if (parts[i])
            *parts[i] = hg_str_n(text.p, (size_t)colon);
        text = hg_str_skip(text, (size_t)colon + 1);
    }
    arn->resource = text;
    return arn->partition.n && arn->service.n && text.n;
}

bool aws_arn_is_of(struct hg_str text, const char *service)
{
    struct aws_arn arn;

    return aws_arn_split(text, &arn) && hg_str_is(arn.service, service);
}

bool aws_is_account(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n == 12;
}

bool aws_is_name(struct hg_str text, size_t max, const char *others)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr(others, c))))
            return false;
    }
    return text.n && text.n <= max;
}

size_t aws_attributes(const struct hg_dest_op *op, struct aws_attribute out[AWS_ATTRIBUTES_MAX])
{
    const struct aws_attribute all[AWS_ATTRIBUTES_MAX] = {
        {"ErrorCode", "Number", op->error_code},
        {"ErrorMessage", "String", op->error_message},
        {"RequestID", "String", op->event->id},
    };
    size_t count = 0;

    if (op->role != HG_TARGET_DEAD_LETTER)
        return 0;
    for (size_t i = 0; i < AWS_ATTRIBUTES_MAX; i++)
        if (all[i].value[0])
            out[count++] = all[i];
    return count;
}

enum hg_rc aws_peer_locate(struct aws_peer *peer, struct hg_error *err)
{
    return aws_endpoint_find(peer->service, peer->arn.partition, peer->region, &peer->endpoint,
                             err);
}

enum hg_rc aws_peer_init(struct aws_peer *peer, const struct hg_dest *dest,
                         const struct aws_service *service, struct hg_error *err)
{
    struct hg_str region;

    peer->service = service;
    peer->context = dest->context;
    if (!aws_arn_split(hg_str_of(dest->target), &peer->arn))
        return hg_error_set(err, HG_E_INVALID, "%s is no ARN", dest->target);
    region = peer->arn.region.n ? peer->arn.region : aws_usual_region(dest->context->region);
    if (!aws_is_region(region))
        return hg_error_set(err, HG_E_INVALID, "%s: '%.*s' is no region", dest->target,
                            HG_STR_ARG(region));
    (void)snprintf(peer->region, sizeof(peer->region), "%.*s", HG_STR_ARG(region));
    return aws_peer_locate(peer, err);
}

struct aws_send *aws_send_new(struct hg_dest *dest, struct hg_dest_op *op, size_t body_max)
{
    struct aws_peer *peer = dest->state;
    char why[AWS_KEYS_WHY_MAX];
    struct aws_send *send;

    if (!peer->has_keys && !aws_keys_find(&peer->keys, why)) {
        /* Not final: they may be added to the file, or at the next start. */
        dest_refuse_later(dest, op, HG_E_UNAVAILABLE, false, "%s: %s", peer->service->label, why);
        return NULL;
    }
    peer->has_keys = true;
    send = hg_calloc(1, sizeof(*send));
    send->peer = peer;
    send->op = op;
    send->arena = hg_arena_new(CALL_ARENA_MAX);
    hg_buf_init(&send->body, body_max);
    op->state = send;
    return send;
}

static void send_free(struct aws_send *send)
{
    http_call_fini(&send->http);
    hg_buf_fini(&send->body);
    hg_arena_free(send->arena);
    free(send);
}

void aws_cancel(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct aws_send *send = op->state;

    (void)dest;
    http_call_cancel(&send->http);
    send_free(send);
}

void aws_send_accept(struct aws_send *send, const char *receipt)
{
    struct hg_dest_op *op = send->op;
    char text[HG_EVENT_WHY_MAX];

    (void)snprintf(text, sizeof(text), "%s", receipt);
    send_free(send);
    dest_accept(op, "%s", text);
}

/* An AWS_ENDPOINT_URL that is meant for functions and tools often names Headgate's own management port. */
static bool is_headgate(const struct aws_send *send, const struct aws_fault *fault)
{
    return send->peer->endpoint.source[0] &&
           ((send->http.status == 501 && strcmp(fault->code, "NotImplementedException") == 0) ||
            strstr(fault->message, "/_headgate/"));
}

void aws_send_refuse(struct aws_send *send, const struct aws_fault *fault)
{
    struct hg_dest_op *op = send->op;
    struct aws_fault kept = *fault;
    struct aws_peer *peer = send->peer;
    const char *label = peer->service->label;
    bool is_ours = is_headgate(send, fault);
    int status = send->http.status;
    char variable[AWS_SOURCE_MAX];

    memcpy(variable, peer->endpoint.source, sizeof(variable));
    send_free(send);
    if (is_ours)
        dest_refuse(op, HG_E_UNSUPPORTED, true,
                    "%s: %s names Headgate itself, which has no %s; set AWS_ENDPOINT_URL_%s: %s",
                    label, variable, label, peer->service->variable, kept.message);
    else if (kept.code[0] || kept.message[0])
        dest_refuse(op, kept.rc, kept.is_final, "%s: %s%s%s", label, kept.code,
                    kept.code[0] && kept.message[0] ? ": " : "", kept.message);
    else
        dest_refuse(op, kept.rc, kept.is_final, "%s answered %d", label, status);
}

void aws_send_refuse_answer(struct aws_send *send, const char *missing)
{
    struct aws_fault fault = {.rc = HG_E_UNAVAILABLE};

    (void)snprintf(fault.message, sizeof(fault.message),
                   "the endpoint answered %d without %s: is it %s that answers there?",
                   send->http.status, missing, send->peer->service->label);
    aws_send_refuse(send, &fault);
}

bool aws_answer_member(const struct aws_send *send, const char *name, char *out, size_t room)
{
    struct hg_json_value object = hg_json_parse(hg_buf_str(&send->http.answer), NULL);
    struct hg_json_value value;
    struct hg_buf text;
    bool is_there = false;

    out[0] = '\0';
    if (object.kind != HG_JSON_OBJECT)
        return false;
    value = hg_json_member(object, name);
    if (value.kind != HG_JSON_STRING)
        return false;
    hg_buf_init(&text, room - 1);
    if (hg_json_unescape(value, &text) && text.len) {
        (void)snprintf(out, room, "%.*s", HG_STR_ARG(hg_buf_str(&text)));
        is_there = true;
    }
    hg_buf_fini(&text);
    return is_there;
}

static void on_call_done(struct hg_http_call *call)
{
    struct aws_send *send = hg_container_of(call, struct aws_send, http);
    struct aws_fault fault;

    if (call->rc == HG_OK && call->status / 100 == 2) {
        send->on_answer(send);
        return;
    }
    if (call->rc == HG_OK) {
        aws_fault_read(&fault, call->status, hg_buf_str(&call->answer));
        if (fault.are_keys_stale)
            send->peer->has_keys = false;
        if (send->on_refusal && !send->was_mended && send->on_refusal(send, &fault)) {
            return;
        }
    } else {
        memset(&fault, 0, sizeof(fault));
        fault.rc = call->rc;
        fault.is_final = call->rc == HG_E_INVALID;
        (void)snprintf(fault.message, sizeof(fault.message), "%.190s", call->why);
    }
    aws_send_refuse(send, &fault);
}

struct call_headers {
    struct hg_header items[AWS_HEADERS_MAX + 5];
    size_t count;
};

static void add(struct hg_arena *arena, struct call_headers *to, const char *name,
                struct hg_str value)
{
    if (value.n)
        to->items[to->count++] = (struct hg_header){hg_str_of(name), hg_arena_str(arena, value)};
}

/* Host and the request's own, then what the signature adds. */
static bool sign(struct aws_send *send, const struct aws_request *request,
                 const struct hg_http_url *url, struct call_headers *headers)
{
    const struct hg_sigv4_credentials keys = aws_keys_credentials(&send->peer->keys);
    struct hg_sigv4_header signed_headers[AWS_HEADERS_MAX + 1];
    struct hg_sigv4_request input = {
        .method = hg_str_of(request->method),
        .path = url->path,
        .query = url->query,
        .headers = signed_headers,
        .body = hg_buf_str(&send->body),
        .region = hg_str_of(send->peer->region),
        .service = hg_str_of(send->peer->service->signing),
        .time_ms = hg_wall_ms(),
        .is_s3 = request->is_s3,
    };
    struct hg_sigv4_signed made;
    bool fits;

    headers->count = 0;
    add(send->arena, headers, "Host", url->authority);
    for (size_t i = 0; i < request->header_count; i++)
        headers->items[headers->count++] = request->headers[i];
    for (size_t i = 0; i < headers->count; i++)
        signed_headers[i] =
            (struct hg_sigv4_header){headers->items[i].name, headers->items[i].value};
    input.header_count = headers->count;
    fits = hg_sigv4_sign(&input, &keys, &made);
    add(send->arena, headers, "X-Amz-Date", hg_str_of(made.date));
    add(send->arena, headers, "X-Amz-Content-Sha256", hg_str_of(made.content_sha256));
    add(send->arena, headers, "X-Amz-Security-Token", keys.session_token);
    add(send->arena, headers, "Authorization", hg_buf_str(&made.authorization));
    hg_sigv4_signed_fini(&made);
    return fits;
}

void aws_send_call(struct aws_send *send, const struct aws_request *request)
{
    struct call_headers *headers;
    struct hg_http_url url;
    const char *text;

    hg_arena_reset(send->arena);
    headers = hg_arena_must(send->arena, sizeof(*headers));
    text = hg_arena_printf(send->arena, "%s%s", send->peer->endpoint.base, request->path);
    /* Its parts were checked at bind, and what is added is ours. */
    hg_assert(!http_url_split(hg_str_of(text), &url));
    hg_assert(sign(send, request, &url, headers));
    send->http.method = hg_arena_strdup(send->arena, hg_str_of(request->method));
    send->http.url = text;
    send->http.headers = headers->items;
    send->http.header_count = headers->count;
    send->http.body = hg_buf_str(&send->body);
    send->http.done = on_call_done;
    http_call_submit(send->peer->context->http, &send->http);
}
