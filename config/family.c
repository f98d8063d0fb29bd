/*
 * What belongs to one function's name. Every list is an array in the family's
 * arena, replaced as a whole when it changes: the arena dies with the family,
 * and a copy takes along only what is still in use.
 */
#include "config/family.h"

#include "config/model_fields.h"

#include <stdlib.h>

enum { ARENA_MAX = 1 << 30 }; /* the API's own limits come first */

/* One of the sorted lists; its key is one text, or (attached) two. */
struct list {
    const struct hg_fields *type;
    size_t items, count;  /* offsets in struct hg_family */
    size_t first, second; /* offsets of the key in the item; the same when it is one text */
};

#define LIST(of, table, list, counter, first_key, second_key) \
    { \
        &(table), offsetof(struct hg_family, list), offsetof(struct hg_family, counter), \
            offsetof(struct of, first_key), offsetof(struct of, second_key) \
    }

static const struct list alias_list =
    LIST(hg_alias, alias_fields, aliases, alias_count, name, name);
static const struct list policy_list =
    LIST(hg_policy, policy_fields, policies, policy_count, qualifier, qualifier);
static const struct list url_list = LIST(hg_url, url_fields, urls, url_count, qualifier, qualifier);
static const struct list provisioned_list =
    LIST(hg_provisioned, provisioned_fields, provisioned, provisioned_count, qualifier, qualifier);
static const struct list attached_list =
    LIST(hg_attached, attached_fields, attached, attached_count, kind, qualifier);

static const struct list *const lists[] = {&alias_list, &policy_list, &url_list, &provisioned_list,
                                           &attached_list};

static char *items_of(const struct hg_family *family, const struct list *list)
{
    char *items;

    memcpy(&items, (const char *)family + list->items, sizeof(items));
    return items;
}

static size_t count_of(const struct hg_family *family, const struct list *list)
{
    size_t count;

    memcpy(&count, (const char *)family + list->count, sizeof(count));
    return count;
}

static void set_list(struct hg_family *family, const struct list *list, const void *items,
                     size_t count)
{
    memcpy((char *)family + list->items, &items, sizeof(items));
    memcpy((char *)family + list->count, &count, sizeof(count));
}

static struct hg_str key_of(const void *item, size_t offset)
{
    struct hg_str key;

    memcpy(&key, (const char *)item + offset, sizeof(key));
    return key;
}

/* Place of the first item that is not before the key; *is_there: it has that key. */
static size_t place_of(const struct hg_family *family, const struct list *list, struct hg_str first,
                       struct hg_str second, bool *is_there)
{
    size_t low = 0, high = count_of(family, list), size = list->type->size;
    const char *items = items_of(family, list);

    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = hg_str_cmp(key_of(items + middle * size, list->first), first);

        if (order == 0)
            order = hg_str_cmp(key_of(items + middle * size, list->second), second);
        *is_there = *is_there || order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void *find(const struct hg_family *family, const struct list *list, struct hg_str first,
                  struct hg_str second)
{
    bool is_there;
    size_t place = place_of(family, list, first, second, &is_there);

    return is_there ? items_of(family, list) + place * list->type->size : NULL;
}

static void put(struct hg_family *family, const struct list *list, const void *item)
{
    size_t count = count_of(family, list), size = list->type->size, place;
    const void *copy = fields_copy_all(list->type, item, 1, family_arena(family));
    const char *items = items_of(family, list);
    bool is_there;
    char *next;

    place =
        place_of(family, list, key_of(item, list->first), key_of(item, list->second), &is_there);
    next = hg_arena_must(family->arena, (count + 1) * size);
    if (place)
        memcpy(next, items, place * size);
    memcpy(next + place * size, copy, size);
    if (place + is_there < count)
        memcpy(next + (place + 1) * size, items + (place + is_there) * size,
               (count - place - is_there) * size);
    set_list(family, list, next, count + 1 - is_there);
}

/* In place: the array is the family's own. */
static bool take_out(struct hg_family *family, const struct list *list, struct hg_str first,
                     struct hg_str second)
{
    size_t count = count_of(family, list), size = list->type->size, place;
    char *items = items_of(family, list);
    bool is_there;

