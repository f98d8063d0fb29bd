/*
 * PublishVersion. Code that is a folder is copied first, on a helper thread, so
 * that what was published stays as it was.
 */
#include "api/lambda_function.h"

#include "api/change_answer.h"
#include "api/lambda_code_parts.h"

#include <inttypes.h>

/* The last version, when $LATEST has not changed since. */
static const struct hg_function *unchanged(const struct hg_family *family)
{
    const struct hg_function *last =
        family->version_count ? family->versions[family->version_count - 1] : NULL;
    uint64_t number = 0;

    if (!last || !hg_str_u64(last->version, UINT64_MAX, &number) || number != family->last_version)
        return NULL;
    /* The first sees a version that was given a description of its own; the second, changes that were taken back. */
    if (hg_str_eq(family->latest->revision_id, family->latest->published_revision) ||
        function_is_same(family->latest, last))
        return last;
    return NULL;
}

const struct hg_function *function_publish(struct hg_api_change *change, struct hg_edit *edit,
                                           struct hg_family *family, struct hg_str code_dir,
                                           struct hg_str description)
{
    const struct hg_function *last = unchanged(family);
    struct hg_function *draft;
    struct hg_str number;

    if (last)
        return last;
    number = hg_str_of(hg_arena_printf(edit_arena(edit), "%" PRIu64, family->last_version + 1));
    draft = function_draft(edit_arena(edit), family->latest);
    function_renew(change, draft);
    draft->last_modified_ms = family->latest->last_modified_ms;
    draft->version = number;
    draft->published_revision = HG_STR("");
    if (code_dir.p)
        draft->code_dir = code_dir;
    if (description.p)
        draft->description = description;
    family_add_version(family, draft);
    draft = function_draft(edit_arena(edit), family->latest);
    draft->revision_id = change_revision(change);
    draft->published_revision = draft->revision_id;
    family_set_latest(family, draft);
    return family_version(family, number);
}

/* ---- the operation ---- */

/* A copy of code that is a folder, made before the change. */
struct freeze {
    struct hg_job job;
    struct hg_code_service *service;
    struct hg_api_change *change;
    struct hg_function *latest; /* whose code is copied */
    struct hg_package package;
    enum hg_rc rc;
    struct hg_error err;
};

static enum hg_rc copy_code(struct freeze *freeze, const struct hg_function *latest)
{
    struct hg_arena *arena = freeze->change->arena;

    freeze->package = (struct hg_package){.dir = hg_arena_str(arena, latest->code_dir),
                                          .zip = HG_STR(""),
                                          .sha256 = hg_arena_str(arena, latest->code_sha256),
                                          .size = latest->code_size};
    return package_freeze(arena, freeze->service->data_dir, &freeze->package, &freeze->err);
}

static enum hg_rc check_publish(struct hg_api_change *change, const struct hg_function *latest)
{
    struct hg_str sha = input_str(change->input, "CodeSha256");

    if (sha.n && !hg_str_eq(sha, latest->code_sha256))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "CodeSHA256 (%.*s) is different from current CodeSHA256 in $LATEST (%.*s). "
            "Please try again with the CodeSHA256 in $LATEST.",
            HG_STR_ARG(sha), HG_STR_ARG(latest->code_sha256));
    return function_check_revision(change, latest);
}

static enum hg_rc publish(struct hg_api_change *change, struct hg_edit *edit)
{
    struct freeze *freeze = change->user;
    struct hg_family *family = change_family(change, edit);
    const struct hg_function *version;
    struct hg_function *draft;
    struct hg_str dir = {NULL, 0};
    uint64_t last_version;
    enum hg_rc rc;

    if (!family)
        return HG_E_INVALID;
    rc = check_publish(change, family->latest);
    if (rc != HG_OK)
        return rc;
    if (!family->latest->code_zip.n) {
        /* It may have changed since; then it is copied here, which is rare. */
        if (!freeze->latest || !hg_str_eq(freeze->latest->code_dir, family->latest->code_dir) ||
            !hg_str_eq(freeze->latest->code_sha256, family->latest->code_sha256))
            freeze->rc = copy_code(freeze, family->latest);
        if (freeze->rc != HG_OK)
            return change_refuse(change, HG_API_SERVICE, "%s", freeze->err.text);
        dir = freeze->package.dir;
    }
    last_version = family->last_version;
    version = function_publish(change, edit, family, dir, input_str(change->input, "Description"));
    draft = function_draft(change->arena, version);
    /* The service takes its time to make a snapshot of the initialised function. */
    if (family->last_version != last_version && hg_str_is(version->snap_start, "PublishedVersions"))
        function_say_pending(change, draft);
    draft->revision_id = version->revision_id;
    return function_answer(change, 201, draft, version->version);
}

static void freeze_latest(struct hg_job *job)
{
    struct freeze *freeze = hg_container_of(job, struct freeze, job);

    freeze->rc = copy_code(freeze, freeze->latest);
}

static void end_freeze(void *ptr)
{
    struct freeze *freeze = ptr;

    function_unref(freeze->latest);
    code_service_unref(freeze->service);
}

static void on_frozen(struct hg_job *job)
{
    struct freeze *freeze = hg_container_of(job, struct freeze, job);
    struct hg_api_change *change = freeze->change;

    code_service_unref(freeze->service); /* the job's */
    if (atomic_load(&freeze->service->is_closed))
        change_abandon(change, HG_API_SERVICE_BUSY, "Headgate is shutting down");
    else
        change_send(change, publish, function_respond);
}

void lambda_publish_version(struct hg_call *call)
{
    struct hg_api_change *change = change_begin(call, true);
    struct hg_snapshot *snapshot;
    const struct hg_family *family;
    struct freeze *freeze;

    if (!change || !function_may_change(change))
        return;
    freeze = hg_arena_must(change->arena, sizeof(*freeze));
    freeze->service = code_service_ref(call->api->code);
    freeze->change = change;
    change->user = freeze;
    hg_arena_defer(change->arena, end_freeze, freeze);
    snapshot = registry_current(catalog_registry(change->catalog));
    family = snapshot_family(snapshot, change->ref.name);
    if (family && !family->latest->code_zip.n)
        freeze->latest = function_ref(family->latest);
    snapshot_unref(snapshot);
    if (!freeze->latest) {
        change_send(change, publish, function_respond);
        return;
    }
    freeze->job.work = freeze_latest;
    freeze->job.done = on_frozen;
    code_service_submit(freeze->service, change->home, &freeze->job);
}
