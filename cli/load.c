/*
 * What every command that reads a template has in common.
 */
#include "cli/load.h"

#include <unistd.h>

const char *load_find_template(const char *given)
{
    static const char *const usual[] = {"template.yaml", "template.yml", "template.json"};

    if (given)
        return given;
    for (size_t i = 0; i < HG_COUNT(usual); i++)
        if (access(usual[i], R_OK) == 0)
            return usual[i];
    (void)fprintf(stderr, "headgate: no template given and no template.yaml here; name one: headgate serve TEMPLATE\n");
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

void load_print_problems(const struct hg_problems *problems)
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

void load_print_notices(const struct hg_snapshot *snapshot, const char *file, FILE *out)
{
    static const char *const words[] = {"not served yet: ", "unknown: ", "warning: "};

    for (size_t i = 0; i < snapshot->notice_count; i++) {
        const struct hg_notice *notice = &snapshot->notices[i];

        (void)fprintf(out, "%s:%u: %s%.*s\n", file, notice->line, words[notice->kind], HG_STR_ARG(notice->text));
    }
}
