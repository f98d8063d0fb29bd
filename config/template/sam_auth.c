#include "config/template/sam_auth.h"

#include "config/template/notices.h"

static bool is_rest(const struct hg_api_draft *draft)
{
    return draft->api.kind == HG_API_REST;
}

struct hg_sam_auth sam_auth_read(struct hg_transform *t, const struct hg_api_draft *draft)
{
    const struct hg_resource *resource = draft->resource;
    const struct hg_node *node = resource_get(resource, "Auth");
    const char *what = resource_what(t, resource, "Auth");
    struct hg_sam_auth auth = {.authorizers = node_get(node, "Authorizers"),
                               .is_iam_enabled = is_rest(draft)};

    auth.fallback = read_text(t, node_get(node, "DefaultAuthorizer"), what, HG_STR(""));
    auth.is_key_required = read_bool(t, node_get(node, "ApiKeyRequired"), what, false);
    auth.is_preflight_protected =
        read_bool(t, node_get(node, "AddDefaultAuthorizerToCorsPreflight"), what, true);
    auth.is_preflight_keyed =
        read_bool(t, node_get(node, "AddApiKeyRequiredToCorsPreflight"), what, true);
    if (!is_rest(draft))
        auth.is_iam_enabled = read_bool(t, node_get(node, "EnableIamAuthorizer"), what, false);
    return auth;
}

static struct hg_str authorization_of(const struct hg_sam_auth *auth, struct hg_str name)
{
    const struct hg_node *authorizer = node_get_str(auth->authorizers, name);

    if (node_get(authorizer, "UserPoolArn"))
        return HG_STR("COGNITO_USER_POOLS");
    if (node_get(authorizer, "JwtConfiguration"))
        return HG_STR("JWT");
    if (!authorizer && hg_str_is(name, "AWS_IAM"))
        return HG_STR("AWS_IAM");
    return HG_STR("CUSTOM");
}

void sam_auth_apply_default(struct hg_transform *t, const struct hg_sam_auth *auth,
                            struct hg_route *route, bool is_preflight)
{
    if (auth->fallback.n && hg_str_is(route->authorization, "NONE") &&
        (!is_preflight || auth->is_preflight_protected))
        api_protect_route(t, route, authorization_of(auth, auth->fallback), auth->fallback);
    if (auth->is_key_required && !route->is_api_key_required &&
        (!is_preflight || auth->is_preflight_keyed))
        api_require_key(t, route);
}

static struct hg_str route_place(struct hg_transform *t, const struct hg_route *route)
{
    return route->method.n
               ? transform_textf(t, "API method [%.*s] for path [%.*s]", HG_STR_ARG(route->method),
                                 HG_STR_ARG(route->path))
               : HG_STR("API method [x-amazon-apigateway-any-method] for path [$default]");
}

/* Whether the event may name this authorizer; a problem when not. */
static bool check_authorizer(struct hg_transform *t, const struct hg_sam_auth *auth,
                             const struct hg_route *route, const struct hg_node *name,
                             struct hg_str who)
{
    struct hg_str place = route_place(t, route);

    if (hg_str_is(name->text, "NONE")) {
        if (auth->fallback.n)
            return true;
        problem_at(
            t, name,
            "%.*s Unable to set Authorizer on %.*s because 'NONE' is only a valid value when a "
            "DefaultAuthorizer on the API is specified.",
            HG_STR_ARG(who), HG_STR_ARG(place));
        return false;
    }
    if (hg_str_is(name->text, "AWS_IAM") && auth->is_iam_enabled)
        return true;
    if (node_get_str(auth->authorizers, name->text))
        return true;
    problem_at(t, name, "%.*s Unable to set Authorizer [%.*s] on %.*s because %s", HG_STR_ARG(who),
               HG_STR_ARG(name->text), HG_STR_ARG(place),
               auth->authorizers ? "it wasn't defined in the API's Authorizers."
                                 : "the related API does not define any Authorizers.");
    return false;
}

static void apply_key(struct hg_transform *t, const struct hg_sam_auth *auth,
                      struct hg_route *route, const struct hg_node *wish, struct hg_str who)
{
    bool is_wanted = read_bool(t, wish, "Auth.ApiKeyRequired", auth->is_key_required);

    if (wish && !is_wanted && !auth->is_key_required)
        problem_at(
            t, wish,
            "%.*s Unable to set ApiKeyRequired [False] on %.*s because the related API does not specify any "
            "ApiKeyRequired.",
            HG_STR_ARG(who), HG_STR_ARG(route_place(t, route)));
    if (is_wanted)
        api_require_key(t, route);
}

void sam_auth_apply(struct hg_transform *t, const struct hg_api_draft *draft,
                    struct hg_route *route, const struct hg_node *event_auth, struct hg_str who)
{
    struct hg_sam_auth auth = sam_auth_read(t, draft);
    const struct hg_node *name = node_get(event_auth, "Authorizer"),
                         *scopes = node_get(event_auth, "AuthorizationScopes");
    struct hg_str authorizer = auth.fallback;

    if (event_auth && !is_rest(draft) && !name && !auth.fallback.n) {
        problem_at(
            t, event_auth,
            "%.*s 'Auth' section requires either an explicit 'Authorizer' set or a 'DefaultAuthorizer' "
            "configured on the HttpApi.",
            HG_STR_ARG(who));
        return;
    }
    if (scopes && !node_is_list(scopes))
        problem_at(
            t, scopes,
            "%.*s Unable to set Authorizer on %.*s because 'AuthorizationScopes' must be a list of strings.",
            HG_STR_ARG(who), HG_STR_ARG(route_place(t, route)));
    if (node_is_scalar(name)) {
        if (!check_authorizer(t, &auth, route, name, who))
            return;
        authorizer = hg_str_is(name->text, "NONE") ? HG_STR("") : name->text;
    }
    if (authorizer.n)
        api_protect_route(t, route, authorization_of(&auth, authorizer), authorizer);
    if (is_rest(draft))
        apply_key(t, &auth, route, node_get(event_auth, "ApiKeyRequired"), who);
}
