/*
 * The template at start, as a difference to what was applied last: each of its
 * things has a row with the hash of its value, and only a thing whose hash
 * changed is set. config/catalog_apply_parts.c has what belongs to functions.
 */
#include "config/catalog_apply.h"

#include "core/clock.h"
#include "core/id.h"
#include "core/log.h"

enum {
    DOC_MAX = 1 << 26,
    TEMPLATE_LAYER_VERSION = 1, /* a template has one version of each of its layers */
};

static struct hg_str key_of(struct apply *apply, const char *kind, struct hg_str name)
{
    return hg_str_of(hg_arena_printf(apply->edit->arena, "%s %.*s", kind, HG_STR_ARG(name)));
}

static void on_applied(struct hg_str kind, struct hg_str name, const unsigned char *hash, void *arg)
{
    struct apply *apply = arg;
    struct hg_arena *arena = apply->edit->arena;
    struct applied *applied = hg_arena_must(arena, sizeof(*applied));

    applied->kind = hg_arena_strdup(arena, kind);
    applied->name = hg_arena_str(arena, name);
    memcpy(applied->hash, hash, sizeof(applied->hash));
    applied->next = apply->first;
    apply->first = applied;
    (void)hg_map_set(&apply->by_key, key_of(apply, applied->kind, name), applied);
}

bool apply_was_there(struct apply *apply, const char *kind, struct hg_str name)
{
    return hg_map_get(&apply->by_key, key_of(apply, kind, name)) != NULL;
}

bool apply_is_known(struct apply *apply, const char *kind, struct hg_str name,
                    const unsigned char *hash)
{
    struct applied *applied = hg_map_get(&apply->by_key, key_of(apply, kind, name));

    if (!applied)
        return false;
    applied->is_in_template = true;
    return memcmp(applied->hash, hash, sizeof(applied->hash)) == 0;
}

enum hg_rc apply_note(struct apply *apply, const char *kind, struct hg_str name,
                      const unsigned char *hash)
{
    if (name.n > HG_APPLIED_NAME_MAX)
        return hg_error_set(apply->err, HG_E_TOO_LARGE, "the name %.*s is too long",
                            HG_STR_ARG(name));
    return store_applied_put(apply->edit->ground->store, kind, name, hash, apply->err);
}

struct hg_str apply_name(struct apply *apply, struct hg_str function, struct hg_str part)
{
    return hg_str_of(
        hg_arena_printf(apply->edit->arena, "%.*s:%.*s", HG_STR_ARG(function), HG_STR_ARG(part)));
}

struct hg_str apply_new_revision(struct apply *apply)
{
    char revision[HG_UUID_LEN + 1];

    hg_uuid(revision);
    return hg_arena_str(apply->edit->arena, hg_str_of(revision));
}

void apply_hash_function(struct apply *apply, const struct hg_function *function,
                         unsigned char hash[HG_APPLIED_HASH_LEN])
{
    struct hg_function *plain = function_draft(apply->edit->arena, function);
    struct hg_buf text;

    hg_buf_init(&text, DOC_MAX);
    plain->revision_id = plain->published_revision = HG_STR("");
    plain->last_modified_ms = 0;
    plain->line = 0;
    rows_write_function(apply->edit->ground->store, plain, &text);
    hg_sha256(hg_buf_str(&text), hash);
    hg_buf_fini(&text);
}

void apply_hash_fields(const struct hg_fields *type, const void *item,
                       unsigned char hash[HG_APPLIED_HASH_LEN])
{
    struct hg_json json;
    struct hg_buf text;

    hg_buf_init(&text, DOC_MAX);
    json = hg_json_to(&text);
    fields_write(&json, type, item);
    hg_sha256(hg_buf_str(&text), hash);
    hg_buf_fini(&text);
}

void apply_set_active(struct hg_function *draft)
{
    draft->state = HG_STR("Active");
    draft->update_status = HG_STR("Successful");
    draft->state_reason = draft->state_reason_code = draft->update_reason =
        draft->update_reason_code = HG_STR("");
    if (!draft->snap_start.n)
        draft->snap_start = HG_STR("None");
}

/* Family-wide fields count for the versions too. */
static void set_family_wide(struct hg_family *family, const struct hg_function *wanted)
{
    family_set_tags(family, &wanted->tags);
    family_set_reserved(family, wanted->reserved_concurrency);
    family_set_recursion(family, wanted->may_recurse);
}

