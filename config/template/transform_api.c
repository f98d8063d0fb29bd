#include "config/template/transform_api.h"

#include "config/template/notices.h"
#include "core/id.h"

enum { RESOURCE_ID_LEN = 6 };

static const char *const methods[] = {"GET",   "PUT",     "POST", "DELETE",
                                      "PATCH", "OPTIONS", "HEAD", "ANY"};

struct hg_api_draft *api_new(struct hg_transform *t, const struct hg_resource *resource,
                             enum hg_api_kind kind)
{
    struct hg_api_draft *draft = hg_arena_must(t->scratch, sizeof(*draft));

    draft->resource = resource;
    draft->api.kind = kind;
    draft->api.id = transform_keep(t, eval_ref(t->eval, resource->id, resource->raw));
    draft->api.logical_id = transform_keep(t, resource->id);
    draft->api.name = read_text(t, resource_get(resource, "Name"),
                                resource_what(t, resource, "Name"), HG_STR(""));
    draft->api.cors.max_age = -1;
    draft->api.line = resource->line;
    draft->api.is_endpoint_disabled =
        read_bool(t, resource_get(resource, "DisableExecuteApiEndpoint"),
                  resource_what(t, resource, "DisableExecuteApiEndpoint"), false);
    *t->apis_end = draft;
    t->apis_end = &draft->next;
    return draft;
}

struct hg_api_draft *api_find(const struct hg_transform *t, struct hg_str id)
{
    for (struct hg_api_draft *draft = t->apis; draft; draft = draft->next) {
        if (hg_str_eq(draft->api.id, id))
            return draft;
    }
    return NULL;
}

struct hg_api_draft *api_named(struct hg_transform *t, const struct hg_resource *resource,
                               const char *property)
{
    const struct hg_node *node = resource_get(resource, property);
    struct hg_api_draft *draft = api_find(t, node_text(node));

    if (!node && !resource_has(resource, property))
        problem_on(t, resource, "%.*s: %s is missing", HG_STR_ARG(resource->id), property);
    else if (node && !draft)
        problem_at(t, node, "%.*s: %s must reference an API in the same template",
                   HG_STR_ARG(resource->id), property);
    return draft;
}

bool api_method(struct hg_str text, struct hg_str *method)
{
    for (size_t i = 0; i < HG_COUNT(methods); i++) {
        if (hg_str_is_nocase(text, methods[i])) {
            *method = hg_str_of(methods[i]);
            return true;
        }
    }
    return false;
}

struct hg_route *api_find_route(const struct hg_api_draft *draft, struct hg_str method,
                                struct hg_str path)
{
    for (size_t i = 0; i < draft->route_count; i++) {
        if (hg_str_eq(draft->routes[i].method, method) && hg_str_eq(draft->routes[i].path, path))
            return &draft->routes[i];
    }
    return NULL;
}

struct hg_str api_route_text(struct hg_transform *t, const struct hg_route *route)
{
    if (route->method.n == 0)
        return HG_STR(HG_DEFAULT_ROUTE);
    return transform_textf(t, "%.*s %.*s", HG_STR_ARG(route->method), HG_STR_ARG(route->path));
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == ':';
}

/* What is wrong with one segment of a path; NULL when nothing is. */
static const char *segment_fault(enum hg_api_kind kind, struct hg_str segment, bool is_last)
{
    bool is_greedy;

    if (segment.n == 0)
        return is_last ? "a slash at its end; leave it out" : "an empty segment";
    if (hg_str_find(segment, '{') < 0 && hg_str_find(segment, '}') < 0) {
        for (size_t i = 0; i < segment.n; i++) {
            bool is_plain = is_name_char(segment.p[i]) ||
                            (kind == HG_API_HTTP && strchr("~!$&'()*+,;=@%", segment.p[i]));

            if (!is_plain)
                return "a character that is not one of a-z A-Z 0-9 . _ - :";
        }
        return NULL;
    }
    if (segment.p[0] != '{' || segment.p[segment.n - 1] != '}')
        return "a variable that is only a part of its segment; {name} must be all of it";
    segment = hg_str_n(segment.p + 1, segment.n - 2);
    is_greedy = hg_str_ends(segment, HG_STR("+"));
    if (is_greedy)
        segment.n--;
    if (segment.n == 0)
        return "a variable without a name";
    for (size_t i = 0; i < segment.n; i++) {
        if (!is_name_char(segment.p[i]))
            return "a variable whose name has a character that is not one of a-z A-Z 0-9 . _ -";
    }
    return is_greedy && !is_last ? "a greedy variable that is not last" : NULL;
}

