/*
 * Deletes what is settled and older than the retention from the events and
 * delay topics, whose own retention is off: by time alone Kafka would delete
 * what nobody has run yet. Each node does so for the partitions that it has.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/log.h"

#include <librdkafka/rdkafka.h>

enum { TRIM_EVERY_MS = 300000, ANSWER_MS = 2000, LATER_MS = 60000 };

/* The first offsets of the time before which all may go. Blocks for one round trip. */
static bool ask_offsets(struct kafka_queue *kq, rd_kafka_topic_partition_list_t *list)
{
    int64_t before_ms = hg_wall_ms() - kq->queue->options.retention_ms - LATER_MS;

    HG_LIST_EACH(it, &kq->partitions)
    {
        const struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        if (partition->committed > 0)
            rd_kafka_topic_partition_list_add(list, kq->options.topics[partition->topic],
                                              partition->number)
                ->offset = HG_MAX(before_ms, 0);
    }
    return list->cnt > 0 && !rd_kafka_offsets_for_times(kafka_raw(kq->group), list, ANSWER_MS);
}

/* Where everything is older the offset is the end; only what is committed goes. */
static void limit_to_committed(struct kafka_queue *kq, rd_kafka_topic_partition_list_t *list)
{
    HG_LIST_EACH(it, &kq->partitions)
    {
        const struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);
        rd_kafka_topic_partition_t *found = rd_kafka_topic_partition_list_find(
            list, kq->options.topics[partition->topic], partition->number);

        if (found && !found->err && (found->offset < 0 || found->offset > partition->committed))
            found->offset = partition->committed;
    }
    for (int i = list->cnt - 1; i >= 0; i--)
        if (list->elems[i].err || list->elems[i].offset <= 0)
            (void)rd_kafka_topic_partition_list_del_by_idx(list, i);
}

void kafka_trim_tick(struct kafka_queue *kq)
{
    rd_kafka_topic_partition_list_t *list;
    rd_kafka_DeleteRecords_t *records;
    rd_kafka_queue_t *queue;

    if (!kq->is_up || !kq->group || hg_boot_ms() - kq->trimmed_ms < TRIM_EVERY_MS)
        return;
    kq->trimmed_ms = hg_boot_ms();
    list = rd_kafka_topic_partition_list_new(8);
    if (ask_offsets(kq, list)) {
        limit_to_committed(kq, list);
        if (list->cnt > 0) {
            records = rd_kafka_DeleteRecords_new(list);
            queue = rd_kafka_queue_get_main(kafka_raw(kq->producer));
            /* Nobody waits for the answer: what was not deleted is asked for again. */
            rd_kafka_DeleteRecords(kafka_raw(kq->producer), &records, 1, NULL, queue);
            rd_kafka_queue_destroy(queue);
            rd_kafka_DeleteRecords_destroy(records);
            hg_debug("kafka_trim", "partitions=%d", list->cnt);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
}
