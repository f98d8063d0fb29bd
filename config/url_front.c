/*
 * What a function URL comes to in the terms of an HTTP API (function-api.md §12): stage and route are $default, the payload format is
 * 2.0, the account of its requests is "anonymous", and nothing but the function's own time-out ends a call.
 */
#include "config/url_front.h"

#include "core/log.h"

#include <stdlib.h>

enum { CALL_TIMEOUT_MS = 900000 };

static struct hg_str front_key(const struct hg_counted *entry)
{
    return hg_container_of(entry, const struct hg_url_front, counted)->stack->apis[0].id;
}

static void front_free(struct hg_counted *entry)
{
    struct hg_url_front *front = hg_container_of(entry, struct hg_url_front, counted);

    stack_unref(front->stack);
    free(front);
}

const struct hg_pmap_type url_front_type = {.key = front_key, .free = front_free};

static struct hg_str *copy_list(struct hg_arena *arena, const struct hg_str *items, size_t count)
{
    struct hg_str *copy = hg_arena_must(arena, (count + 1) * sizeof(*copy));

    for (size_t i = 0; i < count; i++)
        copy[i] = hg_arena_str(arena, items[i]);
    return copy;
}

static struct hg_cors copy_cors(struct hg_arena *arena, const struct hg_cors *from)
{
    struct hg_cors cors = *from;

    cors.allow_origins = copy_list(arena, from->allow_origins, from->allow_origin_count);
    cors.allow_methods = copy_list(arena, from->allow_methods, from->allow_method_count);
    cors.allow_headers = copy_list(arena, from->allow_headers, from->allow_header_count);
    cors.expose_headers = copy_list(arena, from->expose_headers, from->expose_header_count);
    return cors;
}

static struct hg_str reference(struct hg_arena *arena, const struct hg_url_front *front)
{
    if (!front->qualifier.n)
        return front->function_name;
    return hg_str_of(hg_arena_printf(arena, "%.*s:%.*s", HG_STR_ARG(front->function_name),
                                     HG_STR_ARG(front->qualifier)));
}

static void add_route(struct hg_api *api, struct hg_arena *arena, struct hg_str function_ref)
{
    struct hg_integ_model *integ = hg_arena_must(arena, sizeof(*integ));

    integ->type = HG_INTEG_LAMBDA_PROXY;
    integ->function_ref = integ->uri = function_ref;
    integ->http_method = HG_STR("POST");
    integ->payload_version = HG_STR("2.0");
    integ->timeout_ms = CALL_TIMEOUT_MS;
    api->routes = hg_arena_must(arena, sizeof(*api->routes));
    api->route_count = 1;
    api->routes[0] = (struct hg_route){
        .method = HG_STR(""),
        .path = HG_STR(""),
        .route_key = HG_STR("$default"),
        .resource_id = HG_STR(""),
        .operation_name = HG_STR(""),
        .authorization = HG_STR("NONE"), /* the gateway itself looks at needs_signature */
        .integration = integ,
    };
}

struct hg_url_front *url_front_new(const struct hg_snapshot *snapshot, struct hg_str function_name,
                                   const struct hg_url *url)
{
    struct hg_url_front *front = hg_calloc(1, sizeof(*front));
    struct hg_stack *stack = stack_new(snapshot->region, HG_STR("anonymous"));
    struct hg_arena *arena = stack->arena;
    struct hg_api *api = stack->apis = hg_arena_must(arena, sizeof(*api));
    struct hg_error err;

    atomic_init(&front->counted.refs, 1);
    front->stack = stack;
    front->function_name = hg_arena_str(arena, function_name);
    front->qualifier = hg_arena_str(arena, url->qualifier);
    front->modified_ms = url->modified_ms;
    stack->api_count = 1;
    api->kind = HG_API_HTTP;
    api->id = api->name = hg_arena_str(arena, url->id);
    api->is_function_url = true;
    api->needs_signature = hg_str_is(url->auth_type, "AWS_IAM");
    api->cors = copy_cors(arena, &url->cors);
    api->stages = hg_arena_must(arena, sizeof(*api->stages));
    api->stages[0] = (struct hg_stage){.name = HG_STR("$default"), .deployment_id = HG_STR("")};
    api->stage_count = 1;
    add_route(api, arena, reference(arena, front));
    if (snapshot->prepare(stack, &err) == HG_OK)
        return front;
    hg_error("function_url", "%s", err.text);
    front_free(&front->counted);
    return NULL;
}
