/*
 * How many environments may exist. Two things bind: what a function may have (its reservation), and what the machine has
 * (--max-concurrency). Of the machine's places, reserved and provisioned concurrency keep some for their function alone; all
 * others are shared. Where the machine has fewer than are claimed, each claim is kept in proportion.
 *
 * Counts are atomics for any loop; what is allowed is set by the control loop.
 */
#ifndef HG_WORKERS_LIMITS_H
#define HG_WORKERS_LIMITS_H

#include "core/list.h"

#include <stdatomic.h>

struct hg_limit {
    _Atomic unsigned max, used;
    _Atomic unsigned evicting;   /* idle environments that are ending to make room */
    _Atomic bool wants_eviction; /* some loop has a waiting invocation and no room */
};

/* Of one function, all its versions together. */
struct hg_quota {
    struct hg_list link;       /* in limits->claims, when it claims something */
    _Atomic int reserved;      /* -1: none */
    unsigned claim;            /* of the machine's places */
    struct hg_limit on_demand; /* environments that are not provisioned */
    struct hg_limit own;       /* the machine's places that are kept for it */
};

struct hg_limits {
    unsigned total;
    unsigned claimed;
    bool is_short; /* claims are kept in proportion only */
    struct hg_limit shared;
    struct hg_list claims;
};

void limits_init(struct hg_limits *limits, unsigned total);
void quota_init(struct hg_quota *quota);

/*
 * reserved: -1 for none; provisioned: environments that are kept initialised, which a reservation includes. Costs the same however
 * many functions there are, unless the machine is short. Control loop.
 */
void limits_set(struct hg_limits *limits, struct hg_quota *quota, int reserved,
                unsigned provisioned);

/* A place for one environment of the function; NULL, and the limit that is full. Any loop. */
struct hg_limit *limits_take(struct hg_limits *limits, struct hg_quota *quota, bool is_provisioned,
                             struct hg_limit **full) hg_must_use;
void limits_give(struct hg_quota *quota, struct hg_limit *place, bool is_provisioned);
/* The place that it shall have from now on: what is the function's own goes before what is shared, and nothing beyond it. */
struct hg_limit *limits_settle(struct hg_limits *limits, struct hg_quota *quota,
                               struct hg_limit *place);

/* More on-demand environments than the function may have. */
bool quota_is_over(const struct hg_quota *quota);
bool limit_is_full(const struct hg_limit *limit);
/* No further on-demand environment may be started. */
bool quota_is_full(const struct hg_limits *limits, const struct hg_quota *quota);

/* The reason that a throttled caller is told. */
const char *quota_reason(const struct hg_quota *quota);

#endif
