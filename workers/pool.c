/*
 * Who waits, who goes first, and who gets which environment. This
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
#include "workers/counting.h"
#include "workers/environment.h"

#include <stdlib.h>

enum {
    CLIENT_CONTEXT_MAX = 4096, /* the service's limit is 3583 bytes */
    LOOK_AGAIN_MS = 5,         /* while somebody waits */
};

/* ---- the end of an invocation ---- */

void pool_discard(struct hg_running *running)
{
    function_unref(running->function);
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

void pool_throttle(struct hg_version_shard *vs, struct hg_running *running)
{
    stats_add(&vs->stats->throttles, 1);
    counting_throttle(running);
    running->rc = HG_E_THROTTLED;
    running->throttle_reason = quota_reason(&vs->version->family->quota);
    pool_finish(running);
}

/* ---- other loops ---- */

static void accept_running(struct hg_version_shard *vs, struct hg_running *running);

/* On the loop that promised an environment. */
static void on_sent(struct hg_mail *mail)
{
    struct hg_running *running = hg_container_of(mail, struct hg_running, mail);
    struct hg_version_shard *vs = shard_version(running->shard, running->version);
    struct hg_environment *env = idle_pop(vs, (enum hg_idle_kind)running->promised);

    if (env)
        environment_run(env, running);
    else
        accept_running(vs, running);
}

/* A promise of another loop's idle environment; NULL when there is none. */
static struct hg_version_shard *promise_elsewhere(struct hg_version_shard *vs,
                                                  enum hg_idle_kind kind)
{
    unsigned count = vs->shard->workers->shard_count, here = vs->shard->loop->index;

    for (unsigned i = 1; i < count; i++) {
        struct hg_version_shard *other =
            atomic_load_explicit(&vs->version->at[(here + i) % count], memory_order_acquire);

        if (other && idle_promise(&other->idle[kind]))
            return other;
    }
    return NULL;
}

/*
 * A promise of something idle, here or elsewhere, and its kind. What is provisioned goes first, wherever it is: it is there for that.
 */
static struct hg_version_shard *promise(struct hg_version_shard *vs, enum hg_idle_kind *kind)
{
    struct hg_version_shard *other;

    if (atomic_load_explicit(&vs->version->provisioned, memory_order_relaxed)) {
        *kind = HG_PROVISIONED;
        if (idle_promise(&vs->idle[HG_PROVISIONED]))
            return vs;
        if ((other = promise_elsewhere(vs, HG_PROVISIONED)))
            return other;
    }
    *kind = HG_ON_DEMAND;
    return idle_promise(&vs->idle[HG_ON_DEMAND]) ? vs : promise_elsewhere(vs, HG_ON_DEMAND);
}

static void send_to(struct hg_version_shard *other, enum hg_idle_kind kind,
                    struct hg_running *running)
{
    struct hg_pool_shard *from = running->shard;

    atomic_fetch_add_explicit(&other->shard->busy, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&from->busy, 1, memory_order_relaxed);
    if (running->origin == from->loop)
        running->is_at_origin = false;
    running->shard = other->shard;
    running->promised = (unsigned char)kind;
    hg_mailbox_post(&other->shard->loop->mailbox, &running->mail, on_sent);
}

/* ---- serving ---- */

static void watch(struct hg_version_shard *vs)
{
    if (vs->waiting_count && !hg_timer_is_running(&vs->timer))
        hg_timer_start_ms(&vs->timer, LOOK_AGAIN_MS);
}

/* Those who wait take what is idle. */
static void serve_from_idle(struct hg_version_shard *vs)
{
    struct hg_version_shard *from;
    enum hg_idle_kind kind;

    while (waiting_may_take(vs) && (from = promise(vs, &kind))) {
        struct hg_running *running = waiting_take(vs);

        if (from == vs) {
            struct hg_environment *env = idle_pop(vs, kind);

            if (running)
                environment_run(env, running);
            else
                pool_environment_idle(env); /* all who waited had left */
        } else if (running) {
            send_to(from, kind, running);
        } else {
            atomic_fetch_add(&from->idle[kind].free, 1);
            shard_poke(from->shard); /* it may have missed it meanwhile */
        }
    }
}

void pool_serve(struct hg_version_shard *vs)
{
    serve_from_idle(vs);
    starting_more(vs);
    if (provision_is_wanting(vs))
        provision_serve(vs);
    watch(vs);
}

void pool_look(struct hg_pool_shard *shard)
{
    struct hg_list turn;

    /* Each has its turn once: whoever starts something goes to the end of the list. */
    hg_list_init(&turn);
    hg_list_move_all(&shard->wanting, &turn);
    while (!hg_list_empty(&turn)) {
        struct hg_list *link = hg_list_pop_front(&turn);

        hg_list_push_back(&shard->wanting, link);
        pool_serve(hg_container_of(link, struct hg_version_shard, want_link));
    }
}

void pool_on_timer(struct hg_timer *timer)
{
    struct hg_version_shard *vs = hg_container_of(timer, struct hg_version_shard, timer);

    waiting_expire(vs);
    pool_serve(vs);
}

/* Whether an idle environment may stay; one of an outdated version for those who wait on another loop. */
static bool may_stay(const struct hg_environment *env)
{
    const struct hg_version_shard *vs = env->vs;
    const struct hg_version *version = vs->version;

    return !vs->shard->is_killing &&
           (atomic_load_explicit(&version->is_current, memory_order_relaxed) ||
            atomic_load_explicit(&version->queued, memory_order_relaxed)) &&
           (env->is_provisioned || !quota_is_over(&version->family->quota));
}

void pool_environment_idle(struct hg_environment *env)
{
    struct hg_version_shard *vs = env->vs;
    struct hg_running *running = waiting_may_take(vs) ? waiting_take(vs) : NULL;

    if (running) {
        environment_run(env, running);
        return;
    }
    if (!may_stay(env)) {
        environment_retire(env);
        return;
    }
    if (env->is_provisioned && provision_drop(env))
        return;
    env->place =
        limits_settle(&vs->shard->workers->limits, &vs->version->family->quota, env->place);
    idle_add(env);
}

void pool_environment_gone(const struct hg_environment *env)
{
    struct hg_version_shard *vs = env->vs;
    struct hg_workers *workers = vs->shard->workers;

    if (env->evicted_for)
        atomic_fetch_sub(&env->evicted_for->evicting, 1);
    limits_give(&vs->version->family->quota, env->place, env->is_provisioned);
    if (env->is_provisioned)
        provision_note_end(vs, env->was_ready, env->is_dropped);
    for (unsigned i = 0; i < workers->shard_count; i++) {
        if (atomic_load(&workers->shards[i].wanting_count))
            shard_poke(&workers->shards[i]);
    }
    reclaim_look(vs);
    if (env->is_expired && !atomic_load(&vs->version->environments))
        version_note_unused(vs->version);
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
    struct hg_version *version = vs->version;

    if (atomic_load_explicit(&version->family->quota.reserved, memory_order_relaxed) == 0) {
        pool_throttle(vs, running);
        return;
    }
    /* Nobody overtakes those who wait, but for those who wait behind. */
    if (running->is_background ? !vs->waiting_count && !waiting_ahead(version)
                               : hg_list_empty(&vs->waiting)) {
        enum hg_idle_kind kind;
        struct hg_version_shard *from = promise(vs, &kind);

        if (from == vs) {
            environment_run(idle_pop(vs, kind), running);
            return;
        }
        if (from) {
            send_to(from, kind, running);
            return;
        }
    }
    /* Background ones are as many as their submitter finds right (workers_room). */
    if (!running->is_background && waiting_ahead(version) >= workers->options.max_queued) {
        pool_throttle(vs, running);
        return;
    }
    waiting_add(vs, running);
    serve_from_idle(vs);
    starting_more(vs);
    watch(vs);
}

/* False when it has no business here: the end is near, or its caller has left. */
static bool is_wanted(struct hg_running *running)
{
    if (running->shard->is_killing)
        running->rc = HG_E_BUSY;
    else if (!atomic_load_explicit(&running->is_abandoned, memory_order_relaxed))
        return true;
    pool_finish(running);
    return false;
}

static void enter(struct hg_running *running)
{
    if (!is_wanted(running))
        return;
    running->version = version_find(running->workers, running->function);
    /* Behind those that have asked, so that they are not overtaken. */
    if (running->version && !running->shard->asking) {
        accept_running(shard_version(running->shard, running->version), running);
    } else {
        running->shard->asking++;
        version_ask(running);
    }
}

static void on_entered(struct hg_mail *mail)
{
    enter(hg_container_of(mail, struct hg_running, mail));
}

static void on_known(struct hg_mail *mail)
{
    struct hg_running *running = hg_container_of(mail, struct hg_running, mail);

    running->shard->asking--;
    if (is_wanted(running))
        accept_running(shard_version(running->shard, running->version), running);
}

void pool_enter(struct hg_running *running)
{
    hg_mailbox_post(&running->shard->loop->mailbox, &running->mail, on_known);
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
    /* A sealed one: it is counted, though nobody may change it. */
    running->function = function_ref((struct hg_function *)(uintptr_t)inv->function);
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
    counting_prepare(running, inv);
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
        waiting_remove(version_part(running->version, running->origin->index), running);
        pool_finish(running);
        return;
    }
    /* Where else it waits it is found to be abandoned when its turn comes, and freed here once it has come back. */
    atomic_store_explicit(&running->is_abandoned, true, memory_order_relaxed);
}
