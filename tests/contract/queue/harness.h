/*
 * A queue under test, driven from one loop on the test's thread: every call
 * submits its operation there and turns the loop until it is done. Waiting is
 * always for a condition, with a deadline.
 */
#ifndef HG_TESTS_CONTRACT_QUEUE_HARNESS_H
#define HG_TESTS_CONTRACT_QUEUE_HARNESS_H

#include "queue/queue.h"
#include "tests/unit/unit.h"

enum { DEADLINE_MS = 30000 };

struct world {
    struct hg_queue_options options;
    struct hg_kv extra[32];
    struct hg_queue *queue;
    struct hg_loop *loop;
    struct hg_timer heartbeat; /* so that no turn waits for ever */
    bool is_embedded, is_kafka;
    unsigned turns;
};

extern struct world world;

/* URI DATA_DIR [KEY=VALUE…]: retention_ms, history_max, store_max, dedup_window_ms, durability; others are the engine's. */
void world_init(int argc, char **argv);
void world_fini(void);
void world_open(void);
void world_close(void);

/* Turns the loop until it holds; the test fails with what after DEADLINE_MS. */
void wait_until(bool (*holds)(void *arg), void *arg, const char *what);
/* Turns the loop for a little: between looks at an engine that tells nothing. */
void wait_a_little(void);

/* A function's name that no other run has used. */
const char *fresh_function(const char *name);
/* An event with a text as payload. */
struct hg_event *new_event(const char *function, const char *payload);
struct hg_blob *pattern_blob(size_t length, unsigned seed);
void assert_pattern(const struct hg_blob *blob, size_t length, unsigned seed);

enum hg_rc put(struct hg_event *event);
/* Puts a fresh event; its id goes to id. */
void put_ok(const char *function, const char *payload, char id[HG_UUID_LEN + 1]);
/* All at once, then waits for all; each must be HG_OK. Frees the events. */
void put_all(struct hg_event **events, size_t count);
/* One operation; what is got hangs on events. */
unsigned lease_once(const char *function, const char *channel, unsigned max,
                    struct hg_list *events);
/* Leases until it has one, or count of them. */
struct hg_event *lease_one(const char *function, const char *channel);
void lease_count(const char *function, const char *channel, size_t count, struct hg_list *events);
struct hg_event *pop(struct hg_list *events);
enum hg_rc settle(struct hg_event *event, enum hg_verdict verdict);
/* Settles with HG_OK and frees the event. */
void settle_ok(struct hg_event *event, enum hg_verdict verdict);
/* Finishes them all at once and frees them. */
void settle_all(struct hg_list *events);
/* Finishes everything the lane gives until count of them are through. */
void drain(const char *function, size_t count);
enum hg_rc find_id(const char *id, struct hg_event **event);
/* Until the event is in the state; it is the caller's then. */
struct hg_event *find_state(const char *id, enum hg_event_state state);
void free_events(struct hg_list *events);
/* A page; returns how many. */
size_t find_page(struct hg_find_op *op);
enum hg_rc change(const char *id, enum hg_queue_change what, char why[HG_EVENT_WHY_MAX]);

#endif
