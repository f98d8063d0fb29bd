/*
 * What a template says of its functions: versions, aliases, URLs, provisioned
 * concurrency, policies, event invoke configs.
 */
#include "config/catalog_apply.h"
#include "config/event_config_doc.h"
#include "config/package.h"
#include "config/policy_doc.h"
#include "core/clock.h"
#include "core/log.h"

#include <inttypes.h>

enum { DOC_MAX = 1 << 16 };

static bool on_number(const struct hg_row *row, void *arg)
{
    struct apply *apply = arg;

    (void)hg_map_set(&apply->numbers, apply_name(apply, row->name, row->sub),
                     hg_arena_strdup(apply->edit->arena, row->doc));
    return true;
}

enum hg_rc apply_read_numbers(struct apply *apply)
{
    return store_rows_of(apply->edit->ground->store, HG_STR(HG_ROW_TEMPLATE_VERSION), HG_STR(""),
                         on_number, apply, apply->err);
}

/* Whether the thing is as it was applied last, and what the API did to it since then stays. */
static bool is_settled(struct apply *apply, const char *kind, struct hg_str function,
                       struct hg_str part, const unsigned char *hash)
{
    bool is_known = apply_is_known(apply, kind, apply_name(apply, function, part), hash);

    return is_known && !hg_map_get(&apply->fresh, function);
}

/* The number here of a version of the template. */
static struct hg_str number_of(struct apply *apply, const struct hg_function *version)
{
    const char *number;

    if (hg_str_is(version->version, "$LATEST"))
        return version->version;
    number = hg_map_get(&apply->numbers, apply_name(apply, version->name, version->version));
    return number ? hg_str_of(number) : version->version;
}

/* Code that is a folder used in place may change: what is published is a copy. */
static void freeze_code(struct apply *apply, struct hg_function *draft)
{
    struct hg_package package = {.dir = draft->code_dir, .sha256 = draft->code_sha256};
    struct hg_error err = {""};

    if (package_freeze(apply->edit->arena, apply->edit->ground->data_dir, &package, &err) == HG_OK)
        draft->code_dir = package.dir;
    else
        hg_warn("code_not_copied",
                "function=%.*s version=%.*s: its code stays a folder that may change: %s",
                HG_STR_ARG(draft->name), HG_STR_ARG(draft->version), err.text);
}

/* The next number, or the template's own when no higher one was ever given. */
static void publish(struct apply *apply, struct hg_family *family, const struct hg_function *wanted,
                    struct hg_str *number)
{
    struct hg_function *draft = function_draft(apply->edit->arena, wanted);
    uint64_t own, next = family->last_version + 1;

    if (hg_str_u64(wanted->version, UINT64_MAX, &own) && own > next)
        next = own;
    *number = hg_str_of(hg_arena_printf(apply->edit->arena, "%" PRIu64, next));
    draft->version = *number;
    draft->revision_id = apply_new_revision(apply);
    draft->last_modified_ms = hg_wall_ms();
    draft->tags = family->latest->tags;
    draft->reserved_concurrency = family->latest->reserved_concurrency;
    draft->may_recurse = family->latest->may_recurse;
    apply_set_active(draft);
    freeze_code(apply, draft);
    family_add_version(family, draft);
}

/* A template may have several versions of one code, to tell apart. */
static bool is_new_number(struct apply *apply, const struct hg_family *family,
                          const struct hg_function *wanted)
{
    uint64_t own;

    return !hg_map_get(&apply->numbers, apply_name(apply, wanted->name, wanted->version)) &&
           hg_str_u64(wanted->version, UINT64_MAX, &own) && own > family->last_version;
}

enum hg_rc apply_version(struct apply *apply, const struct hg_function *wanted)
{
    struct hg_str name = apply_name(apply, wanted->name, wanted->version), number;
    unsigned char hash[HG_APPLIED_HASH_LEN];
    const struct hg_function *newest;
    struct hg_family *family;
    struct hg_row row;
    enum hg_rc rc;

