/*
 * Counters of functions in a table that only grows, and as Prometheus text.
 */
#include "router/metrics.h"

#include <stdlib.h>
#include <string.h>

static const int64_t bounds_ms[HG_AGE_BUCKETS] = {
    5, 10, 50, 100, 500, 1000, 5000, 10000, 60000, 120000, 300000, 1800000, 3600000, 21600000};

static struct hg_async_counts *new_counts(const char *function)
{
    size_t length = strlen(function);
    struct hg_async_counts *counts = hg_calloc(1, sizeof(*counts) + length + 1);

    memcpy(counts->function, function, length);
    return counts;
}

void metrics_init(struct hg_async_metrics *metrics)
{
    *metrics = (struct hg_async_metrics){.others = new_counts("(others)")};
}

void metrics_fini(struct hg_async_metrics *metrics)
{
    for (size_t i = 0; i < HG_COUNTED_SLOTS; i++) {
        struct hg_async_counts *counts = atomic_load(&metrics->slots[i]);

        while (counts) {
            struct hg_async_counts *next = counts->next;

            free(counts);
            counts = next;
        }
    }
    free(metrics->others);
}

static struct hg_async_counts *find(struct hg_async_counts *from, const struct hg_async_counts *end,
                                    const char *function)
{
    for (; from != end; from = from->next)
        if (strcmp(from->function, function) == 0)
            return from;
    return NULL;
}

struct hg_async_counts *metrics_of(struct hg_async_metrics *metrics, const char *function)
{
    uint64_t hash = hg_str_hash(hg_str_of(function));
    struct hg_async_counts *_Atomic *slot = &metrics->slots[hash % HG_COUNTED_SLOTS];
    struct hg_async_counts *first = atomic_load_explicit(slot, memory_order_acquire);
    struct hg_async_counts *found = find(first, NULL, function), *made, *seen;

    if (found)
        return found;
    if (atomic_fetch_add(&metrics->count, 1) >= HG_COUNTED_FUNCTIONS_MAX) {
        (void)atomic_fetch_sub(&metrics->count, 1);
        return metrics->others;
    }
    made = new_counts(function);
    for (;;) {
        seen = made->next = first;
        if (atomic_compare_exchange_strong(slot, &first, made))
            return made;
        /* Another thread was quicker, maybe with the same one. */
        found = find(first, seen, function);
        if (found) {
            (void)atomic_fetch_sub(&metrics->count, 1);
            free(made);
            return found;
        }
    }
}

void metrics_note_age(struct hg_async_counts *counts, int64_t age_ms)
{
    size_t at = 0;

    age_ms = HG_MAX(age_ms, (int64_t)0);
    while (at < HG_AGE_BUCKETS && age_ms > bounds_ms[at])
        at++;
    metrics_add(&counts->age_buckets[at]);
    (void)atomic_fetch_add_explicit(&counts->age_sum_ms, (uint64_t)age_ms, memory_order_relaxed);
}

static const struct hg_async_counts *next_counts(const struct hg_async_metrics *metrics,
                                                 size_t *slot, const struct hg_async_counts *counts)
{
    if (counts)
        counts = counts->next;
    while (!counts && *slot < HG_COUNTED_SLOTS)
        counts = atomic_load_explicit(&metrics->slots[(*slot)++], memory_order_acquire);
    if (!counts && (*slot)++ == HG_COUNTED_SLOTS &&
        atomic_load(&metrics->count) >= HG_COUNTED_FUNCTIONS_MAX)
        counts = metrics->others;
    return counts;
}

