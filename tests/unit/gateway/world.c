#include "tests/unit/gateway/world.h"

#include "core/clock.h"
#include "workers/minute.h"
#include "workers/pool.h"

struct hg_invocation *world_invocation;
unsigned world_cancelled;
struct hg_publish *world_publish;

/* ---- in place of the workers ---- */

void invocation_init(struct hg_invocation *inv, size_t max_payload)
{
    *inv = (struct hg_invocation){.rc = HG_OK};
    hg_buf_init(&inv->payload, max_payload);
    hg_uuid(inv->request_id);
}

void invocation_fini(struct hg_invocation *inv)
{
    assert_ptr_not_equal(world_invocation, inv);
    hg_buf_fini(&inv->payload);
    hg_blob_unref(inv->answer);
    snapshot_unref(inv->snapshot);
}

void invoke_submit(struct hg_workers *workers, struct hg_invocation *inv)
{
    (void)workers;
    assert_null(world_invocation);
    world_invocation = inv;
}

void invoke_cancel(struct hg_workers *workers, struct hg_invocation *inv)
{
    (void)workers;
    assert_ptr_equal(world_invocation, inv);
    world_invocation = NULL;
    world_cancelled++;
}

void world_return(const char *json)
{
    struct hg_invocation *inv = world_invocation;

    assert_non_null(inv);
    world_invocation = NULL;
    inv->rc = HG_OK;
    inv->error = HG_FUNCTION_OK;
    inv->answer = hg_blob_new(json, strlen(json));
    inv->done(inv);
}

void world_fail(enum hg_rc rc, enum hg_function_error error)
{
    struct hg_invocation *inv = world_invocation;

    assert_non_null(inv);
    world_invocation = NULL;
    inv->rc = rc;
    inv->error = error;
    if (rc == HG_OK)
        inv->answer = hg_blob_new("{\"errorMessage\":\"x\"}", 20);
    inv->done(inv);
}

struct hg_minutes *workers_minutes(const struct hg_workers *workers)
{
    (void)workers;
    return NULL;
}

void minutes_note_url(struct hg_minutes *minutes, const struct hg_minute_subject *subject,
                      int64_t started_us, int status)
{
    (void)minutes;
    assert_true(subject->function.n > 0 && started_us > 0 && status >= 200);
}

/* ---- in place of the router ---- */

void router_publish(struct hg_router *router, struct hg_publish *publish)
{
    (void)router;
    assert_null(world_publish);
    world_publish = publish;
}

void world_publish_done(enum hg_rc rc, const char *why)
{
    struct hg_publish *publish = world_publish;

    assert_non_null(publish);
    world_publish = NULL;
    publish->rc = rc;
    (void)snprintf(publish->why, sizeof(publish->why), "%s", why);
    publish->done(publish);
}

/* ---- the model ---- */

void world_init(struct world *world)
{
    *world = (struct world){0};
    world->stack = stack_new(HG_STR("eu-west-1"), HG_STR("111122223333"));
    world->stack->apis = hg_arena_must(world->stack->arena, WORLD_APIS_MAX * sizeof(struct hg_api));
    world->stack->functions =
        hg_arena_must(world->stack->arena, WORLD_APIS_MAX * sizeof(struct hg_function *));
    world_invocation = NULL;
    world_publish = NULL;
    world_cancelled = 0;
    (void)world_function(world, "Hello");
}

struct hg_function *world_function(struct world *world, const char *name)
{
    struct hg_stack *stack = world->stack;
    struct hg_function *function = hg_arena_must(stack->arena, sizeof(*function));

    function->name = hg_str_of(name);
    function->version = HG_STR("$LATEST");
    function->runtime = HG_STR("python3.13");
    function->arn = hg_str_of(
        hg_arena_printf(stack->arena, "arn:aws:lambda:eu-west-1:111122223333:function:%s", name));
    stack->functions[stack->function_count++] = function;
    (void)hg_map_set(&stack->functions_by_name, function->name, function);
    return function;
}

struct hg_api *world_api(struct world *world, enum hg_api_kind kind, const char *id)
{
    struct hg_api *api = &world->stack->apis[world->stack->api_count++];

    api->kind = kind;
    api->id = api->name = hg_str_of(id);
    api->stages = hg_arena_must(world->stack->arena, WORLD_STAGES_MAX * sizeof(*api->stages));
    api->routes = hg_arena_must(world->stack->arena, WORLD_ROUTES_MAX * sizeof(*api->routes));
    return api;
}

struct hg_stage *world_stage(struct world *world, struct hg_api *api, const char *name)
{
    struct hg_stage *stage = &api->stages[api->stage_count++];

    (void)world;
    stage->name = hg_str_of(name);
    stage->deployment_id = HG_STR("d1p0ab");
    return stage;
}