    apply_hash_function(apply, wanted, hash);
    if (is_settled(apply, APPLIED_VERSION, wanted->name, wanted->version, hash))
        return HG_OK;
    family = edit_family(apply->edit, wanted->name);
    newest = family->version_count ? family->versions[family->version_count - 1] : NULL;
    if (newest && !is_new_number(apply, family, wanted) && function_is_same(newest, wanted))
        number = hg_arena_str(apply->edit->arena, newest->version);
    else
        publish(apply, family, wanted, &number);
    (void)hg_map_set(&apply->numbers, name, hg_arena_strdup(apply->edit->arena, number));
    row = (struct hg_row){HG_STR(HG_ROW_TEMPLATE_VERSION), wanted->name, wanted->version, number,
                          HG_ORIGIN_TEMPLATE};
    rc = store_row_put(apply->edit->ground->store, &row, apply->err);
    return rc == HG_OK ? apply_note(apply, APPLIED_VERSION, name, hash) : rc;
}

enum hg_rc apply_alias(struct apply *apply, const struct hg_alias *wanted)
{
    struct hg_str version = number_of(apply, wanted->function),
                  weighted = wanted->weighted ? number_of(apply, wanted->weighted) : HG_STR("");
    unsigned char hash[HG_APPLIED_HASH_LEN];
    struct hg_alias alias = *wanted;
    struct hg_family *family;
    struct hg_buf text;
    enum hg_rc rc;

    hg_buf_init(&text, DOC_MAX);
    hg_buf_printf(&text, "%.*s %.*s %.17g %.*s", HG_STR_ARG(version), HG_STR_ARG(weighted),
                  wanted->weight, HG_STR_ARG(wanted->description));
    hg_sha256(hg_buf_str(&text), hash);
    hg_buf_fini(&text);
    if (is_settled(apply, APPLIED_ALIAS, wanted->function_name, wanted->name, hash))
        return HG_OK;
    alias.revision_id = apply_new_revision(apply);
    family = edit_family(apply->edit, wanted->function_name);
    rc = family_put_alias(family, &alias, version, weighted);
    if (rc != HG_OK) {
        hg_warn("alias_kept",
                "function=%.*s alias=%.*s: the version that the template means was deleted",
                HG_STR_ARG(wanted->function_name), HG_STR_ARG(wanted->name));
        return HG_OK;
    }
    return apply_note(apply, APPLIED_ALIAS, apply_name(apply, wanted->function_name, wanted->name),
                      hash);
}

enum hg_rc apply_url(struct apply *apply, const struct hg_url *wanted)
{
    struct hg_str function = wanted->function->name;
    unsigned char hash[HG_APPLIED_HASH_LEN];
    const struct hg_url *there;
    struct hg_family *family;
    struct hg_url url = *wanted;

    apply_hash_fields(&url_fields, wanted, hash);
    if (is_settled(apply, APPLIED_URL, function, wanted->qualifier, hash))
        return HG_OK;
    family = edit_family(apply->edit, function);
    there = family_url(family, wanted->qualifier);
    url.modified_ms = hg_wall_ms();
    url.created_ms = there ? there->created_ms : url.modified_ms;
    family_put_url(family, &url);
    return apply_note(apply, APPLIED_URL, apply_name(apply, function, wanted->qualifier), hash);
}

enum hg_rc apply_provisioned(struct apply *apply, const struct hg_stack_provisioned *wanted)
{
    struct hg_provisioned provisioned = {.qualifier = wanted->qualifier,
                                         .requested = wanted->requested};
    unsigned char hash[HG_APPLIED_HASH_LEN];
    struct hg_family *family;

    apply_hash_fields(&provisioned_fields, &provisioned, hash);
    if (is_settled(apply, APPLIED_PROVISIONED, wanted->function_name, wanted->qualifier, hash))
        return HG_OK;
    family = edit_family(apply->edit, wanted->function_name);
    if (!family)
        return HG_OK;
    if (!family_alias(family, wanted->qualifier)) {
        const char *number = hg_map_get(
            &apply->numbers, apply_name(apply, wanted->function_name, wanted->qualifier));

        provisioned.qualifier = number ? hg_str_of(number) : wanted->qualifier;
    }
    provisioned.modified_ms = hg_wall_ms();
    family_put_provisioned(family, &provisioned);
    return apply_note(apply, APPLIED_PROVISIONED,
                      apply_name(apply, wanted->function_name, wanted->qualifier), hash);
}

enum hg_rc apply_permission(struct apply *apply, const struct hg_stack_permission *wanted)
{
    struct hg_arena *arena = apply->edit->arena;
    struct hg_str part = apply_name(apply, wanted->qualifier, wanted->statement.sid);
    unsigned char hash[HG_APPLIED_HASH_LEN];
    const struct hg_policy *there;
    struct hg_policy policy, others;
    struct hg_family *family;

