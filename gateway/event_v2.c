/*
 * Event format 2.0 of HTTP APIs: what is empty is absent, lists are joined.
 */
#include "core/clock.h"
#include "gateway/binary.h"
#include "gateway/event.h"

/* One value, or several with commas between, as one JSON string. */
static void write_joined(struct hg_json *json, const struct hg_pairs *pairs, size_t first)
{
    if (pairs->items[first].next == HG_PAIR_NONE) {
        hg_json_str(json, pairs->items[first].value);
        return;
    }
    hg_json_raw(json, HG_STR("\""));
    for (size_t at = first; at != HG_PAIR_NONE; at = pairs->items[at].next) {
        if (at != first)
            hg_buf_append_byte(json->out, ',');
        hg_json_escape(json->out, pairs->items[at].value);
    }
    hg_buf_append_byte(json->out, '"');
}

static bool is_cookie(const struct hg_pair *pair)
{
    return hg_str_is(pair->name, "cookie");
}

/* Cookies stand in an array of their own: "a=1; b=2" is two of them. */
static void write_cookies(struct hg_json *json, const struct hg_pairs *headers)
{
    bool is_open = false;

    for (size_t i = 0; i < headers->count; i++) {
        struct hg_str rest = headers->items[i].value, cookie;

        if (!is_cookie(&headers->items[i]))
            continue;
        while (hg_str_next(&rest, ';', &cookie)) {
            cookie = hg_str_trim(cookie);
            if (!cookie.n)
                continue;
            if (!is_open) {
                hg_json_key_lit(json, "cookies");
                hg_json_begin_array(json);
                is_open = true;
            }
            hg_json_str(json, cookie);
        }
    }
    if (is_open)
        hg_json_end_array(json);
}

static void write_headers(struct hg_json *json, const struct hg_pairs *headers)
{
    hg_json_key_lit(json, "headers");
    hg_json_begin_object(json);
    for (size_t i = 0; i < headers->count; i++) {
        if (!headers->items[i].is_first || is_cookie(&headers->items[i]))
            continue;
        hg_json_key(json, headers->items[i].name);
        write_joined(json, headers, i);
    }
    hg_json_end_object(json);
}

static void write_query(struct hg_json *json, const struct hg_pairs *query)
{
    if (query->count == 0)
        return;
    hg_json_key_lit(json, "queryStringParameters");
    hg_json_begin_object(json);
    for (size_t i = 0; i < query->count; i++) {
        if (!query->items[i].is_first)
            continue;
        hg_json_key(json, query->items[i].name);
        write_joined(json, query, i);
    }
    hg_json_end_object(json);
}

static void write_request_context(struct hg_context *ctx, struct hg_json *json)
{
    struct hg_str agent = ctx->noted.user_agent;
    char time[HG_TIME_TEXT_MAX];

    hg_json_key_lit(json, "requestContext");
    hg_json_begin_object(json);
    hg_json_key_lit(json, "accountId");
    hg_json_raw(json, ctx->plan->account_json);
    hg_json_key_lit(json, "apiId");
    hg_json_raw(json, ctx->plan->id_json);
    hg_json_field_str(json, "domainName", context_domain(ctx));
    hg_json_field_str(json, "domainPrefix", context_domain_prefix(ctx));
    hg_json_key_lit(json, "http");
    hg_json_begin_object(json);
    hg_json_field_str(json, "method", ctx->method);
    hg_json_field_str(json, "path", ctx->stage_path);
    hg_json_raw(json, HG_STR("\"protocol\":\"HTTP/1.1\""));
    hg_json_field_cstr(json, "sourceIp", ctx->req->peer->remote_ip);
    hg_json_field_str(json, "userAgent", agent.p ? agent : HG_STR(""));
    hg_json_end_object(json);
    hg_json_field_str(json, "requestId", context_request_id(ctx));
    hg_json_key_lit(json, "routeKey");
    hg_json_raw(json, ctx->route->key_json);
    hg_json_key_lit(json, "stage");
    hg_json_raw(json, ctx->stage->name_json);
    hg_json_field_cstr(json, "time", hg_time_clf(context_wall_ms(ctx), time));
    hg_json_field_i64(json, "timeEpoch", context_wall_ms(ctx));
    hg_json_end_object(json);
}

bool event_v2_write(struct hg_context *ctx, struct hg_buf *out)
{
    struct hg_request *req = ctx->req;
    bool is_base64 =
        req->body.n && !binary_is_text(ctx->noted.content_type, ctx->noted.content_encoding);
    struct hg_json json = hg_json_to(out);
    struct hg_pairs headers, query;

    if (!event_headers(ctx, HG_HEADERS_LOWER, &headers) ||
        !pairs_of_query(&query, req->arena, req->query, HG_API_HTTP))
        return false;
    event_reserve(ctx, out);
    hg_json_begin_object(&json);
    hg_json_raw(&json, HG_STR("\"version\":\"2.0\""));
    hg_json_key_lit(&json, "routeKey");
    hg_json_raw(&json, ctx->route->key_json);
    hg_json_field_str(&json, "rawPath", ctx->stage_path);
    hg_json_field_str(&json, "rawQueryString", req->query.p ? req->query : HG_STR(""));
    write_cookies(&json, &headers);
    write_headers(&json, &headers);
    write_query(&json, &query);
    write_request_context(ctx, &json);
    if (ctx->route->pattern.param_count) {
        hg_json_key_lit(&json, "pathParameters");
        event_path_parameters(ctx, &json, true);
    }
    if (ctx->stage->variables_json.p) {
        hg_json_key_lit(&json, "stageVariables");
        hg_json_raw(&json, ctx->stage->variables_json);
    }
    if (req->body.n) {
        hg_json_key_lit(&json, "body");
        event_body(&json, req->body, is_base64);
    }
    hg_json_field_bool(&json, "isBase64Encoded", is_base64);
    hg_json_end_object(&json);
    return !out->is_overflown;
}
