/*
 * Who waits, who goes first, and when another environment is started. This
 * file never reads from or writes to a process.
 *
 * An invocation takes an idle environment of its own loop; else of another
 * loop (promised by an atomic count, then sent there by mail); else it waits,
 * and an environment is started for it if the limits allow. Whatever becomes
 * idle looks for who waits: here first, then on other loops. The two sides
 * publish before they look (count up, then read the other's count), so that
 * one of them always sees the other.
 */
#include "core/clock.h"
#include "workers/environment.h"

#include <stdlib.h>

enum {
    CLIENT_CONTEXT_MAX = 4096, /* the service's limit is 3583 bytes */
    PATIENCE_MIN_US = 10000,   /* a wait below this is never worth a process */
    LOOK_AGAIN_MS = 5,         /* while somebody waits */
};

/* ---- the end of an invocation ---- */

void pool_discard(struct hg_running *running)
{
    snapshot_unref(running->snapshot);
    hg_blob_unref(running->event);
    hg_blob_unref(running->answer);
    free(running->client_context);
    free(running->tail);
    free(running);
}

/* On the origin loop. */
static void tell(struct hg_running *running)
{
    struct hg_invocation *inv = running->inv;

    if (inv) {
        inv->running = NULL;
        inv->rc = running->rc;
        inv->throttle_reason = running->throttle_reason;
        inv->error = running->error;
        inv->answer = running->answer;
        running->answer = NULL;
        memcpy(inv->content_type, running->content_type, sizeof(inv->content_type));
        inv->tail_bytes = running->tail;
        inv->log_tail = hg_str_n(running->tail, running->tail_length);
        running->tail = NULL;
        inv->duration_us = running->duration_us;
        inv->init_us = running->init_us;
        inv->done(inv);
    }
    pool_discard(running);
}

static void on_task(struct hg_task *task)
{
    tell(hg_container_of(task, struct hg_running, task));
}

static void on_home_mail(struct hg_mail *mail)
{
    tell(hg_container_of(mail, struct hg_running, mail));
}

void pool_finish(struct hg_running *running)
{
    struct hg_pool_shard *shard = running->shard;

    hg_blob_unref(running->event);
    running->event = NULL;
    atomic_fetch_sub_explicit(&shard->busy, 1, memory_order_relaxed);
    if (running->origin == shard->loop)
        hg_loop_defer(shard->loop, &running->task);
    else
        hg_mailbox_post(&running->origin->mailbox, &running->mail, on_home_mail);
}

void pool_throttle(struct hg_version_shard *vs, struct hg_running *running, const char *reason)
{
    stats_add(&vs->stats.throttles, 1);
    running->rc = HG_E_THROTTLED;
    running->throttle_reason = reason;
    pool_finish(running);
}

/* ---- idle environments ---- */

static bool take_promise(_Atomic unsigned *idle_free)
{
    unsigned count = atomic_load(idle_free);

    while (count) {
        if (atomic_compare_exchange_weak(idle_free, &count, count - 1))
            return true;
    }
    return false;
}

/* Whoever calls it holds a promise, so there is one; only the end of everything breaks promises, with NULL. */
static struct hg_environment *pop_idle(struct hg_version_shard *vs)
{
    struct hg_list *link = hg_list_pop_front(&vs->idle);

    if (!link)
        return NULL;
    stats_set(&vs->stats.idle, stats_get(&vs->stats.idle) - 1);
    return hg_container_of(link, struct hg_environment, idle_link);
}

struct hg_environment *pool_take_oldest_idle(struct hg_version_shard *vs)
{
    struct hg_list *link = vs->idle.prev;

    if (link == &vs->idle || !take_promise(&vs->idle_free))
        return NULL;
    hg_list_unlink(link);
    stats_set(&vs->stats.idle, stats_get(&vs->stats.idle) - 1);
    return hg_container_of(link, struct hg_environment, idle_link);
}

bool pool_take_back(struct hg_environment *env)
{
    struct hg_version_shard *vs = env->vs;

    if (!take_promise(&vs->idle_free))
        return false;
    hg_list_unlink(&env->idle_link);
    stats_set(&vs->stats.idle, stats_get(&vs->stats.idle) - 1);
    return true;
}

/* ---- other loops ---- */

static void accept_running(struct hg_version_shard *vs, struct hg_running *running);

