/*
 * Layers and event source mappings: small things with an arena each.
 */
#include "config/family.h"

#include "config/model_fields.h"

#include <stdlib.h>

enum { ARENA_MAX = 1 << 30 }; /* the API's own limits come first */

static struct hg_layer *layer_of(const struct hg_counted *counted)
{
    return hg_container_of(counted, struct hg_layer, counted);
}

static struct hg_str layer_key(const struct hg_counted *counted)
{
    return layer_of(counted)->name;
}

/* The struct itself lies in the arena. */
static void free_layer(struct hg_counted *counted)
{
    hg_arena_free(layer_of(counted)->arena);
}

const struct hg_pmap_type layer_type = {layer_key, free_layer};

struct hg_layer *layer_new(struct hg_str name, enum hg_origin origin)
{
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct hg_layer *layer = hg_arena_must(arena, sizeof(*layer));

    atomic_init(&layer->counted.refs, 1);
    layer->arena = arena;
    layer->name = hg_arena_str(arena, name);
    layer->origin = origin;
    return layer;
}

struct hg_layer *layer_copy(const struct hg_layer *from)
{
    struct hg_layer *layer = layer_new(from->name, from->origin);

    layer->last_version = from->last_version;
    layer->version_count = from->version_count;
    layer->versions =
        fields_copy_all(&layer_version_fields, from->versions, from->version_count, layer->arena);
    return layer;
}

void layer_unref(struct hg_layer *layer)
{
    if (layer && hg_counted_unref(&layer->counted))
        free_layer(&layer->counted);
}

/* Place of the first version that is not below number. */
static size_t place_of(const struct hg_layer *layer, uint64_t number)
{
    size_t place = layer->version_count;

    while (place && layer->versions[place - 1].number >= number)
        place--;
    return place;
}

struct hg_layer_version *layer_version(const struct hg_layer *layer, uint64_t number)
{
    size_t place = place_of(layer, number);

    return place < layer->version_count && layer->versions[place].number == number
               ? &layer->versions[place]
               : NULL;
}

void layer_put_version(struct hg_layer *layer, const struct hg_layer_version *version)
{
    struct hg_layer_version *there = layer_version(layer, version->number), *next;
    struct hg_layer_version *copy =
        fields_copy_all(&layer_version_fields, version, 1, layer->arena);

    if (there) {
        *there = *copy;
        return;
    }
    hg_assert(version->number > layer->last_version);
    next = hg_arena_must(layer->arena, (layer->version_count + 1) * sizeof(*next));
    if (layer->version_count)
        memcpy(next, layer->versions, layer->version_count * sizeof(*next));
    next[layer->version_count++] = *copy;
    layer->versions = next;
    layer->last_version = version->number;
}

bool layer_remove_version(struct hg_layer *layer, uint64_t number)
{
    size_t place = place_of(layer, number);

    if (!layer_version(layer, number))
        return false;
    layer->version_count--;
    memmove(&layer->versions[place], &layer->versions[place + 1],
            (layer->version_count - place) * sizeof(*layer->versions));
    return true;
}

static struct hg_mapping *mapping_of(const struct hg_counted *counted)
{
    return hg_container_of(counted, struct hg_mapping, counted);
}

static struct hg_str mapping_key(const struct hg_counted *counted)
{
    return mapping_of(counted)->uuid;
}

static void free_mapping(struct hg_counted *counted)
{
    hg_arena_free(mapping_of(counted)->arena);
}

const struct hg_pmap_type mapping_type = {mapping_key, free_mapping};

static struct hg_mapping *make_mapping(enum hg_origin origin)
{
    struct hg_arena *arena = hg_arena_new(ARENA_MAX);
    struct hg_mapping *mapping = hg_arena_must(arena, sizeof(*mapping));

    atomic_init(&mapping->counted.refs, 1);
    mapping->arena = arena;
    mapping->origin = origin;
    return mapping;
}

struct hg_mapping *mapping_new(struct hg_str uuid, enum hg_origin origin)
{
    struct hg_mapping *mapping = make_mapping(origin);

    mapping->uuid = hg_arena_str(mapping->arena, uuid);
    mapping->function_name = mapping->qualifier = mapping->source = mapping->state =
        mapping->reason = mapping->settings = HG_STR("");
    return mapping;
}

struct hg_mapping *mapping_copy(const struct hg_mapping *from)
{
    struct hg_mapping *mapping = make_mapping(from->origin);
    /* Without the count, which other threads may be changing, and the arena. */
    const size_t start = offsetof(struct hg_mapping, uuid), size = sizeof(*mapping) - start;
    struct hg_mapping shallow;

    memcpy((char *)&shallow + start, (const char *)from + start, size);
    memcpy((char *)mapping + start,
           (const char *)fields_copy_all(&mapping_fields, &shallow, 1, mapping->arena) + start,
           size);
    mapping->origin = from->origin;
    return mapping;
}

void mapping_unref(struct hg_mapping *mapping)
{
    if (mapping && hg_counted_unref(&mapping->counted))
        free_mapping(&mapping->counted);
}
