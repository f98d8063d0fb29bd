/*
 * AWS::ApiGateway::*: REST APIs in single resources.
 */
#include "config/template/notices.h"
#include "config/template/openapi.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_integ.h"

enum { TREE_DEPTH_MAX = 100 };

/* An AWS::ApiGateway::Resource. */
struct branch {
    const struct hg_resource *resource;
    struct hg_api_draft *draft;
    struct hg_str id, parent_id, part;
    struct branch *next;
};

static void translate_api(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_api_draft *draft = api_new(t, resource, HG_API_REST);
    const struct hg_node *parameters = resource_get(resource, "Parameters");
    struct hg_str base = node_text(node_get(parameters, "basepath"));

    api_read_binary_types(t, draft, resource_get(resource, "BinaryMediaTypes"),
                          resource_what(t, resource, "BinaryMediaTypes"));
    if (base.n && !hg_str_is(base, "ignore"))
        notice_add(t, HG_NOTICE_NOT_SERVED, parameters->line, "%.*s: Parameters basepath=%.*s",
                   HG_STR_ARG(resource->id), HG_STR_ARG(base));
    openapi_import_of(t, draft, "Body", "BodyS3Location");
    if (!draft->api.name.n && !draft->has_definition)
        problem_on(t, resource, "%.*s: Name is missing", HG_STR_ARG(resource->id));
}

static struct hg_str root_id(struct hg_transform *t, const struct hg_api_draft *draft)
{
    return eval_attribute(t->eval, draft->resource->id, HG_STR("RootResourceId"),
                          draft->resource->raw);
}

static const struct branch *find_branch(const struct branch *branches,
                                        const struct hg_api_draft *draft, struct hg_str id)
{
    for (; branches; branches = branches->next) {
        if (branches->draft == draft && hg_str_eq(branches->id, id))
            return branches;
    }
    return NULL;
}

static bool is_variable(struct hg_str part)
{
    return hg_str_starts(part, HG_STR("{"));
}

static void check_twin(struct hg_transform *t, const struct branch *branches,
                       const struct branch *branch, const struct hg_node *at)
{
    for (; branches; branches = branches->next) {
        if (branches->draft != branch->draft || !hg_str_eq(branches->parent_id, branch->parent_id))
            continue;
        if (hg_str_eq(branches->part, branch->part))
            problem_at(t, at,
                       "%.*s: Another resource with the same parent already has this name: %.*s",
                       HG_STR_ARG(branch->resource->id), HG_STR_ARG(branch->part));
        else if (is_variable(branches->part) && is_variable(branch->part))
            problem_at(
                t, at,
                "%.*s: A sibling (%.*s) of this resource already has a variable path part -- only one is allowed",
                HG_STR_ARG(branch->resource->id), HG_STR_ARG(branches->part));
    }
}

static struct branch *add_branch(struct hg_transform *t, const struct hg_resource *resource,
                                 struct branch *branches)
{
    const struct hg_node *part = resource_get(resource, "PathPart"),
                         *parent = resource_get(resource, "ParentId");
    struct hg_api_draft *draft = api_named(t, resource, "RestApiId");
    struct branch *branch;

    if (!resource_has(resource, "PathPart") || !resource_has(resource, "ParentId"))
        problem_on(t, resource, "%.*s: PathPart and ParentId are needed", HG_STR_ARG(resource->id));
    if (!draft || !node_is_scalar(part) || !node_is_scalar(parent))
        return branches;
    branch = hg_arena_must(t->scratch, sizeof(*branch));
    *branch = (struct branch){
        .resource = resource, .draft = draft, .parent_id = parent->text, .part = part->text};
    branch->id = hg_arena_str(t->scratch, eval_ref(t->eval, resource->id, resource->raw));
    check_twin(t, branches, branch, part);
    branch->next = branches;
    return branch;
}