/* On the loop that promised an environment. */
static void on_sent(struct hg_mail *mail)
{
    struct hg_running *running = hg_container_of(mail, struct hg_running, mail);
    struct hg_version_shard *vs = shard_version(running->shard, running->version);
    struct hg_environment *env = pop_idle(vs);

    if (env)
        environment_run(env, running);
    else
        accept_running(vs, running);
}

/* A promise of another loop's idle environment; NULL when there is none. */
static struct hg_version_shard *take_elsewhere(struct hg_version_shard *vs)
{
    unsigned count = vs->shard->workers->shard_count, here = vs->shard->loop->index;

    for (unsigned i = 1; i < count; i++) {
        struct hg_version_shard *other = &vs->version->at[(here + i) % count];

        if (take_promise(&other->idle_free))
            return other;
    }
    return NULL;
}

static void send_to(struct hg_version_shard *other, struct hg_running *running)
{
    struct hg_pool_shard *from = running->shard;

    atomic_fetch_add_explicit(&other->shard->busy, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&from->busy, 1, memory_order_relaxed);
    if (running->origin == from->loop)
        running->is_at_origin = false;
    running->shard = other->shard;
    hg_mailbox_post(&other->shard->loop->mailbox, &running->mail, on_sent);
}

static void poke_who_waits(struct hg_version_shard *vs)
{
    for (unsigned i = 0; i < vs->shard->workers->shard_count; i++) {
        struct hg_version_shard *other = &vs->version->at[i];

        if (other != vs && atomic_load(&other->waiting_here))
            shard_poke(other->shard);
    }
}

/* ---- starting ---- */

/*
 * Whether a process more would serve those who wait sooner than the ones there
 * are: not for a handler of microseconds, whose queue is gone before a process
 * could start.
 */
static bool is_worth_a_start(const struct hg_version_shard *vs)
{
    const struct hg_version *version = vs->version;
    int64_t run_us = atomic_load_explicit(&version->run_us, memory_order_relaxed);
    int64_t cold_us = atomic_load_explicit(&version->cold_us, memory_order_relaxed);
    unsigned environments = atomic_load(&version->environments);
    int64_t bearable_us = HG_MAX(cold_us / 2, (int64_t)PATIENCE_MIN_US), expected_us;
    const struct hg_running *oldest;

    if (!run_us || !cold_us || !environments)
        return true;
    expected_us = run_us * (int64_t)atomic_load(&version->queued) / environments;
    if (expected_us > bearable_us)
        return true;
    /* The expectation was wrong, or the processors are busy: then one after the other, slower the more there are. */
    oldest = waiting_first(vs);
    return hg_mono_us() - oldest->submitted_us >
           2 * bearable_us * (vs->starting + 1) *
               (1 + environments / (2 * vs->shard->workers->cores));
}

static bool make_room(struct hg_version_shard *vs, struct hg_limit *limit)
{
    if (limit_take(limit))
        return true;
    if (atomic_load(&limit->evicting) >= vs->waiting_count - vs->starting)
        return false;
    /* What is idle for another function or version makes room; its place is free when its process is gone. */
    if (!shard_evict(vs->shard, limit)) {
        atomic_store(&limit->wants_eviction, true);
        for (unsigned i = 0; i < vs->shard->workers->shard_count; i++) {
            if (&vs->shard->workers->shards[i] != vs->shard)
                shard_poke(&vs->shard->workers->shards[i]);
        }
    }
    return false;
}

static void start_environments(struct hg_version_shard *vs)
{
    struct hg_pool_shard *shard = vs->shard;
    struct hg_workers *workers = shard->workers;

    while (vs->starting < vs->waiting_count && !shard->is_killing) {
        struct hg_running *oldest = waiting_first(vs);
        struct hg_plan *plan = atomic_load_explicit(&vs->version->plan, memory_order_acquire);
        struct hg_limit *limit;

        if (!plan) {
            prepare_start(vs, oldest);
            return;
        }
        if (shard->launching >= 2 * workers->cores || !is_worth_a_start(vs))
            return;
        limit = limits_of(&workers->limits, oldest->function);
        if (!make_room(vs, limit))
            return;
        vs->starting++;
        shard->launching++;
        stats_set(&vs->stats.starting, vs->starting);
        (void)environment_new(vs, oldest, plan, limit);
    }
}

void pool_start_ended(struct hg_environment *env)
{
    if (!env->is_starting)
        return;
    env->is_starting = false;
    env->vs->starting--;
    stats_set(&env->vs->stats.starting, env->vs->starting);
}

