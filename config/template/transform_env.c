/*
 * --env-vars: {"Function": {"NAME": "value"}, "Parameters": {"NAME": "value"}}.
 * Only variables that the template declares are passed; a function's own part
 * beats Parameters, which beats the template.
 */
#include "config/template/notices.h"
#include "config/template/transform_function.h"

#define FOR_ALL "Parameters"

void env_vars_load(struct hg_transform *t)
{
    struct hg_problems own = {0};

    if (!t->options->env_vars_file)
        return;
    t->env_vars = node_load(t->scratch, t->options->env_vars_file, &own);
    if (t->env_vars && !node_is_map(t->env_vars))
        problems_add(&own, 1, 0, "must be a map from functions to variables");
    for (size_t i = 0; node_is_map(t->env_vars) && i < t->env_vars->count; i++) {
        const struct hg_node_member *member = &t->env_vars->members[i];

        if (!node_is_map(member->value))
            problems_add(&own, member->line, 0, "%.*s must be a map of variables",
                         HG_STR_ARG(member->key));
    }
    for (size_t i = 0; i < own.count; i++)
        problems_add(t->problems, 0, 0, "%s:%u: %s", t->options->env_vars_file, own.items[i].line,
                     own.items[i].text);
    problems_fini(&own);
}

/* The part for one function: by logical id, or by name. */
static const struct hg_node *part_of(const struct hg_transform *t,
                                     const struct hg_function *function)
{
    const struct hg_node *part = node_get_str(t->env_vars, function->logical_id);

    return part ? part : node_get_str(t->env_vars, function->name);
}

static void override_one(struct hg_transform *t, const struct hg_function *function,
                         struct hg_kv *variable)
{
    const struct hg_node *value = node_get_str(part_of(t, function), variable->key);

    if (!value)
        value = node_get_str(node_get(t->env_vars, FOR_ALL), variable->key);
    if (!value)
        return;
    if (node_is_scalar(value))
        variable->value = transform_keep(t, value->text);
    else if (value->kind == HG_NODE_NULL)
        variable->value = HG_STR("");
    else
        problems_add(t->problems, 0, 0, "%s:%u: the value of %.*s must be a text",
                     t->options->env_vars_file, value->line, HG_STR_ARG(variable->key));
}

/* Secrets and parameters that deploying would look up: the function gets the words as they stand. */
static void warn_of_dynamic_reference(struct hg_transform *t, const struct hg_function *function,
                                      const struct hg_kv *variable)
{
    if (hg_str_find_str(variable->value, HG_STR("{{resolve:")) < 0)
        return;
    notice_add(t, HG_NOTICE_WARNING, function->line,
               "%.*s: the variable %.*s is '%.*s' as it stands: dynamic references are not looked "
               "up; give the value with --env-vars",
               HG_STR_ARG(function->logical_id), HG_STR_ARG(variable->key),
               HG_STR_ARG(variable->value));
}

void env_vars_apply(struct hg_transform *t, struct hg_function *function)
{
    for (size_t i = 0; i < function->environment.count; i++) {
        if (t->env_vars)
            override_one(t, function, &function->environment.items[i]);
        warn_of_dynamic_reference(t, function, &function->environment.items[i]);
    }
}

static const struct hg_function *function_of_part(const struct hg_transform *t, struct hg_str name)
{
    const struct hg_function *function = hg_map_get(&t->functions_by_id, name);

    return function ? function : hg_map_get(&t->stack->functions_by_name, name);
}

void env_vars_report(struct hg_transform *t)
{
    for (size_t i = 0; node_is_map(t->env_vars) && i < t->env_vars->count; i++) {
        const struct hg_node_member *part = &t->env_vars->members[i];
        const struct hg_function *function = function_of_part(t, part->key);

        if (hg_str_is(part->key, FOR_ALL))
            continue;
        if (!function)
            notice_add(t, HG_NOTICE_WARNING, 0, "%s:%u: the template has no function %.*s",
                       t->options->env_vars_file, part->line, HG_STR_ARG(part->key));
        for (size_t j = 0; function && node_is_map(part->value) && j < part->value->count; j++) {
            const struct hg_node_member *variable = &part->value->members[j];

            if (!kv_get(&function->environment, variable->key).p)
                notice_add(t, HG_NOTICE_WARNING, 0,
                           "%s:%u: %.*s does not declare %.*s in the template; it is not passed",
                           t->options->env_vars_file, variable->line, HG_STR_ARG(part->key),
                           HG_STR_ARG(variable->key));
        }
    }
}
