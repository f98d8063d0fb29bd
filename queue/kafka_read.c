/*
 * Fetches single records by their place, one after the other, through a
 * consumer of their own that is only made when somebody asks. For people who
 * look at an event, and for redrives: not for the many.
 */
#include "queue/kafka.h"

#include "core/clock.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { READ_TIMEOUT_MS = 5000 };

static struct kafka_read *current(struct kafka_queue *kq)
{
    return hg_list_empty(&kq->reads) ? NULL
                                     : hg_container_of(kq->reads.next, struct kafka_read, link);
}

static void begin(struct kafka_queue *kq);

static void end(struct kafka_queue *kq, enum hg_rc rc)
{
    struct kafka_read *read = current(kq);

    hg_timer_stop(&kq->read_timer);
    hg_list_unlink(&read->link);
    read->rc = rc;
    read->done(read);
    begin(kq);
}

static void on_message(void *arg, const rd_kafka_message_t *message)
{
    struct kafka_queue *kq = arg;
    struct kafka_read *read = current(kq);
    struct hg_kafka_record record;

    if (!read || message->partition != read->place.partition ||
        message->offset < read->place.offset ||
        strcmp(rd_kafka_topic_name(message->rkt), kq->options.topics[read->place.topic]) != 0)
        return; /* of the one before */
    if (message->offset != read->place.offset || !message->payload ||
        kafka_record_read(hg_str_n(message->payload, message->len), &record, NULL) != HG_OK) {
        end(kq, HG_E_NOT_FOUND);
        return;
    }
    if (record.has_payload)
        read->payload = hg_blob_new(record.payload.p, record.payload.n);
    if (record.has_result)
        read->result = hg_blob_new(record.result.p, record.result.n);
    end(kq, HG_OK);
}

/* The offset is out of range: deleted. */
static void on_trouble(void *arg, enum hg_kafka_trouble trouble, const char *sentence)
{
    struct kafka_queue *kq = arg;

    (void)sentence;
    if (trouble == HG_KAFKA_ODD && current(kq))
        end(kq, HG_E_NOT_FOUND);
}

static void on_timeout(struct hg_timer *timer)
{
    struct kafka_queue *kq = hg_container_of(timer, struct kafka_queue, read_timer);

    /* Compacted away with nothing behind it: no record comes, and no error. */
    if (current(kq))
        end(kq, kq->is_reachable ? HG_E_NOT_FOUND : HG_E_BUSY);
}

static bool open_reader(struct kafka_queue *kq)
{
    struct hg_kafka_user user = {.on_trouble = on_trouble, .on_message = on_message, .arg = kq};
    struct kafka_consumer consumer = {.name = "reader", .fetch_wait_ms = "10"};
    char group[KAFKA_TOPIC_NAME_MAX];

    if (kq->reader)
        return true;
    (void)snprintf(group, sizeof(group), "%s.reader", kq->options.prefix);
    consumer.group = group;
    hg_timer_init(&kq->read_timer, kq->queue->loop, on_timeout);
    kq->reader = kafka_link_consumer(kq, &consumer, &user, NULL);
    return kq->reader != NULL;
}

static void begin(struct kafka_queue *kq)
{
    struct kafka_read *read = current(kq);
    rd_kafka_topic_partition_list_t *list;

    if (!read || kq->is_closing) {
        if (kq->reader)
            (void)rd_kafka_assign(kafka_raw(kq->reader), NULL);
        return;
    }
    list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kq->options.topics[read->place.topic],
                                      read->place.partition)
        ->offset = read->place.offset;
    (void)rd_kafka_assign(kafka_raw(kq->reader), list);
    rd_kafka_topic_partition_list_destroy(list);
    hg_timer_start_ms(&kq->read_timer, READ_TIMEOUT_MS);
}

void kafka_read_start(struct kafka_queue *kq, struct kafka_read *read)
{
    bool was_idle = hg_list_empty(&kq->reads);

    hg_list_push_back(&kq->reads, &read->link);
    if (!open_reader(kq))
        end(kq, HG_E_BUSY);
    else if (was_idle)
        begin(kq);
}

void kafka_read_fini(struct kafka_queue *kq)
{
    while (current(kq))
        end(kq, HG_E_BUSY);
    if (kq->reader)
        hg_timer_stop(&kq->read_timer);
    kafka_close(kq->reader, 0);
    kq->reader = NULL;
}
