/*
 * What a queue engine gives without HTTP, through queue.h:
 *   queue_ceiling URI DATA_DIR EVENTS BYTES IN_FLIGHT [flush|os] [keep]
 * Puts EVENTS events of BYTES bytes with IN_FLIGHT on their way at a time, says events/s and latencies, then leases and
 * finishes all that wait and says how fast, and how much memory the process took. keep: leaves them queued.
 */
#include "core/clock.h"
#include "core/log.h"
#include "queue/queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    FUNCTIONS = 4,
    LEASE_MAX = 256,
    LEASED_MAX = 2048, /* on their way at a time while draining */
    BUCKETS = 400,     /* of the latencies: 5 % wide */
};

struct histogram {
    uint64_t buckets[BUCKETS], count;
    int64_t max_us;
};

struct put {
    struct hg_put_op op;
    int64_t began_us;
};

struct settle {
    struct hg_settle_op op;
};

/* All on one loop of the program's own. */
static struct {
    struct hg_queue *queue;
    struct hg_loop *loop;
    struct hg_task more;
    struct hg_blob *payload;
    size_t events, in_flight, submitted, ended, failed;
    struct histogram latency;
    struct hg_lease_op leases[FUNCTIONS];
    bool is_leasing[FUNCTIONS], is_ready[FUNCTIONS];
    size_t leased;
} bench;

static char functions[FUNCTIONS][24];

static void observe(struct histogram *histogram, int64_t us)
{
    size_t i = 0;

    for (double bound = 10; (double)us > bound && i < BUCKETS - 1; bound *= 1.05)
        i++;
    histogram->buckets[i]++;
    histogram->count++;
    histogram->max_us = HG_MAX(histogram->max_us, us);
}

static double percentile(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)((double)histogram->count * share), seen = 0;
    double bound = 10;

    for (size_t i = 0; i < BUCKETS; i++, bound *= 1.05) {
        seen += histogram->buckets[i];
        if (seen >= wanted)
            break;
    }
    return bound / 1000;
}

static void on_put_done(struct hg_queue_op *op)
{
    struct put *put = hg_container_of(op, struct put, op.base);

    observe(&bench.latency, hg_mono_us() - put->began_us);
    if (op->rc != HG_OK && bench.failed++ == 0)
        (void)fprintf(stderr, "put: %s\n", op->why);
    hg_event_free(put->op.event);
    free(put);
    bench.ended++;
    hg_loop_defer(bench.loop, &bench.more);
}

static void put_more(struct hg_task *task)
{
    (void)task;
    while (bench.submitted < bench.events && bench.submitted - bench.ended < bench.in_flight) {
        struct put *put = hg_calloc(1, sizeof(*put));

        put->op.event = hg_event_new(hg_str_of(functions[bench.submitted % FUNCTIONS]), HG_STR(""),
                                     hg_blob_ref(bench.payload));
        put->op.base.done = on_put_done;
        put->began_us = hg_mono_us();
        bench.submitted++;
        queue_put(bench.queue, &put->op);
    }
}

static void on_settled(struct hg_queue_op *op)
{
    struct settle *settle = hg_container_of(op, struct settle, op.base);

    if (op->rc != HG_OK && bench.failed++ == 0)
        (void)fprintf(stderr, "settle: %s\n", op->why);
    hg_event_free(settle->op.event);
    free(settle);
    bench.ended++;
    bench.leased--;
    hg_loop_defer(bench.loop, &bench.more);
}

static void on_leased(struct hg_queue_op *base)
{
    struct hg_lease_op *op = hg_container_of(base, struct hg_lease_op, base);
    size_t which = (size_t)(op - bench.leases);
    struct hg_list *link;

    bench.is_leasing[which] = false;
    bench.is_ready[which] = op->got == op->max;
    bench.leased -= op->max - op->got;
    while ((link = hg_list_pop_front(&op->events))) {
        struct settle *settle = hg_calloc(1, sizeof(*settle));

        settle->op.event = hg_container_of(link, struct hg_event, link);
        settle->op.event->state = HG_EVENT_DELIVERED;
        settle->op.event->tries = 1;
        settle->op.event->condition = HG_CONDITION_SUCCESS;
        settle->op.event->finished_ms = hg_steady_ms();
        settle->op.verdict = HG_FINISH;
        settle->op.base.done = on_settled;
        queue_settle(bench.queue, &settle->op);
    }
    hg_loop_defer(bench.loop, &bench.more);
}

