/*
 * For tests: the pool with another launcher.
 */
#ifndef HG_WORKERS_WORKERS_H
#define HG_WORKERS_WORKERS_H

#include "workers/launch.h"
#include "workers/pool.h"

/* workers_new with a launcher of the caller's choice, which must outlive the pool. */
struct hg_workers *workers_new_with(struct hg_loops *loops,
                                    const struct hg_workers_options *options,
                                    const struct hg_launch_ops *launcher, struct hg_error *err);

#endif
