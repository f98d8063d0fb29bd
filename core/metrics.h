/*
 * Counters and histograms of the whole program, listed in metrics.def. Adding
 * is cheap: each thread has cells of its own; reading sums them.
 */
#ifndef HG_CORE_METRICS_H
#define HG_CORE_METRICS_H

#include "core/buf.h"

enum hg_counter {
#define HG_COUNTER(symbol, name, help) HG_M_##symbol,
#define HG_HISTOGRAM(symbol, name, help)
#include "core/metrics.def"
#undef HG_COUNTER
#undef HG_HISTOGRAM
    HG_COUNTER_COUNT
};

enum hg_histogram {
#define HG_COUNTER(symbol, name, help)
#define HG_HISTOGRAM(symbol, name, help) HG_M_##symbol,
#include "core/metrics.def"
#undef HG_COUNTER
#undef HG_HISTOGRAM
    HG_HISTOGRAM_COUNT
};

/* Any thread. */
void hg_count(enum hg_counter counter, uint64_t by);
void hg_observe_us(enum hg_histogram histogram, int64_t microseconds);

uint64_t hg_counter_total(enum hg_counter counter);

/* Prometheus text format 0.0.4 of everything in metrics.def. */
void hg_metrics_render(struct hg_buf *out);

#endif
