/*
 * Hash table that one thread changes while every loop reads it. A reader takes no lock and keeps no entry beyond its turn; what
 * was taken out is freed once every loop has ended a turn (workers/reclaim.c). While it changes, a reader may miss an entry: it
 * then asks the owner.
 */
#ifndef HG_WORKERS_TABLE_H
#define HG_WORKERS_TABLE_H

#include "core/base.h"

#include <stdatomic.h>

/* What waits until no loop can see it any more. Embedded; run is called on the owner's thread. */
struct hg_retired {
    struct hg_retired *next;
    void (*run)(struct hg_retired *retired);
};

/* Embedded in an entry. */
struct hg_table_link {
    struct hg_table_link *_Atomic next;
    uint64_t hash;
};

struct hg_table_heads {
    struct hg_retired retired;
    size_t mask;
    struct hg_table_link *_Atomic at[];
};

struct hg_table {
    struct hg_table_heads *_Atomic heads;
    size_t count;
};

void table_init(struct hg_table *table);
/* The entries are their owners'. */
void table_fini(struct hg_table *table);
/* The former heads when it grew, to be retired; NULL otherwise. */
struct hg_retired *table_add(struct hg_table *table, struct hg_table_link *link, uint64_t hash);
void table_remove(struct hg_table *table, struct hg_table_link *link);

/* Any loop: links of entries that have this hash, one after the other; NULL after the last. */
static inline struct hg_table_link *table_match(struct hg_table_link *link, uint64_t hash)
{
    while (link && link->hash != hash)
        link = atomic_load_explicit(&link->next, memory_order_acquire);
    return link;
}

static inline struct hg_table_link *table_first(const struct hg_table *table, uint64_t hash)
{
    const struct hg_table_heads *heads = atomic_load_explicit(&table->heads, memory_order_acquire);

    return table_match(atomic_load_explicit(&heads->at[hash & heads->mask], memory_order_acquire),
                       hash);
}

static inline struct hg_table_link *table_next(const struct hg_table_link *link)
{
    return table_match(atomic_load_explicit(&link->next, memory_order_acquire), link->hash);
}

#endif
