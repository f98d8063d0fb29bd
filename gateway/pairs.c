/*
 * Grouping is quadratic for a few pairs, which is fastest, and sorts when
 * there are many, because a client decides how many.
 */
#include "gateway/pairs.h"

#include "core/uri.h"

#include <stdlib.h>
#include <strings.h>

enum { FEW = 24 };

bool pairs_init(struct hg_pairs *pairs, struct hg_arena *arena, size_t room)
{
    *pairs = (struct hg_pairs){.room = room};
    if (room)
        pairs->items = hg_arena_alloc(arena, room * sizeof(*pairs->items));
    return !room || pairs->items;
}

void pairs_add(struct hg_pairs *pairs, struct hg_str name, struct hg_str value)
{
    hg_assert(pairs->count < pairs->room);
    pairs->items[pairs->count] = (struct hg_pair){
        .name = name, .value = value, .next = HG_PAIR_NONE, .last = pairs->count, .is_first = true};
    pairs->count++;
}

/* Makes pair i the next one after the group that begins at first. */
static void join(struct hg_pairs *pairs, size_t first, size_t i)
{
    pairs->items[pairs->items[first].last].next = i;
    pairs->items[first].last = i;
    pairs->items[i].is_first = false;
}

static void group_few(struct hg_pairs *pairs, bool is_nocase)
{
    for (size_t i = 1; i < pairs->count; i++) {
        struct hg_str name = pairs->items[i].name;

        for (size_t first = 0; first < i; first++) {
            if (!pairs->items[first].is_first || pairs->items[first].name.n != name.n)
                continue;
            if (is_nocase ? hg_str_eq_nocase(pairs->items[first].name, name)
                          : hg_str_eq(pairs->items[first].name, name)) {
                join(pairs, first, i);
                break;
            }
        }
    }
}

struct order {
    const struct hg_pairs *pairs;
    bool is_nocase;
};

static int compare_names(const struct order *order, size_t a, size_t b)
{
    struct hg_str x = order->pairs->items[a].name, y = order->pairs->items[b].name;

    if (x.n != y.n)
        return x.n < y.n ? -1 : 1;
    if (!x.n)
        return 0;
    return order->is_nocase ? strncasecmp(x.p, y.p, x.n) : memcmp(x.p, y.p, x.n);
}

static int compare_places(const void *a, const void *b, void *arg)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int by_name = compare_names(arg, i, j);

    if (by_name)
        return by_name;
    return i < j ? -1 : i > j;
}

bool pairs_group(struct hg_pairs *pairs, struct hg_arena *arena, bool is_nocase)
{
    struct order order = {pairs, is_nocase};
    size_t *places, first = 0;

    if (pairs->count <= FEW) {
        group_few(pairs, is_nocase);
        return true;
    }
    places = hg_arena_alloc(arena, pairs->count * sizeof(*places));
    if (!places)
        return false;
    for (size_t i = 0; i < pairs->count; i++)
        places[i] = i;
    qsort_r(places, pairs->count, sizeof(*places), compare_places, &order);
    for (size_t i = 1; i < pairs->count; i++) {
        if (compare_names(&order, places[first], places[i]) == 0)
            join(pairs, places[first], places[i]);
        else
            first = i;
    }
    return true;
}

struct hg_str pairs_decode(struct hg_arena *arena, struct hg_str text, bool is_form)
{
    struct hg_buf buf;
    char *copy;

    if (hg_str_find(text, '%') < 0 && (!is_form || hg_str_find(text, '+') < 0))
        return text.p ? text : hg_str_n("", 0);
    copy = hg_arena_alloc(arena, text.n);
    if (!copy)
        return hg_str_n(NULL, 0);
    /* Decoding never makes text longer, so the buffer's maximum cannot be hit. */
    hg_buf_init(&buf, text.n);
    if (is_form)
        hg_uri_decode_form(&buf, text);
    else
        hg_uri_decode(&buf, text);
    if (buf.len)
        memcpy(copy, buf.base + buf.off, buf.len);
    text = hg_str_n(copy, buf.len);
    hg_buf_fini(&buf);
    return text;
}

static size_t count_parts(struct hg_str query, bool splits_at_semicolon)
{
    size_t count = query.n > 0;

    for (size_t i = 0; i < query.n; i++)
        count += query.p[i] == '&' || (splits_at_semicolon && query.p[i] == ';');
    return count;
}

static struct hg_str take_part(struct hg_str *rest, bool splits_at_semicolon)
{
    size_t end = 0;
    struct hg_str part;

    while (end < rest->n && rest->p[end] != '&' && !(splits_at_semicolon && rest->p[end] == ';'))
        end++;
    part = hg_str_n(rest->p, end);
    *rest = end < rest->n ? hg_str_skip(*rest, end + 1) : hg_str_n(NULL, 0);
    return part;
}

bool pairs_of_query(struct hg_pairs *pairs, struct hg_arena *arena, struct hg_str query,
                    enum hg_api_kind kind)
{
    bool splits_at_semicolon = kind == HG_API_REST;

    if (!pairs_init(pairs, arena, count_parts(query, splits_at_semicolon)))
        return false;
    while (query.n) {
        struct hg_str part = take_part(&query, splits_at_semicolon), name = part, value = {"", 0};
        ptrdiff_t equals = hg_str_find(part, '=');

        if (part.n == 0)
            continue;
        if (equals >= 0) {
            name = hg_str_n(part.p, (size_t)equals);
            value = hg_str_skip(part, (size_t)equals + 1);
        }
        name = pairs_decode(arena, name, true);
        value = pairs_decode(arena, value, true);
        if (!name.p || !value.p)
            return false;
        pairs_add(pairs, name, value);
    }
    return pairs_group(pairs, arena, false);
}