static void set_latest(struct apply *apply, struct hg_family *family,
                       const struct hg_function *wanted)
{
    struct hg_function *draft = function_draft(apply->edit->arena, wanted);

    draft->revision_id = apply_new_revision(apply);
    draft->last_modified_ms = hg_wall_ms();
    if (family->latest)
        draft->published_revision = family->latest->published_revision;
    apply_set_active(draft);
    family_set_latest(family, draft);
    if (family->version_count)
        set_family_wide(family, wanted);
}

/* A function that the API deleted while its template was not served comes back: routes of the template lead to it. */
static enum hg_rc apply_function(struct apply *apply, const struct hg_function *wanted)
{
    const struct hg_family *there = snapshot_family(edit_snapshot(apply->edit), wanted->name);
    unsigned char hash[HG_APPLIED_HASH_LEN];
    struct hg_family *family;
    bool is_known;

    apply_hash_function(apply, wanted, hash);
    is_known = apply_is_known(apply, APPLIED_FUNCTION, wanted->name, hash);
    if (there && is_known)
        return HG_OK;
    if (there && there->origin == HG_ORIGIN_API)
        hg_warn("template_takes_over",
                "function=%.*s: the management API made it; the template, which has one of that "
                "name, sets its code and configuration now",
                HG_STR_ARG(wanted->name));
    if (there) {
        family = edit_family(apply->edit, wanted->name);
        family->origin = HG_ORIGIN_TEMPLATE;
        set_latest(apply, family, wanted);
    } else {
        family = family_new(wanted->name, HG_ORIGIN_TEMPLATE);
        set_latest(apply, family, wanted);
        edit_add_family(apply->edit, family);
        (void)hg_map_set(&apply->fresh, wanted->name, apply);
        if (apply_was_there(apply, APPLIED_FUNCTION, wanted->name))
            (void)hg_map_set(&apply->again, wanted->name, apply);
    }
    return apply_note(apply, APPLIED_FUNCTION, wanted->name, hash);
}

static enum hg_rc apply_layer(struct apply *apply, const struct hg_stack_layer *wanted)
{
    struct hg_layer_version version = wanted->version;
    unsigned char hash[HG_APPLIED_HASH_LEN];
    struct hg_layer *layer;
    bool is_known;

    apply_hash_fields(&layer_version_fields, &version, hash);
    is_known = apply_is_known(apply, APPLIED_LAYER, wanted->name, hash);
    if (is_known && snapshot_layer(edit_snapshot(apply->edit), wanted->name))
        return HG_OK;
    layer = edit_layer(apply->edit, wanted->name);
    if (!layer) {
        layer = layer_new(wanted->name, HG_ORIGIN_TEMPLATE);
        edit_add_layer(apply->edit, layer);
    }
    version.created_ms = hg_wall_ms();
    /* A number that the API deleted is not given again. */
    if (version.number > layer->last_version || layer_version(layer, version.number))
        layer_put_version(layer, &version);
    return apply_note(apply, APPLIED_LAYER, wanted->name, hash);
}

/* What was attached before the function was known to the store. */
static void adopt(struct hg_edit *edit, const struct hg_orphans *orphans)
{
    for (size_t i = 0; orphans && i < orphans->count; i++) {
        const struct hg_family *orphan = orphans->families[i];
        struct hg_family *family = edit_family(edit, orphan->name);

        for (size_t j = 0; family && j < orphan->attached_count; j++)
            family_put_attached(family, &orphan->attached[j]);
    }
}

static enum hg_rc drop_orphans(struct apply *apply, const struct hg_orphans *orphans)
{
    enum hg_rc rc = HG_OK;

    for (size_t i = 0; rc == HG_OK && orphans && i < orphans->count; i++)
        if (!snapshot_family(edit_snapshot(apply->edit), orphans->families[i]->name))
            rc = rows_drop_attached(apply->edit->ground->store, orphans->families[i], apply->err);
    return rc;
}

/* Versions that were published stay: their numbers may be in use. */
static enum hg_rc drop(struct apply *apply, const struct applied *applied)
{
    struct hg_store *store = apply->edit->ground->store;
    const struct hg_snapshot *snapshot = edit_snapshot(apply->edit);
    struct hg_str part = applied->name, function;
    const struct hg_family *family;
    enum hg_rc rc = store_applied_delete(store, applied->kind, applied->name, apply->err);

