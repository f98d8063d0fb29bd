/*
 * A change in the making. Private copies stand in the next snapshot at once, so
 * that it always shows what the change did so far; what was there before is
 * kept, to tell the store the difference.
 */
#include "config/catalog_edit.h"

enum { ARENA_MAX = 1 << 30 };

enum touch_kind { TOUCH_FAMILY = 'f', TOUCH_LAYER = 'l', TOUCH_MAPPING = 'm' };

struct edit_touch {
    struct edit_touch *next;
    enum touch_kind kind;
    struct hg_str name;
    struct hg_counted *before; /* a reference; NULL: it was not there */
};

void edit_init(struct hg_edit *edit, const struct edit_ground *ground,
               const struct hg_snapshot *base)
{
    *edit = (struct hg_edit){.ground = ground};
    edit->arena = hg_arena_new(ARENA_MAX);
    edit->next = snapshot_copy(base);
    hg_map_init(&edit->by_key);
}

static struct hg_pmap *map_of(struct hg_edit *edit, enum touch_kind kind)
{
    switch (kind) {
    case TOUCH_FAMILY:
        return &edit->next->families;
    case TOUCH_LAYER:
        return &edit->next->layers;
    case TOUCH_MAPPING:
        break;
    }
    return &edit->next->mappings;
}

static void drop_touched(struct hg_edit *edit)
{
    for (struct edit_touch *touch = edit->touched; touch; touch = touch->next)
        if (touch->before && hg_counted_unref(touch->before))
            map_of(edit, touch->kind)->type->free(touch->before);
    edit->touched = NULL;
    hg_map_fini(&edit->by_key);
    hg_map_init(&edit->by_key);
}

struct hg_snapshot *edit_take(struct hg_edit *edit)
{
    return snapshot_ref(edit->next);
}

void edit_fini(struct hg_edit *edit)
{
    drop_touched(edit);
    hg_map_fini(&edit->by_key);
    snapshot_unref(edit->next);
    hg_arena_free(edit->arena);
}

const struct hg_snapshot *edit_snapshot(struct hg_edit *edit)
{
    return edit->next;
}

struct hg_arena *edit_arena(struct hg_edit *edit)
{
    return edit->arena;
}

static struct edit_touch *find_touch(struct hg_edit *edit, enum touch_kind kind, struct hg_str name,
                                     struct hg_str *key)
{
    *key = hg_str_of(hg_arena_printf(edit->arena, "%c%.*s", (int)kind, HG_STR_ARG(name)));
    return hg_map_get(&edit->by_key, *key);
}

/* Notes what is there before the first alteration. */
static struct edit_touch *touch(struct hg_edit *edit, enum touch_kind kind, struct hg_str name)
{
    struct hg_str key;
    struct edit_touch *touched = find_touch(edit, kind, name, &key);

    edit->is_altered = true;
    if (touched)
        return touched;
    touched = hg_arena_must(edit->arena, sizeof(*touched));
    touched->kind = kind;
    touched->name = hg_str_skip(key, 1);
    touched->before = hg_pmap_get(map_of(edit, kind), name);
    if (touched->before)
        hg_counted_ref(touched->before);
    touched->next = edit->touched;
    edit->touched = touched;
    (void)hg_map_set(&edit->by_key, key, touched);
    return touched;
}

static struct hg_counted *copy_of(enum touch_kind kind, struct hg_counted *from)
{
    switch (kind) {
    case TOUCH_FAMILY:
        return &family_copy(hg_container_of(from, struct hg_family, counted))->counted;
    case TOUCH_LAYER:
        return &layer_copy(hg_container_of(from, struct hg_layer, counted))->counted;
    case TOUCH_MAPPING:
        break;
    }
    return &mapping_copy(hg_container_of(from, struct hg_mapping, counted))->counted;
}

/* The private copy; NULL when there is none of that name. */
static struct hg_counted *open_one(struct hg_edit *edit, enum touch_kind kind, struct hg_str name)
{
    struct hg_pmap *map = map_of(edit, kind);
    struct hg_counted *there = hg_pmap_get(map, name), *copy;
    struct edit_touch *touched;

