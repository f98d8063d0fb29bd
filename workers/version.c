/*
 * Function versions known to the pool: a list that only grows, so that loops
 * read it without locks. Two functions of different snapshots are the same
 * version when everything that an environment sees is the same.
 */
#include "workers/plan.h"
#include "workers/shard.h"

#include <stdlib.h>

static void hash_str(struct hg_sha256 *hash, struct hg_str text)
{
    uint64_t length = text.n;

    hg_sha256_update(hash, &length, sizeof(length));
    if (text.n)
        hg_sha256_update(hash, text.p, text.n);
}

void version_key(const struct hg_function *function, unsigned char key[HG_SHA256_LEN])
{
    const struct hg_str texts[] = {
        function->arn,           function->version,
        function->runtime,       function->handler,
        function->code_dir,      function->code_sha256,
        function->role,          function->log_format,
        function->app_log_level, function->system_log_level,
        function->log_group,     function->tracing_mode,
    };
    const unsigned numbers[] = {function->memory_mb, function->timeout_s, function->ephemeral_mb};
    struct hg_sha256 *hash = hg_sha256_new();

    for (size_t i = 0; i < HG_COUNT(texts); i++)
        hash_str(hash, texts[i]);
    hg_sha256_update(hash, numbers, sizeof(numbers));
    for (size_t i = 0; i < function->layer_count; i++)
        hash_str(hash, function->layer_dirs[i]);
    for (size_t i = 0; i < function->environment.count; i++) {
        hash_str(hash, function->environment.items[i].key);
        hash_str(hash, function->environment.items[i].value);
    }
    hg_sha256_final(hash, key);
}

static struct hg_version *find(struct hg_version *from, const struct hg_version *end,
                               const unsigned char *key)
{
    for (; from != end; from = from->next) {
        if (memcmp(from->key, key, HG_SHA256_LEN) == 0)
            return from;
    }
    return NULL;
}

static struct hg_version *make(struct hg_workers *workers, const struct hg_function *function,
                               const unsigned char *key)
{
    struct hg_version *version =
        hg_calloc(1, sizeof(*version) + workers->shard_count * sizeof(struct hg_version_shard));

    memcpy(version->key, key, HG_SHA256_LEN);
    version->name = hg_strndup(function->name.p, function->name.n);
    version->number = hg_strndup(function->version.p, function->version.n);
    atomic_store(&version->is_current, true);
    for (unsigned i = 0; i < workers->shard_count; i++) {
        version->at[i].version = version;
        version->at[i].shard = &workers->shards[i];
    }
    return version;
}

struct hg_version *version_get(struct hg_workers *workers, const struct hg_function *function)
{
    unsigned char key[HG_SHA256_LEN];
    struct hg_version *first = atomic_load_explicit(&workers->versions, memory_order_acquire),
                      *found, *made, *seen;

    version_key(function, key);
    found = find(first, NULL, key);
    if (found)
        return found;
    made = make(workers, function, key);
    for (;;) {
        seen = made->next = first;
        if (atomic_compare_exchange_strong(&workers->versions, &first, made))
            return made;
        /* Another loop was quicker, maybe with the same one. */
        found = find(first, seen, key);
        if (found) {
            version_free(made);
            return found;
        }
    }
}

void version_free(struct hg_version *version)
{
    plan_free(atomic_load(&version->plan));
    free(version->name);
    free(version->number);
    free(version);
}

void average_note(_Atomic int64_t *average, int64_t value)
{
    int64_t before = atomic_load_explicit(average, memory_order_relaxed), after = value;

    /* Two loops may overwrite one another's step: an estimate bears it. */
    if (before && value < before)
        after = before - (before - value) / 2;
    else if (before)
        after = before + HG_MIN(value - before, before) / 16;
    atomic_store_explicit(average, HG_MAX(after, (int64_t)1), memory_order_relaxed);
}