static bool check_path(struct hg_transform *t, const struct hg_api_draft *draft, struct hg_str path,
                       const struct hg_node *at)
{
    struct hg_str rest = path, segment;

    if (path.n == 0 || path.p[0] != '/') {
        problem_at(t, at, "path \"%.*s\" must start with /", HG_STR_ARG(path));
        return false;
    }
    for (rest = hg_str_skip(rest, 1); path.n > 1;) {
        ptrdiff_t slash = hg_str_find(rest, '/');
        const char *fault;

        segment = hg_str_n(rest.p, slash < 0 ? rest.n : (size_t)slash);
        fault = segment_fault(draft->api.kind, segment, slash < 0);
        if (fault) {
            problem_at(t, at, "path %.*s has %s", HG_STR_ARG(path), fault);
            return false;
        }
        if (slash < 0)
            break;
        rest = hg_str_skip(rest, (size_t)slash + 1);
    }
    return true;
}

static struct hg_str first_segment(struct hg_str path)
{
    ptrdiff_t slash = hg_str_find(hg_str_skip(path, 1), '/');

    return slash < 0 ? path : hg_str_n(path.p, (size_t)slash + 1);
}

/*
 * The variable segment of b that cannot stand beside one of a in a tree of resources; p is NULL
 * when there is none.
 */
static struct hg_str clashing_variable(struct hg_str a, struct hg_str b)
{
    while (a.n > 1 && b.n > 1) {
        struct hg_str mine = first_segment(a), other = first_segment(b);

        if (!hg_str_eq(mine, other)) {
            bool are_variables = mine.n > 1 && other.n > 1 && mine.p[1] == '{' && other.p[1] == '{';

            return are_variables ? hg_str_skip(other, 1) : (struct hg_str){0};
        }
        a = hg_str_skip(a, mine.n);
        b = hg_str_skip(b, other.n);
    }
    return (struct hg_str){0};
}

static bool check_siblings(struct hg_transform *t, const struct hg_api_draft *draft,
                           struct hg_str path, const struct hg_node *at)
{
    for (size_t i = 0; i < draft->route_count; i++) {
        struct hg_str sibling = clashing_variable(path, draft->routes[i].path);

        if (sibling.p) {
            problem_at(
                t, at,
                "path %.*s: A sibling (%.*s) of this resource already has a variable path part -- only one is "
                "allowed",
                HG_STR_ARG(path), HG_STR_ARG(sibling));
            return false;
        }
    }
    return true;
}

static struct hg_str lower(struct hg_transform *t, struct hg_str text)
{
    char *copy = hg_arena_strdup(t->scratch, text);

    for (char *c = copy; *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    }
    return hg_str_of(copy);
}

static void set_identity(struct hg_transform *t, const struct hg_api_draft *draft,
                         struct hg_route *route)
{
    char id[RESOURCE_ID_LEN + 1];

    if (!route->operation_name.p)
        route->operation_name = HG_STR("");
    if (!route->authorization.p)
        route->authorization = HG_STR("NONE");
    route->route_key = route->resource_id = HG_STR("");
    if (draft->api.kind == HG_API_HTTP) {
        route->route_key = transform_keep(t, api_route_text(t, route));
    } else if (route->path.n == 1) {
        route->resource_id =
            transform_keep(t, eval_attribute(t->eval, draft->resource->id, HG_STR("RootResourceId"),
                                             draft->resource->raw));
    } else {
        hg_stable_id(
            transform_textf(t, "%.*s%.*s", HG_STR_ARG(draft->api.id), HG_STR_ARG(route->path)), id,
            RESOURCE_ID_LEN);
        id[RESOURCE_ID_LEN] = '\0';
        route->resource_id = transform_keep(t, hg_str_of(id));
    }
}

