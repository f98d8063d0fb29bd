/*
 * A persistent map: a copy costs some hundred words and shares all entries with the original, so that each change of a large
 * immutable whole is cheap. Entries are counted objects that begin with struct hg_counted and tell their own key.
 * One owner changes it; whoever has a reference to what it is part of reads it, on any thread.
 */
#ifndef HG_CORE_PMAP_H
#define HG_CORE_PMAP_H

#include "core/published.h"
#include "core/str.h"

/* What the map must know of its entries. */
struct hg_pmap_type {
    struct hg_str (*key)(const struct hg_counted *entry);
    void (*free)(struct hg_counted *entry); /* after its last reference went */
};

struct hg_pmap_page;

enum { HG_PMAP_PAGES = 256 };

struct hg_pmap {
    const struct hg_pmap_type *type;
    struct hg_pmap_page **pages; /* HG_PMAP_PAGES; NULL: empty */
    size_t count;
};

void hg_pmap_init(struct hg_pmap *map, const struct hg_pmap_type *type);
void hg_pmap_copy(struct hg_pmap *map, const struct hg_pmap *from);
void hg_pmap_fini(struct hg_pmap *map);

/* Borrowed; NULL when there is none. */
struct hg_counted *hg_pmap_get(const struct hg_pmap *map, struct hg_str key);
/* Takes the reference to entry; one with the same key goes. */
void hg_pmap_put(struct hg_pmap *map, struct hg_counted *entry);
/* False when there was none. */
bool hg_pmap_remove(struct hg_pmap *map, struct hg_str key);

/* Walks all entries in no order; starts zeroed. */
struct hg_pmap_at {
    size_t page, slot;
};
struct hg_counted *hg_pmap_next(const struct hg_pmap *map, struct hg_pmap_at *at);

/*
 * What differs between two maps of the same type: before is NULL for what is new, after for what is gone. Costs little more than
 * what differs when one is a changed copy of the other. Either may be zeroed: empty.
 */
typedef void (*hg_pmap_diff_fn)(struct hg_counted *before, struct hg_counted *after, void *arg);
void hg_pmap_diff(const struct hg_pmap *from, const struct hg_pmap *to, hg_pmap_diff_fn each,
                  void *arg);

#endif