void pool_launch_ended(struct hg_environment *env)
{
    if (!env->is_launching)
        return;
    env->is_launching = false;
    env->shard->launching--;
    if (atomic_load_explicit(&env->shard->waiting, memory_order_relaxed))
        shard_poke(env->shard);
}

/* ---- serving ---- */

static void watch(struct hg_version_shard *vs)
{
    if (vs->waiting_count && !hg_timer_is_running(&vs->timer))
        hg_timer_start_ms(&vs->timer, LOOK_AGAIN_MS);
}

static void serve_from_here(struct hg_version_shard *vs)
{
    while (waiting_may_take(vs) && take_promise(&vs->idle_free)) {
        struct hg_environment *env = pop_idle(vs);
        struct hg_running *running = waiting_take(vs);

        if (running)
            environment_run(env, running);
        else
            pool_environment_idle(env); /* all who waited had left */
    }
}

static void serve_from_elsewhere(struct hg_version_shard *vs)
{
    struct hg_version_shard *other;

    while (waiting_may_take(vs) && (other = take_elsewhere(vs))) {
        struct hg_running *running = waiting_take(vs);

        if (running) {
            send_to(other, running);
        } else {
            atomic_fetch_add(&other->idle_free, 1);
            shard_poke(other->shard); /* it may have missed it meanwhile */
        }
    }
}

void pool_serve(struct hg_version_shard *vs)
{
    serve_from_here(vs);
    serve_from_elsewhere(vs);
    start_environments(vs);
    watch(vs);
}

void pool_look(struct hg_pool_shard *shard)
{
    HG_LIST_EACH(link, &shard->versions)
    pool_serve(hg_container_of(link, struct hg_version_shard, link));
}

void pool_on_timer(struct hg_timer *timer)
{
    struct hg_version_shard *vs = hg_container_of(timer, struct hg_version_shard, timer);

    waiting_expire(vs);
    pool_serve(vs);
}

void pool_environment_idle(struct hg_environment *env)
{
    struct hg_version_shard *vs = env->vs;
    struct hg_running *running = waiting_may_take(vs) ? waiting_take(vs) : NULL;

    if (running) {
        environment_run(env, running);
        return;
    }
    if (vs->shard->is_killing ||
        !atomic_load_explicit(&vs->version->is_current, memory_order_relaxed)) {
        environment_retire(env);
        return;
    }
    env->idle_since_us = hg_mono_us();
    if (env->state == HG_ENV_RESET)
        hg_list_push_back(&vs->idle, &env->idle_link);
    else
        hg_list_push_front(&vs->idle, &env->idle_link);
    stats_add(&vs->stats.idle, 1);
    /* Published before the look at who waits elsewhere. */
    atomic_fetch_add(&vs->idle_free, 1);
    poke_who_waits(vs);
    shard_need_tick(vs->shard);
}

void pool_environment_gone(struct hg_pool_shard *shard, struct hg_limit *limit, bool was_evicted)
{
    struct hg_workers *workers = shard->workers;

    if (was_evicted)
        atomic_fetch_sub(&limit->evicting, 1);
    limit_give(limit);
    for (unsigned i = 0; i < workers->shard_count; i++) {
        if (atomic_load(&workers->shards[i].waiting))
            shard_poke(&workers->shards[i]);
    }
}

void pool_fail_waiting(struct hg_pool_shard *shard, enum hg_rc rc)
{
    HG_LIST_EACH(link, &shard->versions)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, link);
        struct hg_running *running;

        while ((running = waiting_take(vs))) {
            running->rc = rc;
            pool_finish(running);
        }
    }
}

/* ---- submit and cancel ---- */

