/*
 * Function versions that the pool knows. A loop finds them by the address of a snapshot's function; what is not found is asked of
 * the control loop, which compares what environments see of it: two functions of different snapshots are the same version when
 * that is the same. A new snapshot costs as much as what changed in it.
 */
#include "config/family.h"
#include "workers/plan.h"
#include "workers/shard.h"

#include <stdlib.h>

/* ---- finding ---- */

static uint64_t hash_of(const struct hg_function *function)
{
    uint64_t hash = (uint64_t)(uintptr_t)function * 0x9e3779b97f4a7c15u;

    return hash ^ hash >> 32;
}

static struct hg_version_slot *find_slot(const struct hg_workers *workers,
                                         const struct hg_function *function)
{
    struct hg_table_link *link = table_first(&workers->slots, hash_of(function));

    for (; link; link = table_next(link)) {
        struct hg_version_slot *slot = hg_container_of(link, struct hg_version_slot, link);

        if (slot->function == function)
            return slot;
    }
    return NULL;
}

struct hg_version *version_find(const struct hg_workers *workers,
                                const struct hg_function *function)
{
    struct hg_version_slot *slot = find_slot(workers, function);

    return slot ? slot->version : NULL;
}

struct hg_version_shard *version_part(struct hg_version *version, unsigned index)
{
    struct hg_version_shard *vs = atomic_load_explicit(&version->at[index], memory_order_acquire);
    struct hg_version_shard *made;

    if (vs)
        return vs;
    made = hg_calloc(1, sizeof(*made));
    made->version = version;
    made->shard = &version->workers->shards[index];
    if (atomic_compare_exchange_strong(&version->at[index], &vs, made))
        return made;
    free(made); /* the control loop was quicker, or the loop itself */
    return vs;
}

/* ---- making ---- */

static bool is_same_list(const struct hg_str *a, const struct hg_str *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!hg_str_eq(a[i], b[i]))
            return false;
    return true;
}

static bool is_same_environment(const struct hg_kv_list *a, const struct hg_kv_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!hg_str_eq(a->items[i].key, b->items[i].key) ||
            !hg_str_eq(a->items[i].value, b->items[i].value))
            return false;
    return true;
}

/*
 * Whether environments of the one may serve the other. The time of change is part of it: an update without a difference gives new
 * environments too, as in the service.
 */
static bool is_same(const struct hg_function *a, const struct hg_function *b)
{
    const struct hg_str texts[][2] = {
        {a->version, b->version},
        {a->code_dir, b->code_dir},
        {a->code_sha256, b->code_sha256},
        {a->arn, b->arn},
        {a->runtime, b->runtime},
        {a->handler, b->handler},
        {a->role, b->role},
        {a->log_format, b->log_format},
        {a->app_log_level, b->app_log_level},
        {a->system_log_level, b->system_log_level},
        {a->log_group, b->log_group},
        {a->tracing_mode, b->tracing_mode},
    };

    if (a->memory_mb != b->memory_mb || a->timeout_s != b->timeout_s ||
        a->ephemeral_mb != b->ephemeral_mb || a->last_modified_ms != b->last_modified_ms ||
        a->layer_count != b->layer_count)
        return false;
    for (size_t i = 0; i < HG_COUNT(texts); i++)
        if (!hg_str_eq(texts[i][0], texts[i][1]))
            return false;
    return is_same_list(a->layer_dirs, b->layer_dirs, a->layer_count) &&
           is_same_environment(&a->environment, &b->environment);
}

static struct hg_version *make_version(struct hg_workers *workers, struct hg_pool_family *family,
                                       struct hg_function *function)
{
    struct hg_version *version =
        hg_calloc(1, sizeof(*version) + workers->shard_count * sizeof(struct hg_version_shard *));

    version->workers = workers;
    version->family = family;
    version->function = function_ref(function);
    hg_list_init(&version->slots);
    hg_list_push_back(&family->versions, &version->link);
    family->version_count++;
    atomic_store(&version->is_current, true);
    atomic_fetch_add(&workers->version_count, 1);
    return version;
}

static struct hg_version_slot *add_slot(struct hg_version *version, struct hg_function *function)
{
    struct hg_workers *workers = version->workers;
    struct hg_version_slot *slot = hg_calloc(1, sizeof(*slot));

