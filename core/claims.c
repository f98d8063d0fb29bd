/*
 * A map under a mutex: claims are taken by calls that work for milliseconds at least.
 */
#include "core/claims.h"

#include "core/map.h"

#include <pthread.h>
#include <stdlib.h>

struct hg_claims {
    pthread_mutex_t lock;
    struct hg_map names; /* to copies of themselves */
};

struct hg_claims *hg_claims_new(void)
{
    struct hg_claims *claims = hg_calloc(1, sizeof(*claims));

    (void)pthread_mutex_init(&claims->lock, NULL);
    hg_map_init(&claims->names);
    return claims;
}

void hg_claims_free(struct hg_claims *claims)
{
    const struct hg_map_entry *entry;

    if (!claims)
        return;
    for (size_t at = 0; (entry = hg_map_next(&claims->names, &at));)
        free(entry->value);
    hg_map_fini(&claims->names);
    (void)pthread_mutex_destroy(&claims->lock);
    free(claims);
}

bool hg_claims_take(struct hg_claims *claims, struct hg_str name)
{
    bool is_free;

    (void)pthread_mutex_lock(&claims->lock);
    is_free = !hg_map_get(&claims->names, name);
    if (is_free) {
        char *copy = hg_strndup(name.p, name.n);

        (void)hg_map_set(&claims->names, hg_str_n(copy, name.n), copy);
    }
    (void)pthread_mutex_unlock(&claims->lock);
    return is_free;
}

void hg_claims_drop(struct hg_claims *claims, struct hg_str name)
{
    char *copy;

    (void)pthread_mutex_lock(&claims->lock);
    copy = hg_map_remove(&claims->names, name);
    (void)pthread_mutex_unlock(&claims->lock);
    hg_assert(copy != NULL);
    free(copy);
}

bool hg_claims_has(struct hg_claims *claims, struct hg_str name)
{
    bool is_there;

    (void)pthread_mutex_lock(&claims->lock);
    is_there = hg_map_get(&claims->names, name) != NULL;
    (void)pthread_mutex_unlock(&claims->lock);
    return is_there;
}
