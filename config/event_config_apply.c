/*
 * The template's event invoke configs at start. Each is applied when its value
 * is not the one that was applied last: so a change by the API lives on until
 * the template says something new.
 */
#include "config/event_config_table.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KIND "event-invoke-config"

enum {
    NAME_MAX_BYTES = sizeof(((struct hg_event_config *)0)->function) +
                     sizeof(((struct hg_event_config *)0)->qualifier)
};

/* A value of the template that was applied; chained in the order of reading. */
struct applied {
    struct applied *next;
    unsigned char hash[HG_APPLIED_HASH_LEN];
    bool is_in_template;
    char name[NAME_MAX_BYTES];
};

struct apply {
    struct event_table *table;
    struct hg_store *store;
    struct applied *first;
    struct hg_map by_name;
    struct hg_error *err;
};

static void on_row(const struct hg_event_config *config, enum hg_origin origin, void *arg)
{
    struct apply *apply = arg;

    event_table_put(apply->table, &(struct event_row){*config, origin});
}

static void on_applied(struct hg_str name, const unsigned char *hash, void *arg)
{
    struct apply *apply = arg;
    struct applied *applied = hg_calloc(1, sizeof(*applied));

    (void)snprintf(applied->name, sizeof(applied->name), "%.*s", HG_STR_ARG(name));
    memcpy(applied->hash, hash, sizeof(applied->hash));
    applied->next = apply->first;
    apply->first = applied;
    (void)hg_map_set(&apply->by_name, hg_str_of(applied->name), applied);
}

static void hash_setting(const struct hg_event_setting *setting,
                         unsigned char hash[HG_APPLIED_HASH_LEN])
{
    struct hg_buf text;

    hg_buf_init(&text, 4 * HG_DESTINATION_MAX);
    hg_buf_printf(&text, "%d %d %.*s %.*s", setting->max_retries, setting->max_age_s,
                  HG_STR_ARG(setting->on_success), HG_STR_ARG(setting->on_failure));
    hg_sha256(hg_buf_str(&text), hash);
    hg_buf_fini(&text);
}

static void set_text(char *out, size_t size, struct hg_str text)
{
    (void)snprintf(out, size, "%.*s", HG_STR_ARG(text));
}

static enum hg_rc apply_one(struct apply *apply, const struct hg_event_setting *setting)
{
    struct event_row row = {.origin = HG_ORIGIN_TEMPLATE};
    struct hg_event_config *config = &row.config;
    unsigned char hash[HG_APPLIED_HASH_LEN];
    char name[NAME_MAX_BYTES];
    struct applied *applied;
    enum hg_rc rc;

    set_text(config->function, sizeof(config->function), setting->function_name);
    set_text(config->qualifier, sizeof(config->qualifier), setting->qualifier);
    set_text(config->on_success, sizeof(config->on_success), setting->on_success);
    set_text(config->on_failure, sizeof(config->on_failure), setting->on_failure);
    config->max_retries = setting->max_retries;
    config->max_age_s = setting->max_age_s;
    config->last_modified_ms = hg_wall_ms();
    (void)snprintf(name, sizeof(name), "%s:%s", config->function, config->qualifier);
    hash_setting(setting, hash);
    applied = hg_map_get(&apply->by_name, hg_str_of(name));
    if (applied)
        applied->is_in_template = true;
    if (applied && memcmp(applied->hash, hash, sizeof(hash)) == 0)
        return HG_OK;
    rc = store_event_config_put(apply->store, config, row.origin, apply->err);
    if (rc == HG_OK)
        rc = store_applied_put(apply->store, KIND, hg_str_of(name), hash, apply->err);
    if (rc == HG_OK)
        event_table_put(apply->table, &row);
    return rc;
}

/* What the API made anew after deleting the template's stays. */
static enum hg_rc drop_one(struct apply *apply, const struct applied *applied)
{
    struct hg_str qualifier = hg_str_of(applied->name), function;
    const struct event_row *row;
    enum hg_rc rc = store_applied_delete(apply->store, KIND, qualifier, apply->err);

    (void)hg_str_next(&qualifier, ':', &function);
    row = event_table_find(apply->table, function, qualifier);
    if (rc != HG_OK || !row || row->origin != HG_ORIGIN_TEMPLATE)
        return rc;
    rc = store_event_config_delete(apply->store, function, qualifier, apply->err);
    if (rc == HG_OK)
        event_table_remove(apply->table, function, qualifier);
    return rc;
}

static enum hg_rc apply_all(struct apply *apply, const struct hg_snapshot *snapshot)
{
    enum hg_rc rc = store_begin(apply->store, apply->err);

    if (rc != HG_OK)
        return rc;
    for (size_t i = 0; rc == HG_OK && i < snapshot->stack->event_setting_count; i++)
        rc = apply_one(apply, &snapshot->stack->event_settings[i]);
    for (const struct applied *one = apply->first; rc == HG_OK && one; one = one->next)
        if (!one->is_in_template)
            rc = drop_one(apply, one);
    if (rc == HG_OK)
        return store_commit(apply->store, apply->err);
    store_rollback(apply->store);
    return rc;
}

enum hg_rc event_table_load(struct event_table *table, struct hg_store *store,
                            const struct hg_snapshot *snapshot, struct hg_error *err)
{
    struct apply apply = {.table = table, .store = store, .err = err};
    enum hg_rc rc = store_event_configs_read(store, on_row, &apply, err);

    hg_map_init(&apply.by_name);
    if (rc == HG_OK)
        rc = store_applied_read(store, KIND, on_applied, &apply, err);
    if (rc == HG_OK)
        rc = apply_all(&apply, snapshot);
    hg_map_fini(&apply.by_name);
    while (apply.first) {
        struct applied *next = apply.first->next;

        free(apply.first);
        apply.first = next;
    }
    return rc;
}
