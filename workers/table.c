/*
 * Chains with atomic links. An entry that is taken out keeps its link, so that whoever stands on it goes on.
 */
#include "workers/table.h"

#include <stdlib.h>

enum { HEADS_MIN = 64 };

static struct hg_table_heads *make_heads(size_t count)
{
    struct hg_table_heads *heads =
        hg_calloc(1, sizeof(*heads) + count * sizeof(struct hg_table_link *));

    heads->mask = count - 1;
    return heads;
}

void table_init(struct hg_table *table)
{
    table->count = 0;
    atomic_init(&table->heads, make_heads(HEADS_MIN));
}

void table_fini(struct hg_table *table)
{
    free(atomic_load(&table->heads));
}

static void push(struct hg_table_heads *heads, struct hg_table_link *link)
{
    struct hg_table_link *_Atomic *head = &heads->at[link->hash & heads->mask];

    atomic_store_explicit(&link->next, atomic_load_explicit(head, memory_order_relaxed),
                          memory_order_release);
    atomic_store_explicit(head, link, memory_order_release);
}

static void free_heads(struct hg_retired *retired)
{
    free(hg_container_of(retired, struct hg_table_heads, retired));
}

/* Whoever reads meanwhile may be led from one chain into another, to its end. */
static struct hg_retired *grow(struct hg_table *table)
{
    struct hg_table_heads *old = atomic_load(&table->heads), *heads = make_heads(2 * old->mask + 2);

    for (size_t i = 0; i <= old->mask; i++) {
        struct hg_table_link *link = atomic_load(&old->at[i]), *next;

        for (; link; link = next) {
            next = atomic_load(&link->next);
            push(heads, link);
        }
    }
    atomic_store_explicit(&table->heads, heads, memory_order_release);
    old->retired.run = free_heads;
    return &old->retired;
}

struct hg_retired *table_add(struct hg_table *table, struct hg_table_link *link, uint64_t hash)
{
    struct hg_retired *retired = NULL;

    if (table->count > atomic_load(&table->heads)->mask)
        retired = grow(table);
    link->hash = hash;
    push(atomic_load(&table->heads), link);
    table->count++;
    return retired;
}

void table_remove(struct hg_table *table, struct hg_table_link *link)
{
    struct hg_table_heads *heads = atomic_load(&table->heads);
    struct hg_table_link *_Atomic *at = &heads->at[link->hash & heads->mask];

    while (atomic_load(at) != link)
        at = &atomic_load(at)->next;
    atomic_store_explicit(at, atomic_load(&link->next), memory_order_release);
    table->count--;
}
