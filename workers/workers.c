/*
 * All of the pool from outside: made, told of new snapshots, drained, freed.
 */
#include "workers/workers.h"
#include "core/clock.h"
#include "core/log.h"
#include "workers/counting.h"
#include "workers/environment.h"
#include "workers/files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DRAIN_LOOK_MS = 5,
    KILL_WAIT_US =
        5000000, /* after SIGKILL a process is gone at once, unless the kernel is stuck in it */
};

static char *copy(const char *text)
{
    return text ? hg_strdup(text) : NULL;
}

static void copy_options(struct hg_workers *workers, const struct hg_workers_options *options)
{
    struct hg_workers_options *own = &workers->options;

    *own = *options;
    own->data_dir = workers->data_dir = hg_strdup(options->data_dir);
    own->region = workers->region = hg_strdup(options->region);
    own->account = workers->account = hg_strdup(options->account);
    own->api_endpoint = workers->api_endpoint = copy(options->api_endpoint);
    workers->overrides = hg_calloc(options->override_count + 1, sizeof(*workers->overrides));
    for (size_t i = 0; i < options->override_count; i++) {
        workers->overrides[i].runtime = hg_strdup(options->overrides[i].runtime);
        workers->overrides[i].path = hg_strdup(options->overrides[i].path);
    }
    own->overrides = workers->overrides;
}

struct hg_workers *workers_new(struct hg_loops *loops, const struct hg_workers_options *options,
                               struct hg_error *err)
{
    const struct hg_launch_ops *launcher =
        options->has_no_isolation ? &launch_none_ops : &launch_process_ops;

    return workers_new_with(loops, options, launcher, err);
}

struct hg_workers *workers_new_with(struct hg_loops *loops,
                                    const struct hg_workers_options *options,
                                    const struct hg_launch_ops *launcher, struct hg_error *err)
{
    struct hg_workers *workers;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (files_make_dirs(options->data_dir, 0700) != 0 ||
        access(options->data_dir, W_OK | X_OK) != 0) {
        (void)hg_error_set(err, HG_E_IO, "data directory %s cannot be used: %s", options->data_dir,
                           strerror(errno));
        return NULL;
    }
    workers = hg_calloc(1, sizeof(*workers));
    workers->loops = loops;
    workers->launcher = launcher;
    workers->cores = cores > 0 ? (unsigned)cores : 1;
    copy_options(workers, options);
    limits_init(&workers->limits, workers->options.max_concurrency);
    table_init(&workers->slots);
    table_init(&workers->families);
    hg_list_init(&workers->outdated);
    workers->launch_threads = hg_offload_new("launch", HG_MAX(workers->cores, 2u));
    workers->prepare_thread = hg_offload_new("prepare", 1);
    workers->clean_thread = hg_offload_new("clean", 1);
    workers->log_files = log_files_new(workers->data_dir, options->logs_to_terminal);
    workers->shard_count = loops->count;
    workers->shards = hg_calloc(loops->count, sizeof(*workers->shards));
    for (unsigned i = 0; i < loops->count; i++)
        shard_init(&workers->shards[i], workers, loops->loops[i]);
    counting_start(workers);
    prepare_data_dir(workers);
    return workers;
}

struct hg_minutes *workers_minutes(const struct hg_workers *workers)
{
    return workers->options.minutes;
}

/* ---- snapshots ---- */

/* Families that are the same in both are not looked at. */
static void on_difference(struct hg_counted *before, struct hg_counted *after, void *arg)
{
    struct hg_workers *workers = arg;
    const struct hg_family *deployed =
        after ? hg_container_of(after, struct hg_family, counted) : NULL;
    const struct hg_family *either =
        deployed ? deployed : hg_container_of(before, struct hg_family, counted);
    bool claims =
        deployed && (deployed->latest->reserved_concurrency >= 0 || deployed->provisioned_count);
    struct hg_pool_family *family = pool_family_find(workers, either->name);

    /* One that nobody has invoked is known only for what it claims. */
    if (!family && claims)
        family = pool_family_get(workers, either->name);
    if (family)
        version_apply(family, deployed);
}

void workers_apply(struct hg_workers *workers, struct hg_snapshot *next)
{
    static const struct hg_pmap nothing;
    struct hg_snapshot *before = workers->applied;

    if (next == before)
        return;
    workers->applied = snapshot_ref(next);
    hg_pmap_diff(before ? &before->families : &nothing, &next->families, on_difference, workers);
    snapshot_unref(before);
}

void version_catch_up(struct hg_workers *workers)
{
    struct hg_registry *registry = workers->options.registry;
    struct hg_snapshot *current;
    uint64_t number;

    if (!registry || (number = registry_version(registry)) == workers->applied_version)
        return;
    current = registry_current(registry);
    workers_apply(workers, current);
    workers->applied_version = number;
    snapshot_unref(current);
}

/* ---- the end ---- */

struct kill_mail {
    struct hg_mail mail;
    struct hg_pool_shard *shard;
};

struct hg_drain {
    struct hg_workers *workers;
    struct hg_timer timer;
    int64_t deadline_us;
    bool is_killing;
    void (*done)(void *arg);
    void *arg;
    struct kill_mail mails[]; /* one per loop */
};

static void on_kill_all(struct hg_mail *mail)
{
    struct hg_pool_shard *shard = hg_container_of(mail, struct kill_mail, mail)->shard;

    shard->is_killing = true;
    pool_fail_waiting(shard, HG_E_BUSY);
    HG_LIST_EACH(link, &shard->versions)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, link);

        for (unsigned i = 0; i < HG_IDLE_KINDS; i++)
            atomic_store(&vs->idle[i].free, 0);
    }
    HG_LIST_EACH(link, &shard->environments)
    environment_retire(hg_container_of(link, struct hg_environment, link));
}

