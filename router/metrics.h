/*
 * What is counted per function (async.md §6). Any thread.
 */
#ifndef HG_ROUTER_METRICS_H
#define HG_ROUTER_METRICS_H

#include "queue/event.h"

#include <stdatomic.h>

enum { HG_AGE_BUCKETS = 14, HG_COUNTED_FUNCTIONS_MAX = 1000, HG_COUNTED_SLOTS = 256 };

/* One function's. */
struct hg_async_counts {
    struct hg_async_counts *next; /* of the same slot */
    _Atomic uint64_t received, throttles, system_errors, recursive;
    _Atomic uint64_t dropped[HG_CONDITION_COUNT];
    _Atomic uint64_t delivered, delivery_retries, delivery_failures, dead_letter_errors;
    _Atomic uint64_t age_buckets[HG_AGE_BUCKETS + 1];
    _Atomic uint64_t age_sum_ms;
    _Atomic uint64_t running; /* now */
    char function[];
};

struct hg_async_metrics {
    struct hg_async_counts *_Atomic slots[HG_COUNTED_SLOTS]; /* grow at the front only */
    struct hg_async_counts *others; /* all functions beyond HG_COUNTED_FUNCTIONS_MAX */
    _Atomic unsigned count;
};

void metrics_init(struct hg_async_metrics *metrics);
void metrics_fini(struct hg_async_metrics *metrics);
/* Lives as long as metrics. */
struct hg_async_counts *metrics_of(struct hg_async_metrics *metrics, const char *function);
void metrics_note_age(struct hg_async_counts *counts, int64_t age_ms);
void metrics_render(const struct hg_async_metrics *metrics, struct hg_buf *out);

static inline void metrics_add(_Atomic uint64_t *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline void metrics_take(_Atomic uint64_t *gauge)
{
    (void)atomic_fetch_sub_explicit(gauge, 1, memory_order_relaxed);
}

#endif
