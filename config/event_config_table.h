/*
 * A table of event invoke configs, sorted by function and qualifier. Changed by
 * its maker only, before it is published. Used by config/event_config*.c only.
 */
#ifndef HG_CONFIG_EVENT_CONFIG_TABLE_H
#define HG_CONFIG_EVENT_CONFIG_TABLE_H

#include "config/store.h"
#include "core/published.h"

struct event_row {
    struct hg_event_config config;
    enum hg_origin origin;
};

struct event_table {
    struct hg_counted counted;
    struct event_row *rows;
    size_t count;
};

/* Empty, with one reference. */
struct event_table *event_table_new(void);
struct event_table *event_table_copy(const struct event_table *table);
void event_table_unref(struct event_table *table);

const struct event_row *event_table_find(const struct event_table *table, struct hg_str function,
                                         struct hg_str qualifier);
/* Place of the first row of the function behind the qualifier; "" is before all. */
size_t event_table_after(const struct event_table *table, struct hg_str function,
                         struct hg_str qualifier);
void event_table_put(struct event_table *table, const struct event_row *row);
void event_table_remove(struct event_table *table, struct hg_str function, struct hg_str qualifier);

/* event_config_apply.c: fills an empty table from the store, and applies the template's settings to both. */
enum hg_rc event_table_load(struct event_table *table, struct hg_store *store,
                            const struct hg_snapshot *snapshot, struct hg_error *err) hg_must_use;

#endif
