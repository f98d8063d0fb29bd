/*
 * How much a lane may take: arithmetic on what the pool reports. Pure.
 */
#ifndef HG_ROUTER_LANE_CREDIT_H
#define HG_ROUTER_LANE_CREDIT_H

#include "workers/pool.h"

enum { HG_AHEAD_MAX = 512 };

/*
 * is_busy: the processors have nothing to spare, so that more environments would not do more.
 * Invocations that may be submitted now, besides those that run (of this function) and those that run together (of all
 * functions that share its limit, this one included).
 */
unsigned credit_runs(const struct hg_room *room, double share, bool is_busy, unsigned running,
                     unsigned together);

/*
 * Events to have at hand, besides those that run, so that the function need not wait for the queue: what ends at this
 * rate while a lease takes lease_us. None for a slow function.
 */
unsigned credit_ahead(double per_second, int64_t lease_us);

#endif
