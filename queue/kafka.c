/*
 * The Kafka engine: put together and taken apart. What it does is told in
 * queue/kafka.h.
 */
#include "queue/kafka.h"

#include "core/clock.h"

#include <stdlib.h>

static enum hg_rc check(const struct hg_queue_options *options, struct hg_error *err)
{
    struct kafka_options *read = hg_calloc(1, sizeof(*read));
    enum hg_rc rc = kafka_options_read(options, read, err);

    free(read);
    return rc;
}

void kafka_gauges(struct kafka_queue *kq)
{
    const uint64_t *counts = kafka_index_counts(kq->index);
    struct hg_queue_gauges *gauges = &kq->queue->gauges;
    uint64_t running = 0;

    for (int i = 0; i < HG_EVENT_STATE_COUNT; i++) {
        uint64_t leased = HG_MIN((uint64_t)kq->leased_from[i], counts[i]);

        running += leased;
        atomic_store(&gauges->states[i], counts[i] - leased);
    }
    atomic_store(&gauges->states[HG_EVENT_RUNNING], running);
}

static void close_queue(struct hg_queue *queue)
{
    struct kafka_queue *kq = queue->engine;

    kq->is_closing = true;
    /* In this order: what is being written ends while all it belongs to is still there. */
    kafka_read_fini(kq);
    kafka_link_close(kq);
    kafka_source_close(kq);
    kafka_status_close(kq);
    kafka_write_fini(kq);
    kafka_lane_fini(kq);
    kafka_index_close(kq->index);
    hg_map_fini(&kq->live);
    hg_map_fini(&kq->puts);
    hg_map_fini(&kq->put_keys);
    hg_buf_fini(&kq->scratch);
    free(kq);
    queue->engine = NULL;
}

static enum hg_rc open_queue(struct hg_queue *queue, struct hg_error *err)
{
    struct kafka_queue *kq = hg_calloc(1, sizeof(*kq));
    enum hg_rc rc = kafka_options_read(&queue->options, &kq->options, err);

    kq->queue = queue;
    if (rc == HG_OK)
        rc = kafka_index_open(queue->options.data_dir, queue->loop, queue->options.dedup_window_ms,
                              &kq->index, err);
    if (rc != HG_OK) {
        free(kq);
        return rc;
    }
    queue->engine = kq;
    hg_uuid(kq->run);
    kq->trimmed_ms = hg_boot_ms();
    hg_buf_init(&kq->scratch, KAFKA_RECORD_MAX);
    hg_map_init(&kq->live);
    hg_map_init(&kq->lanes);
    hg_map_init(&kq->puts);
    hg_map_init(&kq->put_keys);
    hg_list_init(&kq->unsent);
    hg_list_init(&kq->partitions);
    hg_list_init(&kq->stuck);
    hg_list_init(&kq->leased);
    hg_list_init(&kq->reads);
    kafka_source_start(kq);
    rc = kafka_link_open(kq, err);
    if (rc != HG_OK)
        close_queue(queue);
    return rc;
}

const struct hg_queue_ops hg_queue_kafka_ops = {
    .scheme = "kafka",
    .check = check,
    .open = open_queue,
    .put = kafka_put,
    .lease = kafka_lease,
    .settle = kafka_settle,
    .find = kafka_find,
    .change = kafka_change,
    .close = close_queue,
};
