/*
 * headgate events: asynchronous events of a running server, looked at and
 * mended through its management port.
 */
#include "cli/command.h"
#include "cli/events_print.h"
#include "cli/local_client.h"
#include "core/uri.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_MAX_BYTES = 16384 };

struct events_options {
    const char *address, *function, *state, *since, *limit;
    bool wants_json, is_all, is_sure;
    char **ids;
    int id_count;
};

struct action {
    const char *name;
    int (*run)(const struct events_options *options);
    const char *usage, *summary;
    const char *takes; /* options, with blanks around each */
};

static int run_list(const struct events_options *options);
static int run_show(const struct events_options *options);
static int run_redrive(const struct events_options *options);
static int run_purge(const struct events_options *options);

static const struct action actions[] = {
    {"list", run_list, "list [--function F] [--state S,…] [--since T] [--limit N] [--json]",
     "a table, newest first; S: queued, running, retrying, delivered, dead; T: 10m or a time",
     " --function --state --since --limit --json "},
    {"show", run_show, "show ID [--json]", "one event's life: attempts, targets, payload",
     " --json "},
    {"redrive", run_redrive, "redrive ID… | --all [--function F]",
     "queue events anew: these, or all dead ones (of a function)", " --all --function "},
    {"purge", run_purge, "purge ID… | [--function F] [--state S,…] [--yes]",
     "forget events: these, or all delivered and dead ones unless --state says otherwise",
     " --function --state --yes "},
};

void events_print_usage(FILE *out)
{
    (void)fprintf(out, "\nActions:\n");
    for (size_t i = 0; i < HG_COUNT(actions); i++)
        (void)fprintf(out, "  %s\n      %s\n", actions[i].usage, actions[i].summary);
    (void)fprintf(out, "\n--api HOST:PORT or HEADGATE_API names the server's management address "
                       "(127.0.0.1:4566).\n");
}

static int usage(const char *reason, const char *what)
{
    (void)fprintf(stderr, "headgate events: %s%s\nUsage: headgate events ACTION …\n", reason, what);
    events_print_usage(stderr);
    return HG_EXIT_USAGE;
}

/* ---- talking to the server ---- */

/* HG_EXIT_OK with a 200's document in answer, which the caller frees in any case. */
static int ask(const struct events_options *options, const char *method, const struct hg_buf *path,
               struct hg_local_answer *answer)
{
    const struct hg_local_request request = {
        .address = options->address, .method = method, .path = hg_buf_str(path).p};
    struct hg_error err;

    if (local_send(&request, answer, &err) != HG_OK) {
        (void)fprintf(stderr, "headgate events: %s\n", err.text);
        return HG_EXIT_MACHINE;
    }
    if (answer->status == 200)
        return HG_EXIT_OK;
    events_print_error(answer->status, hg_buf_str(&answer->body));
    return answer->status >= 500 ? HG_EXIT_MACHINE : HG_EXIT_INPUT;
}

static void begin_path(struct hg_buf *path, const char *text)
{
    hg_buf_init(path, PATH_MAX_BYTES);
    hg_buf_append_cstr(path, text);
}

static void add_parameter(struct hg_buf *path, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    hg_buf_append_byte(path, memchr(hg_buf_str(path).p, '?', path->len) ? '&' : '?');
    hg_buf_append_cstr(path, name);
    hg_buf_append_byte(path, '=');
    hg_uri_encode(path, hg_str_of(value));
}

static int not_understood(void)
{
    (void)fprintf(stderr, "headgate events: the answer is not one of a Headgate server\n");
    return HG_EXIT_MACHINE;
}

/* ---- looking ---- */

/* Asks and prints, as the server wrote it or with print. */
static int look(const struct events_options *options, struct hg_buf *path,
                bool (*print)(struct hg_json_value document), const char *more)
{
    struct hg_local_answer answer;
    struct hg_json_value document;
    int code;

    hg_buf_append_byte(path, '\0');
    code = ask(options, "GET", path, &answer);
    if (code == HG_EXIT_OK) {
        document = hg_json_parse(hg_buf_str(&answer.body), NULL);
        if (options->wants_json)
            (void)printf("%.*s\n", HG_STR_ARG(hg_buf_str(&answer.body)));
        else if (document.kind != HG_JSON_OBJECT || !print(document))
            code = not_understood();
        else if (events_text(document, "cursor")[0])
            (void)fprintf(stderr, "%s", more);
    }
    local_answer_fini(&answer);
    hg_buf_fini(path);
    return code;
}

