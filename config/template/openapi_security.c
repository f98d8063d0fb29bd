#include "config/template/openapi_security.h"

#include "config/template/notices.h"

static const struct hg_node *find_scheme(const struct hg_node *document, struct hg_str name)
{
    const struct hg_node *scheme =
        node_get_str(node_path(document, "components.securitySchemes"), name);

    return scheme ? scheme : node_get_str(node_get(document, "securityDefinitions"), name);
}

/*
 * A plain API key in the header x-api-key is the gateway's own; any other scheme without
 * authorizer only documents.
 */
static bool is_gateway_key(const struct hg_node *scheme)
{
    return hg_str_is_nocase(node_text(node_get(scheme, "type")), "apiKey") &&
           hg_str_is_nocase(node_text(node_get(scheme, "name")), "x-api-key") &&
           !node_get(scheme, "x-amazon-apigateway-authorizer") &&
           !node_get(scheme, "x-amazon-apigateway-authtype");
}

static void apply_scheme(struct hg_transform *t, const struct hg_node *scheme, struct hg_str name,
                         struct hg_route *route)
{
    const struct hg_node *authorizer = node_get(scheme, "x-amazon-apigateway-authorizer");
    struct hg_str type = node_text(node_get(authorizer, "type"));

    if (is_gateway_key(scheme)) {
        api_require_key(t, route);
    } else if (hg_str_is_nocase(node_text(node_get(scheme, "x-amazon-apigateway-authtype")),
                                "awsSigv4")) {
        api_protect_route(t, route, HG_STR("AWS_IAM"), name);
    } else if (authorizer) {
        api_protect_route(t, route,
                          hg_str_is_nocase(type, "cognito_user_pools")
                              ? HG_STR("COGNITO_USER_POOLS")
                          : hg_str_is_nocase(type, "jwt") ? HG_STR("JWT")
                                                          : HG_STR("CUSTOM"),
                          name);
    }
}

void openapi_secure(struct hg_transform *t, const struct hg_node *document,
                    const struct hg_node *operation, struct hg_route *route)
{
    const struct hg_node *security = node_get(operation, "security");
    const struct hg_node *own = node_get(operation, "x-amazon-apigateway-auth");

    if (hg_str_is_nocase(node_text(node_get(own, "type")), "AWS_IAM")) {
        api_protect_route(t, route, HG_STR("AWS_IAM"), HG_STR("AWS_IAM"));
        return;
    }
    if (!security)
        security = node_get(document, "security");
    for (size_t i = 0; node_is_list(security) && i < security->count; i++) {
        const struct hg_node *requirement = security->items[i];

        for (size_t j = 0; node_is_map(requirement) && j < requirement->count; j++) {
            struct hg_str name = requirement->members[j].key;
            const struct hg_node *scheme = find_scheme(document, name);

            if (scheme)
                apply_scheme(t, scheme, name, route);
            else if (!hg_str_is(name, "NONE"))
                notice_add(t, HG_NOTICE_UNKNOWN, requirement->members[j].line,
                           "%.*s: security names the scheme %.*s, which "
                           "the document does not define",
                           HG_STR_ARG(api_route_text(t, route)), HG_STR_ARG(name));
        }
    }
}
