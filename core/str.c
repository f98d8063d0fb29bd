/*
 * Operations on borrowed byte runs.
 */
#include "core/str.h"

#include <strings.h>
#include <sys/random.h>

bool hg_str_eq_nocase(struct hg_str a, struct hg_str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

bool hg_str_is_nocase(struct hg_str a, const char *text)
{
    return hg_str_eq_nocase(a, hg_str_of(text));
}

bool hg_str_starts(struct hg_str s, struct hg_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool hg_str_ends(struct hg_str s, struct hg_str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

int hg_str_cmp(struct hg_str a, struct hg_str b)
{
    size_t common = HG_MIN(a.n, b.n);
    int order = common ? memcmp(a.p, b.p, common) : 0;

    if (order)
        return order;
    return a.n < b.n ? -1 : a.n > b.n;
}

ptrdiff_t hg_str_find(struct hg_str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

ptrdiff_t hg_str_find_str(struct hg_str s, struct hg_str what)
{
    const char *at;

    if (what.n == 0)
        return 0;
    at = s.n ? memmem(s.p, s.n, what.p, what.n) : NULL;
    return at ? at - s.p : -1;
}

static struct hg_str trim_set(struct hg_str s, const char *set)
{
    while (s.n && strchr(set, s.p[0]) && s.p[0])
        s = hg_str_skip(s, 1);
    while (s.n && strchr(set, s.p[s.n - 1]) && s.p[s.n - 1])
        s.n--;
    return s;
}

struct hg_str hg_str_trim(struct hg_str s)
{
    return trim_set(s, " \t");
}

struct hg_str hg_str_trim_ws(struct hg_str s)
{
    return trim_set(s, " \t\r\n");
}

bool hg_str_next(struct hg_str *rest, char separator, struct hg_str *part)
{
    ptrdiff_t at;

    if (!rest->p)
        return false;
    if (rest->n == 0) {
        rest->p = NULL;
        return false;
    }
    at = hg_str_find(*rest, separator);
    if (at < 0) {
        *part = *rest;
        *rest = (struct hg_str){NULL, 0};
        return true;
    }
    *part = hg_str_n(rest->p, (size_t)at);
    *rest = hg_str_skip(*rest, (size_t)at + 1);
    return true;
}

bool hg_str_u64(struct hg_str s, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';

        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (sum > max)
        return false;
    *value = sum;
    return true;
}

bool hg_str_i64(struct hg_str s, int64_t min, int64_t max, int64_t *value)
{
    bool is_negative = s.n && s.p[0] == '-';
    uint64_t size;
    int64_t result;

    if (!hg_str_u64(is_negative ? hg_str_skip(s, 1) : s, INT64_MAX, &size))
        return false;
    result = is_negative ? -(int64_t)size : (int64_t)size;
    if (result < min || result > max)
        return false;
    *value = result;
    return true;
}

static uint64_t hash_seed(void)
{
    static uint64_t seed;
    uint64_t current = __atomic_load_n(&seed, __ATOMIC_RELAXED);

    if (hg_unlikely(current == 0)) {
        uint64_t fresh;

        if (getrandom(&fresh, sizeof(fresh), 0) != (ssize_t)sizeof(fresh))
            fresh = (uint64_t)(uintptr_t)&seed;
        fresh |= 1;
        /* Whoever comes first decides; every thread must use the same seed. */
        if (!__atomic_compare_exchange_n(&seed, &current, fresh, false, __ATOMIC_RELAXED,
                                         __ATOMIC_RELAXED))
            return current;
        return fresh;
    }
    return current;
}

uint64_t hg_str_hash(struct hg_str s)
{
    uint64_t hash = hash_seed() ^ (s.n * 0x9e3779b97f4a7c15ULL);
    const char *p = s.p;
    size_t n = s.n;

    while (n >= 8) {
        uint64_t word;

        memcpy(&word, p, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
        hash ^= hash >> 32;
        p += 8;
        n -= 8;
    }
    if (n) {
        uint64_t word = 0;

        memcpy(&word, p, n);
        hash = (hash ^ word) * 0xc4ceb9fe1a85ec53ULL;
        hash ^= hash >> 32;
    }
    hash *= 0xff51afd7ed558ccdULL;
    return hash ^ (hash >> 29);
}
