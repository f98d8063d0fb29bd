/*
 * Fn::Transform with AWS::Include: the named file takes the place of the call.
 * Done before anything else reads resources, so that definitions in files of
 * their own look like any other. What a false condition switches off is not read.
 */
#include "config/template/eval_state.h"

#include <limits.h>
#include <stdlib.h>

enum { DEPTH_MAX = 10 }; /* files that include files */

static void apply(struct hg_eval *eval, struct hg_node *node, unsigned depth);

/* A problem inside the file is told at the place of the include. */
static struct hg_node *load(struct hg_eval *eval, struct hg_str location, const struct hg_node *at)
{
    struct hg_problems inner = {0};
    struct hg_node *document;
    char *path;

    if (hg_str_starts(location, HG_STR("s3://"))) {
        eval_problem(
            eval, at,
            "AWS::Include reads local files only, not %.*s; give a path relative to the template",
            HG_STR_ARG(location));
        return NULL;
    }
    if (location.n >= PATH_MAX || hg_str_find(location, '\0') >= 0) {
        eval_problem(eval, at, "the Location of AWS::Include is not a path");
        return NULL;
    }
    if (eval->includes >= HG_EVAL_INCLUDES_MAX) {
        eval_problem(eval, at, "the template includes more than %d files", HG_EVAL_INCLUDES_MAX);
        return NULL;
    }
    eval->includes++;
    path = location.n && location.p[0] == '/'
               ? hg_arena_strdup(eval->arena, location)
               : hg_arena_printf(eval->arena, "%s/%.*s", eval->dir, HG_STR_ARG(location));
    document = node_load(eval->arena, path, &inner);
    for (size_t i = 0; i < inner.count; i++) {
        if (inner.items[i].line)
            eval_problem(eval, at, "%.*s:%u:%u: %s", HG_STR_ARG(location), inner.items[i].line,
                         inner.items[i].column, inner.items[i].text);
        else
            eval_problem(eval, at, "%s", inner.items[i].text);
    }
    problems_fini(&inner);
    return document;
}

/* Lines of another file would mislead: everything from it stands where it was included. */
static void move_to(struct hg_node *node, const struct hg_node *at)
{
    node->line = at->line;
    node->column = at->column;
    for (size_t i = 0; i < node->count; i++) {
        if (node->kind == HG_NODE_LIST) {
            move_to(node->items[i], at);
            continue;
        }
        node->members[i].line = at->line;
        node->members[i].column = at->column;
        move_to(node->members[i].value, at);
    }
}

static bool read_location(struct hg_eval *eval, const struct hg_node *call,
                          const struct hg_node *at, struct hg_str *location)
{
    struct hg_str name = node_text(node_get(call, "Name"));
    const struct hg_node *parameters = node_get(call, "Parameters");

    if (!hg_str_is(name, "AWS::Include")) {
        eval_problem(eval, at, "Fn::Transform knows AWS::Include only%s%.*s",
                     name.n ? ", not " : "", HG_STR_ARG(name));
        return false;
    }
    if (!node_get(parameters, "Location")) {
        eval_problem(eval, at, "AWS::Include needs Parameters with a Location");
        return false;
    }
    return eval_text(eval, node_get(parameters, "Location"), "the Location of AWS::Include",
                     location);
}

struct hg_node *includes_read(struct hg_eval *eval, const struct hg_node *call,
                              const struct hg_node *at)
{
    struct hg_node *document = NULL;
    struct hg_str location;

    if (read_location(eval, call, at, &location))
        document = load(eval, location, at);
    if (document)
        move_to(document, at);
    return document;
}

/* Puts the document in place of the call; members beside the call stay and win. */
static void put(struct hg_eval *eval, struct hg_node *node, size_t index,
                const struct hg_node *document)
{
    struct hg_node *rest;

    if (node->count == 1) {
        unsigned line = node->line, column = node->column;

        *node = *document;
        node->line = line;
        node->column = column;
        return;
    }
    rest = node_new_map(eval->arena, node);
    for (size_t i = 0; i < node->count; i++)
        if (i != index)
            node_append(eval->arena, rest, &node->members[i]);
    for (size_t i = 0; i < document->count; i++)
        if (!node_get_str(rest, document->members[i].key))
            node_append(eval->arena, rest, &document->members[i]);
    *node = *rest;
}

static void include_at(struct hg_eval *eval, struct hg_node *node, size_t index, unsigned depth)
{
    struct hg_node at = {.line = node->members[index].line, .column = node->members[index].column};
    struct hg_node *document;

    if (depth > DEPTH_MAX) {
        eval_problem(eval, &at, "files include one another more than %d deep", DEPTH_MAX);
        return;
    }
    document = includes_read(eval, node->members[index].value, &at);
    if (!document)
        return;
    if (node->count > 1 && !node_is_map(document)) {
        eval_problem(eval, &at,
                     "the included file must be a map, since other keys stand beside the include");
        return;
    }
    put(eval, node, index, document);
    apply(eval, node, depth + 1);
}

static void apply_live_branch(struct hg_eval *eval, struct hg_node *arguments, unsigned depth)
{
    struct hg_str name;

    if (!node_is_list(arguments) || arguments->count != 3)
        return; /* said when the call is evaluated */
    name = node_text(arguments->items[0]);
    if (name.p && hg_map_get(&eval->conditions, name))
        apply(eval, arguments->items[eval_condition(eval, name, arguments->items[0]) ? 1 : 2],
              depth);
}

static void apply(struct hg_eval *eval, struct hg_node *node, unsigned depth)
{
    if (node_is_list(node)) {
        for (size_t i = 0; i < node->count; i++)
            apply(eval, node->items[i], depth);
        return;
    }
    for (size_t i = 0; node_is_map(node) && i < node->count; i++) {
        if (hg_str_is(node->members[i].key, "Fn::Transform")) {
            include_at(eval, node, i, depth);
            return;
        }
        if (node->count == 1 && hg_str_is(node->members[i].key, "Fn::If"))
            apply_live_branch(eval, node->members[i].value, depth);
        else
            apply(eval, node->members[i].value, depth);
    }
}

static bool is_off(struct hg_eval *eval, const struct hg_node *thing)
{
    struct hg_str name = node_text(node_get(thing, "Condition"));

    return name.p && hg_map_get(&eval->conditions, name) && !eval_condition(eval, name, thing);
}

static void apply_section(struct hg_eval *eval, const char *name)
{
    struct hg_node *section = node_get(eval->document, name);
    bool has_conditions = strcmp(name, "Resources") == 0 || strcmp(name, "Outputs") == 0;

    if (!has_conditions || !node_is_map(section) || node_get(section, "Fn::Transform")) {
        apply(eval, section, 1);
        if (!has_conditions)
            return;
    }
    for (size_t i = 0; node_is_map(section) && i < section->count; i++)
        if (!is_off(eval, section->members[i].value))
            apply(eval, section->members[i].value, 1);
}

void includes_apply(struct hg_eval *eval)
{
    apply_section(eval, "Mappings");
    apply_section(eval, "Conditions");
    conditions_read(eval);
    apply_section(eval, "Globals");
    apply_section(eval, "Resources");
    apply_section(eval, "Outputs");
}