static int run_list(const struct events_options *options)
{
    struct hg_buf path;

    if (options->id_count)
        return usage("list takes no ", options->ids[0]);
    begin_path(&path, "/_headgate/events");
    add_parameter(&path, "function", options->function);
    add_parameter(&path, "state", options->state);
    add_parameter(&path, "since", options->since);
    add_parameter(&path, "limit", options->limit);
    return look(options, &path, events_print_page,
                "… and more: narrow it down, or ask for up to 1000 with --limit\n");
}

static int run_show(const struct events_options *options)
{
    struct hg_buf path;

    if (options->id_count != 1)
        return usage("show takes one request id", "");
    begin_path(&path, "/_headgate/events/");
    hg_uri_encode(&path, hg_str_of(options->ids[0]));
    return look(options, &path, events_print_life, "");
}

/* ---- mending ---- */

static int change_one(const struct events_options *options, const char *id, const char *method,
                      const char *suffix, const char *done)
{
    struct hg_local_answer answer;
    struct hg_buf path;
    int code;

    begin_path(&path, "/_headgate/events/");
    hg_uri_encode(&path, hg_str_of(id));
    hg_buf_append_cstr(&path, suffix);
    hg_buf_append_byte(&path, '\0');
    code = ask(options, method, &path, &answer);
    if (code == HG_EXIT_OK)
        (void)printf("%s %s\n", id, done);
    local_answer_fini(&answer);
    hg_buf_fini(&path);
    return code;
}

/* The worst code of all; a server that is gone ends it. */
static int change_each(const struct events_options *options, const char *method, const char *suffix,
                       const char *done)
{
    int worst = HG_EXIT_OK;

    for (int i = 0; i < options->id_count && worst != HG_EXIT_MACHINE; i++) {
        int code = change_one(options, options->ids[i], method, suffix, done);

        worst = HG_MAX(worst, code);
    }
    return worst;
}

static void print_failures(struct hg_json_value document)
{
    struct hg_json_walk walk = hg_json_walk(hg_json_member(document, "failures"));
    struct hg_json_value failure;

    while (hg_json_next_element(&walk, &failure))
        (void)fprintf(stderr, "headgate events: %s: %s\n", events_text(failure, "request_id"),
                      events_text(failure, "why"));
}

struct progress {
    unsigned long done, failed, calls;
    char cursor[256];
};

/* One call's worth. Sets cursor to "" at the end. */
static int change_some(const struct events_options *options, const char *action, const char *done,
                       struct progress *progress)
{
    struct hg_local_answer answer;
    struct hg_json_value document;
    struct hg_buf path;
    int code;

    begin_path(&path, "/_headgate/events/");
    hg_buf_append_cstr(&path, action);
    add_parameter(&path, "function", options->function);
    add_parameter(&path, "state", options->state);
    add_parameter(&path, "cursor", progress->cursor);
    hg_buf_append_byte(&path, '\0');
    code = ask(options, "POST", &path, &answer);
    if (code == HG_EXIT_OK) {
        document = hg_json_parse(hg_buf_str(&answer.body), NULL);
        if (document.kind != HG_JSON_OBJECT) {
            code = not_understood();
        } else {
            progress->done += strtoul(events_text(document, done), NULL, 10);
            progress->failed += strtoul(events_text(document, "failed"), NULL, 10);
            (void)snprintf(progress->cursor, sizeof(progress->cursor), "%s",
                           events_text(document, "cursor"));
            print_failures(document);
        }
    }
    local_answer_fini(&answer);
    hg_buf_fini(&path);
    return code;
}

