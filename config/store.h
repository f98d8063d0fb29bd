/*
 * What is deployed and must outlive a restart: one SQLite file, DATA_DIR/config/store.db. Every function blocks and belongs to one
 * thread at a time: start-up, then the catalog's. A change that was committed survives a power cut.
 *
 * Rows are documents. Which kinds there are, and what is in them, is the catalog's to know (config/catalog_rows.h).
 */
#ifndef HG_CONFIG_STORE_H
#define HG_CONFIG_STORE_H

#include "config/model.h"
#include "core/error.h"

struct hg_store;

/*
 * Opens the file, makes it when it is missing, and brings older ones up to date. HG_E_CONFLICT for a file that a newer version
 * wrote, that is damaged, or that is something else: it stays untouched, and the sentence says what to do.
 */
enum hg_rc store_open(const char *data_dir, struct hg_store **out,
                      struct hg_error *err) hg_must_use;
/* NULL is allowed. */
void store_close(struct hg_store *store);
/* As it was given. */
struct hg_str store_data_dir(const struct hg_store *store);

/* What is done between begin and commit is there together or not at all. Not nested. */
enum hg_rc store_begin(struct hg_store *store, struct hg_error *err) hg_must_use;
enum hg_rc store_commit(struct hg_store *store, struct hg_error *err) hg_must_use;
void store_rollback(struct hg_store *store);
/*
 * A part of a transaction that can be undone by itself. Not nested. Undoing gives false when the whole transaction is undone, as some
 * failures of the disk do.
 */
enum hg_rc store_part_begin(struct hg_store *store, struct hg_error *err) hg_must_use;
enum hg_rc store_part_keep(struct hg_store *store, struct hg_error *err) hg_must_use;
bool store_part_undo(struct hg_store *store) hg_must_use;

/* One document. Borrowed in callbacks. */
struct hg_row {
    struct hg_str kind, name, sub;
    struct hg_str doc;
    enum hg_origin origin;
};

/* Makes or replaces the row of this kind, name and sub. */
enum hg_rc store_row_put(struct hg_store *store, const struct hg_row *row,
                         struct hg_error *err) hg_must_use;
/* Fine when there is none. */
enum hg_rc store_row_delete(struct hg_store *store, struct hg_str kind, struct hg_str name,
                            struct hg_str sub, struct hg_error *err) hg_must_use;
/* False ends the walk. A callback must not change the store. */
typedef bool (*store_row_fn)(const struct hg_row *row, void *arg);
/* All rows but those whose kind starts with without, in no order. */
enum hg_rc store_rows_read(struct hg_store *store, struct hg_str without, store_row_fn each,
                           void *arg, struct hg_error *err) hg_must_use;
/* Rows of one kind whose names come after `after`, in the order of names. */
enum hg_rc store_rows_of(struct hg_store *store, struct hg_str kind, struct hg_str after,
                         store_row_fn each, void *arg, struct hg_error *err) hg_must_use;
/* At most one. */
enum hg_rc store_row_get(struct hg_store *store, struct hg_str kind, struct hg_str name,
                         struct hg_str sub, store_row_fn each, void *arg,
                         struct hg_error *err) hg_must_use;
/* Removes all rows, and what was applied. */
enum hg_rc store_clear(struct hg_store *store, struct hg_error *err) hg_must_use;
/* For a row whose document cannot be read. */
enum hg_rc store_row_damaged(struct hg_store *store, const struct hg_row *row,
                             struct hg_error *err);

/*
 * Which values of the template were applied: kind ("event-invoke-config") and name of the thing, hash of the value. A value is applied
 * again only when it changed, so that what the API did to the thing since then survives a restart.
 */
enum { HG_APPLIED_NAME_MAX = 512, HG_APPLIED_HASH_LEN = 32 };
typedef void (*store_applied_fn)(struct hg_str kind, struct hg_str name, const unsigned char *hash,
                                 void *arg);
enum hg_rc store_applied_read(struct hg_store *store, store_applied_fn each, void *arg,
                              struct hg_error *err) hg_must_use;
enum hg_rc store_applied_put(struct hg_store *store, const char *kind, struct hg_str name,
                             const unsigned char *hash, struct hg_error *err) hg_must_use;
enum hg_rc store_applied_delete(struct hg_store *store, const char *kind, struct hg_str name,
                                struct hg_error *err) hg_must_use;

#endif
