/*
 * Facts about a request, made when first asked for.
 */
#include "gateway/context.h"

#include "core/clock.h"
#include "core/json_write.h"

enum {
    TRACE_PART_MAX =
        64, /* of a root, parent, sampling or lineage that a client sends; beyond it is ignored */
    EPOCH_HEX = 8,
    ROOT_HEX = 24,
};

void context_init(struct hg_context *ctx, struct hg_request *req, struct hg_snapshot *snapshot)
{
    *ctx = (struct hg_context){
        .req = req,
        .snapshot = snapshot,
        .method = req->method,
        .path = req->path,
        .stage_path = req->path,
        .error = HG_GATEWAY_NO_ERROR,
        .integ_us = -1,
    };
}

void context_note_headers(struct hg_context *ctx)
{
    struct hg_noted *noted = &ctx->noted;

    for (size_t i = 0; i < ctx->req->header_count; i++) {
        const struct hg_header *header = &ctx->req->headers[i];
        struct hg_str *place = NULL;
        const char *name = NULL;

        switch (header->name.n) {
        case 6:
            if ((header->name.p[0] | 0x20) == 'a')
                place = &noted->accept, name = "accept";
            else
                place = &noted->origin, name = "origin";
            break;
        case 10:
            place = &noted->user_agent, name = "user-agent";
            break;
        case 12:
            place = &noted->content_type, name = "content-type";
            break;
        case 15:
            place = &noted->trace_id, name = "x-amzn-trace-id";
            break;
        case 16:
            if ((header->name.p[0] | 0x20) == 'c')
                place = &noted->content_encoding, name = "content-encoding";
            else
                place = &noted->request_id, name = "x-amzn-requestid";
            break;
        case 22:
            place = &noted->method_override, name = "x-http-method-override";
            break;
        case 29:
            place = &noted->request_method, name = "access-control-request-method";
            break;
        default:
            break;
        }
        if (place && hg_str_eq_nocase(header->name, hg_str_n(name, header->name.n)))
            *place = header->value;
    }
}

struct hg_str context_extended_id(struct hg_context *ctx)
{
    if (!ctx->extended_id[0])
        hg_extended_id(ctx->extended_id);
    return hg_str_n(ctx->extended_id, HG_EXTENDED_ID_LEN);
}

struct hg_str context_request_id(struct hg_context *ctx)
{
    /* HTTP APIs have one id only, the short one. */
    if (ctx->api && ctx->api->kind == HG_API_HTTP && !ctx->is_function_url)
        return context_extended_id(ctx);
    if (!ctx->request_id[0]) {
        /* That of a function URL becomes the invocation's: nobody outside chooses it. */
        if (!ctx->is_function_url && ctx->noted.request_id.n &&
            hg_uuid_is_valid(ctx->noted.request_id))
            memcpy(ctx->request_id, ctx->noted.request_id.p, HG_UUID_LEN);
        else
            hg_uuid(ctx->request_id);
    }
    return hg_str_n(ctx->request_id, HG_UUID_LEN);
}

int64_t context_wall_ms(struct hg_context *ctx)
{
    if (!ctx->wall_ms)
        ctx->wall_ms = hg_wall_ms() - (hg_mono_us() - ctx->req->start_us) / 1000;
    return ctx->wall_ms;
}

/* Whether a part of a trace header may be passed on as it is. */
static bool is_trace_value(struct hg_str value)
{
    if (value.n == 0 || value.n > TRACE_PART_MAX)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '-' || c == ':'))
            return false;
    }
    return true;
}

static size_t put_text(char *out, size_t at, struct hg_str text)
{
    memcpy(out + at, text.p, text.n);
    return at + text.n;
}

static size_t put_new_root(struct hg_context *ctx, char *out, size_t at)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t seconds = (uint64_t)(context_wall_ms(ctx) / 1000);

    at = put_text(out, at, HG_STR("1-"));
    for (int i = EPOCH_HEX - 1; i >= 0; i--)
        out[at++] = hex[seconds >> (4 * i) & 15];
    out[at++] = '-';
    hg_hex_id(out + at, ROOT_HEX);
    return at + ROOT_HEX;
}

struct hg_str context_trace(struct hg_context *ctx)
{
    enum { ROOT, PARENT, SAMPLED, LINEAGE, PARTS };
    static const char *const names[PARTS] = {"Root=", "Parent=", "Sampled=", "Lineage="};
    struct hg_str values[PARTS] = {{NULL, 0}}, rest = ctx->noted.trace_id, part;
    size_t at = 0;
    char *out;

