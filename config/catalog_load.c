/*
 * The store into a snapshot. Rows come in no order: a family is made when the
 * first of its rows is seen, and is whole when all were read.
 */
#include "config/catalog_rows.h"
#include "config/model_fields.h"

#include <stdlib.h>

enum { ARENA_MAX = 1 << 30 };

struct part {
    struct hg_family *family;  /* owned until it is in the snapshot */
    struct hg_family_doc *doc; /* NULL: no row yet */
    struct part *next;
};

struct load {
    struct hg_store *store;
    struct hg_snapshot *snapshot;
    struct hg_arena *arena;   /* parts and documents of families */
    struct hg_arena *scratch; /* of one row */
    struct hg_map by_name;
    struct part *parts;
    enum hg_rc rc;
    struct hg_error *err;
};

static struct part *part_of(struct load *load, const struct hg_row *row)
{
    struct part *part = hg_map_get(&load->by_name, row->name);

    if (part)
        return part;
    part = hg_arena_must(load->arena, sizeof(*part));
    part->family = family_new(row->name, row->origin);
    part->next = load->parts;
    load->parts = part;
    (void)hg_map_set(&load->by_name, part->family->name, part);
    return part;
}

static bool load_family(struct load *load, const struct hg_row *row)
{
    struct hg_family_doc *doc = hg_arena_must(load->arena, sizeof(*doc));
    struct part *part = part_of(load, row);

    part->doc = doc;
    part->family->origin = row->origin;
    return fields_read(load->arena, &family_doc_fields, hg_json_parse(row->doc, NULL), doc);
}

/* Region and account are the program's: they may be others than when the row was written. */
static void set_arn(struct load *load, struct hg_function *draft)
{
    struct hg_str partition = draft->arn, rest;

    (void)hg_str_next(&partition, ':', &rest); /* "arn" */
    rest = partition;
    if (!hg_str_next(&rest, ':', &partition))
        partition = HG_STR("aws");
    draft->arn =
        hg_str_of(hg_arena_printf(load->scratch, "arn:%.*s:lambda:%.*s:%.*s:function:%.*s",
                                  HG_STR_ARG(partition), HG_STR_ARG(load->snapshot->region),
                                  HG_STR_ARG(load->snapshot->account), HG_STR_ARG(draft->name)));
}

static bool load_function(struct load *load, const struct hg_row *row)
{
    struct hg_family *family = part_of(load, row)->family;
    struct hg_function *draft;

    if (function_read(load->scratch, row->doc, &draft) != HG_OK ||
        !hg_str_eq(draft->name, row->name) || !hg_str_eq(draft->version, row->sub))
        return false;
    set_arn(load, draft);
    draft->code_dir = rows_full_path(load->store, load->scratch, draft->code_dir);
    draft->code_zip = rows_full_path(load->store, load->scratch, draft->code_zip);
    for (size_t i = 0; i < draft->layer_count; i++)
        draft->layer_dirs[i] = rows_full_path(load->store, load->scratch, draft->layer_dirs[i]);
    if (hg_str_is(row->sub, "$LATEST"))
        family_set_latest(family, draft);
    else
        family_add_version(family, draft);
    return true;
}

static bool load_attached(struct load *load, const struct hg_row *row)
{
    const struct hg_attached attached = {.kind = hg_str_skip(row->kind, strlen(HG_ROW_ATTACHED)),
                                         .qualifier = row->sub,
                                         .json = row->doc};

    family_put_attached(part_of(load, row)->family, &attached);
    return true;
}

static bool load_layer(struct load *load, const struct hg_row *row)
{
    struct hg_layer *doc = hg_arena_must(load->scratch, sizeof(*doc)), *layer;

    if (!fields_read(load->scratch, &layer_doc_fields, hg_json_parse(row->doc, NULL), doc))
        return false;
    for (size_t i = 0; i < doc->version_count; i++) {
        doc->versions[i].dir = rows_full_path(load->store, load->scratch, doc->versions[i].dir);
        doc->versions[i].zip = rows_full_path(load->store, load->scratch, doc->versions[i].zip);
    }
    layer = layer_new(row->name, row->origin);
    layer->last_version = doc->last_version;
    layer->version_count = doc->version_count;
    layer->versions =
        fields_copy_all(&layer_version_fields, doc->versions, doc->version_count, layer->arena);
    hg_pmap_put(&load->snapshot->layers, &layer->counted);
    return true;
}

static bool load_mapping(struct load *load, const struct hg_row *row)
{
    struct hg_mapping *doc = hg_arena_must(load->scratch, sizeof(*doc)), *mapping;

    if (!fields_read(load->scratch, &mapping_fields, hg_json_parse(row->doc, NULL), doc) ||
        !hg_str_eq(doc->uuid, row->name))
        return false;
    doc->origin = row->origin;
    mapping = mapping_copy(doc);
    hg_pmap_put(&load->snapshot->mappings, &mapping->counted);
    return true;
}