    slot->function = function_ref(function);
    slot->version = version;
    hg_list_push_back(&version->slots, &slot->in_version);
    atomic_fetch_add(&workers->slot_count, 1);
    reclaim_later(workers, table_add(&workers->slots, &slot->link, hash_of(function)), NULL);
    return slot;
}

static void free_slot(struct hg_retired *retired)
{
    struct hg_version_slot *slot = hg_container_of(retired, struct hg_version_slot, retired);

    function_unref(slot->function);
    free(slot);
}

static void remove_slot(struct hg_version_slot *slot)
{
    struct hg_workers *workers = slot->version->workers;

    table_remove(&workers->slots, &slot->link);
    hg_list_unlink(&slot->in_version);
    atomic_fetch_sub(&workers->slot_count, 1);
    reclaim_later(workers, &slot->retired, free_slot);
}

static void retire_version(struct hg_version *version)
{
    HG_LIST_EACH(link, &version->slots)
    remove_slot(hg_container_of(link, struct hg_version_slot, in_version));
    reclaim_version(version);
}

/* The slot of a function that is deployed; with may_make even if nothing like it is known. */
static struct hg_version_slot *know(struct hg_pool_family *family, struct hg_function *function,
                                    bool may_make)
{
    struct hg_version_slot *slot = find_slot(family->workers, function);

    if (slot)
        return slot;
    HG_LIST_EACH(link, &family->versions)
    {
        struct hg_version *version = hg_container_of(link, struct hg_version, link);

        if (is_same(version->function, function))
            return add_slot(version, function);
    }
    return may_make ? add_slot(make_version(family->workers, family, function), function) : NULL;
}

/* ---- forgotten ---- */

static void on_unused(struct hg_mail *mail)
{
    struct hg_version *version = hg_container_of(mail, struct hg_version, unused.mail);

    atomic_store(&version->unused.is_posted, false);
    if (atomic_load(&version->is_current) && !atomic_load(&version->environments) &&
        !atomic_load(&version->queued) && !atomic_load(&version->provisioned))
        retire_version(version);
}

void version_note_unused(struct hg_version *version)
{
    if (!atomic_exchange(&version->unused.is_posted, true))
        hg_mailbox_post(&version->workers->loops->control->mailbox, &version->unused.mail,
                        on_unused);
}

/* ---- asked by a loop ---- */

/* One that is deployed no more: it serves whoever resolved it before, and ends with that. */
static struct hg_version *make_outdated(struct hg_pool_family *family, struct hg_function *function)
{
    struct hg_version *version = make_version(family->workers, family, function);

    reclaim_version(version);
    return version;
}

static bool is_version_of(const struct hg_family *deployed, const struct hg_function *function)
{
    return deployed && family_version(deployed, function->version) == function;
}

struct hg_version *version_get(struct hg_workers *workers, struct hg_function *function)
{
    struct hg_version_slot *slot = find_slot(workers, function);
    const struct hg_family *deployed;
    struct hg_pool_family *family;

    if (slot)
        return slot->version;
    family = pool_family_get(workers, function->name);
    if (!workers->applied) {
        limits_set(&workers->limits, &family->quota, function->reserved_concurrency, 0);
        return know(family, function, true)->version;
    }
    deployed = snapshot_family(workers->applied, function->name);
    family->is_deployed = deployed != NULL;
    /* What was changed between the look-up of the function and now runs as it is now. */
    if (deployed && !is_version_of(deployed, function)) {
        struct hg_function *newer = family_version(deployed, function->version);

        if (!newer)
            return make_outdated(family, function);
        function = newer;
    }
    return deployed ? know(family, function, true)->version : make_outdated(family, function);
}

static void on_asked(struct hg_mail *mail)
{
    struct hg_running *running = hg_container_of(mail, struct hg_running, mail);
    struct hg_workers *workers = running->workers;

    version_catch_up(workers);
    running->version = version_get(workers, running->function);
    /* An outdated one is on its way out already, and waits for the loops that have a part of it. */
    (void)version_part(running->version, running->shard->loop->index);
    pool_enter(running);
}

void version_ask(struct hg_running *running)
{
    hg_mailbox_post(&running->workers->loops->control->mailbox, &running->mail, on_asked);
}

/* ---- what is deployed ---- */

static void unmark(struct hg_pool_family *family)
{
    HG_LIST_EACH(link, &family->versions)
    {
        struct hg_version *version = hg_container_of(link, struct hg_version, link);

        version->is_marked = false;
        version->provision_next = 0;
        HG_LIST_EACH(at, &version->slots)
        hg_container_of(at, struct hg_version_slot, in_version)->is_marked = false;
    }
}

