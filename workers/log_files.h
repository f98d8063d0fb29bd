/*
 * The logs' own thread: it alone touches the log groups on disk (log_store.h), for functions that print and for those who read. Lines
 * may also go to the terminal.
 */
#ifndef HG_WORKERS_LOG_FILES_H
#define HG_WORKERS_LOG_FILES_H

#include "core/offload.h"
#include "workers/log_store.h"

struct hg_log_files;

struct hg_log_files *log_files_new(const char *data_dir, bool to_terminal);
/* Does what was submitted and ends the threads; what is submitted later is done at once, and its done runs inside the call. */
void log_files_stop(struct hg_log_files *files);
/* Stopped before, and all mail of the loops delivered. NULL is fine. */
void log_files_free(struct hg_log_files *files);

/* Lines of one function on their way to its group. Embedded by its owner, who keeps it until done has run. */
struct hg_log_batch {
    struct hg_job job, print_job;
    struct hg_log_files *files;
    struct hg_str group, function_name;
    struct hg_buf lines;
    unsigned jobs_left;
    void (*done)(struct hg_log_batch *batch); /* on the loop that submitted */
};

void log_files_write(struct hg_log_files *files, struct hg_loop *home, struct hg_log_batch *batch);

/* Runs job->work on the logs' thread, behind what was submitted before; it may use the store. */
void log_files_submit(struct hg_log_files *files, struct hg_loop *home, struct hg_job *job);
/* For work on the logs' thread only. */
struct hg_log_store *log_files_store(struct hg_log_files *files);

/* Sessions that follow logs while they grow: false when there are max of them. Any thread. */
bool log_files_open_session(struct hg_log_files *files, unsigned max) hg_must_use;
void log_files_close_session(struct hg_log_files *files);

/* Empties everything: all groups, streams and events up to now. Embedded by its owner, who keeps it until done has run. */
struct hg_log_reset {
    struct hg_job job;
    struct hg_log_files *files;
    void (*done)(struct hg_log_reset *reset); /* on home */
};

void logs_reset(struct hg_log_files *files, struct hg_loop *home, struct hg_log_reset *reset);

#endif
