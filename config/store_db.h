/*
 * What the files of the store share: statements without ceremony. Used by
 * config/store*.c only.
 */
#ifndef HG_CONFIG_STORE_DB_H
#define HG_CONFIG_STORE_DB_H

#include "config/store.h"

struct sqlite3;
struct sqlite3_stmt;

struct hg_store {
    struct sqlite3 *db;
    char *path;
};

/* A statement to bind and step, freed by sqlite3_finalize. */
enum hg_rc store_prepare(struct hg_store *store, const char *sql, struct sqlite3_stmt **statement,
                         struct hg_error *err) hg_must_use;
void store_bind_text(struct sqlite3_stmt *statement, int index, struct hg_str text);
/* Runs a statement that gives no rows, and frees it. */
enum hg_rc store_run(struct hg_store *store, struct sqlite3_stmt *statement,
                     struct hg_error *err) hg_must_use;
/* Copies a text column into a field of size bytes; false when it does not fit. */
bool store_column_text(struct sqlite3_stmt *statement, int column, char *out, size_t size);
/* Puts what SQLite says about its last failure into a sentence with the file's name and what to do. */
enum hg_rc store_failed(struct hg_store *store, struct hg_error *err);
/* A row that this version would not have written. */
enum hg_rc store_damaged(struct hg_store *store, const char *table, struct hg_error *err);

#endif
