/*
 * The Kafka engine's inside: what queue/kafka*.c share. Queue's loop only.
 *
 * An event is a record in <prefix>.events, or in one of the delay topics while
 * it must wait. The nodes are one consumer group of those topics. What a node
 * has read and not settled it holds (struct kafka_held), in offset order for
 * each partition; the offset before the first held one is committed. An event
 * is settled by a newer record of it: in <prefix>.status (finished), in a
 * delay topic (again later), in <prefix>.dead. Only once the brokers have
 * acknowledged that record the old one is let go: nothing is lost, and after a
 * crash old records are read again. Each copy counts one hop more, and status
 * tells every node the present hop: what is past is dropped when it is read.
 *
 * Why no transactions: they would tie the new record to the commit of an
 * offset, but settles come in any order and an offset may only be committed
 * when all before it are settled; and each would cost a round trip more for
 * all events of a node. Hops give the same with less: left over are events
 * that ran when their node died, which run again whatever the engine does.
 *
 * Time: due times are hg_steady_ms of the node that wrote them. No wait is
 * longer than the delay topic's own from the time it was read or written, and
 * a record from the future (a clock that was set back) counts as written now:
 * steps make an event late by at most the step, and lose none. A node whose
 * clock is ahead of the others' by some time hurries events by as much.
 */
#ifndef HG_QUEUE_KAFKA_H
#define HG_QUEUE_KAFKA_H

#include "core/kafka.h"
#include "core/map.h"
#include "queue/backend.h"
#include "queue/kafka_index.h"
#include "queue/kafka_record.h"

enum {
    KAFKA_PREFIX_MAX = 200,
    KAFKA_TOPIC_NAME_MAX = KAFKA_PREFIX_MAX + 20,
    KAFKA_SETTINGS_MAX = 100,
    KAFKA_RECORD_MAX = HG_KAFKA_RECORD_HEAD + 8192 + HG_EVENT_PAYLOAD_MAX + HG_EVENT_RESULT_MAX,
};

/* What the operator gave: the URI and kafka.*; texts live as long as hg_queue_options. */
struct kafka_options {
    char brokers[2048];
    char prefix[KAFKA_PREFIX_MAX + 1];
    char topics[HG_KAFKA_TOPIC_COUNT][KAFKA_TOPIC_NAME_MAX];
    struct hg_kafka_setting client[KAFKA_SETTINGS_MAX], topic[KAFKA_SETTINGS_MAX];
    size_t client_count, topic_count;
    int partitions, replication;
};

/* HG_E_INVALID and a sentence that names the option. */
enum hg_rc kafka_options_read(const struct hg_queue_options *options, struct kafka_options *out,
                              struct hg_error *err) hg_must_use;
/* How long the topic's records wait; 0 for those that are not delay topics. */
int64_t kafka_delay_of(enum hg_kafka_topic_id topic);
/* The longest delay topic that is not longer than wait_ms; the shortest otherwise. */
enum hg_kafka_topic_id kafka_delay_topic(int64_t wait_ms);

struct kafka_queue;

/* Events of one lane that are here and due. */
struct kafka_lane {
    struct hg_str key; /* function \0 channel */
    const char *function, *channel;
    struct hg_list waiting; /* struct kafka_held by turn, oldest due first */
    unsigned waiting_count, leased_count;
    size_t waiting_bytes;
    bool is_told; /* since the last lease that came back short */
    /* What does not fit comes back one by one, about as fast as the lane is leased. */
    double per_second;
    int64_t counted_since_us, next_place_ms;
    unsigned counted, parked;
    unsigned parked_here; /* of these, delayed in memory */
};

enum kafka_held_state { KAFKA_DELAYED, KAFKA_WAITING, KAFKA_LEASED, KAFKA_MOVING };

/* One write of an event's record or status; embedded, kept until done. */
struct kafka_write {
    struct hg_kafka_send send;
    struct kafka_queue *kq;
    const struct hg_event *event; /* whose life it is; lent until done */
    uint32_t hop;
    enum hg_kafka_topic_id topic;
    struct hg_kafka_place body;
    int64_t started_us;
    enum hg_rc rc;
    const char *why;
    void (*done)(struct kafka_write *write);
};

