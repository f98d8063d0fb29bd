#include "config/template/transform.h"

#include "config/template/globals.h"
#include "config/template/implicit.h"
#include "config/template/notices.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct hg_resource *add_resource(struct hg_transform *t, struct hg_str id,
                                        struct hg_node *raw)
{
    struct hg_resource *resource = hg_arena_must(t->scratch, sizeof(*resource));

    resource->id = id;
    resource->raw = raw;
    resource->type = node_text(node_get(raw, "Type"));
    resource->use = type_use(resource->type, &resource->what);
    t->resources = transform_grow(t->scratch, t->resources, t->resource_count, sizeof(void *));
    t->resources[t->resource_count++] = resource;
    hg_map_set(&t->resources_by_id, id, resource);
    return resource;
}

struct hg_resource *transform_generate(struct hg_transform *t, struct hg_str id, const char *type,
                                       struct hg_node *properties, const struct hg_resource *beside)
{
    struct hg_resource *resource = transform_resource(t, id);
    struct hg_node *raw = node_new_map(t->scratch, beside->raw);

    if (resource)
        return resource;
    node_set(t->scratch, raw, HG_STR("Type"),
             node_new_text(t->scratch, hg_str_of(type), beside->raw));
    node_set(t->scratch, raw, HG_STR("Properties"),
             properties ? properties : node_new_map(t->scratch, beside->raw));
    resource =
        add_resource(t, id, globals_merge(t->scratch, node_get(t->document, "Globals"), raw));
    resource->line = beside->line;
    resource->column = beside->column;
    resource->is_off = beside->is_off;
    resource->is_generated = true;
    return resource;
}

static bool is_switched_off(struct hg_transform *t, const struct hg_node *raw)
{
    const struct hg_node *condition = node_get(raw, "Condition");

    if (!condition)
        return false;
    if (!node_is_scalar(condition)) {
        problem_at(t, condition, "Condition must be the name of a condition");
        return false;
    }
    return !eval_condition(t->eval, condition->text, condition);
}

static void collect_one(struct hg_transform *t, const struct hg_node_member *member)
{
    struct hg_node *raw = member->value;
    struct hg_resource *resource;
    bool is_off;

    if (hg_str_starts(member->key, HG_STR("Fn::ForEach")))
        return; /* evaluating said so */
    if (!node_is_map(raw)) {
        problems_add(t->problems, member->line, member->column,
                     "%.*s: a resource must be a map with a Type", HG_STR_ARG(member->key));
        return;
    }
    is_off = is_switched_off(t, raw);
    if (!is_off && node_text(node_get(raw, "Type")).n == 0) {
        problems_add(t->problems, member->line, member->column, "%.*s: Type is missing",
                     HG_STR_ARG(member->key));
        return;
    }
    resource = add_resource(
        t, member->key,
        is_off ? raw : globals_merge(t->scratch, node_get(t->document, "Globals"), raw));
    resource->line = member->line;
    resource->column = member->column;
    resource->is_off = is_off;
}

static void declare_from(struct hg_transform *t, size_t first)
{
    for (size_t i = first; i < t->resource_count; i++)
        eval_declare(t->eval, t->resources[i]->id, t->resources[i]->raw, t->resources[i]->is_off);
}

void transform_collect(struct hg_transform *t)
{
    const struct hg_node *section = node_get(t->document, "Resources");
    size_t given;

    if (!node_is_map(section) || section->count == 0) {
        problem_at(t, section ? section : t->document,
                   "Resources: a template needs at least one resource");
        return;
    }
    globals_check(node_get(t->document, "Globals"), t->problems);
    for (size_t i = 0; i < section->count; i++)
        collect_one(t, &section->members[i]);
    declare_from(t, 0);
    given = t->resource_count;
    implicit_generate(t);
    declare_from(t, given);
    implicit_declare_aliases(t);
}

static bool is_function_call(const struct hg_node *node)
{
    return node_is_map(node) && node->count == 1 &&
           hg_str_starts(node->members[0].key, HG_STR("Fn::"));
}

static struct hg_node *resolve_each(struct hg_transform *t, struct hg_node *raw)
{
    struct hg_node *resolved = node_new_map(t->scratch, raw);

    for (size_t i = 0; i < raw->count; i++) {
        struct hg_node_member member = raw->members[i];

        member.value = eval_resolve(t->eval, member.value);
        if (member.value)
            node_append(t->scratch, resolved, &member);
    }
    return resolved;
}