    if (ctx->trace.n)
        return ctx->trace;
    while (hg_str_next(&rest, ';', &part)) {
        part = hg_str_trim(part);
        for (size_t i = 0; i < PARTS; i++) {
            struct hg_str name = hg_str_of(names[i]);

            if (hg_str_starts(part, name) && is_trace_value(hg_str_skip(part, name.n)))
                values[i] = hg_str_skip(part, name.n);
        }
    }
    out = hg_arena_alloc(ctx->req->arena, PARTS * (TRACE_PART_MAX + sizeof(";Sampled=")));
    if (!out)
        return hg_str_n("", 0);
    for (size_t i = 0; i < PARTS; i++) {
        if (i != ROOT && !values[i].n)
            continue;
        if (at)
            out[at++] = ';';
        at = put_text(out, at, hg_str_of(names[i]));
        at = values[i].n ? put_text(out, at, values[i]) : put_new_root(ctx, out, at);
    }
    ctx->trace = hg_str_n(out, at);
    return ctx->trace;
}

struct hg_param *context_params(struct hg_context *ctx)
{
    const struct hg_pattern *pattern = &ctx->route->pattern;

    if (!ctx->params && pattern->param_count) {
        struct hg_param *params =
            hg_arena_alloc(ctx->req->arena, pattern->param_count * sizeof(*params));

        if (params)
            pattern_params(pattern, ctx->api->kind, ctx->path, params);
        ctx->params = params;
    }
    return ctx->params;
}

struct hg_str context_domain(const struct hg_context *ctx)
{
    struct hg_str host = ctx->req->authority;

    for (size_t i = host.n; i > 0; i--) {
        if (host.p[i - 1] == ':')
            return hg_str_n(host.p, i - 1);
        if (host.p[i - 1] < '0' || host.p[i - 1] > '9')
            break;
    }
    return host.p ? host : hg_str_n("", 0);
}

struct hg_str context_domain_prefix(const struct hg_context *ctx)
{
    struct hg_str host = context_domain(ctx);
    ptrdiff_t dot = hg_str_find(host, '.');

    return dot < 0 ? host : hg_str_n(host.p, (size_t)dot);
}

struct hg_str context_stage_variable(const struct hg_context *ctx, struct hg_str name)
{
    return ctx->stage ? kv_get(&ctx->stage->stage->variables, name) : hg_str_n(NULL, 0);
}

static const struct hg_str variable_names[] = {
#define HG_VARIABLE(symbol, name) {name, sizeof(name) - 1},
#include "gateway/variables.def"
#undef HG_VARIABLE
};

enum hg_variable variable_find(struct hg_str name)
{
    for (size_t i = 0; i < HG_VAR_COUNT; i++) {
        if (hg_str_eq(name, variable_names[i]))
            return (enum hg_variable)i;
    }
    return HG_VAR_COUNT;
}

static bool append_text(struct hg_buf *out, struct hg_str text)
{
    if (!text.n)
        return false;
    hg_buf_append_str(out, text);
    return true;
}

static bool append_number(struct hg_buf *out, int64_t value, bool is_defined)
{
    if (is_defined)
        hg_buf_append_i64(out, value);
    return is_defined;
}