/* A record that was read and is not settled. */
struct kafka_held {
    struct hg_list in_partition; /* offset order */
    struct hg_list turn;         /* lane's waiting, partition's delayed, queue's leased or stuck */
    struct kafka_partition *partition; /* NULL: another node's by now */
    struct kafka_lane *lane;           /* waiting or leased */
    struct kafka_lane *parked;         /* delayed for want of room in it */
    enum kafka_held_state state;
    enum hg_event_state leased_from; /* what it was before */
    char id[HG_UUID_LEN + 1];
    bool is_live; /* in the map of ids */
    uint32_t hop, redrives;
    struct hg_kafka_place place;
    size_t bytes;
    int64_t ready_ms;                 /* to be looked at again */
    int64_t since_ms;                 /* it waits */
    struct hg_event *event;           /* the router's while leased */
    struct hg_blob *payload, *result; /* of the record */
    int64_t accepted_ms;
    struct kafka_write write;
    struct hg_settle_op *settle;
};

struct kafka_partition {
    struct hg_list link;
    enum hg_kafka_topic_id topic;
    int32_t number;
    struct rd_kafka_queue_s *queue;
    struct hg_list held;    /* by in_partition */
    struct hg_list delayed; /* by turn, earliest ready first */
    unsigned delayed_count;
    int64_t next, committed; /* offsets; -1: none yet */
    bool is_stuck;           /* has a record that only a newer version understands */
};

struct kafka_queue {
    struct hg_queue *queue;
    struct kafka_options options;
    struct kafka_index *index;
    struct hg_kafka *producer, *status, *group, *reader;
    char run[HG_UUID_LEN + 1]; /* of this opening; in its marks */
    int32_t partition_counts[HG_KAFKA_TOPIC_COUNT];
    struct hg_buf scratch; /* a record being written */

    /* The link to the brokers; kafka_link.c. */
    struct hg_kafka_make_topics make;
    bool is_making, is_reachable, is_known, is_up, must_renew, must_rejoin, is_leaving;
    bool was_denied, was_gone;
    char denial[HG_EVENT_WHY_MAX];
    unsigned probes;
    struct hg_timer probe_timer;

    /* Status; kafka_status.c. */
    uint64_t mark, marked_ms;  /* marks sent; 0: none */
    unsigned marks_missing;    /* partitions whose newest mark has not come back */
    uint64_t seen_marks[1024]; /* by status partition */
    struct hg_list unsent;     /* status records that were refused: to be sent again */
    unsigned unsent_count;
    int64_t swept_ms, trimmed_ms;

    /* Source; kafka_source.c. */
    struct hg_list partitions;
    struct hg_map live; /* id → struct kafka_held */
    size_t held_bytes;
    unsigned moving;
    struct hg_list stuck; /* held whose move failed, by turn */
    struct hg_timer delay_timer, tick_timer;

    /* Lanes; kafka_lane.c. */
    struct hg_map lanes;
    struct hg_list leased; /* held by turn */
    unsigned leased_from[HG_EVENT_STATE_COUNT];

    /* Puts and reads. */
    struct hg_map puts;     /* id → struct kafka_put: under way */
    struct hg_map put_keys; /* function \0 idempotency key → the same */
    struct hg_list reads;   /* struct kafka_read; the first is being read */
    struct hg_timer read_timer;
    unsigned turn_of_partition;
    bool is_closing;
};

/* kafka_link.c: brokers come and go. */
enum hg_rc kafka_link_open(struct kafka_queue *kq, struct hg_error *err);
void kafka_link_close(struct kafka_queue *kq);
/* Nothing is acknowledged: down until a probe succeeds. */
void kafka_link_lost(struct kafka_queue *kq, const char *why);
/* Something that up depends on has changed. */
void kafka_link_look(struct kafka_queue *kq);
/* A consumer with this engine's settings. */
struct kafka_consumer {
    const char *name, *group;
    const char *instance;      /* its name in the group, NULL: none */
    const char *fetch_wait_ms; /* how long the brokers hold a request back when there is nothing */
};
struct hg_kafka *kafka_link_consumer(struct kafka_queue *kq, const struct kafka_consumer *consumer,
                                     const struct hg_kafka_user *user, struct hg_error *err);

/* kafka_write.c. */
/* The event's record, at hop, to topic; then its status. done: the record is stored, or not. */
void kafka_write_event(struct kafka_queue *kq, struct kafka_write *write,
                       const struct hg_event *event, uint32_t hop, enum hg_kafka_topic_id topic);
