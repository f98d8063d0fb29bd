/*
 * How many environments may exist: one limit for each function with reserved
 * concurrency, one for all others together. Any thread.
 */
#ifndef HG_WORKERS_LIMITS_H
#define HG_WORKERS_LIMITS_H

#include "config/model.h"

#include <stdatomic.h>

/* Lives as long as the workers. */
struct hg_limit {
    struct hg_limit *next;
    char *function_name; /* NULL: the unreserved rest */
    _Atomic unsigned max, used;
    _Atomic unsigned evicting;   /* idle environments that are ending to make room */
    _Atomic bool wants_eviction; /* some loop has a waiting invocation and no room */
};

struct hg_limits {
    unsigned total;
    struct hg_limit unreserved;
    struct hg_limit *_Atomic reserved; /* grows at the front only */
};

void limits_init(struct hg_limits *limits, unsigned total);
void limits_fini(struct hg_limits *limits);

/* The limit that counts the function's environments. */
struct hg_limit *limits_of(struct hg_limits *limits, const struct hg_function *function);
/* Takes over the reservations of a new snapshot: what they claim is taken from the rest. Control loop. */
void limits_apply(struct hg_limits *limits, const struct hg_snapshot *snapshot);

bool limit_take(struct hg_limit *limit) hg_must_use;
bool limit_is_full(const struct hg_limit *limit);
void limit_give(struct hg_limit *limit);

/* The reason that a throttled caller is told. */
const char *limit_reason(const struct hg_limit *limit);

#endif