/* The path from the root to the resource of that id; p is NULL when it is not in the tree. */
static struct hg_str path_of(struct hg_transform *t, const struct branch *branches,
                             const struct hg_api_draft *draft, struct hg_str id, unsigned depth)
{
    struct hg_str root = root_id(t, draft), above;
    const struct branch *branch;

    if (hg_str_eq(id, root))
        return HG_STR("/");
    branch = find_branch(branches, draft, id);
    if (!branch || depth > TREE_DEPTH_MAX)
        return (struct hg_str){0};
    above = path_of(t, branches, draft, branch->parent_id, depth + 1);
    if (!above.p)
        return above;
    return transform_textf(t, "%.*s/%.*s", above.n > 1 ? (int)above.n : 0, above.p,
                           HG_STR_ARG(branch->part));
}

static void check_branches(struct hg_transform *t, const struct branch *branches)
{
    for (const struct branch *branch = branches; branch; branch = branch->next) {
        if (!path_of(t, branches, branch->draft, branch->id, 0).p)
            problem_at(
                t, resource_get(branch->resource, "ParentId"),
                "%.*s: ParentId: Invalid Resource identifier specified; it must be the RootResourceId of the API or "
                "another of its resources",
                HG_STR_ARG(branch->resource->id));
    }
}

static void protect(struct hg_transform *t, const struct hg_resource *resource,
                    struct hg_route *route)
{
    const struct hg_node *type = resource_get(resource, "AuthorizationType");
    struct hg_str authorization = node_text(type),
                  authorizer = node_text(resource_get(resource, "AuthorizerId"));
    static const char *const known[] = {"AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS"};

    for (size_t i = 0; i < HG_COUNT(known); i++) {
        if (hg_str_is(authorization, known[i]))
            api_protect_route(t, route, authorization, authorizer);
    }
    if (authorization.n && hg_str_is(route->authorization, "NONE") &&
        !hg_str_is(authorization, "NONE"))
        problem_at(
            t, type,
            "%.*s: AuthorizationType must be one of NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS",
            HG_STR_ARG(resource->id));
    if (read_bool(t, resource_get(resource, "ApiKeyRequired"),
                  resource_what(t, resource, "ApiKeyRequired"), false))
        api_require_key(t, route);
}

static void translate_method(struct hg_transform *t, const struct hg_resource *resource,
                             const struct branch *branches)
{
    const struct hg_node *verb = resource_get(resource, "HttpMethod"),
                         *integration = resource_get(resource, "Integration");
    const struct hg_node *place = resource_get(resource, "ResourceId");
    struct hg_api_draft *draft = api_named(t, resource, "RestApiId");
    struct hg_route route = {.line = resource->line}, *added;
    struct hg_str who;

    if (!api_method(node_text(verb), &route.method)) {
        if (verb || !resource_has(resource, "HttpMethod"))
            problem_at(t, verb ? verb : resource->raw,
                       "%.*s: Invalid HttpMethod specified. Valid options are "
                       "GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
                       HG_STR_ARG(resource->id));
        return;
    }
    if (!draft)
        return;
    route.path = path_of(t, branches, draft, node_text(place), 0);
    if (!route.path.p) {
        if (place || !resource_has(resource, "ResourceId"))
            problem_at(t, place ? place : resource->raw,
                       "%.*s: ResourceId: Invalid Resource identifier specified",
                       HG_STR_ARG(resource->id));
        return;
    }
    who = api_route_text(t, &route);
    route.integration = integration
                            ? integ_read(t, integration, HG_API_REST, &integ_names_method, who)
                            : integ_missing(t, resource->line);
    if (!route.integration)
        return;
    integ_fix_type_of(t, route.integration, resource, who);
    route.operation_name = read_text(t, resource_get(resource, "OperationName"),
                                     resource_what(t, resource, "OperationName"), HG_STR(""));
    added = api_add_route(t, draft, &route, verb);
    if (!added)
        return;
    added->resource_id = transform_keep(t, node_text(place));
    integ_report(t, added->integration, who);
    protect(t, resource, added);
}

