/*
 * What Ref and Fn::GetAtt mean: parameter, pseudo-parameter, SAM's dotted
 * aliases, or a resource whose type refs.def knows. Values of other types are
 * made up, and that is said.
 */
#include "config/template/refs_text.h"

static void say_unknown(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    struct hg_suggest suggest = {.wanted = name};
    const struct hg_map_entry *entry;

    if (eval->problems->count >= HG_PROBLEMS_MAX)
        return; /* looking for near names is not free */
    for (size_t i = 0; (entry = hg_map_next(&eval->parameters, &i));)
        suggest_offer(&suggest, entry->key);
    for (size_t i = 0; i < eval->resource_count; i++)
        suggest_offer(&suggest, eval->in_order[i]->id);
    for (size_t i = 0; (entry = hg_map_next(&eval->aliases, &i));)
        suggest_offer(&suggest, entry->key);
    pseudo_suggest(&suggest);
    eval_problem(eval, at, "there is no parameter or resource '%.*s'%s", HG_STR_ARG(name),
                 suggest_text(&suggest));
}

struct eval_resource *refs_find(struct hg_eval *eval, struct hg_str id, const struct hg_node *at)
{
    struct eval_resource *resource = hg_map_get(&eval->resources, id);

    if (eval->is_in_condition) {
        eval_problem(eval, at, "a condition can refer to parameters only, not to '%.*s'",
                     HG_STR_ARG(id));
        return NULL;
    }
    if (!resource) {
        say_unknown(eval, id, at);
        return NULL;
    }
    if (resource->is_off) {
        eval_problem(eval, at,
                     "'%.*s' is switched off by its condition; refer to it inside Fn::If only",
                     HG_STR_ARG(id));
        return NULL;
    }
    return resource;
}

static struct hg_node *ref_of(struct hg_eval *eval, struct eval_resource *resource,
                              const struct hg_node *at)
{
    const struct refs_type *type = refs_type(resource->type);

    if (type)
        return refs_fill(eval, resource, type, type->ref, at);
    eval_warn(eval, at ? at->line : resource->line,
              "Ref of '%.*s' (%.*s) is made up: this type is not known here",
              HG_STR_ARG(resource->id), HG_STR_ARG(resource->type));
    return refs_fill(eval, resource, NULL, "{stack}-{logical}", at);
}

struct hg_node *refs_ref(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    const struct eval_parameter *parameter = hg_map_get(&eval->parameters, name);
    struct eval_resource *resource;
    struct hg_node *value;
    const char *alias;

    if (parameter) {
        if (node_is_list(parameter->value))
            eval->nodes += parameter->value->count;
        value = eval_value(eval, parameter->value); /* a literal; this counts it */
        return node_is_list(value) ? node_copy(eval->arena, value) : value;
    }
    value = pseudo_value(eval, name, at);
    if (value)
        return value;
    alias = hg_map_get(&eval->aliases, name);
    resource = refs_find(eval, alias ? hg_str_of(alias) : name, at);
    return resource ? ref_of(eval, resource, at) : NULL;
}

/* "AWS::KMS::Key" → "kms"; what has no such form gives "custom". */
static struct hg_str service_of(struct hg_eval *eval, struct hg_str type)
{
    ptrdiff_t end;
    char *text;

    if (!hg_str_starts(type, HG_STR("AWS::")))
        return HG_STR("custom");
    type = hg_str_skip(type, 5);
    end = hg_str_find(type, ':');
    text = hg_arena_strdup(eval->arena, hg_str_n(type.p, end < 0 ? type.n : (size_t)end));
    for (char *p = text; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    return hg_str_of(text);
}

static struct hg_node *made_up(struct hg_eval *eval, struct eval_resource *resource,
                               struct hg_str attribute, struct hg_suggest *suggest,
                               const struct hg_node *at)
{
    struct hg_str service = service_of(eval, resource->type), partition = pseudo_partition(eval);
    const char *text;

    eval_warn(eval, at ? at->line : resource->line,
              "the attribute '%.*s' of '%.*s' (%.*s) is made up: it is not known here%s",
              HG_STR_ARG(attribute), HG_STR_ARG(resource->id), HG_STR_ARG(resource->type),
              suggest_text(suggest));
    if (hg_str_is(attribute, "Arn"))
        text = hg_arena_printf(eval->arena, "arn:%.*s:%.*s:%.*s:%.*s:%.*s", HG_STR_ARG(partition),
                               HG_STR_ARG(service), HG_STR_ARG(eval->region),
                               HG_STR_ARG(eval->account), HG_STR_ARG(resource->id));
    else
        text = hg_arena_printf(eval->arena, "%.*s.%.*s", HG_STR_ARG(resource->id),
                               HG_STR_ARG(attribute));
    return eval_new_text(eval, hg_str_of(text), at);
}

static struct hg_node *attribute_of(struct hg_eval *eval, struct eval_resource *resource,
                                    struct hg_str attribute, const struct hg_node *at)
{
    const struct refs_type *type = refs_type(resource->type);
    struct hg_suggest suggest = {.wanted = attribute};
    const char *value = refs_attribute_value(type, attribute, &suggest);

    if (value)
        return refs_fill(eval, resource, type, value, at);
    return made_up(eval, resource, attribute, &suggest, at);
}

struct hg_node *refs_attribute(struct hg_eval *eval, struct hg_str path, const struct hg_node *at)
{
    ptrdiff_t dot = hg_str_find(path, '.'), second;
    struct hg_str id = path, attribute = {"", 0};
    struct eval_resource *resource;
    const char *alias;

    if (dot >= 0) {
        id = hg_str_n(path.p, (size_t)dot);
        attribute = hg_str_skip(path, (size_t)dot + 1);
    }
    /* "Fn.Alias" is a reference of its own, "Fn.Alias.Arn" an attribute of what it means. */
    alias = hg_map_get(&eval->aliases, path);
    if (alias) {
        resource = refs_find(eval, hg_str_of(alias), at);
        return resource ? ref_of(eval, resource, at) : NULL;
    }
    second = hg_str_find(attribute, '.');
    if (second >= 0) {
        alias = hg_map_get(&eval->aliases, hg_str_n(path.p, id.n + 1 + (size_t)second));
        if (alias) {
            id = hg_str_of(alias);
            attribute = hg_str_skip(attribute, (size_t)second + 1);
        }
    }
    resource = refs_find(eval, id, at);
    return resource ? attribute_of(eval, resource, attribute, at) : NULL;
}

struct hg_str eval_ref(struct hg_eval *eval, struct hg_str logical_id, const struct hg_node *at)
{
    return node_text(refs_ref(eval, logical_id, at));
}

struct hg_str eval_attribute(struct hg_eval *eval, struct hg_str logical_id,
                             struct hg_str attribute, const struct hg_node *at)
{
    struct eval_resource *resource = refs_find(eval, logical_id, at);

    return node_text(resource ? attribute_of(eval, resource, attribute, at) : NULL);
}
