/*
 * What the management API changed and must outlive a restart: one SQLite file,
 * DATA_DIR/config/store.db. Every function blocks and belongs to one thread at a
 * time: start-up, then the one helper thread that writes. A change that was
 * reported as made survives a power cut.
 *
 * A new kind of thing gets tables by a migration (store.c), a file
 * store_<kind>.c with its statements, and a part of its own below.
 */
#ifndef HG_CONFIG_STORE_H
#define HG_CONFIG_STORE_H

#include "config/event_config.h"

struct hg_store;

/*
 * Opens the file, makes it when it is missing, and brings older ones up to date. HG_E_CONFLICT for a file that a newer version
 * wrote, that is damaged, or that is something else: it stays untouched, and the sentence says what to do.
 */
enum hg_rc store_open(const char *data_dir, struct hg_store **out,
                      struct hg_error *err) hg_must_use;
/* NULL is allowed. */
void store_close(struct hg_store *store);

/* What is done between begin and commit is there together or not at all. Not nested. */
enum hg_rc store_begin(struct hg_store *store, struct hg_error *err) hg_must_use;
enum hg_rc store_commit(struct hg_store *store, struct hg_error *err) hg_must_use;
void store_rollback(struct hg_store *store);

/* Event invoke configs: each row is handed to `each`, in the order of function and qualifier. */
typedef void (*store_event_config_fn)(const struct hg_event_config *config, enum hg_origin origin,
                                      void *arg);
enum hg_rc store_event_configs_read(struct hg_store *store, store_event_config_fn each, void *arg,
                                    struct hg_error *err) hg_must_use;
/* Makes or replaces the row of this function and qualifier. */
enum hg_rc store_event_config_put(struct hg_store *store, const struct hg_event_config *config,
                                  enum hg_origin origin, struct hg_error *err) hg_must_use;
/* Fine when there is none. */
enum hg_rc store_event_config_delete(struct hg_store *store, struct hg_str function,
                                     struct hg_str qualifier, struct hg_error *err) hg_must_use;

/*
 * Which values of the template were applied: kind ("event-invoke-config") and name of the thing, hash of the value. A value is applied
 * again only when it changed, so that what the API did to the thing since then survives a restart.
 */
enum { HG_APPLIED_NAME_MAX = 512, HG_APPLIED_HASH_LEN = 32 };
typedef void (*store_applied_fn)(struct hg_str name, const unsigned char *hash, void *arg);
enum hg_rc store_applied_read(struct hg_store *store, const char *kind, store_applied_fn each,
                              void *arg, struct hg_error *err) hg_must_use;
enum hg_rc store_applied_put(struct hg_store *store, const char *kind, struct hg_str name,
                             const unsigned char *hash, struct hg_error *err) hg_must_use;
enum hg_rc store_applied_delete(struct hg_store *store, const char *kind, struct hg_str name,
                                struct hg_error *err) hg_must_use;

#endif
