/*
 * Two levels: a table of pages by the low bits of the key's hash, and in each page its entries ordered by the whole hash. A change
 * makes a new page and, in a copy, a new table; everything else is shared. Tables belong to one map; pages are counted.
 */
#include "core/pmap.h"

#include <stdlib.h>
#include <string.h>

struct slot {
    uint64_t hash;
    struct hg_counted *entry;
};

struct hg_pmap_page {
    struct hg_counted counted;
    size_t count;
    struct slot slots[];
};

void hg_pmap_init(struct hg_pmap *map, const struct hg_pmap_type *type)
{
    *map = (struct hg_pmap){.type = type};
}

void hg_pmap_copy(struct hg_pmap *map, const struct hg_pmap *from)
{
    *map = *from;
    if (!from->pages)
        return;
    map->pages = hg_calloc(HG_PMAP_PAGES, sizeof(struct hg_pmap_page *));
    for (size_t i = 0; i < HG_PMAP_PAGES; i++) {
        map->pages[i] = from->pages[i];
        if (map->pages[i])
            hg_counted_ref(&map->pages[i]->counted);
    }
}

static void page_unref(const struct hg_pmap_type *type, struct hg_pmap_page *page)
{
    if (!page || !hg_counted_unref(&page->counted))
        return;
    for (size_t i = 0; i < page->count; i++)
        if (hg_counted_unref(page->slots[i].entry))
            type->free(page->slots[i].entry);
    free(page);
}

void hg_pmap_fini(struct hg_pmap *map)
{
    for (size_t i = 0; map->pages && i < HG_PMAP_PAGES; i++)
        page_unref(map->type, map->pages[i]);
    free(map->pages);
    hg_pmap_init(map, map->type);
}

static size_t page_of(uint64_t hash)
{
    return (size_t)(hash % HG_PMAP_PAGES);
}

/* Where the key is, or where it would go. */
static bool find(const struct hg_pmap *map, const struct hg_pmap_page *page, uint64_t hash,
                 struct hg_str key, size_t *at)
{
    size_t low = 0, high = page ? page->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (page->slots[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    for (size_t i = low; page && i < page->count && page->slots[i].hash == hash; i++) {
        if (hg_str_eq(map->type->key(page->slots[i].entry), key)) {
            *at = i;
            return true;
        }
    }
    return false;
}

struct hg_counted *hg_pmap_get(const struct hg_pmap *map, struct hg_str key)
{
    uint64_t hash;
    const struct hg_pmap_page *page;
    size_t at;

    if (map->count == 0)
        return NULL;
    hash = hg_str_hash(key);
    page = map->pages[page_of(hash)];
    return find(map, page, hash, key, &at) ? page->slots[at].entry : NULL;
}

/* A page with `skip` entries at `at` replaced by `room` free ones; references to all that are kept. */
static struct hg_pmap_page *page_remake(const struct hg_pmap_page *page, size_t at, size_t skip,
                                        size_t room)
{
    size_t count = (page ? page->count : 0) - skip + room, to = 0;
    struct hg_pmap_page *made = hg_calloc(1, sizeof(*made) + count * sizeof(struct slot));

    atomic_init(&made->counted.refs, 1);
    made->count = count;
    for (size_t i = 0; page && i < page->count; i++) {
        if (i == at)
            to += room;
        if (i >= at && i < at + skip)
            continue;
        made->slots[to++] = page->slots[i];
        hg_counted_ref(page->slots[i].entry);
    }
    return made;
}

void hg_pmap_put(struct hg_pmap *map, struct hg_counted *entry)
{
    struct hg_str key = map->type->key(entry);
    uint64_t hash = hg_str_hash(key);
    struct hg_pmap_page **page, *made;
    bool is_there;
    size_t at;

    if (!map->pages)
        map->pages = hg_calloc(HG_PMAP_PAGES, sizeof(struct hg_pmap_page *));
    page = &map->pages[page_of(hash)];
    is_there = find(map, *page, hash, key, &at);
    made = page_remake(*page, at, is_there ? 1 : 0, 1);
    made->slots[at] = (struct slot){hash, entry};
    page_unref(map->type, *page);
    *page = made;
    if (!is_there)
        map->count++;
}

bool hg_pmap_remove(struct hg_pmap *map, struct hg_str key)
{
    uint64_t hash = hg_str_hash(key);
    struct hg_pmap_page **page, *made = NULL;
    size_t at;

    if (!map->pages)
        return false;
    page = &map->pages[page_of(hash)];
    if (!find(map, *page, hash, key, &at))
        return false;
    if ((*page)->count > 1)
        made = page_remake(*page, at, 1, 0);
    page_unref(map->type, *page);
    *page = made;
    map->count--;
    return true;
}

struct hg_counted *hg_pmap_next(const struct hg_pmap *map, struct hg_pmap_at *at)
{
    for (; map->pages && at->page < HG_PMAP_PAGES; at->page++, at->slot = 0) {
        const struct hg_pmap_page *page = map->pages[at->page];

        if (page && at->slot < page->count)
            return page->slots[at->slot++].entry;
    }
    return NULL;
}

/* The page's entry with the same key as slot's; NULL when there is none. */
static struct hg_counted *match(const struct hg_pmap *map, const struct hg_pmap_page *page,
                                const struct slot *slot, const struct hg_pmap_type *type)
{
    size_t at;

    return page && find(map, page, slot->hash, type->key(slot->entry), &at) ? page->slots[at].entry
                                                                            : NULL;
}

static void diff_pages(const struct hg_pmap *from, const struct hg_pmap_page *before,
                       const struct hg_pmap *to, const struct hg_pmap_page *after,
                       hg_pmap_diff_fn each, void *arg)
{
    for (size_t i = 0; before && i < before->count; i++) {
        struct hg_counted *now = match(to, after, &before->slots[i], from->type);

        if (now != before->slots[i].entry)
            each(before->slots[i].entry, now, arg);
    }
    for (size_t i = 0; after && i < after->count; i++)
        if (!match(from, before, &after->slots[i], to->type))
            each(NULL, after->slots[i].entry, arg);
}

void hg_pmap_diff(const struct hg_pmap *from, const struct hg_pmap *to, hg_pmap_diff_fn each,
                  void *arg)
{
    for (size_t i = 0; i < HG_PMAP_PAGES; i++) {
        const struct hg_pmap_page *before = from->pages ? from->pages[i] : NULL;
        const struct hg_pmap_page *after = to->pages ? to->pages[i] : NULL;

        if (before != after)
            diff_pages(from, before, to, after, each, arg);
    }
}
