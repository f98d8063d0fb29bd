/*
 * Logarithmic buckets, as in DDSketch: the bucket of a value is the power of GAMMA above it.
 */
#include "core/statset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GAMMA 1.02
#define LOG_GAMMA 0.019802627296179712
#define LEAST 1e-9 /* what is nearer to zero counts as zero */

enum { LEAST_POWER = -1047, ROOM_FIRST = 8 };

void hg_statset_fini(struct hg_statset *set)
{
    free(set->buckets);
    *set = (struct hg_statset){0};
}

void hg_statset_clear(struct hg_statset *set)
{
    set->count = set->sum = set->min = set->max = 0;
    set->bucket_count = 0;
    set->is_opaque = false;
}

static int32_t index_of(double value)
{
    double size = fabs(value);
    int32_t index;

    if (size < LEAST)
        return 0;
    index = (int32_t)ceil(log(size) / LOG_GAMMA) - LEAST_POWER + 1;
    index = HG_MAX(index, 1);
    return value < 0 ? -index : index;
}

/* The middle of the bucket, measured by relative error. */
static double value_of(int32_t index)
{
    double size;

    if (index == 0)
        return 0;
    size = exp((double)(abs(index) - 1 + LEAST_POWER) * LOG_GAMMA) * 2 / (1 + GAMMA);
    return index < 0 ? -size : size;
}

static void add_count(struct hg_stat_bucket *bucket, double count)
{
    double sum = bucket->count + count;

    bucket->count = sum >= UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

static void make_room(struct hg_statset *set)
{
    if (set->bucket_count < set->bucket_room)
        return;
    set->bucket_room = (uint16_t)(set->bucket_room ? 2 * set->bucket_room : ROOM_FIRST);
    set->buckets = hg_realloc(set->buckets, set->bucket_room * sizeof(*set->buckets));
}

/* The first with at least that index. */
static size_t place_of(const struct hg_statset *set, int32_t index)
{
    size_t low = 0, high = set->bucket_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (set->buckets[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_bucket(struct hg_statset *set, int32_t index, double count)
{
    size_t at = place_of(set, index);

    count = HG_MAX(count, 1.0);
    if (at < set->bucket_count && set->buckets[at].index == index) {
        add_count(&set->buckets[at], count);
        return;
    }
    if (set->bucket_count == HG_STATSET_BUCKETS_MAX) {
        if (at == 0) {
            add_count(&set->buckets[0], count);
            return;
        }
        add_count(&set->buckets[1], set->buckets[0].count);
        set->bucket_count--;
        memmove(set->buckets, set->buckets + 1, set->bucket_count * sizeof(*set->buckets));
        at = place_of(set, index);
    }
    make_room(set);
    memmove(set->buckets + at + 1, set->buckets + at,
            (set->bucket_count - at) * sizeof(*set->buckets));
    set->buckets[at] = (struct hg_stat_bucket){.index = index};
    add_count(&set->buckets[at], count);
    set->bucket_count++;
}

/* While all numbers are the same, they need no buckets. */
static void spread(struct hg_statset *set)
{
    if (!set->bucket_count && set->count > 0)
        add_bucket(set, index_of(set->min), set->count);
}

static void turn_opaque(struct hg_statset *set)
{
    set->is_opaque = true;
    set->bucket_count = 0;
}

static void widen(struct hg_statset *set, double count, double sum, double min, double max)
{
    set->min = set->count > 0 ? fmin(set->min, min) : min;
    set->max = set->count > 0 ? fmax(set->max, max) : max;
    set->count += count;
    set->sum += sum;
}

void hg_statset_add(struct hg_statset *set, double value, double count)
{
    bool is_same = set->count <= 0 || (set->min == value && set->max == value);

    if (!set->is_opaque && (!is_same || set->bucket_count)) {
        spread(set);
        add_bucket(set, index_of(value), count);
    }
    widen(set, count, value * count, value, value);
}

static bool is_one_value(const struct hg_statset *set)
{
    return !set->is_opaque && !set->bucket_count;
}

void hg_statset_merge(struct hg_statset *set, const struct hg_statset *other)
{
    if (other->count <= 0)
        return;
    if (set->is_opaque || other->is_opaque) {
        turn_opaque(set);
    } else if (is_one_value(other)) {
        if (set->bucket_count || (set->count > 0 && set->min != other->min)) {
            spread(set);
            add_bucket(set, index_of(other->min), other->count);
        }
    } else {
        spread(set);
        for (size_t i = 0; i < other->bucket_count; i++)
            add_bucket(set, other->buckets[i].index, other->buckets[i].count);
    }
    widen(set, other->count, other->sum, other->min, other->max);
}

void hg_statset_copy(struct hg_statset *to, const struct hg_statset *from)
{
    hg_statset_clear(to);
    hg_statset_merge(to, from);
}

bool hg_statset_append_bucket(struct hg_statset *set, int32_t index, uint32_t count)
{
    if (set->bucket_count == HG_STATSET_BUCKETS_MAX ||
        (set->bucket_count && set->buckets[set->bucket_count - 1].index >= index))
        return false;
    make_room(set);
    set->buckets[set->bucket_count++] = (struct hg_stat_bucket){index, count};
    return true;
}

bool hg_statset_percentile(const struct hg_statset *set, double percent, double *value)
{
    double total = 0, rank, seen = 0;

    if (set->count <= 0)
        return false;
    if (!set->bucket_count) {
        *value = set->min;
        return set->min == set->max;
    }
    for (size_t i = 0; i < set->bucket_count; i++)
        total += set->buckets[i].count;
    /* The nearest rank: p100 is the greatest, p50 of two the lower one. */
    rank = HG_MAX(ceil(percent / 100 * total), 1.0);
    *value = set->max;
    for (size_t i = 0; i < set->bucket_count; i++) {
        seen += set->buckets[i].count;
        if (seen >= rank) {
            *value = value_of(set->buckets[i].index);
            break;
        }
    }
    *value = fmin(fmax(*value, set->min), set->max);
    return true;
}
