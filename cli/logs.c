/*
 * headgate logs: prints what a function has logged, and what is added. Reads the files of its log group, which workers/log_group.h
 * describes; no server need run.
 */
#include "cli/command.h"
#include "core/clock.h"
#include "core/duration.h"
#include "workers/log_pattern.h"
#include "workers/log_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    CHUNK = 1 << 20,
    LINE_MAX_BYTES = 8 << 20,
    LOOK_AGAIN_MS = 500, /* for a group that is deleted and made again */
    FILE_NAME_BYTES = 24,
    SINCE_MS = 600000,
};

struct logs_options {
    const char *name, *data_dir; /* name: of a function, or of a log group */
    struct hg_log_pattern *filter;
    int64_t since_ms; /* wall clock */
    bool follows;
};

/* Where reading has come to. */
struct reading {
    const struct logs_options *options;
    char folder[PATH_MAX];
    const char
        *stream_part; /* of the streams to print: several functions may share a group; NULL: all */
    char stream_text[128];
    char file[FILE_NAME_BYTES + 1]; /* "" before the first */
    int64_t offset;
    struct hg_buf message;
};

static int usage(const char *reason, const char *what)
{
    (void)fprintf(stderr,
                  "headgate logs: %s%s\nUsage: headgate logs FUNCTION|LOG-GROUP [--follow] "
                  "[--since 10m] [--filter PATTERN] [--data-dir DIR]\n",
                  reason, what);
    return HG_EXIT_USAGE;
}

/* An option with a value. HG_EXIT_OK, or the usage was said. */
static int take_option(struct logs_options *options, const char *name, const char *value)
{
    struct hg_error err = {""};
    int64_t back_ms;

    if (strcmp(name, "--since") == 0) {
        if (!hg_duration_parse(hg_str_of(value), &back_ms))
            return usage("--since wants a duration like 30s, 10m or 2h, not ", value);
        options->since_ms = hg_wall_ms() - back_ms;
    } else if (strcmp(name, "--filter") == 0) {
        log_pattern_free(options->filter);
        options->filter = log_pattern_new(hg_str_of(value), &err);
        if (!options->filter)
            return usage(err.text, "");
    } else if (strcmp(name, "--data-dir") == 0) {
        options->data_dir = value;
    } else {
        return usage("there is no option ", name);
    }
    return HG_EXIT_OK;
}

static int parse(int argc, char **argv, struct logs_options *options)
{
    const char *dir = getenv("HEADGATE_DATA_DIR");
    int code = HG_EXIT_OK;

    *options = (struct logs_options){.data_dir = dir && *dir ? dir : "./.headgate",
                                     .since_ms = hg_wall_ms() - SINCE_MS};
    for (int i = 1; i < argc && code == HG_EXIT_OK; i++) {
        if (strcmp(argv[i], "--follow") == 0 || strcmp(argv[i], "-f") == 0)
            options->follows = true;
        else if (argv[i][0] == '-' && i + 1 == argc)
            code = usage("wants a value or is no option: ", argv[i]);
        else if (argv[i][0] == '-' && ++i)
            code = take_option(options, argv[i - 1], argv[i]);
        else if (options->name)
            code = usage("one function at a time; what is ", argv[i]);
        else
            options->name = argv[i];
    }
    if (code != HG_EXIT_OK)
        return code;
    if (!options->name || !options->name[0])
        return usage("which function?", "");
    return strlen(options->name) <= HG_LOG_GROUP_NAME_MAX
               ? HG_EXIT_OK
               : usage("that is no function name: ", options->name);
}

/* The folder of the group: a name with a slash is a group's own, any other a function's. */
static void find_folder(const struct logs_options *options, struct reading *r)
{
    char group[HG_LOG_GROUP_NAME_MAX + 32], folder[HG_LOG_FOLDER_MAX];

    r->options = options;
    (void)snprintf(r->folder, sizeof(r->folder), "%s/logs/%%%s", options->data_dir, options->name);
    if (!strchr(options->name, '/') && access(r->folder, F_OK) == 0) {
        (void)snprintf(r->stream_text, sizeof(r->stream_text), "/%.100s[", options->name);
        r->stream_part = r->stream_text;
        return;
    }
    (void)snprintf(group, sizeof(group), "%s%s", strchr(options->name, '/') ? "" : "/aws/lambda/",
                   options->name);
    log_folder_name(hg_str_of(group), folder);
    (void)snprintf(r->folder, sizeof(r->folder), "%s/logs/%s", options->data_dir, folder);
}

