/*
 * Places are atomics: a loop takes one before it starts an environment and gives it back when the environment is gone.
 */
#include "workers/limits.h"

#include <limits.h>

enum {
    SHARED_SHARE =
        10 /* when the machine is short, a tenth stays for functions that claim nothing */
};

void limits_init(struct hg_limits *limits, unsigned total)
{
    *limits = (struct hg_limits){.total = total};
    atomic_store(&limits->shared.max, total);
    hg_list_init(&limits->claims);
}

void quota_init(struct hg_quota *quota)
{
    *quota = (struct hg_quota){.claim = 0};
    hg_list_init(&quota->link);
    atomic_store(&quota->reserved, -1);
    atomic_store(&quota->on_demand.max, UINT_MAX);
}

static unsigned kept_for(const struct hg_limits *limits, unsigned claim)
{
    unsigned room = limits->total - HG_MAX(limits->total / SHARED_SHARE, 1u);

    return (unsigned)((uint64_t)claim * room / limits->claimed);
}

static void keep_all(struct hg_limits *limits)
{
    unsigned kept = 0;

    HG_LIST_EACH(link, &limits->claims)
    {
        struct hg_quota *quota = hg_container_of(link, struct hg_quota, link);
        unsigned own = limits->is_short ? kept_for(limits, quota->claim) : quota->claim;

        atomic_store(&quota->own.max, own);
        kept += own;
    }
    atomic_store(&limits->shared.max, limits->total - kept);
}

static void claim(struct hg_limits *limits, struct hg_quota *quota, unsigned wanted)
{
    bool was_short = limits->is_short;

    if (wanted == quota->claim)
        return;
    limits->claimed += wanted - quota->claim;
    quota->claim = wanted;
    hg_list_unlink(&quota->link);
    if (wanted)
        hg_list_push_back(&limits->claims, &quota->link);
    else
        atomic_store(&quota->own.max, 0);
    /* Something is left for functions without a claim: at least one environment. */
    limits->is_short = limits->claimed >= limits->total;
    if (limits->is_short || was_short) {
        keep_all(limits);
        return;
    }
    atomic_store(&quota->own.max, wanted);
    atomic_store(&limits->shared.max, limits->total - limits->claimed);
}

void limits_set(struct hg_limits *limits, struct hg_quota *quota, int reserved,
                unsigned provisioned)
{
    unsigned ceiling = UINT_MAX, wanted = provisioned;

    if (reserved >= 0) {
        wanted = HG_MAX((unsigned)reserved, provisioned);
        ceiling = (unsigned)reserved - HG_MIN((unsigned)reserved, provisioned);
    }
    atomic_store(&quota->reserved, reserved);
    atomic_store(&quota->on_demand.max, ceiling);
    claim(limits, quota, wanted);
}

static bool take(struct hg_limit *limit)
{
    unsigned used = atomic_load(&limit->used);

    do {
        if (used >= atomic_load_explicit(&limit->max, memory_order_relaxed))
            return false;
    } while (!atomic_compare_exchange_weak(&limit->used, &used, used + 1));
    return true;
}

static void give(struct hg_limit *limit)
{
    unsigned before = atomic_fetch_sub(&limit->used, 1);

    hg_assert(before > 0);
}

struct hg_limit *limits_take(struct hg_limits *limits, struct hg_quota *quota, bool is_provisioned,
                             struct hg_limit **full)
{
    if (!is_provisioned && !take(&quota->on_demand)) {
        *full = &quota->on_demand;
        return NULL;
    }
    if (take(&quota->own))
        return &quota->own;
    if (take(&limits->shared))
        return &limits->shared;
    if (!is_provisioned)
        give(&quota->on_demand);
    *full = &limits->shared;
    return NULL;
}

void limits_give(struct hg_quota *quota, struct hg_limit *place, bool is_provisioned)
{
    give(place);
    if (!is_provisioned)
        give(&quota->on_demand);
}

static bool is_over(const struct hg_limit *limit)
{
    return atomic_load_explicit(&limit->used, memory_order_relaxed) >
           atomic_load_explicit(&limit->max, memory_order_relaxed);
}

struct hg_limit *limits_settle(struct hg_limits *limits, struct hg_quota *quota,
                               struct hg_limit *place)
{
    struct hg_limit *better;

    if (place == &limits->shared) {
        if (limit_is_full(&quota->own))
            return place;
        better = &quota->own;
    } else {
        if (!is_over(&quota->own))
            return place;
        better = &limits->shared;
    }
    if (!take(better))
        return place;
    give(place);
    return better;
}

bool quota_is_over(const struct hg_quota *quota)
{
    return is_over(&quota->on_demand);
}

bool limit_is_full(const struct hg_limit *limit)
{
    return atomic_load_explicit(&limit->used, memory_order_relaxed) >=
           atomic_load_explicit(&limit->max, memory_order_relaxed);
}

bool quota_is_full(const struct hg_limits *limits, const struct hg_quota *quota)
{
    return limit_is_full(&quota->on_demand) ||
           (limit_is_full(&quota->own) && limit_is_full(&limits->shared));
}

const char *quota_reason(const struct hg_quota *quota)
{
    return atomic_load_explicit(&quota->reserved, memory_order_relaxed) >= 0
               ? "ReservedFunctionConcurrentInvocationLimitExceeded"
               : "ConcurrentInvocationLimitExceeded";
}
