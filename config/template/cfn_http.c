/*
 * AWS::ApiGatewayV2::*: HTTP APIs in single resources. WebSocket APIs are told and passed over.
 */
#include "config/template/notices.h"
#include "config/template/openapi.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_cors.h"
#include "config/template/transform_integ.h"

/* An AWS::ApiGatewayV2::Integration by its id. */
struct known_integration {
    const struct hg_api_draft *draft;
    struct hg_str id;
    struct hg_integ_model *model;
    struct known_integration *next;
};

/* Whether the resource belongs to a WebSocket API, of which no draft exists. */
static bool is_of_websocket(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_str id = node_text(resource_get(resource, "ApiId"));

    for (size_t i = 0; i < t->resource_count; i++) {
        const struct hg_resource *api = t->resources[i];

        if (!api->is_off && hg_str_is(api->type, "AWS::ApiGatewayV2::Api") &&
            hg_str_is(node_text(resource_get(api, "ProtocolType")), "WEBSOCKET") &&
            hg_str_eq(eval_ref(t->eval, api->id, api->raw), id))
            return true;
    }
    return false;
}

static bool split_route_key(struct hg_str key, struct hg_route *route)
{
    ptrdiff_t blank = hg_str_find(key, ' ');

    route->method = route->path = HG_STR("");
    if (hg_str_is(key, HG_DEFAULT_ROUTE))
        return true;
    if (blank < 0 || !api_method(hg_str_n(key.p, (size_t)blank), &route->method))
        return false;
    route->path = hg_str_trim(hg_str_skip(key, (size_t)blank + 1));
    return true;
}

static void refuse_route_key(struct hg_transform *t, const struct hg_resource *resource,
                             const struct hg_node *key)
{
    problem_at(t, key ? key : resource->raw,
               "%.*s: RouteKey must be \"METHOD /path\" (" HG_METHODS_TEXT
               ") or \"$default\"%s%.*s",
               HG_STR_ARG(resource->id), key ? ", not " : "", HG_STR_ARG(node_text(key)));
}

/* Target and RouteKey of an API: one route, one $default stage. */
static void quick_create(struct hg_transform *t, struct hg_api_draft *draft,
                         const struct hg_node *target)
{
    const struct hg_resource *resource = draft->resource;
    const struct hg_node *key = resource_get(resource, "RouteKey");
    struct hg_node *integration = node_new_map(t->scratch, target);
    bool is_url = hg_str_starts(node_text(target), HG_STR("http"));
    struct hg_route route = {.line = resource->line}, *added;
    struct hg_str who;

    if (!split_route_key(key ? node_text(key) : HG_STR(HG_DEFAULT_ROUTE), &route)) {
        refuse_route_key(t, resource, key);
        return;
    }
    who = api_route_text(t, &route);
    node_set(
        t->scratch, integration, HG_STR("IntegrationType"),
        node_new_text(t->scratch, is_url ? HG_STR("HTTP_PROXY") : HG_STR("AWS_PROXY"), target));
    node_set(t->scratch, integration, HG_STR("IntegrationUri"),
             node_new_text(t->scratch, node_text(target), target));
    node_set(t->scratch, integration, HG_STR("PayloadFormatVersion"),
             node_new_text(t->scratch, HG_STR("2.0"), target));
    route.integration = integ_read(t, integration, HG_API_HTTP, &integ_names_v2, who);
    if (!route.integration)
        return;
    added = api_add_route(t, draft, &route, key ? key : target);
    if (added)
        integ_report(t, added->integration, who);
    (void)api_stage(t, draft, HG_STR("$default"), resource->line);
}

static void translate_api(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *protocol = resource_get(resource, "ProtocolType"),
                         *cors = resource_get(resource, "CorsConfiguration");
    const struct hg_node *target = resource_get(resource, "Target");
    struct hg_api_draft *draft;

    if (hg_str_is(node_text(protocol), "WEBSOCKET")) {
        notice_add(t, HG_NOTICE_NOT_SERVED, resource->line, "%.*s (%.*s): WebSocket APIs",
                   HG_STR_ARG(resource->id), HG_STR_ARG(resource->type));
        return;
    }
    if (protocol ? !hg_str_is(node_text(protocol), "HTTP")
                 : !resource_has(resource, "Body") && !resource_has(resource, "ProtocolType") &&
                       !resource_has(resource, "BodyS3Location"))
        problem_at(t, protocol ? protocol : resource->raw,
                   "%.*s: ProtocolType: Invalid protocol specified. Must be one of "
                   "[HTTP, WEBSOCKET]",
                   HG_STR_ARG(resource->id));
    draft = api_new(t, resource, HG_API_HTTP);
    openapi_import_of(t, draft, "Body", "BodyS3Location");
    if (cors)
        draft->api.cors =
            cors_read(t, cors, &cors_names_pascal, resource_what(t, resource, "CorsConfiguration"));
    if (node_is_scalar(target))
        quick_create(t, draft, target);
}

static struct known_integration *add_integration(struct hg_transform *t,
                                                 const struct hg_resource *resource,
                                                 struct known_integration *list)
{
    struct hg_api_draft *draft = api_named(t, resource, "ApiId");
    struct known_integration *known;

