/*
 * AWS::Serverless::HttpApi: definition, stage, CORS; Auth over the routes of its definition.
 */
#include "config/template/implicit.h"
#include "config/template/notices.h"
#include "config/template/openapi.h"
#include "config/template/sam_auth.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_cors.h"
#include "config/template/transform_integ.h"

static void translate(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_api_draft *draft = api_new(t, resource, HG_API_HTTP);
    const struct hg_node *auth = resource_get(resource, "Auth"),
                         *cors = resource_get(resource, "CorsConfiguration");
    struct hg_stage *stage;

    if (resource->is_generated && hg_str_is(resource->id, HG_IMPLICIT_HTTP_API) &&
        !draft->api.name.n)
        draft->api.name = transform_keep(t, eval_stack_name(t->eval));
    if (auth)
        properties_check(t, auth, "AWS::Serverless::HttpApi Auth",
                         transform_textf(t, "%.*s: Auth", HG_STR_ARG(resource->id)));
    stage = api_stage(t, draft,
                      read_text(t, resource_get(resource, "StageName"),
                                resource_what(t, resource, "StageName"), HG_STR("$default")),
                      resource->line);
    stage->variables = read_pairs(t, resource_get(resource, "StageVariables"),
                                  resource_what(t, resource, "StageVariables"));
    stage_read_access_log(t, stage, resource_get(resource, "AccessLogSettings"),
                          resource_what(t, resource, "AccessLogSettings"));
    stage_read_route_settings(t, stage, resource_get(resource, "DefaultRouteSettings"),
                              resource_what(t, resource, "DefaultRouteSettings"));
    openapi_import_of(t, draft, "DefinitionBody", "DefinitionUri");
    if (cors)
        draft->api.cors =
            cors_read(t, cors, &cors_names_pascal, resource_what(t, resource, "CorsConfiguration"));
}

void sam_http_apis_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::Serverless::HttpApi", translate);
}

void sam_http_apis_finish(struct hg_transform *t)
{
    for (struct hg_api_draft *draft = t->apis; draft; draft = draft->next) {
        struct hg_sam_auth auth;

        if (!hg_str_is(draft->resource->type, "AWS::Serverless::HttpApi"))
            continue;
        auth = sam_auth_read(t, draft);
        for (size_t i = 0; i < draft->definition_route_count; i++) {
            struct hg_route *route = &draft->routes[i];

            if (integ_is_missing(route->integration))
                integ_report(t, route->integration, api_route_text(t, route));
            sam_auth_apply_default(t, &auth, route, false);
        }
    }
}