static unsigned sum(struct hg_workers *workers, bool of_environments)
{
    unsigned total = 0;

    for (unsigned i = 0; i < workers->shard_count; i++)
        total += atomic_load(of_environments ? &workers->shards[i].environment_count
                                             : &workers->shards[i].busy);
    return total;
}

static void on_drain_timer(struct hg_timer *timer)
{
    struct hg_drain *drain = hg_container_of(timer, struct hg_drain, timer);
    struct hg_workers *workers = drain->workers;
    int64_t now = hg_mono_us();

    if (!drain->is_killing && (sum(workers, false) == 0 || now >= drain->deadline_us)) {
        drain->is_killing = true;
        drain->deadline_us = now + KILL_WAIT_US;
        for (unsigned i = 0; i < workers->shard_count; i++) {
            drain->mails[i].shard = &workers->shards[i];
            hg_mailbox_post(&workers->shards[i].loop->mailbox, &drain->mails[i].mail, on_kill_all);
        }
    } else if (drain->is_killing && (sum(workers, true) == 0 || now >= drain->deadline_us)) {
        drain->done(drain->arg);
        return;
    }
    hg_timer_start_ms(&drain->timer, DRAIN_LOOK_MS);
}

void workers_drain(struct hg_workers *workers, int64_t timeout_ms, void (*done)(void *arg),
                   void *arg)
{
    struct hg_drain *drain =
        hg_calloc(1, sizeof(*drain) + workers->shard_count * sizeof(drain->mails[0]));

    hg_assert(!workers->drain);
    workers->drain = drain;
    drain->workers = workers;
    drain->deadline_us = hg_mono_us() + timeout_ms * 1000;
    drain->done = done;
    drain->arg = arg;
    hg_timer_init(&drain->timer, workers->loops->control, on_drain_timer);
    hg_timer_start_ms(&drain->timer, 0);
}

static void deliver_all(struct hg_workers *workers)
{
    for (unsigned i = 0; i < workers->shard_count; i++)
        hg_mailbox_deliver(&workers->shards[i].loop->mailbox);
    hg_mailbox_deliver(&workers->loops->control->mailbox);
}

static void destroy_environments(struct hg_pool_shard *shard)
{
    HG_LIST_EACH(link, &shard->versions)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, link);

        hg_list_move_all(&vs->waiting_behind, &vs->waiting);
        HG_LIST_EACH(waiting, &vs->waiting)
        pool_discard(hg_container_of(waiting, struct hg_running, link));
    }
    HG_LIST_EACH(link, &shard->environments)
    environment_destroy(hg_container_of(link, struct hg_environment, link));
}

static void free_options(struct hg_workers *workers)
{
    for (size_t i = 0; i < workers->options.override_count; i++) {
        free((char *)(uintptr_t)workers->overrides[i].runtime);
        free((char *)(uintptr_t)workers->overrides[i].path);
    }
    free(workers->overrides);
    free(workers->data_dir);
    free(workers->region);
    free(workers->account);
    free(workers->api_endpoint);
}

struct hg_log_files *workers_log_files(const struct hg_workers *workers)
{
    return workers->log_files;
}

static void free_slots(struct hg_version *version)
{
    HG_LIST_EACH(link, &version->slots)
    {
        struct hg_version_slot *slot = hg_container_of(link, struct hg_version_slot, in_version);

        function_unref(slot->function);
        free(slot);
    }
}

static void free_families(struct hg_workers *workers)
{
    struct hg_pool_family *family = atomic_load(&workers->first_family);

    while (family) {
        struct hg_pool_family *next = atomic_load(&family->next);

        HG_LIST_EACH(link, &family->versions)
        {
            struct hg_version *version = hg_container_of(link, struct hg_version, link);

            free_slots(version);
            version_free(version);
        }
        pool_family_free(family);
        family = next;
    }
    HG_LIST_EACH(link, &workers->outdated)
    version_free(hg_container_of(link, struct hg_version, link));
}

void workers_free(struct hg_workers *workers)
{
    if (!workers)
        return;
    atomic_store(&workers->is_ending, true);
    counting_stop(workers);
    for (unsigned i = 0; i < workers->shard_count; i++)
        workers->shards[i].is_killing = true;
    /* What helpers have finished comes home by mail, and finds its shard still there. */
    hg_offload_free(workers->prepare_thread);
    deliver_all(workers);
    hg_offload_free(workers->launch_threads);
    deliver_all(workers);
    for (unsigned i = 0; i < workers->shard_count; i++)
        destroy_environments(&workers->shards[i]);
    hg_offload_free(workers->clean_thread);
    for (unsigned i = 0; i < workers->shard_count; i++) {
        HG_LIST_EACH(link, &workers->shards[i].versions)
        log_sink_flush(&hg_container_of(link, struct hg_version_shard, link)->sink);
    }
    log_files_stop(workers->log_files);
    deliver_all(workers);
    log_files_free(workers->log_files);
    if (workers->drain)
        hg_timer_stop(&workers->drain->timer);
    free(workers->drain);
    for (unsigned i = 0; i < workers->shard_count; i++)
        shard_fini(&workers->shards[i]);
    free(workers->shards);
    free_families(workers);
    reclaim_fini(workers);
    table_fini(&workers->slots);
    table_fini(&workers->families);
    snapshot_unref(workers->applied);
    prepare_fini(workers);
    free_options(workers);
    free(workers);
}
