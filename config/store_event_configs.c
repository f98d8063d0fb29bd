/*
 * Event invoke configs, a row each.
 */
#include "config/store_db.h"

#include <sqlite3.h>

static const char *const origins[] = {[HG_ORIGIN_TEMPLATE] = "template", [HG_ORIGIN_API] = "api"};

static bool read_origin(sqlite3_stmt *statement, int column, enum hg_origin *origin)
{
    char text[16];

    if (!store_column_text(statement, column, text, sizeof(text)))
        return false;
    for (size_t i = 0; i < HG_COUNT(origins); i++) {
        if (strcmp(text, origins[i]) == 0) {
            *origin = (enum hg_origin)i;
            return true;
        }
    }
    return false;
}

/* NULL means that it was not set. */
static bool read_optional(sqlite3_stmt *statement, int column, int min, int max, int *value)
{
    *value = -1;
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return true;
    *value = sqlite3_column_int(statement, column);
    return *value >= min && *value <= max;
}

static bool read_row(sqlite3_stmt *statement, struct hg_event_config *config,
                     enum hg_origin *origin)
{
    *config = (struct hg_event_config){.last_modified_ms = sqlite3_column_int64(statement, 6)};
    return store_column_text(statement, 0, config->function, sizeof(config->function)) &&
           store_column_text(statement, 1, config->qualifier, sizeof(config->qualifier)) &&
           read_optional(statement, 2, 0, HG_EVENT_RETRIES_DEFAULT, &config->max_retries) &&
           read_optional(statement, 3, HG_EVENT_AGE_MIN_S, HG_EVENT_AGE_DEFAULT_S,
                         &config->max_age_s) &&
           store_column_text(statement, 4, config->on_success, sizeof(config->on_success)) &&
           store_column_text(statement, 5, config->on_failure, sizeof(config->on_failure)) &&
           read_origin(statement, 7, origin);
}

enum hg_rc store_event_configs_read(struct hg_store *store, store_event_config_fn each, void *arg,
                                    struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc =
        store_prepare(store,
                      "SELECT function, qualifier, max_retries, max_age_s, on_success, on_failure, "
                      "last_modified_ms, origin FROM event_invoke_configs "
                      "ORDER BY function, qualifier",
                      &statement, err);
    struct hg_event_config config;
    enum hg_origin origin;
    int step;

    if (rc != HG_OK)
        return rc;
    while (rc == HG_OK && (step = sqlite3_step(statement)) != SQLITE_DONE) {
        if (step != SQLITE_ROW)
            rc = store_failed(store, err);
        else if (!read_row(statement, &config, &origin))
            rc = store_damaged(store, "event_invoke_configs", err);
        else
            each(&config, origin, arg);
    }
    (void)sqlite3_finalize(statement);
    return rc;
}

static void bind_optional(sqlite3_stmt *statement, int index, int value)
{
    if (value >= 0) /* what was not set stays NULL, as every value does before it is bound */
        (void)sqlite3_bind_int(statement, index, value);
}

enum hg_rc store_event_config_put(struct hg_store *store, const struct hg_event_config *config,
                                  enum hg_origin origin, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc =
        store_prepare(store,
                      "INSERT OR REPLACE INTO event_invoke_configs (function, qualifier, "
                      "max_retries, max_age_s, on_success, on_failure, last_modified_ms, origin) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                      &statement, err);

    if (rc != HG_OK)
        return rc;
    store_bind_text(statement, 1, hg_str_of(config->function));
    store_bind_text(statement, 2, hg_str_of(config->qualifier));
    bind_optional(statement, 3, config->max_retries);
    bind_optional(statement, 4, config->max_age_s);
    store_bind_text(statement, 5, hg_str_of(config->on_success));
    store_bind_text(statement, 6, hg_str_of(config->on_failure));
    (void)sqlite3_bind_int64(statement, 7, config->last_modified_ms);
    store_bind_text(statement, 8, hg_str_of(origins[origin]));
    return store_run(store, statement, err);
}

enum hg_rc store_event_config_delete(struct hg_store *store, struct hg_str function,
                                     struct hg_str qualifier, struct hg_error *err)
{
    sqlite3_stmt *statement;
    enum hg_rc rc = store_prepare(
        store, "DELETE FROM event_invoke_configs WHERE function = ? AND qualifier = ?", &statement,
        err);

    if (rc != HG_OK)
        return rc;
    store_bind_text(statement, 1, function);
    store_bind_text(statement, 2, qualifier);
    return store_run(store, statement, err);
}
