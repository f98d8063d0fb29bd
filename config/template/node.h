/*
 * A template document as a tree that remembers where each value stood. Made by
 * the loader, read by everything else in config/template/. Lives in one arena.
 */
#ifndef HG_CONFIG_TEMPLATE_NODE_H
#define HG_CONFIG_TEMPLATE_NODE_H

#include "config/template/template.h"
#include "core/arena.h"
#include "core/buf.h"

enum hg_node_kind { HG_NODE_NULL, HG_NODE_SCALAR, HG_NODE_MAP, HG_NODE_LIST };

/* What an unquoted scalar means in YAML 1.1; the text is kept as written in any case. */
enum hg_scalar_kind { HG_SCALAR_STRING, HG_SCALAR_INT, HG_SCALAR_FLOAT, HG_SCALAR_BOOL };

struct hg_node;

struct hg_node_member {
    struct hg_str key;
    struct hg_node *value;
    unsigned line, column; /* of the key */
};

/* Immutable once built, but for the maker of the tree. */
struct hg_node {
    enum hg_node_kind kind;
    enum hg_scalar_kind scalar;
    unsigned line, column;
    struct hg_str
        text; /* scalar; booleans of YAML 1.1 (yes/on/…) are normalised to "true"/"false" */
    struct hg_node_member *members; /* map, in document order; a key stands once */
    struct hg_node **items;         /* list */
    size_t count;                   /* members or items */
};

/*
 * Reads YAML or JSON from bytes. Short tags become their long form ({"Ref": …}, {"Fn::Sub": …}; `!GetAtt A.B` becomes
 * {"Fn::GetAtt": ["A", "B"]}); anchors, aliases and `<<` are resolved; nesting, size and alias expansion are bounded. NULL when
 * problems were added.
 */
struct hg_node *node_parse(struct hg_arena *arena, struct hg_str bytes,
                           struct hg_problems *problems);
/* Same from a file; a missing file is a problem too. */
struct hg_node *node_load(struct hg_arena *arena, const char *path, struct hg_problems *problems);

/* Member of a map; NULL when node is NULL, not a map, or has none. */
struct hg_node *node_get(const struct hg_node *node, const char *key);
struct hg_node *node_get_str(const struct hg_node *node, struct hg_str key);
/* Walks "A.B.C". */
struct hg_node *node_path(const struct hg_node *node, const char *dotted);

static inline bool node_is_map(const struct hg_node *node)
{
    return node && node->kind == HG_NODE_MAP;
}

static inline bool node_is_list(const struct hg_node *node)
{
    return node && node->kind == HG_NODE_LIST;
}

static inline bool node_is_scalar(const struct hg_node *node)
{
    return node && node->kind == HG_NODE_SCALAR;
}

/* Text of a scalar; p is NULL otherwise. */
struct hg_str node_text(const struct hg_node *node);
/* "true"/"false" or the strings of that; false and *ok = false otherwise. */
bool node_bool(const struct hg_node *node, bool *ok);
/* Whole number in min…max (a string of digits counts too). */
bool node_int(const struct hg_node *node, int64_t min, int64_t max, int64_t *value);

/* Building: all in the arena, with the place of `at` (may be NULL). */
struct hg_node *node_new_text(struct hg_arena *arena, struct hg_str text, const struct hg_node *at);
struct hg_node *node_new_map(struct hg_arena *arena, const struct hg_node *at);
struct hg_node *node_new_list(struct hg_arena *arena, const struct hg_node *at);
void node_set(struct hg_arena *arena, struct hg_node *map, struct hg_str key,
              struct hg_node *value); /* replaces */
/* Appends a member whose key is known to be new; key and value are borrowed. */
void node_append(struct hg_arena *arena, struct hg_node *map, const struct hg_node_member *member);
void node_push(struct hg_arena *arena, struct hg_node *list, struct hg_node *item);
struct hg_node *node_copy(struct hg_arena *arena, const struct hg_node *node); /* deep */

/* JSON text of the tree (policies, filter patterns, mapping templates given as maps). */
void node_to_json(const struct hg_node *node, struct hg_buf *out);

#endif
