/*
 * headgate invoke: one synchronous invocation through the management port.
 */
#include "cli/command.h"
#include "cli/local_client.h"
#include "core/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_MAX = 6291456 };

struct invoke_options {
    const char *function, *event_file, *address;
    bool wants_tail;
};

static int usage(const char *reason, const char *what)
{
    (void)fprintf(
        stderr,
        "headgate invoke: %s%s\nUsage: headgate invoke FUNCTION [--event FILE|-] [--tail] [--api HOST:PORT]\n",
        reason, what);
    return HG_EXIT_USAGE;
}

static const char *default_address(void)
{
    const char *address = getenv("HEADGATE_API");

    return address && *address ? address : "127.0.0.1:4566";
}

/* HG_EXIT_OK, or the code to leave with. */
static int parse(int argc, char **argv, struct invoke_options *options)
{
    *options = (struct invoke_options){.address = default_address()};
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;

        if (strcmp(argv[i], "--tail") == 0) {
            options->wants_tail = true;
        } else if (strcmp(argv[i], "--async") == 0) {
            (void)fprintf(
                stderr,
                "headgate invoke: --async is not available yet: there is no event queue in this version\n");
            return HG_EXIT_INPUT;
        } else if (strcmp(argv[i], "--event") == 0 || strcmp(argv[i], "--api") == 0) {
            if (!has_value)
                return usage(argv[i], " wants a value");
            if (strcmp(argv[i], "--api") == 0)
                options->address = argv[++i];
            else
                options->event_file = argv[++i];
        } else if (argv[i][0] == '-' && argv[i][1]) {
            return usage("there is no option ", argv[i]);
        } else if (options->function) {
            return usage("one function at a time; what is ", argv[i]);
        } else {
            options->function = argv[i];
        }
    }
    return options->function ? HG_EXIT_OK : usage("which function?", "");
}

static int read_event(const char *path, struct hg_buf *event)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    char piece[8192];
    size_t got;

    if (!file) {
        (void)fprintf(stderr, "headgate invoke: cannot read %s: %s\n", path, strerror(errno));
        return HG_EXIT_INPUT;
    }
    while ((got = fread(piece, 1, sizeof(piece), file)) > 0)
        (void)hg_buf_append(event, piece, got);
    if (file != stdin)
        (void)fclose(file);
    if (event->is_overflown) {
        (void)fprintf(stderr, "headgate invoke: %s is larger than the limit of %d bytes\n", path,
                      EVENT_MAX);
        return HG_EXIT_INPUT;
    }
    return HG_EXIT_OK;
}

static int print_answer(const struct hg_local_answer *answer)
{
    struct hg_str body = hg_buf_str(&answer->body), tail = hg_buf_str(&answer->log_tail);

    if (tail.n)
        (void)fprintf(stderr, "%.*s", HG_STR_ARG(tail));
    (void)printf("%.*s\n", HG_STR_ARG(body));
    if (answer->status != 200) {
        (void)fprintf(stderr, "headgate invoke: the server answered %d\n", answer->status);
        return HG_EXIT_INPUT;
    }
    if (answer->function_error[0]) {
        (void)fprintf(stderr, "headgate invoke: the function failed (%s)\n",
                      answer->function_error);
        return HG_EXIT_INPUT;
    }
    return HG_EXIT_OK;
}

static int call(const struct invoke_options *options, struct hg_str event)
{
    const struct hg_local_header tail = {"X-Amz-Log-Type", "Tail"};
    struct hg_local_answer answer;
    struct hg_error err;
    struct hg_buf path;
    int code;

    hg_buf_init(&path, 4096);
    hg_buf_append_cstr(&path, "/2015-03-31/functions/");
    hg_uri_encode(&path, hg_str_of(options->function));
    hg_buf_append_cstr(&path, "/invocations");
    hg_buf_append_byte(&path, '\0');
    if (local_post(options->address, hg_buf_str(&path).p, &tail, options->wants_tail ? 1 : 0, event,
                   &answer, &err) == HG_OK) {
        code = print_answer(&answer);
    } else {
        (void)fprintf(stderr, "headgate invoke: %s\n", err.text);
        code = HG_EXIT_MACHINE;
    }
    local_answer_fini(&answer);
    hg_buf_fini(&path);
    return code;
}

int command_invoke(int argc, char **argv)
{
    struct invoke_options options;
    struct hg_buf event;
    int code = parse(argc, argv, &options);

    if (code != HG_EXIT_OK)
        return code;
    hg_buf_init(&event, EVENT_MAX);
    if (options.event_file)
        code = read_event(options.event_file, &event);
    if (code == HG_EXIT_OK)
        code = call(&options, hg_buf_str(&event));
    hg_buf_fini(&event);
    return code;
}
