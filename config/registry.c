/*
 * The snapshot in force. Publishing is rare, reading is not: a reader keeps its
 * own reference and looks at the version number, one load of a word that is
 * hardly ever written, to see whether to fetch a new one.
 */
#include "config/model.h"
#include "core/published.h"

#include <stdlib.h>

struct hg_registry {
    struct hg_published published;
};

static struct hg_snapshot *snapshot_of(struct hg_counted *counted)
{
    return hg_container_of(counted, struct hg_snapshot, counted);
}

struct hg_registry *registry_new(struct hg_snapshot *first)
{
    struct hg_registry *registry =
        aligned_alloc(_Alignof(struct hg_registry), sizeof(struct hg_registry));

    hg_assert(registry != NULL);
    hg_published_init(&registry->published, &first->counted);
    return registry;
}

uint64_t registry_version(const struct hg_registry *registry)
{
    return hg_published_version(&registry->published);
}

struct hg_snapshot *registry_current(struct hg_registry *registry)
{
    return snapshot_of(hg_published_fetch(&registry->published));
}

void registry_publish(struct hg_registry *registry, struct hg_snapshot *next)
{
    snapshot_unref(snapshot_of(hg_published_replace(&registry->published, &next->counted)));
}

void registry_free(struct hg_registry *registry)
{
    if (!registry)
        return;
    snapshot_unref(snapshot_of(hg_published_fini(&registry->published)));
    free(registry);
}