static void lease_more(struct hg_task *task)
{
    (void)task;
    for (size_t i = 0; i < FUNCTIONS; i++) {
        if (bench.is_leasing[i] || !bench.is_ready[i] || bench.leased + LEASE_MAX > LEASED_MAX)
            continue;
        bench.leases[i] = (struct hg_lease_op){
            .base.done = on_leased, .function = functions[i], .channel = "", .max = LEASE_MAX};
        bench.is_leasing[i] = true;
        bench.leased += LEASE_MAX;
        queue_lease(bench.queue, &bench.leases[i]);
    }
}

static void on_lane_ready(void *arg, const char *function, const char *channel)
{
    (void)arg;
    (void)channel;
    for (size_t i = 0; i < FUNCTIONS; i++)
        if (strcmp(function, functions[i]) == 0)
            bench.is_ready[i] = true;
    hg_loop_defer(bench.loop, &bench.more);
}

static void print_memory(void)
{
    char line[256];
    FILE *file = fopen("/proc/self/status", "re");

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmHWM", 5) == 0 || strncmp(line, "VmRSS", 5) == 0)
            (void)printf("  %s", line);
    if (file)
        (void)fclose(file);
}

/* Turns the loop until count operations have ended; says how many a second. */
static void run(const char *what, size_t count, void (*more)(struct hg_task *task))
{
    int64_t began_us = hg_mono_us();
    double seconds;

    bench.submitted = bench.ended = bench.failed = 0;
    hg_task_init(&bench.more, more);
    hg_loop_defer(bench.loop, &bench.more);
    hg_loop_turn(bench.loop, false);
    while (bench.ended < count)
        hg_loop_turn(bench.loop, true);
    seconds = (double)(hg_mono_us() - began_us) / 1e6;
    (void)printf("%s: %.0f events/s (%zu in %.2f s, %zu failed)\n", what, (double)count / seconds,
                 count, seconds, bench.failed);
}

int main(int argc, char **argv)
{
    struct hg_queue_options options = {
        .retention_ms = 24 * 3600 * 1000,
        .history_max = (uint64_t)1 << 30,
        .store_max = (uint64_t)64 << 30,
        .dedup_window_ms = 24 * 3600 * 1000,
    };
    struct hg_queue_listener listener = {.on_lane_ready = on_lane_ready};
    struct hg_error err = {""};
    size_t bytes, waiting;
    char *text;

    if (argc < 6) {
        (void)fprintf(stderr, "usage: %s URI DATA_DIR EVENTS BYTES IN_FLIGHT [flush|os] [keep]\n",
                      argv[0]);
        return 2;
    }
    hg_log_setup(HG_LOG_WARN, HG_LOG_TEXT);
    options.uri = argv[1];
    options.data_dir = argv[2];
    options.durability = argc > 6 && strcmp(argv[6], "os") == 0 ? HG_DURABLE_OS : HG_DURABLE_FLUSH;
    bench.events = strtoul(argv[3], NULL, 10);
    bytes = strtoul(argv[4], NULL, 10);
    bench.in_flight = strtoul(argv[5], NULL, 10);
    text = hg_malloc(bytes + 1);
    memset(text, 'x', bytes);
    bench.payload = hg_blob_new(text, bytes);
    free(text);
    for (int i = 0; i < FUNCTIONS; i++)
        (void)snprintf(functions[i], sizeof(functions[i]), "ceiling-%d", i);
    bench.loop = hg_loop_new(0);
    if (queue_open(&options, &bench.queue, &err) != HG_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }

    /* Of an earlier run with keep. */
    waiting = bench.events + atomic_load(&queue_gauges(bench.queue)->states[HG_EVENT_QUEUED]);
    run("put", bench.events, put_more);
    (void)printf("  ms: p50 %.2f, p99 %.2f, most %.2f\n", percentile(&bench.latency, 0.5),
                 percentile(&bench.latency, 0.99), (double)bench.latency.max_us / 1000);
    print_memory();
    if (argc < 8) {
        listener.loop = bench.loop;
        queue_listen(bench.queue, &listener);
        run("lease and finish", waiting, lease_more);
        print_memory();
    }
    queue_close(bench.queue);
    hg_loop_free(bench.loop);
    hg_blob_unref(bench.payload);
    return bench.failed ? 1 : 0;
}
