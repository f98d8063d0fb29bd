/*
 * Destinations that are open: made on first use, shared by the lanes of all
 * functions, closed when nobody used them for a while.
 */
#include "core/clock.h"
#include "router/parts.h"

#include <stdlib.h>

enum { DESTS_MAX = 256 };

static void close_place(struct hg_dest_place *place)
{
    dest_free(place->dest);
    free(place);
}

void dests_sweep(struct hg_router *router, int64_t older_than_us)
{
    struct hg_map kept;
    const struct hg_map_entry *entry;

    hg_map_init(&kept);
    for (size_t at = 0; (entry = hg_map_next(&router->dests, &at));) {
        struct hg_dest_place *place = entry->value;

        if (place->used || place->used_us > older_than_us)
            (void)hg_map_set(&kept, place->key, place);
        else
            close_place(place);
    }
    hg_map_fini(&router->dests);
    router->dests = kept;
}

struct hg_dest_place *dests_take(struct hg_router *router, const char *target, enum hg_rc *rc,
                                 struct hg_error *err)
{
    struct hg_dest_place *place = hg_map_get(&router->dests, hg_str_of(target));
    struct hg_dest *dest;

    if (!place) {
        if (router->dests.count >= DESTS_MAX)
            dests_sweep(router, INT64_MAX);
        if (router->dests.count >= DESTS_MAX) {
            *rc = hg_error_set(err, HG_E_BUSY, "%d destinations are in use already", DESTS_MAX);
            return NULL;
        }
        dest = dest_new(&router->context, target, err);
        if (!dest) {
            *rc = HG_E_INVALID;
            return NULL;
        }
        place = hg_calloc(1, sizeof(*place));
        place->dest = dest;
        place->key = hg_str_of(dest->target);
        (void)hg_map_set(&router->dests, place->key, place);
    }
    place->used++;
    return place;
}

void dests_give(struct hg_dest_place *place)
{
    place->used--;
    place->used_us = hg_mono_us();
}
