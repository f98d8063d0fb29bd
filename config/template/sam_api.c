/*
 * AWS::Serverless::Api: definition, stage, gateway responses; Auth and Cors over all its routes.
 */
#include "config/template/implicit.h"
#include "config/template/notices.h"
#include "config/template/openapi.h"
#include "config/template/sam_auth.h"
#include "config/template/sam_cors.h"
#include "config/template/sam_parts.h"

/* {Headers: {X: "'v'"}, …} → gatewayresponse.header.X */
static struct hg_kv_list read_response_parameters(struct hg_transform *t,
                                                  const struct hg_node *node, const char *what)
{
    static const struct {
        const char *property, *kind;
    } groups[] = {{"Headers", "header"}, {"Paths", "path"}, {"QueryStrings", "querystring"}};
    struct hg_kv_list all = {0};

    for (size_t i = 0; i < HG_COUNT(groups); i++) {
        struct hg_kv_list part = read_pairs(t, node_get(node, groups[i].property), what);

        for (size_t j = 0; j < part.count; j++) {
            all.items = transform_grow(t->arena, all.items, all.count, sizeof(*all.items));
            all.items[all.count++] =
                (struct hg_kv){transform_keepf(t, "gatewayresponse.%s.%.*s", groups[i].kind,
                                               HG_STR_ARG(part.items[j].key)),
                               part.items[j].value};
        }
    }
    return all;
}

static void read_gateway_responses(struct hg_transform *t, struct hg_api_draft *draft)
{
    const struct hg_node *responses = resource_get(draft->resource, "GatewayResponses");
    const char *what = resource_what(t, draft->resource, "GatewayResponses");

    if (responses && !node_is_map(responses))
        problem_at(t, responses, "%s must be a map", what);
    for (size_t i = 0; node_is_map(responses) && i < responses->count; i++) {
        const struct hg_node *node = responses->members[i].value;
        struct hg_gateway_response response = {.type =
                                                   transform_keep(t, responses->members[i].key)};

        response.status = (int)read_int(t, node_get(node, "StatusCode"), what, 100, 599, 0);
        response.parameters =
            read_response_parameters(t, node_get(node, "ResponseParameters"), what);
        response.templates = read_pairs(t, node_get(node, "ResponseTemplates"), what);
        api_add_gateway_response(t, draft, &response, node);
    }
}

static void translate(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_api_draft *draft = api_new(t, resource, HG_API_REST);
    bool is_implicit = resource->is_generated && hg_str_is(resource->id, HG_IMPLICIT_REST_API);
    const char *what = resource_what(t, resource, "StageName");
    struct hg_str stage_name = read_text(t, resource_get(resource, "StageName"), what, HG_STR(""));
    const struct hg_node *auth = resource_get(resource, "Auth");
    struct hg_stage *stage;

    if (is_implicit)
        stage_name = HG_STR("Prod");
    else if (!resource_has(resource, "StageName"))
        problem_on(t, resource,
                   "Resource with id [%.*s] is invalid. Missing required property 'StageName'.",
                   HG_STR_ARG(resource->id));
    else if (stage_name.n && !api_is_stage_name(stage_name))
        problem_at(t, resource_get(resource, "StageName"), HG_STAGE_NAME_RULE,
                   HG_STR_ARG(resource->id));
    if (is_implicit && !draft->api.name.n)
        draft->api.name = transform_keep(t, eval_stack_name(t->eval));
    if (auth)
        properties_check(t, auth, "AWS::Serverless::Api Auth",
                         transform_textf(t, "%.*s: Auth", HG_STR_ARG(resource->id)));
    stage = api_stage(t, draft, stage_name, resource->line);
    stage->variables =
        read_pairs(t, resource_get(resource, "Variables"), resource_what(t, resource, "Variables"));
    stage_read_access_log(t, stage, resource_get(resource, "AccessLogSetting"),
                          resource_what(t, resource, "AccessLogSetting"));
    stage_read_method_settings(t, stage, resource_get(resource, "MethodSettings"),
                               resource_what(t, resource, "MethodSettings"));
    api_read_binary_types(t, draft, resource_get(resource, "BinaryMediaTypes"),
                          resource_what(t, resource, "BinaryMediaTypes"));
    openapi_import_of(t, draft, "DefinitionBody", "DefinitionUri");
    read_gateway_responses(t, draft);
}

void sam_apis_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Serverless::Api", translate);
}

void sam_apis_finish(struct hg_transform *t)
{
    for (struct hg_api_draft *draft = t->apis; draft; draft = draft->next) {
        struct hg_sam_auth auth;

        if (!hg_str_is(draft->resource->type, "AWS::Serverless::Api"))
            continue;
        auth = sam_auth_read(t, draft);
        for (size_t i = 0; i < draft->definition_route_count; i++)
            sam_auth_apply_default(t, &auth, &draft->routes[i],
                                   hg_str_is(draft->routes[i].method, "OPTIONS"));
        sam_cors_apply(t, draft, &auth);
    }
}