static const struct {
    const char *type, *rest_text, *http_text;
} error_texts[] = {
#define NONE
#define HG_GATEWAY_ERROR(symbol, type, rest_status, error_type, rest_text, http_status, http_text) \
    {#type, rest_text, http_text},
#include "gateway/errors.def"
#undef HG_GATEWAY_ERROR
#undef NONE
};

struct hg_str context_error_message(const struct hg_context *ctx)
{
    if (ctx->error_text.p)
        return ctx->error_text;
    return hg_str_of(ctx->api && ctx->api->kind == HG_API_HTTP ? error_texts[ctx->error].http_text
                                                               : error_texts[ctx->error].rest_text);
}

struct hg_str context_keep(struct hg_context *ctx, struct hg_buf *buf)
{
    struct hg_str kept = {NULL, 0};
    char *copy = buf->len && !buf->is_overflown ? hg_arena_alloc(ctx->req->arena, buf->len) : NULL;

    if (copy) {
        memcpy(copy, buf->base + buf->off, buf->len);
        kept = hg_str_n(copy, buf->len);
    }
    hg_buf_fini(buf);
    return kept;
}

struct hg_str context_error_body(struct hg_context *ctx, struct hg_str builtin)
{
    struct hg_buf buf;
    struct hg_str body;

    if (!ctx->error_text.p)
        return builtin;
    hg_buf_init(&buf, 2 * HG_ERROR_MAX);
    hg_buf_append_cstr(&buf, "{\"message\":\"");
    hg_json_escape(&buf, ctx->error_text);
    hg_buf_append_cstr(&buf, "\"}");
    body = context_keep(ctx, &buf);
    return body.p ? body : builtin;
}

static bool append_error(struct hg_context *ctx, enum hg_variable variable, struct hg_buf *out)
{
    struct hg_str text;

    if (ctx->error == HG_GATEWAY_NO_ERROR)
        return false;
    if (variable == HG_VAR_ERROR_RESPONSE_TYPE)
        return append_text(out, hg_str_of(error_texts[ctx->error].type));
    text = context_error_message(ctx);
    if (variable == HG_VAR_ERROR_MESSAGE)
        return append_text(out, text);
    hg_buf_append_byte(out, '"');
    hg_json_escape(out, text);
    hg_buf_append_byte(out, '"');
    return true;
}

static bool append_of_request(struct hg_context *ctx, enum hg_variable variable, struct hg_buf *out)
{
    char time[HG_TIME_TEXT_MAX];

    switch (variable) {
    case HG_VAR_DOMAIN_NAME:
        return append_text(out, context_domain(ctx));
    case HG_VAR_DOMAIN_PREFIX:
        return append_text(out, context_domain_prefix(ctx));
    case HG_VAR_EXTENDED_REQUEST_ID:
        return append_text(out, context_extended_id(ctx));
    case HG_VAR_REQUEST_ID:
        return append_text(out, context_request_id(ctx));
    case HG_VAR_HTTP_METHOD:
        return append_text(out, ctx->method);
    case HG_VAR_SOURCE_IP:
        return append_text(out, hg_str_of(ctx->req->peer->remote_ip));
    case HG_VAR_USER_AGENT:
        return append_text(out, ctx->noted.user_agent);
    case HG_VAR_PATH:
        return append_text(out, ctx->stage_path);
    case HG_VAR_PROTOCOL:
        return append_text(out, HG_STR("HTTP/1.1"));
    case HG_VAR_REQUEST_TIME:
        return append_text(out, hg_str_of(hg_time_clf(context_wall_ms(ctx), time)));
    case HG_VAR_REQUEST_TIME_EPOCH:
        return append_number(out, context_wall_ms(ctx), true);
    case HG_VAR_TRACE_ID:
        return append_text(out, ctx->trace);
    default:
        return false;
    }
}

static bool append_of_deployment(struct hg_context *ctx, enum hg_variable variable,
                                 struct hg_buf *out)
{
    const struct hg_route *route = ctx->route ? ctx->route->route : NULL;
    bool is_rest = ctx->api && ctx->api->kind == HG_API_REST;

    switch (variable) {
    case HG_VAR_ACCOUNT_ID:
        return append_text(out, ctx->snapshot->account);
    case HG_VAR_API_ID:
        return ctx->api && append_text(out, ctx->api->id);
    case HG_VAR_DEPLOYMENT_ID:
        return is_rest && ctx->stage && append_text(out, ctx->stage->stage->deployment_id);
    case HG_VAR_OPERATION_NAME:
        return route && append_text(out, route->operation_name);
    case HG_VAR_RESOURCE_ID:
        return route && append_text(out, is_rest ? route->resource_id : route->route_key);
    case HG_VAR_RESOURCE_PATH:
        return route && append_text(out, route->path);
    case HG_VAR_ROUTE_KEY:
        return route && !is_rest && append_text(out, route->route_key);
    case HG_VAR_STAGE:
        return ctx->stage && append_text(out, ctx->stage->stage->name);
    default:
        return false;
    }
}

static bool append_of_outcome(struct hg_context *ctx, enum hg_variable variable, struct hg_buf *out)
{
    const struct hg_response *response = &ctx->req->response;

    switch (variable) {
    case HG_VAR_STATUS:
        return append_number(out, response->status, response->status != 0);
    case HG_VAR_RESPONSE_LENGTH:
        return append_number(out, (int64_t)response->body.n, true);
    case HG_VAR_DATA_PROCESSED:
        return append_number(out, (int64_t)(response->body.n + ctx->req->body.n), true);
    case HG_VAR_RESPONSE_LATENCY:
        return append_number(out, ctx->total_us / 1000, true);
    case HG_VAR_INTEGRATION_STATUS:
        return append_number(out, ctx->integ_status, ctx->integ_status != 0);
    case HG_VAR_INTEGRATION_SERVICE_STATUS:
    case HG_VAR_INTEGRATION_SERVICE_STATUS_2:
        return append_number(out, ctx->integ_service_status, ctx->integ_service_status != 0);
    case HG_VAR_INTEGRATION_LATENCY:
    case HG_VAR_INTEGRATION_LATENCY_2:
        return append_number(out, ctx->integ_us / 1000, ctx->integ_us >= 0);
    case HG_VAR_INTEGRATION_ERROR:
    case HG_VAR_INTEGRATION_ERROR_MESSAGE:
        return append_text(out, hg_str_of(ctx->integ_error));
    case HG_VAR_INTEGRATION_REQUEST_ID:
    case HG_VAR_ENDPOINT_REQUEST_ID:
    case HG_VAR_ENDPOINT_REQUEST_ID_2:
        return append_text(out, hg_str_of(ctx->integ_request_id));
    case HG_VAR_ERROR_MESSAGE:
    case HG_VAR_ERROR_MESSAGE_STRING:
    case HG_VAR_ERROR_RESPONSE_TYPE:
        return append_error(ctx, variable, out);
    default:
        return false;
    }
}

bool context_append(struct hg_context *ctx, enum hg_variable variable, struct hg_buf *out)
{
    return append_of_request(ctx, variable, out) || append_of_deployment(ctx, variable, out) ||
           append_of_outcome(ctx, variable, out);
}
