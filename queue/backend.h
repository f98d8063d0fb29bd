/*
 * What an engine must do. One instance, one thread: every function below but
 * check runs on the queue's own loop, and so does all that the engine itself
 * sets up there. An operation ends with queue_op_end, at any later time or at
 * once: its submitter hears of it later, which queue.c sees to.
 *
 * open and close run while the loop stands still, before its thread starts and
 * after it has ended; they may turn it themselves (hg_loop_turn).
 */
#ifndef HG_QUEUE_BACKEND_H
#define HG_QUEUE_BACKEND_H

#include "queue/queue.h"

/* What an engine sees of its queue. */
struct hg_queue {
    const struct hg_queue_ops *ops;
    struct hg_queue_options options; /* strings live as long as the queue */
    struct hg_loop *loop;            /* the queue's own */
    void *engine;                    /* the engine's own */
    struct hg_queue_gauges gauges;   /* kept current by the engine */
    struct hg_queue_front *front;    /* queue.c */
};

struct hg_queue_ops {
    const char *scheme; /* "embedded", "redis", "kafka" */
    /* Whether the URI and the engine's own options mean something; nothing is opened. Any thread. HG_E_INVALID with a sentence. */
    enum hg_rc (*check)(const struct hg_queue_options *options, struct hg_error *err);
    /*
     * May block. HG_OK also when a server cannot be reached yet (queue_set_down says why); an error for what will
     * not mend itself: a bad URI or option, refused credentials, a damaged or newer store.
     */
    enum hg_rc (*open)(struct hg_queue *queue, struct hg_error *err);
    /* HG_OK once durable as configured. An event with a dedup key that was accepted within the window: see hg_put_op. */
    void (*put)(struct hg_queue *queue, struct hg_put_op *op);
    /* What the lane has due, oldest due first, at most max; at once, also when that is nothing. Hidden from every node until settled. */
    void (*lease)(struct hg_queue *queue, struct hg_lease_op *op);
    /* Stores the event's new life and ends its lease, both or neither. */
    void (*settle)(struct hg_queue *queue, struct hg_settle_op *op);
    void (*find)(struct hg_queue *queue, struct hg_find_op *op);
    void (*change)(struct hg_queue *queue, struct hg_change_op *op);
    /*
     * Ends every operation it still has. Nothing that was acknowledged is lost; leases of this node are given back where
     * others wait for them. Frees engine. May block, bounded.
     */
    void (*close)(struct hg_queue *queue);
};

extern const struct hg_queue_ops hg_queue_embedded_ops, hg_queue_redis_ops, hg_queue_kafka_ops;

/* Ends an operation with rc; the sentence (printf-like, may be NULL for HG_OK) is for the log and the caller. */
void queue_op_end(struct hg_queue_op *op, enum hg_rc rc, const char *why, ...) hg_printf_like(3, 4);

/*
 * The lane has something due. Once is enough until a lease of that lane has come back with less than its max;
 * then the next thing due is told anew. Telling too often is harmless.
 */
void queue_lane_ready(struct hg_queue *queue, const char *function, const char *channel);

/* Puts will fail until queue_set_up: the server is gone, the disk is full. Logged once each way. */
void queue_set_down(struct hg_queue *queue, const char *why, ...) hg_printf_like(2, 3);
void queue_set_up(struct hg_queue *queue);

/* For an engine's own metrics lines. */
void queue_note_commit(struct hg_queue *queue, size_t operations, int64_t took_us);

#endif
