/*
 * The beginning of an evaluation: what the document's sections say before any
 * resource is looked at, and what the transform declares.
 */
#include "config/template/eval_state.h"

#include <stdlib.h>

static void free_maps(void *ptr)
{
    struct hg_eval *eval = ptr;

    hg_map_fini(&eval->parameters);
    hg_map_fini(&eval->conditions);
    hg_map_fini(&eval->resources);
    hg_map_fini(&eval->aliases);
}

static bool names_transform(const struct hg_node *transform, const char *name)
{
    if (node_is_list(transform)) {
        for (size_t i = 0; i < transform->count; i++)
            if (names_transform(transform->items[i], name))
                return true;
        return false;
    }
    if (node_is_map(transform))
        transform = node_get(transform, "Name");
    return hg_str_is(node_text(transform), name);
}

/* Says which of the named transforms are not applied. */
static void check_transforms(struct hg_eval *eval, const struct hg_node *transform)
{
    static const char *const known[] = {"AWS::Serverless-2016-10-31", "AWS::LanguageExtensions"};
    struct hg_suggest suggest = {.wanted = node_text(transform)};

    if (node_is_list(transform)) {
        for (size_t i = 0; i < transform->count; i++)
            check_transforms(eval, transform->items[i]);
        return;
    }
    if (node_is_map(transform))
        suggest.wanted = node_text(node_get(transform, "Name"));
    if (!transform || transform->kind == HG_NODE_NULL)
        return;
    if (hg_str_is(suggest.wanted, "AWS::Include")) {
        eval_problem(
            eval, transform,
            "AWS::Include is not supported for the whole template; write Fn::Transform where "
            "the file's content belongs");
        return;
    }
    for (size_t i = 0; i < HG_COUNT(known); i++) {
        if (hg_str_is(suggest.wanted, known[i]))
            return;
        suggest_offer_cstr(&suggest, known[i]);
    }
    eval_warn(eval, transform->line, "the transform '%.*s' is not known and not applied%s",
              HG_STR_ARG(suggest.wanted), suggest_text(&suggest));
}

/* Loops stand where names stand; found here, they are one clear sentence instead of odd resources. */
static void refuse_loops(struct hg_eval *eval)
{
    static const char *const sections[] = {"Resources", "Conditions", "Outputs", "Mappings"};

    for (size_t s = 0; s < HG_COUNT(sections); s++) {
        const struct hg_node *section = node_get(eval->document, sections[s]);

        for (size_t i = 0; node_is_map(section) && i < section->count; i++) {
            const struct hg_node_member *member = &section->members[i];

            if (hg_str_starts(member->key, HG_STR("Fn::ForEach")))
                problems_add(eval->problems, member->line, member->column,
                             "Fn::ForEach is not supported; write out what the loop makes");
        }
    }
}

struct hg_eval *eval_new(struct hg_arena *arena, struct hg_node *document, const char *template_dir,
                         const struct hg_template_options *options, struct hg_problems *problems)
{
    struct hg_eval *eval = hg_arena_must(arena, sizeof(*eval));

    eval->arena = arena;
    eval->problems = problems;
    eval->document = document;
    eval->dir = template_dir;
    eval->options = options;
    eval->region = hg_str_of(options->region ? options->region : "us-east-1");
    eval->account = hg_str_of(options->account ? options->account : "000000000000");
    eval->stack_name = hg_str_of(options->stack_name ? options->stack_name : "local");
    hg_arena_defer(arena, free_maps, eval);
    if (!node_is_map(document)) {
        eval_problem(eval, document, "a template is a map with the key Resources");
        return eval;
    }
    eval->has_extensions =
        names_transform(node_get(document, "Transform"), "AWS::LanguageExtensions");
    check_transforms(eval, node_get(document, "Transform"));
    refuse_loops(eval);
    parameters_read(eval);
    includes_apply(eval);
    return eval;
}

void eval_declare(struct hg_eval *eval, struct hg_str logical_id, struct hg_node *resource,
                  bool is_off)
{
    struct eval_resource *declared = hg_map_get(&eval->resources, logical_id);
    struct eval_resource **in_order;

    if (!declared) {
        declared = hg_arena_must(eval->arena, sizeof(*declared));
        if ((eval->resource_count & (eval->resource_count - 1)) == 0) {
            in_order = hg_arena_must(eval->arena, HG_MAX(eval->resource_count * 2, 1) *
                                                      sizeof(struct eval_resource *));
            if (eval->resource_count)
                memcpy(in_order, eval->in_order,
                       eval->resource_count * sizeof(struct eval_resource *));
            eval->in_order = in_order;
        }
        declared->order = eval->resource_count;
        declared->id = hg_arena_str(eval->arena, logical_id);
        eval->in_order[eval->resource_count++] = declared;
        (void)hg_map_set(&eval->resources, declared->id, declared);
    }
    declared->type = node_text(node_get(resource, "Type"));
    declared->properties = node_get(resource, "Properties");
    declared->line = resource ? resource->line : 0;
    declared->column = resource ? resource->column : 0;
    declared->is_off = is_off;
    declared->progress = EVAL_NEW;
}

void eval_declare_alias(struct hg_eval *eval, struct hg_str dotted, struct hg_str logical_id)
{
    char *name = hg_arena_strdup(eval->arena, dotted),
         *id = hg_arena_strdup(eval->arena, logical_id);

    (void)hg_map_set(&eval->aliases, hg_str_of(name), id);
}

struct hg_str eval_region(const struct hg_eval *eval)
{
    return eval->region;
}

struct hg_str eval_account(const struct hg_eval *eval)
{
    return eval->account;
}

struct hg_str eval_stack_name(const struct hg_eval *eval)
{
    return eval->stack_name;
}
