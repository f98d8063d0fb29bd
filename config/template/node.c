/*
 * The template tree: reading it, building it, and its JSON text.
 */
#include "config/template/node.h"

#include "core/json_write.h"

#include <stdio.h>
#include <stdlib.h>

struct hg_node *node_get_str(const struct hg_node *node, struct hg_str key)
{
    if (!node_is_map(node))
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (hg_str_eq(node->members[i].key, key))
            return node->members[i].value;
    return NULL;
}

struct hg_node *node_get(const struct hg_node *node, const char *key)
{
    return node_get_str(node, hg_str_of(key));
}

struct hg_node *node_path(const struct hg_node *node, const char *dotted)
{
    struct hg_str rest = hg_str_of(dotted), part;
    struct hg_node *found = NULL;

    while (hg_str_next(&rest, '.', &part)) {
        found = node_get_str(node, part);
        if (!found)
            return NULL;
        node = found;
    }
    return found;
}

struct hg_str node_text(const struct hg_node *node)
{
    return node_is_scalar(node) ? node->text : hg_str_n(NULL, 0);
}

bool node_bool(const struct hg_node *node, bool *ok)
{
    struct hg_str text = node_text(node);
    bool is_true = text.p && hg_str_is_nocase(text, "true");

    *ok = is_true || (text.p && hg_str_is_nocase(text, "false"));
    return is_true;
}

bool node_int(const struct hg_node *node, int64_t min, int64_t max, int64_t *value)
{
    struct hg_str text = node_text(node);

    return text.p && hg_str_i64(text, min, max, value);
}

static struct hg_node *new_node(struct hg_arena *arena, enum hg_node_kind kind,
                                const struct hg_node *at)
{
    struct hg_node *node = hg_arena_must(arena, sizeof(*node));

    node->kind = kind;
    if (at) {
        node->line = at->line;
        node->column = at->column;
    }
    return node;
}

struct hg_node *node_new_text(struct hg_arena *arena, struct hg_str text, const struct hg_node *at)
{
    struct hg_node *node = new_node(arena, HG_NODE_SCALAR, at);

    node->text = hg_arena_str(arena, text);
    return node;
}

struct hg_node *node_new_map(struct hg_arena *arena, const struct hg_node *at)
{
    return new_node(arena, HG_NODE_MAP, at);
}

struct hg_node *node_new_list(struct hg_arena *arena, const struct hg_node *at)
{
    return new_node(arena, HG_NODE_LIST, at);
}

/* Arrays have room for the next power of two above count, so growing needs no field of its own. */
static void *grown(struct hg_arena *arena, void *array, size_t count, size_t item_size)
{
    void *larger;

    if (count & (count - 1))
        return array;
    larger = hg_arena_must(arena, (count ? count * 2 : 1) * item_size);
    if (count)
        memcpy(larger, array, count * item_size);
    return larger;
}

void node_set(struct hg_arena *arena, struct hg_node *map, struct hg_str key, struct hg_node *value)
{
    for (size_t i = 0; i < map->count; i++)
        if (hg_str_eq(map->members[i].key, key)) {
            map->members[i].value = value;
            return;
        }
    node_append(arena, map,
                &(struct hg_node_member){
                    .key = hg_arena_str(arena, key),
                    .value = value,
                    .line = value ? value->line : map->line,
                    .column = value ? value->column : map->column,
                });
}

void node_append(struct hg_arena *arena, struct hg_node *map, const struct hg_node_member *member)
{
    map->members = grown(arena, map->members, map->count, sizeof(*map->members));
    map->members[map->count++] = *member;
}

void node_push(struct hg_arena *arena, struct hg_node *list, struct hg_node *item)
{
    list->items = grown(arena, list->items, list->count, sizeof(struct hg_node *));
    list->items[list->count++] = item;
}

/* What grown() allocates for count things, so that a copy can grow as well. */
static size_t room_for(size_t count)
{
    size_t room = 1;

    while (room < count)
        room *= 2;
    return room;
}

