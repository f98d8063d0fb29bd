/*
 * Parameters: which value each one has, from the command line or its Default.
 */
#include "config/template/eval_state.h"

enum { PARAMETERS_MAX = 1000 }; /* the service allows 200 */

static const struct hg_kv *find_override(const struct hg_eval *eval, struct hg_str name)
{
    /* The last one wins, as on other command lines. */
    for (size_t i = eval->options->parameter_count; i > 0; i--)
        if (hg_str_eq(eval->options->parameters[i - 1].key, name))
            return &eval->options->parameters[i - 1];
    return NULL;
}

static void check_overrides(struct hg_eval *eval, const struct hg_node *section)
{
    for (size_t i = 0; i < eval->options->parameter_count; i++) {
        struct hg_str name = eval->options->parameters[i].key;
        struct hg_suggest suggest = {.wanted = name};

        if (node_get_str(section, name))
            continue;
        for (size_t j = 0; node_is_map(section) && j < section->count; j++)
            suggest_offer(&suggest, section->members[j].key);
        eval_problem(eval, NULL, "--parameter-overrides %.*s: the template has no such parameter%s",
                     HG_STR_ARG(name), suggest_text(&suggest));
    }
}

static void check_keys(struct hg_eval *eval, struct hg_str name, const struct hg_node *definition)
{
    static const char *const known[] = {"Type",
                                        "Default",
                                        "AllowedValues",
                                        "AllowedPattern",
                                        "MinLength",
                                        "MaxLength",
                                        "MinValue",
                                        "MaxValue",
                                        "NoEcho",
                                        "Description",
                                        "ConstraintDescription"};

    for (size_t i = 0; i < definition->count; i++) {
        struct hg_str key = definition->members[i].key;
        struct hg_suggest suggest = {.wanted = key};
        bool is_known = false;

        for (size_t j = 0; j < HG_COUNT(known); j++) {
            is_known = is_known || hg_str_is(key, known[j]);
            suggest_offer_cstr(&suggest, known[j]);
        }
        if (!is_known)
            problems_add(eval->problems, definition->members[i].line, definition->members[i].column,
                         "the parameter '%.*s' cannot have a key '%.*s'%s", HG_STR_ARG(name),
                         HG_STR_ARG(key), suggest_text(&suggest));
    }
}

static struct hg_node *value_of(struct hg_eval *eval, const struct hg_node_member *member)
{
    const struct hg_node *definition = member->value, *given;
    struct hg_node at = {.line = member->line, .column = member->column};
    const struct hg_kv *override;

    if (!node_is_map(definition)) {
        eval_problem(eval, &at, "the parameter '%.*s' must be a map with Type",
                     HG_STR_ARG(member->key));
        return NULL;
    }
    check_keys(eval, member->key, definition);
    override = find_override(eval, member->key);
    if (override)
        return parameter_make(eval, member->key, definition, override->value, &at);
    given = node_get(definition, "Default");
    if (!given) {
        eval_problem(
            eval, &at,
            "the parameter '%.*s' has no Default; give it a value: --parameter-overrides %.*s=…",
            HG_STR_ARG(member->key), HG_STR_ARG(member->key));
        return NULL;
    }
    if (given->kind == HG_NODE_NULL)
        return parameter_make(eval, member->key, definition, HG_STR(""), given);
    if (!node_is_scalar(given)) {
        eval_problem(eval, given,
                     "the Default of '%.*s' must be a text; lists are written with commas: \"a,b\"",
                     HG_STR_ARG(member->key));
        return NULL;
    }
    return parameter_make(eval, member->key, definition, given->text, given);
}

void parameters_read(struct hg_eval *eval)
{
    const struct hg_node *section = node_get(eval->document, "Parameters");

    if (section && !node_is_map(section) && section->kind != HG_NODE_NULL)
        eval_problem(eval, section, "Parameters must be a map");
    check_overrides(eval, section);
    if (!node_is_map(section))
        return;
    if (section->count > PARAMETERS_MAX) {
        eval_problem(eval, section, "more than %d parameters", PARAMETERS_MAX);
        return;
    }
    for (size_t i = 0; i < section->count; i++) {
        struct eval_parameter *parameter = hg_arena_must(eval->arena, sizeof(*parameter));

        parameter->name = section->members[i].key;
        parameter->value = value_of(eval, &section->members[i]);
        (void)hg_map_set(&eval->parameters, parameter->name, parameter);
    }
}
