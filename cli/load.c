/*
 * What every command that reads a template has in common.
 */
#include "cli/load.h"

#include "gateway/gateway.h"

#include <unistd.h>

const char *load_find_template(const char *given)
{
    static const char *const usual[] = {"template.yaml", "template.yml", "template.json"};

    if (given)
        return given;
    for (size_t i = 0; i < HG_COUNT(usual); i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    return NULL;
}

struct hg_template_options load_options(const struct hg_settings *settings)
{
    return (struct hg_template_options){
        .region = settings->region,
        .account = settings->account,
        .stack_name = settings->stack_name,
        .parameters = settings->parameters.items,
        .parameter_count = settings->parameters.count,
        .env_vars_file = settings->env_vars_file,
        .is_strict = settings->is_strict,
    };
}

static void print_problems(const struct hg_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct hg_problem *problem = &problems->items[i];

        (void)fprintf(stderr, "%s", problems->file ? problems->file : "template");
        if (problem->line)
            (void)fprintf(stderr, ":%u", problem->line);
        if (problem->line && problem->column)
            (void)fprintf(stderr, ":%u", problem->column);
        (void)fprintf(stderr, ": %s\n", problem->text);
    }
}

struct hg_stack *load_template(struct hg_arena *arena, const char **file,
                               const struct hg_template_options *options)
{
    struct hg_problems problems = {0};
    struct hg_stack *stack = template_load(*file, options, &problems);
    struct hg_error err;

    print_problems(&problems);
    if (problems.file)
        *file = hg_arena_strdup(arena, hg_str_of(problems.file));
    problems_fini(&problems);
    if (stack && gateway_prepare(stack, &err) != HG_OK) {
        (void)fprintf(stderr, "%s: %s\n", *file, err.text);
        stack_unref(stack);
        return NULL;
    }
    return stack;
}

void load_print_notices(const struct hg_stack *stack, const char *file, FILE *out)
{
    static const char *const words[] = {"not served yet: ", "unknown: ", "warning: "};

    for (size_t i = 0; i < stack->notice_count; i++) {
        const struct hg_notice *notice = &stack->notices[i];

        (void)fprintf(out, "%s", file);
        if (notice->line)
            (void)fprintf(out, ":%u", notice->line);
        (void)fprintf(out, ": %s%.*s\n", words[notice->kind], HG_STR_ARG(notice->text));
    }
}