    place = place_of(family, list, first, second, &is_there);
    if (!is_there)
        return false;
    memmove(items + place * size, items + (place + 1) * size, (count - place - 1) * size);
    set_list(family, list, count > 1 ? items : NULL, count - 1);
    return true;
}

/* Life */

static struct hg_family *family_of(const struct hg_counted *counted)
{
    return hg_container_of(counted, struct hg_family, counted);
}

static struct hg_str name_of(const struct hg_counted *counted)
{
    return family_of(counted)->name;
}

static void free_family(struct hg_counted *counted)
{
    struct hg_family *family = family_of(counted);

    function_unref(family->latest);
    for (size_t i = 0; i < family->version_count; i++)
        function_unref(family->versions[i]);
    free(family->versions);
    hg_arena_free(family->arena);
    free(family);
}

const struct hg_pmap_type family_type = {name_of, free_family};

struct hg_family *family_new(struct hg_str name, enum hg_origin origin)
{
    struct hg_family *family = hg_calloc(1, sizeof(*family) + name.n + 1);
    char *text = (char *)(family + 1);

    memcpy(text, name.p, name.n);
    atomic_init(&family->counted.refs, 1);
    family->name = hg_str_n(text, name.n);
    family->origin = origin;
    return family;
}

struct hg_family *family_copy(const struct hg_family *from)
{
    struct hg_family *family = family_new(from->name, from->origin);

    family->latest = from->latest ? function_ref(from->latest) : NULL;
    family->last_version = from->last_version;
    family->version_count = from->version_count;
    if (from->version_count)
        family->versions = hg_malloc(from->version_count * sizeof(struct hg_function *));
    for (size_t i = 0; i < from->version_count; i++)
        family->versions[i] = function_ref(from->versions[i]);
    for (size_t i = 0; i < HG_COUNT(lists); i++) {
        const struct list *list = lists[i];
        size_t count = count_of(from, list);

        if (count)
            set_list(family, list,
                     fields_copy_all(list->type, items_of(from, list), count, family_arena(family)),
                     count);
    }
    return family;
}

struct hg_arena *family_arena(struct hg_family *family)
{
    if (!family->arena)
        family->arena = hg_arena_new(ARENA_MAX);
    return family->arena;
}

struct hg_family *family_ref(struct hg_family *family)
{
    hg_counted_ref(&family->counted);
    return family;
}

void family_unref(struct hg_family *family)
{
    if (family && hg_counted_unref(&family->counted))
        free_family(&family->counted);
}

/* Versions */

/* Of two numbers the longer one is larger. */
static int compare_versions(struct hg_str a, struct hg_str b)
{
    if (a.n != b.n)
        return a.n < b.n ? -1 : 1;
    return hg_str_cmp(a, b);
}

static size_t version_place(const struct hg_family *family, struct hg_str version, bool *is_there)
{
    size_t low = 0, high = family->version_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_versions(family->versions[middle]->version, version) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *is_there = low < family->version_count && hg_str_eq(family->versions[low]->version, version);
    return low;
}

struct hg_function *family_version(const struct hg_family *family, struct hg_str version)
{
    bool is_there;
    size_t place;

    if (!version.n || hg_str_is(version, "$LATEST"))
        return family->latest;
    place = version_place(family, version, &is_there);
    return is_there ? family->versions[place] : NULL;
}

/* Aliases name versions by pointer, so they follow. Takes the reference of old. */
static void replace_function(struct hg_family *family, struct hg_function *old,
                             const struct hg_function *next)
{
    for (size_t i = 0; old && i < family->alias_count; i++) {
        if (family->aliases[i].function == old)
            family->aliases[i].function = next;
        if (family->aliases[i].weighted == old)
            family->aliases[i].weighted = next;
    }
    function_unref(old);
}

void family_set_latest(struct hg_family *family, const struct hg_function *draft)
{
    struct hg_function *old = family->latest;

    family->latest = function_seal(draft);
    replace_function(family, old, family->latest);
}

void family_add_version(struct hg_family *family, const struct hg_function *draft)
{
    struct hg_function *sealed = function_seal(draft), *old;
    uint64_t number = 0;
    bool is_there;
    size_t place = version_place(family, sealed->version, &is_there);

    if (hg_str_u64(sealed->version, UINT64_MAX, &number) && number > family->last_version)
        family->last_version = number;
    if (is_there) {
        old = family->versions[place];
        family->versions[place] = sealed;
        replace_function(family, old, sealed);
        return;
    }
    family->versions =
        hg_realloc(family->versions, (family->version_count + 1) * sizeof(struct hg_function *));
    memmove(&family->versions[place + 1], &family->versions[place],
            (family->version_count - place) * sizeof(struct hg_function *));
    family->versions[place] = sealed;
    family->version_count++;
}

bool family_remove_version(struct hg_family *family, struct hg_str version)
{
    bool is_there;
    size_t place = version_place(family, version, &is_there);
    struct hg_function *old;

    if (!is_there)
        return false;
    old = family->versions[place];
    for (size_t i = 0; i < family->alias_count; i++)
        hg_assert(family->aliases[i].function != old && family->aliases[i].weighted != old);
    family->version_count--;
    memmove(&family->versions[place], &family->versions[place + 1],
            (family->version_count - place) * sizeof(struct hg_function *));
    function_unref(old);
    return true;
}

/* Lists */

struct hg_alias *family_alias(const struct hg_family *family, struct hg_str name)
{
    return find(family, &alias_list, name, name);
}

struct hg_policy *family_policy(const struct hg_family *family, struct hg_str qualifier)
{
    return find(family, &policy_list, qualifier, qualifier);
}

struct hg_url *family_url(const struct hg_family *family, struct hg_str qualifier)
{
    return find(family, &url_list, qualifier, qualifier);
}

struct hg_provisioned *family_provisioned(const struct hg_family *family, struct hg_str qualifier)
{
    return find(family, &provisioned_list, qualifier, qualifier);
}

struct hg_attached *family_attached(const struct hg_family *family, struct hg_str kind,
                                    struct hg_str qualifier)
{
    return find(family, &attached_list, kind, qualifier);
}

enum hg_rc family_put_alias(struct hg_family *family, const struct hg_alias *alias,
                            struct hg_str version, struct hg_str weighted_version)
{
    struct hg_alias next = *alias;

