/*
 * A pool with real loops for tests: functions made by hand, invocations that can be waited for.
 */
#ifndef HG_TESTS_WORKERS_FIXTURE_H
#define HG_TESTS_WORKERS_FIXTURE_H

#include "config/function.h"
#include "workers/workers.h"

#include "core/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    char dir[64], code_dir[128];
    struct hg_loops *loops;
    struct hg_workers *workers;
    struct hg_workers_options options;
    const struct hg_launch_ops *launcher; /* NULL: real processes */
    struct hg_stack *stack;               /* what tests change before the pool is made … */
    struct hg_snapshot *snapshot;         /* … and what becomes of it */
    struct hg_function *function;         /* of the stack, then of the snapshot */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_drained;
};

struct call {
    struct hg_invocation inv;
    struct hg_mail mail;
    struct fixture *fixture;
    struct hg_loop *loop;
    bool is_done;
};

static inline void *run_control(void *arg)
{
    hg_loop_run(((struct fixture *)arg)->loops->control);
    return NULL;
}

/* The function is set up before the pool starts; tests change it in between. */
static inline void fixture_init(struct fixture *f)
{
    char command[400];

    *f = (struct fixture){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    snprintf(f->dir, sizeof(f->dir), "/tmp/hg-workers-XXXXXX");
    if (!mkdtemp(f->dir))
        abort();
    snprintf(f->code_dir, sizeof(f->code_dir), "%s/code", f->dir);
    snprintf(command, sizeof(command), "mkdir %s && ln -s %s %s/bootstrap", f->code_dir,
             TEST_BOOTSTRAP, f->code_dir);
    if (system(command) != 0)
        abort();
    f->stack = stack_new(HG_STR("eu-west-1"), HG_STR("000000000000"));
    f->function = hg_arena_must(f->stack->arena, sizeof(*f->function));
    *f->function =
        (struct hg_function){.name = HG_STR("probe"),
                             .arn = HG_STR("arn:aws:lambda:eu-west-1:000000000000:function:probe"),
                             .version = HG_STR("$LATEST"),
                             .runtime = HG_STR("provided.al2023"),
                             .handler = HG_STR("none"),
                             .code_dir = hg_str_of(f->code_dir),
                             .memory_mb = 128,
                             .timeout_s = 3,
                             .ephemeral_mb = 512,
                             .reserved_concurrency = -1,
                             .log_format = HG_STR("Text")};
    f->stack->functions = hg_arena_must(f->stack->arena, sizeof(void *));
    f->stack->functions[0] = f->function;
    f->stack->function_count = 1;
    f->options = (struct hg_workers_options){
        .region = "eu-west-1",
        .account = "000000000000",
        .max_concurrency = 1000,
        .max_queued = 1000,
        .queue_wait_ms = 2000,
        .idle_timeout_ms = 600000,
        .init_timeout_ms = 10000,
    };
}

static pthread_t control_thread;

/* Loops and the pool, which stand still yet. */
static inline void fixture_make(struct fixture *f, unsigned threads)
{
    static char data_dir[128];
    struct hg_error err;
    const struct hg_family *family;

    f->snapshot = snapshot_of_stack(stack_ref(f->stack));
    family = snapshot_family(f->snapshot, f->function->name);
    if (family)
        f->function = family->latest;

    snprintf(data_dir, sizeof(data_dir), "%s/data", f->dir);
    f->options.data_dir = data_dir;
    f->loops = hg_loops_new(threads);
    f->workers = f->launcher ? workers_new_with(f->loops, &f->options, f->launcher, &err)
                             : workers_new(f->loops, &f->options, &err);
    if (!f->workers) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
}

static inline void fixture_run(struct fixture *f)
{
    hg_loops_start(f->loops);
    pthread_create(&control_thread, NULL, run_control, f);
}

static inline void fixture_start(struct fixture *f, unsigned threads)
{
    fixture_make(f, threads);
    fixture_run(f);
}

static inline void on_call_done(struct hg_invocation *inv)
{
    struct call *call = hg_container_of(inv, struct call, inv);

    pthread_mutex_lock(&call->fixture->lock);
    call->is_done = true;
    pthread_cond_broadcast(&call->fixture->changed);
    pthread_mutex_unlock(&call->fixture->lock);
}

static inline void on_call_mail(struct hg_mail *mail)
{
    struct call *call = hg_container_of(mail, struct call, mail);

    invoke_submit(call->fixture->workers, &call->inv);
}

static inline void call_make(struct fixture *f, const struct hg_function *function,
                             struct call *call, unsigned loop, const char *event)
{
    *call = (struct call){
        .fixture = f, .loop = loop == f->loops->count ? f->loops->control : f->loops->loops[loop]};
    invocation_init(&call->inv, HG_INVOKE_REQUEST_MAX);
    hg_buf_append_cstr(&call->inv.payload, event);
    call->inv.snapshot = snapshot_ref(f->snapshot);
    call->inv.function = function;
    call->inv.done = on_call_done;
    snprintf(call->inv.invoked_arn, sizeof(call->inv.invoked_arn), "%.*s",
             HG_STR_ARG(f->function->arn));
}

/* On the loop of that number; the one after the last is the control loop. */
static inline void call_start_of(struct fixture *f, const struct hg_function *function,
                                 struct call *call, unsigned loop, const char *event, bool tail)
{
    call_make(f, function, call, loop, event);
    call->inv.wants_log_tail = tail;
    hg_mailbox_post(&call->loop->mailbox, &call->mail, on_call_mail);
}

static inline void call_start(struct fixture *f, struct call *call, unsigned loop,
                              const char *event, bool tail)
{
    call_start_of(f, f->function, call, loop, event, tail);
}

/* A background one. */
static inline void call_start_behind(struct fixture *f, struct call *call, unsigned loop,
                                     const char *event)
{
    call_make(f, f->function, call, loop, event);
    call->inv.is_background = true;
    hg_mailbox_post(&call->loop->mailbox, &call->mail, on_call_mail);
}

static inline void call_wait(struct call *call)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 30;
    pthread_mutex_lock(&call->fixture->lock);
    while (!call->is_done) {
        if (pthread_cond_timedwait(&call->fixture->changed, &call->fixture->lock, &deadline) != 0) {
            fprintf(stderr, "an invocation was never answered\n");
            abort();
        }
    }
    pthread_mutex_unlock(&call->fixture->lock);
}

