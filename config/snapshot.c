/*
 * A snapshot's life and its look-ups.
 */
#include "config/model.h"

#include "core/id.h"

#include <stdlib.h>

enum { SNAPSHOT_BYTES_MAX = 1 << 30 }; /* the loader's own limits come first */

static void free_map(void *ptr)
{
    hg_map_fini(ptr);
}

struct hg_snapshot *snapshot_new(struct hg_str region, struct hg_str account)
{
    struct hg_arena *arena = hg_arena_new(SNAPSHOT_BYTES_MAX);
    struct hg_snapshot *snapshot = hg_arena_must(arena, sizeof(*snapshot));

    atomic_init(&snapshot->counted.refs, 1);
    snapshot->arena = arena;
    snapshot->region = hg_arena_str(arena, region);
    snapshot->account = hg_arena_str(arena, account);
    hg_map_init(&snapshot->functions_by_name);
    hg_arena_defer(arena, free_map, &snapshot->functions_by_name);
    return snapshot;
}

struct hg_snapshot *snapshot_ref(struct hg_snapshot *snapshot)
{
    hg_counted_ref(&snapshot->counted);
    return snapshot;
}

void snapshot_unref(struct hg_snapshot *snapshot)
{
    if (snapshot && hg_counted_unref(&snapshot->counted))
        hg_arena_free(snapshot->arena);
}

struct hg_str kv_get(const struct hg_kv_list *list, struct hg_str key)
{
    for (size_t i = 0; i < list->count; i++)
        if (hg_str_eq(list->items[i].key, key))
            return list->items[i].value;
    return hg_str_n(NULL, 0);
}

/* What a reference is made of; parts that it does not have have p == NULL. */
struct function_ref {
    struct hg_str region, account, name, qualifier;
};

static bool is_account(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n == 12;
}

/* "arn:aws:lambda:" at the front is taken off. False when it is an ARN of something else. */
static bool take_arn(struct hg_str *rest)
{
    struct hg_str part;

    if (!hg_str_starts(*rest, HG_STR("arn:")))
        return true;
    *rest = hg_str_skip(*rest, 4);
    return hg_str_next(rest, ':', &part) && hg_str_starts(part, HG_STR("aws")) &&
           hg_str_next(rest, ':', &part) && hg_str_is(part, "lambda");
}

/*
 * name[:qualifier], function:name[:q], ACCOUNT:function:name[:q], REGION:ACCOUNT:function:name[:q], and the whole ARN. What
 * stands before "function" is region and account.
 */
static bool split_ref(struct hg_str text, struct function_ref *ref)
{
    struct hg_str parts[5], part, rest = text;
    size_t count = 0, function;

    *ref = (struct function_ref){.name = {NULL, 0}};
    if (!take_arn(&rest))
        return false;
    while (hg_str_next(&rest, ':', &part)) {
        if (count == HG_COUNT(parts))
            return false;
        parts[count++] = part;
    }
    for (function = 0; function < count && !hg_str_is(parts[function], "function"); function++)
        ;
    if (function == count || (function == 0 && count == 1)) {
        /* "name", "name:qualifier"; a function may be called "function". */
        if (count < 1 || count > 2 || rest.n || hg_str_starts(text, HG_STR("arn:")))
            return false;
        ref->name = parts[0];
        ref->qualifier = count == 2 ? parts[1] : hg_str_n(NULL, 0);
        return true;
    }
    if (function > 2 || count < function + 2 || count > function + 3)
        return false;
    if (function >= 1)
        ref->account = parts[function - 1];
    if (function == 2)
        ref->region = parts[0];
    if (function >= 1 && !is_account(ref->account))
        return false;
    ref->name = parts[function + 1];
    ref->qualifier = count == function + 3 ? parts[function + 2] : hg_str_n(NULL, 0);
    return true;
}

static const struct hg_function *find_version(const struct hg_snapshot *snapshot,
                                              struct hg_str name, struct hg_str version)
{
    for (size_t i = 0; i < snapshot->function_count; i++)
        if (hg_str_eq(snapshot->functions[i]->name, name) &&
            hg_str_eq(snapshot->functions[i]->version, version))
            return snapshot->functions[i];
    return NULL;
}

/* Draws between the two versions of an alias. */
static const struct hg_function *draw(const struct hg_alias *alias)
{
    if (!alias->weighted)
        return alias->function;
    /* 53 random bits make an even share of 0…1. */
    return (double)(hg_random_u64() >> 11) * 0x1p-53 < alias->weight ? alias->weighted
                                                                     : alias->function;
}

static const struct hg_function *find_qualified(const struct hg_snapshot *snapshot,
                                                struct hg_str name, struct hg_str qualifier)
{
    for (size_t i = 0; i < snapshot->alias_count; i++) {
        const struct hg_alias *alias = &snapshot->aliases[i];

        if (hg_str_eq(alias->name, qualifier) && hg_str_eq(alias->function_name, name))
            return draw(alias);
    }
    return find_version(snapshot, name, qualifier);
}

const struct hg_function *snapshot_find_function(const struct hg_snapshot *snapshot,
                                                 struct hg_str name, struct hg_str qualifier)
{
    const struct hg_function *latest = hg_map_get(&snapshot->functions_by_name, name);
    struct function_ref ref = {.name = name};

    if (!latest) {
        if (!split_ref(name, &ref))
            return NULL;
        if ((ref.region.p && !hg_str_eq(ref.region, snapshot->region)) ||
            (ref.account.p && !hg_str_eq(ref.account, snapshot->account)))
            return NULL;
        if (qualifier.n && ref.qualifier.n && !hg_str_eq(qualifier, ref.qualifier))
            return NULL;
        latest = hg_map_get(&snapshot->functions_by_name, ref.name);
    }
    if (!qualifier.n)
        qualifier = ref.qualifier;
    if (!latest || !qualifier.n || hg_str_is(qualifier, "$LATEST"))
        return latest;
    return find_qualified(snapshot, ref.name, qualifier);
}