/* The invocation has come to the loop on which it runs or waits. */
static void accept_running(struct hg_version_shard *vs, struct hg_running *running)
{
    struct hg_workers *workers = vs->shard->workers;

    if (vs->shard->is_killing) {
        running->rc = HG_E_BUSY;
        pool_finish(running);
        return;
    }
    if (running->function->reserved_concurrency == 0) {
        pool_throttle(vs, running, limit_reason(limits_of(&workers->limits, running->function)));
        return;
    }
    /* Nobody overtakes those who wait, but for those who wait behind. */
    if (running->is_background ? !vs->waiting_count && !waiting_ahead(vs->version)
                               : hg_list_empty(&vs->waiting)) {
        struct hg_version_shard *other;

        if (take_promise(&vs->idle_free)) {
            environment_run(pop_idle(vs), running);
            return;
        }
        if ((other = take_elsewhere(vs))) {
            send_to(other, running);
            return;
        }
    }
    /* Background ones are as many as their submitter finds right (workers_room). */
    if (!running->is_background && waiting_ahead(vs->version) >= workers->options.max_queued) {
        pool_throttle(vs, running, limit_reason(limits_of(&workers->limits, running->function)));
        return;
    }
    waiting_add(vs, running);
    serve_from_elsewhere(vs);
    start_environments(vs);
    watch(vs);
}

static void enter(struct hg_running *running)
{
    running->version = shard_find_version(running->shard, running->snapshot, running->function);
    accept_running(shard_version(running->shard, running->version), running);
}

static void on_entered(struct hg_mail *mail)
{
    enter(hg_container_of(mail, struct hg_running, mail));
}

static struct hg_running *make_running(struct hg_workers *workers, struct hg_invocation *inv)
{
    struct hg_running *running = hg_malloc(sizeof(*running));
    struct hg_str text;

    /* Not zeroed as a whole: most of it is room for texts. */
    hg_list_init(&running->link);
    hg_task_init(&running->task, on_task);
    running->inv = inv;
    running->workers = workers;
    running->version = NULL;
    running->snapshot = snapshot_ref(inv->snapshot);
    running->function = inv->function;
    atomic_init(&running->is_abandoned, false);
    running->is_waiting = running->is_at_origin = false;
    running->is_background = inv->is_background;
    running->wants_log_tail = inv->wants_log_tail;
    running->submitted_us = hg_mono_us();
    memcpy(running->request_id, inv->request_id, sizeof(running->request_id));
    text = hg_str_of(inv->trace_id);
    memcpy(running->trace_id, text.p, text.n + 1);
    text = hg_str_of(inv->invoked_arn);
    memcpy(running->invoked_arn, text.p, text.n + 1);
    running->client_context = NULL;
    running->client_context_length = 0;
    if (inv->client_context.n && inv->client_context.n <= CLIENT_CONTEXT_MAX) {
        running->client_context = hg_strndup(inv->client_context.p, inv->client_context.n);
        running->client_context_length = inv->client_context.n;
    }
    /* An empty payload reaches the function as an empty object. */
    if (inv->event && hg_blob_str(inv->event).n) {
        running->event = inv->event;
        inv->event = NULL;
    } else {
        running->event = inv->payload.len ? hg_blob_take(&inv->payload) : hg_blob_new("{}", 2);
    }
    running->rc = HG_OK;
    running->throttle_reason = NULL;
    running->error = HG_FUNCTION_OK;
    running->answer = NULL;
    running->content_type[0] = '\0';
    running->tail = NULL;
    running->tail_length = 0;
    running->duration_us = running->init_us = 0;
    return running;
}

void invoke_submit(struct hg_workers *workers, struct hg_invocation *inv)
{
    struct hg_loop *loop = hg_loop_current();
    struct hg_running *running = make_running(workers, inv);

    inv->running = running;
    running->origin = loop;
    if (loop->index < workers->shard_count) {
        running->shard = &workers->shards[loop->index];
        running->is_at_origin = true;
        atomic_fetch_add_explicit(&running->shard->busy, 1, memory_order_relaxed);
        enter(running);
        return;
    }
    /* The control loop has no environments: the others take turns. */
    running->shard =
        &workers->shards[atomic_fetch_add(&workers->next_loop, 1) % workers->shard_count];
    atomic_fetch_add_explicit(&running->shard->busy, 1, memory_order_relaxed);
    hg_mailbox_post(&running->shard->loop->mailbox, &running->mail, on_entered);
}

void invoke_cancel(struct hg_workers *workers, struct hg_invocation *inv)
{
    struct hg_running *running = inv->running;

    (void)workers;
    if (!running)
        return;
    inv->running = NULL;
    running->inv = NULL;
    if (running->is_at_origin && running->is_waiting) {
        waiting_remove(&running->version->at[running->origin->index], running);
        pool_finish(running);
        return;
    }
    /* Where else it waits it is found to be abandoned when its turn comes, and freed here once it has come back. */
    atomic_store_explicit(&running->is_abandoned, true, memory_order_relaxed);
}