struct hg_route *api_add_route(struct hg_transform *t, struct hg_api_draft *draft,
                               const struct hg_route *route, const struct hg_node *at)
{
    struct hg_str path = route->path;
    struct hg_route *added;

    /* The service takes `/pets/` for `/pets` in REST APIs. */
    while (draft->api.kind == HG_API_REST && path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (route->method.n && !check_path(t, draft, path, at))
        return NULL;
    if (draft->api.kind == HG_API_REST && !check_siblings(t, draft, path, at))
        return NULL;
    if (api_find_route(draft, route->method, path)) {
        problem_at(t, at, "API method \"%.*s\" defined multiple times for path \"%.*s\".",
                   HG_STR_ARG(route->method.n ? lower(t, route->method)
                                              : HG_STR("x-amazon-apigateway-any-method")),
                   HG_STR_ARG(route->method.n ? path : HG_STR(HG_DEFAULT_ROUTE)));
        return NULL;
    }
    draft->routes =
        transform_grow(t->arena, draft->routes, draft->route_count, sizeof(*draft->routes));
    added = &draft->routes[draft->route_count++];
    *added = *route;
    added->method = transform_keep(t, route->method);
    added->path = transform_keep(t, path);
    set_identity(t, draft, added);
    return added;
}

/* Integrations may be shared between routes: the sentence belongs to one of them. */
static void refuse_route(struct hg_transform *t, struct hg_route *route, struct hg_str what)
{
    struct hg_integ_model *own = hg_arena_must(t->arena, sizeof(*own));

    *own = *route->integration;
    own->unsupported = transform_keepf(t, "%.*s needs %.*s, which is not served yet",
                                       HG_STR_ARG(api_route_text(t, route)), HG_STR_ARG(what));
    own->line = route->line;
    route->integration = own;
    notice_add(t, HG_NOTICE_NOT_SERVED, route->line, "%.*s; the route answers 501",
               HG_STR_ARG(own->unsupported));
}

void api_protect_route(struct hg_transform *t, struct hg_route *route, struct hg_str authorization,
                       struct hg_str authorizer)
{
    route->authorization = transform_keep(t, authorization);
    if (hg_str_is(authorization, "AWS_IAM"))
        refuse_route(t, route, HG_STR("AWS_IAM authorization"));
    else
        refuse_route(t, route, transform_textf(t, "the authorizer %.*s", HG_STR_ARG(authorizer)));
}

void api_require_key(struct hg_transform *t, struct hg_route *route)
{
    route->is_api_key_required = true;
    refuse_route(t, route, HG_STR("an API key"));
}

bool api_is_stage_name(struct hg_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return name.n > 0;
}

struct hg_stage *api_stage(struct hg_transform *t, struct hg_api_draft *draft, struct hg_str name,
                           unsigned line)
{
    struct hg_stage *stage;

    for (size_t i = 0; i < draft->stage_count; i++) {
        if (hg_str_eq(draft->stages[i].name, name))
            return &draft->stages[i];
    }
    draft->stages =
        transform_grow(t->arena, draft->stages, draft->stage_count, sizeof(*draft->stages));
    stage = &draft->stages[draft->stage_count++];
    *stage = (struct hg_stage){.name = transform_keep(t, name),
                               .line = line,
                               .deployment_id = HG_STR(""),
                               .access_log_format = HG_STR("")};
    return stage;
}

void api_read_binary_types(struct hg_transform *t, struct hg_api_draft *draft,
                           const struct hg_node *list, const char *what)
{
    size_t count;
    struct hg_str *types = read_strings(t, list, what, &count);

    for (size_t i = 0; i < count; i++) {
        ptrdiff_t tilde = hg_str_find_str(types[i], HG_STR("~1"));

        if (tilde >= 0)
            types[i] = transform_keepf(t, "%.*s/%.*s", (int)tilde, types[i].p,
                                       HG_STR_ARG(hg_str_skip(types[i], (size_t)tilde + 2)));
        draft->api.binary_types =
            transform_grow(t->arena, draft->api.binary_types, draft->api.binary_type_count,
                           sizeof(*draft->api.binary_types));
        draft->api.binary_types[draft->api.binary_type_count++] = types[i];
    }
}

void apis_finish(struct hg_transform *t)
{
    struct hg_stack *stack = t->stack;

    for (struct hg_api_draft *draft = t->apis; draft; draft = draft->next) {
        struct hg_api *api;

        stack->apis = transform_grow(t->arena, stack->apis, stack->api_count, sizeof(*api));
        api = &stack->apis[stack->api_count++];
        *api = draft->api;
        api->routes = draft->routes;
        api->route_count = draft->route_count;
        api->stages = draft->stages;
        api->stage_count = draft->stage_count;
        if (!api->name.n)
            api->name = api->logical_id;
    }
}
