/*
 * The file itself: opening, checking, migrating, transactions.
 *
 * A migration is never changed once it was released: a new step is added to the
 * list, and its number is the schema version that it leads to.
 */
#include "config/store_db.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER "config"
#define FILE_NAME "store.db"

enum {
    APPLICATION_ID = 0x48476366, /* "HGcf": tells our files from other SQLite files */
    BUSY_WAIT_MS = 5000,         /* somebody looks at the file with a tool */
};

static const char *const migrations[] = {
    /* 1 */
    "CREATE TABLE event_invoke_configs ("
    " function TEXT NOT NULL, qualifier TEXT NOT NULL,"
    " max_retries INTEGER, max_age_s INTEGER," /* NULL: not set */
    " on_success TEXT NOT NULL, on_failure TEXT NOT NULL,"
    " last_modified_ms INTEGER NOT NULL, origin TEXT NOT NULL,"
    " PRIMARY KEY (function, qualifier)) WITHOUT ROWID;"
    "CREATE TABLE applied ("
    " kind TEXT NOT NULL, name TEXT NOT NULL, hash BLOB NOT NULL,"
    " PRIMARY KEY (kind, name)) WITHOUT ROWID;",
    /* 2: with rowids, since documents are too long for the pages of an index */
    "CREATE TABLE resources ("
    " kind TEXT NOT NULL, name TEXT NOT NULL, sub TEXT NOT NULL, doc TEXT NOT NULL,"
    " origin TEXT NOT NULL, PRIMARY KEY (kind, name, sub));"
    "INSERT INTO resources (kind, name, sub, doc, origin)"
    " SELECT 'attached/event-invoke-config', function, qualifier,"
    "  json_object('retries', max_retries, 'age', max_age_s, 'success', on_success,"
    "   'failure', on_failure, 'at', last_modified_ms, 'template',"
    "   json(CASE origin WHEN 'template' THEN 'true' ELSE 'false' END)), origin"
    " FROM event_invoke_configs;"
    "DROP TABLE event_invoke_configs;",
};

enum { SCHEMA_VERSION = (int)HG_COUNT(migrations) };

enum hg_rc store_failed(struct hg_store *store, struct hg_error *err)
{
    int code = sqlite3_errcode(store->db);

    switch (code) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return hg_error_set(err, HG_E_CONFLICT,
                            "%s is damaged (%s): put a copy of it from a backup in its place, or "
                            "move it away to start without what the management API changed",
                            store->path, sqlite3_errmsg(store->db));
    case SQLITE_FULL:
        return hg_error_set(err, HG_E_IO, "%s: no space is left on the disk", store->path);
    default:
        return hg_error_set(err, HG_E_IO, "%s: %s", store->path, sqlite3_errmsg(store->db));
    }
}

enum hg_rc store_damaged(struct hg_store *store, const char *table, struct hg_error *err)
{
    return hg_error_set(
        err, HG_E_CONFLICT,
        "%s is damaged (a row of %s is not one that Headgate writes): put a copy of "
        "it from a backup in its place, or move it away to start without what the "
        "management API changed",
        store->path, table);
}

enum hg_rc store_use(struct hg_store *store, enum store_statement which, const char *sql,
                     struct sqlite3_stmt **statement, struct hg_error *err)
{
    sqlite3_stmt **kept = &store->statements[which];

    if (!*kept && sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, kept, NULL) !=
                      SQLITE_OK) {
        *statement = NULL;
        return store_failed(store, err);
    }
    *statement = *kept;
    return HG_OK;
}

void store_release(struct sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement); /* repeats the code of step */
    (void)sqlite3_clear_bindings(statement);
}

void store_bind_text(struct sqlite3_stmt *statement, int index, struct hg_str text)
{
    int rc = sqlite3_bind_text(statement, index, text.n ? text.p : "", (int)text.n, SQLITE_STATIC);

    hg_assert(rc == SQLITE_OK);
}

enum hg_rc store_run(struct hg_store *store, struct sqlite3_stmt *statement, struct hg_error *err)
{
    enum hg_rc rc = HG_OK;

    if (sqlite3_step(statement) != SQLITE_DONE)
        rc = store_failed(store, err);
    store_release(statement);
    return rc;
}

struct hg_str store_column_text(struct sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return hg_str_n(text ? text : "", (size_t)sqlite3_column_bytes(statement, column));
}

enum hg_rc store_exec(struct hg_store *store, const char *sql, struct hg_error *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return HG_OK;
    return store_failed(store, err);
}

static enum hg_rc read_number(struct hg_store *store, const char *sql, int *number,
                              struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = HG_OK;

    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return store_failed(store, err);
    if (sqlite3_step(statement) == SQLITE_ROW)
        *number = sqlite3_column_int(statement, 0);
    else
        rc = store_failed(store, err);
    (void)sqlite3_finalize(statement);
    return rc;
}