/* The status of an event that has ended; body: where its record is. done: it is stored, or not. */
void kafka_write_end(struct kafka_queue *kq, struct kafka_write *write,
                     const struct hg_event *event, uint32_t hop, const struct hg_kafka_place *body);
/* Record into dead, then status. */
void kafka_write_dead(struct kafka_queue *kq, struct kafka_write *write,
                      const struct hg_event *event, uint32_t hop);
/* PURGED. write->event is not used. */
void kafka_write_purge(struct kafka_queue *kq, struct kafka_write *write, const char *id,
                       uint32_t hop);
/* A tombstone; sent and forgotten. */
void kafka_write_tombstone(struct kafka_queue *kq, enum hg_kafka_topic_id topic, const char *id);
/* Status as the index has it, of an event that lives; sent until it is stored. */
void kafka_write_status(struct kafka_queue *kq, const char *id);
void kafka_write_again(struct kafka_queue *kq);
void kafka_write_mark(struct kafka_queue *kq, int32_t partition);
void kafka_write_fini(struct kafka_queue *kq);

/* kafka_status.c. */
enum hg_rc kafka_status_open(struct kafka_queue *kq, struct hg_error *err);
void kafka_status_close(struct kafka_queue *kq);
/* Nothing that was read is handed out until the index knows all that was acknowledged up to now. */
void kafka_status_mark(struct kafka_queue *kq);
bool kafka_status_is_fresh(const struct kafka_queue *kq);
void kafka_status_tick(struct kafka_queue *kq, int64_t now_ms);

/* kafka_source.c. */
void kafka_source_start(struct kafka_queue *kq);
enum hg_rc kafka_source_open(struct kafka_queue *kq, struct hg_error *err);
void kafka_source_close(struct kafka_queue *kq);
void kafka_source_wake(struct kafka_queue *kq);
/* The record is past: its offset may be committed. Frees it; its event too unless it is leased. */
void kafka_held_end(struct kafka_queue *kq, struct kafka_held *held);
/* To the delay topic that leads to until_ms. */
void kafka_held_move(struct kafka_queue *kq, struct kafka_held *held, int64_t until_ms);
/* The lane has room: what was put aside and is here comes first. */
void kafka_source_admit(struct kafka_queue *kq, struct kafka_lane *lane);

/* kafka_trim.c. */
void kafka_trim_tick(struct kafka_queue *kq);

/* kafka_lane.c. */
/* NULL when there is none and may_make is false. */
struct kafka_lane *kafka_lane_of(struct kafka_queue *kq, const struct hg_event *event,
                                 bool may_make);
bool kafka_lane_has_room(const struct kafka_queue *kq, const struct kafka_lane *lane);
/* When one that has no room ought to come back. */
int64_t kafka_lane_next_place(struct kafka_queue *kq, struct kafka_lane *lane, int64_t now_ms);
void kafka_lane_add(struct kafka_queue *kq, struct kafka_lane *lane, struct kafka_held *held);
/* Out of the lane, waiting or leased. */
void kafka_lane_remove(struct kafka_queue *kq, struct kafka_held *held);
void kafka_lane_sweep(struct kafka_queue *kq, int64_t now_ms);
void kafka_lane_fini(struct kafka_queue *kq);
void kafka_lease(struct hg_queue *queue, struct hg_lease_op *op);

/* kafka_put.c, kafka_settle.c, kafka_find.c, kafka_read.c: operations. */
void kafka_put(struct hg_queue *queue, struct hg_put_op *op);
void kafka_settle(struct hg_queue *queue, struct hg_settle_op *op);
void kafka_change(struct hg_queue *queue, struct hg_change_op *op);
void kafka_find(struct hg_queue *queue, struct hg_find_op *op);

/* One record fetched by its place; embedded, kept until done. */
struct kafka_read {
    struct hg_list link;
    struct hg_kafka_place place;
    char id[HG_UUID_LEN + 1];
    enum hg_rc rc;                    /* HG_E_NOT_FOUND: it is gone; HG_E_BUSY */
    struct hg_blob *payload, *result; /* the reader's owner's */
    void (*done)(struct kafka_read *read);
};

/* done runs later, also when the queue closes. */
void kafka_read_start(struct kafka_queue *kq, struct kafka_read *read);
void kafka_read_fini(struct kafka_queue *kq);

void kafka_gauges(struct kafka_queue *kq);

#endif