    if (!there)
        return NULL;
    touched = touch(edit, kind, name);
    if (touched->before != there)
        return there;
    copy = copy_of(kind, there);
    hg_pmap_put(map, copy);
    return copy;
}

static void add_one(struct hg_edit *edit, enum touch_kind kind, struct hg_str name,
                    struct hg_counted *counted)
{
    hg_assert(!hg_pmap_get(map_of(edit, kind), name));
    (void)touch(edit, kind, name);
    hg_pmap_put(map_of(edit, kind), counted);
}

static void remove_one(struct hg_edit *edit, enum touch_kind kind, struct hg_str name)
{
    if (!hg_pmap_get(map_of(edit, kind), name))
        return;
    name = touch(edit, kind, name)->name; /* the given one may be of what goes */
    (void)hg_pmap_remove(map_of(edit, kind), name);
}

struct hg_family *edit_family(struct hg_edit *edit, struct hg_str name)
{
    struct hg_counted *counted = open_one(edit, TOUCH_FAMILY, name);

    return counted ? hg_container_of(counted, struct hg_family, counted) : NULL;
}

void edit_add_family(struct hg_edit *edit, struct hg_family *family)
{
    add_one(edit, TOUCH_FAMILY, family->name, &family->counted);
}

void edit_remove_family(struct hg_edit *edit, struct hg_str name)
{
    remove_one(edit, TOUCH_FAMILY, name);
}

struct hg_layer *edit_layer(struct hg_edit *edit, struct hg_str name)
{
    struct hg_counted *counted = open_one(edit, TOUCH_LAYER, name);

    return counted ? hg_container_of(counted, struct hg_layer, counted) : NULL;
}

void edit_add_layer(struct hg_edit *edit, struct hg_layer *layer)
{
    add_one(edit, TOUCH_LAYER, layer->name, &layer->counted);
}

struct hg_mapping *edit_mapping(struct hg_edit *edit, struct hg_str uuid)
{
    struct hg_counted *counted = open_one(edit, TOUCH_MAPPING, uuid);

    return counted ? hg_container_of(counted, struct hg_mapping, counted) : NULL;
}

void edit_add_mapping(struct hg_edit *edit, struct hg_mapping *mapping)
{
    add_one(edit, TOUCH_MAPPING, mapping->uuid, &mapping->counted);
}

void edit_remove_mapping(struct hg_edit *edit, struct hg_str uuid)
{
    remove_one(edit, TOUCH_MAPPING, uuid);
}

/* Documents */

static struct hg_str document_kind(struct hg_edit *edit, const char *kind)
{
    return hg_str_of(hg_arena_printf(edit->arena, HG_ROW_DOCUMENT "%s", kind));
}

enum hg_rc edit_document_put(struct hg_edit *edit, const char *kind, struct hg_str name,
                             struct hg_str json, struct hg_error *err)
{
    const struct hg_row row = {document_kind(edit, kind), name, HG_STR(""), json, HG_ORIGIN_API};

    edit->has_written = true;
    return store_row_put(edit->ground->store, &row, err);
}

enum hg_rc edit_document_delete(struct hg_edit *edit, const char *kind, struct hg_str name,
                                struct hg_error *err)
{
    edit->has_written = true;
    return store_row_delete(edit->ground->store, document_kind(edit, kind), name, HG_STR(""), err);
}

struct one_document {
    struct hg_arena *arena;
    struct hg_str json;
};

static bool on_document(const struct hg_row *row, void *arg)
{
    struct one_document *document = arg;

    document->json = hg_arena_str(document->arena, row->doc);
    return true;
}

enum hg_rc edit_document_get(struct hg_edit *edit, const char *kind, struct hg_str name,
                             struct hg_str *json, struct hg_error *err)
{
    struct one_document document = {edit->arena, {NULL, 0}};
    enum hg_rc rc = store_row_get(edit->ground->store, document_kind(edit, kind), name, HG_STR(""),
                                  on_document, &document, err);

    *json = document.json;
    return rc;
}

struct each_document {
    edit_document_fn each;
    void *arg;
};

static bool on_each_document(const struct hg_row *row, void *arg)
{
    struct each_document *walk = arg;

    return walk->each(row->name, row->doc, walk->arg);
}

