/*
 * From a request to its answer: address → route → CORS → throttle →
 * integration. Each loop keeps one reference to the snapshot that is published,
 * so that pinning it for a request is counting on that loop alone.
 */
#include "gateway/gateway.h"

#include "core/clock.h"
#include "gateway/access_log.h"
#include "gateway/address.h"
#include "gateway/answer.h"
#include "gateway/cors.h"
#include "gateway/integ.h"
#include "workers/minute.h"
#include "workers/pool.h"

#include <stdlib.h>

/* A snapshot that requests of one loop use. */
struct pin {
    struct hg_snapshot *snapshot; /* a reference */
    size_t users;                 /* requests, and the shard while it is the newest */
};

/* What belongs to one loop. */
struct shard {
    struct pin *newest;
    uint64_t version;
};

struct hg_gateway {
    struct hg_registry *registry;
    struct hg_workers *workers;
    struct hg_router *router;
    struct hg_access_sink *log; /* NULL: off */
    struct hg_bucket *account;  /* NULL: off */
    struct hg_bucket account_bucket;
    struct shard *shards; /* by index of the loop; the last one is the control loop's */
    size_t shard_count;
};

enum { FIRST_HEADERS = 12 };

/* One request with what the gateway holds for it. */
struct journey {
    struct hg_context ctx;
    struct hg_gateway *gateway;
    struct pin *pin;
    /* Of the answer: errors find room here even if the request has used up its arena. */
    struct hg_header headers[FIRST_HEADERS];
};

static void release(struct pin *pin)
{
    if (!pin || --pin->users)
        return;
    snapshot_unref(pin->snapshot);
    free(pin);
}

static struct pin *pin_newest(struct hg_gateway *gateway, struct shard *shard)
{
    uint64_t version = registry_version(gateway->registry);

    if (hg_unlikely(!shard->newest || version != shard->version)) {
        release(shard->newest);
        shard->newest = hg_calloc(1, sizeof(*shard->newest));
        /*
         * Read after the version: at worst the same snapshot is taken once more by the next
         * request.
         */
        shard->newest->snapshot = registry_current(gateway->registry);
        shard->newest->users = 1;
        shard->version = version;
    }
    shard->newest->users++;
    return shard->newest;
}

struct hg_gateway *gateway_new(struct hg_loops *loops, struct hg_registry *registry,
                               struct hg_workers *workers, const struct hg_gateway_options *options,
                               struct hg_error *err)
{
    struct hg_gateway *gateway = hg_calloc(1, sizeof(*gateway));

    gateway->registry = registry;
    gateway->workers = workers;
    gateway->router = options->router;
    if (options->access_log != HG_ACCESS_LOG_OFF) {
        gateway->log = access_log_new(loops, options, err);
        if (!gateway->log) {
            free(gateway);
            return NULL;
        }
    }
    if (options->account_rate > 0) {
        bucket_init(&gateway->account_bucket, options->account_rate, options->account_burst);
        gateway->account = &gateway->account_bucket;
    }
    gateway->shard_count = (size_t)loops->count + 1;
    gateway->shards = hg_calloc(gateway->shard_count, sizeof(*gateway->shards));
    return gateway;
}

void gateway_free(struct hg_gateway *gateway)
{
    if (!gateway)
        return;
    access_log_free(gateway->log);
    for (size_t i = 0; i < gateway->shard_count; i++)
        release(gateway->shards[i].newest);
    free(gateway->shards);
    free(gateway);
}

bool gateway_owns(const struct hg_request *req)
{
    return address_is_explicit(req->authority, req->path);
}

struct hg_str gateway_oversize_body(const struct hg_request *req, struct hg_gateway *gateway)
{
    struct pin *pin = pin_newest(gateway, &gateway->shards[req->loop->index]);
    struct hg_address address;
    bool is_http;

    address_find(pin->snapshot, req->authority, req->path, &address);
    is_http = address.api && address.api->kind == HG_API_HTTP;
    release(pin);
    return is_http ? HG_STR("{\"message\":\"Request Entity Too Large\"}") : hg_str_n(NULL, 0);
}

