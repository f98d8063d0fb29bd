/*
 * What queue.c keeps for a queue besides its engine; shared with the files
 * that are the front's other halves (queue_lanes.c, queue_metrics.c).
 */
#ifndef HG_QUEUE_FRONT_H
#define HG_QUEUE_FRONT_H

#include "core/map.h"
#include "queue/backend.h"

enum {
    HG_PUTS_IN_FLIGHT_MAX = 65536,
    HG_PUT_BYTES_IN_FLIGHT_MAX = 64 << 20, /* payloads and events */
};

/* Bounds of a histogram are its kind's; the last bucket has none. */
enum { HG_QUEUE_BUCKETS = 17 };

struct hg_queue_histogram {
    _Atomic uint64_t buckets[HG_QUEUE_BUCKETS];
    _Atomic uint64_t sum, count;
};

/* Written on the queue's loop, read by any thread. */
struct hg_queue_counts {
    _Atomic uint64_t puts, known, refused, leased, finished, requeued, buried, changed;
    struct hg_queue_histogram commit_us, commit_size;
};

/* A text that one thread writes and all read: readers try again when it changed under them. */
struct hg_queue_note {
    _Atomic uint64_t turn; /* odd while it is being written */
    _Atomic uint64_t words[HG_EVENT_WHY_MAX / sizeof(uint64_t)];
};

/* Which lanes were told, and to whom. Queue's loop only. */
struct hg_queue_lanes {
    struct hg_map notices; /* "function\0channel" → struct hg_lane_notice */
    struct hg_queue_listener listener;
    bool has_listener;
};

struct hg_queue_front {
    struct hg_loop_thread *thread;
    struct hg_list ended; /* operations, by link, on their way home at the end of this turn */
    struct hg_task send_home;
    struct hg_queue_lanes lanes;
    struct hg_queue_counts counts;
    _Atomic bool is_up;
    struct hg_queue_note why; /* it is down */
    _Atomic uint64_t puts_in_flight, put_bytes_in_flight;
};

void queue_lanes_init(struct hg_queue_lanes *lanes);
/* No notice arrives from here on, also none that is under way. */
void queue_lanes_fini(struct hg_queue_lanes *lanes);
/* Tells what was told before too. Queue's loop. */
void queue_lanes_listen(struct hg_queue_lanes *lanes, const struct hg_queue_listener *listener);
void queue_lanes_tell(struct hg_queue_lanes *lanes, const char *function, const char *channel);

/* One more that ended, with what. Queue's loop. */
void queue_counts_note(struct hg_queue *queue, const struct hg_queue_op *op);

/* What an operation is, told by what runs it. */
void queue_run_put(struct hg_queue *queue, struct hg_queue_op *op);
void queue_run_lease(struct hg_queue *queue, struct hg_queue_op *op);
void queue_run_settle(struct hg_queue *queue, struct hg_queue_op *op);
void queue_run_find(struct hg_queue *queue, struct hg_queue_op *op);
void queue_run_change(struct hg_queue *queue, struct hg_queue_op *op);

#endif
