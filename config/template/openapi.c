#include "config/template/openapi.h"

#include "config/template/notices.h"
#include "config/template/openapi_security.h"
#include "config/template/transform_cors.h"
#include "config/template/transform_integ.h"

enum { REFERENCE_STEPS_MAX = 8 };

#define INTEGRATION "x-amazon-apigateway-integration"
#define ANY_METHOD "x-amazon-apigateway-any-method"

/* Extensions of the root: used here, nothing to do, or not served yet. */
static const struct {
    const char *name;
    enum hg_use use;
} root_extensions[] = {
    {"x-amazon-apigateway-gateway-responses", HG_USE_MADE},
    {"x-amazon-apigateway-binary-media-types", HG_USE_MADE},
    {"x-amazon-apigateway-cors", HG_USE_MADE},
    {"x-amazon-apigateway-endpoint-configuration", HG_USE_MADE},
    {"x-amazon-apigateway-importexport-version", HG_USE_HARMLESS},
    {"x-amazon-apigateway-documentation", HG_USE_HARMLESS},
    {"x-amazon-apigateway-security-policy", HG_USE_HARMLESS},
    {"x-amazon-apigateway-request-validators", HG_USE_HARMLESS}, /* a list; what uses it is named */
    {"x-amazon-apigateway-request-validator", HG_USE_LATER},
    {"x-amazon-apigateway-minimum-compression-size", HG_USE_LATER},
    {"x-amazon-apigateway-api-key-source", HG_USE_LATER},
    {"x-amazon-apigateway-policy", HG_USE_LATER},
};

static const struct hg_node *unescaped_member(struct hg_transform *t, const struct hg_node *node,
                                              struct hg_str name)
{
    char *text = hg_arena_strdup(t->scratch, name), *out = text;

