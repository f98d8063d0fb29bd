/*
 * Event format 1.0: every key is always there, null where there is nothing.
 */
#include "core/clock.h"
#include "gateway/binary.h"
#include "gateway/event.h"

static void write_last_values(struct hg_json *json, const struct hg_pairs *pairs)
{
    if (pairs->count == 0) {
        hg_json_null(json);
        return;
    }
    hg_json_begin_object(json);
    for (size_t i = 0; i < pairs->count; i++) {
        if (!pairs->items[i].is_first)
            continue;
        hg_json_key(json, pairs->items[i].name);
        hg_json_str(json, pairs->items[pairs->items[i].last].value);
    }
    hg_json_end_object(json);
}

static void write_all_values(struct hg_json *json, const struct hg_pairs *pairs)
{
    if (pairs->count == 0) {
        hg_json_null(json);
        return;
    }
    hg_json_begin_object(json);
    for (size_t i = 0; i < pairs->count; i++) {
        if (!pairs->items[i].is_first)
            continue;
        hg_json_key(json, pairs->items[i].name);
        hg_json_begin_array(json);
        for (size_t at = i; at != HG_PAIR_NONE; at = pairs->items[at].next)
            hg_json_str(json, pairs->items[at].value);
        hg_json_end_array(json);
    }
    hg_json_end_object(json);
}

static void write_identity(struct hg_context *ctx, struct hg_json *json, bool is_rest)
{
    struct hg_str agent = ctx->noted.user_agent;

    hg_json_key_lit(json, "identity");
    hg_json_begin_object(json);
    hg_json_raw(json, HG_STR("\"accessKey\":null,\"accountId\":null,\"caller\":null"));
    if (!is_rest)
        hg_json_raw(json, HG_STR("\"cognitoAmr\":null"));
    hg_json_raw(
        json,
        HG_STR(
            "\"cognitoAuthenticationProvider\":null,\"cognitoAuthenticationType\":null,"
            "\"cognitoIdentityId\":null,\"cognitoIdentityPoolId\":null,\"principalOrgId\":null"));
    hg_json_field_cstr(json, "sourceIp", ctx->req->peer->remote_ip);
    hg_json_raw(json, HG_STR("\"user\":null"));
    hg_json_key_lit(json, "userAgent");
    if (agent.p)
        hg_json_str(json, agent);
    else
        hg_json_null(json);
    hg_json_raw(json, HG_STR("\"userArn\":null"));
    hg_json_end_object(json);
}

/* The template of the route; the concrete path for $default, which has none. */
static void write_resource_path(struct hg_context *ctx, struct hg_json *json)
{
    if (ctx->route->path_json.n)
        hg_json_raw(json, ctx->route->path_json);
    else
        hg_json_str(json, ctx->path);
}

static void write_request_context(struct hg_context *ctx, struct hg_json *json, bool is_rest)
{
    const struct hg_route *route = ctx->route->route;
    char time[HG_TIME_TEXT_MAX];

    hg_json_key_lit(json, "requestContext");
    hg_json_begin_object(json);
    hg_json_key_lit(json, "accountId");
    hg_json_raw(json, ctx->plan->account_json);
    hg_json_key_lit(json, "apiId");
    hg_json_raw(json, ctx->plan->id_json);
    if (is_rest)
        hg_json_field_str(json, "deploymentId", ctx->stage->stage->deployment_id);
    hg_json_field_str(json, "domainName", context_domain(ctx));
    hg_json_field_str(json, "domainPrefix", context_domain_prefix(ctx));
    hg_json_field_str(json, "extendedRequestId", context_extended_id(ctx));
    hg_json_field_str(json, "httpMethod", ctx->method);
    write_identity(ctx, json, is_rest);
    if (is_rest && route->operation_name.n)
        hg_json_field_str(json, "operationName", route->operation_name);
    hg_json_field_str(json, "path", ctx->stage_path);
    hg_json_raw(json, HG_STR("\"protocol\":\"HTTP/1.1\""));
    hg_json_field_str(json, "requestId", context_request_id(ctx));
    hg_json_field_cstr(json, "requestTime", hg_time_clf(context_wall_ms(ctx), time));
    hg_json_field_i64(json, "requestTimeEpoch", context_wall_ms(ctx));
    hg_json_key_lit(json, "resourceId");
    if (is_rest)
        hg_json_str(json, route->resource_id);
    else
        hg_json_raw(json, ctx->route->key_json);
    hg_json_key_lit(json, "resourcePath");
    write_resource_path(ctx, json);
    hg_json_key_lit(json, "stage");
    hg_json_raw(json, ctx->stage->name_json);
    hg_json_end_object(json);
}

static void write_body(struct hg_context *ctx, struct hg_json *json, bool is_rest)
{
    struct hg_str body = ctx->req->body;
    bool is_base64;

    hg_json_key_lit(json, "body");
    if (body.n == 0) {
        hg_json_null(json);
        hg_json_field_bool(json, "isBase64Encoded", false);
        return;
    }
    if (is_rest)
        is_base64 = binary_matches(ctx->api->binary_types, ctx->api->binary_type_count,
                                   ctx->noted.content_type);
    else
        is_base64 = !binary_is_text(ctx->noted.content_type, ctx->noted.content_encoding);
    event_body(json, body, is_base64);
    hg_json_field_bool(json, "isBase64Encoded", is_base64);
}

bool event_v1_write(struct hg_context *ctx, struct hg_buf *out)
{
    bool is_rest = ctx->api->kind == HG_API_REST;
    struct hg_json json = hg_json_to(out);
    struct hg_pairs headers, query;

    if (!event_headers(ctx, is_rest ? HG_HEADERS_REST : HG_HEADERS_CAPITALS, &headers) ||
        !pairs_of_query(&query, ctx->req->arena, ctx->req->query, ctx->api->kind))
        return false;
    event_reserve(ctx, out);
    hg_json_begin_object(&json);
    if (!is_rest)
        hg_json_raw(&json, HG_STR("\"version\":\"1.0\""));
    hg_json_key_lit(&json, "resource");
    write_resource_path(ctx, &json);
    hg_json_field_str(&json, "path", is_rest ? ctx->path : ctx->stage_path);
    hg_json_field_str(&json, "httpMethod", ctx->method);
    hg_json_key_lit(&json, "headers");
    write_last_values(&json, &headers);
    hg_json_key_lit(&json, "multiValueHeaders");
    write_all_values(&json, &headers);
    hg_json_key_lit(&json, "queryStringParameters");
    write_last_values(&json, &query);
    hg_json_key_lit(&json, "multiValueQueryStringParameters");
    write_all_values(&json, &query);
    write_request_context(ctx, &json, is_rest);
    hg_json_key_lit(&json, "pathParameters");
    if (ctx->route->pattern.param_count)
        event_path_parameters(ctx, &json, !is_rest);
    else
        hg_json_null(&json);
    hg_json_key_lit(&json, "stageVariables");
    hg_json_raw(&json, ctx->stage->variables_json.p ? ctx->stage->variables_json : HG_STR("null"));
    write_body(ctx, &json, is_rest);
    hg_json_end_object(&json);
    return !out->is_overflown;
}
