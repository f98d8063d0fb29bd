/*
 * Turns of an event loop, timers, and the threads of the group.
 */
#include "core/loop.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct hg_thread {
    pthread_t id;
    struct hg_loop *loop;
    char name[16];
};

static _Thread_local struct hg_loop *current;

struct hg_loop *hg_loop_new(unsigned index)
{
    struct hg_loop *loop = hg_calloc(1, sizeof(*loop));
    struct event_config *config = event_config_new();

    /* Every loop is used by its own thread alone; other threads come by mail. */
    hg_assert(config && event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0);
    loop->base = event_base_new_with_config(config);
    hg_assert(loop->base != NULL);
    event_config_free(config);
    loop->index = index;
    hg_list_init(&loop->tasks);
    hg_list_init(&loop->graveyard);
    hg_mailbox_init(&loop->mailbox, loop);
    return loop;
}

static void empty_graveyard(struct hg_loop *loop)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&loop->graveyard))) {
        struct hg_grave *grave = hg_container_of(link, struct hg_grave, link);

        grave->free(grave);
    }
}

static void end_turn(struct hg_loop *loop)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&loop->tasks))) {
        struct hg_task *task = hg_container_of(link, struct hg_task, link);

        task->run(task);
    }
    empty_graveyard(loop);
}

void hg_loop_turn(struct hg_loop *loop, bool may_wait)
{
    struct hg_loop *outer = current;

    current = loop;
    (void)event_base_loop(loop->base, EVLOOP_ONCE | (may_wait ? 0 : EVLOOP_NONBLOCK));
    end_turn(loop);
    current = outer;
}

void hg_loop_run(struct hg_loop *loop)
{
    current = loop;
    end_turn(loop);
    while (!loop->is_stopping) {
        (void)event_base_loop(loop->base, EVLOOP_ONCE);
        end_turn(loop);
    }
    current = NULL;
}

struct stop_mail {
    struct hg_mail mail;
    struct hg_loop *loop;
};

static void on_stop_mail(struct hg_mail *mail)
{
    struct stop_mail *stop = hg_container_of(mail, struct stop_mail, mail);

    stop->loop->is_stopping = true;
    free(stop);
}

void hg_loop_stop(struct hg_loop *loop)
{
    struct stop_mail *stop = hg_malloc(sizeof(*stop));

    stop->loop = loop;
    hg_mailbox_post(&loop->mailbox, &stop->mail, on_stop_mail);
}

void hg_loop_free(struct hg_loop *loop)
{
    if (!loop)
        return;
    hg_mailbox_deliver(&loop->mailbox);
    end_turn(loop);
    hg_mailbox_fini(&loop->mailbox);
    event_base_free(loop->base);
    free(loop);
}

struct hg_loop *hg_loop_current(void)
{
    return current;
}

void hg_task_init(struct hg_task *task, void (*run)(struct hg_task *task))
{
    hg_list_init(&task->link);
    task->run = run;
}

void hg_loop_defer(struct hg_loop *loop, struct hg_task *task)
{
    if (hg_list_empty(&task->link))
        hg_list_push_back(&loop->tasks, &task->link);
}

void hg_task_cancel(struct hg_task *task)
{
    hg_list_unlink(&task->link);
}

void hg_loop_bury(struct hg_loop *loop, struct hg_grave *grave,
                  void (*free_fn)(struct hg_grave *grave))
{
    grave->free = free_fn;
    hg_list_push_back(&loop->graveyard, &grave->link);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct hg_timer *timer = arg;

    (void)fd;
    (void)what;
    timer->fire(timer);
}

void hg_timer_init(struct hg_timer *timer, struct hg_loop *loop,
                   void (*fire)(struct hg_timer *timer))
{
    timer->fire = fire;
    (void)evtimer_assign(&timer->event, loop->base, on_timer, timer);
}

void hg_timer_start_us(struct hg_timer *timer, int64_t delay_us)
{
    struct timeval delay = {.tv_sec = delay_us / 1000000, .tv_usec = delay_us % 1000000};

    (void)evtimer_add(&timer->event, &delay);
}

void hg_timer_start_ms(struct hg_timer *timer, int64_t delay_ms)
{
    hg_timer_start_us(timer, delay_ms * 1000);
}

void hg_timer_stop(struct hg_timer *timer)
{
    (void)evtimer_del(&timer->event);
}

bool hg_timer_is_running(const struct hg_timer *timer)
{
    return evtimer_pending(&timer->event, NULL) != 0;
}

struct hg_loops *hg_loops_new(unsigned count)
{
    struct hg_loops *loops = hg_calloc(1, sizeof(*loops));

    loops->count = count;
    loops->loops = hg_calloc(count, sizeof(struct hg_loop *));
    loops->threads = hg_calloc(count, sizeof(*loops->threads));
    for (unsigned i = 0; i < count; i++)
        loops->loops[i] = hg_loop_new(i);
    loops->control = hg_loop_new(count);
    return loops;
}

static void *run_thread(void *arg)
{
    struct hg_thread *thread = arg;

    (void)pthread_setname_np(pthread_self(), thread->name);
    hg_loop_run(thread->loop);
    return NULL;
}

/* Signals are for the control loop's thread. */
static void start_thread(struct hg_thread *thread)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    hg_assert(pthread_create(&thread->id, NULL, run_thread, thread) == 0);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct hg_loop_thread {
    struct hg_thread thread;
};

struct hg_loop_thread *hg_loop_thread_start(struct hg_loop *loop, const char *name)
{
    struct hg_loop_thread *started = hg_calloc(1, sizeof(*started));

    started->thread.loop = loop;
    (void)snprintf(started->thread.name, sizeof(started->thread.name), "%s", name);
    start_thread(&started->thread);
    return started;
}

void hg_loop_thread_stop(struct hg_loop_thread *started)
{
    hg_loop_stop(started->thread.loop);
    (void)pthread_join(started->thread.id, NULL);
    free(started);
}

void hg_loops_start(struct hg_loops *loops)
{
    for (unsigned i = 0; i < loops->count; i++) {
        struct hg_thread *thread = &loops->threads[i];

        thread->loop = loops->loops[i];
        (void)snprintf(thread->name, sizeof(thread->name), "loop-%u", thread->loop->index);
        start_thread(thread);
    }
}

void hg_loops_stop(struct hg_loops *loops)
{
    for (unsigned i = 0; i < loops->count; i++)
        hg_loop_stop(loops->loops[i]);
    for (unsigned i = 0; i < loops->count; i++)
        (void)pthread_join(loops->threads[i].id, NULL);
}

void hg_loops_free(struct hg_loops *loops)
{
    if (!loops)
        return;
    for (unsigned i = 0; i < loops->count; i++)
        hg_loop_free(loops->loops[i]);
    hg_loop_free(loops->control);
    free(loops->loops);
    free(loops->threads);
    free(loops);
}