/* Call after call until nothing is left, saying how far it is. */
static int change_all(const struct events_options *options, const char *action, const char *done)
{
    bool is_terminal = isatty(STDERR_FILENO);
    struct progress progress = {.cursor = ""};
    int code;

    do {
        code = change_some(options, action, done, &progress);
        progress.calls++;
        if (code == HG_EXIT_OK && progress.cursor[0])
            (void)fprintf(stderr, "%s%s %lu …%s", is_terminal ? "\r" : "", done, progress.done,
                          is_terminal ? "" : "\n");
    } while (code == HG_EXIT_OK && progress.cursor[0]);
    if (is_terminal && progress.calls > 1)
        (void)fprintf(stderr, "\r\033[K");
    if (code != HG_EXIT_OK && progress.calls == 1)
        return code;
    (void)printf("%s %lu", done, progress.done);
    if (progress.failed)
        (void)printf(", failed %lu", progress.failed);
    (void)printf("\n");
    return code == HG_EXIT_OK && progress.failed ? HG_EXIT_INPUT : code;
}

static int run_redrive(const struct events_options *options)
{
    if (options->id_count && (options->is_all || options->function))
        return usage("redrive takes request ids or --all, not both", "");
    if (options->id_count)
        return change_each(options, "POST", "/redrive", "redriven");
    if (!options->is_all)
        return usage("which events? Give request ids or --all", "");
    return change_all(options, "redrive", "redriven");
}

static bool is_confirmed(const struct events_options *options)
{
    char line[16];

    if (options->is_sure)
        return true;
    if (!isatty(STDIN_FILENO)) {
        (void)fprintf(stderr, "headgate events: purge forgets events for good; add --yes\n");
        return false;
    }
    (void)fprintf(stderr, "Forget all %s events%s%s? [y/N] ",
                  options->state ? options->state : "delivered and dead",
                  options->function ? " of " : "", options->function ? options->function : "");
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int run_purge(const struct events_options *options)
{
    if (options->id_count && (options->function || options->state))
        return usage("purge takes request ids or a choice of events, not both", "");
    if (options->id_count)
        return change_each(options, "DELETE", "", "purged");
    return is_confirmed(options) ? change_all(options, "purge", "purged") : HG_EXIT_USAGE;
}

/* ---- the command line ---- */

static bool takes(const struct action *action, const char *option)
{
    char padded[32];

    (void)snprintf(padded, sizeof(padded), " %s ", option);
    return strstr(action->takes, padded) != NULL;
}

/* Where an option's value goes; NULL when it is none with a value. */
static const char **value_of(struct events_options *options, const char *option)
{
    static const char *const names[] = {"--api", "--function", "--state", "--since", "--limit"};
    const char **const places[] = {&options->address, &options->function, &options->state,
                                   &options->since, &options->limit};

    for (size_t i = 0; i < HG_COUNT(names); i++)
        if (strcmp(option, names[i]) == 0)
            return places[i];
    return NULL;
}

/* HG_EXIT_OK, or the code to leave with. argv[0] is the action. */
static int parse(const struct action *action, int argc, char **argv, struct events_options *options)
{
    *options = (struct events_options){.address = local_default_address(), .ids = argv + 1};
    for (int i = 1; i < argc; i++) {
        const char **value = value_of(options, argv[i]);

        if (argv[i][0] != '-') {
            options->ids[options->id_count++] = argv[i];
        } else if (strcmp(argv[i], "--api") != 0 && !takes(action, argv[i])) {
            (void)fprintf(stderr, "headgate events %s: there is no option %s\n", action->name,
                          argv[i]);
            return HG_EXIT_USAGE;
        } else if (value && (i + 1 >= argc || strncmp(argv[i + 1], "--", 2) == 0)) {
            return usage(argv[i], " wants a value");
        } else if (value) {
            *value = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0) {
            options->wants_json = true;
        } else if (strcmp(argv[i], "--all") == 0) {
            options->is_all = true;
        } else {
            options->is_sure = true;
        }
    }
    return HG_EXIT_OK;
}

int command_events(int argc, char **argv)
{
    struct events_options options;

    if (argc < 2)
        return usage("what is to be done?", "");
    if (strcmp(argv[argc - 1], "--help") == 0 || strcmp(argv[argc - 1], "-h") == 0) {
        events_print_usage(stdout);
        return HG_EXIT_OK;
    }
    for (size_t i = 0; i < HG_COUNT(actions); i++) {
        int code;

        if (strcmp(argv[1], actions[i].name) != 0)
            continue;
        code = parse(&actions[i], argc - 1, argv + 1, &options);
        return code == HG_EXIT_OK ? actions[i].run(&options) : code;
    }
    return usage("there is no action ", argv[1]);
}
