/*
 * What one loop keeps: versions it has seen, pokes from other loops, and the
 * tick that watches memory and retires what has been idle too long.
 */
#include "core/clock.h"
#include "workers/environment.h"

#include <stdlib.h>

enum {
    TICK_MS = 25,
    SLOW_TICK_MAX_MS = 1000,
    SAMPLE_AFTER_US = 20000, /* short invocations are never sampled */
    SAMPLES_PER_TICK = 32,
};

static void on_tick(struct hg_timer *timer);
static void on_poke(struct hg_mail *mail);

void shard_init(struct hg_pool_shard *shard, struct hg_workers *workers, struct hg_loop *loop)
{
    shard->workers = workers;
    shard->loop = loop;
    hg_list_init(&shard->environments);
    hg_list_init(&shard->versions);
    hg_timer_init(&shard->tick, loop, on_tick);
    shard->api_scratch = hg_malloc(HG_RUNTIME_READ_BYTES);
    shard->log_scratch = hg_malloc(HG_LOG_READ_BYTES);
}

void shard_fini(struct hg_pool_shard *shard)
{
    hg_timer_stop(&shard->tick);
    HG_LIST_EACH(link, &shard->versions)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, link);

        hg_timer_stop(&vs->timer);
        log_sink_fini(&vs->sink);
    }
    snapshot_unref(shard->cached_snapshot);
    free(shard->cache);
    free(shard->api_scratch);
    free(shard->log_scratch);
}

struct hg_version_shard *shard_version(struct hg_pool_shard *shard, struct hg_version *version)
{
    struct hg_version_shard *vs = &version->at[shard->loop->index];

    if (vs->is_ready)
        return vs;
    vs->is_ready = true;
    hg_list_init(&vs->idle);
    hg_list_init(&vs->waiting);
    hg_list_init(&vs->waiting_behind);
    hg_timer_init(&vs->timer, shard->loop, pool_on_timer);
    log_sink_init(&vs->sink, shard->workers->log_files, shard->loop, HG_STR(""),
                  hg_str_of(version->name));
    hg_list_push_back(&shard->versions, &vs->link);
    return vs;
}

/* ---- versions by function ---- */

static struct hg_version_slot *find_slot(struct hg_pool_shard *shard,
                                         const struct hg_function *function)
{
    size_t mask = shard->cache_size - 1, at = ((uintptr_t)function >> 4) * 0x9e3779b1u & mask;

    while (shard->cache[at].function && shard->cache[at].function != function)
        at = (at + 1) & mask;
    return &shard->cache[at];
}

/* One snapshot at a time: it is held, so that no other function can have the same address. */
static void start_cache(struct hg_pool_shard *shard, struct hg_snapshot *snapshot)
{
    size_t size = 8;

    while (size < 4 * snapshot->families.count + 2)
        size *= 2;
    free(shard->cache);
    snapshot_unref(shard->cached_snapshot);
    shard->cache = hg_calloc(size, sizeof(*shard->cache));
    shard->cache_size = size;
    shard->cached_snapshot = snapshot_ref(snapshot);
}

struct hg_version *shard_find_version(struct hg_pool_shard *shard, struct hg_snapshot *snapshot,
                                      const struct hg_function *function)
{
    struct hg_version_slot *slot;

    if (shard->cached_snapshot != snapshot)
        start_cache(shard, snapshot);
    slot = find_slot(shard, function);
    if (!slot->function) {
        slot->function = function;
        slot->version = version_get(shard->workers, function);
    }
    return slot->version;
}

/* ---- pokes ---- */

void shard_poke(struct hg_pool_shard *shard)
{
    if (!atomic_exchange(&shard->poke.is_posted, true))
        hg_mailbox_post(&shard->loop->mailbox, &shard->poke.mail, on_poke);
}

static void evict_if_wanted(struct hg_pool_shard *shard, struct hg_limit *limit)
{
    if (atomic_exchange(&limit->wants_eviction, false) && limit_is_full(limit))
        (void)shard_evict(shard, limit);
}

