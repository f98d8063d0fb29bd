/*
 * Function logs on disk and on the terminal. Files: <data_dir>/logs/<function>/current.log, older ones
 * current.log.1 … .N. One line an event:
 *     <epoch_ms> <stream> <text>
 * stream is the log stream of the environment (no blanks in it); a text keeps
 * its carriage returns and has no line feed.
 */
#ifndef HG_WORKERS_LOG_FILES_H
#define HG_WORKERS_LOG_FILES_H

#include "core/offload.h"

#include "core/buf.h"

enum {
    HG_LOG_FILE_MAX = 10485760, /* bytes, then it is rotated */
    HG_LOG_FILES_KEPT = 5,      /* older ones beside the current one */
};

struct hg_log_files;

struct hg_log_files *log_files_new(const char *data_dir, bool to_terminal);
/* Writes what was submitted, then frees. */
void log_files_free(struct hg_log_files *files);

/* Lines of one function on their way to its file. Embedded by its owner, who keeps it until done has run. */
struct hg_log_batch {
    struct hg_job job;
    struct hg_log_files *files;
    struct hg_str function_name;
    struct hg_buf lines;
    void (*done)(struct hg_log_batch *batch); /* on the loop that submitted */
};

void log_files_write(struct hg_log_files *files, struct hg_loop *home, struct hg_log_batch *batch);

#endif