static void resolve_properties(struct hg_transform *t, struct hg_resource *resource)
{
    struct hg_node *raw = node_get(resource->raw, "Properties");

    if (raw && raw->kind != HG_NODE_NULL && !node_is_map(raw))
        problem_at(t, raw, "%.*s: Properties must be a map", HG_STR_ARG(resource->id));
    if (is_function_call(raw))
        resource->properties = eval_resolve(t->eval, raw);
    else if (node_is_map(raw))
        resource->properties = resolve_each(t, raw);
    if (!node_is_map(resource->properties))
        resource->properties = node_new_map(t->scratch, resource->raw);
}

static void say_use(struct hg_transform *t, const struct hg_resource *resource)
{
    struct hg_suggest suggest = {.wanted = resource->type};

    switch (resource->use) {
    case HG_USE_LATER:
        notice_add(t, HG_NOTICE_NOT_SERVED, resource->line, "%.*s (%.*s): %s",
                   HG_STR_ARG(resource->id), HG_STR_ARG(resource->type), resource->what);
        break;
    case HG_USE_UNKNOWN:
        types_offer(&suggest);
        notice_add(t, HG_NOTICE_UNKNOWN, resource->line, "%.*s: unknown resource type %.*s%s",
                   HG_STR_ARG(resource->id), HG_STR_ARG(resource->type), suggest_text(&suggest));
        break;
    case HG_USE_MADE:
    case HG_USE_HARMLESS:
        break;
    }
    if (resource->use != HG_USE_UNKNOWN)
        properties_check(t, resource->raw, "a resource", resource->id);
}

/* Somebody wrote its properties: it is in the template, or Globals reach it. */
static bool is_written(const struct hg_resource *resource)
{
    return !resource->is_generated || hg_str_starts(resource->type, HG_STR("AWS::Serverless::"));
}

void transform_resolve(struct hg_transform *t)
{
    for (size_t i = 0; i < t->resource_count; i++) {
        struct hg_resource *resource = t->resources[i];

        if (resource->is_off)
            continue;
        resolve_properties(t, resource);
        if (!resource->is_generated)
            say_use(t, resource);
        if (resource->use == HG_USE_MADE && is_written(resource))
            properties_check(t, resource->properties, hg_arena_strdup(t->scratch, resource->type),
                             resource->id);
    }
}

const struct hg_node *transform_choose(struct hg_transform *t, const struct hg_node *raw)
{
    const struct hg_node *choice;

    while ((choice = is_function_call(raw) ? node_get(raw, "Fn::If") : NULL)) {
        if (!node_is_list(choice) || choice->count != 3 || !node_is_scalar(choice->items[0]))
            return raw;
        raw = choice->items[eval_condition(t->eval, choice->items[0]->text, choice) ? 1 : 2];
    }
    return raw;
}

struct hg_resource *transform_resource(const struct hg_transform *t, struct hg_str id)
{
    return hg_map_get(&t->resources_by_id, id);
}

void transform_each(struct hg_transform *t, const char *type,
                    void (*translate)(struct hg_transform *, const struct hg_resource *))
{
    for (size_t i = 0; i < t->resource_count; i++) {
        if (!t->resources[i]->is_off && hg_str_is(t->resources[i]->type, type))
            translate(t, t->resources[i]);
    }
}

struct hg_node *resource_get(const struct hg_resource *resource, const char *name)
{
    struct hg_node *node = node_get(resource->properties, name);

    return node && node->kind != HG_NODE_NULL ? node : NULL;
}

bool resource_has(const struct hg_resource *resource, const char *name)
{
    return resource_get(resource, name) || node_get(node_get(resource->raw, "Properties"), name);
}

unsigned resource_line(const struct hg_resource *resource, const char *name)
{
    const struct hg_node *map = resource->properties;

    for (size_t i = 0; node_is_map(map) && i < map->count; i++) {
        if (hg_str_is(map->members[i].key, name))
            return map->members[i].line;
    }
    return resource->line;
}

struct hg_node *resource_metadata(const struct hg_resource *resource, const char *name)
{
    return node_get(node_get(resource->raw, "Metadata"), name);
}

const char *resource_what(struct hg_transform *t, const struct hg_resource *resource,
                          const char *property)
{
    return hg_arena_printf(t->scratch, "%.*s: %s", HG_STR_ARG(resource->id), property);
}
