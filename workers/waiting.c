/*
 * Invocations that wait for an environment of their version on one loop: in
 * what order, and how long. Background ones come after all others, of the
 * other loops too.
 */
#include "core/clock.h"
#include "core/metrics.h"
#include "workers/environment.h"

enum { BEHIND_PATIENCE = 30 /* nobody waits for a background one's answer: it may wait longer */ };

unsigned waiting_ahead(const struct hg_version *version)
{
    unsigned all = atomic_load(&version->queued), behind = atomic_load(&version->queued_behind);

    return all > behind ? all - behind : 0;
}

void waiting_remove(struct hg_version_shard *vs, struct hg_running *running)
{
    hg_list_unlink(&running->link);
    running->is_waiting = false;
    vs->waiting_count--;
    atomic_store(&vs->waiting_here, vs->waiting_count);
    atomic_fetch_sub(&vs->version->queued, 1);
    if (running->is_background)
        atomic_fetch_sub(&vs->version->queued_behind, 1);
    stats_sub(&vs->stats->queued, 1);
    starting_want(vs);
}

struct hg_running *waiting_first(const struct hg_version_shard *vs)
{
    const struct hg_list *list = hg_list_empty(&vs->waiting) ? &vs->waiting_behind : &vs->waiting;

    return hg_container_of(list->next, struct hg_running, link);
}

struct hg_running *waiting_take(struct hg_version_shard *vs)
{
    while (vs->waiting_count) {
        struct hg_running *running = waiting_first(vs);

        waiting_remove(vs, running);
        if (!atomic_load_explicit(&running->is_abandoned, memory_order_relaxed)) {
            if (!running->is_background)
                hg_observe_us(HG_M_QUEUE_WAIT_SECONDS, hg_mono_us() - running->submitted_us);
            return running;
        }
        pool_finish(running);
    }
    return NULL;
}

void waiting_add(struct hg_version_shard *vs, struct hg_running *running)
{
    hg_list_push_back(running->is_background ? &vs->waiting_behind : &vs->waiting, &running->link);
    running->is_waiting = true;
    vs->waiting_count++;
    /* In this order nobody ever takes a background one for another. */
    if (running->is_background)
        atomic_fetch_add(&vs->version->queued_behind, 1);
    atomic_fetch_add(&vs->version->queued, 1);
    stats_add(&vs->stats->queued, 1);
    starting_want(vs);
    /* Published before the look at other loops' idle environments that follows. */
    atomic_store(&vs->waiting_here, vs->waiting_count);
}

bool waiting_may_take(const struct hg_version_shard *vs)
{
    if (!vs->waiting_count)
        return false;
    return !hg_list_empty(&vs->waiting) || !waiting_ahead(vs->version);
}

/* The first ones have an environment on its way: they wait for it, however long it takes to start. */
static void expire_list(struct hg_version_shard *vs, struct hg_list *list, int64_t limit_us,
                        unsigned *expected)
{
    int64_t now = hg_mono_us();

    HG_LIST_EACH(link, list)
    {
        struct hg_running *running = hg_container_of(link, struct hg_running, link);

        if (*expected) {
            --*expected;
            continue;
        }
        if (now - running->submitted_us < limit_us)
            break;
        waiting_remove(vs, running);
        pool_throttle(vs, running);
    }
}

void waiting_expire(struct hg_version_shard *vs)
{
    int64_t limit_us = vs->shard->workers->options.queue_wait_ms * 1000;
    unsigned expected = vs->starting;

    if (vs->is_preparing)
        return;
    expire_list(vs, &vs->waiting, limit_us, &expected);
    expire_list(vs, &vs->waiting_behind, limit_us * BEHIND_PATIENCE, &expected);
}

void waiting_throttle_all(struct hg_version_shard *vs)
{
    struct hg_running *running;

    while ((running = waiting_take(vs)))
        pool_throttle(vs, running);
}
