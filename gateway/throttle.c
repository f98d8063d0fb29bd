/*
 * The generic cell rate algorithm: equal to a token bucket of doubles, but its
 * whole state is one time stamp.
 */
#include "gateway/throttle.h"

static const double ns_per_s = 1e9;
/*
 * Rates so low that the next token is years away are as good as never; keeps the products inside 63
 * bits.
 */
static const double interval_max_ns = 1e15;

void bucket_init(struct hg_bucket *bucket, double rate, double burst)
{
    double interval, depth;

    atomic_init(&bucket->full_at_ns, INT64_MIN);
    bucket->interval_ns = bucket->depth_ns = 0;
    if (rate <= 0 || burst < 1)
        return;
    interval = HG_MIN(ns_per_s / rate, interval_max_ns);
    depth = HG_MIN(interval * (double)(int64_t)HG_MIN(burst, 1e9), 1e18);
    bucket->interval_ns = interval < 1 ? 1 : (int64_t)interval;
    bucket->depth_ns = HG_MAX((int64_t)depth, bucket->interval_ns);
}

bool bucket_take(struct hg_bucket *bucket, int64_t now_us)
{
    int64_t now_ns = now_us * 1000, full_at, next;

    if (!bucket->interval_ns)
        return false;
    full_at = atomic_load_explicit(&bucket->full_at_ns, memory_order_relaxed);
    do {
        next = HG_MAX(full_at, now_ns) + bucket->interval_ns;
        if (next - now_ns > bucket->depth_ns)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&bucket->full_at_ns, &full_at, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}
