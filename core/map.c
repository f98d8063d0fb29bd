/*
 * Open addressing with linear probing; removal shifts the run back, so there
 * are no tombstones.
 */
#include "core/map.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 16 };

void hg_map_init(struct hg_map *map)
{
    *map = (struct hg_map){0};
}

void hg_map_fini(struct hg_map *map)
{
    free(map->slots);
    hg_map_init(map);
}

/* The slot of the key, or the free slot where it would go. */
static size_t find_slot(const struct hg_map *map, struct hg_str key)
{
    size_t mask = map->slot_count - 1, at = hg_str_hash(key) & mask;

    while (map->slots[at].key.p && !hg_str_eq(map->slots[at].key, key))
        at = (at + 1) & mask;
    return at;
}

static void grow(struct hg_map *map)
{
    struct hg_map old = *map;

    map->slot_count = old.slot_count ? old.slot_count * 2 : FIRST_SLOTS;
    map->slots = hg_calloc(map->slot_count, sizeof(*map->slots));
    for (size_t i = 0; i < old.slot_count; i++)
        if (old.slots[i].key.p)
            map->slots[find_slot(map, old.slots[i].key)] = old.slots[i];
    free(old.slots);
}

void *hg_map_get(const struct hg_map *map, struct hg_str key)
{
    return map->count ? map->slots[find_slot(map, key)].value : NULL;
}

void *hg_map_set(struct hg_map *map, struct hg_str key, void *value)
{
    struct hg_map_entry *slot;
    void *former;

    hg_assert(value != NULL && key.p != NULL);
    if ((map->count + 1) * 4 > map->slot_count * 3)
        grow(map);
    slot = &map->slots[find_slot(map, key)];
    former = slot->value;
    if (!slot->key.p)
        map->count++;
    slot->key = key;
    slot->value = value;
    return former;
}

void *hg_map_remove(struct hg_map *map, struct hg_str key)
{
    size_t mask = map->slot_count - 1, hole, at;
    void *value;

    if (!map->count)
        return NULL;
    hole = find_slot(map, key);
    value = map->slots[hole].value;
    if (!map->slots[hole].key.p)
        return NULL;
    for (at = (hole + 1) & mask; map->slots[at].key.p; at = (at + 1) & mask) {
        size_t home = hg_str_hash(map->slots[at].key) & mask;

        /* It may fill the hole unless its home lies cyclically behind the hole. */
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
    }
    map->slots[hole] = (struct hg_map_entry){.key = {NULL, 0}};
    map->count--;
    return value;
}

const struct hg_map_entry *hg_map_next(const struct hg_map *map, size_t *at)
{
    while (*at < map->slot_count) {
        const struct hg_map_entry *slot = &map->slots[(*at)++];

        if (slot->key.p)
            return slot;
    }
    return NULL;
}
