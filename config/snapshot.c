/*
 * A snapshot's life and its look-ups.
 */
#include "config/event_config_doc.h"
#include "config/family.h"
#include "config/url_front.h"
#include "core/id.h"

#include <stdlib.h>

static struct hg_snapshot *make(struct hg_stack *stack)
{
    struct hg_snapshot *snapshot = hg_calloc(1, sizeof(*snapshot));

    atomic_init(&snapshot->counted.refs, 1);
    snapshot->stack = stack;
    snapshot->region = stack->region;
    snapshot->account = stack->account;
    return snapshot;
}

/* Versions come after their $LATEST in no promised order; aliases after all of them. */
static void add_functions(struct hg_snapshot *snapshot, const struct hg_stack *stack)
{
    for (size_t i = 0; i < stack->function_count; i++) {
        const struct hg_function *function = stack->functions[i];
        struct hg_family *family = NULL;

        if (!hg_str_is(function->version, "$LATEST"))
            continue;
        family = family_new(function->name, HG_ORIGIN_TEMPLATE);
        family_set_latest(family, function);
        hg_pmap_put(&snapshot->families, &family->counted);
    }
    for (size_t i = 0; i < stack->function_count; i++) {
        const struct hg_function *function = stack->functions[i];
        struct hg_counted *counted = hg_pmap_get(&snapshot->families, function->name);

        if (counted && !hg_str_is(function->version, "$LATEST"))
            family_add_version(hg_container_of(counted, struct hg_family, counted), function);
    }
}

static void add_aliases(struct hg_snapshot *snapshot, const struct hg_stack *stack)
{
    for (size_t i = 0; i < stack->alias_count; i++) {
        const struct hg_alias *alias = &stack->aliases[i];
        struct hg_counted *counted = hg_pmap_get(&snapshot->families, alias->function_name);
        enum hg_rc rc;

        if (!counted)
            continue;
        rc = family_put_alias(hg_container_of(counted, struct hg_family, counted), alias,
                              alias->function->version,
                              alias->weighted ? alias->weighted->version : HG_STR(""));
        hg_assert(rc == HG_OK); /* its versions are functions of the same stack */
    }
}

static void add_event_settings(struct hg_snapshot *snapshot, const struct hg_stack *stack)
{
    for (size_t i = 0; i < stack->event_setting_count; i++) {
        const struct hg_event_setting *setting = &stack->event_settings[i];
        struct hg_counted *counted = hg_pmap_get(&snapshot->families, setting->function_name);

        if (counted)
            event_setting_attach(hg_container_of(counted, struct hg_family, counted), setting);
    }
}

struct hg_snapshot *snapshot_of_stack(struct hg_stack *stack)
{
    struct hg_snapshot *snapshot = make(stack);

    hg_pmap_init(&snapshot->families, &family_type);
    hg_pmap_init(&snapshot->layers, &layer_type);
    hg_pmap_init(&snapshot->mappings, &mapping_type);
    hg_pmap_init(&snapshot->urls, &url_front_type);
    add_functions(snapshot, stack);
    add_aliases(snapshot, stack);
    add_event_settings(snapshot, stack);
    return snapshot;
}

struct hg_snapshot *snapshot_copy(const struct hg_snapshot *from)
{
    struct hg_snapshot *snapshot = make(stack_ref(from->stack));

    hg_pmap_copy(&snapshot->families, &from->families);
    hg_pmap_copy(&snapshot->layers, &from->layers);
    hg_pmap_copy(&snapshot->mappings, &from->mappings);
    hg_pmap_copy(&snapshot->urls, &from->urls);
    snapshot->prepare = from->prepare;
    return snapshot;
}

struct hg_snapshot *snapshot_ref(struct hg_snapshot *snapshot)
{
    hg_counted_ref(&snapshot->counted);
    return snapshot;
}

void snapshot_unref(struct hg_snapshot *snapshot)
{
    if (!snapshot || !hg_counted_unref(&snapshot->counted))
        return;
    hg_pmap_fini(&snapshot->families);
    hg_pmap_fini(&snapshot->layers);
    hg_pmap_fini(&snapshot->mappings);
    hg_pmap_fini(&snapshot->urls);
    stack_unref(snapshot->stack);
    free(snapshot);
}

