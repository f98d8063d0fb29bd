/*
 * A block of cells per thread, on a list that only grows; the owner adds
 * without a lock, readers may see a sum that is a moment old.
 */
#include "core/metrics.h"

#include <stdatomic.h>

/* Upper bounds in microseconds; the last bucket is +Inf. */
static const int64_t bounds_us[] = {100,     250,     500,      1000,    2500,   5000,
                                    10000,   25000,   50000,    100000,  250000, 500000,
                                    1000000, 2500000, 10000000, 30000000};

enum { BOUNDS = HG_COUNT(bounds_us) };

struct histogram_cells {
    _Atomic uint64_t buckets[BOUNDS + 1];
    _Atomic uint64_t sum_us;
};

struct cells {
    struct cells *next;
    _Atomic uint64_t counters[HG_COUNTER_COUNT];
    struct histogram_cells histograms[HG_HISTOGRAM_COUNT];
};

static const struct {
    const char *name, *help;
} counter_rows[] = {
#define HG_COUNTER(symbol, name, help) {name, help},
#define HG_HISTOGRAM(symbol, name, help)
#include "core/metrics.def"
#undef HG_COUNTER
#undef HG_HISTOGRAM
};

static const struct {
    const char *name, *help;
} histogram_rows[] = {
#define HG_COUNTER(symbol, name, help)
#define HG_HISTOGRAM(symbol, name, help) {name, help},
#include "core/metrics.def"
#undef HG_COUNTER
#undef HG_HISTOGRAM
};

static struct cells *_Atomic all_cells;
static _Thread_local struct cells *own_cells;

static struct cells *mine(void)
{
    if (hg_unlikely(!own_cells)) {
        own_cells = hg_calloc(1, sizeof(*own_cells));
        own_cells->next = atomic_load(&all_cells);
        while (!atomic_compare_exchange_weak(&all_cells, &own_cells->next, own_cells))
            ;
    }
    return own_cells;
}

/* Only the owner writes a cell, so a plain add on relaxed atomics is enough. */
static void add(_Atomic uint64_t *cell, uint64_t by)
{
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

void hg_count(enum hg_counter counter, uint64_t by)
{
    add(&mine()->counters[counter], by);
}

void hg_observe_us(enum hg_histogram histogram, int64_t microseconds)
{
    struct histogram_cells *cells = &mine()->histograms[histogram];
    size_t i = 0;

    while (i < BOUNDS && microseconds > bounds_us[i])
        i++;
    add(&cells->buckets[i], 1);
    add(&cells->sum_us, (uint64_t)HG_MAX(microseconds, 0));
}

uint64_t hg_counter_total(enum hg_counter counter)
{
    uint64_t sum = 0;

    for (struct cells *c = atomic_load(&all_cells); c; c = c->next)
        sum += atomic_load_explicit(&c->counters[counter], memory_order_relaxed);
    return sum;
}

static void render_help(struct hg_buf *out, const char *name, const char *help, const char *type)
{
    size_t bare = strcspn(name, "{");

    if (help)
        hg_buf_printf(out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)bare, name, help, (int)bare,
                      name, type);
}

static void render_histogram(struct hg_buf *out, enum hg_histogram histogram)
{
    const char *name = histogram_rows[histogram].name;
    uint64_t buckets[BOUNDS + 1] = {0}, sum_us = 0, total = 0;

    for (struct cells *c = atomic_load(&all_cells); c; c = c->next) {
        struct histogram_cells *cells = &c->histograms[histogram];

        for (size_t i = 0; i <= BOUNDS; i++)
            buckets[i] += atomic_load_explicit(&cells->buckets[i], memory_order_relaxed);
        sum_us += atomic_load_explicit(&cells->sum_us, memory_order_relaxed);
    }
    render_help(out, name, histogram_rows[histogram].help, "histogram");
    for (size_t i = 0; i < BOUNDS; i++) {
        total += buckets[i];
        hg_buf_printf(out, "%s_bucket{le=\"%g\"} %llu\n", name, (double)bounds_us[i] / 1e6,
                      (unsigned long long)total);
    }
    total += buckets[BOUNDS];
    hg_buf_printf(out, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %.6f\n%s_count %llu\n", name,
                  (unsigned long long)total, name, (double)sum_us / 1e6, name,
                  (unsigned long long)total);
}

void hg_metrics_render(struct hg_buf *out)
{
    for (int i = 0; i < HG_COUNTER_COUNT; i++) {
        render_help(out, counter_rows[i].name, counter_rows[i].help, "counter");
        hg_buf_printf(out, "%s %llu\n", counter_rows[i].name,
                      (unsigned long long)hg_counter_total((enum hg_counter)i));
    }
    for (int i = 0; i < HG_HISTOGRAM_COUNT; i++)
        render_histogram(out, (enum hg_histogram)i);
}
