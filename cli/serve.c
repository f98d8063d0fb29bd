/*
 * headgate serve: reads the template, starts the platform, says where it listens.
 */
#include "cli/command.h"
#include "cli/load.h"
#include "cli/platform.h"

#include <string.h>

enum { ARENA_MAX = 1 << 20, ROUTES_MAX = 1 << 24 };

void serve_print_options(FILE *out)
{
    struct hg_buf text;

    hg_buf_init(&text, 1 << 16);
    settings_print_options(&text);
    (void)fprintf(out, "\nOptions:\n%.*s", HG_STR_ARG(hg_buf_str(&text)));
    hg_buf_fini(&text);
}

static int exit_code(enum hg_rc rc)
{
    return rc == HG_E_INVALID ? HG_EXIT_INPUT : HG_EXIT_MACHINE;
}

/* A function that cannot run stops the start, unless it only needs what is not built yet. */
static bool check_functions(struct hg_platform *platform, const struct hg_stack *stack,
                            const char *file, bool is_strict)
{
    bool is_good = true;

    for (size_t i = 0; i < stack->function_count; i++) {
        const struct hg_function *function = stack->functions[i];
        struct hg_error err = {""}, warning = {""};
        enum hg_rc rc = workers_check_function(platform->workers, function, &err, &warning);

        if (rc == HG_OK && warning.text[0])
            (void)fprintf(stderr, "%s:%u: warning: %s\n", file, function->line, warning.text);
        if (rc == HG_OK)
            continue;
        (void)fprintf(stderr, "%s:%u: %s%s\n", file, function->line,
                      rc == HG_E_UNSUPPORTED ? "not served yet: " : "", err.text);
        is_good = is_good && rc == HG_E_UNSUPPORTED && !is_strict;
    }
    return is_good;
}

/*
 * Where an address of the service is answered here: https://{api}.execute-api.… becomes the first listener's URL,
 * followed by the path that addresses the API there. False when value names no API of the stack.
 */
static bool local_url(const struct hg_stack *stack, const char *base, struct hg_str value,
                      struct hg_buf *out)
{
    for (size_t i = 0; i < stack->api_count; i++) {
        struct hg_str id = stack->apis[i].id, rest = value;
        ptrdiff_t slash;

        if (!hg_str_starts(rest, HG_STR("https://")))
            return false;
        rest = hg_str_skip(rest, strlen("https://"));
        if (!hg_str_starts(rest, id) ||
            !hg_str_starts(hg_str_skip(rest, id.n), HG_STR(".execute-api.")))
            continue;
        slash = hg_str_find(rest, '/');
        hg_buf_append_cstr(out, base);
        if (stack->api_count > 1)
            hg_buf_printf(out, "/_aws/execute-api/%.*s", HG_STR_ARG(id));
        hg_buf_append_str(out, slash < 0 ? HG_STR("/") : hg_str_skip(rest, (size_t)slash));
        return !out->is_overflown;
    }
    return false;
}

static void print_outputs(const struct hg_stack *stack, const char *base)
{
    if (stack->output_count)
        (void)printf("\nOutputs:\n");
    for (size_t i = 0; i < stack->output_count; i++) {
        const struct hg_output *output = &stack->outputs[i];
        struct hg_buf local;

        hg_buf_init(&local, ROUTES_MAX);
        (void)printf("  %.*s = %.*s\n", HG_STR_ARG(output->name), HG_STR_ARG(output->value));
        if (local_url(stack, base, output->value, &local))
            (void)printf("  %*s   here: %.*s\n", (int)output->name.n, "",
                         HG_STR_ARG(hg_buf_str(&local)));
        hg_buf_fini(&local);
    }
}

static void print_start(const struct hg_platform *platform, const struct hg_stack *stack)
{
    struct hg_snapshot *snapshot = registry_current(platform->registry);
    struct hg_buf routes;

    hg_buf_init(&routes, ROUTES_MAX);
    gateway_list_routes(snapshot, platform->url_count ? platform->urls[0] : "", &routes);
    snapshot_unref(snapshot);
    (void)fwrite(hg_buf_str(&routes).p, 1, routes.len, stdout);
    hg_buf_fini(&routes);
    print_outputs(stack, platform->url_count ? platform->urls[0] : "");
    (void)printf("\n");
    for (size_t i = 0; i < platform->url_count; i++)
        (void)printf("listening %s\n", platform->urls[i]);
    (void)printf("management %s\n", platform->management_url);
    (void)printf("isolation %s\n", workers_isolation(platform->workers));
    (void)fflush(stdout);
}

/* Loads with the addresses that are bound by now. Without a template: an empty stack. */
static struct hg_stack *load(const struct hg_platform *platform, struct hg_arena *arena,
                             const char **file)
{
    const struct hg_settings *settings = platform->settings;
    struct hg_template_options options = load_options(settings);

    if (!*file)
        return stack_new(hg_str_of(settings->region), hg_str_of(settings->account));
    options.data_dir = platform->data_dir.path;
    options.management_url = platform->management_url;
    options.gateway_url = platform->url_count ? platform->urls[0] : NULL;
    return load_template(arena, file, &options);
}

static void print_hint(const struct hg_platform *platform)
{
    (void)printf("no template: functions come by the management API, for example\n"
                 "  aws lambda list-functions --endpoint-url %s\n"
                 "(or name a template: headgate serve TEMPLATE)\n",
                 platform->management_url);
}

static int serve_stack(struct hg_platform *platform, struct hg_stack *stack, const char *file)
{
    struct hg_error err = {""};
    enum hg_rc rc = platform_deploy(platform, stack, file != NULL, &err);

    if (rc != HG_OK) {
        (void)fprintf(stderr, "headgate: %s\n", err.text);
        return exit_code(rc);
    }
    if (file)
        load_print_notices(stack, file, stdout);
    else
        print_hint(platform);
    if (!check_functions(platform, stack, file, platform->settings->is_strict))
        return HG_EXIT_INPUT;
    print_start(platform, stack);
    platform_serve(platform);
    return HG_EXIT_OK;
}

static int serve(struct hg_platform *platform, struct hg_arena *arena,
                 const struct hg_settings *settings)
{
    const char *file = load_find_template(settings->template_file);
    struct hg_stack *stack;
    struct hg_error err = {""};
    enum hg_rc rc = platform_open(platform, settings, &err);
    int code;

    if (rc != HG_OK) {
        (void)fprintf(stderr, "headgate: %s\n", err.text);
        return exit_code(rc);
    }
    stack = load(platform, arena, &file);
    if (!stack)
        return HG_EXIT_INPUT;
    code = serve_stack(platform, stack, file);
    stack_unref(stack);
    return code;
}

int command_serve(int argc, char **argv)
{
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct hg_platform platform = {.data_dir = {.lock_fd = -1}};
    struct hg_settings settings;
    struct hg_buf mistakes;
    int code = HG_EXIT_USAGE;

    hg_buf_init(&mistakes, 1 << 16);
    if (settings_parse(arena, argc - 1, argv + 1, &settings, &mistakes) != HG_OK) {
        (void)fprintf(stderr, "%.*s", HG_STR_ARG(hg_buf_str(&mistakes)));
    } else {
        hg_log_setup(settings.log_level, settings.log_format);
        code = serve(&platform, arena, &settings);
        platform_close(&platform);
    }
    hg_buf_fini(&mistakes);
    hg_arena_free(arena);
    return code;
}
