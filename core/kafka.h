/*
 * librdkafka on an event loop: one handle, producer or consumer, whose queues
 * wake the loop through an eventfd. Everything is called on the handle's loop
 * thread, callbacks run there. Knows nothing of what the messages mean.
 *
 * librdkafka's own types appear by their struct names, so that only the files
 * which need more of it include its header.
 */
#ifndef HG_CORE_KAFKA_H
#define HG_CORE_KAFKA_H

#include "core/error.h"
#include "core/list.h"
#include "core/loop.h"
#include "core/str.h"

struct rd_kafka_s;
struct rd_kafka_queue_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;

struct hg_kafka;

/* One of librdkafka's settings, or one of a topic's. */
struct hg_kafka_setting {
    struct hg_str key, value;
};

enum hg_kafka_trouble {
    HG_KAFKA_DOWN,   /* no broker answers */
    HG_KAFKA_DENIED, /* credentials or rights are refused: only a person can mend it */
    HG_KAFKA_FATAL,  /* this handle is of no use any more */
    HG_KAFKA_ODD,    /* worth a line in the log */
};

struct hg_kafka_user {
    void (*on_trouble)(void *arg, enum hg_kafka_trouble trouble, const char *sentence);
    /* Consumers. Message: valid during the call, never an error. */
    void (*on_message)(void *arg, const struct rd_kafka_message_s *message);
    /* The group gives (is_assigned) or takes partitions; is_lost: they are another member's already. NULL: not of a group. */
    void (*on_rebalance)(void *arg, bool is_assigned, bool is_lost,
                         struct rd_kafka_topic_partition_list_s *partitions);
    /* Producers: told about once a second while a broker is connected. May be NULL. */
    void (*on_connected)(void *arg);
    /* After each wake-up: queues given to kafka_watch may have something. May be NULL. */
    void (*on_wake)(void *arg);
    void *arg;
};

struct hg_kafka_options {
    struct hg_loop *loop;
    const char *name; /* in the log */
    bool is_consumer;
    /* Applied in this order: the defaults that the owner wants, then the operator's. */
    const struct hg_kafka_setting *settings, *extra;
    size_t setting_count, extra_count;
    struct hg_kafka_user user;
};

/* Whether librdkafka knows the settings and takes their values. Any thread. HG_E_INVALID with its own sentence. */
enum hg_rc kafka_check(const struct hg_kafka_setting *settings, size_t count, struct hg_error *err);

/* NULL and a sentence for settings that contradict one another. Brokers need not be there. */
struct hg_kafka *kafka_open(const struct hg_kafka_options *options, struct hg_error *err);
/*
 * What was sent and is not acknowledged within timeout_ms ends as undelivered, done included. A consumer stays a member of its
 * group until its session times out. No callback runs afterwards. NULL is allowed.
 */
void kafka_close(struct hg_kafka *kafka, int64_t timeout_ms);

struct rd_kafka_s *kafka_raw(struct hg_kafka *kafka);
/* What arrives on queue wakes the handle. */
void kafka_watch(struct hg_kafka *kafka, struct rd_kafka_queue_s *queue);
/* Wakes the handle once more, after other work of the loop. */
void kafka_wake(struct hg_kafka *kafka);
/* For an owner whose loop does not run: serves what arrives within timeout_ms. */
void kafka_serve(struct hg_kafka *kafka, int64_t timeout_ms);

/* One message on its way; embedded by its owner, who keeps it until done. */
struct hg_kafka_send {
    void (*done)(struct hg_kafka_send *send);
    enum hg_rc
        rc; /* HG_OK: acknowledged as acks says; HG_E_TOO_LARGE; HG_E_BUSY: it may or may not be stored */
    bool is_final; /* sending it again is of no use */
    int32_t partition;
    int64_t offset;
    const char *why; /* static; "" when HG_OK */
};

struct hg_kafka_header {
    const char *name;
    struct hg_str value;
};

/*
 * Copies key, value and headers. partition -1: librdkafka chooses by the key. A value whose p is NULL is a tombstone.
 * HG_E_BUSY: too much waits already; HG_E_TOO_LARGE; other: send->why says. Then done does not run.
 */
enum hg_rc kafka_send(struct hg_kafka *kafka, struct hg_kafka_send *send, const char *topic,
                      int32_t partition, struct hg_str key, struct hg_str value,
                      const struct hg_kafka_header *headers, size_t header_count) hg_must_use;

/* A topic that ought to be there. */
struct hg_kafka_topic {
    const char *name;
    int partitions, replication; /* replication -1: the broker's default */
    const struct hg_kafka_setting *settings;
    size_t setting_count;
};

/* Asked of the brokers; embedded by its owner, who keeps it until done. */
struct hg_kafka_make_topics {
    void (*done)(struct hg_kafka_make_topics *make);
    enum hg_rc rc; /* HG_E_BUSY: no answer; HG_E_INVALID: refused */
    char why[256];
};

/*
 * Makes those that are missing. done always runs later, also in kafka_close. Only while a broker is connected: a request that
 * waits for one makes librdkafka connect without a pause.
 */
void kafka_make_topics(struct hg_kafka *kafka, struct hg_kafka_make_topics *make,
                       const struct hg_kafka_topic *topics, size_t count, int64_t timeout_ms);

/* Whether a broker answers within timeout_ms. Blocks. */
bool kafka_is_answered(struct hg_kafka *kafka, int64_t timeout_ms);
/* How many partitions a topic has; 0: there is none, or no answer within timeout_ms. Blocks. */
int kafka_partition_count(struct hg_kafka *kafka, const char *topic, int64_t timeout_ms);

#endif
