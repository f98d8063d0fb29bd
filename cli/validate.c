/*
 * headgate validate and headgate routes: a template read, nothing started.
 */
#include "cli/command.h"
#include "cli/load.h"
#include "gateway/gateway.h"

/* A snapshot, or NULL with the exit code set and everything said. */
static struct hg_snapshot *load(struct hg_arena *arena, int argc, char **argv, const char **file,
                                int *code)
{
    struct hg_settings settings;
    struct hg_template_options options;
    struct hg_snapshot *snapshot = NULL;
    struct hg_buf mistakes;

    hg_buf_init(&mistakes, 1 << 16);
    *code = HG_EXIT_USAGE;
    if (settings_parse(arena, argc - 1, argv + 1, &settings, &mistakes) != HG_OK) {
        (void)fprintf(stderr, "%.*s", HG_STR_ARG(hg_buf_str(&mistakes)));
    } else if ((*file = load_find_template(settings.template_file))) {
        *code = HG_EXIT_INPUT;
        options = load_options(&settings);
        options.is_check_only = true;
        snapshot = load_template(arena, file, &options);
    }
    hg_buf_fini(&mistakes);
    return snapshot;
}

int command_validate(int argc, char **argv)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    const char *file = NULL;
    int code;
    struct hg_snapshot *snapshot = load(arena, argc, argv, &file, &code);

    if (snapshot) {
        bool is_whole = true;

        for (size_t i = 0; i < snapshot->notice_count; i++)
            is_whole = is_whole && snapshot->notices[i].kind == HG_NOTICE_WARNING;
        load_print_notices(snapshot, file, stdout);
        if (is_whole)
            (void)printf("%s: %zu function%s, %zu API%s: all of it can be served\n", file,
                         snapshot->function_count, snapshot->function_count == 1 ? "" : "s",
                         snapshot->api_count, snapshot->api_count == 1 ? "" : "s");
        code = is_whole ? HG_EXIT_OK : HG_EXIT_INPUT;
        snapshot_unref(snapshot);
    }
    hg_arena_free(arena);
    return code;
}

int command_routes(int argc, char **argv)
{
    struct hg_arena *arena = hg_arena_new(1 << 20);
    const char *file = NULL;
    int code;
    struct hg_snapshot *snapshot = load(arena, argc, argv, &file, &code);

    if (snapshot) {
        struct hg_buf lines;

        hg_buf_init(&lines, 1 << 24);
        gateway_list_routes(snapshot, "http://127.0.0.1:8080", &lines);
        (void)fwrite(hg_buf_str(&lines).p, 1, lines.len, stdout);
        hg_buf_fini(&lines);
        snapshot_unref(snapshot);
        code = HG_EXIT_OK;
    }
    hg_arena_free(arena);
    return code;
}