    for (const char *in = text; *in; in++) {
        if (in[0] == '~' && (in[1] == '0' || in[1] == '1')) {
            *out++ = in[1] == '1' ? '/' : '~';
            in++;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return node_get(node, text);
}

/*
 * Follows {"$ref": "#/a/b"} inside the document. A reference that leads nowhere is a problem
 * and gives NULL.
 */
static const struct hg_node *follow(struct hg_transform *t, const struct hg_node *document,
                                    const struct hg_node *node)
{
    for (int step = 0; step < REFERENCE_STEPS_MAX; step++) {
        const struct hg_node *ref = node_get(node, "$ref"), *target = document;
        struct hg_str rest = node_text(ref), part;

        if (!ref)
            return node;
        if (!hg_str_starts(rest, HG_STR("#/"))) {
            problem_at(t, ref, "$ref %.*s leads out of the document", HG_STR_ARG(rest));
            return NULL;
        }
        rest = hg_str_skip(rest, 2);
        while (target && hg_str_next(&rest, '/', &part))
            target = unescaped_member(t, target, part);
        if (!target) {
            problem_at(t, ref, "$ref %.*s leads to nothing", HG_STR_ARG(node_text(ref)));
            return NULL;
        }
        node = target;
    }
    problem_at(t, node, "$ref goes round in circles");
    return NULL;
}

static void check_operation(struct hg_transform *t, const struct hg_node *operation,
                            struct hg_str who)
{
    for (size_t i = 0; i < operation->count; i++) {
        const struct hg_node_member *member = &operation->members[i];

        if (!hg_str_starts(member->key, HG_STR("x-amazon-apigateway-")) ||
            hg_str_is(member->key, INTEGRATION) ||
            hg_str_is(member->key, "x-amazon-apigateway-auth"))
            continue;
        notice_add(t,
                   hg_str_is(member->key, "x-amazon-apigateway-request-validator")
                       ? HG_NOTICE_NOT_SERVED
                       : HG_NOTICE_UNKNOWN,
                   member->line, "%.*s: %.*s", HG_STR_ARG(who), HG_STR_ARG(member->key));
    }
}

static void import_operation(struct hg_transform *t, struct hg_api_draft *draft,
                             const struct hg_node *document, const struct hg_route *proto,
                             const struct hg_node_member *member)
{
    const struct hg_node *operation = follow(t, document, member->value), *integration;
    struct hg_route route = *proto, *added;
    struct hg_str who = api_route_text(t, &route);

    if (!operation)
        return;
    if (!node_is_map(operation)) {
        problems_add(t->problems, member->line, member->column, "%.*s: an operation must be a map",
                     HG_STR_ARG(who));
        return;
    }
    check_operation(t, operation, who);
    integration = node_get(operation, INTEGRATION);
    if (integration)
        integration = follow(t, document, integration);
    route.integration = integration
                            ? integ_read(t, integration, draft->api.kind, &integ_names_openapi, who)
                            : integ_missing(t, member->line);
    if (!route.integration)
        return;
    route.operation_name =
        read_text(t, node_get(operation, "operationId"), "operationId", HG_STR(""));
    added = api_add_route(t, draft, &route, operation);
    if (!added)
        return;
    /* Events of functions may bring what is missing here; what they leave is told after them. */
    if (integration || !hg_str_is(draft->resource->type, "AWS::Serverless::HttpApi"))
        integ_report(t, added->integration, who);
    openapi_secure(t, document, operation, added);
}

static void import_path(struct hg_transform *t, struct hg_api_draft *draft,
                        const struct hg_node *document, const struct hg_node_member *path)
{
    const struct hg_node *item = follow(t, document, path->value);
    bool is_default =
        hg_str_is(path->key, "/" HG_DEFAULT_ROUTE) || hg_str_is(path->key, HG_DEFAULT_ROUTE);

    if (!node_is_map(item)) {
        if (item)
            problems_add(t->problems, path->line, path->column,
                         "path %.*s: must be a map of methods", HG_STR_ARG(path->key));
        return;
    }
    for (size_t i = 0; i < item->count; i++) {
        const struct hg_node_member *member = &item->members[i];
        struct hg_route route = {.path = path->key, .line = member->line};

        if (hg_str_is(member->key, ANY_METHOD))
            route.method = HG_STR("ANY");
        else if (!api_method(member->key, &route.method) || hg_str_is(route.method, "ANY"))
            continue; /* parameters, summary and other words about all operations */
        if (is_default && draft->api.kind == HG_API_HTTP)
            route.method = route.path = HG_STR("");
        import_operation(t, draft, document, &route, member);
    }
}

static void import_gateway_responses(struct hg_transform *t, struct hg_api_draft *draft,
                                     const struct hg_node *responses)
{
    static const char what[] = "x-amazon-apigateway-gateway-responses";

    for (size_t i = 0; node_is_map(responses) && i < responses->count; i++) {
        const struct hg_node *node = responses->members[i].value;
        struct hg_gateway_response response = {.type =
                                                   transform_keep(t, responses->members[i].key)};

        response.status = (int)read_int(t, node_get(node, "statusCode"), what, 100, 599, 0);
        response.parameters = read_pairs(t, node_get(node, "responseParameters"), what);
        response.templates = read_pairs(t, node_get(node, "responseTemplates"), what);
        api_add_gateway_response(t, draft, &response, node);
    }
}

static void import_root(struct hg_transform *t, struct hg_api_draft *draft,
                        const struct hg_node *document)
{
    const struct hg_node *endpoint =
        node_get(document, "x-amazon-apigateway-endpoint-configuration");
    const struct hg_node *cors = node_get(document, "x-amazon-apigateway-cors");

    for (size_t i = 0; i < document->count; i++) {
        const struct hg_node_member *member = &document->members[i];
        enum hg_use use = HG_USE_UNKNOWN;

        if (!hg_str_starts(member->key, HG_STR("x-amazon-apigateway-")))
            continue;
        for (size_t j = 0; j < HG_COUNT(root_extensions); j++) {
            if (hg_str_is(member->key, root_extensions[j].name))
                use = root_extensions[j].use;
        }
        if (use == HG_USE_LATER || use == HG_USE_UNKNOWN)
            notice_add(t, use == HG_USE_LATER ? HG_NOTICE_NOT_SERVED : HG_NOTICE_UNKNOWN,
                       member->line, "%.*s: %.*s", HG_STR_ARG(draft->resource->id),
                       HG_STR_ARG(member->key));
    }
    import_gateway_responses(t, draft, node_get(document, "x-amazon-apigateway-gateway-responses"));
    api_read_binary_types(t, draft, node_get(document, "x-amazon-apigateway-binary-media-types"),
                          "x-amazon-apigateway-binary-media-types");
    if (read_bool(t, node_get(endpoint, "disableExecuteApiEndpoint"), "disableExecuteApiEndpoint",
                  false))
        draft->api.is_endpoint_disabled = true;
    if (draft->api.kind == HG_API_HTTP && cors)
        draft->api.cors = cors_read(t, cors, &cors_names_camel, "x-amazon-apigateway-cors");
    if (!draft->api.name.n)
        draft->api.name = read_text(t, node_path(document, "info.title"), "info.title", HG_STR(""));
}

void openapi_import(struct hg_transform *t, struct hg_api_draft *draft,
                    const struct hg_node *document)
{
    const struct hg_node *paths = node_get(document, "paths");

    draft->has_definition = true;
    if (!node_is_map(document) ||
        (!node_get(document, "openapi") && !node_get(document, "swagger"))) {
        problem_at(
            t, document,
            "%.*s: Invalid OpenAPI input. It must be a map with openapi: \"3.0.1\" or swagger: \"2.0\"",
            HG_STR_ARG(draft->resource->id));
        return;
    }
    import_root(t, draft, document);
    if (paths && !node_is_map(paths) && paths->kind != HG_NODE_NULL)
        problem_at(t, paths, "%.*s: Invalid OpenAPI input. paths must be a map",
                   HG_STR_ARG(draft->resource->id));
    for (size_t i = 0; node_is_map(paths) && i < paths->count; i++) {
        if (hg_str_starts(paths->members[i].key, HG_STR("/")) ||
            hg_str_is(paths->members[i].key, HG_DEFAULT_ROUTE))
            import_path(t, draft, document, &paths->members[i]);
        else if (!hg_str_starts(paths->members[i].key, HG_STR("x-")))
            problems_add(t->problems, paths->members[i].line, paths->members[i].column,
                         "path \"%.*s\" must start with /", HG_STR_ARG(paths->members[i].key));
    }
    draft->definition_route_count = draft->route_count;
}

/* Lines of another file mean nothing beside those of the template. */
static void place_routes(struct hg_api_draft *draft, unsigned line)
{
    for (size_t i = 0; i < draft->route_count; i++) {
        draft->routes[i].line = line;
        draft->routes[i].integration->line = line;
    }
}

static void import_file(struct hg_transform *t, struct hg_api_draft *draft,
                        const struct hg_node *uri, const char *property)
{
    const char *name = hg_arena_strdup(t->scratch, uri->text), *path = name;
    struct hg_other_file file;
    struct hg_node *document;

    draft->has_definition = true;
    if (hg_str_starts(uri->text, HG_STR("s3://"))) {
        problem_at(
            t, uri,
            "%.*s: %s is in S3; the document must be on this machine: give the path of a file, or %s",
            HG_STR_ARG(draft->resource->id), property,
            draft->api.kind == HG_API_REST ? "DefinitionBody with Fn::Transform AWS::Include"
                                           : "DefinitionBody");
        return;
    }
    if (name[0] != '/')
        path = hg_arena_printf(t->scratch, "%s/%s", t->folder, name);
    notices_enter_file(t, &file, name, uri);
    document = node_load(t->scratch, path, t->problems);
    if (document)
        document = eval_resolve(t->eval, document);
    if (document)
        openapi_import(t, draft, document);
    notices_leave_file(t, &file);
    place_routes(draft, uri->line);
}

void openapi_import_of(struct hg_transform *t, struct hg_api_draft *draft, const char *body,
                       const char *uri)
{
    const struct hg_node *body_node = resource_get(draft->resource, body),
                         *uri_node = resource_get(draft->resource, uri);

    if (body_node && uri_node) {
        problem_at(
            t, uri_node,
            "Resource with id [%.*s] is invalid. Specify either '%s' or '%s' property and not both.",
            HG_STR_ARG(draft->resource->id), uri, body);
    } else if (body_node) {
        openapi_import(t, draft, body_node);
    } else if (node_is_scalar(uri_node)) {
        import_file(t, draft, uri_node, uri);
    } else if (uri_node) {
        draft->has_definition = true;
        problem_at(
            t, uri_node,
            "%.*s: %s is in S3; the document must be on this machine: give the path of a file, or %s",
            HG_STR_ARG(draft->resource->id), uri, body);
    }
}
