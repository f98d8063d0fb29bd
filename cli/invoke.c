/*
 * headgate invoke: one invocation through the management port, waited for or
 * only handed over (--async).
 */
#include "cli/command.h"
#include "cli/local_client.h"
#include "core/uri.h"

#include <errno.h>
#include <string.h>

enum { EVENT_MAX = 6291456, HEADERS_MAX = 2 };

struct invoke_options {
    const char *function, *event_file, *address;
    bool wants_tail, is_async;
};

static int usage(const char *reason, const char *what)
{
    (void)fprintf(
        stderr,
        "headgate invoke: %s%s\n"
        "Usage: headgate invoke FUNCTION [--event FILE|-] [--tail|--async] [--api HOST:PORT]\n",
        reason, what);
    return HG_EXIT_USAGE;
}

/* HG_EXIT_OK, or the code to leave with. */
static int parse(int argc, char **argv, struct invoke_options *options)
{
    *options = (struct invoke_options){.address = local_default_address()};
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;

        if (strcmp(argv[i], "--tail") == 0) {
            options->wants_tail = true;
        } else if (strcmp(argv[i], "--async") == 0) {
            options->is_async = true;
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
    if (options->is_async && options->wants_tail)
        return usage("--tail has no use with --async", ": nobody waits for the log");
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

/* Nothing but the request id, for scripts to go on with: headgate events show ID. */
static int print_acceptance(const struct hg_local_answer *answer)
{
    if (answer->status == 202) {
        (void)printf("%s\n", answer->request_id);
        return HG_EXIT_OK;
    }
    (void)fprintf(stderr, "%.*s\nheadgate invoke: the server answered %d\n",
                  HG_STR_ARG(hg_buf_str(&answer->body)), answer->status);
    return HG_EXIT_INPUT;
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
    struct hg_local_header headers[HEADERS_MAX];
    struct hg_local_request request = {
        .address = options->address, .method = "POST", .headers = headers, .body = event};
    struct hg_local_answer answer;
    struct hg_error err;
    struct hg_buf path;
    int code;

    hg_buf_init(&path, 4096);
    hg_buf_append_cstr(&path, "/2015-03-31/functions/");
    hg_uri_encode(&path, hg_str_of(options->function));
    hg_buf_append_cstr(&path, "/invocations");
    hg_buf_append_byte(&path, '\0');
    request.path = hg_buf_str(&path).p;
    if (options->wants_tail)
        headers[request.header_count++] = (struct hg_local_header){"X-Amz-Log-Type", "Tail"};
    if (options->is_async)
        headers[request.header_count++] =
            (struct hg_local_header){"X-Amz-Invocation-Type", "Event"};
    if (local_send(&request, &answer, &err) == HG_OK) {
        code = options->is_async ? print_acceptance(&answer) : print_answer(&answer);
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