static void translate_tree(struct hg_transform *t)
{
    struct branch *branches = NULL;

    for (size_t i = 0; i < t->resource_count; i++) {
        if (!t->resources[i]->is_off &&
            hg_str_is(t->resources[i]->type, "AWS::ApiGateway::Resource"))
            branches = add_branch(t, t->resources[i], branches);
    }
    check_branches(t, branches);
    for (size_t i = 0; i < t->resource_count; i++) {
        if (!t->resources[i]->is_off && hg_str_is(t->resources[i]->type, "AWS::ApiGateway::Method"))
            translate_method(t, t->resources[i], branches);
    }
}

static void read_stage(struct hg_transform *t, const struct hg_resource *resource,
                       struct hg_stage *stage, const struct hg_node *settings)
{
    const struct hg_node *variables = node_get(settings, "Variables");

    if (variables)
        stage->variables = read_pairs(t, variables, resource_what(t, resource, "Variables"));
    stage_read_access_log(t, stage, node_get(settings, "AccessLogSetting"),
                          resource_what(t, resource, "AccessLogSetting"));
    stage_read_method_settings(t, stage, node_get(settings, "MethodSettings"),
                               resource_what(t, resource, "MethodSettings"));
}

static void translate_deployment(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *name = resource_get(resource, "StageName");
    struct hg_api_draft *draft;
    struct hg_stage *stage;

    if (resource->is_generated)
        return;
    draft = api_named(t, resource, "RestApiId");
    if (!draft || !node_is_scalar(name))
        return;
    if (!api_is_stage_name(name->text)) {
        problem_at(t, name, HG_STAGE_NAME_RULE, HG_STR_ARG(resource->id));
        return;
    }
    stage = api_stage(t, draft, name->text, resource->line);
    stage->deployment_id = transform_keep(t, eval_ref(t->eval, resource->id, resource->raw));
    read_stage(t, resource, stage, resource_get(resource, "StageDescription"));
}

static void translate_stage(struct hg_transform *t, const struct hg_resource *resource)
{
    const struct hg_node *name = resource_get(resource, "StageName");
    struct hg_api_draft *draft;
    struct hg_stage *stage;

    if (resource->is_generated)
        return;
    draft = api_named(t, resource, "RestApiId");
    if (!api_is_stage_name(node_text(name))) {
        if (name || !resource_has(resource, "StageName"))
            problem_at(t, name ? name : resource->raw, HG_STAGE_NAME_RULE,
                       HG_STR_ARG(resource->id));
        return;
    }
    if (!draft)
        return;
    stage = api_stage(t, draft, name->text, resource->line);
    stage->deployment_id = read_text(t, resource_get(resource, "DeploymentId"),
                                     resource_what(t, resource, "DeploymentId"), HG_STR(""));
    read_stage(t, resource, stage, resource->properties);
}

static void translate_gateway_response(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_api_draft *draft = api_named(t, resource, "RestApiId");
    struct hg_gateway_response response = {0};

    if (!draft)
        return;
    response.type = read_text(t, resource_get(resource, "ResponseType"),
                              resource_what(t, resource, "ResponseType"), HG_STR(""));
    response.status = (int)read_int(t, resource_get(resource, "StatusCode"),
                                    resource_what(t, resource, "StatusCode"), 100, 599, 0);
    response.parameters = read_pairs(t, resource_get(resource, "ResponseParameters"),
                                     resource_what(t, resource, "ResponseParameters"));
    response.templates = read_pairs(t, resource_get(resource, "ResponseTemplates"),
                                    resource_what(t, resource, "ResponseTemplates"));
    api_add_gateway_response(t, draft, &response, resource->raw);
}

void rest_apis_translate(struct hg_transform *t)
{
    transform_each(t, "AWS::ApiGateway::RestApi", translate_api);
    translate_tree(t);
    transform_each(t, "AWS::ApiGateway::Deployment", translate_deployment);
    transform_each(t, "AWS::ApiGateway::Stage", translate_stage);
    transform_each(t, "AWS::ApiGateway::GatewayResponse", translate_gateway_response);
}
