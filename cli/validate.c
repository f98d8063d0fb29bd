/*
 * headgate validate and headgate routes: a template read, nothing started.
 */
#include "cli/command.h"
#include "cli/load.h"
#include "gateway/gateway.h"
#include "workers/pool.h"

#include <stdlib.h>

/* A stack, or NULL with the exit code set and everything said. */
static struct hg_stack *load(struct hg_arena *arena, int argc, char **argv,
                             struct hg_settings *settings, const char **file, int *code)
{
    struct hg_template_options options;
    struct hg_stack *stack = NULL;
    struct hg_buf mistakes;

    hg_buf_init(&mistakes, 1 << 16);
    *code = HG_EXIT_USAGE;
    if (settings_parse(arena, argc - 1, argv + 1, settings, &mistakes) != HG_OK) {
        (void)fprintf(stderr, "%.*s", HG_STR_ARG(hg_buf_str(&mistakes)));
    } else if (!(*file = load_find_template(settings->template_file))) {
        (void)fprintf(stderr,
                      "headgate: no template given and no template.yaml here; name one: "
                      "headgate %s TEMPLATE\n",
                      argv[0]);
    } else {
        *code = HG_EXIT_INPUT;
        options = load_options(settings);
        options.is_check_only = true;
        stack = load_template(arena, file, &options);
    }
    hg_buf_fini(&mistakes);
    return stack;
}

/* What serve would say of the functions when it starts. False when one of them cannot run. */
static bool check_functions(const struct hg_stack *stack, const struct hg_settings *settings,
                            const char *file)
{
    struct hg_runtime_override *overrides =
        hg_calloc(settings->runtimes.count + 1, sizeof(*overrides));
    struct hg_workers_options options = {.overrides = overrides,
                                         .override_count = settings->runtimes.count};
    bool is_good = true;

    for (size_t i = 0; i < settings->runtimes.count; i++)
        overrides[i] = (struct hg_runtime_override){settings->runtimes.items[i].key.p,
                                                    settings->runtimes.items[i].value.p};
    for (size_t i = 0; i < stack->function_count; i++) {
        const struct hg_function *function = stack->functions[i];
        struct hg_error err = {""}, warning = {""};
        enum hg_rc rc = function_check(&options, function, &err, &warning);

        if (rc == HG_OK && warning.text[0])
            (void)printf("%s:%u: warning: %s\n", file, function->line, warning.text);
        if (rc == HG_OK || rc == HG_E_UNSUPPORTED) /* that is a notice of the template */
            continue;
        (void)fprintf(stderr, "%s:%u: %s\n", file, function->line, err.text);
        is_good = false;
    }
    free(overrides);
    return is_good;
}

int command_validate(int argc, char **argv)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_settings settings;
    const char *file = NULL;
    int code;
    struct hg_stack *stack = load(arena, argc, argv, &settings, &file, &code);

    if (stack) {
        bool is_whole = true;

        for (size_t i = 0; i < stack->notice_count; i++)
            is_whole = is_whole && stack->notices[i].kind == HG_NOTICE_WARNING;
        load_print_notices(stack, file, stdout);
        is_whole = check_functions(stack, &settings, file) && is_whole;
        if (is_whole)
            (void)printf("%s: %zu function%s, %zu API%s: all of it can be served\n", file,
                         stack->function_count, stack->function_count == 1 ? "" : "s",
                         stack->api_count, stack->api_count == 1 ? "" : "s");
        code = is_whole ? HG_EXIT_OK : HG_EXIT_INPUT;
        stack_unref(stack);
    }
    hg_arena_free(arena);
    return code;
}

int command_routes(int argc, char **argv)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    struct hg_settings settings;
    const char *file = NULL;
    int code;
    struct hg_stack *stack = load(arena, argc, argv, &settings, &file, &code);

    if (stack) {
        struct hg_snapshot *snapshot;
        struct hg_buf lines;

        hg_buf_init(&lines, 1 << 24);
        snapshot = snapshot_of_stack(stack_ref(stack));
        gateway_list_routes(snapshot, "http://127.0.0.1:8080", &lines);
        snapshot_unref(snapshot);
        (void)fwrite(hg_buf_str(&lines).p, 1, lines.len, stdout);
        hg_buf_fini(&lines);
        stack_unref(stack);
        code = HG_EXIT_OK;
    }
    hg_arena_free(arena);
    return code;
}
