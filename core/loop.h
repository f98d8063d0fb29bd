/*
 * Event loops: one libevent base and one thread each. Everything that belongs
 * to a loop is touched on its thread only; other threads send mail.
 *
 * A turn: callbacks of ready events and timers → mail → deferred tasks, until
 * none is left → graveyard. So what many callbacks of one turn wrote goes out
 * in one system call, and nothing is freed while a callback may still use it.
 */
#ifndef HG_CORE_LOOP_H
#define HG_CORE_LOOP_H

#include "core/list.h"
#include "core/mailbox.h"

#include <event2/event.h>
#include <event2/event_struct.h>

/* Work for the end of this turn. Embedded by its owner; queued at most once. */
struct hg_task {
    struct hg_list link;
    void (*run)(struct hg_task *task);
};

/* What dies after this turn. Embedded in the dying object. */
struct hg_grave {
    struct hg_list link;
    void (*free)(struct hg_grave *grave);
};

struct hg_loop {
    struct event_base *base;
    unsigned index; /* place in its group; the control loop comes last */
    struct hg_mailbox mailbox;
    struct hg_list tasks;
    struct hg_list graveyard;
    _Atomic unsigned
        connections; /* public connections that live here; the acceptor's measure of load */
    bool is_stopping;
};

struct hg_loop *hg_loop_new(unsigned index);
/* The loop must not be running. Delivers what is left in its mailbox and graveyard first. */
void hg_loop_free(struct hg_loop *loop);
/* Runs on the calling thread until hg_loop_stop. */
void hg_loop_run(struct hg_loop *loop);
/* Any thread: the loop returns after its current turn. */
void hg_loop_stop(struct hg_loop *loop);
/* The loop that runs on this thread, or NULL. */
struct hg_loop *hg_loop_current(void);
/* One turn; waits for an event when may_wait. For tests. */
void hg_loop_turn(struct hg_loop *loop, bool may_wait);

void hg_task_init(struct hg_task *task, void (*run)(struct hg_task *task));
/* Runs the task at the end of this turn; again before that does nothing. */
void hg_loop_defer(struct hg_loop *loop, struct hg_task *task);
void hg_task_cancel(struct hg_task *task);

/* Frees the object after this turn. */
void hg_loop_bury(struct hg_loop *loop, struct hg_grave *grave,
                  void (*free_fn)(struct hg_grave *grave));

/* A timer: embedded by its owner. */
struct hg_timer {
    struct event event;
    void (*fire)(struct hg_timer *timer);
};

void hg_timer_init(struct hg_timer *timer, struct hg_loop *loop,
                   void (*fire)(struct hg_timer *timer));
/* Fires once after delay; a running timer starts anew. */
void hg_timer_start_us(struct hg_timer *timer, int64_t delay_us);
void hg_timer_start_ms(struct hg_timer *timer, int64_t delay_ms);
void hg_timer_stop(struct hg_timer *timer);
bool hg_timer_is_running(const struct hg_timer *timer);

/* A loop with a thread of its own, named name. */
struct hg_loop_thread;
struct hg_loop_thread *hg_loop_thread_start(struct hg_loop *loop, const char *name);
/* Stops the loop, joins the thread; the loop stays the caller's. */
void hg_loop_thread_stop(struct hg_loop_thread *started);

/* N equal loops with a thread each, and the control loop for the calling thread. */
struct hg_loops {
    unsigned count; /* of the equal loops */
    struct hg_loop **loops;
    struct hg_loop *control; /* index == count */
    struct hg_thread *threads;
};

struct hg_loops *hg_loops_new(unsigned count);
/* Starts the threads of the equal loops. */
void hg_loops_start(struct hg_loops *loops);
/* Stops and joins them. */
void hg_loops_stop(struct hg_loops *loops);
void hg_loops_free(struct hg_loops *loops);

#endif
