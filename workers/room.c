/*
 * What background work may count on. Reads the numbers that loops publish.
 */
#include "workers/shard.h"

static void add_version(struct hg_room *room, const struct hg_version *version, unsigned shards)
{
    room->environments += atomic_load(&version->environments);
    room->queued_ahead += waiting_ahead(version);
    room->run_us = HG_MAX(room->run_us, atomic_load(&version->run_us));
    for (unsigned i = 0; i < shards; i++) {
        const struct hg_version_shard *vs =
            atomic_load_explicit(&version->at[i], memory_order_acquire);

        for (unsigned kind = 0; vs && kind < HG_IDLE_KINDS; kind++)
            room->idle += atomic_load(&vs->idle[kind].free);
    }
}

static void add_starting(struct hg_room *room, const struct hg_pool_family *family, unsigned shards)
{
    unsigned starting = 0;

    for (unsigned i = 0; i < shards; i++) {
        const struct hg_stats *stats =
            atomic_load_explicit(&family->stats[i], memory_order_acquire);

        starting += stats ? (unsigned)stats_get(&stats->starting) : 0;
    }
    room->starting = HG_MIN(starting, room->environments);
    room->environments -= room->starting;
}

void workers_room(struct hg_workers *workers, const struct hg_function *function,
                  struct hg_room *room)
{
    const struct hg_pool_family *family = pool_family_find(workers, function->name);
    const struct hg_limits *limits = &workers->limits;

    *room = (struct hg_room){.is_reserved = function->reserved_concurrency >= 0,
                             .max = atomic_load(&limits->shared.max),
                             .is_full = limit_is_full(&limits->shared)};
    if (room->is_reserved)
        room->max = (unsigned)function->reserved_concurrency;
    if (!family)
        return;
    room->max =
        HG_MIN(room->is_reserved ? room->max : room->max + atomic_load(&family->quota.own.max),
               limits->total);
    room->is_full = quota_is_full(limits, &family->quota);
    HG_LIST_EACH(link, &family->versions)
    add_version(room, hg_container_of(link, struct hg_version, link), workers->shard_count);
    add_starting(room, family, workers->shard_count);
}