enum hg_rc edit_document_each(struct hg_edit *edit, const char *kind, struct hg_str after,
                              edit_document_fn each, void *arg, struct hg_error *err)
{
    struct each_document walk = {each, arg};

    return store_rows_of(edit->ground->store, document_kind(edit, kind), after, on_each_document,
                         &walk, err);
}

/* The end of a change */

static enum hg_rc write_one(struct hg_edit *edit, const struct edit_touch *touched,
                            struct hg_error *err)
{
    struct hg_counted *after = hg_pmap_get(map_of(edit, touched->kind), touched->name);
    struct hg_store *store = edit->ground->store;

    if (after == touched->before)
        return HG_OK;
#define OF(type, ptr) ((ptr) ? hg_container_of(ptr, type, counted) : NULL)
    switch (touched->kind) {
    case TOUCH_FAMILY:
        return rows_put_family(store, OF(struct hg_family, touched->before),
                               OF(struct hg_family, after), err);
    case TOUCH_LAYER:
        return rows_put_layer(store, OF(struct hg_layer, touched->before),
                              OF(struct hg_layer, after), err);
    case TOUCH_MAPPING:
        break;
    }
    return rows_put_mapping(store, OF(struct hg_mapping, touched->before),
                            OF(struct hg_mapping, after), err);
#undef OF
}

/* Through the snapshot's own door, which sees what it was and what it becomes. */
static void settle_family(struct hg_edit *edit, const struct edit_touch *touched)
{
    struct hg_snapshot *next = edit->next;
    struct hg_counted *after = hg_pmap_get(&next->families, touched->name);

    if (after == touched->before)
        return;
    if (after)
        hg_counted_ref(after);
    if (touched->before) {
        hg_counted_ref(touched->before);
        hg_pmap_put(&next->families, touched->before);
    } else {
        (void)hg_pmap_remove(&next->families, touched->name);
    }
    if (after)
        snapshot_put_family(next, hg_container_of(after, struct hg_family, counted));
    else
        (void)snapshot_remove_family(next, touched->name);
}

enum hg_rc edit_write(struct hg_edit *edit, struct hg_error *err)
{
    enum hg_rc rc = HG_OK;

    for (struct edit_touch *touched = edit->touched; touched && rc == HG_OK;
         touched = touched->next)
        rc = write_one(edit, touched, err);
    if (rc != HG_OK)
        return rc;
    for (struct edit_touch *touched = edit->touched; touched; touched = touched->next)
        if (touched->kind == TOUCH_FAMILY)
            settle_family(edit, touched);
    return HG_OK;
}

/* Reset */

static void empty(struct hg_pmap *map)
{
    const struct hg_pmap_type *type = map->type;

    hg_pmap_fini(map);
    hg_pmap_init(map, type);
}

/* What a template made in an earlier life of the program, as it is. */
static void keep_template_made(struct hg_edit *edit, const struct hg_snapshot *former)
{
    struct hg_pmap_at at = {0};
    const struct hg_family *family;
    struct hg_counted *counted;

    while ((family = snapshot_next_family(former, &at)))
        if (family->origin == HG_ORIGIN_TEMPLATE)
            edit_add_family(edit, family_copy(family));
    at = (struct hg_pmap_at){0};
    while ((counted = hg_pmap_next(&former->layers, &at)))
        if (hg_container_of(counted, struct hg_layer, counted)->origin == HG_ORIGIN_TEMPLATE)
            edit_add_layer(edit, layer_copy(hg_container_of(counted, struct hg_layer, counted)));
}

enum hg_rc edit_reset(struct hg_edit *edit, struct hg_error *err)
{
    struct hg_snapshot *former = snapshot_copy(edit->next);
    enum hg_rc rc = store_clear(edit->ground->store, err);

    edit->has_written = edit->is_altered = true;
    drop_touched(edit);
    empty(&edit->next->families);
    empty(&edit->next->layers);
    empty(&edit->next->mappings);
    empty(&edit->next->urls);
    if (rc == HG_OK && edit->ground->has_template)
        rc = catalog_apply(edit, NULL, err);
    else if (rc == HG_OK)
        keep_template_made(edit, former);
    snapshot_unref(former);
    return rc;
}
