/*
 * The table of resource types, and the physical names of resources.
 */
#include "config/template/refs_text.h"

static const struct refs_type rows[] = {
#define HG_TYPE(type, property, kind, ref) {type, property, kind, ref, NULL, NULL},
#define HG_ATTRIBUTE(name, value) {NULL, NULL, NAME_NONE, NULL, name, value},
#include "config/template/refs.def"
#undef HG_TYPE
#undef HG_ATTRIBUTE
};

const struct refs_type *refs_type(struct hg_str name)
{
    for (size_t i = 0; name.p && i < HG_COUNT(rows); i++)
        if (rows[i].name && hg_str_is(name, rows[i].name))
            return &rows[i];
    return NULL;
}

const char *refs_attribute_value(const struct refs_type *type, struct hg_str attribute,
                                 struct hg_suggest *suggest)
{
    if (!type)
        return NULL;
    for (type++; type < rows + HG_COUNT(rows) && type->attribute; type++) {
        if (hg_str_is(attribute, type->attribute))
            return type->value;
        suggest_offer_cstr(suggest, type->attribute);
    }
    return NULL;
}

static bool is_true(const struct hg_node *properties, const char *name)
{
    bool ok;

    return node_bool(node_get(properties, name), &ok);
}

/* The name of a resource that has none of its own. */
static struct hg_str default_name(struct hg_eval *eval, const struct eval_resource *resource,
                                  enum refs_name kind)
{
    bool is_fifo = kind == NAME_FIFO && (is_true(resource->properties, "FifoQueue") ||
                                         is_true(resource->properties, "FifoTopic"));
    char *name;

    if (kind == NAME_LOGICAL)
        return resource->id;
    name = hg_arena_printf(eval->arena, "%.*s-%.*s%s", HG_STR_ARG(eval->stack_name),
                           HG_STR_ARG(resource->id), is_fifo ? ".fifo" : "");
    for (char *p = name; kind == NAME_LOWER && *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32);
    return hg_str_of(name);
}

static struct hg_str own_name(struct hg_eval *eval, struct eval_resource *resource,
                              const struct refs_type *type, const struct hg_node *raw,
                              const struct hg_node *at)
{
    const struct hg_node *value;

    if (!eval_enter(eval, at))
        return hg_str_n(NULL, 0);
    resource->progress = EVAL_RUNNING;
    value = eval_value(eval, raw);
    eval_leave(eval);
    if (!value)
        return hg_str_n(NULL, 0);
    if (value == &eval_no_value)
        return default_name(eval, resource, type->kind);
    if (node_is_scalar(value) && value->text.n)
        return value->text;
    eval_problem(eval, raw, "%s of '%.*s' must be a text", type->name_property,
                 HG_STR_ARG(resource->id));
    return hg_str_n(NULL, 0);
}

bool refs_name_of(struct hg_eval *eval, struct eval_resource *resource,
                  const struct refs_type *type, const struct hg_node *at, struct hg_str *name)
{
    const struct hg_node *raw =
        type && type->name_property ? node_get(resource->properties, type->name_property) : NULL;

    if (resource->progress == EVAL_RUNNING) {
        eval_problem(eval, at, "the name of '%.*s' depends on itself", HG_STR_ARG(resource->id));
        return false;
    }
    if (resource->progress == EVAL_NEW) {
        if (raw)
            resource->name = own_name(eval, resource, type, raw, at);
        else
            resource->name = default_name(eval, resource, type ? type->kind : NAME_STACK);
        resource->progress = EVAL_DONE;
    }
    *name = resource->name;
    return name->p != NULL;
}
