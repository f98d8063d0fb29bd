/*
 * Token buckets shared by all loops: one atomic word each, no lock.
 */
#ifndef HG_GATEWAY_THROTTLE_H
#define HG_GATEWAY_THROTTLE_H

#include "core/base.h"

#include <stdatomic.h>

/*
 * Holds the moment at which the bucket would be full again. With one token per
 * interval, `burst` tokens are there as long as that moment is no more than
 * burst × interval ahead.
 */
struct hg_bucket {
    _Atomic int64_t full_at_ns;
    int64_t interval_ns; /* 0: refuses everything */
    int64_t depth_ns;    /* burst × interval */
};

/* rate in tokens per second. A rate or burst of 0 refuses everything. The bucket starts full. */
void bucket_init(struct hg_bucket *bucket, double rate, double burst);
/* Takes one token; false when there is none. now_us is monotonic. Any loop. */
bool bucket_take(struct hg_bucket *bucket, int64_t now_us);

#endif
