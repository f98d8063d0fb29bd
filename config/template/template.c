/*
 * The way from a file to a stack: load, evaluate, collect, translate, in this order. Blocks;
 * for start-up and helper threads.
 */
#include "config/template/template.h"

#include "config/template/notices.h"
#include "config/template/sam_parts.h"
#include "config/template/transform_api.h"
#include "config/template/transform_function.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    SCRATCH_BYTES_MAX = 1 << 30, /* the loader's own limits come first */
    BUILD_SLACK_S = 2,           /* clocks of file systems are coarse, and builds are quick */
};

#define BUILT_FOLDER ".aws-sam/build"
#define BUILT_TEMPLATE BUILT_FOLDER "/template.yaml"

enum built { BUILT_NONE, BUILT_USED, BUILT_OLD };

static char *folder_of(struct hg_arena *arena, const char *path)
{
    return hg_arena_strdup(arena, hg_str_of(dirname(hg_arena_strdup(arena, hg_str_of(path)))));
}

/*
 * Looks for what `sam build` left beside the template; *path is replaced when that is to be
 * used.
 */
static enum built find_built(struct hg_arena *arena, const char **path)
{
    char *built = hg_arena_printf(arena, "%s/" BUILT_TEMPLATE, folder_of(arena, *path));
    struct stat given_stat, built_stat;

    hg_assert(*path);
    if (stat(*path, &given_stat) != 0 || stat(built, &built_stat) != 0)
        return BUILT_NONE;
    if (built_stat.st_mtim.tv_sec + BUILD_SLACK_S < given_stat.st_mtim.tv_sec)
        return BUILT_OLD;
    *path = built;
    return BUILT_USED;
}

static void say_built(struct hg_transform *t, enum built built)
{
    switch (built) {
    case BUILT_NONE:
        break;
    case BUILT_USED:
        notice_add(t, HG_NOTICE_WARNING, 0,
                   "using " BUILT_TEMPLATE ", which `sam build` made from this template");
        break;
    case BUILT_OLD:
        notice_add(t, HG_NOTICE_WARNING, 0,
                   BUILT_TEMPLATE " is older than the template and not used; run `sam build`");
        break;
    }
}

static void translate_outputs(struct hg_transform *t)
{
    const struct hg_node *section = node_get(t->document, "Outputs");
    struct hg_stack *stack = t->stack;

    for (size_t i = 0; node_is_map(section) && i < section->count; i++) {
        const struct hg_node *output = section->members[i].value,
                             *condition = node_get(output, "Condition"), *value;

        if (node_is_scalar(condition) && !eval_condition(t->eval, condition->text, condition))
            continue;
        if (!node_get(output, "Value")) {
            problems_add(t->problems, section->members[i].line, section->members[i].column,
                         "output %.*s: Value is missing", HG_STR_ARG(section->members[i].key));
            continue;
        }
        value = eval_resolve(t->eval, node_get(output, "Value"));
        if (!node_is_scalar(value))
            continue;
        stack->outputs =
            transform_grow(t->arena, stack->outputs, stack->output_count, sizeof(*stack->outputs));
        stack->outputs[stack->output_count++] =
            (struct hg_output){.name = transform_keep(t, section->members[i].key),
                               .value = transform_keep(t, value->text),
                               .description = read_text(t, node_get(output, "Description"),
                                                        "Description", HG_STR(""))};
    }
}

static void warn_of_apis_without_stage(struct hg_transform *t)
{
    for (const struct hg_api_draft *draft = t->apis; draft; draft = draft->next) {
        if (draft->stage_count == 0)
            notice_add(t, HG_NOTICE_WARNING, draft->api.line,
                       "%.*s has no stage: nothing of it can be called",
                       HG_STR_ARG(draft->api.logical_id));
    }
}

/*
 * What evaluating said: made-up values, imports without a source, transforms that are not
 * applied.
 */
static void take_eval_notices(struct hg_transform *t)
{
    size_t count;
    const struct hg_notice *notices = eval_notices(t->eval, &count);

    for (size_t i = 0; i < count; i++)
        notice_add(t, notices[i].kind, notices[i].line, "%.*s", HG_STR_ARG(notices[i].text));
}

