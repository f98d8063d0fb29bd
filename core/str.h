/*
 * A borrowed run of bytes: not terminated, not owned. Cheap to pass by value.
 */
#ifndef HG_CORE_STR_H
#define HG_CORE_STR_H

#include "core/base.h"

#include <string.h>

struct hg_str {
    const char *p;
    size_t n;
};

#define HG_STR(literal) ((struct hg_str){(literal), sizeof(literal) - 1})
#define HG_STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

static inline struct hg_str hg_str_of(const char *text)
{
    return (struct hg_str){text, text ? strlen(text) : 0};
}

static inline struct hg_str hg_str_n(const char *p, size_t n)
{
    return (struct hg_str){p, n};
}

static inline bool hg_str_eq(struct hg_str a, struct hg_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool hg_str_is(struct hg_str a, const char *text)
{
    return hg_str_eq(a, hg_str_of(text));
}

static inline struct hg_str hg_str_skip(struct hg_str s, size_t n)
{
    return (struct hg_str){s.p + n, s.n - n};
}

/* ASCII case only. */
bool hg_str_eq_nocase(struct hg_str a, struct hg_str b);
bool hg_str_is_nocase(struct hg_str a, const char *text);
bool hg_str_starts(struct hg_str s, struct hg_str prefix);
bool hg_str_ends(struct hg_str s, struct hg_str suffix);
/* memcmp order; shorter first when one is a prefix of the other. */
int hg_str_cmp(struct hg_str a, struct hg_str b);

/* Index of the byte or of the text; -1 when absent. */
ptrdiff_t hg_str_find(struct hg_str s, char c);
ptrdiff_t hg_str_find_str(struct hg_str s, struct hg_str what);

/* Without the blanks and tabs (and, for trim_ws, CR and LF) at both ends. */
struct hg_str hg_str_trim(struct hg_str s);
struct hg_str hg_str_trim_ws(struct hg_str s);

/*
 * Takes the part of *rest before the next separator and moves *rest behind it.
 * Returns false when nothing is left. "a,,b" yields "a", "", "b"; "" yields nothing.
 */
bool hg_str_next(struct hg_str *rest, char separator, struct hg_str *part);

/* Whole-string decimal; false on empty, sign, junk or a value above max. */
bool hg_str_u64(struct hg_str s, uint64_t max, uint64_t *value);
/* Same with an optional minus. */
bool hg_str_i64(struct hg_str s, int64_t min, int64_t max, int64_t *value);

/* One of the two: hash for struct hg_map and others; not for hostile keys alone (seeded per process). */
uint64_t hg_str_hash(struct hg_str s);

#endif
