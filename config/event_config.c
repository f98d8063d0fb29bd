/*
 * The configs in force: an immutable table, sorted, replaced as a whole by the
 * one helper thread that also writes the store. Readers take a reference to
 * it, look, and copy.
 */
#include "config/event_config.h"

#include "config/event_config_table.h"
#include "config/store.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct hg_event_configs {
    struct hg_published table;
    struct hg_store *store;
    struct hg_offload *writer; /* one thread: the only one that replaces the table */
};

static struct event_table *fetch(struct hg_event_configs *configs)
{
    return hg_container_of(hg_published_fetch(&configs->table), struct event_table, counted);
}

bool event_configs_find(struct hg_event_configs *configs, struct hg_str function,
                        struct hg_str qualifier, struct hg_event_config *out)
{
    struct event_table *table = fetch(configs);
    const struct event_row *row =
        event_table_find(table, function, qualifier.n ? qualifier : HG_STR("$LATEST"));

    if (row)
        *out = row->config;
    event_table_unref(table);
    return row != NULL;
}

size_t event_configs_list(struct hg_event_configs *configs, struct hg_str function,
                          struct hg_str after, struct hg_event_config *out, size_t max)
{
    struct event_table *table = fetch(configs);
    size_t at = event_table_after(table, function, after), count = 0;

    for (; at < table->count && hg_str_is(function, table->rows[at].config.function); at++) {
        if (count < max)
            out[count] = table->rows[at].config;
        count++;
    }
    event_table_unref(table);
    return count;
}

/* Only the writer comes here, so the table that it took is still the newest. */
static void publish(struct hg_event_configs *configs, struct event_table *next)
{
    struct hg_counted *former = hg_published_replace(&configs->table, &next->counted);

    event_table_unref(hg_container_of(former, struct event_table, counted));
}

/* What the change makes of the row that is there; row may be NULL. */
static void merge(const struct hg_event_config_op *op, const struct event_row *row,
                  struct event_row *next)
{
    *next = (struct event_row){.config = op->config, .origin = HG_ORIGIN_API};
    if (row)
        next->origin = row->origin; /* what the template made goes with the template */
    if (op->change == HG_EVENT_CONFIG_UPDATE) {
        next->config = row->config;
        if (op->config.max_retries >= 0)
            next->config.max_retries = op->config.max_retries;
        if (op->config.max_age_s >= 0)
            next->config.max_age_s = op->config.max_age_s;
        if (op->has_destinations) {
            memcpy(next->config.on_success, op->config.on_success, sizeof(op->config.on_success));
            memcpy(next->config.on_failure, op->config.on_failure, sizeof(op->config.on_failure));
        }
    }
    next->config.last_modified_ms = hg_wall_ms();
}

/* One statement is a transaction of its own. */
static enum hg_rc change(struct hg_event_config_op *op, struct event_table *table)
{
    struct hg_event_configs *configs = op->configs;
    struct hg_str function = hg_str_of(op->config.function),
                  qualifier = hg_str_of(op->config.qualifier);
    const struct event_row *row = event_table_find(table, function, qualifier);
    struct event_table *next;
    struct event_row changed;
    enum hg_rc rc;

    if (!row && op->change != HG_EVENT_CONFIG_PUT)
        return hg_error_set(&op->err, HG_E_NOT_FOUND, "there is no such config");
    if (op->change == HG_EVENT_CONFIG_DELETE) {
        rc = store_event_config_delete(configs->store, function, qualifier, &op->err);
        if (rc != HG_OK)
            return rc;
        next = event_table_copy(table);
        event_table_remove(next, function, qualifier);
    } else {
        merge(op, row, &changed);
        rc = store_event_config_put(configs->store, &changed.config, changed.origin, &op->err);
        if (rc != HG_OK)
            return rc;
        next = event_table_copy(table);
        event_table_put(next, &changed);
        op->config = changed.config;
    }
    publish(configs, next);
    return HG_OK;
}

static void on_work(struct hg_job *job)
{
    struct hg_event_config_op *op = hg_container_of(job, struct hg_event_config_op, job);
    struct event_table *table = fetch(op->configs);

    op->rc = change(op, table);
    event_table_unref(table);
}

static void on_worked(struct hg_job *job)
{
    struct hg_event_config_op *op = hg_container_of(job, struct hg_event_config_op, job);

    op->done(op);
}

void event_configs_submit(struct hg_event_configs *configs, struct hg_loop *home,
                          struct hg_event_config_op *op)
{
    if (op->config.qualifier[0] == '\0')
        (void)snprintf(op->config.qualifier, sizeof(op->config.qualifier), "$LATEST");
    op->configs = configs;
    op->job.work = on_work;
    op->job.done = on_worked;
    hg_offload_submit(configs->writer, home, &op->job);
}

struct hg_event_configs *
event_configs_open(const char *data_dir, const struct hg_snapshot *snapshot, struct hg_error *err)
{
    struct hg_event_configs *configs;
    struct event_table *table;
    struct hg_store *store;

    if (store_open(data_dir, &store, err) != HG_OK)
        return NULL;
    table = event_table_new();
    if (event_table_load(table, store, snapshot, err) != HG_OK) {
        event_table_unref(table);
        store_close(store);
        return NULL;
    }
    configs = aligned_alloc(_Alignof(struct hg_event_configs), sizeof(*configs));
    hg_assert(configs != NULL);
    configs->store = store;
    hg_published_init(&configs->table, &table->counted);
    configs->writer = hg_offload_new("config", 1);
    return configs;
}

void event_configs_close(struct hg_event_configs *configs)
{
    if (!configs)
        return;
    hg_offload_free(configs->writer);
    event_table_unref(
        hg_container_of(hg_published_fini(&configs->table), struct event_table, counted));
    store_close(configs->store);
    free(configs);
}