static void print_line(struct reading *r, struct hg_str text)
{
    char time[HG_TIME_TEXT_MAX];
    struct hg_log_line line;
    struct hg_str message;

    if (!log_line_parse(text, &line) || line.wall_ms < r->options->since_ms ||
        (r->stream_part && hg_str_find_str(line.stream, hg_str_of(r->stream_part)) < 0))
        return;
    hg_buf_clear(&r->message, CHUNK);
    log_line_message(&line, &r->message);
    message = hg_buf_str(&r->message);
    if (r->options->filter && !log_pattern_matches(r->options->filter, message))
        return;
    (void)printf("%s %.*s%s", hg_time_iso(line.wall_ms, time), HG_STR_ARG(message),
                 hg_str_ends(message, HG_STR("\n")) ? "" : "\n");
}

/* Prints the whole lines from r->offset on; a line that is still being written is read again later. */
static void print_file(struct reading *r)
{
    char path[PATH_MAX + 32], *bytes = hg_malloc(CHUNK);
    size_t room = CHUNK;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", r->folder, r->file);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0) {
        ssize_t got = pread(fd, bytes, room, r->offset);
        const char *last = got > 0 ? memrchr(bytes, '\n', (size_t)got) : NULL;
        struct hg_str rest, line;

        if (!last && got == (ssize_t)room && room < LINE_MAX_BYTES) {
            room *= 2;
            bytes = hg_realloc(bytes, room);
            continue;
        }
        if (!last)
            break;
        rest = hg_str_n(bytes, (size_t)(last - bytes));
        while (hg_str_next(&rest, '\n', &line))
            print_line(r, line);
        r->offset += last - bytes + 1;
    }
    if (fd >= 0)
        (void)close(fd);
    free(bytes);
}

/* The first file behind r->file; false when there is none. */
static bool next_file(const struct reading *r, char next[FILE_NAME_BYTES + 1])
{
    DIR *dir = opendir(r->folder);

    next[0] = '\0';
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
        const char *name = entry->d_name;

        if (strlen(name) == FILE_NAME_BYTES && strcmp(name + 20, ".log") == 0 &&
            strcmp(name, r->file) > 0 && (!next[0] || strcmp(name, next) < 0))
            memcpy(next, name, FILE_NAME_BYTES + 1);
    }
    if (dir)
        (void)closedir(dir);
    return next[0] != '\0';
}

static void print_new(struct reading *r)
{
    char next[FILE_NAME_BYTES + 1];

    if (r->file[0])
        print_file(r);
    while (next_file(r, next)) {
        /* What was added just before the change of files. */
        if (r->file[0])
            print_file(r);
        memcpy(r->file, next, sizeof(next));
        r->offset = 0;
        print_file(r);
    }
    (void)fflush(stdout);
}

/* Until the process is ended. */
static void follow(struct reading *r)
{
    int notices = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), watch = -1;
    char events[4096];

    if (notices < 0) {
        (void)fprintf(stderr, "headgate logs: cannot watch %s: %s\n", r->folder, strerror(errno));
        return;
    }
    for (;;) {
        struct pollfd wait = {.fd = notices, .events = POLLIN};

        if (watch < 0)
            watch = inotify_add_watch(notices, r->folder,
                                      IN_MODIFY | IN_CREATE | IN_MOVE_SELF | IN_DELETE_SELF);
        print_new(r);
        if (poll(&wait, 1, watch < 0 ? LOOK_AGAIN_MS : -1) < 0 && errno != EINTR)
            return;
        for (ssize_t got; (got = read(notices, events, sizeof(events))) > 0;) {
            for (char *at = events; at < events + got;) {
                const struct inotify_event *event = (const void *)at;

                at += sizeof(*event) + event->len;
                if (!(event->mask & (IN_MOVE_SELF | IN_DELETE_SELF)))
                    continue;
                /* A group that is made anew begins anew. */
                (void)inotify_rm_watch(notices, watch);
                watch = -1;
                r->file[0] = '\0';
            }
        }
    }
}

int command_logs(int argc, char **argv)
{
    struct logs_options options;
    struct reading r = {.offset = 0};
    int code = parse(argc, argv, &options);

    if (code == HG_EXIT_OK) {
        hg_buf_init(&r.message, LINE_MAX_BYTES);
        find_folder(&options, &r);
        if (access(r.folder, F_OK) == 0) {
            print_new(&r);
            if (options.follows)
                follow(&r);
        } else {
            (void)fprintf(
                stderr,
                "headgate logs: %s has no log in %s (%s); has it been invoked, is --data-dir right?\n",
                options.name, options.data_dir, strerror(errno));
            code = HG_EXIT_INPUT;
        }
        hg_buf_fini(&r.message);
    }
    log_pattern_free(options.filter);
    return code;
}