#define EACH_COUNTS(counts, metrics) \
    const struct hg_async_counts *counts = NULL; \
    for (size_t slot_ = 0; (counts = next_counts((metrics), &slot_, counts));)

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static const struct {
    const char *name, *type, *help;
    size_t offset;
} plain[] = {
    {"headgate_function_async_events_received_total", "counter", "Asynchronous events accepted",
     offsetof(struct hg_async_counts, received)},
    {"headgate_function_async_events_running", "gauge", "Asynchronous events that run now",
     offsetof(struct hg_async_counts, running)},
    {"headgate_function_async_throttles_total", "counter",
     "Attempts that found no concurrency; they come back without using up a retry",
     offsetof(struct hg_async_counts, throttles)},
    {"headgate_function_async_system_errors_total", "counter",
     "Attempts for which no environment could be made; they come back without using up a retry",
     offsetof(struct hg_async_counts, system_errors)},
    {"headgate_function_recursive_invocations_dropped_total", "counter",
     "Invocations that were stopped because their chain went through the function too often",
     offsetof(struct hg_async_counts, recursive)},
    {"headgate_function_destination_deliveries_total", "counter",
     "Records and dead letters that their target has accepted",
     offsetof(struct hg_async_counts, delivered)},
    {"headgate_function_destination_retries_total", "counter",
     "Deliveries that failed and are tried again",
     offsetof(struct hg_async_counts, delivery_retries)},
    {"headgate_function_destination_delivery_failures_total", "counter",
     "Records that could not be delivered to their destination",
     offsetof(struct hg_async_counts, delivery_failures)},
    {"headgate_function_dead_letter_errors_total", "counter",
     "Events that could not be delivered to their dead-letter queue",
     offsetof(struct hg_async_counts, dead_letter_errors)},
};

static void put_value(struct hg_buf *out, const char *name, const struct hg_async_counts *counts,
                      size_t offset)
{
    const void *at = (const char *)counts + offset;

    hg_buf_printf(out, "%s{function=\"%s\"} %llu\n", name, counts->function,
                  (unsigned long long)get(at));
}

static void render_plain(const struct hg_async_metrics *metrics, struct hg_buf *out)
{
    for (size_t i = 0; i < HG_COUNT(plain); i++) {
        hg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", plain[i].name, plain[i].help,
                      plain[i].name, plain[i].type);
        EACH_COUNTS(counts, metrics)
        put_value(out, plain[i].name, counts, plain[i].offset);
    }
}

static void put_dropped(struct hg_buf *out, const struct hg_async_counts *counts)
{
    for (unsigned i = HG_CONDITION_SUCCESS + 1; i < HG_CONDITION_COUNT; i++)
        hg_buf_printf(
            out,
            "headgate_function_async_events_dropped_total{function=\"%s\",condition=\"%s\"} %llu\n",
            counts->function, hg_event_condition_name((enum hg_event_condition)i),
            (unsigned long long)get(&counts->dropped[i]));
}

static void render_dropped(const struct hg_async_metrics *metrics, struct hg_buf *out)
{
    static const char name[] = "headgate_function_async_events_dropped_total";

    hg_buf_printf(out, "# HELP %s Events that ended without a successful run\n# TYPE %s counter\n",
                  name, name);
    EACH_COUNTS(counts, metrics)
    put_dropped(out, counts);
}

static void put_ages(struct hg_buf *out, const struct hg_async_counts *counts)
{
    static const char name[] = "headgate_function_async_event_age_seconds";
    uint64_t total = 0, sum_ms = get(&counts->age_sum_ms);

    for (size_t i = 0; i < HG_AGE_BUCKETS; i++) {
        total += get(&counts->age_buckets[i]);
        hg_buf_printf(out, "%s_bucket{function=\"%s\",le=\"%g\"} %llu\n", name, counts->function,
                      (double)bounds_ms[i] / 1e3, (unsigned long long)total);
    }
    total += get(&counts->age_buckets[HG_AGE_BUCKETS]);
    hg_buf_printf(out, "%s_bucket{function=\"%s\",le=\"+Inf\"} %llu\n", name, counts->function,
                  (unsigned long long)total);
    hg_buf_printf(out, "%s_sum{function=\"%s\"} %llu.%03llu\n%s_count{function=\"%s\"} %llu\n",
                  name, counts->function, (unsigned long long)(sum_ms / 1000),
                  (unsigned long long)(sum_ms % 1000), name, counts->function,
                  (unsigned long long)total);
}

static void render_ages(const struct hg_async_metrics *metrics, struct hg_buf *out)
{
    static const char name[] = "headgate_function_async_event_age_seconds";

    hg_buf_printf(
        out,
        "# HELP %s Time between an event's acceptance and each of its attempts\n# TYPE %s histogram\n",
        name, name);
    EACH_COUNTS(counts, metrics)
    put_ages(out, counts);
}

void metrics_render(const struct hg_async_metrics *metrics, struct hg_buf *out)
{
    render_plain(metrics, out);
    render_dropped(metrics, out);
    render_ages(metrics, out);
}
