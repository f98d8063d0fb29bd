/*
 * What one loop keeps: its parts of the versions that it has used, pokes from other loops, and the tick that watches memory.
 */
#include "core/clock.h"
#include "workers/environment.h"

#include <stdlib.h>

enum {
    TICK_MS = 25,            /* while something runs */
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
    hg_list_init(&shard->wanting);
    hg_list_init(&shard->unused);
    hg_list_init(&shard->releasing);
    hg_timer_init(&shard->tick, loop, on_tick);
    hg_timer_init(&shard->retire_timer, loop, idle_on_retire_timer);
    hg_timer_init(&shard->release_timer, loop, reclaim_on_timer);
    hg_task_init(&shard->release_task, reclaim_on_task);
    shard->api_scratch = hg_malloc(HG_RUNTIME_READ_BYTES);
    shard->log_scratch = hg_malloc(HG_LOG_READ_BYTES);
}

void shard_fini(struct hg_pool_shard *shard)
{
    hg_timer_stop(&shard->tick);
    hg_timer_stop(&shard->retire_timer);
    hg_timer_stop(&shard->release_timer);
    hg_task_cancel(&shard->release_task);
    HG_LIST_EACH(link, &shard->versions)
    shard_forget_version(hg_container_of(link, struct hg_version_shard, link));
    free(shard->api_scratch);
    free(shard->log_scratch);
}

/* ---- versions ---- */

struct hg_version_shard *shard_version(struct hg_pool_shard *shard, struct hg_version *version)
{
    struct hg_version_shard *vs = version_part(version, shard->loop->index);

    if (vs->is_ready)
        return vs;
    vs->is_ready = true;
    for (unsigned i = 0; i < HG_IDLE_KINDS; i++)
        hg_list_init(&vs->idle[i].list);
    hg_list_init(&vs->waiting);
    hg_list_init(&vs->waiting_behind);
    hg_list_init(&vs->want_link);
    hg_list_init(&vs->release_link);
    hg_timer_init(&vs->timer, shard->loop, pool_on_timer);
    hg_timer_init(&vs->provision_timer, shard->loop, provision_on_timer);
    vs->stats = pool_family_stats(version->family, shard->loop->index);
    log_sink_init(&vs->sink, shard->workers->log_files, shard->loop, version->function->log_group,
                  version->function->name);
    hg_list_push_back(&shard->versions, &vs->link);
    return vs;
}

void shard_forget_version(struct hg_version_shard *vs)
{
    hg_list_unlink(&vs->link);
    hg_list_unlink(&vs->release_link);
    hg_timer_stop(&vs->timer);
    hg_timer_stop(&vs->provision_timer);
    log_sink_fini(&vs->sink);
}

static void on_look(struct hg_mail *mail)
{
    struct hg_version_shard *vs = hg_container_of(mail, struct hg_version_shard, look.mail);
    const struct hg_quota *quota = &vs->version->family->quota;

    /* Before looking: what comes after the look must be able to ask for another. */
    atomic_store(&vs->look.is_posted, false);
    (void)shard_version(vs->shard, vs->version);
    provision_serve(vs);
    idle_trim(vs);
    if (atomic_load(&quota->reserved) == 0)
        waiting_throttle_all(vs);
}

void shard_look(struct hg_version *version, unsigned index)
{
    struct hg_version_shard *vs = atomic_load(&version->at[index]);

    if (!atomic_exchange(&vs->look.is_posted, true))
        hg_mailbox_post(&vs->shard->loop->mailbox, &vs->look.mail, on_look);
}

/* ---- pokes ---- */

void shard_poke(struct hg_pool_shard *shard)
{
    if (!atomic_exchange(&shard->poke.is_posted, true))
        hg_mailbox_post(&shard->loop->mailbox, &shard->poke.mail, on_poke);
}

static void on_poke(struct hg_mail *mail)
{
    struct hg_pool_shard *shard = hg_container_of(mail, struct hg_pool_shard, poke.mail);

    /* Before looking: what comes after the look must be able to poke again. */
    atomic_store(&shard->poke.is_posted, false);
    idle_evict_if_wanted(shard);
    pool_look(shard);
}

/* ---- tick ---- */

void shard_need_tick(struct hg_pool_shard *shard)
{
    if (!hg_timer_is_running(&shard->tick))
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

static void on_tick(struct hg_timer *timer)
{
    struct hg_pool_shard *shard = hg_container_of(timer, struct hg_pool_shard, tick);

    if (sample_memory(shard, hg_mono_us()))
        hg_timer_start_ms(&shard->tick, TICK_MS);
}
