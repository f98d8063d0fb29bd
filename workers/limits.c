/*
 * Permits are atomics: a loop takes one before it starts an environment and
 * gives it back when the environment is gone.
 */
#include "workers/limits.h"

#include <stdlib.h>

void limits_init(struct hg_limits *limits, unsigned total)
{
    *limits = (struct hg_limits){.total = total};
    atomic_store(&limits->unreserved.max, total);
}

void limits_fini(struct hg_limits *limits)
{
    struct hg_limit *limit = atomic_load(&limits->reserved);

    while (limit) {
        struct hg_limit *next = limit->next;

        free(limit->function_name);
        free(limit);
        limit = next;
    }
}

static struct hg_limit *find(struct hg_limit *from, const struct hg_limit *end, struct hg_str name)
{
    for (; from != end; from = from->next) {
        if (hg_str_is(name, from->function_name))
            return from;
    }
    return NULL;
}

struct hg_limit *limits_of(struct hg_limits *limits, const struct hg_function *function)
{
    struct hg_limit *first, *found, *made = NULL;

    if (function->reserved_concurrency < 0)
        return &limits->unreserved;
    first = atomic_load_explicit(&limits->reserved, memory_order_acquire);
    found = find(first, NULL, function->name);
    if (!found) {
        made = hg_calloc(1, sizeof(*made));
        made->function_name = hg_strndup(function->name.p, function->name.n);
        do {
            struct hg_limit *seen = first;

            made->next = first;
            if (atomic_compare_exchange_strong(&limits->reserved, &first, made)) {
                found = made;
                break;
            }
            found = find(first, seen, function->name);
        } while (!found);
        if (found != made) {
            free(made->function_name);
            free(made);
        }
    }
    atomic_store_explicit(&found->max, (unsigned)function->reserved_concurrency,
                          memory_order_relaxed);
    return found;
}

void limits_apply(struct hg_limits *limits, const struct hg_snapshot *snapshot)
{
    struct hg_pmap_at at = {0};
    const struct hg_family *family;
    unsigned claimed = 0;

    /* All versions of a function share its reservation. */
    while ((family = snapshot_next_family(snapshot, &at))) {
        if (family->latest->reserved_concurrency < 0)
            continue;
        (void)limits_of(limits, family->latest);
        claimed += (unsigned)family->latest->reserved_concurrency;
    }
    /* The rest never falls to nothing: functions without a reservation still run one at a time. */
    atomic_store(&limits->unreserved.max, limits->total > claimed ? limits->total - claimed : 1);
}

bool limit_take(struct hg_limit *limit)
{
    unsigned used = atomic_load(&limit->used);

    do {
        if (used >= atomic_load_explicit(&limit->max, memory_order_relaxed))
            return false;
    } while (!atomic_compare_exchange_weak(&limit->used, &used, used + 1));
    return true;
}

bool limit_is_full(const struct hg_limit *limit)
{
    return atomic_load(&limit->used) >= atomic_load_explicit(&limit->max, memory_order_relaxed);
}

void limit_give(struct hg_limit *limit)
{
    unsigned before = atomic_fetch_sub(&limit->used, 1);

    hg_assert(before > 0);
}

const char *limit_reason(const struct hg_limit *limit)
{
    return limit->function_name ? "ReservedFunctionConcurrentInvocationLimitExceeded"
                                : "ConcurrentInvocationLimitExceeded";
}
