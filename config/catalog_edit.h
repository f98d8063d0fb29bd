/*
 * The inside of a change: what config/catalog*.c share.
 */
#ifndef HG_CONFIG_CATALOG_EDIT_H
#define HG_CONFIG_CATALOG_EDIT_H

#include "config/catalog.h"
#include "config/catalog_rows.h"

/* What every change of one catalog works with; outlives them all. */
struct edit_ground {
    struct hg_store *store;
    const char *data_dir;
    struct hg_stack *stack; /* a reference */
    bool has_template;
};

/* One thing that the change looked at in order to alter it. */
struct edit_touch;

struct hg_edit {
    const struct edit_ground *ground;
    struct hg_arena *arena;
    struct hg_snapshot *next; /* private: base with the alterations */
    struct edit_touch *touched;
    struct hg_map by_key;
    bool is_altered; /* next differs from base */
    bool
        has_written; /* the store's transaction has something of this change beside its alterations */
};

void edit_init(struct hg_edit *edit, const struct edit_ground *ground,
               const struct hg_snapshot *base);
/* Writes the alterations to the store, within its transaction, and makes next ready to be published. */
enum hg_rc edit_write(struct hg_edit *edit, struct hg_error *err) hg_must_use;
/* next, for the caller, who has its reference. */
struct hg_snapshot *edit_take(struct hg_edit *edit);
void edit_fini(struct hg_edit *edit);

/* config/catalog_apply.c: the template as a difference to what was applied last. orphans may be NULL. */
enum hg_rc catalog_apply(struct hg_edit *edit, const struct hg_orphans *orphans,
                         struct hg_error *err) hg_must_use;

#endif
