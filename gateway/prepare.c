/*
 * Makes the plans of a stack's APIs. Control loop, before the stack is
 * published.
 */
#include "core/json_write.h"
#include "gateway/cors.h"
#include "gateway/gateway.h"
#include "gateway/gateway_response.h"
#include "gateway/integ.h"
#include "gateway/phrase.h"

enum { JSON_TEXT_MAX = 1 << 20 };

static void add_notice(struct hg_stack *stack, enum hg_notice_kind kind, unsigned line,
                       struct hg_str text)
{
    struct hg_notice *notices =
        hg_arena_must(stack->arena, (stack->notice_count + 1) * sizeof(*notices));

    if (stack->notice_count)
        memcpy(notices, stack->notices, stack->notice_count * sizeof(*notices));
    notices[stack->notice_count] = (struct hg_notice){kind, line, hg_arena_str(stack->arena, text)};
    stack->notices = notices;
    stack->notice_count++;
}

/* Whether whoever made the stack has said so already. */
static bool is_noticed(const struct hg_stack *stack, unsigned line, struct hg_str problem)
{
    for (size_t i = 0; i < stack->notice_count; i++) {
        if (stack->notices[i].line == line && hg_str_find_str(stack->notices[i].text, problem) >= 0)
            return true;
    }
    return false;
}

static void notice_route(struct hg_stack *stack, enum hg_notice_kind kind,
                         const struct hg_route *route, struct hg_str problem)
{
    unsigned line =
        route->integration && route->integration->line ? route->integration->line : route->line;
    struct hg_error err;

    if (is_noticed(stack, line, problem) || is_noticed(stack, route->line, problem))
        return;
    if (route->path.n)
        (void)hg_error_set(&err, HG_OK, "%.*s %.*s: %.*s", HG_STR_ARG(route->method),
                           HG_STR_ARG(route->path), HG_STR_ARG(problem));
    else
        (void)hg_error_set(&err, HG_OK, "$default: %.*s", HG_STR_ARG(problem));
    add_notice(stack, kind, line, hg_str_of(err.text));
}

static struct hg_str json_text(struct hg_arena *arena, struct hg_str text)
{
    struct hg_str result;
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    hg_buf_init(&buf, JSON_TEXT_MAX);
    hg_json_str(&json, text);
    result = hg_arena_str(arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return result;
}

static struct hg_str json_map(struct hg_arena *arena, const struct hg_kv_list *list)
{
    struct hg_str result;
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);

    if (!list->count)
        return hg_str_n(NULL, 0);
    hg_buf_init(&buf, JSON_TEXT_MAX);
    hg_json_begin_object(&json);
    for (size_t i = 0; i < list->count; i++) {
        hg_json_key(&json, list->items[i].key);
        hg_json_str(&json, list->items[i].value);
    }
    hg_json_end_object(&json);
    result = hg_arena_str(arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return result;
}

/* Rate and burst of a stage hold for each of its routes on its own. */
static void plan_throttle(struct hg_arena *arena, const struct hg_stage *stage, size_t route_count,
                          struct hg_stage_plan *plan)
{
    /* -1 is how the real service switches a throttle off. */
    if (!stage->has_throttle || stage->throttle_rate < 0 || stage->throttle_burst < 0)
        return;
    plan->buckets = hg_arena_must(arena, (route_count + 1) * sizeof(*plan->buckets));
    for (size_t i = 0; i < route_count; i++)
        bucket_init(&plan->buckets[i], stage->throttle_rate, stage->throttle_burst);
}

static void plan_stage(struct hg_arena *arena, const struct hg_stage *stage,
                       struct hg_stage_plan *plan)
{
    plan->stage = stage;
    plan->name_json = json_text(arena, stage->name);
    plan->variables_json = json_map(arena, &stage->variables);
    if (stage->access_log_format.n)
        plan->access_log =
            phrase_new(arena, HG_PHRASE_LOG, hg_str_trim_ws(stage->access_log_format));
}

/* The address of a route in the table; what cannot be addressed becomes a notice. */
static void place_route(struct hg_stack *stack, struct hg_api_plan *plan,
                        struct hg_route_plan *route_plan)
{
    const struct hg_route *route = route_plan->route;
    struct hg_error err = {.text = ""}, warning = {.text = ""};
    enum hg_method method =
        hg_str_is(route->method, "ANY") ? HG_METHOD_ANY : method_of(route->method);
    enum hg_rc rc;

