#include "config/template/sam_cors.h"

#include "config/template/notices.h"
#include "config/template/transform_integ.h"

static const char wildcard[] = "'*'";

/* Sorted; what ANY stands for. */
static const char *const all_methods[] = {"DELETE", "GET",  "HEAD", "OPTIONS",
                                          "PATCH",  "POST", "PUT"};

struct cors {
    struct hg_str origin, methods, headers, max_age; /* in single quotes; "" when not given */
    bool allow_credentials;
    unsigned line;
};

/* A literal of a parameter mapping: its single quotes are part of the text. */
static struct hg_str read_literal(struct hg_transform *t, const struct hg_node *node,
                                  const char *what, const char *fallback)
{
    struct hg_str text = read_text(t, node, what, hg_str_of(fallback));

    if (node && node->scalar == HG_SCALAR_INT)
        return transform_keepf(t, "'%.*s'", HG_STR_ARG(text));
    if (text.n && (text.n < 2 || text.p[0] != '\'' || text.p[text.n - 1] != '\''))
        problem_at(t, node, "%s must stand in single quotes inside of its text: \"'%.*s'\"", what,
                   HG_STR_ARG(text));
    return text;
}

static bool read_cors(struct hg_transform *t, const struct hg_api_draft *draft, struct cors *cors)
{
    static const char *const known[] = {"AllowMethods", "AllowHeaders", "AllowOrigin", "MaxAge",
                                        "AllowCredentials"};
    const struct hg_node *node = resource_get(draft->resource, "Cors");
    const char *what = resource_what(t, draft->resource, "Cors");

    if (!node)
        return false;
    *cors = (struct cors){.line = node->line};
    if (node_is_scalar(node)) {
        cors->origin = read_literal(t, node, what, wildcard);
        cors->methods = cors->headers = cors->max_age = HG_STR("");
        return true;
    }
    for (size_t i = 0; node_is_map(node) && i < node->count; i++) {
        bool is_known = false;

        for (size_t j = 0; j < HG_COUNT(known); j++)
            is_known |= hg_str_is(node->members[i].key, known[j]);
        if (!is_known)
            problem_at(
                t, node->members[i].value,
                "Resource with id [%.*s] is invalid. Invalid value for 'Cors' property: %.*s "
                "is not one of AllowMethods, AllowHeaders, AllowOrigin, MaxAge, AllowCredentials",
                HG_STR_ARG(draft->resource->id), HG_STR_ARG(node->members[i].key));
    }
    cors->origin = read_literal(t, node_get(node, "AllowOrigin"),
                                resource_what(t, draft->resource, "Cors.AllowOrigin"), wildcard);
    cors->methods = read_literal(t, node_get(node, "AllowMethods"),
                                 resource_what(t, draft->resource, "Cors.AllowMethods"), "");
    cors->headers = read_literal(t, node_get(node, "AllowHeaders"),
                                 resource_what(t, draft->resource, "Cors.AllowHeaders"), "");
    cors->max_age = read_literal(t, node_get(node, "MaxAge"),
                                 resource_what(t, draft->resource, "Cors.MaxAge"), "");
    cors->allow_credentials = read_bool(t, node_get(node, "AllowCredentials"), what, false);
    if (cors->allow_credentials && hg_str_is(cors->origin, wildcard))
        problem_at(
            t, node,
            "Resource with id [%.*s] is invalid. Unable to add Cors configuration because 'AllowCredentials' "
            "can not be true when 'AllowOrigin' is \"'*'\" or not set",
            HG_STR_ARG(draft->resource->id));
    return true;
}

/* "'GET,OPTIONS'": the methods of the path, sorted. */
static struct hg_str methods_of(struct hg_transform *t, const struct hg_api_draft *draft,
                                struct hg_str path)
{
    bool has_any = api_find_route(draft, HG_STR("ANY"), path);
    struct hg_buf text;
    struct hg_str kept;

    hg_buf_init(&text, 256);
    for (size_t i = 0; i < HG_COUNT(all_methods); i++) {
        struct hg_str method = hg_str_of(all_methods[i]);

        if (has_any || hg_str_is(method, "OPTIONS") || api_find_route(draft, method, path))
            hg_buf_printf(&text, "%s%s", text.len ? "," : "'", all_methods[i]);
    }
    hg_buf_append_cstr(&text, "'");
    kept = transform_keep(t, hg_buf_str(&text));
    hg_buf_fini(&text);
    return kept;
}

static void set_header(struct hg_kv_list *list, const char *name, struct hg_str value)
{
    if (value.n)
        list->items[list->count++] = (struct hg_kv){hg_str_of(name), value};
}

static struct hg_kv_list preflight_headers(struct hg_transform *t, const struct hg_api_draft *draft,
                                           const struct cors *cors, struct hg_str path)
{
    struct hg_kv_list list = {.items = hg_arena_must(t->arena, 5 * sizeof(*list.items))};

    set_header(&list, "method.response.header.Access-Control-Allow-Origin", cors->origin);
    set_header(&list, "method.response.header.Access-Control-Allow-Headers", cors->headers);
    set_header(&list, "method.response.header.Access-Control-Allow-Methods",
               cors->methods.n ? cors->methods : methods_of(t, draft, path));
    set_header(&list, "method.response.header.Access-Control-Max-Age", cors->max_age);
    set_header(&list, "method.response.header.Access-Control-Allow-Credentials",
               cors->allow_credentials ? HG_STR("'true'") : HG_STR(""));
    return list;
}

void sam_cors_apply(struct hg_transform *t, struct hg_api_draft *draft,
                    const struct hg_sam_auth *auth)
{
    size_t count = draft->route_count;
    struct cors cors;

    if (!read_cors(t, draft, &cors))
        return;
    for (size_t i = 0; i < count; i++) {
        struct hg_str path = draft->routes[i].path;
        struct hg_route route = {.method = HG_STR("OPTIONS"), .path = path, .line = cors.line},
                        *added;

        if (api_find_route(draft, HG_STR("OPTIONS"), path))
            continue;
        route.integration = integ_preflight(t, preflight_headers(t, draft, &cors, path), cors.line);
        added = api_add_route(t, draft, &route, resource_get(draft->resource, "Cors"));
        if (added)
            sam_auth_apply_default(t, auth, added, true);
    }
}
