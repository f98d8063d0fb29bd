/*
 * Hash map from byte strings to pointers. Keys are borrowed: they must live as
 * long as their entry. One owner; readers may share it once nothing changes it.
 */
#ifndef HG_CORE_MAP_H
#define HG_CORE_MAP_H

#include "core/str.h"

struct hg_map_entry {
    struct hg_str key; /* p is NULL in a free slot */
    void *value;
};

struct hg_map {
    struct hg_map_entry *slots;
    size_t slot_count; /* 0 or a power of two */
    size_t count;
};

void hg_map_init(struct hg_map *map);
void hg_map_fini(struct hg_map *map);

/* The value, or NULL. */
void *hg_map_get(const struct hg_map *map, struct hg_str key);
/* Sets and returns the former value, or NULL. value must not be NULL. */
void *hg_map_set(struct hg_map *map, struct hg_str key, void *value);
/* Removes and returns the value, or NULL. */
void *hg_map_remove(struct hg_map *map, struct hg_str key);

/* Walks all entries in no order: for (size_t at = 0; (e = hg_map_next(map, &at));). The map must not change meanwhile. */
const struct hg_map_entry *hg_map_next(const struct hg_map *map, size_t *at);

#endif
