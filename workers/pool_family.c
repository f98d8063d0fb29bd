/*
 * Functions that the pool knows, by name: found on any loop, made and freed on the control loop. One is known from its first
 * invocation, or from the moment it claims concurrency, until it is deleted and nothing of it runs any more.
 */
#include "workers/shard.h"

#include <stdlib.h>

struct hg_pool_family *pool_family_find(const struct hg_workers *workers, struct hg_str name)
{
    struct hg_table_link *link = table_first(&workers->families, hg_str_hash(name));

    for (; link; link = table_next(link)) {
        struct hg_pool_family *family = hg_container_of(link, struct hg_pool_family, link);

        if (hg_str_is(name, family->name))
            return family;
    }
    return NULL;
}

/* For those who walk all of them. */
static void list_first(struct hg_workers *workers, struct hg_pool_family *family)
{
    struct hg_pool_family *first = atomic_load(&workers->first_family);

    atomic_store(&family->next, first);
    family->before = &workers->first_family;
    if (first)
        first->before = &family->next;
    atomic_store_explicit(&workers->first_family, family, memory_order_release);
}

static void unlist(struct hg_pool_family *family)
{
    struct hg_pool_family *next = atomic_load(&family->next);

    if (next)
        next->before = family->before;
    atomic_store_explicit(family->before, next, memory_order_release);
}

struct hg_pool_family *pool_family_get(struct hg_workers *workers, struct hg_str name)
{
    struct hg_pool_family *family = pool_family_find(workers, name);

    if (family)
        return family;
    family = hg_calloc(1, sizeof(*family) + workers->shard_count * sizeof(struct hg_stats *));
    family->workers = workers;
    family->name = hg_strndup(name.p, name.n);
    hg_list_init(&family->versions);
    quota_init(&family->quota);
    list_first(workers, family);
    reclaim_later(workers, table_add(&workers->families, &family->link, hg_str_hash(name)), NULL);
    return family;
}

static void on_unreachable(struct hg_retired *retired)
{
    pool_family_free(hg_container_of(retired, struct hg_pool_family, retired));
}

void pool_family_put(struct hg_pool_family *family)
{
    struct hg_workers *workers = family->workers;

    if (family->is_deployed || family->version_count || !workers->applied)
        return;
    limits_set(&workers->limits, &family->quota, -1, 0);
    table_remove(&workers->families, &family->link);
    unlist(family);
    reclaim_later(workers, &family->retired, on_unreachable);
}

struct hg_stats *pool_family_stats(struct hg_pool_family *family, unsigned index)
{
    struct hg_stats *stats = atomic_load_explicit(&family->stats[index], memory_order_relaxed);

    if (!stats) {
        stats = hg_calloc(1, sizeof(*stats));
        atomic_store_explicit(&family->stats[index], stats, memory_order_release);
    }
    return stats;
}

void pool_family_free(struct hg_pool_family *family)
{
    for (unsigned i = 0; i < family->workers->shard_count; i++)
        free(atomic_load(&family->stats[i]));
    free(family->name);
    free(family);
}