static void mark(struct hg_pool_family *family, struct hg_function *function, unsigned provisioned)
{
    struct hg_version_slot *slot = know(family, function, provisioned > 0);

    if (!slot)
        return;
    slot->is_marked = slot->version->is_marked = true;
    slot->version->provision_next += provisioned;
}

/* Environments that an alias or version of the family is to have, by the versions that it leads to. */
static void mark_provisioned(struct hg_pool_family *family, const struct hg_family *deployed)
{
    for (size_t i = 0; i < deployed->provisioned_count; i++) {
        struct hg_provision_share shares[2];
        size_t count = provision_shares(deployed, &deployed->provisioned[i], shares);

        for (size_t at = 0; at < count; at++)
            mark(family, (struct hg_function *)(uintptr_t)shares[at].function, shares[at].wanted);
    }
}

static unsigned count_provisioned(const struct hg_family *deployed)
{
    unsigned total = 0;

    for (size_t i = 0; i < deployed->provisioned_count; i++) {
        struct hg_provision_share shares[2];
        size_t count = provision_shares(deployed, &deployed->provisioned[i], shares);

        for (size_t at = 0; at < count; at++)
            total += shares[at].wanted;
    }
    return total;
}

static void retire_unmarked(struct hg_pool_family *family)
{
    HG_LIST_EACH(link, &family->versions)
    {
        struct hg_version *version = hg_container_of(link, struct hg_version, link);

        if (!version->is_marked) {
            retire_version(version);
            continue;
        }
        HG_LIST_EACH(at, &version->slots)
        {
            struct hg_version_slot *slot = hg_container_of(at, struct hg_version_slot, in_version);

            if (!slot->is_marked)
                remove_slot(slot);
        }
    }
}

static void tell_loops(struct hg_pool_family *family)
{
    HG_LIST_EACH(link, &family->versions)
    {
        struct hg_version *version = hg_container_of(link, struct hg_version, link);

        for (unsigned i = 0; i < family->workers->shard_count; i++)
            if (atomic_load(&version->at[i]))
                shard_look(version, i);
    }
}

static void set_quota(struct hg_pool_family *family, int reserved, unsigned provisioned)
{
    struct hg_quota *quota = &family->quota;
    unsigned before = atomic_load(&quota->on_demand.max);

    limits_set(&family->workers->limits, quota, reserved, provisioned);
    atomic_store(&family->workers->running_now.claimed, family->workers->limits.claimed);
    if (atomic_load(&quota->on_demand.max) < before)
        tell_loops(family);
}

void version_apply(struct hg_pool_family *family, const struct hg_family *deployed)
{
    family->is_deployed = deployed != NULL;
    /* Before the first slot: who comes by a slot finds the limits that were deployed with it. */
    set_quota(family, deployed ? deployed->latest->reserved_concurrency : -1,
              deployed ? count_provisioned(deployed) : 0);
    unmark(family);
    if (deployed) {
        mark(family, deployed->latest, 0);
        for (size_t i = 0; i < deployed->version_count; i++)
            mark(family, deployed->versions[i], 0);
        mark_provisioned(family, deployed);
    }
    retire_unmarked(family);
    HG_LIST_EACH(link, &family->versions)
    {
        struct hg_version *version = hg_container_of(link, struct hg_version, link);

        provision_set(version, version->provision_next);
    }
    pool_family_put(family);
}

void version_free(struct hg_version *version)
{
    struct hg_workers *workers = version->workers;

    plan_free(atomic_load(&version->plan));
    for (unsigned i = 0; i < workers->shard_count; i++)
        free(atomic_load(&version->at[i]));
    function_unref(version->function);
    atomic_fetch_sub(&workers->version_count, 1);
    free(version);
}

void average_note(_Atomic int64_t *average, int64_t value)
{
    int64_t before = atomic_load_explicit(average, memory_order_relaxed), after = value;

    /* Two loops may overwrite one another's step: an estimate bears it. */
    if (before && value < before)
        after = before - (before - value) / 2;
    else if (before)
        after = before + HG_MIN(value - before, before) / 16;
    atomic_store_explicit(average, HG_MAX(after, (int64_t)1), memory_order_relaxed);
}
