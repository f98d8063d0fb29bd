/*
 * Which values of the template were applied.
 */
#include "config/store_db.h"

#include <sqlite3.h>

enum hg_rc store_applied_read(struct hg_store *store, store_applied_fn each, void *arg,
                              struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc =
        store_use(store, STORE_APPLIED_READ,
                  "SELECT kind, name, hash FROM applied ORDER BY kind, name", &statement, err);
    int step;

    if (rc != HG_OK)
        return rc;
    while (rc == HG_OK && (step = sqlite3_step(statement)) != SQLITE_DONE) {
        if (step != SQLITE_ROW)
            rc = store_failed(store, err);
        else if (sqlite3_column_bytes(statement, 1) > HG_APPLIED_NAME_MAX ||
                 sqlite3_column_bytes(statement, 2) != HG_APPLIED_HASH_LEN)
            rc = store_damaged(store, "applied", err);
        else
            each(store_column_text(statement, 0), store_column_text(statement, 1),
                 sqlite3_column_blob(statement, 2), arg);
    }
    store_release(statement);
    return rc;
}

enum hg_rc store_applied_put(struct hg_store *store, const char *kind, struct hg_str name,
                             const unsigned char *hash, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_use(store, STORE_APPLIED_PUT,
                              "INSERT OR REPLACE INTO applied (kind, name, hash) VALUES (?, ?, ?)",
                              &statement, err);

    if (rc != HG_OK)
        return rc;
    store_bind_text(statement, 1, hg_str_of(kind));
    store_bind_text(statement, 2, name);
    (void)sqlite3_bind_blob(statement, 3, hash, HG_APPLIED_HASH_LEN, SQLITE_STATIC);
    return store_run(store, statement, err);
}

enum hg_rc store_applied_delete(struct hg_store *store, const char *kind, struct hg_str name,
                                struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_use(store, STORE_APPLIED_DELETE,
                              "DELETE FROM applied WHERE kind = ? AND name = ?", &statement, err);

    if (rc != HG_OK)
        return rc;
    store_bind_text(statement, 1, hg_str_of(kind));
    store_bind_text(statement, 2, name);
    return store_run(store, statement, err);
}