static int compare_notices(const void *left, const void *right)
{
    const struct hg_notice *a = left, *b = right;

    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return hg_str_cmp(a->text, b->text);
}

static void translate(struct hg_transform *t)
{
    properties_check(t, t->document, "a template", HG_STR("top level"));
    env_vars_load(t);
    transform_collect(t);
    transform_resolve(t);
    layers_translate(t);
    sam_functions_translate(t);
    lambda_functions_translate(t);
    lambda_versions_translate(t);
    permissions_translate(t);
    event_settings_translate(t);
    sam_apis_translate(t);
    sam_http_apis_translate(t);
    rest_apis_translate(t);
    http_apis_translate(t);
    sam_events_translate(t);
    sam_apis_finish(t);
    sam_http_apis_finish(t);
    warn_of_apis_without_stage(t);
    translate_outputs(t);
    env_vars_report(t);
    apis_finish(t);
    take_eval_notices(t);
    if (t->stack->notice_count)
        qsort(t->stack->notices, t->stack->notice_count, sizeof(struct hg_notice), compare_notices);
}

/* Absolute, so that code folders stay right whatever becomes of the working directory. */
static const char *absolute_folder(struct hg_arena *arena, const char *path)
{
    char resolved[PATH_MAX];
    char *folder = folder_of(arena, path);

    return realpath(folder, resolved) ? hg_arena_strdup(arena, hg_str_of(resolved)) : folder;
}

static struct hg_node *load_document(struct hg_arena *scratch, const char *path,
                                     struct hg_problems *problems)
{
    struct hg_node *document = node_load(scratch, path, problems);

    if (document && !node_is_map(document)) {
        problems_add(problems, document->line, document->column,
                     "a template must be a map with Resources");
        return NULL;
    }
    return document;
}

static struct hg_stack *translate_document(struct hg_transform *t, enum built built)
{
    t->eval = eval_new(t->scratch, t->document, t->folder, t->options, t->problems);
    if (!t->eval)
        return NULL;
    t->stack = stack_new(eval_region(t->eval), eval_account(t->eval));
    t->arena = t->stack->arena;
    t->stack->stack_name = transform_keep(t, eval_stack_name(t->eval));
    t->is_built =
        built == BUILT_USED || hg_str_ends(hg_str_of(t->folder), HG_STR("/" BUILT_FOLDER));
    say_built(t, built);
    hg_map_init(&t->resources_by_id);
    hg_map_init(&t->functions_by_id);
    hg_map_init(&t->broken_functions);
    translate(t);
    hg_map_fini(&t->resources_by_id);
    hg_map_fini(&t->functions_by_id);
    hg_map_fini(&t->broken_functions);
    return t->stack;
}

/* A misspelt name is often why something else is missing: it is told beside the problems. */
static void tell_unknown(const struct hg_stack *stack, struct hg_problems *problems)
{
    for (size_t i = 0; i < stack->notice_count; i++) {
        if (stack->notices[i].kind == HG_NOTICE_UNKNOWN)
            problems_add(problems, stack->notices[i].line, 0, "unknown: %.*s",
                         HG_STR_ARG(stack->notices[i].text));
    }
}

struct hg_stack *template_load(const char *path, const struct hg_template_options *options,
                               struct hg_problems *problems)
{
    struct hg_arena *scratch = hg_arena_new(SCRATCH_BYTES_MAX);
    struct hg_transform t = {.scratch = scratch, .options = options, .problems = problems};
    struct hg_stack *stack = NULL;
    enum built built = find_built(scratch, &path);

    problems->file = path;
    if (built == BUILT_USED)
        problems->file = problems->owned_file = hg_strdup(path);
    t.apis_end = &t.apis;
    t.folder = absolute_folder(scratch, path);
    t.document = load_document(scratch, path, problems);
    if (t.document)
        stack = translate_document(&t, built);
    hg_arena_free(scratch);
    if (stack && problems->count > 0) {
        tell_unknown(stack, problems);
        stack_unref(stack);
        stack = NULL;
    }
    return stack;
}