struct hg_route *world_route(struct world *world, struct hg_api *api, const char *method,
                             const char *path)
{
    struct hg_route *route = &api->routes[api->route_count++];
    struct hg_arena *arena = world->stack->arena;

    route->method = hg_str_of(*path ? method : "");
    route->path = hg_str_of(path);
    route->route_key =
        *path ? hg_str_of(hg_arena_printf(arena, "%s %s", method, path)) : HG_STR("$default");
    route->resource_id = HG_STR("r3s0rc");
    route->authorization = HG_STR("NONE");
    route->integration = hg_arena_must(arena, sizeof(*route->integration));
    route->integration->type = HG_INTEG_LAMBDA_PROXY;
    route->integration->function_ref = HG_STR("Hello");
    route->integration->http_method = HG_STR("POST");
    if (api->kind == HG_API_HTTP)
        route->integration->payload_version = HG_STR("2.0");
    return route;
}

void world_put(struct world *world, struct hg_kv_list *list, const char *key, const char *value)
{
    struct hg_kv *items = hg_arena_must(world->stack->arena, (list->count + 1) * sizeof(*items));

    if (list->count)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count++] = (struct hg_kv){hg_str_of(key), hg_str_of(value)};
    list->items = items;
}

void world_prepare(struct world *world)
{
    struct hg_error err;

    assert_int_equal(gateway_prepare(world->stack, &err), HG_OK);
    world->snapshot = snapshot_of_stack(stack_ref(world->stack));
}

void world_open(struct world *world, const struct hg_gateway_options *options)
{
    static const struct hg_gateway_options none;
    struct hg_error err;

    world_prepare(world);
    world->loops = hg_loops_new(1);
    world->registry = registry_new(snapshot_ref(world->snapshot));
    world->gateway =
        gateway_new(world->loops, world->registry, NULL, options ? options : &none, &err);
    assert_non_null(world->gateway);
}

void world_fini(struct world *world)
{
    assert_null(world_invocation);
    assert_null(world_publish);
    gateway_free(world->gateway);
    registry_free(world->registry);
    snapshot_unref(world->snapshot);
    stack_unref(world->stack);
    hg_loops_free(world->loops);
}

/* ---- requests ---- */

static void on_respond(struct hg_request *req)
{
    struct ask *ask = hg_container_of(req, struct ask, req);

    assert_false(ask->is_answered);
    ask->is_answered = true;
}

void ask_init(struct ask *ask, struct world *world, const char *method, const char *target)
{
    static const struct hg_stream_ops ops = {.respond = on_respond};
    struct hg_request *req = &ask->req;
    const char *mark = strchr(target, '?');

    *ask = (struct ask){0};
    req->loop = world->loops ? world->loops->loops[0] : NULL;
    req->arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    memcpy(ask->peer.remote_ip, "198.51.100.24", sizeof("198.51.100.24"));
    ask->peer.local_port = 8080;
    req->peer = &ask->peer;
    req->version = HG_HTTP_1_1;
    req->method = hg_str_of(method);
    req->target = hg_str_of(target);
    req->path = mark ? hg_str_n(target, (size_t)(mark - target)) : req->target;
    req->query = mark ? hg_str_of(mark + 1) : hg_str_n(NULL, 0);
    req->authority = HG_STR("127.0.0.1:8080");
    req->headers = ask->headers;
    req->body = HG_STR("");
    req->start_us = hg_mono_us();
    req->stream_ops = &ops;
}

void ask_header(struct ask *ask, const char *name, const char *value)
{
    assert_true(ask->req.header_count < WORLD_HEADERS_MAX);
    ask->headers[ask->req.header_count++] = (struct hg_header){hg_str_of(name), hg_str_of(value)};
    if (strcasecmp(name, "host") == 0)
        ask->req.authority = hg_str_of(value);
}

void ask_send(struct ask *ask, struct world *world)
{
    gateway_on_request(&ask->req, world->gateway);
}

void ask_end(struct ask *ask)
{
    if (ask->is_answered && ask->req.on_done)
        ask->req.on_done(&ask->req, ask->req.response.body.n);
    else if (!ask->is_answered && ask->req.on_abort)
        ask->req.on_abort(&ask->req);
    hg_blob_unref(ask->req.response.holder);
    hg_arena_free(ask->req.arena);
}

struct hg_str ask_answer_header(const struct ask *ask, const char *name, size_t nth)
{
    const struct hg_response *response = &ask->req.response;

    for (size_t i = 0; i < response->header_count; i++) {
        if (hg_str_is_nocase(response->headers[i].name, name) && nth-- == 0)
            return response->headers[i].value;
    }
    return hg_str_n(NULL, 0);
}

void assert_answer(const struct ask *ask, int status, const char *body, const char *error_type)
{
    struct hg_str type = ask_answer_header(ask, "x-amzn-ErrorType", 0);

    assert_true(ask->is_answered);
    assert_int_equal(ask->req.response.status, status);
    assert_str(ask->req.response.body, body);
    if (*error_type)
        assert_str(type, error_type);
    else
        assert_null(type.p);
}
