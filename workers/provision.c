/*
 * Provisioned concurrency: environments that are started before anybody asks, never retired for being idle, and replaced when they
 * end. The control loop says how many a version has; each loop keeps its share of them.
 */
#include "config/family.h"
#include "workers/environment.h"

enum {
    RETRY_MIN_MS = 1000, /* after an environment that did not come up; doubled each time */
    RETRY_MAX_MS = 60000,
    RETRY_DOUBLINGS = 6,
    FULL_RETRY_MS = 250, /* when there is no place for another environment */
};

/* ---- what is configured ---- */

size_t provision_shares(const struct hg_family *family, const struct hg_provisioned *config,
                        struct hg_provision_share shares[2])
{
    const struct hg_alias *alias = family_alias(family, config->qualifier);
    const struct hg_function *function =
        alias ? alias->function : family_version(family, config->qualifier);
    unsigned second = 0;

    if (!function)
        return 0;
    if (alias && alias->weighted)
        second = (unsigned)((double)config->requested * alias->weight + 0.5);
    shares[0] = (struct hg_provision_share){function, config->requested - second};
    if (!second)
        return 1;
    shares[1] = (struct hg_provision_share){alias->weighted, second};
    return 2;
}

void workers_provisioned(struct hg_workers *workers, const struct hg_family *family,
                         const struct hg_provisioned *config, struct hg_provision_state *state)
{
    struct hg_provision_share shares[2];
    size_t count = provision_shares(family, config, shares);

    *state = (struct hg_provision_state){.ready = 0};
    for (size_t i = 0; i < count; i++) {
        const struct hg_version *version = version_find(workers, shares[i].function);
        unsigned ready = version ? atomic_load(&version->provisioned_ready) : 0;

        state->ready += HG_MIN(ready, shares[i].wanted);
        if (version && ready < shares[i].wanted && atomic_load(&version->has_provision_failed))
            state->has_failed = true;
        if (shares[i].wanted > workers->options.max_concurrency)
            state->is_beyond_machine = true;
    }
}

static unsigned share_of(const struct hg_version *version, unsigned index)
{
    unsigned wanted = atomic_load(&version->provisioned), count = version->workers->shard_count;
    /* Versions begin on different loops, so that single environments do not all gather on the first. */
    unsigned turn = (unsigned)(hg_str_hash(version->function->arn) % count);

    return wanted / count + ((index + turn) % count < wanted % count ? 1 : 0);
}

void provision_set(struct hg_version *version, unsigned wanted)
{
    if (atomic_load(&version->provisioned) == wanted)
        return;
    atomic_store(&version->has_provision_failed, false);
    atomic_store(&version->provisioned, wanted);
    for (unsigned i = 0; i < version->workers->shard_count; i++) {
        (void)version_part(version, i);
        shard_look(version, i);
    }
}

/* ---- on a loop ---- */

bool provision_is_wanting(const struct hg_version_shard *vs)
{
    return vs->provisioned < vs->provisioned_wanted;
}

bool provision_drop(struct hg_environment *env)
{
    struct hg_version_shard *vs = env->vs;

    if (vs->provisioned <= vs->provisioned_wanted)
        return false;
    vs->provisioned--;
    env->is_dropped = true;
    environment_retire(env);
    return true;
}

/* Those that are in use are dropped when they have nothing to do. */
static void drop_surplus(struct hg_version_shard *vs)
{
    struct hg_environment *env;

    while (vs->provisioned > vs->provisioned_wanted && (env = idle_take_oldest(vs, HG_PROVISIONED)))
        (void)provision_drop(env);
}

static void try_later(struct hg_version_shard *vs, int64_t delay_ms)
{
    if (!hg_timer_is_running(&vs->provision_timer))
        hg_timer_start_ms(&vs->provision_timer, delay_ms);
}

static void start_missing(struct hg_version_shard *vs)
{
    while (provision_is_wanting(vs) && !vs->shard->is_killing) {
        struct hg_plan *plan = atomic_load_explicit(&vs->version->plan, memory_order_acquire);
        struct hg_limit *place;

        if (!plan) {
            prepare_start(vs);
            return;
        }
        if (starting_is_crowded(vs->shard))
            return;
        place = starting_take_place(vs, true);
        if (!place) {
            try_later(vs, FULL_RETRY_MS);
            return;
        }
        vs->provisioned++;
        (void)starting_new(vs, plan, place, true);
    }
}

void provision_serve(struct hg_version_shard *vs)
{
    if (!vs->is_releasing)
        vs->provisioned_wanted = share_of(vs->version, vs->shard->loop->index);
    drop_surplus(vs);
    if (!hg_timer_is_running(&vs->provision_timer))
        start_missing(vs);
    starting_want(vs);
}

void provision_on_timer(struct hg_timer *timer)
{
    provision_serve(hg_container_of(timer, struct hg_version_shard, provision_timer));
}

void provision_note_ready(struct hg_version_shard *vs)
{
    vs->provision_failures = 0;
    atomic_store(&vs->version->has_provision_failed, false);
    atomic_fetch_add(&vs->version->provisioned_ready, 1);
}

void provision_note_failure(struct hg_version_shard *vs)
{
    unsigned doublings = HG_MIN(vs->provision_failures, (unsigned)RETRY_DOUBLINGS);

    vs->provision_failures++;
    atomic_store(&vs->version->has_provision_failed, true);
    try_later(vs, HG_MIN((int64_t)RETRY_MIN_MS << doublings, (int64_t)RETRY_MAX_MS));
}

void provision_note_end(struct hg_version_shard *vs, bool was_ready, bool was_dropped)
{
    if (was_ready)
        atomic_fetch_sub(&vs->version->provisioned_ready, 1);
    if (!was_dropped)
        vs->provisioned--;
    if (!was_ready && !was_dropped && !vs->is_releasing && !vs->shard->is_killing)
        provision_note_failure(vs);
    provision_serve(vs);
}