struct hg_node *node_copy(struct hg_arena *arena, const struct hg_node *node)
{
    struct hg_node *copy;

    if (!node)
        return NULL;
    copy = hg_arena_must(arena, sizeof(*copy));
    *copy = *node;
    if (node->kind == HG_NODE_SCALAR)
        copy->text = hg_arena_str(arena, node->text);
    if (node->kind == HG_NODE_MAP && node->count) {
        copy->members = hg_arena_must(arena, room_for(node->count) * sizeof(*copy->members));
        for (size_t i = 0; i < node->count; i++) {
            copy->members[i] = node->members[i];
            copy->members[i].key = hg_arena_str(arena, node->members[i].key);
            copy->members[i].value = node_copy(arena, node->members[i].value);
        }
    }
    if (node->kind == HG_NODE_LIST && node->count) {
        copy->items = hg_arena_must(arena, room_for(node->count) * sizeof(struct hg_node *));
        for (size_t i = 0; i < node->count; i++)
            copy->items[i] = node_copy(arena, node->items[i]);
    }
    return copy;
}

static size_t skip_digits(struct hg_str text, size_t i)
{
    while (i < text.n && text.p[i] >= '0' && text.p[i] <= '9')
        i++;
    return i;
}

/* RFC 8259 §6; YAML writes some numbers that JSON does not know: "+1", ".5", "1." */
static bool is_json_number(struct hg_str text)
{
    size_t i = 0, digits;

    if (i < text.n && text.p[i] == '-')
        i++;
    digits = i;
    i = skip_digits(text, digits);
    if (i == digits || (text.p[digits] == '0' && i - digits > 1))
        return false;
    if (i < text.n && text.p[i] == '.') {
        digits = i + 1;
        i = skip_digits(text, digits);
        if (i == digits)
            return false;
    }
    if (i < text.n && (text.p[i] == 'e' || text.p[i] == 'E')) {
        i++;
        if (i < text.n && (text.p[i] == '+' || text.p[i] == '-'))
            i++;
        digits = i;
        i = skip_digits(text, digits);
        if (i == digits)
            return false;
    }
    return i == text.n;
}

static void write_number(struct hg_json *json, struct hg_str text)
{
    enum { NUMBER_MAX = 64 }; /* longer ones were not written as numbers by anybody */
    char copy[NUMBER_MAX], shortest[NUMBER_MAX];

    if (is_json_number(text)) {
        hg_json_raw(json, text);
        return;
    }
    if (text.n >= sizeof(copy)) {
        hg_json_str(json, text);
        return;
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    (void)snprintf(shortest, sizeof(shortest), "%.15g", strtod(copy, NULL));
    hg_json_raw(json, hg_str_of(shortest));
}

static void write_node(struct hg_json *json, const struct hg_node *node)
{
    switch (node ? node->kind : HG_NODE_NULL) {
    case HG_NODE_NULL:
        hg_json_null(json);
        break;
    case HG_NODE_SCALAR:
        if (node->scalar == HG_SCALAR_BOOL)
            hg_json_bool(json, hg_str_is(node->text, "true"));
        else if (node->scalar == HG_SCALAR_STRING)
            hg_json_str(json, node->text);
        else
            write_number(json, node->text);
        break;
    case HG_NODE_MAP:
        hg_json_begin_object(json);
        for (size_t i = 0; i < node->count; i++) {
            hg_json_key(json, node->members[i].key);
            write_node(json, node->members[i].value);
        }
        hg_json_end_object(json);
        break;
    case HG_NODE_LIST:
        hg_json_begin_array(json);
        for (size_t i = 0; i < node->count; i++)
            write_node(json, node->items[i]);
        hg_json_end_array(json);
        break;
    }
}

void node_to_json(const struct hg_node *node, struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);

    write_node(&json, node);
}
