/*
 * One thread for the disk, so that files have one hand; another for the terminal, which may stand still; a third removes what a reset
 * has put aside.
 */
#include "workers/log_files.h"

#include "core/log.h"
#include "workers/files.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

struct hg_log_files {
    struct hg_offload *thread, *terminal, *cleaner;
    struct hg_log_store *store; /* made by the thread's first job */
    char *data_dir;
    bool has_failed, is_stopped;
    _Atomic unsigned sessions;
};

struct clean_job {
    struct hg_job job;
    char *data_dir;
};

struct hg_log_files *log_files_new(const char *data_dir, bool to_terminal)
{
    struct hg_log_files *files = hg_calloc(1, sizeof(*files));

    files->data_dir = hg_strdup(data_dir);
    files->thread = hg_offload_new("logs", 1);
    if (to_terminal)
        files->terminal = hg_offload_new("terminal", 1);
    files->cleaner = hg_offload_new("logs-clean", 1);
    return files;
}

void log_files_stop(struct hg_log_files *files)
{
    hg_offload_free(files->thread);
    hg_offload_free(files->terminal);
    hg_offload_free(files->cleaner);
    files->is_stopped = true;
}

void log_files_free(struct hg_log_files *files)
{
    if (!files)
        return;
    hg_assert(files->is_stopped);
    log_store_free(files->store);
    free(files->data_dir);
    free(files);
}

/* What cannot be removed would be found again: there is an end to trying. */
static void remove_trash(const char *data_dir)
{
    char path[HG_PATH_MAX];

    for (int i = 0; i < 100 && log_store_next_trash(data_dir, path, sizeof(path)); i++)
        files_remove_tree(path);
}

struct hg_log_store *log_files_store(struct hg_log_files *files)
{
    if (!files->store) {
        files->store = log_store_new(files->data_dir);
        remove_trash(files->data_dir);
    }
    return files->store;
}

void log_files_submit(struct hg_log_files *files, struct hg_loop *home, struct hg_job *job)
{
    if (files->is_stopped) {
        job->home = home;
        job->work(job);
        job->done(job);
        return;
    }
    hg_offload_submit(files->thread, home, job);
}

bool log_files_open_session(struct hg_log_files *files, unsigned max)
{
    if (atomic_fetch_add(&files->sessions, 1) < max)
        return true;
    log_files_close_session(files);
    return false;
}

void log_files_close_session(struct hg_log_files *files)
{
    (void)atomic_fetch_sub(&files->sessions, 1);
}

/* ---- lines of functions ---- */

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

/* "[name] text"; the parts of a line that carriage returns separate go below one another. */
static void on_print(struct hg_job *job)
{
    struct hg_log_batch *batch = hg_container_of(job, struct hg_log_batch, print_job);
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

static void on_write(struct hg_job *job)
{
    struct hg_log_batch *batch = hg_container_of(job, struct hg_log_batch, job);
    struct hg_log_files *files = batch->files;
    bool is_written = log_store_append(log_files_store(files), batch->group, batch->function_name,
                                       hg_buf_str(&batch->lines)) == HG_OK;

    if (!is_written && !files->has_failed)
        hg_error("function_log_failed", "function=%.*s error=%s", HG_STR_ARG(batch->function_name),
                 strerror(errno));
    files->has_failed = !is_written;
    if (files->terminal)
        hg_offload_submit(files->terminal, job->home, &batch->print_job);
}

static void end_job(struct hg_log_batch *batch)
{
    if (--batch->jobs_left == 0)
        batch->done(batch);
}

static void on_written(struct hg_job *job)
{
    end_job(hg_container_of(job, struct hg_log_batch, job));
}

static void on_printed(struct hg_job *job)
{
    end_job(hg_container_of(job, struct hg_log_batch, print_job));
}

void log_files_write(struct hg_log_files *files, struct hg_loop *home, struct hg_log_batch *batch)
{
    batch->files = files;
    batch->job.work = on_write;
    batch->job.done = on_written;
    batch->print_job.work = on_print;
    batch->print_job.done = on_printed;
    batch->jobs_left = files->terminal ? 2 : 1;
    hg_offload_submit(files->thread, home, &batch->job);
}

/* ---- reset ---- */

static void on_clean(struct hg_job *job)
{
    remove_trash(hg_container_of(job, struct clean_job, job)->data_dir);
}

static void on_cleaned(struct hg_job *job)
{
    struct clean_job *clean = hg_container_of(job, struct clean_job, job);

    free(clean->data_dir);
    free(clean);
}

static void on_reset(struct hg_job *job)
{
    struct hg_log_reset *reset = hg_container_of(job, struct hg_log_reset, job);
    struct clean_job *clean = hg_calloc(1, sizeof(*clean));

    log_store_reset(log_files_store(reset->files));
    clean->job.work = on_clean;
    clean->job.done = on_cleaned;
    clean->data_dir = hg_strdup(reset->files->data_dir);
    hg_offload_submit(reset->files->cleaner, job->home, &clean->job);
}

static void on_reset_done(struct hg_job *job)
{
    struct hg_log_reset *reset = hg_container_of(job, struct hg_log_reset, job);

    reset->done(reset);
}

void logs_reset(struct hg_log_files *files, struct hg_loop *home, struct hg_log_reset *reset)
{
    reset->files = files;
    reset->job.work = on_reset;
    reset->job.done = on_reset_done;
    hg_offload_submit(files->thread, home, &reset->job);
}
