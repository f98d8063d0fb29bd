/*
 * What a handle is inside; for core/kafka*.c alone.
 */
#ifndef HG_CORE_KAFKA_HANDLE_H
#define HG_CORE_KAFKA_HANDLE_H

#include "core/kafka.h"

struct rd_kafka_op_s;

struct hg_kafka {
    struct rd_kafka_s *rk;
    struct rd_kafka_queue_s *queue; /* main or consumer queue */
    const char *name;
    bool is_consumer;
    int wake_fd; /* non-blocking: librdkafka writes it under its queue lock */
    struct event event;
    struct hg_timer poll_timer;
    struct hg_kafka_user user;
};

/* The brokers' answer to kafka_make_topics. The event stays the caller's. */
void kafka_end_make_topics(struct rd_kafka_op_s *event);

#endif
