/*
 * What the files of the store share: statements without ceremony. Used by
 * config/store*.c only.
 */
#ifndef HG_CONFIG_STORE_DB_H
#define HG_CONFIG_STORE_DB_H

#include "config/store.h"

struct sqlite3;
struct sqlite3_stmt;

enum store_statement {
    STORE_ROW_PUT,
    STORE_ROW_DELETE,
    STORE_ROW_GET,
    STORE_ROWS_OF,
    STORE_ROWS_READ,
    STORE_APPLIED_PUT,
    STORE_APPLIED_DELETE,
    STORE_APPLIED_READ,
    STORE_STATEMENTS
};

struct hg_store {
    struct sqlite3 *db;
    char *path, *data_dir;
    struct sqlite3_stmt *statements[STORE_STATEMENTS]; /* each prepared when it is first used */
};

/* A statement to bind and step; it stays the store's, and store_release is called when it was used. */
enum hg_rc store_use(struct hg_store *store, enum store_statement which, const char *sql,
                     struct sqlite3_stmt **statement, struct hg_error *err) hg_must_use;
void store_release(struct sqlite3_stmt *statement);
/* text must stay until the release. */
void store_bind_text(struct sqlite3_stmt *statement, int index, struct hg_str text);
/* Runs a statement that gives no rows, and releases it. */
enum hg_rc store_run(struct hg_store *store, struct sqlite3_stmt *statement,
                     struct hg_error *err) hg_must_use;
/* Until the next step. */
struct hg_str store_column_text(struct sqlite3_stmt *statement, int column);
enum hg_rc store_exec(struct hg_store *store, const char *sql, struct hg_error *err) hg_must_use;
/* Puts what SQLite says about its last failure into a sentence with the file's name and what to do. */
enum hg_rc store_failed(struct hg_store *store, struct hg_error *err);
/* A row that this version would not have written. */
enum hg_rc store_damaged(struct hg_store *store, const char *table, struct hg_error *err);

#endif
