/*
 * Documents, a row each.
 */
#include "config/store_db.h"

#include <sqlite3.h>

static const char *const origins[] = {[HG_ORIGIN_TEMPLATE] = "template", [HG_ORIGIN_API] = "api"};

static void bind_key(sqlite3_stmt *statement, struct hg_str kind, struct hg_str name,
                     struct hg_str sub)
{
    store_bind_text(statement, 1, kind);
    store_bind_text(statement, 2, name);
    store_bind_text(statement, 3, sub);
}

enum hg_rc store_row_put(struct hg_store *store, const struct hg_row *row, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_use(
        store, STORE_ROW_PUT,
        "INSERT INTO resources (kind, name, sub, doc, origin) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (kind, name, sub) DO UPDATE SET doc = excluded.doc, origin = excluded.origin",
        &statement, err);

    if (rc != HG_OK)
        return rc;
    bind_key(statement, row->kind, row->name, row->sub);
    store_bind_text(statement, 4, row->doc);
    store_bind_text(statement, 5, hg_str_of(origins[row->origin]));
    return store_run(store, statement, err);
}

enum hg_rc store_row_delete(struct hg_store *store, struct hg_str kind, struct hg_str name,
                            struct hg_str sub, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc =
        store_use(store, STORE_ROW_DELETE,
                  "DELETE FROM resources WHERE kind = ? AND name = ? AND sub = ?", &statement, err);

    if (rc != HG_OK)
        return rc;
    bind_key(statement, kind, name, sub);
    return store_run(store, statement, err);
}

static bool read_row(sqlite3_stmt *statement, struct hg_row *row)
{
    struct hg_str origin = store_column_text(statement, 4);

    row->kind = store_column_text(statement, 0);
    row->name = store_column_text(statement, 1);
    row->sub = store_column_text(statement, 2);
    row->doc = store_column_text(statement, 3);
    for (size_t i = 0; i < HG_COUNT(origins); i++) {
        if (hg_str_is(origin, origins[i])) {
            row->origin = (enum hg_origin)i;
            return true;
        }
    }
    return false;
}

/* Steps through a bound statement, and releases it. */
static enum hg_rc walk(struct hg_store *store, sqlite3_stmt *statement, store_row_fn each,
                       void *arg, struct hg_error *err)
{
    enum hg_rc rc = HG_OK;
    bool has_more = true;
    struct hg_row row;
    int step;

    while (rc == HG_OK && has_more && (step = sqlite3_step(statement)) != SQLITE_DONE) {
        if (step != SQLITE_ROW)
            rc = store_failed(store, err);
        else if (!read_row(statement, &row))
            rc = store_damaged(store, "resources", err);
        else
            has_more = each(&row, arg);
    }
    store_release(statement);
    return rc;
}

enum hg_rc store_rows_read(struct hg_store *store, struct hg_str without, store_row_fn each,
                           void *arg, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_use(store, STORE_ROWS_READ,
                              "SELECT kind, name, sub, doc, origin FROM resources NOT INDEXED "
                              "WHERE substr(kind, 1, length(?1)) <> ?1",
                              &statement, err);

    if (rc != HG_OK)
        return rc;
    store_bind_text(statement, 1, without);
    return walk(store, statement, each, arg, err);
}

enum hg_rc store_rows_of(struct hg_store *store, struct hg_str kind, struct hg_str after,
                         store_row_fn each, void *arg, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_use(store, STORE_ROWS_OF,
                              "SELECT kind, name, sub, doc, origin FROM resources "
                              "WHERE kind = ? AND name > ? ORDER BY name, sub",
                              &statement, err);

    if (rc != HG_OK)
        return rc;
    store_bind_text(statement, 1, kind);
    store_bind_text(statement, 2, after);
    return walk(store, statement, each, arg, err);
}

enum hg_rc store_row_get(struct hg_store *store, struct hg_str kind, struct hg_str name,
                         struct hg_str sub, store_row_fn each, void *arg, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_use(store, STORE_ROW_GET,
                              "SELECT kind, name, sub, doc, origin FROM resources "
                              "WHERE kind = ? AND name = ? AND sub = ?",
                              &statement, err);

    if (rc != HG_OK)
        return rc;
    bind_key(statement, kind, name, sub);
    return walk(store, statement, each, arg, err);
}

enum hg_rc store_clear(struct hg_store *store, struct hg_error *err)
{
    return store_exec(store, "DELETE FROM resources; DELETE FROM applied", err);
}

enum hg_rc store_row_damaged(struct hg_store *store, const struct hg_row *row, struct hg_error *err)
{
    enum hg_rc rc = store_damaged(store, "resources", err);

    hg_error_prefix(err, "%.*s %.*s %.*s", HG_STR_ARG(row->kind), HG_STR_ARG(row->name),
                    HG_STR_ARG(row->sub));
    return rc;
}