    if (!route->path.n) {
        plan->default_route = route_plan;
        return;
    }
    rc = pattern_parse(stack->arena, route->path, &route_plan->pattern, &err);
    if (rc == HG_OK)
        rc = route_table_add(plan->table, method, &route_plan->pattern, route_plan, &warning, &err);
    if (rc != HG_OK) {
        notice_route(stack, HG_NOTICE_WARNING, route, hg_str_of(err.text));
        route_plan->integ->problem = hg_arena_str(stack->arena, hg_str_of(err.text));
    }
    if (warning.text[0])
        notice_route(stack, HG_NOTICE_WARNING, route, hg_str_of(warning.text));
}

static void plan_route(struct hg_stack *stack, const struct hg_api *api, struct hg_api_plan *plan,
                       size_t index)
{
    const struct hg_route *route = &api->routes[index];
    struct hg_route_plan *route_plan = &plan->routes[index];

    route_plan->route = route;
    route_plan->is_options = hg_str_is(route->method, "OPTIONS");
    if (route->path.n)
        route_plan->path_json = json_text(stack->arena, route->path);
    route_plan->key_json = json_text(stack->arena, route->route_key);
    route_plan->integ = integ_new(stack, api, route);
    if (route_plan->integ->ops == &integ_unsupported_ops)
        notice_route(stack, HG_NOTICE_NOT_SERVED, route, route_plan->integ->problem);
    else if (route_plan->integ->ops == &integ_broken_ops)
        notice_route(stack, HG_NOTICE_WARNING, route, route_plan->integ->problem);
    else if (route_plan->integ->warning.p)
        notice_route(stack, HG_NOTICE_WARNING, route, route_plan->integ->warning);
    place_route(stack, plan, route_plan);
}

static void plan_api(struct hg_stack *stack, struct hg_api *api)
{
    struct hg_arena *arena = stack->arena;
    struct hg_api_plan *plan = hg_arena_must(arena, sizeof(*plan));
    struct hg_error warning = {.text = ""};

    api->compiled = plan;
    plan->table = route_table_new(arena, api->kind);
    plan->account_json = json_text(arena, stack->account);
    plan->id_json = json_text(arena, api->id);
    plan->stages = hg_arena_must(arena, (api->stage_count + 1) * sizeof(*plan->stages));
    plan->routes = hg_arena_must(arena, (api->route_count + 1) * sizeof(*plan->routes));
    for (size_t i = 0; i < api->stage_count; i++) {
        plan_stage(arena, &api->stages[i], &plan->stages[i]);
        plan_throttle(arena, &api->stages[i], api->route_count, &plan->stages[i]);
        if (hg_str_is(api->stages[i].name, "$default"))
            plan->default_stage = &plan->stages[i];
    }
    if (api->kind == HG_API_HTTP)
        plan->cors = cors_plan_new(arena, &api->cors);
    else
        plan->responses = gateway_responses_new(arena, api, &warning);
    if (warning.text[0])
        add_notice(stack, HG_NOTICE_WARNING, api->line, hg_str_of(warning.text));
    for (size_t i = 0; i < api->route_count; i++)
        plan_route(stack, api, plan, i);
}

enum hg_rc gateway_prepare(struct hg_stack *stack, struct hg_error *err)
{
    for (size_t i = 0; i < stack->api_count; i++) {
        for (size_t other = 0; other < i; other++) {
            if (hg_str_eq(stack->apis[i].id, stack->apis[other].id))
                return hg_error_set(err, HG_E_CONFLICT, "APIs %.*s and %.*s have the same id %.*s",
                                    HG_STR_ARG(stack->apis[other].logical_id),
                                    HG_STR_ARG(stack->apis[i].logical_id),
                                    HG_STR_ARG(stack->apis[i].id));
        }
        plan_api(stack, &stack->apis[i]);
    }
    return HG_OK;
}