    next.function_name = family->name;
    next.function = family_version(family, version);
    next.weighted = weighted_version.n ? family_version(family, weighted_version) : NULL;
    if (!next.function || (weighted_version.n && !next.weighted))
        return HG_E_NOT_FOUND;
    put(family, &alias_list, &next);
    return HG_OK;
}

bool family_remove_alias(struct hg_family *family, struct hg_str name)
{
    return take_out(family, &alias_list, name, name);
}

void family_put_policy(struct hg_family *family, const struct hg_policy *policy)
{
    put(family, &policy_list, policy);
}

bool family_remove_policy(struct hg_family *family, struct hg_str qualifier)
{
    return take_out(family, &policy_list, qualifier, qualifier);
}

void family_put_url(struct hg_family *family, const struct hg_url *url)
{
    struct hg_url next = *url;

    next.function = NULL;
    put(family, &url_list, &next);
}

bool family_remove_url(struct hg_family *family, struct hg_str qualifier)
{
    return take_out(family, &url_list, qualifier, qualifier);
}

void family_put_provisioned(struct hg_family *family, const struct hg_provisioned *provisioned)
{
    put(family, &provisioned_list, provisioned);
}

bool family_remove_provisioned(struct hg_family *family, struct hg_str qualifier)
{
    return take_out(family, &provisioned_list, qualifier, qualifier);
}

void family_put_attached(struct hg_family *family, const struct hg_attached *attached)
{
    put(family, &attached_list, attached);
}

bool family_remove_attached(struct hg_family *family, struct hg_str kind, struct hg_str qualifier)
{
    return take_out(family, &attached_list, kind, qualifier);
}

/* Family-wide fields */

static void change_all(struct hg_family *family,
                       void (*change)(struct hg_function *draft, const void *arg), const void *arg)
{
    struct hg_function *draft = hg_malloc(sizeof(*draft));

    for (size_t i = 0; i <= family->version_count; i++) {
        struct hg_function **slot =
            i < family->version_count ? &family->versions[i] : &family->latest;
        struct hg_function *old = *slot;

        function_copy(draft, old);
        change(draft, arg);
        *slot = function_seal(draft);
        replace_function(family, old, *slot);
    }
    free(draft);
}

static void change_reserved(struct hg_function *draft, const void *arg)
{
    draft->reserved_concurrency = *(const int *)arg;
}

static void change_recursion(struct hg_function *draft, const void *arg)
{
    draft->may_recurse = *(const bool *)arg;
}

static void change_tags(struct hg_function *draft, const void *arg)
{
    draft->tags = *(const struct hg_kv_list *)arg;
}

void family_set_reserved(struct hg_family *family, int reserved)
{
    change_all(family, change_reserved, &reserved);
}

void family_set_recursion(struct hg_family *family, bool may_recurse)
{
    change_all(family, change_recursion, &may_recurse);
}

void family_set_tags(struct hg_family *family, const struct hg_kv_list *tags)
{
    change_all(family, change_tags, tags);
}
