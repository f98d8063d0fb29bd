/*
 * The routes as people and programs read them.
 */
#include "gateway/address.h"
#include "gateway/gateway.h"
#include "gateway/integ.h"

enum { DESCRIPTION_MAX = 2048 };

/* Path by which a route is reached on the gateway's port. */
static void put_path(const struct hg_snapshot *snapshot, const struct hg_api *api,
                     const struct hg_stage *stage, const struct hg_route *route, struct hg_buf *out)
{
    bool is_default = hg_str_is(stage->name, "$default");

    if (!address_is_plain(snapshot->stack, api, stage)) {
        hg_buf_append_cstr(out, "/_aws/execute-api/");
        hg_buf_append_str(out, api->id);
    }
    if (!is_default) {
        hg_buf_append_byte(out, '/');
        hg_buf_append_str(out, stage->name);
    }
    hg_buf_append_str(out, route->path.n ? route->path : HG_STR("/*"));
}

static struct hg_str method_text(const struct hg_route *route)
{
    return route->method.n ? route->method : HG_STR("ANY");
}

static void list_route(const struct hg_snapshot *snapshot, const struct hg_api *api,
                       const struct hg_stage *stage, size_t index, const char *base_url,
                       struct hg_buf *out)
{
    const struct hg_route *route = &api->routes[index];
    const struct hg_integ *in = api_plan_of(api)->routes[index].integ;

    hg_buf_printf(out, "%-7.*s ", HG_STR_ARG(method_text(route)));
    hg_buf_append_cstr(out, base_url);
    put_path(snapshot, api, stage, route, out);
    hg_buf_append_cstr(out, " -> ");
    in->ops->describe(in, snapshot, out);
    if (in->problem.p && in->ops->bind)
        hg_buf_printf(out, " (never reached: %.*s)", HG_STR_ARG(in->problem));
    hg_buf_append_byte(out, '\n');
}

static void list_urls(const struct hg_snapshot *snapshot, const char *base_url, struct hg_buf *out)
{
    struct hg_pmap_at at = {0};
    const struct hg_counted *counted;

    while ((counted = hg_pmap_next(&snapshot->urls, &at))) {
        const struct hg_url_front *front =
            hg_container_of(counted, const struct hg_url_front, counted);
        const struct hg_api *api = &front->stack->apis[0];
        const struct hg_integ *in = api_plan_of(api)->routes[0].integ;

        hg_buf_printf(out, "ANY     %s/_aws/lambda-url/%.*s/* -> ", base_url, HG_STR_ARG(api->id));
        in->ops->describe(in, snapshot, out);
        hg_buf_append_cstr(out, " (function URL)\n");
    }
}

void gateway_list_routes(const struct hg_snapshot *snapshot, const char *base_url,
                         struct hg_buf *out)
{
    for (size_t a = 0; a < snapshot->stack->api_count; a++) {
        const struct hg_api *api = &snapshot->stack->apis[a];

        for (size_t s = 0; s < api->stage_count; s++) {
            for (size_t r = 0; r < api->route_count; r++)
                list_route(snapshot, api, &api->stages[s], r, base_url, out);
        }
    }
    list_urls(snapshot, base_url, out);
}

static void render_target(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                          struct hg_json *json)
{
    const struct hg_function *function = integ_lambda_function(in, snapshot);
    struct hg_buf text;

    hg_json_field_cstr(json, "integration", in->ops->type);
    if (function) {
        hg_json_field_str(json, "function", function->name);
        hg_json_field_str(json, "runtime", function->runtime);
    }
    hg_buf_init(&text, DESCRIPTION_MAX);
    in->ops->describe(in, snapshot, &text);
    hg_json_field_str(json, "target", hg_buf_str(&text));
    hg_buf_fini(&text);
    if (in->problem.p)
        hg_json_field_str(json, "problem", in->problem);
}

static void render_route(const struct hg_snapshot *snapshot, const struct hg_api *api,
                         const struct hg_stage *stage, size_t index, struct hg_json *json)
{
    const struct hg_route *route = &api->routes[index];
    struct hg_buf path;

    hg_buf_init(&path, DESCRIPTION_MAX);
    put_path(snapshot, api, stage, route, &path);
    hg_json_begin_object(json);
    hg_json_field_str(json, "method", method_text(route));
    hg_json_field_str(json, "path", route->path.n ? route->path : HG_STR("$default"));
    hg_json_field_str(json, "url_path", hg_buf_str(&path));
    hg_json_field_str(json, "stage", stage->name);
    render_target(api_plan_of(api)->routes[index].integ, snapshot, json);
    if (route->line)
        hg_json_field_i64(json, "line", route->line);
    hg_json_end_object(json);
    hg_buf_fini(&path);
}

void gateway_render_routes(const struct hg_snapshot *snapshot, struct hg_json *json)
{
    hg_json_begin_object(json);
    hg_json_key_lit(json, "apis");
    hg_json_begin_array(json);
    for (size_t a = 0; a < snapshot->stack->api_count; a++) {
        const struct hg_api *api = &snapshot->stack->apis[a];

        hg_json_begin_object(json);
        hg_json_field_str(json, "id", api->id);
        hg_json_field_str(json, "name", api->name);
        hg_json_field_cstr(json, "kind", api->kind == HG_API_REST ? "REST" : "HTTP");
        hg_json_key_lit(json, "routes");
        hg_json_begin_array(json);
        for (size_t s = 0; s < api->stage_count; s++) {
            for (size_t r = 0; r < api->route_count; r++)
                render_route(snapshot, api, &api->stages[s], r, json);
        }
        hg_json_end_array(json);
        hg_json_end_object(json);
    }
    hg_json_end_array(json);
    hg_json_end_object(json);
}
