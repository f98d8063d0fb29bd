#include "config/template/transform_cors.h"

#include "config/template/notices.h"

enum { MAX_AGE_MAX_S = 86400 };

const struct hg_cors_names cors_names_pascal = {
    "AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders", "MaxAge", "AllowCredentials"};
const struct hg_cors_names cors_names_camel = {"allowOrigins",  "allowMethods", "allowHeaders",
                                               "exposeHeaders", "maxAge",       "allowCredentials"};

static void check_names(struct hg_transform *t, const struct hg_node *node,
                        const struct hg_cors_names *names, const char *what)
{
    const char *const known[] = {names->origins, names->methods, names->headers,
                                 names->expose,  names->max_age, names->credentials};

    for (size_t i = 0; i < node->count; i++) {
        bool is_known = false;

        for (size_t j = 0; j < HG_COUNT(known); j++)
            is_known |= hg_str_is(node->members[i].key, known[j]);
        if (!is_known)
            notice_add(t, HG_NOTICE_UNKNOWN, node->members[i].line,
                       "%s: %.*s is not a valid property for configuring Cors.", what,
                       HG_STR_ARG(node->members[i].key));
    }
}

struct hg_cors cors_read(struct hg_transform *t, const struct hg_node *node,
                         const struct hg_cors_names *names, const char *what)
{
    struct hg_cors cors = {.max_age = -1};
    bool ok = false;

    if (!node)
        return cors;
    if (node_is_scalar(node)) {
        cors.is_set = node_bool(node, &ok);
        if (!ok)
            problem_at(t, node, "%s must be true or a map", what);
        cors.allow_origins = hg_arena_must(t->arena, sizeof(*cors.allow_origins));
        cors.allow_origins[cors.allow_origin_count++] = HG_STR("*");
        return cors;
    }
    if (!node_is_map(node)) {
        problem_at(t, node, "%s must be true or a map", what);
        return cors;
    }
    check_names(t, node, names, what);
    cors.is_set = true;
    cors.allow_origins =
        read_strings(t, node_get(node, names->origins), what, &cors.allow_origin_count);
    cors.allow_methods =
        read_strings(t, node_get(node, names->methods), what, &cors.allow_method_count);
    cors.allow_headers =
        read_strings(t, node_get(node, names->headers), what, &cors.allow_header_count);
    cors.expose_headers =
        read_strings(t, node_get(node, names->expose), what, &cors.expose_header_count);
    cors.max_age = (int)read_int(t, node_get(node, names->max_age), what, -1, MAX_AGE_MAX_S, -1);
    cors.allow_credentials = read_bool(t, node_get(node, names->credentials), what, false);
    for (size_t i = 0; cors.allow_credentials && i < cors.allow_origin_count; i++) {
        if (hg_str_is(cors.allow_origins[i], "*"))
            problem_at(t, node,
                       "%s: allowing credentials is not possible together with the origin *", what);
    }
    return cors;
}
