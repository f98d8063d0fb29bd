/*
 * UpdateFunctionCode and UpdateFunctionConfiguration.
 */
#include "api/lambda_function.h"

#include "api/change_answer.h"

/* The present $LATEST of the function, as a draft. NULL: refused. */
static struct hg_function *draft_of(struct hg_api_change *change, struct hg_edit *edit)
{
    const struct hg_family *family = snapshot_family(edit_snapshot(edit), change->ref.name);

    if (!family) {
        (void)change_refuse(change, HG_API_NOT_FOUND, "Function not found: %.*s",
                            HG_STR_ARG(change_arn(change, edit, HG_STR(""))));
        return NULL;
    }
    if (function_check_revision(change, family->latest) != HG_OK)
        return NULL;
    return function_draft(change->arena, family->latest);
}

/* ---- configuration ---- */

static enum hg_rc update_configuration(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_function *draft = draft_of(change, edit);
    enum hg_rc rc;

    if (!draft)
        return HG_E_INVALID;
    rc = function_take_input(change, edit_snapshot(edit), draft);
    if (rc == HG_OK && input_has(change->input, "Layers"))
        rc = function_check_size(change, draft);
    if (rc != HG_OK)
        return rc;
    function_renew(change, draft);
    family_set_latest(edit_family(edit, change->ref.name), draft);
    function_say_updating(change, draft);
    return function_answer(change, 200, draft, HG_STR(""));
}

void lambda_update_function_configuration(struct hg_call *call)
{
    struct hg_api_change *change = change_begin(call, true);

    if (change && function_may_change(change))
        change_send(change, update_configuration, function_respond);
}

/* ---- code ---- */

static void take_code(struct hg_api_change *change, struct hg_function *draft)
{
    const struct hg_package *package = change->user;
    const cJSON *architectures = input_get(change->input, "Architectures");

    draft->code_dir = package->dir;
    draft->code_zip = package->zip;
    draft->code_sha256 = package->sha256;
    draft->code_size = package->size;
    if (cJSON_GetArraySize(architectures))
        draft->architecture = hg_str_of(cJSON_GetStringValue(cJSON_GetArrayItem(architectures, 0)));
}

static enum hg_rc update_code(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_function *draft = draft_of(change, edit);
    const struct hg_function *version;
    struct hg_family *family;
    enum hg_rc rc;

    if (!draft)
        return HG_E_INVALID;
    take_code(change, draft);
    rc = function_check_size(change, draft);
    if (rc != HG_OK)
        return rc;
    if (input_bool(change->input, "DryRun", false))
        return function_answer(change, 200, draft, HG_STR(""));
    function_renew(change, draft);
    family = edit_family(edit, change->ref.name);
    family_set_latest(family, draft);
    if (!input_bool(change->input, "Publish", false)) {
        function_say_updating(change, draft);
        return function_answer(change, 200, draft, HG_STR(""));
    }
    version = function_publish(change, edit, family, hg_str_n(NULL, 0), hg_str_n(NULL, 0));
    draft = function_draft(change->arena, version);
    function_say_pending(change, draft);
    draft->revision_id = version->revision_id;
    return function_answer(change, 200, draft, version->version);
}

static void on_stored(struct hg_api_change *change, const struct hg_package *package)
{
    struct hg_package *kept = hg_arena_must(change->arena, sizeof(*kept));

    *kept = *package;
    change->user = kept;
    change_send(change, update_code, function_respond);
}

/* What is wrong with the call before its code was looked at. */
static enum hg_rc check(struct hg_api_change *change, const struct hg_upload *upload)
{
    const cJSON *input = change->input;
    struct hg_snapshot *snapshot = registry_current(catalog_registry(change->catalog));
    const struct hg_family *family = snapshot_family(snapshot, change->ref.name);
    enum hg_rc rc = HG_OK;

    if (!family)
        rc = change_refuse(
            change, HG_API_NOT_FOUND, "Function not found: %.*s",
            HG_STR_ARG(lambda_arn(change->arena, snapshot, change->ref.name, HG_STR(""))));
    else
        rc = function_check_revision(change, family->latest);
    snapshot_unref(snapshot);
    if (rc != HG_OK)
        return rc;
    if (input_has(input, "ImageUri"))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Please don't provide ImageUri when updating a function with packageType "
            "Zip.");
    return code_check_source(change, upload, input);
}

static void on_upload(struct hg_call *call, struct hg_upload *upload)
{
    struct hg_api_change *change = change_begin(call, true);

    if (!change) {
        upload_free(upload);
        return;
    }
    if (!function_may_change(change)) {
        upload_free(upload);
        return;
    }
    if (check(change, upload) != HG_OK) {
        upload_free(upload);
        change_abandon(change, change->error, "%s", change->message);
        return;
    }
    /* Since the look another loop may have been faster. */
    if (!code_claim(change, change->ref.name)) {
        upload_free(upload);
        function_refuse_busy(change);
        return;
    }
    code_store(change, upload, change->input, on_stored);
}

void lambda_update_function_code(struct hg_call *call)
{
    code_upload(call, NULL, on_upload);
}