static void on_poke(struct hg_mail *mail)
{
    struct hg_pool_shard *shard = hg_container_of(mail, struct hg_pool_shard, poke.mail);
    struct hg_limits *limits = &shard->workers->limits;

    /* Before looking: what comes after the look must be able to poke again. */
    atomic_store(&shard->poke.is_posted, false);
    evict_if_wanted(shard, &limits->unreserved);
    for (struct hg_limit *limit = atomic_load(&limits->reserved); limit; limit = limit->next)
        evict_if_wanted(shard, limit);
    pool_look(shard);
}

bool shard_evict(struct hg_pool_shard *shard, const struct hg_limit *limit)
{
    struct hg_version_shard *oldest = NULL;
    int64_t oldest_us = INT64_MAX;
    struct hg_environment *env;

    HG_LIST_EACH(link, &shard->versions)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, link);

        /* Where somebody waits for a version, its idle environments are for them. */
        if (hg_list_empty(&vs->idle) || atomic_load(&vs->version->queued))
            continue;
        env = hg_container_of(vs->idle.prev, struct hg_environment, idle_link);
        if (env->limit == limit && env->idle_since_us < oldest_us) {
            oldest = vs;
            oldest_us = env->idle_since_us;
        }
    }
    env = oldest ? pool_take_oldest_idle(oldest) : NULL;
    if (!env)
        return false;
    env->is_evicted = true;
    atomic_fetch_add(&env->limit->evicting, 1);
    environment_retire(env);
    return true;
}

/* ---- tick ---- */

void shard_need_tick(struct hg_pool_shard *shard)
{
    if (hg_timer_is_running(&shard->tick) && !shard->is_tick_slow)
        return;
    shard->is_tick_slow = false;
    hg_timer_start_ms(&shard->tick, TICK_MS);
}

/* Whether anything runs. */
static bool sample_memory(struct hg_pool_shard *shard, int64_t now_us)
{
    unsigned sampled = 0;
    bool is_running = false;

    HG_LIST_EACH(link, &shard->environments)
    {
        struct hg_environment *env = hg_container_of(link, struct hg_environment, link);

        if (env->state == HG_ENV_IDLE || env->state == HG_ENV_RESET)
            continue;
        is_running = true;
        if (sampled == SAMPLES_PER_TICK ||
            now_us - HG_MAX(env->started_us, env->run_started_us) < SAMPLE_AFTER_US ||
            now_us - env->measured_us < SAMPLE_AFTER_US)
            continue;
        sampled++;
        environment_sample(env, now_us);
    }
    return is_running;
}

static void retire_idle(struct hg_pool_shard *shard, int64_t now_us)
{
    int64_t limit_us = shard->workers->options.idle_timeout_ms * 1000;

    HG_LIST_EACH(link, &shard->versions)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, link);

        while (!hg_list_empty(&vs->idle)) {
            struct hg_environment *env =
                hg_container_of(vs->idle.prev, struct hg_environment, idle_link);

            if (now_us - env->idle_since_us < limit_us || pool_take_oldest_idle(vs) != env)
                break;
            environment_retire(env);
        }
    }
}

static void on_tick(struct hg_timer *timer)
{
    struct hg_pool_shard *shard = hg_container_of(timer, struct hg_pool_shard, tick);
    int64_t now = hg_mono_us(), slow_ms;

    shard->is_tick_slow = !sample_memory(shard, now);
    retire_idle(shard, now);
    if (!shard->is_tick_slow) {
        hg_timer_start_ms(&shard->tick, TICK_MS);
    } else if (!hg_list_empty(&shard->environments)) {
        slow_ms = HG_MIN(shard->workers->options.idle_timeout_ms / 4, (int64_t)SLOW_TICK_MAX_MS);
        hg_timer_start_ms(&shard->tick, HG_MAX(slow_ms, (int64_t)TICK_MS));
    }
}
