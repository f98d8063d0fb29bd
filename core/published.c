/*
 * Fetching takes no lock: pointer and the number of readers that are just
 * fetching it share one word, so that a reader marks itself and learns the
 * pointer in one step, and replacing hands these marks over to the object's
 * own count in one step.
 */
#include "core/published.h"

/* User space addresses have 48 bits; the rest counts readers, at most one a thread. */
enum { POINTER_SHIFT = 16 };
#define READERS_MASK ((UINT64_C(1) << POINTER_SHIFT) - 1)

static uint64_t pack(struct hg_counted *counted)
{
    uint64_t address = (uint64_t)(uintptr_t)counted;

    hg_assert(address && address >> (64 - POINTER_SHIFT) == 0);
    return address << POINTER_SHIFT;
}

static struct hg_counted *unpack(uint64_t word)
{
    return (struct hg_counted *)(uintptr_t)(word >> POINTER_SHIFT);
}

void hg_published_init(struct hg_published *published, struct hg_counted *first)
{
    atomic_init(&published->word, pack(first));
    atomic_init(&published->version, 1);
}

struct hg_counted *hg_published_fetch(struct hg_published *published)
{
    uint64_t word = atomic_fetch_add_explicit(&published->word, 1, memory_order_acq_rel) + 1;
    struct hg_counted *counted = unpack(word);
    bool was_last;

    hg_counted_ref(counted);
    while (unpack(word) == counted)
        if (atomic_compare_exchange_weak_explicit(&published->word, &word, word - 1,
                                                  memory_order_acq_rel, memory_order_acquire))
            return counted;
    /* Another one was published meanwhile, and our mark became a reference: that makes two. */
    was_last = hg_counted_unref(counted);
    hg_assert(!was_last);
    return counted;
}

struct hg_counted *hg_published_replace(struct hg_published *published, struct hg_counted *next)
{
    uint64_t former = atomic_exchange_explicit(&published->word, pack(next), memory_order_acq_rel);

    hg_assert(unpack(former) != next);
    (void)atomic_fetch_add_explicit(&unpack(former)->refs, (unsigned)(former & READERS_MASK),
                                    memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&published->version, 1, memory_order_release);
    return unpack(former);
}

struct hg_counted *hg_published_fini(struct hg_published *published)
{
    return unpack(atomic_load(&published->word));
}

uint64_t hg_published_version(const struct hg_published *published)
{
    return atomic_load_explicit(&published->version, memory_order_acquire);
}