static inline void on_drained(void *arg)
{
    struct fixture *f = arg;

    pthread_mutex_lock(&f->lock);
    f->is_drained = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

struct drain_mail {
    struct hg_mail mail;
    struct fixture *fixture;
};

static inline void on_drain_mail(struct hg_mail *mail)
{
    struct fixture *f = hg_container_of(mail, struct drain_mail, mail)->fixture;

    workers_drain(f->workers, 5000, on_drained, f);
}

/* The pool is drained; no loop runs any more. */
static inline void fixture_halt(struct fixture *f)
{
    struct drain_mail drain = {.fixture = f};

    hg_mailbox_post(&f->loops->control->mailbox, &drain.mail, on_drain_mail);
    pthread_mutex_lock(&f->lock);
    while (!f->is_drained)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
    hg_loop_stop(f->loops->control);
    pthread_join(control_thread, NULL);
    hg_loops_stop(f->loops);
}

static inline void fixture_fini(struct fixture *f)
{
    char command[200];

    workers_free(f->workers);
    hg_loops_free(f->loops);
    snapshot_unref(f->snapshot);
    stack_unref(f->stack);
    snprintf(command, sizeof(command), "rm -rf %s", f->dir);
    if (system(command) != 0)
        abort();
}

static inline void fixture_stop(struct fixture *f)
{
    fixture_halt(f);
    fixture_fini(f);
}

#endif
