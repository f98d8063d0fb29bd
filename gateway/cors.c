/*
 * CORS headers of HTTP APIs.
 */
#include "gateway/cors.h"

#include <stdio.h>

static struct hg_str joined(struct hg_arena *arena, const struct hg_str *items, size_t count)
{
    size_t length = 0;
    char *text, *at;

    for (size_t i = 0; i < count; i++)
        length += items[i].n + 1;
    if (!length)
        return hg_str_n("", 0);
    text = at = hg_arena_must(arena, length);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, items[i].p, items[i].n);
        at += items[i].n;
        *at++ = ',';
    }
    return hg_str_n(text, length - 1);
}

struct hg_cors_plan *cors_plan_new(struct hg_arena *arena, const struct hg_cors *cors)
{
    struct hg_cors_plan *plan;

    if (!cors->is_set)
        return NULL;
    plan = hg_arena_must(arena, sizeof(*plan));
    plan->methods = joined(arena, cors->allow_methods, cors->allow_method_count);
    plan->headers = joined(arena, cors->allow_headers, cors->allow_header_count);
    plan->exposed = joined(arena, cors->expose_headers, cors->expose_header_count);
    if (cors->max_age >= 0)
        plan->max_age = hg_str_of(hg_arena_printf(arena, "%d", cors->max_age));
    for (size_t i = 0; i < cors->allow_origin_count; i++)
        plan->allows_any |= hg_str_is(cors->allow_origins[i], "*");
    return plan;
}

/* A wildcard behind the scheme stands for every origin that has it. */
static bool is_allowed(const struct hg_cors *cors, struct hg_str origin)
{
    for (size_t i = 0; i < cors->allow_origin_count; i++) {
        struct hg_str entry = cors->allow_origins[i];

        if (hg_str_eq_nocase(entry, origin))
            return true;
        if (hg_str_ends(entry, HG_STR("://*")) && origin.n >= entry.n &&
            hg_str_eq_nocase(hg_str_n(entry.p, entry.n - 1), hg_str_n(origin.p, entry.n - 1)))
            return true;
    }
    return false;
}

/*
 * Value of Access-Control-Allow-Origin; p is NULL when the request has no origin, or one that is
 * not allowed.
 */
static struct hg_str allowed_origin(const struct hg_context *ctx)
{
    if (!ctx->noted.origin.n)
        return hg_str_n(NULL, 0);
    if (ctx->plan->cors->allows_any)
        return HG_STR("*");
    return is_allowed(&ctx->api->cors, ctx->noted.origin) ? ctx->noted.origin : hg_str_n(NULL, 0);
}

static void add(struct hg_context *ctx, const char *name, struct hg_str value)
{
    if (value.n)
        req_add_header(ctx->req, hg_str_of(name), value);
}

bool cors_takes(const struct hg_context *ctx)
{
    return ctx->plan->cors && hg_str_is(ctx->req->method, "OPTIONS") && ctx->noted.origin.n &&
           ctx->noted.request_method.n && !(ctx->route && ctx->route->is_options);
}

void cors_fill_preflight(struct hg_context *ctx)
{
    const struct hg_cors_plan *plan = ctx->plan->cors;
    struct hg_str origin = allowed_origin(ctx);

    ctx->req->response.status = ctx->is_function_url ? 200 : 204;
    if (!origin.p)
        return;
    add(ctx, "access-control-allow-origin", origin);
    add(ctx, "access-control-allow-methods", plan->methods);
    add(ctx, "access-control-allow-headers", plan->headers);
    add(ctx, "access-control-max-age", plan->max_age);
    if (ctx->api->cors.allow_credentials)
        add(ctx, "access-control-allow-credentials", HG_STR("true"));
}

static void drop_theirs(struct hg_response *response)
{
    static const struct hg_str prefix = {"access-control-", 15};
    size_t kept = 0;

    for (size_t i = 0; i < response->header_count; i++) {
        struct hg_str name = response->headers[i].name;

        if (name.n > prefix.n && hg_str_eq_nocase(hg_str_n(name.p, prefix.n), prefix))
            continue;
        response->headers[kept++] = response->headers[i];
    }
    response->header_count = kept;
}

void cors_apply(struct hg_context *ctx)
{
    struct hg_str origin = allowed_origin(ctx);

    drop_theirs(&ctx->req->response);
    if (!origin.p)
        return;
    add(ctx, "access-control-allow-origin", origin);
    add(ctx, "access-control-expose-headers", ctx->plan->cors->exposed);
    if (ctx->api->cors.allow_credentials)
        add(ctx, "access-control-allow-credentials", HG_STR("true"));
}
