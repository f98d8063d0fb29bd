/*
 * Numbers per function as Prometheus text, summed over loops.
 */
#include "workers/shard.h"

#include <stdio.h>
#include <stdlib.h>

static const int64_t bounds_us[HG_DURATION_BUCKETS] = HG_DURATION_BOUNDS_US;

void stats_note_run(struct hg_stats *stats, int64_t duration_us)
{
    size_t at = 0;

    while (at < HG_DURATION_BUCKETS && duration_us > bounds_us[at])
        at++;
    stats_add(&stats->invocations, 1);
    stats_add(&stats->duration_us, (uint64_t)duration_us);
    stats_add(&stats->buckets[at], 1);
}

static void add_up(struct hg_stats *sum, const struct hg_stats *part)
{
    const _Atomic uint64_t *from = (const _Atomic uint64_t *)part;
    _Atomic uint64_t *to = (_Atomic uint64_t *)sum;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        stats_add(&to[i], stats_get(&from[i]));
}

struct row {
    const char *name;
    struct hg_stats sum;
};

/* One row for each function that the pool knows; the caller frees it. Names live until the end of the turn. */
static struct row *sum_by_name(struct hg_workers *workers, size_t *row_count)
{
    struct hg_pool_family *first =
        atomic_load_explicit(&workers->first_family, memory_order_acquire);
    size_t count = 0, at = 0;
    struct row *rows;

    for (const struct hg_pool_family *f = first; f;
         f = atomic_load_explicit(&f->next, memory_order_acquire))
        count++;
    rows = hg_calloc(count + 1, sizeof(*rows));
    for (const struct hg_pool_family *f = first; f && at < count;
         f = atomic_load_explicit(&f->next, memory_order_acquire)) {
        rows[at].name = f->name;
        for (unsigned i = 0; i < workers->shard_count; i++) {
            const struct hg_stats *stats = atomic_load_explicit(&f->stats[i], memory_order_acquire);

            if (stats)
                add_up(&rows[at].sum, stats);
        }
        at++;
    }
    *row_count = at;
    return rows;
}

static const struct {
    const char *name, *type, *help;
    size_t offset;
} plain[] = {
    {"headgate_function_invocations_total", "counter", "Invocations that ran",
     offsetof(struct hg_stats, invocations)},
    {"headgate_function_errors_total", "counter", "Invocations that failed, time-outs included",
     offsetof(struct hg_stats, errors)},
    {"headgate_function_timeouts_total", "counter", "Invocations that timed out",
     offsetof(struct hg_stats, timeouts)},
    {"headgate_function_throttles_total", "counter", "Invocations refused for want of concurrency",
     offsetof(struct hg_stats, throttles)},
    {"headgate_function_cold_starts_total", "counter", "Environments started",
     offsetof(struct hg_stats, cold_starts)},
    {"headgate_function_provisioned_invocations_total", "counter",
     "Invocations that ran in provisioned environments", offsetof(struct hg_stats, provisioned)},
    {"headgate_function_spillovers_total", "counter",
     "Invocations that found all provisioned environments busy",
     offsetof(struct hg_stats, spillovers)},
    {"headgate_function_environments", "gauge", "Environments there are",
     offsetof(struct hg_stats, environments)},
    {"headgate_function_environments_idle", "gauge", "Environments with nothing to do",
     offsetof(struct hg_stats, idle)},
    {"headgate_function_environments_starting", "gauge", "Environments that do not serve yet",
     offsetof(struct hg_stats, starting)},
    {"headgate_function_queued", "gauge", "Invocations that wait for an environment",
     offsetof(struct hg_stats, queued)},
};

static uint64_t field(const struct row *row, size_t offset)
{
    return stats_get((const _Atomic uint64_t *)(const void *)((const char *)&row->sum + offset));
}

static void put_seconds(struct hg_buf *out, uint64_t microseconds)
{
    hg_buf_printf(out, "%llu.%06llu", (unsigned long long)(microseconds / 1000000),
                  (unsigned long long)(microseconds % 1000000));
}

static void render_durations(const struct row *rows, size_t count, struct hg_buf *out)
{
    static const char name[] = "headgate_function_duration_seconds";

    hg_buf_printf(out, "# HELP %s Time that invocations ran\n# TYPE %s histogram\n", name, name);
    for (size_t r = 0; r < count; r++) {
        uint64_t total = 0;

        for (size_t i = 0; i < HG_DURATION_BUCKETS; i++) {
            total += stats_get(&rows[r].sum.buckets[i]);
            hg_buf_printf(out, "%s_bucket{function=\"%s\",le=\"%g\"} %llu\n", name, rows[r].name,
                          (double)bounds_us[i] / 1e6, (unsigned long long)total);
        }
        total += stats_get(&rows[r].sum.buckets[HG_DURATION_BUCKETS]);
        hg_buf_printf(out, "%s_bucket{function=\"%s\",le=\"+Inf\"} %llu\n", name, rows[r].name,
                      (unsigned long long)total);
        hg_buf_printf(out, "%s_sum{function=\"%s\"} ", name, rows[r].name);
        put_seconds(out, stats_get(&rows[r].sum.duration_us));
        hg_buf_printf(out, "\n%s_count{function=\"%s\"} %llu\n", name, rows[r].name,
                      (unsigned long long)total);
    }
}

void workers_render_metrics(struct hg_workers *workers, struct hg_buf *out)
{
    size_t count;
    struct row *rows = sum_by_name(workers, &count);

    for (size_t i = 0; i < HG_COUNT(plain); i++) {
        hg_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", plain[i].name, plain[i].help,
                      plain[i].name, plain[i].type);
        for (size_t r = 0; r < count; r++)
            hg_buf_printf(out, "%s{function=\"%s\"} %llu\n", plain[i].name, rows[r].name,
                          (unsigned long long)field(&rows[r], plain[i].offset));
    }
    render_durations(rows, count, out);
    free(rows);
}

const char *workers_isolation(const struct hg_workers *workers)
{
    return workers->launcher->isolation;
}

void workers_render_health(struct hg_workers *workers, struct hg_json *json)
{
    size_t count;
    struct row *rows = sum_by_name(workers, &count);
    struct hg_stats sum = {0};

    for (size_t r = 0; r < count; r++)
        add_up(&sum, &rows[r].sum);
    free(rows);
    hg_json_begin_object(json);
    hg_json_field_i64(json, "environments", (int64_t)stats_get(&sum.environments));
    hg_json_field_i64(json, "idle", (int64_t)stats_get(&sum.idle));
    hg_json_field_i64(json, "starting", (int64_t)stats_get(&sum.starting));
    hg_json_field_i64(json, "queued", (int64_t)stats_get(&sum.queued));
    hg_json_field_cstr(json, "isolation", workers_isolation(workers));
    hg_json_end_object(json);
}
