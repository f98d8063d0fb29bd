/*
 * Readers look at the snapshot in force; changes are the catalog's.
 */
#include "config/event_config.h"

#include "config/event_config_doc.h"
#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>

struct hg_event_configs {
    struct hg_registry *registry;
    struct hg_catalog *catalog;
};

struct hg_event_configs *event_configs_open(struct hg_registry *registry,
                                            struct hg_catalog *catalog)
{
    struct hg_event_configs *configs = hg_calloc(1, sizeof(*configs));

    configs->registry = registry;
    configs->catalog = catalog;
    return configs;
}

void event_configs_close(struct hg_event_configs *configs)
{
    free(configs);
}

static void set_text(char *out, size_t size, struct hg_str text)
{
    (void)snprintf(out, size, "%.*s", HG_STR_ARG(text));
}

/* A document that is none counts as absent: nothing but this file and the store's migration writes them. */
static bool read_one(const struct hg_family *family, const struct hg_attached *attached,
                     struct hg_event_config *out, bool *by_template)
{
    if (!event_config_read(attached->json, out, by_template))
        return false;
    set_text(out->function, sizeof(out->function), family->name);
    set_text(out->qualifier, sizeof(out->qualifier), attached->qualifier);
    return true;
}

bool event_configs_find(struct hg_event_configs *configs, struct hg_str function,
                        struct hg_str qualifier, struct hg_event_config *out)
{
    struct hg_snapshot *snapshot = registry_current(configs->registry);
    const struct hg_family *family = snapshot_family(snapshot, function);
    const struct hg_attached *attached =
        family ? family_attached(family, HG_STR(HG_ATTACHED_EVENT_CONFIG),
                                 qualifier.n ? qualifier : HG_STR("$LATEST"))
               : NULL;
    bool by_template, is_there = attached && read_one(family, attached, out, &by_template);

    snapshot_unref(snapshot);
    return is_there;
}

static bool is_version(struct hg_str qualifier)
{
    return qualifier.n && qualifier.p[0] >= '0' && qualifier.p[0] <= '9' &&
           hg_str_u64(qualifier, UINT64_MAX, &(uint64_t){0});
}

/* "$LATEST", versions, aliases. */
static int rank(struct hg_str qualifier)
{
    if (qualifier.n == 0)
        return 0;
    if (qualifier.p[0] == '$')
        return 1;
    return is_version(qualifier) ? 2 : 3;
}

static int compare_qualifiers(struct hg_str a, struct hg_str b)
{
    if (rank(a) != rank(b))
        return rank(a) - rank(b);
    if (rank(a) == 2 && a.n != b.n) /* of two numbers the longer one is larger */
        return a.n < b.n ? -1 : 1;
    return hg_str_cmp(a, b);
}

static int compare_attached(const void *a, const void *b)
{
    return compare_qualifiers((*(const struct hg_attached *const *)a)->qualifier,
                              (*(const struct hg_attached *const *)b)->qualifier);
}

static size_t list_family(const struct hg_family *family, struct hg_str after,
                          struct hg_event_config *out, size_t max)
{
    const struct hg_attached **found =
        hg_calloc(family->attached_count + 1, sizeof(struct hg_attached *));
    bool by_template;
    size_t count = 0;

    for (size_t i = 0; i < family->attached_count; i++) {
        const struct hg_attached *attached = &family->attached[i];

        if (hg_str_is(attached->kind, HG_ATTACHED_EVENT_CONFIG) &&
            compare_qualifiers(attached->qualifier, after) > 0)
            found[count++] = attached;
    }
    qsort(found, count, sizeof(struct hg_attached *), compare_attached);
    for (size_t i = 0; i < HG_MIN(count, max); i++)
        if (!read_one(family, found[i], &out[i], &by_template))
            out[i] = (struct hg_event_config){.max_retries = -1, .max_age_s = -1};
    free(found);
    return count;
}

size_t event_configs_list(struct hg_event_configs *configs, struct hg_str function,
                          struct hg_str after, struct hg_event_config *out, size_t max)
{
    struct hg_snapshot *snapshot = registry_current(configs->registry);
    const struct hg_family *family = snapshot_family(snapshot, function);
    size_t count = family ? list_family(family, after, out, max) : 0;

    snapshot_unref(snapshot);
    return count;
}

/* What the change makes of the one that is there, if any. */
static void merge(const struct hg_event_config_op *op, const struct hg_event_config *former,
                  struct hg_event_config *next)
{
    if (op->change == HG_EVENT_CONFIG_UPDATE) {
        *next = *former;
        if (op->config.max_retries >= 0)
            next->max_retries = op->config.max_retries;
        if (op->config.max_age_s >= 0)
            next->max_age_s = op->config.max_age_s;
        if (op->has_destinations) {
            memcpy(next->on_success, op->config.on_success, sizeof(op->config.on_success));
            memcpy(next->on_failure, op->config.on_failure, sizeof(op->config.on_failure));
        }
    } else {
        *next = op->config;
    }
    next->last_modified_ms = hg_wall_ms();
}

static enum hg_rc on_work(struct hg_change *base, struct hg_edit *edit)
{
    struct hg_event_config_op *op = hg_container_of(base, struct hg_event_config_op, base);
    struct hg_str name = hg_str_of(op->config.function),
                  qualifier = hg_str_of(op->config.qualifier),
                  kind = HG_STR(HG_ATTACHED_EVENT_CONFIG);
    const struct hg_family *there = snapshot_family(edit_snapshot(edit), name);
    const struct hg_attached *attached = there ? family_attached(there, kind, qualifier) : NULL;
    struct hg_event_config former, next;
    bool by_template = false;

    if (!there)
        return hg_error_set(&base->err, HG_E_NOT_FOUND, "there is no such function");
    if (attached && !read_one(there, attached, &former, &by_template))
        attached = NULL;
    if (!attached && op->change != HG_EVENT_CONFIG_PUT)
        return hg_error_set(&base->err, HG_E_NOT_FOUND, "there is no such config");
    if (op->change == HG_EVENT_CONFIG_DELETE) {
        (void)family_remove_attached(edit_family(edit, name), kind, qualifier);
        return HG_OK;
    }
    /* What the template made goes with the template. */
    merge(op, &former, &next);
    event_config_put(edit_family(edit, name), qualifier, &next, by_template);
    (void)snprintf(next.function, sizeof(next.function), "%s", op->config.function);
    (void)snprintf(next.qualifier, sizeof(next.qualifier), "%s", op->config.qualifier);
    op->config = next;
    return HG_OK;
}

static void on_done(struct hg_change *base)
{
    struct hg_event_config_op *op = hg_container_of(base, struct hg_event_config_op, base);

    op->rc = base->rc;
    op->err = base->err;
    op->done(op);
}

void event_configs_submit(struct hg_event_configs *configs, struct hg_loop *home,
                          struct hg_event_config_op *op)
{
    if (op->config.qualifier[0] == '\0')
        (void)snprintf(op->config.qualifier, sizeof(op->config.qualifier), "$LATEST");
    op->base = (struct hg_change){.work = on_work, .done = on_done};
    catalog_submit(configs->catalog, home, &op->base);
}
