/*
 * One helper thread writes all logs, so that rotation has one hand and a slow
 * disk or terminal holds up nobody else.
 */
#include "workers/log_files.h"

#include "core/log.h"
#include "workers/files.h"
#include "workers/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct hg_log_files {
    struct hg_offload *thread;
    char *data_dir;
    bool to_terminal, has_failed;
};

struct hg_log_files *log_files_new(const char *data_dir, bool to_terminal)
{
    struct hg_log_files *files = hg_calloc(1, sizeof(*files));

    files->data_dir = hg_strdup(data_dir);
    files->to_terminal = to_terminal;
    files->thread = hg_offload_new("logs", 1);
    return files;
}

void log_files_free(struct hg_log_files *files)
{
    if (!files)
        return;
    hg_offload_free(files->thread);
    free(files->data_dir);
    free(files);
}

/* The folder of a function; whatever a name should not have becomes '_'. */
static void make_dir_path(const char *data_dir, struct hg_str name, char out[HG_PATH_MAX])
{
    int at = snprintf(out, HG_PATH_MAX, "%s/logs/", data_dir);

    for (size_t i = 0; i < name.n && at + 2 < HG_PATH_MAX; i++) {
        char c = name.p[i];
        bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '-' || c == '_' || (c == '.' && i > 0);

        out[at++] = is_plain ? c : '_';
    }
    out[at] = '\0';
}

static void rotate(const char *dir)
{
    char from[HG_PATH_MAX + 32], to[HG_PATH_MAX + 32];

    for (int age = HG_LOG_FILES_KEPT; age > 0; age--) {
        (void)files_path(to, sizeof(to), "%s/current.log.%d", dir, age);
        if (age > 1)
            (void)files_path(from, sizeof(from), "%s/current.log.%d", dir, age - 1);
        else
            (void)files_path(from, sizeof(from), "%s/current.log", dir);
        (void)rename(from, to);
    }
}

static int open_current(const char *dir)
{
    char path[HG_PATH_MAX + 32];

    (void)files_path(path, sizeof(path), "%s/current.log", dir);
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static bool write_whole(int fd, struct hg_str bytes)
{
    while (bytes.n) {
        ssize_t wrote = write(fd, bytes.p, bytes.n);

        if (wrote < 0 && errno != EINTR)
            return false;
        bytes = hg_str_skip(bytes, wrote > 0 ? (size_t)wrote : 0);
    }
    return true;
}

static bool append_to_file(struct hg_log_files *files, struct hg_log_batch *batch)
{
    char dir[HG_PATH_MAX];
    struct stat st;
    bool is_written;
    int fd;

    make_dir_path(files->data_dir, batch->function_name, dir);
    fd = open_current(dir);
    if (fd < 0 && errno == ENOENT && files_make_dirs(dir, 0700) == 0)
        fd = open_current(dir);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && st.st_size > 0 &&
        (size_t)st.st_size + batch->lines.len > HG_LOG_FILE_MAX) {
        (void)close(fd);
        rotate(dir);
        fd = open_current(dir);
        if (fd < 0)
            return false;
    }
    is_written = write_whole(fd, hg_buf_str(&batch->lines));
    return close(fd) == 0 && is_written;
}

/* "[name] text"; the parts of a line that carriage returns separate go below one another. */
static void print(struct hg_log_batch *batch)
{
    struct hg_str rest = hg_buf_str(&batch->lines), line, word, part;
    struct hg_buf out;

    hg_buf_init(&out, 16 * batch->lines.len + 65536);
    while (hg_str_next(&rest, '\n', &line)) {
        (void)hg_str_next(&line, ' ', &word);
        (void)hg_str_next(&line, ' ', &word);
        hg_buf_append_str(&out, HG_STR("["));
        hg_buf_append_str(&out, batch->function_name);
        hg_buf_append_str(&out, HG_STR("] "));
        for (bool is_first = true; hg_str_next(&line, '\r', &part); is_first = false) {
            if (!is_first)
                hg_buf_append_str(&out, HG_STR("\n    "));
            hg_buf_append_str(&out, part);
        }
        hg_buf_append_byte(&out, '\n');
    }
    /* A terminal that is gone takes nothing; the file has it all. */
    (void)write_whole(STDOUT_FILENO, hg_buf_str(&out));
    hg_buf_fini(&out);
}

static void on_work(struct hg_job *job)
{
    struct hg_log_batch *batch = hg_container_of(job, struct hg_log_batch, job);
    struct hg_log_files *files = batch->files;
    bool is_written = append_to_file(files, batch);

    if (!is_written && !files->has_failed)
        hg_error("function_log_failed", "function=%.*s error=%s", HG_STR_ARG(batch->function_name),
                 strerror(errno));
    files->has_failed = !is_written;
    if (files->to_terminal)
        print(batch);
}

static void on_done(struct hg_job *job)
{
    struct hg_log_batch *batch = hg_container_of(job, struct hg_log_batch, job);

    batch->done(batch);
}

void log_files_write(struct hg_log_files *files, struct hg_loop *home, struct hg_log_batch *batch)
{
    batch->files = files;
    batch->job.work = on_work;
    batch->job.done = on_done;
    hg_offload_submit(files->thread, home, &batch->job);
}

/* Appends the end of one file, at most max_bytes, from the start of a line on. */
static bool read_end(const char *path, size_t max_bytes, struct hg_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    off_t from;
    char *room;
    ssize_t got = -1;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0) {
        from = st.st_size > (off_t)max_bytes ? st.st_size - (off_t)max_bytes : 0;
        room = hg_buf_reserve(out, (size_t)(st.st_size - from));
        if (room)
            got = pread(fd, room, (size_t)(st.st_size - from), from);
        if (got > 0) {
            struct hg_str text = hg_str_n(room, (size_t)got);
            ptrdiff_t line_end = from > 0 ? hg_str_find(text, '\n') : -1;

            if (line_end >= 0) {
                text = hg_str_skip(text, (size_t)line_end + 1);
                memmove(room, text.p, text.n);
            }
            hg_buf_commit(out, text.n);
        }
    }
    (void)close(fd);
    return got >= 0;
}

enum hg_rc logs_read_tail(const char *data_dir, struct hg_str function_name, size_t max_bytes,
                          struct hg_buf *out)
{
    char dir[HG_PATH_MAX], path[HG_PATH_MAX + 32];
    struct stat st;
    bool is_found = false;

    make_dir_path(data_dir, function_name, dir);
    (void)files_path(path, sizeof(path), "%s/current.log", dir);
    /* Just after a rotation the newest lines are in the file before. */
    if (stat(path, &st) != 0 || (size_t)st.st_size < max_bytes) {
        size_t have = stat(path, &st) == 0 ? (size_t)st.st_size : 0;
        char former[HG_PATH_MAX + 32];

        (void)files_path(former, sizeof(former), "%s/current.log.1", dir);
        is_found = read_end(former, max_bytes - have, out);
    }
    is_found = read_end(path, max_bytes, out) || is_found;
    return is_found ? HG_OK : HG_E_NOT_FOUND;
}