    (void)hg_str_next(&part, ':', &function);
    family = snapshot_family(snapshot, function);
    if (rc == HG_OK && strcmp(applied->kind, APPLIED_VERSION) == 0)
        return store_row_delete(store, HG_STR(HG_ROW_TEMPLATE_VERSION), function, part, apply->err);
    if (rc != HG_OK || !family || family->origin != HG_ORIGIN_TEMPLATE)
        return rc;
    if (strcmp(applied->kind, APPLIED_FUNCTION) == 0)
        edit_remove_family(apply->edit, function);
    else
        apply_drop_part(apply, applied->kind, function, part);
    return HG_OK;
}

/* Versions that the API published stay. */
static enum hg_rc drop_layer(struct apply *apply, const struct applied *applied)
{
    const struct hg_layer *there = snapshot_layer(edit_snapshot(apply->edit), applied->name);

    if (there && there->origin == HG_ORIGIN_TEMPLATE)
        (void)layer_remove_version(edit_layer(apply->edit, applied->name), TEMPLATE_LAYER_VERSION);
    return store_applied_delete(apply->edit->ground->store, applied->kind, applied->name,
                                apply->err);
}

static enum hg_rc drop_gone(struct apply *apply)
{
    enum hg_rc rc = HG_OK;

    for (const struct applied *applied = apply->first; rc == HG_OK && applied;
         applied = applied->next) {
        if (applied->is_in_template)
            continue;
        rc = strcmp(applied->kind, APPLIED_LAYER) == 0 ? drop_layer(apply, applied)
                                                       : drop(apply, applied);
    }
    return rc;
}

static enum hg_rc apply_all(struct apply *apply, const struct hg_orphans *orphans)
{
    const struct hg_stack *stack = apply->stack;
    enum hg_rc rc = HG_OK;

    for (size_t i = 0; rc == HG_OK && i < stack->layer_count; i++)
        rc = apply_layer(apply, &stack->layers[i]);
    for (size_t i = 0; rc == HG_OK && i < stack->function_count; i++)
        if (hg_str_is(stack->functions[i]->version, "$LATEST"))
            rc = apply_function(apply, stack->functions[i]);
    if (rc == HG_OK)
        adopt(apply->edit, orphans);
    for (size_t i = 0; rc == HG_OK && i < stack->function_count; i++)
        if (!hg_str_is(stack->functions[i]->version, "$LATEST"))
            rc = apply_version(apply, stack->functions[i]);
    for (size_t i = 0; rc == HG_OK && i < stack->alias_count; i++)
        rc = apply_alias(apply, &stack->aliases[i]);
    for (size_t i = 0; rc == HG_OK && i < stack->url_count; i++)
        rc = apply_url(apply, &stack->urls[i]);
    for (size_t i = 0; rc == HG_OK && i < stack->provisioned_count; i++)
        rc = apply_provisioned(apply, &stack->provisioned[i]);
    for (size_t i = 0; rc == HG_OK && i < stack->permission_count; i++)
        rc = apply_permission(apply, &stack->permissions[i]);
    for (size_t i = 0; rc == HG_OK && i < stack->event_setting_count; i++)
        rc = apply_event_setting(apply, &stack->event_settings[i]);
    if (rc == HG_OK)
        rc = drop_gone(apply);
    return rc == HG_OK ? drop_orphans(apply, orphans) : rc;
}

enum hg_rc catalog_apply(struct hg_edit *edit, const struct hg_orphans *orphans,
                         struct hg_error *err)
{
    struct apply apply = {.edit = edit, .stack = edit->ground->stack, .err = err};
    struct hg_store *store = edit->ground->store;
    enum hg_rc rc;

    edit->has_written = true;
    hg_map_init(&apply.by_key);
    hg_map_init(&apply.fresh);
    hg_map_init(&apply.again);
    hg_map_init(&apply.numbers);
    rc = store_applied_read(store, on_applied, &apply, err);
    if (rc == HG_OK)
        rc = apply_read_numbers(&apply);
    if (rc == HG_OK)
        rc = apply_all(&apply, orphans);
    hg_map_fini(&apply.by_key);
    hg_map_fini(&apply.fresh);
    hg_map_fini(&apply.again);
    hg_map_fini(&apply.numbers);
    return rc;
}
