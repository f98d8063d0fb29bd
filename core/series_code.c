/*
 * Numbers are little-endian base 128; a point takes five bytes when it only counts something.
 */
#include "core/series_code.h"

#include "core/gzip.h"

#include <math.h>

enum {
    IS_CONSTANT = 1, /* all numbers are the same: only min is there */
    IS_OPAQUE = 2,
    HAS_BUCKETS = 4,
    HAS_WHOLE_COUNT = 8, /* as a number, not as a double */
    HAS_WHOLE_VALUE = 16,
    FLAGS = 31,
    RECORD_HEAD = 8,
    RECORD_MAX = 1 << 26,
};
#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

void series_put_number(struct hg_buf *out, uint64_t number)
{
    while (number >= 128) {
        hg_buf_append_byte(out, (char)(number | 128));
        number >>= 7;
    }
    hg_buf_append_byte(out, (char)number);
}

bool series_get_number(struct hg_str *rest, uint64_t *number)
{
    *number = 0;
    for (unsigned shift = 0; shift < 64 && rest->n; shift += 7) {
        unsigned char byte = (unsigned char)rest->p[0];

        *rest = hg_str_skip(*rest, 1);
        *number |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

void series_put_signed(struct hg_buf *out, int64_t number)
{
    series_put_number(out, (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0));
}

bool series_get_signed(struct hg_str *rest, int64_t *number)
{
    uint64_t raw;

    if (!series_get_number(rest, &raw))
        return false;
    *number = (int64_t)(raw >> 1 ^ (0 - (raw & 1)));
    return true;
}

void series_put_text(struct hg_buf *out, struct hg_str text)
{
    series_put_number(out, text.n);
    hg_buf_append_str(out, text);
}

bool series_get_text(struct hg_str *rest, struct hg_str *text)
{
    uint64_t length;

    if (!series_get_number(rest, &length) || length > rest->n)
        return false;
    *text = hg_str_n(rest->p, (size_t)length);
    *rest = hg_str_skip(*rest, (size_t)length);
    return true;
}

static void put_bytes(struct hg_buf *out, uint64_t bits, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        hg_buf_append_byte(out, (char)(bits >> (8 * i)));
}

static uint64_t bytes_at(const char *p, unsigned bytes)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < bytes; i++)
        bits |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return bits;
}

static void put_double(struct hg_buf *out, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_bytes(out, bits, sizeof(bits));
}

/* Only finite ones are good. */
static bool get_double(struct hg_str *rest, double *value)
{
    uint64_t bits;

    if (rest->n < sizeof(bits))
        return false;
    bits = bytes_at(rest->p, sizeof(bits));
    memcpy(value, &bits, sizeof(*value));
    *rest = hg_str_skip(*rest, sizeof(bits));
    return isfinite(*value);
}

static bool is_whole(double value)
{
    return fabs(value) < WHOLE_MAX && value == floor(value);
}

static void put_value(struct hg_buf *out, double value, bool is_a_whole)
{
    if (is_a_whole)
        series_put_signed(out, (int64_t)value);
    else
        put_double(out, value);
}

static bool get_value(struct hg_str *rest, double *value, bool is_a_whole)
{
    int64_t number;

    if (!is_a_whole)
        return get_double(rest, value);
    if (!series_get_signed(rest, &number))
        return false;
    *value = (double)number;
    return fabs(*value) <= WHOLE_MAX;
}

void series_put_statset(struct hg_buf *out, const struct hg_statset *set)
{
    bool is_constant = set->min == set->max && set->sum == set->count * set->min;
    bool is_whole_value = is_constant && is_whole(set->min);
    int32_t before = 0;
    unsigned flags = (is_constant ? IS_CONSTANT : 0u) | (set->is_opaque ? IS_OPAQUE : 0u) |
                     (set->bucket_count ? HAS_BUCKETS : 0u) |
                     (is_whole(set->count) ? HAS_WHOLE_COUNT : 0u) |
                     (is_whole_value ? HAS_WHOLE_VALUE : 0u);

    hg_buf_append_byte(out, (char)flags);
    put_value(out, set->count, flags & HAS_WHOLE_COUNT);
    put_value(out, set->min, flags & HAS_WHOLE_VALUE);
    if (!is_constant) {
        put_double(out, set->max);
        put_double(out, set->sum);
    }
    if (!set->bucket_count)
        return;
    series_put_number(out, set->bucket_count);
    for (size_t i = 0; i < set->bucket_count; i++) {
        series_put_signed(out, (int64_t)set->buckets[i].index - before);
        series_put_number(out, set->buckets[i].count);
        before = set->buckets[i].index;
    }
}

static bool get_buckets(struct hg_str *rest, struct hg_statset *set)
{
    uint64_t many, count;
    int64_t step, index = 0;

    if (!series_get_number(rest, &many) || many == 0 || many > HG_STATSET_BUCKETS_MAX)
        return false;
    for (uint64_t i = 0; i < many; i++) {
        if (!series_get_signed(rest, &step) || !series_get_number(rest, &count) ||
            step > INT32_MAX || step < INT32_MIN || count == 0 || count > UINT32_MAX)
            return false;
        index += step;
        if (index > INT32_MAX || index < -INT32_MAX ||
            !hg_statset_append_bucket(set, (int32_t)index, (uint32_t)count))
            return false;
    }
    return true;
}

bool series_get_statset(struct hg_str *rest, struct hg_statset *set)
{
    unsigned flags;

    hg_statset_clear(set);
    if (!rest->n)
        return false;
    flags = (unsigned char)rest->p[0];
    *rest = hg_str_skip(*rest, 1);
    if (flags > FLAGS || !get_value(rest, &set->count, flags & HAS_WHOLE_COUNT) ||
        set->count <= 0 || !get_value(rest, &set->min, flags & HAS_WHOLE_VALUE))
        return false;
    set->is_opaque = flags & IS_OPAQUE;
    set->max = set->min;
    set->sum = set->count * set->min;
    if (!(flags & IS_CONSTANT) &&
        (!get_double(rest, &set->max) || !get_double(rest, &set->sum) || set->max < set->min))
        return false;
    return !(flags & HAS_BUCKETS) || get_buckets(rest, set);
}

size_t series_begin_record(struct hg_buf *out)
{
    size_t place = out->len;

    put_bytes(out, 0, RECORD_HEAD);
    return place;
}

void series_end_record(struct hg_buf *out, size_t place)
{
    char *head = out->base + out->off + place;
    struct hg_str payload;
    uint32_t words[2];

    if (out->is_overflown)
        return;
    payload = hg_str_n(head + RECORD_HEAD, out->len - place - RECORD_HEAD);
    words[0] = (uint32_t)payload.n;
    words[1] = hg_crc32(payload);
    for (unsigned i = 0; i < RECORD_HEAD; i++)
        head[i] = (char)(words[i / 4] >> (8 * (i % 4)));
}

bool series_get_record(struct hg_str *rest, struct hg_str *payload)
{
    uint64_t length;

    if (rest->n < RECORD_HEAD)
        return false;
    length = bytes_at(rest->p, 4);
    if (length > RECORD_MAX || length > rest->n - RECORD_HEAD)
        return false;
    *payload = hg_str_n(rest->p + RECORD_HEAD, (size_t)length);
    if (hg_crc32(*payload) != bytes_at(rest->p + 4, 4))
        return false;
    *rest = hg_str_skip(*rest, RECORD_HEAD + (size_t)length);
    return true;
}
