/*
 * What is counted per function and loop. Written by the loop, read by
 * any thread: each number is an atomic with one writer, so adding costs a plain
 * load and store.
 */
#ifndef HG_WORKERS_STATS_H
#define HG_WORKERS_STATS_H

#include "core/base.h"

#include <stdatomic.h>

#define HG_DURATION_BOUNDS_US \
    { \
        1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000, \
            60000000 \
    }
enum { HG_DURATION_BUCKETS = 13 };

struct hg_stats {
    _Atomic uint64_t invocations, errors, timeouts, throttles, cold_starts, duration_us, init_us;
    _Atomic uint64_t buckets[HG_DURATION_BUCKETS + 1];
    _Atomic uint64_t provisioned,
        spillovers; /* invocations in provisioned environments; beside them */
    _Atomic uint64_t environments, idle, starting, queued; /* now */
};

static inline void stats_add(_Atomic uint64_t *counter, uint64_t by)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static inline void stats_sub(_Atomic uint64_t *gauge, uint64_t by)
{
    atomic_store_explicit(gauge, atomic_load_explicit(gauge, memory_order_relaxed) - by,
                          memory_order_relaxed);
}

static inline uint64_t stats_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* One finished invocation. */
void stats_note_run(struct hg_stats *stats, int64_t duration_us);

#endif
