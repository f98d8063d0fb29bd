/*
 * All log groups below <data_dir>/logs. Everything blocks on the disk and belongs to one thread, the logs' (log_files.h); so do the
 * groups that it hands out, until the next call that may remove one.
 *
 * A group's folder is named after it, '/' written as '+'; "=" stands before the names that do not begin with '/'. A link
 * "%<function>" leads to the group of a function that does not log to /aws/lambda/<function>.
 */
#ifndef HG_WORKERS_LOG_STORE_H
#define HG_WORKERS_LOG_STORE_H

#include "core/rc.h"
#include "workers/log_group.h"

enum { HG_LOG_FOLDER_MAX = 256 };

struct hg_log_store;

/* Reads which groups there are; logs of the former layout become groups. */
struct hg_log_store *log_store_new(const char *data_dir);
void log_store_free(struct hg_log_store *store);

/* Appends whole lines to a group, which is made when it is not there. HG_OK or HG_E_IO with errno. */
enum hg_rc log_store_append(struct hg_log_store *store, struct hg_str name,
                            struct hg_str function_name, struct hg_str lines);

/* HG_OK; HG_E_CONFLICT: there is one; HG_E_IO. *group is what was made or is there. */
enum hg_rc log_store_make(struct hg_log_store *store, struct hg_str name,
                          struct hg_log_group **group);
/* HG_OK or HG_E_NOT_FOUND. */
enum hg_rc log_store_remove(struct hg_log_store *store, struct hg_str name);
/* Loaded; NULL when there is none. */
struct hg_log_group *log_store_find(struct hg_log_store *store, struct hg_str name);
/* All groups by name, not loaded; valid until one is made or removed. */
struct hg_log_group *const *log_store_list(struct hg_log_store *store, size_t *count);

/*
 * Brings a group's index up to date, a limited piece at a time; false: call again after others had their turn. The indexes of groups
 * that were not used for long are dropped when all take too much memory.
 */
bool log_store_index(struct hg_log_store *store, struct hg_log_group *group) hg_must_use;

/*
 * Empties everything; lines up to now that come late are not written any more. What was there is moved to a folder that the caller
 * removes (log_store_next_trash).
 */
void log_store_reset(struct hg_log_store *store);
/* A folder that holds what was removed; false when there is none. */
bool log_store_next_trash(const char *data_dir, char *path, size_t room);

/* Whether a function's group is the one that it has when nothing else is said: /aws/lambda/<name>. */
bool log_group_is_default(struct hg_str group, struct hg_str function_name);
/* The folder of a group, below <data_dir>/logs. */
void log_folder_name(struct hg_str group, char out[HG_LOG_FOLDER_MAX]);

#endif