static bool load_row(struct load *load, const struct hg_row *row)
{
    if (hg_str_is(row->kind, HG_ROW_FUNCTION))
        return load_function(load, row);
    if (hg_str_is(row->kind, HG_ROW_FAMILY))
        return load_family(load, row);
    if (hg_str_starts(row->kind, HG_STR(HG_ROW_ATTACHED)))
        return load_attached(load, row);
    if (hg_str_is(row->kind, HG_ROW_LAYER))
        return load_layer(load, row);
    if (hg_str_is(row->kind, HG_ROW_MAPPING))
        return load_mapping(load, row);
    return hg_str_is(row->kind, HG_ROW_TEMPLATE_VERSION);
}

static bool on_row(const struct hg_row *row, void *arg)
{
    struct load *load = arg;

    if (!load_row(load, row))
        load->rc = store_row_damaged(load->store, row, load->err);
    hg_arena_reset(load->scratch);
    return load->rc == HG_OK;
}

/* False when an alias names a version that is not there. */
static bool set_aliases(struct hg_family *family, const struct hg_family_doc *doc,
                        struct hg_arena *scratch)
{
    struct hg_alias *aliases;

    if (!doc->alias_count)
        return true;
    aliases = hg_arena_must(scratch, doc->alias_count * sizeof(*aliases));
    for (size_t i = 0; i < doc->alias_count; i++) {
        const struct hg_alias_doc *from = &doc->aliases[i];

        aliases[i] = from->alias;
        aliases[i].function = family_version(family, from->to);
        aliases[i].weighted = from->also.n ? family_version(family, from->also) : NULL;
        if (!aliases[i].function || (from->also.n && !aliases[i].weighted))
            return false;
    }
    family->aliases =
        fields_copy_all(&alias_fields, aliases, doc->alias_count, family_arena(family));
    family->alias_count = doc->alias_count;
    return true;
}

/* The lists were stored sorted. */
static bool finish(struct hg_family *family, const struct hg_family_doc *doc,
                   struct hg_arena *scratch)
{
    if (!doc || !family->latest || !set_aliases(family, doc, scratch))
        return false;
    family->last_version = HG_MAX(family->last_version, doc->last_version);
    family->policy_count = doc->policy_count;
    family->url_count = doc->url_count;
    family->provisioned_count = doc->provisioned_count;
    if (doc->policy_count)
        family->policies =
            fields_copy_all(&policy_fields, doc->policies, doc->policy_count, family_arena(family));
    if (doc->url_count)
        family->urls =
            fields_copy_all(&url_fields, doc->urls, doc->url_count, family_arena(family));
    if (doc->provisioned_count)
        family->provisioned = fields_copy_all(&provisioned_fields, doc->provisioned,
                                              doc->provisioned_count, family_arena(family));
    return true;
}

static void add_orphan(struct hg_orphans *orphans, struct hg_family *family)
{
    orphans->families =
        hg_realloc(orphans->families, (orphans->count + 1) * sizeof(struct hg_family *));
    orphans->families[orphans->count++] = family;
}

void orphans_fini(struct hg_orphans *orphans)
{
    for (size_t i = 0; i < orphans->count; i++)
        family_unref(orphans->families[i]);
    free(orphans->families);
    *orphans = (struct hg_orphans){NULL, 0};
}

static void take_families(struct load *load, struct hg_orphans *orphans)
{
    for (struct part *part = load->parts; part && load->rc == HG_OK; part = part->next) {
        struct hg_family *family = part->family;

        if (!part->doc && !family->latest && !family->version_count) {
            add_orphan(orphans, family);
            part->family = NULL;
            continue;
        }
        if (!finish(family, part->doc, load->scratch)) {
            const struct hg_row row = {HG_STR(HG_ROW_FAMILY), family->name, HG_STR(""), HG_STR(""),
                                       family->origin};

            load->rc = store_row_damaged(load->store, &row, load->err);
            return;
        }
        hg_arena_reset(load->scratch);
        snapshot_put_family(load->snapshot, family);
        part->family = NULL;
    }
}

enum hg_rc rows_load(struct hg_store *store, struct hg_snapshot *snapshot,
                     struct hg_orphans *orphans, struct hg_error *err)
{
    struct load load = {.store = store, .snapshot = snapshot, .rc = HG_OK, .err = err};
    enum hg_rc rc;

    load.arena = hg_arena_new(ARENA_MAX);
    load.scratch = hg_arena_new(ARENA_MAX);
    hg_map_init(&load.by_name);
    rc = store_rows_read(store, HG_STR(HG_ROW_DOCUMENT), on_row, &load, err);
    if (load.rc == HG_OK)
        load.rc = rc;
    if (load.rc == HG_OK)
        take_families(&load, orphans);
    for (struct part *part = load.parts; part; part = part->next)
        family_unref(part->family);
    hg_map_fini(&load.by_name);
    hg_arena_free(load.arena);
    hg_arena_free(load.scratch);
    return load.rc;
}