static void finish(struct journey *journey, uint64_t bytes_sent)
{
    struct hg_context *ctx = &journey->ctx;

    if (journey->gateway->log) {
        ctx->total_us = hg_mono_us() - ctx->req->start_us;
        ctx->bytes_sent = bytes_sent;
        access_log_add(journey->gateway->log, ctx);
    }
    if (ctx->integ_state)
        ctx->route->integ->ops->end(ctx->route->integ, ctx);
    release(journey->pin);
}

static void count_url(const struct journey *journey)
{
    const struct hg_context *ctx = &journey->ctx;
    const struct hg_url_front *front = snapshot_url(ctx->snapshot, ctx->api->id);
    const struct hg_minute_subject subject = {.function = front->function_name,
                                              .qualifier = front->qualifier};

    minutes_note_url(workers_minutes(journey->gateway->workers), &subject, ctx->req->start_us,
                     ctx->req->response.status);
}

static void on_done(struct hg_request *req, uint64_t bytes_sent)
{
    const struct journey *journey = req->user;

    if (journey->ctx.is_function_url && journey->ctx.api)
        count_url(journey);
    finish(req->user, bytes_sent);
}

static void on_abort(struct hg_request *req)
{
    finish(req->user, 0);
}

static void find_route(struct hg_context *ctx)
{
    bool is_rest = ctx->api->kind == HG_API_REST;

    if (is_rest && ctx->noted.method_override.n)
        ctx->method = ctx->noted.method_override;
    ctx->route = route_table_find(ctx->plan->table, method_of(ctx->method), ctx->path);
    if (!ctx->route)
        ctx->route = ctx->plan->default_route;
}

static bool is_admitted(struct hg_gateway *gateway, struct hg_context *ctx)
{
    int64_t now_us = ctx->req->start_us;

    if (ctx->stage->buckets &&
        !bucket_take(&ctx->stage->buckets[ctx->route - ctx->plan->routes], now_us))
        return false;
    return !gateway->account || bucket_take(gateway->account, now_us);
}

static void serve(struct hg_gateway *gateway, struct hg_context *ctx)
{
    struct hg_address address;

    address_find(ctx->snapshot, ctx->req->authority, ctx->req->path, &address);
    ctx->api = address.api;
    ctx->stage_path = address.stage_path;
    ctx->path = address.path;
    ctx->is_function_url = address.is_function_url;
    context_note_headers(ctx);
    if (!address.api || !address.stage) {
        if (address.api)
            ctx->plan = api_plan_of(address.api);
        answer_error(ctx, HG_GATEWAY_FORBIDDEN);
        return;
    }
    ctx->plan = api_plan_of(address.api);
    ctx->stage = address.stage;
    find_route(ctx);
    if (cors_takes(ctx)) {
        cors_fill_preflight(ctx);
        answer_send(ctx);
    } else if (ctx->api->needs_signature) {
        answer_error(ctx, HG_GATEWAY_FORBIDDEN);
    } else if (!ctx->route) {
        answer_error(ctx, HG_GATEWAY_NO_ROUTE);
    } else if (!is_admitted(gateway, ctx)) {
        answer_error(ctx, HG_GATEWAY_THROTTLED);
    } else {
        ctx->route->integ->ops->begin(ctx->route->integ, ctx);
    }
}

void gateway_on_request(struct hg_request *req, void *arg)
{
    struct hg_gateway *gateway = arg;
    struct journey *journey = hg_arena_alloc(req->arena, sizeof(*journey));

    if (!journey) {
        req_respond_with(req, 431, "application/json",
                         HG_STR("{\"message\":\"Request Header Fields Too Large\"}"));
        return;
    }
    journey->gateway = gateway;
    journey->pin = pin_newest(gateway, &gateway->shards[req->loop->index]);
    context_init(&journey->ctx, req, journey->pin->snapshot);
    journey->ctx.workers = gateway->workers;
    journey->ctx.router = gateway->router;
    req->response.headers = journey->headers;
    req->response.header_room = FIRST_HEADERS;
    req->user = journey;
    req->on_done = on_done;
    req->on_abort = on_abort;
    serve(gateway, &journey->ctx);
}
