/*
 * When another environment is started for those who wait: if it helps them, if the machine is not busy with starting others, and if
 * the limits have a place for it. Versions of one loop take turns.
 */
#include "core/clock.h"
#include "workers/environment.h"

enum { PATIENCE_MIN_US = 10000 /* a wait below this is never worth a process */ };

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

static void ask_for_eviction(struct hg_version_shard *vs, struct hg_limit *full)
{
    struct hg_workers *workers = vs->shard->workers;

    atomic_store(&full->wants_eviction, true);
    for (unsigned i = 0; i < workers->shard_count; i++) {
        if (&workers->shards[i] == vs->shard)
            continue;
        atomic_store(&workers->shards[i].wants_eviction, true);
        shard_poke(&workers->shards[i]);
    }
}

struct hg_limit *starting_take_place(struct hg_version_shard *vs, bool is_provisioned)
{
    struct hg_workers *workers = vs->shard->workers;
    struct hg_quota *quota = &vs->version->family->quota;
    struct hg_limit *full, *place = limits_take(&workers->limits, quota, is_provisioned, &full);
    unsigned lacking = is_provisioned ? vs->provisioned_wanted - vs->provisioned
                                      : vs->waiting_count - vs->starting;

    if (place || atomic_load(&full->evicting) >= lacking)
        return place;
    /* What is idle for another function or version makes room; its place is free when its process is gone. */
    if (!idle_evict(vs->shard, full, quota))
        ask_for_eviction(vs, full);
    return NULL;
}

bool starting_is_crowded(const struct hg_pool_shard *shard)
{
    return shard->launching >= 2 * shard->workers->cores;
}

struct hg_environment *starting_new(struct hg_version_shard *vs, const struct hg_plan *plan,
                                    struct hg_limit *place, bool is_provisioned)
{
    vs->starting++;
    vs->shard->launching++;
    stats_add(&vs->stats->starting, 1);
    return environment_new(vs, plan, place, is_provisioned);
}

static void take_last_turn(struct hg_version_shard *vs)
{
    if (hg_list_empty(&vs->want_link))
        return;
    hg_list_unlink(&vs->want_link);
    hg_list_push_back(&vs->shard->wanting, &vs->want_link);
}

void starting_more(struct hg_version_shard *vs)
{
    struct hg_pool_shard *shard = vs->shard;

    while (vs->starting < vs->waiting_count && !shard->is_killing) {
        struct hg_plan *plan = atomic_load_explicit(&vs->version->plan, memory_order_acquire);
        struct hg_limit *place;

        if (!plan) {
            prepare_start(vs);
            return;
        }
        if (starting_is_crowded(shard) || !is_worth_a_start(vs))
            return;
        place = starting_take_place(vs, false);
        if (!place)
            return;
        (void)starting_new(vs, plan, place, false);
        take_last_turn(vs);
        /* Others want one too: each in its turn. */
        if (atomic_load_explicit(&shard->wanting_count, memory_order_relaxed) > 1) {
            shard_poke(shard);
            return;
        }
    }
}

void starting_ended(struct hg_environment *env)
{
    if (!env->is_starting)
        return;
    env->is_starting = false;
    env->vs->starting--;
    stats_sub(&env->vs->stats->starting, 1);
}

void starting_launch_ended(struct hg_environment *env)
{
    if (!env->is_launching)
        return;
    env->is_launching = false;
    env->shard->launching--;
    if (!hg_list_empty(&env->shard->wanting))
        shard_poke(env->shard);
}

void starting_want(struct hg_version_shard *vs)
{
    struct hg_pool_shard *shard = vs->shard;
    bool wants = vs->waiting_count ||
                 (provision_is_wanting(vs) && !hg_timer_is_running(&vs->provision_timer));

    if (wants == !hg_list_empty(&vs->want_link))
        return;
    if (wants) {
        hg_list_push_back(&shard->wanting, &vs->want_link);
        atomic_fetch_add(&shard->wanting_count, 1);
    } else {
        hg_list_unlink(&vs->want_link);
        atomic_fetch_sub(&shard->wanting_count, 1);
    }
}
