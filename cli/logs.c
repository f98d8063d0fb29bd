/*
 * headgate logs: prints the log files of a function, and what is added to them.
 * The files are described in workers/log_files.h.
 */
#include "cli/command.h"
#include "core/clock.h"
#include "core/duration.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLD_FILES = 5, LINE_ROOM = 1 << 19 };

struct logs_options {
    const char *function, *data_dir;
    int64_t since_ms; /* wall clock */
    bool follows;
};

static int usage(const char *reason, const char *what)
{
    (void)fprintf(
        stderr,
        "headgate logs: %s%s\nUsage: headgate logs FUNCTION [--follow] [--since 10m] [--data-dir DIR]\n",
        reason, what);
    return HG_EXIT_USAGE;
}

static int parse(int argc, char **argv, struct logs_options *options)
{
    const char *dir = getenv("HEADGATE_DATA_DIR");
    int64_t back_ms = 600000;

    *options = (struct logs_options){.data_dir = dir && *dir ? dir : "./.headgate"};
    for (int i = 1; i < argc; i++) {
        bool has_value = i + 1 < argc;

        if (strcmp(argv[i], "--follow") == 0 || strcmp(argv[i], "-f") == 0) {
            options->follows = true;
        } else if (strcmp(argv[i], "--since") == 0 && has_value) {
            if (!hg_duration_parse(hg_str_of(argv[++i]), &back_ms))
                return usage("--since wants a duration like 30s, 10m or 2h, not ", argv[i]);
        } else if (strcmp(argv[i], "--data-dir") == 0 && has_value) {
            options->data_dir = argv[++i];
        } else if (argv[i][0] == '-') {
            return usage(has_value ? "there is no option " : "wants a value or is no option: ",
                         argv[i]);
        } else if (options->function) {
            return usage("one function at a time; what is ", argv[i]);
        } else {
            options->function = argv[i];
        }
    }
    options->since_ms = hg_wall_ms() - back_ms;
    if (!options->function)
        return usage("which function?", "");
    return strchr(options->function, '/') ? usage("that is no function name: ", options->function)
                                          : HG_EXIT_OK;
}

/* "<epoch_ms> <stream> <text>" → "<time> <text>" when it is new enough. */
static void print_line(const char *line, int64_t since_ms)
{
    char *rest, time[HG_TIME_TEXT_MAX];
    int64_t wall_ms = strtoll(line, &rest, 10);
    const char *text = *rest == ' ' ? strchr(rest + 1, ' ') : NULL;

    if (text && wall_ms >= since_ms)
        (void)printf("%s %s", hg_time_iso(wall_ms, time), text + 1);
}

static void print_new_lines(FILE *file, char *line, int64_t since_ms)
{
    long start = ftell(file);

    clearerr(file);
    while (fgets(line, LINE_ROOM, file)) {
        size_t length = strlen(line);

        /* A line that is still being written is read again later. */
        if (length && line[length - 1] != '\n' && length + 1 < LINE_ROOM) {
            (void)fseek(file, start, SEEK_SET);
            break;
        }
        print_line(line, since_ms);
        start = ftell(file);
    }
    (void)fflush(stdout);
}

static bool is_replaced(FILE *file, const char *path)
{
    struct stat open_one, named_one;

    return fstat(fileno(file), &open_one) == 0 && stat(path, &named_one) == 0 &&
           open_one.st_ino != named_one.st_ino;
}

/* Until the process is ended. */
static void follow(FILE *file, const char *folder, const char *path, char *line, int64_t since_ms)
{
    int watch = inotify_init1(IN_CLOEXEC);
    char events[4096];

    if (watch < 0 || inotify_add_watch(watch, folder, IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0) {
        (void)fprintf(stderr, "headgate logs: cannot watch %s: %s\n", folder, strerror(errno));
        return;
    }
    while (file && read(watch, events, sizeof(events)) > 0) {
        print_new_lines(file, line, since_ms);
        if (is_replaced(file, path)) {
            (void)fclose(file);
            file = fopen(path, "r");
            if (file)
                print_new_lines(file, line, since_ms);
        }
    }
    if (file)
        (void)fclose(file);
    (void)close(watch);
}

int command_logs(int argc, char **argv)
{
    struct logs_options options;
    char folder[PATH_MAX], path[PATH_MAX + 32], *line;
    int code = parse(argc, argv, &options);
    FILE *file;

    if (code != HG_EXIT_OK)
        return code;
    (void)snprintf(folder, sizeof(folder), "%s/logs/%s", options.data_dir, options.function);
    line = hg_malloc(LINE_ROOM);
    for (int age = OLD_FILES; age > 0; age--) {
        (void)snprintf(path, sizeof(path), "%s/current.log.%d", folder, age);
        file = fopen(path, "r");
        if (!file)
            continue;
        print_new_lines(file, line, options.since_ms);
        (void)fclose(file);
    }
    (void)snprintf(path, sizeof(path), "%s/current.log", folder);
    file = fopen(path, "r");
    if (!file) {
        (void)fprintf(
            stderr,
            "headgate logs: %s has no log in %s (%s); has it been invoked, is --data-dir right?\n",
            options.function, options.data_dir, strerror(errno));
        code = HG_EXIT_INPUT;
    } else {
        print_new_lines(file, line, options.since_ms);
        if (options.follows)
            follow(file, folder, path, line, options.since_ms);
        else
            (void)fclose(file);
    }
    free(line);
    return code;
}
