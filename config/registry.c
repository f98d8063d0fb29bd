/*
 * The snapshot in force. Publishing is rare, reading is not: a reader keeps its
 * own reference and looks at the version number, one load of a word that is
 * hardly ever written, to see whether to fetch a new one.
 *
 * Fetching takes no lock: pointer and the number of readers that are just
 * fetching it share one word, so that a reader marks itself and learns the
 * pointer in one step, and publishing hands these marks over to the snapshot's
 * own count in one step.
 */
#include "config/model.h"

#include <stdlib.h>

/* User space addresses have 48 bits; the rest counts readers, at most one a thread. */
enum { POINTER_SHIFT = 16 };
#define READERS_MASK ((UINT64_C(1) << POINTER_SHIFT) - 1)

struct hg_registry {
    _Atomic uint64_t word;
    _Alignas(64) _Atomic uint64_t
        version; /* apart from word, so that fetching does not slow those who only look */
};

static uint64_t pack(struct hg_snapshot *snapshot)
{
    uint64_t address = (uint64_t)(uintptr_t)snapshot;

    hg_assert(address && address >> (64 - POINTER_SHIFT) == 0);
    return address << POINTER_SHIFT;
}

static struct hg_snapshot *unpack(uint64_t word)
{
    return (struct hg_snapshot *)(uintptr_t)(word >> POINTER_SHIFT);
}

struct hg_registry *registry_new(struct hg_snapshot *first)
{
    struct hg_registry *registry = aligned_alloc(64, sizeof(*registry));

    hg_assert(registry != NULL);
    atomic_init(&registry->word, pack(first));
    atomic_init(&registry->version, 1);
    return registry;
}

uint64_t registry_version(const struct hg_registry *registry)
{
    return atomic_load_explicit(&registry->version, memory_order_acquire);
}

struct hg_snapshot *registry_current(struct hg_registry *registry)
{
    uint64_t word = atomic_fetch_add_explicit(&registry->word, 1, memory_order_acq_rel) + 1;
    struct hg_snapshot *snapshot = snapshot_ref(unpack(word));

    while (unpack(word) == snapshot)
        if (atomic_compare_exchange_weak_explicit(&registry->word, &word, word - 1,
                                                  memory_order_acq_rel, memory_order_acquire))
            return snapshot;
    /* Another one was published meanwhile, and our mark became a reference: that makes two. */
    snapshot_unref(snapshot);
    return snapshot;
}

void registry_publish(struct hg_registry *registry, struct hg_snapshot *next)
{
    uint64_t former = atomic_exchange_explicit(&registry->word, pack(next), memory_order_acq_rel);

    hg_assert(unpack(former) != next);
    (void)atomic_fetch_add_explicit(&unpack(former)->refs, (unsigned)(former & READERS_MASK),
                                    memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&registry->version, 1, memory_order_release);
    snapshot_unref(unpack(former));
}

void registry_free(struct hg_registry *registry)
{
    if (!registry)
        return;
    snapshot_unref(unpack(atomic_load(&registry->word)));
    free(registry);
}
