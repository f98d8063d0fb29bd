/*
 * The translation of one template into one stack: what its parts share.
 * One thread, one pass; everything but the stack ends with the call.
 */
#ifndef HG_CONFIG_TEMPLATE_TRANSFORM_H
#define HG_CONFIG_TEMPLATE_TRANSFORM_H

#include "config/template/eval.h"
#include "core/map.h"

enum hg_use { HG_USE_MADE, HG_USE_HARMLESS, HG_USE_LATER, HG_USE_UNKNOWN };

/* A resource that is part of the stack, also one that SAM generates. */
struct hg_resource {
    struct hg_str id, type;
    enum hg_use use;
    const char *what;           /* why harmless, or what is missing */
    struct hg_node *raw;        /* with Globals merged in */
    struct hg_node *properties; /* evaluated; a map; members at fault are absent */
    unsigned line, column;      /* of the logical id */
    bool is_off;                /* its Condition is false: not looked at any further */
    bool is_generated;
};

/* An API while routes are still being added. */
struct hg_api_draft {
    struct hg_api api; /* but for routes and stages */
    const struct hg_resource *resource;
    struct hg_route *routes;
    size_t route_count;
    struct hg_stage *stages;
    size_t stage_count;
    bool has_definition;           /* a body that the template gives */
    size_t definition_route_count; /* the first routes came from it */
    struct hg_api_draft *next;
};

struct hg_transform {
    struct hg_stack *stack;
    struct hg_arena *arena;   /* the stack's: what stays */
    struct hg_arena *scratch; /* trees and lists that end with the translation */
    struct hg_eval *eval;
    const struct hg_template_options *options;
    struct hg_problems *problems;
    struct hg_node *document;
    const char *folder; /* of the template; relative paths start here */
    bool is_built;      /* it is what `sam build` wrote */
    struct hg_resource **resources;
    size_t resource_count;
    struct hg_map resources_by_id;
    struct hg_map functions_by_id; /* logical id → struct hg_function, $LATEST */
    struct hg_map
        broken_functions; /* names of functions that could not be made, which was told already */
    struct hg_api_draft *apis, **apis_end;
    struct hg_node *env_vars; /* of --env-vars; NULL for none */
};

/* Memory for one more item behind count items; the list grows by doubling and starts as NULL. */
void *transform_grow(struct hg_arena *arena, void *items, size_t count, size_t item_size);
/* A copy that stays with the stack. */
struct hg_str transform_keep(struct hg_transform *t, struct hg_str text);
struct hg_str transform_keepf(struct hg_transform *t, const char *format, ...) hg_printf_like(2, 3);
/* A formatted string for the length of the translation. */
struct hg_str transform_textf(struct hg_transform *t, const char *format, ...) hg_printf_like(2, 3);

struct hg_resource *transform_resource(const struct hg_transform *t, struct hg_str id);
/* Adds a resource that SAM generates beside another; an explicit one of that name wins. */
struct hg_resource *transform_generate(struct hg_transform *t, struct hg_str id, const char *type,
                                       struct hg_node *properties,
                                       const struct hg_resource *beside);

/*
 * Reads Resources: evaluates conditions, merges Globals, adds what SAM generates, declares all
 * to the evaluation.
 */
void transform_collect(struct hg_transform *t);
/*
 * Evaluates each property by itself, so that one fault does not hide others, and lists what is
 * not served or unknown.
 */
void transform_resolve(struct hg_transform *t);

/*
 * Calls translate for each resource of the type that is on, in document order, generated ones
 * last.
 */
void transform_each(struct hg_transform *t, const char *type,
                    void (*translate)(struct hg_transform *, const struct hg_resource *));

/* Evaluated property; NULL when absent or at fault. */
struct hg_node *resource_get(const struct hg_resource *resource, const char *name);
/* Whether the template gives it at all, also when it could not be evaluated. */
bool resource_has(const struct hg_resource *resource, const char *name);
/* Line of the property's name; the resource's when it has none. */
unsigned resource_line(const struct hg_resource *resource, const char *name);
struct hg_node *resource_metadata(const struct hg_resource *resource, const char *name);

/* Raw node, with the branch taken that its Fn::If chooses. */
const struct hg_node *transform_choose(struct hg_transform *t, const struct hg_node *raw);

/* "Fn: Timeout", for messages. */
const char *resource_what(struct hg_transform *t, const struct hg_resource *resource,
                          const char *property);

/*
 * Readers of evaluated properties. An absent node gives fallback; a wrong one is a problem that
 * names what and also gives fallback.
 */
struct hg_str read_text(struct hg_transform *t, const struct hg_node *node, const char *what,
                        struct hg_str fallback);
int64_t read_int(struct hg_transform *t, const struct hg_node *node, const char *what, int64_t min,
                 int64_t max, int64_t fallback);
bool read_bool(struct hg_transform *t, const struct hg_node *node, const char *what, bool fallback);
/* A map of scalars, kept; members that are not scalars are problems. */
struct hg_kv_list read_pairs(struct hg_transform *t, const struct hg_node *node, const char *what);
/* A list of scalars (or one scalar), kept. */
struct hg_str *read_strings(struct hg_transform *t, const struct hg_node *node, const char *what,
                            size_t *count);

#endif
