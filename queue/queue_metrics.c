/*
 * The queue's numbers as Prometheus text (version 0.0.4).
 */
#include "core/clock.h"
#include "queue/front.h"

#include <stdio.h>

static const uint64_t commit_us_bounds[HG_QUEUE_BUCKETS - 1] = {
    50,    100,   250,    500,    1000,   2500,    5000,    10000,
    25000, 50000, 100000, 250000, 500000, 1000000, 5000000, 30000000};
static const uint64_t commit_size_bounds[HG_QUEUE_BUCKETS - 1] = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};

/* The queue's loop is the only writer, so a plain add on relaxed atomics is enough. */
static void add(_Atomic uint64_t *cell, uint64_t by)
{
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static void observe(struct hg_queue_histogram *histogram, const uint64_t *bounds, uint64_t value)
{
    size_t i = 0;

    while (i < HG_QUEUE_BUCKETS - 1 && value > bounds[i])
        i++;
    add(&histogram->buckets[i], 1);
    add(&histogram->sum, value);
    add(&histogram->count, 1);
}

void queue_note_commit(struct hg_queue *queue, size_t operations, int64_t took_us)
{
    struct hg_queue_counts *counts = &queue->front->counts;

    observe(&counts->commit_us, commit_us_bounds, (uint64_t)HG_MAX(took_us, 0));
    observe(&counts->commit_size, commit_size_bounds, operations);
}

void queue_counts_note(struct hg_queue *queue, const struct hg_queue_op *op)
{
    struct hg_queue_counts *counts = &queue->front->counts;

    if (op->run == queue_run_put && op->rc != HG_OK)
        (void)atomic_fetch_add(&counts->refused, 1); /* other threads refuse too */
    if (op->rc != HG_OK)
        return;
    if (op->run == queue_run_put) {
        add(hg_container_of(op, struct hg_put_op, base)->was_known ? &counts->known : &counts->puts,
            1);
    } else if (op->run == queue_run_lease) {
        add(&counts->leased, hg_container_of(op, struct hg_lease_op, base)->got);
    } else if (op->run == queue_run_settle) {
        enum hg_verdict verdict = hg_container_of(op, struct hg_settle_op, base)->verdict;

        add(verdict == HG_FINISH    ? &counts->finished
            : verdict == HG_REQUEUE ? &counts->requeued
                                    : &counts->buried,
            1);
    } else if (op->run == queue_run_change) {
        add(&counts->changed, 1);
    }
}

static void render_head(struct hg_buf *out, const char *name, const char *help, const char *type)
{
    hg_buf_printf(out, "# HELP headgate_event_queue_%s %s\n# TYPE headgate_event_queue_%s %s\n",
                  name, help, name, type);
}

/* labels: "" or ",key=\"value\"". */
static void render_value(struct hg_buf *out, const struct hg_queue *queue, const char *name,
                         const char *labels, uint64_t value)
{
    hg_buf_printf(out, "headgate_event_queue_%s{engine=\"%s\"%s} %llu\n", name, queue->ops->scheme,
                  labels, (unsigned long long)value);
}

/* scale: what a unit of the kept values is in the told ones. */
static void render_histogram(struct hg_buf *out, const struct hg_queue *queue, const char *name,
                             struct hg_queue_histogram *histogram, const uint64_t *bounds,
                             double scale)
{
    const char *engine = queue->ops->scheme;
    uint64_t total = 0;

    for (size_t i = 0; i < HG_QUEUE_BUCKETS - 1; i++) {
        total += atomic_load(&histogram->buckets[i]);
        hg_buf_printf(out, "headgate_event_queue_%s_bucket{engine=\"%s\",le=\"%g\"} %llu\n", name,
                      engine, (double)bounds[i] * scale, (unsigned long long)total);
    }
    total += atomic_load(&histogram->buckets[HG_QUEUE_BUCKETS - 1]);
    hg_buf_printf(out,
                  "headgate_event_queue_%s_bucket{engine=\"%s\",le=\"+Inf\"} %llu\n"
                  "headgate_event_queue_%s_sum{engine=\"%s\"} %.6f\n"
                  "headgate_event_queue_%s_count{engine=\"%s\"} %llu\n",
                  name, engine, (unsigned long long)total, name, engine,
                  (double)atomic_load(&histogram->sum) * scale, name, engine,
                  (unsigned long long)total);
}

static void render_gauges(struct hg_buf *out, struct hg_queue *queue)
{
    int64_t oldest_ms = atomic_load(&queue->gauges.oldest_ms);
    char labels[64];

    render_head(out, "up", "Whether new events can be stored", "gauge");
    render_value(out, queue, "up", "", atomic_load(&queue->front->is_up));
    render_head(out, "events", "Events by state", "gauge");
    for (int i = 0; i < HG_EVENT_STATE_COUNT; i++) {
        (void)snprintf(labels, sizeof(labels), ",state=\"%s\"",
                       hg_event_state_name((enum hg_event_state)i));
        render_value(out, queue, "events", labels, atomic_load(&queue->gauges.states[i]));
    }
    render_head(out, "oldest_age_seconds", "Age of the oldest event that is not finished", "gauge");
    hg_buf_printf(out, "headgate_event_queue_oldest_age_seconds{engine=\"%s\"} %.3f\n",
                  queue->ops->scheme,
                  oldest_ms ? (double)HG_MAX(hg_steady_ms() - oldest_ms, 0) / 1000 : 0.0);
    render_head(out, "bytes", "Bytes stored, where the engine knows", "gauge");
    render_value(out, queue, "bytes", "", atomic_load(&queue->gauges.bytes));
    render_head(out, "puts_in_flight", "Events on their way into the store", "gauge");
    render_value(out, queue, "puts_in_flight", "", atomic_load(&queue->front->puts_in_flight));
}

void queue_render_metrics(struct hg_queue *queue, struct hg_buf *out)
{
    struct hg_queue_counts *counts = &queue->front->counts;
    const struct {
        const char *name, *labels, *help;
        _Atomic uint64_t *value;
    } rows[] = {
        {"puts_total", "", "Events stored", &counts->puts},
        {"known_total", "", "Events that were stored before: same idempotency key or id",
         &counts->known},
        {"refused_total", "", "Events that could not be stored", &counts->refused},
        {"leases_total", "", "Events handed out to be run or delivered", &counts->leased},
        {"settles_total", ",verdict=\"finish\"", "Events whose step was settled",
         &counts->finished},
        {"settles_total", ",verdict=\"requeue\"", NULL, &counts->requeued},
        {"settles_total", ",verdict=\"bury\"", NULL, &counts->buried},
        {"changes_total", "", "Events redriven or purged", &counts->changed},
        {"redelivered_total", "", "Leases given a second time, because a node died or restarted",
         &queue->gauges.redelivered},
        {"parked_total", "", "Events moved out of the way of others", &queue->gauges.parked},
    };

    render_gauges(out, queue);
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        if (rows[i].help)
            render_head(out, rows[i].name, rows[i].help, "counter");
        render_value(out, queue, rows[i].name, rows[i].labels, atomic_load(rows[i].value));
    }
    render_head(out, "commit_duration_seconds", "Time that storing a batch took", "histogram");
    render_histogram(out, queue, "commit_duration_seconds", &counts->commit_us, commit_us_bounds,
                     1e-6);
    render_head(out, "commit_operations", "Operations that were stored together", "histogram");
    render_histogram(out, queue, "commit_operations", &counts->commit_size, commit_size_bounds, 1);
}