    if (!draft)
        return list;
    known = hg_arena_must(t->scratch, sizeof(*known));
    known->draft = draft;
    known->id = hg_arena_str(t->scratch, eval_ref(t->eval, resource->id, resource->raw));
    known->model = integ_read(t, resource->properties, HG_API_HTTP, &integ_names_v2, resource->id);
    if (known->model)
        integ_fix_type_of(t, known->model, resource, resource->id);
    known->next = list;
    return known;
}

static const struct known_integration *find_integration(const struct known_integration *list,
                                                        const struct hg_api_draft *draft,
                                                        struct hg_str target)
{
    static const char prefix[] = "integrations/";

    if (!hg_str_starts(target, HG_STR(prefix)))
        return NULL;
    target = hg_str_skip(target, sizeof(prefix) - 1);
    for (; list; list = list->next) {
        if (list->draft == draft && hg_str_eq(list->id, target))
            return list;
    }
    return NULL;
}

static void protect(struct hg_transform *t, const struct hg_resource *resource,
                    struct hg_route *route)
{
    const struct hg_node *type = resource_get(resource, "AuthorizationType");
    struct hg_str authorization = node_text(type);

    if (!authorization.n || hg_str_is(authorization, "NONE"))
        return;
    if (hg_str_is(authorization, "AWS_IAM") || hg_str_is(authorization, "JWT") ||
        hg_str_is(authorization, "CUSTOM"))
        api_protect_route(t, route, authorization,
                          node_text(resource_get(resource, "AuthorizerId")));
    else
        problem_at(t, type, "%.*s: AuthorizationType must be one of NONE, AWS_IAM, CUSTOM, JWT",
                   HG_STR_ARG(resource->id));
}

static void translate_route(struct hg_transform *t, const struct hg_resource *resource,
                            const struct known_integration *list)
{
    const struct hg_node *key = resource_get(resource, "RouteKey"),
                         *target = resource_get(resource, "Target");
    struct hg_api_draft *draft = api_named(t, resource, "ApiId");
    const struct known_integration *known;
    struct hg_route route = {.line = resource->line}, *added;
    struct hg_str who;

    if (!split_route_key(node_text(key), &route)) {
        if (key || !resource_has(resource, "RouteKey"))
            refuse_route_key(t, resource, key);
        return;
    }
    if (!draft)
        return;
    who = api_route_text(t, &route);
    known = find_integration(list, draft, node_text(target));
    if (target && !known)
        problem_at(
            t, target,
            "%.*s: Target must be integrations/ and the id of an integration of the same API, not %.*s",
            HG_STR_ARG(resource->id), HG_STR_ARG(node_text(target)));
    if (target ? !known || !known->model : resource_has(resource, "Target"))
        return;
    route.integration = target ? known->model : integ_missing(t, resource->line);
    route.operation_name = read_text(t, resource_get(resource, "OperationName"),
                                     resource_what(t, resource, "OperationName"), HG_STR(""));
    added = api_add_route(t, draft, &route, key);
    if (!added)
        return;
    integ_report(t, added->integration, who);
    protect(t, resource, added);
}

static void translate_stage(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *name = resource_get(resource, "StageName");
    struct hg_api_draft *draft;
    struct hg_stage *stage;

    if (resource->is_generated || is_of_websocket(t, resource))
        return;
    draft = api_named(t, resource, "ApiId");
    if (!name && !resource_has(resource, "StageName"))
        problem_on(t, resource, "%.*s: StageName is missing", HG_STR_ARG(resource->id));
    if (!draft || !node_is_scalar(name))
        return;
    stage = api_stage(t, draft, name->text, resource->line);
    stage->deployment_id = read_text(t, resource_get(resource, "DeploymentId"),
                                     resource_what(t, resource, "DeploymentId"), HG_STR(""));
    stage->variables = read_pairs(t, resource_get(resource, "StageVariables"),
                                  resource_what(t, resource, "StageVariables"));
    stage_read_access_log(t, stage, resource_get(resource, "AccessLogSettings"),
                          resource_what(t, resource, "AccessLogSettings"));
    stage_read_route_settings(t, stage, resource_get(resource, "DefaultRouteSettings"),
                              resource_what(t, resource, "DefaultRouteSettings"));
}

void http_apis_translate(struct hg_transform *t)
{
    struct known_integration *integrations = NULL;

    transform_each(t, "AWS::ApiGatewayV2::Api", translate_api);
    for (size_t i = 0; i < t->resource_count; i++) {
        const struct hg_resource *resource = t->resources[i];

        if (!resource->is_off && hg_str_is(resource->type, "AWS::ApiGatewayV2::Integration") &&
            !is_of_websocket(t, resource))
            integrations = add_integration(t, resource, integrations);
    }
    for (size_t i = 0; i < t->resource_count; i++) {
        const struct hg_resource *resource = t->resources[i];

        if (!resource->is_off && hg_str_is(resource->type, "AWS::ApiGatewayV2::Route") &&
            !is_of_websocket(t, resource))
            translate_route(t, resource, integrations);
    }
    transform_each(t, "AWS::ApiGatewayV2::Stage", translate_stage);
}
