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
static bool check_functions(struct hg_platform *platform, const struct hg_snapshot *snapshot,
                            const char *file, bool is_strict)
{
    bool is_good = true;

    for (size_t i = 0; i < snapshot->function_count; i++) {
        const struct hg_function *function = snapshot->functions[i];
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
 * followed by the path that addresses the API there. False when value names no API of the snapshot.
 */
static bool local_url(const struct hg_snapshot *snapshot, const char *base, struct hg_str value,
                      struct hg_buf *out)
{
    for (size_t i = 0; i < snapshot->api_count; i++) {
        struct hg_str id = snapshot->apis[i].id, rest = value;
        ptrdiff_t slash;

        if (!hg_str_starts(rest, HG_STR("https://")))
            return false;
        rest = hg_str_skip(rest, strlen("https://"));
        if (!hg_str_starts(rest, id) ||
            !hg_str_starts(hg_str_skip(rest, id.n), HG_STR(".execute-api.")))
            continue;
        slash = hg_str_find(rest, '/');
        hg_buf_append_cstr(out, base);
        if (snapshot->api_count > 1)
            hg_buf_printf(out, "/_aws/execute-api/%.*s", HG_STR_ARG(id));
        hg_buf_append_str(out, slash < 0 ? HG_STR("/") : hg_str_skip(rest, (size_t)slash));
        return !out->is_overflown;
    }
    return false;
}

static void print_outputs(const struct hg_snapshot *snapshot, const char *base)
{
    if (snapshot->output_count)
        (void)printf("\nOutputs:\n");
    for (size_t i = 0; i < snapshot->output_count; i++) {
        const struct hg_output *output = &snapshot->outputs[i];
        struct hg_buf local;

        hg_buf_init(&local, ROUTES_MAX);
        (void)printf("  %.*s = %.*s\n", HG_STR_ARG(output->name), HG_STR_ARG(output->value));
        if (local_url(snapshot, base, output->value, &local))
            (void)printf("  %*s   here: %.*s\n", (int)output->name.n, "",
                         HG_STR_ARG(hg_buf_str(&local)));
        hg_buf_fini(&local);
    }
}

static void print_start(const struct hg_platform *platform, const struct hg_snapshot *snapshot)
{
    struct hg_buf routes;

    hg_buf_init(&routes, ROUTES_MAX);
    gateway_list_routes(snapshot, platform->url_count ? platform->urls[0] : "", &routes);
    (void)fwrite(hg_buf_str(&routes).p, 1, routes.len, stdout);
    hg_buf_fini(&routes);
    print_outputs(snapshot, platform->url_count ? platform->urls[0] : "");
    (void)printf("\n");
    for (size_t i = 0; i < platform->url_count; i++)
        (void)printf("listening %s\n", platform->urls[i]);
    (void)printf("management %s\n", platform->management_url);
    (void)printf("isolation %s\n", workers_isolation(platform->workers));
    (void)fflush(stdout);
}

/* Loads with the addresses that are bound by now. */
static struct hg_snapshot *load(const struct hg_platform *platform, struct hg_arena *arena,
                                const char **file)
{
    struct hg_template_options options = load_options(platform->settings);

    options.data_dir = platform->data_dir.path;
    options.management_url = platform->management_url;
    options.gateway_url = platform->url_count ? platform->urls[0] : NULL;
    return load_template(arena, file, &options);
}

static int serve(struct hg_platform *platform, struct hg_arena *arena,
                 const struct hg_settings *settings, const char *file)
{
    struct hg_snapshot *snapshot;
    struct hg_error err = {""};
    enum hg_rc rc = platform_open(platform, settings, &err);

    if (rc != HG_OK) {
        (void)fprintf(stderr, "headgate: %s\n", err.text);
        return exit_code(rc);
    }
    snapshot = load(platform, arena, &file);
    if (!snapshot)
        return HG_EXIT_INPUT;
    rc = platform_deploy(platform, snapshot, &err);
    if (rc != HG_OK) {
        (void)fprintf(stderr, "headgate: %s\n", err.text);
        return exit_code(rc);
    }
    load_print_notices(snapshot, file, stdout);
    if (!check_functions(platform, snapshot, file, settings->is_strict))
        return HG_EXIT_INPUT;
    print_start(platform, snapshot);
    platform_serve(platform);
    return HG_EXIT_OK;
}

int command_serve(int argc, char **argv)
{
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct hg_platform platform = {.data_dir = {.lock_fd = -1}};
    struct hg_settings settings;
    struct hg_buf mistakes;
    const char *file;
    int code = HG_EXIT_USAGE;

    hg_buf_init(&mistakes, 1 << 16);
    if (settings_parse(arena, argc - 1, argv + 1, &settings, &mistakes) != HG_OK) {
        (void)fprintf(stderr, "%.*s", HG_STR_ARG(hg_buf_str(&mistakes)));
    } else if ((file = load_find_template(settings.template_file))) {
        hg_log_setup(settings.log_level, settings.log_format);
        code = serve(&platform, arena, &settings, file);
        platform_close(&platform);
    }
    hg_buf_fini(&mistakes);
    hg_arena_free(arena);
    return code;
}
