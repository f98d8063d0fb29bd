/*
 * Small readers of evaluated values: each takes what is right, names what is
 * wrong, and goes on with a fallback so that all mistakes are told at once.
 */
#include "config/template/notices.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *transform_grow(struct hg_arena *arena, void *items, size_t count, size_t item_size)
{
    void *grown;

    if (count != 0 && (count & (count - 1)) != 0)
        return items;
    grown = hg_arena_must(arena, (count ? count * 2 : 1) * item_size);
    if (count)
        memcpy(grown, items, count * item_size);
    return grown;
}

struct hg_str transform_keep(struct hg_transform *t, struct hg_str text)
{
    return hg_arena_str(t->arena, text);
}

static struct hg_str vformat(struct hg_arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static struct hg_str vformat(struct hg_arena *arena, const char *format, va_list args)
{
    struct hg_str kept;
    char *text;

    hg_assert(vasprintf(&text, format, args) >= 0);
    kept = hg_arena_str(arena, hg_str_of(text));
    free(text);
    return kept;
}

struct hg_str transform_keepf(struct hg_transform *t, const char *format, ...)
{
    struct hg_str kept;
    va_list args;

    va_start(args, format);
    kept = vformat(t->arena, format, args);
    va_end(args);
    return kept;
}

struct hg_str transform_textf(struct hg_transform *t, const char *format, ...)
{
    struct hg_str text;
    va_list args;

    va_start(args, format);
    text = vformat(t->scratch, format, args);
    va_end(args);
    return text;
}

static bool is_absent(const struct hg_node *node)
{
    return !node || node->kind == HG_NODE_NULL;
}

struct hg_str read_text(struct hg_transform *t, const struct hg_node *node, const char *what,
                        struct hg_str fallback)
{
    if (is_absent(node))
        return transform_keep(t, fallback);
    if (node_is_scalar(node))
        return transform_keep(t, node->text);
    problem_at(t, node, "%s must be a text", what);
    return transform_keep(t, fallback);
}

int64_t read_int(struct hg_transform *t, const struct hg_node *node, const char *what, int64_t min,
                 int64_t max, int64_t fallback)
{
    struct hg_str text = node_text(node);
    int64_t value;

    if (is_absent(node))
        return fallback;
    if (node_int(node, min, max, &value))
        return value;
    problem_at(t, node, "%s must be a whole number from %" PRId64 " to %" PRId64 "%s%.*s", what,
               min, max, text.p ? ", not " : "", HG_STR_ARG(text));
    return fallback;
}

bool read_bool(struct hg_transform *t, const struct hg_node *node, const char *what, bool fallback)
{
    bool ok = false, value;

    if (is_absent(node))
        return fallback;
    value = node_bool(node, &ok);
    if (ok)
        return value;
    problem_at(t, node, "%s must be true or false", what);
    return fallback;
}

struct hg_kv_list read_pairs(struct hg_transform *t, const struct hg_node *node, const char *what)
{
    struct hg_kv_list list = {0};

    if (is_absent(node))
        return list;
    if (!node_is_map(node)) {
        problem_at(t, node, "%s must be a map", what);
        return list;
    }
    for (size_t i = 0; i < node->count; i++) {
        const struct hg_node_member *member = &node->members[i];
        struct hg_str value = node_text(member->value);

        if (!node_is_scalar(member->value) && member->value->kind != HG_NODE_NULL) {
            problem_at(t, member->value, "%s: the value of %.*s must be a text", what,
                       HG_STR_ARG(member->key));
            continue;
        }
        list.items = transform_grow(t->arena, list.items, list.count, sizeof(*list.items));
        list.items[list.count++] = (struct hg_kv){transform_keep(t, member->key),
                                                  transform_keep(t, value.p ? value : HG_STR(""))};
    }
    return list;
}

struct hg_str *read_strings(struct hg_transform *t, const struct hg_node *node, const char *what,
                            size_t *count)
{
    struct hg_str *list = NULL;

    *count = 0;
    if (is_absent(node))
        return NULL;
    if (node_is_scalar(node)) {
        list = hg_arena_must(t->arena, sizeof(*list));
        list[(*count)++] = transform_keep(t, node->text);
        return list;
    }
    if (!node_is_list(node)) {
        problem_at(t, node, "%s must be a list of texts", what);
        return NULL;
    }
    for (size_t i = 0; i < node->count; i++) {
        if (!node_is_scalar(node->items[i])) {
            problem_at(t, node->items[i], "%s must be a list of texts", what);
            continue;
        }
        list = transform_grow(t->arena, list, *count, sizeof(*list));
        list[(*count)++] = transform_keep(t, node->items[i]->text);
    }
    return list;
}
