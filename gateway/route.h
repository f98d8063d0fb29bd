/*
 * Which route answers a method and a path. Built once per API, then read by
 * all loops. Works on bytes: knows neither requests nor integrations.
 *
 * Literal paths are found by hash. The rest is a tree of segments, searched
 * from the left with literals before parameters before greedy ones.
 */
#ifndef HG_GATEWAY_ROUTE_H
#define HG_GATEWAY_ROUTE_H

#include "config/model.h"
#include "core/error.h"

enum {
    HG_PATH_SEGMENTS_MAX = 64, /* of a route; bounds the depth of the search */
};

enum hg_method {
    HG_METHOD_GET,
    HG_METHOD_HEAD,
    HG_METHOD_POST,
    HG_METHOD_PUT,
    HG_METHOD_PATCH,
    HG_METHOD_DELETE,
    HG_METHOD_OPTIONS,
    HG_METHOD_ANY, /* of routes only: any of the seven above */
    HG_METHOD_OTHER,
};

/* HG_METHOD_OTHER for everything that no route but $default can have. */
enum hg_method method_of(struct hg_str text);

enum hg_segment_kind { HG_SEGMENT_LITERAL, HG_SEGMENT_PARAM, HG_SEGMENT_GREEDY };

struct hg_segment {
    enum hg_segment_kind kind;
    struct hg_str text; /* the literal, or the parameter's name */
};

/* A path template, taken apart. */
struct hg_pattern {
    struct hg_segment *segments;
    size_t segment_count;
    size_t param_count;
};

/*
 * HG_E_INVALID with a sentence when path is no template: "/pets/{id}", "/files/{rest+}". Borrows
 * path.
 */
enum hg_rc pattern_parse(struct hg_arena *arena, struct hg_str path, struct hg_pattern *pattern,
                         struct hg_error *err) hg_must_use;

/* One parameter of a matched path, as sent. */
struct hg_param {
    struct hg_str name, value;
};

/*
 * Fills params (room for pattern->param_count) from a path that route_table_find has matched with
 * this pattern.
 */
void pattern_params(const struct hg_pattern *pattern, enum hg_api_kind kind, struct hg_str path,
                    struct hg_param *params);

struct hg_route_table;

struct hg_route_table *route_table_new(struct hg_arena *arena, enum hg_api_kind kind);

/*
 * Adds a route. HG_E_CONFLICT when the same method and path are taken. warning
 * gets a sentence, and the route is added all the same, where a REST API of the
 * real service would refuse the tree. target must not be NULL.
 */
enum hg_rc route_table_add(struct hg_route_table *table, enum hg_method method,
                           const struct hg_pattern *pattern, const void *target,
                           struct hg_error *warning, struct hg_error *err) hg_must_use;

/*
 * The target of the best route, or NULL. path begins with '/', is still
 * percent-encoded and has no stage; for REST its leading slashes are one.
 */
const void *route_table_find(const struct hg_route_table *table, enum hg_method method,
                             struct hg_str path);

#endif
