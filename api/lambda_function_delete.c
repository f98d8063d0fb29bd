/*
 * DeleteFunction: a function with all that belongs to it, or one version. Logs
 * and events that wait stay.
 */
#include "api/lambda_function.h"

#include "api/change_answer.h"

static bool is_version(struct hg_str qualifier)
{
    uint64_t number;

    return hg_str_u64(qualifier, UINT64_MAX, &number);
}

/* The names of aliases that lead to the version: "live, canary"; "" for none. */
static struct hg_str aliases_of(struct hg_arena *arena, const struct hg_family *family,
                                struct hg_str version)
{
    struct hg_str names = HG_STR("");

    for (size_t i = 0; i < family->alias_count; i++) {
        const struct hg_alias *alias = &family->aliases[i];

        if (hg_str_eq(alias->function->version, version) ||
            (alias->weighted && hg_str_eq(alias->weighted->version, version)))
            names = hg_str_of(hg_arena_printf(arena, "%.*s%s%.*s", HG_STR_ARG(names),
                                              names.n ? ", " : "", HG_STR_ARG(alias->name)));
    }
    return names;
}

static void remove_attached(struct hg_family *family, struct hg_str qualifier)
{
    size_t i = 0;

    while (i < family->attached_count) {
        const struct hg_attached *item = &family->attached[i];

        if (!hg_str_eq(item->qualifier, qualifier) ||
            !family_remove_attached(family, item->kind, qualifier))
            i++;
    }
}

static enum hg_rc delete_version(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str version = change->ref.qualifier, aliases;
    const struct hg_family *present = snapshot_family(edit_snapshot(edit), change->ref.name);
    struct hg_family *family;

    if (!family_version(present, version))
        return HG_OK;
    aliases = aliases_of(change->arena, present, version);
    if (aliases.n)
        return change_refuse(change, HG_API_CONFLICT,
                             "Unable to delete version because the following aliases reference it: "
                             "[%.*s]",
                             HG_STR_ARG(aliases));
    family = edit_family(edit, change->ref.name);
    (void)family_remove_version(family, version);
    (void)family_remove_policy(family, version);
    (void)family_remove_provisioned(family, version);
    remove_attached(family, version);
    return HG_OK;
}

static enum hg_rc delete_function(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str qualifier = change->ref.qualifier;

    if (!snapshot_family(edit_snapshot(edit), change->ref.name))
        return change_refuse(change, HG_API_NOT_FOUND, "Function not found: %.*s",
                             HG_STR_ARG(change_arn(change, edit, HG_STR(""))));
    if (hg_str_is(qualifier, "$LATEST"))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "$LATEST version cannot be deleted without deleting the function.");
    if (is_version(qualifier))
        return delete_version(change, edit);
    if (qualifier.n)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Deletion of aliases is not currently supported.");
    edit_remove_family(edit, change->ref.name);
    return HG_OK;
}

static void respond_empty(struct hg_api_change *change)
{
    call_respond_empty(change->call, 204);
}

void lambda_delete_function(struct hg_call *call)
{
    change_submit(call, true, delete_function, respond_empty);
}
