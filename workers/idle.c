/*
 * Environments with nothing to do. Another loop may have one promised by an atomic count, and then sends its invocation there: so
 * nobody takes one out of a list without a promise.
 */
#include "core/clock.h"
#include "workers/environment.h"

enum {
    /* Environments that end within this share of the idle time-out end together: fewer wake-ups. */
    TOGETHER_SHARE = 16,
    TOGETHER_MIN_MS = 10,
    TOGETHER_MAX_MS = 2000,
};

bool idle_promise(struct hg_idle *idle)
{
    unsigned count = atomic_load(&idle->free);

    while (count) {
        if (atomic_compare_exchange_weak(&idle->free, &count, count - 1))
            return true;
    }
    return false;
}

static struct hg_idle *list_of(const struct hg_environment *env)
{
    return &env->vs->idle[env->is_provisioned ? HG_PROVISIONED : HG_ON_DEMAND];
}

static struct hg_environment *take_out(struct hg_list *link)
{
    struct hg_environment *env = hg_container_of(link, struct hg_environment, idle_link);

    hg_list_unlink(&env->idle_link);
    hg_list_unlink(&env->unused_link);
    stats_sub(&env->vs->stats->idle, 1);
    return env;
}

struct hg_environment *idle_pop(struct hg_version_shard *vs, enum hg_idle_kind kind)
{
    struct hg_list *list = &vs->idle[kind].list;

    return hg_list_empty(list) ? NULL : take_out(list->next);
}

struct hg_environment *idle_take_oldest(struct hg_version_shard *vs, enum hg_idle_kind kind)
{
    struct hg_idle *idle = &vs->idle[kind];

    if (hg_list_empty(&idle->list) || !idle_promise(idle))
        return NULL;
    return take_out(idle->list.prev);
}

bool idle_take_back(struct hg_environment *env)
{
    if (!idle_promise(list_of(env)))
        return false;
    (void)take_out(&env->idle_link);
    return true;
}

static void poke_who_waits(struct hg_version_shard *vs)
{
    for (unsigned i = 0; i < vs->shard->workers->shard_count; i++) {
        struct hg_version_shard *other =
            atomic_load_explicit(&vs->version->at[i], memory_order_acquire);

        if (other && other != vs && atomic_load(&other->waiting_here))
            shard_poke(other->shard);
    }
}

static int64_t together_ms(const struct hg_workers *workers)
{
    int64_t share_ms = workers->options.idle_timeout_ms / TOGETHER_SHARE;

    return HG_MAX(HG_MIN(share_ms, (int64_t)TOGETHER_MAX_MS), (int64_t)TOGETHER_MIN_MS);
}

static void need_retire_timer(struct hg_pool_shard *shard)
{
    const struct hg_environment *env;
    int64_t left_ms;

    if (hg_list_empty(&shard->unused) || hg_timer_is_running(&shard->retire_timer))
        return;
    env = hg_container_of(shard->unused.next, struct hg_environment, unused_link);
    left_ms = shard->workers->options.idle_timeout_ms - (hg_mono_us() - env->idle_since_us) / 1000;
    hg_timer_start_ms(&shard->retire_timer,
                      HG_MAX(left_ms, (int64_t)0) + together_ms(shard->workers));
}

void idle_add(struct hg_environment *env)
{
    struct hg_version_shard *vs = env->vs;
    struct hg_idle *idle = list_of(env);

    env->idle_since_us = hg_mono_us();
    if (env->state == HG_ENV_RESET)
        hg_list_push_back(&idle->list, &env->idle_link);
    else
        hg_list_push_front(&idle->list, &env->idle_link);
    if (!env->is_provisioned)
        hg_list_push_back(&vs->shard->unused, &env->unused_link);
    stats_add(&vs->stats->idle, 1);
    /* Published before the look at who waits elsewhere. */
    atomic_fetch_add(&idle->free, 1);
    poke_who_waits(vs);
    need_retire_timer(vs->shard);
}

void idle_put_last(struct hg_environment *env)
{
    hg_list_unlink(&env->idle_link);
    hg_list_push_back(&list_of(env)->list, &env->idle_link);
}

void idle_retire_all(struct hg_version_shard *vs)
{
    for (unsigned kind = 0; kind < HG_IDLE_KINDS; kind++) {
        struct hg_environment *env;

        while ((env = idle_take_oldest(vs, (enum hg_idle_kind)kind)))
            environment_retire(env);
    }
}

void idle_trim(struct hg_version_shard *vs)
{
    const struct hg_quota *quota = &vs->version->family->quota;
    unsigned used = atomic_load(&quota->on_demand.used), max = atomic_load(&quota->on_demand.max);
    struct hg_environment *env;

    /* Their places are free only when they are gone: so they are counted here. */
    for (; used > max && (env = idle_take_oldest(vs, HG_ON_DEMAND)); used--)
        environment_retire(env);
}

/* Whether the end of an environment helps whom `full` stops. */
static bool makes_room(const struct hg_environment *env, const struct hg_limit *full,
                       const struct hg_quota *quota)
{
    const struct hg_quota *own = &env->vs->version->family->quota;

    /* Where somebody waits for a version, its idle environments are for them. */
    if (atomic_load(&env->vs->version->queued))
        return false;
    return own == quota || &own->on_demand == full || env->place == full;
}

static void evict(struct hg_environment *env, struct hg_limit *full)
{
    env->evicted_for = full;
    atomic_fetch_add(&full->evicting, 1);
    environment_retire(env);
}

bool idle_evict(struct hg_pool_shard *shard, struct hg_limit *full, const struct hg_quota *quota)
{
    HG_LIST_EACH(link, &shard->unused)
    {
        struct hg_environment *env = hg_container_of(link, struct hg_environment, unused_link);

        if (makes_room(env, full, quota) && idle_take_back(env)) {
            evict(env, full);
            return true;
        }
    }
    return false;
}

/* Of the limits that ask for a place: those under which something is unused here. */
void idle_evict_if_wanted(struct hg_pool_shard *shard)
{
    struct hg_limit *shared = &shard->workers->limits.shared;

    if (!atomic_exchange(&shard->wants_eviction, false))
        return;
    if (atomic_exchange(&shared->wants_eviction, false) && limit_is_full(shared))
        (void)idle_evict(shard, shared, NULL);
    HG_LIST_EACH(link, &shard->unused)
    {
        struct hg_environment *env = hg_container_of(link, struct hg_environment, unused_link);
        struct hg_limit *own = &env->vs->version->family->quota.on_demand;

        if (atomic_load(&own->wants_eviction) && makes_room(env, own, NULL) &&
            idle_take_back(env)) {
            atomic_store(&own->wants_eviction, false);
            if (limit_is_full(own))
                evict(env, own);
            else
                idle_add(env);
        }
    }
}

void idle_on_retire_timer(struct hg_timer *timer)
{
    struct hg_pool_shard *shard = hg_container_of(timer, struct hg_pool_shard, retire_timer);
    int64_t limit_us = shard->workers->options.idle_timeout_ms * 1000, now = hg_mono_us();

    HG_LIST_EACH(link, &shard->unused)
    {
        struct hg_environment *env = hg_container_of(link, struct hg_environment, unused_link);

        if (now - env->idle_since_us < limit_us)
            break;
        if (idle_take_back(env)) {
            env->is_expired = true;
            environment_retire(env);
        }
    }
    need_retire_timer(shard);
}