    hg_sha256(wanted->statement.json, hash);
    if (is_settled(apply, APPLIED_PERMISSION, wanted->function_name, part, hash))
        return HG_OK;
    family = edit_family(apply->edit, wanted->function_name);
    if (!family)
        return HG_OK;
    there = family_policy(family, wanted->qualifier);
    if (there && policy_find(there, wanted->statement.sid)) {
        others = policy_without(arena, there, wanted->statement.sid, there->revision_id);
        there = &others;
    }
    policy =
        policy_with(arena, there, wanted->qualifier, &wanted->statement, apply_new_revision(apply));
    family_put_policy(family, &policy);
    return apply_note(apply, APPLIED_PERMISSION, apply_name(apply, wanted->function_name, part),
                      hash);
}

/* part is "qualifier:Sid". */
static void drop_permission(struct apply *apply, struct hg_family *family, struct hg_str part)
{
    struct hg_str sid = part, qualifier;
    const struct hg_policy *there;
    struct hg_policy policy;

    (void)hg_str_next(&sid, ':', &qualifier);
    there = family_policy(family, qualifier);
    if (!there || !policy_find(there, sid))
        return;
    policy = policy_without(apply->edit->arena, there, sid, apply_new_revision(apply));
    if (policy.statement_count)
        family_put_policy(family, &policy);
    else
        (void)family_remove_policy(family, qualifier);
}

static void hash_setting(const struct hg_event_setting *setting,
                         unsigned char hash[HG_APPLIED_HASH_LEN])
{
    struct hg_buf text;

    hg_buf_init(&text, 4 * HG_DESTINATION_MAX);
    hg_buf_printf(&text, "%d %d %.*s %.*s", setting->max_retries, setting->max_age_s,
                  HG_STR_ARG(setting->on_success), HG_STR_ARG(setting->on_failure));
    hg_sha256(hg_buf_str(&text), hash);
    hg_buf_fini(&text);
}

enum hg_rc apply_event_setting(struct apply *apply, const struct hg_event_setting *wanted)
{
    unsigned char hash[HG_APPLIED_HASH_LEN];
    struct hg_family *family;
    bool is_known;

    hash_setting(wanted, hash);
    /* Those that the first schema kept were there before the function was: it may be fresh, but not made again. */
    is_known = apply_is_known(apply, APPLIED_EVENT_CONFIG,
                              apply_name(apply, wanted->function_name, wanted->qualifier), hash);
    if (is_known && !hg_map_get(&apply->again, wanted->function_name))
        return HG_OK;
    family = edit_family(apply->edit, wanted->function_name);
    if (!family)
        return HG_OK;
    event_setting_attach(family, wanted);
    return apply_note(apply, APPLIED_EVENT_CONFIG,
                      apply_name(apply, wanted->function_name, wanted->qualifier), hash);
}

/* What the API made anew after deleting the template's stays. */
static void drop_setting(struct apply *apply, struct hg_str function, struct hg_str qualifier)
{
    struct hg_family *family = edit_family(apply->edit, function);
    const struct hg_str kind = HG_STR(HG_ATTACHED_EVENT_CONFIG);
    const struct hg_attached *attached = family_attached(family, kind, qualifier);
    struct hg_event_config config;
    bool by_template;

    if (attached && event_config_read(attached->json, &config, &by_template) && by_template)
        (void)family_remove_attached(family, kind, qualifier);
}

void apply_drop_part(struct apply *apply, const char *kind, struct hg_str function,
                     struct hg_str part)
{
    struct hg_family *family = edit_family(apply->edit, function);

    if (strcmp(kind, APPLIED_ALIAS) == 0)
        (void)family_remove_alias(family, part);
    else if (strcmp(kind, APPLIED_URL) == 0)
        (void)family_remove_url(family, part);
    else if (strcmp(kind, APPLIED_PROVISIONED) == 0)
        (void)family_remove_provisioned(family, part);
    else if (strcmp(kind, APPLIED_PERMISSION) == 0)
        drop_permission(apply, family, part);
    else if (strcmp(kind, APPLIED_EVENT_CONFIG) == 0)
        drop_setting(apply, function, part);
}
