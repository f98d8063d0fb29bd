/*
 * What is known of many numbers without keeping them: how many, their sum, the least, the greatest, and a small picture of how they
 * are spread, from which percentiles come with a relative error of at most 1 %. Two of them merge into one.
 */
#ifndef HG_CORE_STATSET_H
#define HG_CORE_STATSET_H

#include "core/base.h"

enum { HG_STATSET_BUCKETS_MAX = 512 };

/* Values of one size, as a power of 1.02; 0 holds zero, negative numbers the negative values. */
struct hg_stat_bucket {
    int32_t index;
    uint32_t count; /* saturates */
};

/* Zeroed: no numbers. One owner, one thread at a time. */
struct hg_statset {
    double count, sum, min, max;
    /* Sorted by index; empty while all numbers are the same. Beyond the maximum the lowest are put together. */
    struct hg_stat_bucket *buckets;
    uint16_t bucket_count, bucket_room;
    bool is_opaque; /* some numbers came as a summary: there are no percentiles */
};

void hg_statset_fini(struct hg_statset *set);
/* Empties it; keeps its memory. */
void hg_statset_clear(struct hg_statset *set);

/* The same finite value, count times (at least once). */
void hg_statset_add(struct hg_statset *set, double value, double count);
void hg_statset_merge(struct hg_statset *set, const struct hg_statset *other);
/* to is overwritten. */
void hg_statset_copy(struct hg_statset *to, const struct hg_statset *from);
/* percent is from 0 to 100. False when it cannot be known. */
bool hg_statset_percentile(const struct hg_statset *set, double percent, double *value);
/* Adds to a bucket as a reader of stored sets does; index must be greater than those that are there. */
bool hg_statset_append_bucket(struct hg_statset *set, int32_t index, uint32_t count);

/* Heap memory that it holds. */
static inline size_t hg_statset_bytes(const struct hg_statset *set)
{
    return set->bucket_room * sizeof(struct hg_stat_bucket);
}

#endif