/* Whether family has the URL as it is. */
static bool has_url(const struct hg_family *family, const struct hg_url *url)
{
    for (size_t i = 0; family && i < family->url_count; i++)
        if (hg_str_eq(family->urls[i].id, url->id) &&
            family->urls[i].modified_ms == url->modified_ms &&
            hg_str_eq(family->urls[i].qualifier, url->qualifier))
            return true;
    return false;
}

static void drop_urls(struct hg_snapshot *snapshot, const struct hg_family *former,
                      const struct hg_family *next)
{
    for (size_t i = 0; former && i < former->url_count; i++)
        if (!has_url(next, &former->urls[i]))
            (void)hg_pmap_remove(&snapshot->urls, former->urls[i].id);
}

static void add_urls(struct hg_snapshot *snapshot, const struct hg_family *former,
                     const struct hg_family *next)
{
    for (size_t i = 0; snapshot->prepare && i < next->url_count; i++) {
        struct hg_url_front *front;

        if (has_url(former, &next->urls[i]))
            continue;
        front = url_front_new(snapshot, next->name, &next->urls[i]);
        if (front)
            hg_pmap_put(&snapshot->urls, &front->counted);
    }
}

void snapshot_put_family(struct hg_snapshot *snapshot, struct hg_family *family)
{
    const struct hg_family *former = snapshot_family(snapshot, family->name);

    drop_urls(snapshot, former, family);
    add_urls(snapshot, former, family);
    hg_pmap_put(&snapshot->families, &family->counted);
}

bool snapshot_remove_family(struct hg_snapshot *snapshot, struct hg_str name)
{
    drop_urls(snapshot, snapshot_family(snapshot, name), NULL);
    return hg_pmap_remove(&snapshot->families, name);
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

const struct hg_family *snapshot_family(const struct hg_snapshot *snapshot, struct hg_str name)
{
    const struct hg_counted *counted = hg_pmap_get(&snapshot->families, name);

    return counted ? hg_container_of(counted, const struct hg_family, counted) : NULL;
}

const struct hg_layer *snapshot_layer(const struct hg_snapshot *snapshot, struct hg_str name)
{
    const struct hg_counted *counted = hg_pmap_get(&snapshot->layers, name);

    return counted ? hg_container_of(counted, const struct hg_layer, counted) : NULL;
}

const struct hg_mapping *snapshot_mapping(const struct hg_snapshot *snapshot, struct hg_str uuid)
{
    const struct hg_counted *counted = hg_pmap_get(&snapshot->mappings, uuid);

    return counted ? hg_container_of(counted, const struct hg_mapping, counted) : NULL;
}

const struct hg_url_front *snapshot_url(const struct hg_snapshot *snapshot, struct hg_str id)
{
    const struct hg_counted *counted = hg_pmap_get(&snapshot->urls, id);

    return counted ? hg_container_of(counted, const struct hg_url_front, counted) : NULL;
}

const struct hg_family *snapshot_next_family(const struct hg_snapshot *snapshot,
                                             struct hg_pmap_at *at)
{
    const struct hg_counted *counted = hg_pmap_next(&snapshot->families, at);

    return counted ? hg_container_of(counted, const struct hg_family, counted) : NULL;
}

const struct hg_function *snapshot_find_function(const struct hg_snapshot *snapshot,
                                                 struct hg_str name, struct hg_str qualifier)
{
    const struct hg_family *family = snapshot_family(snapshot, name);
    struct hg_function_parts ref = {.name = name};
    const struct hg_alias *alias;

    if (!family) {
        if (!function_parts(name, &ref))
            return NULL;
        if ((ref.region.p && !hg_str_eq(ref.region, snapshot->region)) ||
            (ref.account.p && !hg_str_eq(ref.account, snapshot->account)))
            return NULL;
        if (qualifier.n && ref.qualifier.n && !hg_str_eq(qualifier, ref.qualifier))
            return NULL;
        family = snapshot_family(snapshot, ref.name);
    }
    if (!family)
        return NULL;
    if (!qualifier.n)
        qualifier = ref.qualifier;
    if (!qualifier.n || hg_str_is(qualifier, "$LATEST"))
        return family->latest;
    alias = family_alias(family, qualifier);
    return alias ? draw(alias) : family_version(family, qualifier);
}
