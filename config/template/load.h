/*
 * What the YAML and the JSON reader share: limits, places, map building. Used
 * by the loader's own files only.
 */
#ifndef HG_CONFIG_TEMPLATE_LOAD_H
#define HG_CONFIG_TEMPLATE_LOAD_H

#include "config/template/node.h"
#include "core/json_scan.h"
#include "core/map.h"

enum {
    HG_TEMPLATE_BYTES_MAX = 6 * 1024 * 1024, /* the largest API definition that can be imported */
    HG_TEMPLATE_DEPTH_MAX = 100,             /* nesting of maps and lists */
    HG_TEMPLATE_NODES_MAX = 300 * 1000,      /* values, those behind aliases counted at each use */
};

struct load {
    struct hg_arena *arena;
    struct hg_problems *problems;
    size_t nodes;
};

/* A node, counted; NULL (and a problem, once) when the document has too many. */
struct hg_node *load_node(struct load *load, enum hg_node_kind kind, unsigned line,
                          unsigned column);
/* Counts more values that stand behind an alias. */
bool load_count(struct load *load, size_t more, unsigned line, unsigned column);
/* False and a problem when depth is beyond the limit. */
bool load_check_depth(struct load *load, unsigned depth, unsigned line, unsigned column);

/* A map while it is read: remembers its keys, so that large ones stay cheap. */
struct load_keys {
    struct hg_node *map;
    struct hg_map index; /* key → its number + 1; empty while the map is small */
};

void load_keys_init(struct load_keys *keys, struct hg_node *map);
void load_keys_fini(struct load_keys *keys);
/* The member of that key, or NULL. */
struct hg_node_member *load_keys_find(struct load_keys *keys, struct hg_str key);
/* Appends; a key that is there already is a problem. */
void load_keys_add(struct load *load, struct load_keys *keys, const struct hg_node_member *member);

/* Sets scalar kind and text of an unquoted YAML scalar (or makes the node null). */
void scalar_resolve(struct hg_node *node);

/* NULL when problems were added. */
struct hg_node *load_yaml(struct load *load, struct hg_str bytes);
struct hg_node *load_json(struct load *load, struct hg_str bytes, struct hg_json_value document);

#endif