/* Everything is read at start anyway; so a damaged page is found before anything relies on it. */
static enum hg_rc check_pages(struct hg_store *store, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = HG_OK;

    if (sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &statement, NULL) != SQLITE_OK)
        return store_failed(store, err);
    if (sqlite3_step(statement) != SQLITE_ROW)
        rc = store_failed(store, err);
    else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
        rc = hg_error_set(err, HG_E_CONFLICT,
                          "%s is damaged (%s): put a copy of it from a backup in its place, or "
                          "move it away to start without what the management API changed",
                          store->path, (const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    return rc;
}

/* *version is 0 for a new file. */
static enum hg_rc check_kind(struct hg_store *store, int *version, struct hg_error *err)
{
    int id = 0, tables = 0;
    enum hg_rc rc = read_number(store, "PRAGMA application_id", &id, err);

    if (rc == HG_OK)
        rc = read_number(store, "PRAGMA user_version", version, err);
    if (rc == HG_OK)
        rc = read_number(store, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (rc != HG_OK)
        return rc;
    if (id != APPLICATION_ID && (id != 0 || tables != 0))
        return hg_error_set(err, HG_E_CONFLICT,
                            "%s is a database of another program: move it away, or choose another "
                            "--data-dir",
                            store->path);
    if (*version < 0)
        return hg_error_set(err, HG_E_CONFLICT,
                            "%s is damaged (schema %d): put a copy of it from a backup in its "
                            "place, or move it away to start without what the management API "
                            "changed",
                            store->path, *version);
    if (*version > SCHEMA_VERSION)
        return hg_error_set(err, HG_E_CONFLICT,
                            "%s was written by a newer version of Headgate (schema %d, this one "
                            "knows %d): start that version, or choose another --data-dir",
                            store->path, *version, (int)SCHEMA_VERSION);
    return HG_OK;
}

/* All steps in one transaction: a crash in between leaves the old schema. */
static enum hg_rc migrate(struct hg_store *store, int version, struct hg_error *err)
{
    char pragma[64];
    enum hg_rc rc;

    if (version == SCHEMA_VERSION)
        return HG_OK;
    rc = store_begin(store, err);
    for (int i = version; rc == HG_OK && i < SCHEMA_VERSION; i++)
        rc = store_exec(store, migrations[i], err);
    (void)snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d; PRAGMA application_id=%d",
                   (int)SCHEMA_VERSION, (int)APPLICATION_ID);
    if (rc == HG_OK)
        rc = store_exec(store, pragma, err);
    if (rc == HG_OK)
        return store_commit(store, err);
    store_rollback(store);
    return rc;
}

static enum hg_rc open_file(struct hg_store *store, struct hg_error *err)
{
    int version = 0;
    enum hg_rc rc;

    if (sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return hg_error_set(err, HG_E_IO, "%s: %s", store->path,
                            store->db ? sqlite3_errmsg(store->db) : "out of memory");
    (void)sqlite3_extended_result_codes(store->db, 0);
    (void)sqlite3_busy_timeout(store->db, BUSY_WAIT_MS);
    rc = check_kind(store, &version, err);
    if (rc == HG_OK)
        rc = check_pages(store, err);
    if (rc == HG_OK)
        rc = store_exec(store, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", err);
    if (rc == HG_OK)
        rc = migrate(store, version, err);
    return rc;
}

static char *join(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = hg_malloc(size);

    (void)snprintf(path, size, "%s/%s", folder, name);
    return path;
}

enum hg_rc store_open(const char *data_dir, struct hg_store **out, struct hg_error *err)
{
    struct hg_store *store = hg_calloc(1, sizeof(*store));
    char *folder = join(data_dir, FOLDER);
    enum hg_rc rc;

    store->path = join(folder, FILE_NAME);
    store->data_dir = hg_strdup(data_dir);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        rc = hg_error_set(err, HG_E_IO, "--data-dir: cannot make %s: %s", folder, strerror(errno));
    else
        rc = open_file(store, err);
    free(folder);
    if (rc == HG_OK) {
        *out = store;
        return HG_OK;
    }
    store_close(store);
    return rc;
}

void store_close(struct hg_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < HG_COUNT(store->statements); i++)
        (void)sqlite3_finalize(store->statements[i]);
    (void)sqlite3_close(store->db);
    free(store->path);
    free(store->data_dir);
    free(store);
}

struct hg_str store_data_dir(const struct hg_store *store)
{
    return hg_str_of(store->data_dir);
}

enum hg_rc store_begin(struct hg_store *store, struct hg_error *err)
{
    return store_exec(store, "BEGIN IMMEDIATE", err);
}

enum hg_rc store_commit(struct hg_store *store, struct hg_error *err)
{
    enum hg_rc rc = store_exec(store, "COMMIT", err);

    if (rc != HG_OK)
        store_rollback(store);
    return rc;
}

void store_rollback(struct hg_store *store)
{
    /* After some failures SQLite has rolled back by itself, and says that there is nothing to do. */
    (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}

enum hg_rc store_part_begin(struct hg_store *store, struct hg_error *err)
{
    return store_exec(store, "SAVEPOINT part", err);
}

enum hg_rc store_part_keep(struct hg_store *store, struct hg_error *err)
{
    return store_exec(store, "RELEASE part", err);
}

bool store_part_undo(struct hg_store *store)
{
    return !sqlite3_get_autocommit(store->db) &&
           sqlite3_exec(store->db, "ROLLBACK TO part; RELEASE part", NULL, NULL, NULL) == SQLITE_OK;
}
