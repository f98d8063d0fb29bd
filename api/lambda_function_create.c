/*
 * CreateFunction: the archive is taken from the call, what can be checked is
 * checked, the archive is unpacked, and the function comes into being in one change.
 */
#include "api/lambda_function.h"

#include "api/change_answer.h"

enum { TIMEOUT_S = 3, MEMORY_MB = 128, EPHEMERAL_MB = 512 };

static void set_defaults(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                         struct hg_function *draft)
{
    struct hg_str name = change->ref.name;

    draft->name = name;
    draft->arn = lambda_arn(change->arena, snapshot, name, HG_STR(""));
    draft->version = HG_STR("$LATEST");
    draft->architecture = HG_STR("x86_64");
    draft->tracing_mode = HG_STR("PassThrough");
    draft->log_format = HG_STR("Text");
    draft->log_group =
        hg_str_of(hg_arena_printf(change->arena, "/aws/lambda/%.*s", HG_STR_ARG(name)));
    draft->snap_start = HG_STR("None");
    draft->timeout_s = TIMEOUT_S;
    draft->memory_mb = MEMORY_MB;
    draft->ephemeral_mb = EPHEMERAL_MB;
    draft->reserved_concurrency = -1;
}

/* Everything but the code. */
static enum hg_rc make_draft(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                             struct hg_function **out)
{
    struct hg_function *draft = hg_arena_must(change->arena, sizeof(*draft));

    *out = draft;
    if (snapshot_family(snapshot, change->ref.name))
        return change_refuse(change, HG_API_CONFLICT, "Function already exist: %.*s",
                             HG_STR_ARG(change->ref.name));
    set_defaults(change, snapshot, draft);
    return function_take_input(change, snapshot, draft);
}

static enum hg_rc create(struct hg_api_change *change, struct hg_edit *edit)
{
    const struct hg_package *package = change->user;
    struct hg_family *family;
    struct hg_function *draft;
    enum hg_rc rc = make_draft(change, edit_snapshot(edit), &draft);

    if (rc != HG_OK)
        return rc;
    draft->code_dir = package->dir;
    draft->code_zip = package->zip;
    draft->code_sha256 = package->sha256;
    draft->code_size = package->size;
    rc = function_check_size(change, draft);
    if (rc != HG_OK)
        return rc;
    function_renew(change, draft);
    family = family_new(change->ref.name, HG_ORIGIN_API);
    family_set_latest(family, draft);
    edit_add_family(edit, family);
    if (input_bool(change->input, "Publish", false)) {
        family = edit_family(edit, change->ref.name);
        draft =
            function_draft(change->arena, function_publish(change, edit, family, hg_str_n(NULL, 0),
                                                           hg_str_n(NULL, 0)));
    }
    function_say_pending(change, draft);
    return function_answer(change, 201, draft, HG_STR(""));
}

static void on_stored(struct hg_api_change *change, const struct hg_package *package)
{
    struct hg_package *kept = hg_arena_must(change->arena, sizeof(*kept));

    *kept = *package;
    change->user = kept;
    change_send(change, create, function_respond);
}

/* What is wrong with the call before its code was looked at. */
static enum hg_rc check(struct hg_api_change *change, const struct hg_upload *upload)
{
    const cJSON *input = change->input, *code = input_get(input, "Code");
    struct hg_snapshot *snapshot;
    struct hg_function *draft;
    enum hg_rc rc;

    if (input_has(code, "ImageUri"))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Container images are not run here: Code.ImageUri is not available; give an "
            "archive in Code.ZipFile, or in Code.S3Bucket and Code.S3Key");
    if (!input_has(input, "Runtime") || !input_str(input, "Handler").n)
        if (!hg_str_is(input_str(input, "PackageType"), "Image"))
            return change_refuse(
                change, HG_API_INVALID_PARAMETER,
                "Runtime and Handler are mandatory parameters for functions created "
                "with deployment packages.");
    rc = function_check_unqualified(change);
    if (rc != HG_OK)
        return rc;
    snapshot = registry_current(catalog_registry(change->catalog));
    rc = make_draft(change, snapshot, &draft);
    snapshot_unref(snapshot);
    if (rc != HG_OK)
        return rc;
    return code_check_source(change, upload, code);
}

static void on_upload(struct hg_call *call, struct hg_upload *upload)
{
    struct hg_api_change *change = change_begin(call, true);

    if (!change) {
        upload_free(upload);
    } else if (check(change, upload) != HG_OK) {
        upload_free(upload);
        change_abandon(change, change->error, "%s", change->message);
    } else {
        code_store(change, upload, input_get(change->input, "Code"), on_stored);
    }
}

void lambda_create_function(struct hg_call *call)
{
    code_upload(call, "Code", on_upload);
}
