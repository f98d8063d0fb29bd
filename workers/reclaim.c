/*
 * The end of what other loops may be looking at. Something that was taken out of its table is unreachable once every loop has ended
 * a turn: one mail goes round all of them, for all that gathered meanwhile. An outdated version then asks each loop that has used
 * it to let go: idle environments end at once, what runs or waits comes to its end first.
 */
#include "workers/shard.h"

#include <stdlib.h>

enum { LOOK_AGAIN_MS = 250 /* at versions that wait for their log to be written */ };

/* ---- rounds ---- */

static void start_round(struct hg_workers *workers);

static void run_all(struct hg_retired *retired)
{
    while (retired) {
        struct hg_retired *next = retired->next;

        retired->run(retired);
        retired = next;
    }
}

static void on_back(struct hg_mail *mail)
{
    struct hg_workers *workers = hg_container_of(mail, struct hg_workers, reclaim.mail);
    struct hg_retired *retired = workers->reclaim.waiting;

    workers->reclaim.is_under_way = false;
    workers->reclaim.waiting = NULL;
    run_all(retired);
    if (workers->reclaim.coming)
        start_round(workers);
}

static void on_round(struct hg_mail *mail)
{
    struct hg_workers *workers = hg_container_of(mail, struct hg_workers, reclaim.mail);
    unsigned next = ++workers->reclaim.at;

    if (next < workers->shard_count)
        hg_mailbox_post(&workers->shards[next].loop->mailbox, mail, on_round);
    else
        hg_mailbox_post(&workers->loops->control->mailbox, mail, on_back);
}

static void start_round(struct hg_workers *workers)
{
    struct hg_reclaim *reclaim = &workers->reclaim;

    if (reclaim->is_under_way || atomic_load(&workers->is_ending))
        return;
    reclaim->is_under_way = true;
    reclaim->waiting = reclaim->coming;
    reclaim->coming = NULL;
    reclaim->at = 0;
    hg_mailbox_post(&workers->shards[0].loop->mailbox, &reclaim->mail, on_round);
}

void reclaim_later(struct hg_workers *workers, struct hg_retired *retired,
                   void (*run)(struct hg_retired *retired))
{
    if (!retired)
        return;
    if (run)
        retired->run = run;
    retired->next = workers->reclaim.coming;
    workers->reclaim.coming = retired;
    start_round(workers);
}

void reclaim_fini(struct hg_workers *workers)
{
    run_all(workers->reclaim.waiting);
    run_all(workers->reclaim.coming);
}

/* ---- versions ---- */

static void on_unused(struct hg_mail *mail)
{
    struct hg_version *version = hg_container_of(mail, struct hg_version, mail);
    struct hg_pool_family *family = version->family;

    hg_list_unlink(&version->link);
    version_free(version);
    family->version_count--;
    pool_family_put(family);
}

static void let_go(struct hg_version *version)
{
    if (atomic_fetch_sub(&version->holding, 1) == 1)
        hg_mailbox_post(&version->workers->loops->control->mailbox, &version->mail, on_unused);
}

static bool is_in_use(const struct hg_version_shard *vs)
{
    return vs->environments || vs->waiting_count || vs->is_preparing ||
           !log_sink_is_quiet(&vs->sink);
}

/* At the end of a turn, when nobody further up uses the version's part any more. */
void reclaim_on_task(struct hg_task *task)
{
    struct hg_pool_shard *shard = hg_container_of(task, struct hg_pool_shard, release_task);

    HG_LIST_EACH(link, &shard->releasing)
    {
        struct hg_version_shard *vs = hg_container_of(link, struct hg_version_shard, release_link);

        /* While somebody waits, on whatever loop, what is idle stays for them. */
        if (!atomic_load(&vs->version->queued))
            idle_retire_all(vs);
        if (is_in_use(vs))
            continue;
        hg_list_unlink(link);
        shard_forget_version(vs);
        let_go(vs->version);
    }
    if (!hg_list_empty(&shard->releasing) && !hg_timer_is_running(&shard->release_timer))
        hg_timer_start_ms(&shard->release_timer, LOOK_AGAIN_MS);
}

void reclaim_on_timer(struct hg_timer *timer)
{
    struct hg_pool_shard *shard = hg_container_of(timer, struct hg_pool_shard, release_timer);

    hg_loop_defer(shard->loop, &shard->release_task);
}

void reclaim_look(struct hg_version_shard *vs)
{
    if (vs->is_releasing)
        hg_loop_defer(vs->shard->loop, &vs->shard->release_task);
}

static void on_release(struct hg_mail *mail)
{
    struct hg_version_shard *vs = hg_container_of(mail, struct hg_version_shard, release_mail);

    if (!vs->is_ready) {
        let_go(vs->version);
        return;
    }
    vs->is_releasing = true;
    vs->provisioned_wanted = 0;
    hg_list_push_back(&vs->shard->releasing, &vs->release_link);
    starting_want(vs);
    reclaim_look(vs);
}

/* No loop finds it any more; those that have used it are known. */
static void on_unreachable(struct hg_retired *retired)
{
    struct hg_version *version = hg_container_of(retired, struct hg_version, retired);
    struct hg_workers *workers = version->workers;

    if (atomic_load(&workers->is_ending))
        return;
    atomic_store(&version->holding, 1);
    for (unsigned i = 0; i < workers->shard_count; i++) {
        struct hg_version_shard *vs = atomic_load(&version->at[i]);

        if (!vs)
            continue;
        atomic_fetch_add(&version->holding, 1);
        hg_mailbox_post(&workers->shards[i].loop->mailbox, &vs->release_mail, on_release);
    }
    let_go(version);
}

void reclaim_version(struct hg_version *version)
{
    hg_list_unlink(&version->link);
    hg_list_push_back(&version->workers->outdated, &version->link);
    atomic_store(&version->is_current, false);
    atomic_store(&version->provisioned, 0);
    reclaim_later(version->workers, &version->retired, on_unreachable);
}
