/*
 * What background work may count on. Reads the numbers that loops publish.
 */
#include "workers/shard.h"

static void add_version(struct hg_room *room, const struct hg_version *version, unsigned shards)
{
    unsigned all = atomic_load(&version->environments), starting = 0;

    room->queued_ahead += waiting_ahead(version);
    room->run_us = HG_MAX(room->run_us, atomic_load(&version->run_us));
    for (unsigned i = 0; i < shards; i++) {
        room->idle += atomic_load(&version->at[i].idle_free);
        starting += (unsigned)stats_get(&version->at[i].stats.starting);
    }
    starting = HG_MIN(starting, all);
    room->starting += starting;
    room->environments += all - starting;
}

void workers_room(struct hg_workers *workers, const struct hg_function *function,
                  struct hg_room *room)
{
    struct hg_limit *limit = limits_of(&workers->limits, function);

    *room = (struct hg_room){
        .is_reserved = limit->function_name != NULL,
        .max = atomic_load(&limit->max),
        .is_full = limit_is_full(limit),
    };
    for (const struct hg_version *version = atomic_load(&workers->versions); version;
         version = version->next)
        if (atomic_load(&version->is_current) && hg_str_is(function->name, version->name))
            add_version(room, version, workers->shard_count);
}
