/*
 * What the changes of functions have in common: revisions, states, and who may
 * not change now.
 */
#include "api/lambda_function.h"

#include "api/change_answer.h"
#include "core/clock.h"

static const char only_functions[] =
    "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
    "operation. Please specify either a function name or an unqualified function ARN.";

enum hg_rc function_check_revision(struct hg_api_change *change, const struct hg_function *latest)
{
    struct hg_str revision = input_str(change->input, "RevisionId");

    if (!revision.n || hg_str_eq(revision, latest->revision_id))
        return HG_OK;
    return change_refuse(change, HG_API_PRECONDITION,
                         "The Revision Id provided does not match the latest Revision Id. Call the "
                         "GetFunction/GetAlias API to retrieve the latest Revision Id");
}

void function_renew(struct hg_api_change *change, struct hg_function *draft)
{
    draft->revision_id = change_revision(change);
    draft->last_modified_ms = hg_steady_ms();
    draft->state = HG_STR("Active");
    draft->state_reason = draft->state_reason_code = HG_STR("");
    draft->update_status = HG_STR("Successful");
    draft->update_reason = draft->update_reason_code = HG_STR("");
}

void function_say_pending(struct hg_api_change *change, struct hg_function *draft)
{
    draft->revision_id = change_revision(change);
    draft->state = HG_STR("Pending");
    draft->state_reason = HG_STR("The function is being created.");
    draft->state_reason_code = HG_STR("Creating");
    draft->update_status = draft->update_reason = draft->update_reason_code = HG_STR("");
}

void function_say_updating(struct hg_api_change *change, struct hg_function *draft)
{
    draft->revision_id = change_revision(change);
    draft->state = HG_STR("Active");
    draft->update_status = HG_STR("InProgress");
    draft->update_reason = HG_STR("The function is being created.");
    draft->update_reason_code = HG_STR("Creating");
}

void function_refuse_busy(struct hg_api_change *change)
{
    struct hg_snapshot *snapshot = registry_current(catalog_registry(change->catalog));

    change_abandon(change, HG_API_CONFLICT,
                   "The operation cannot be performed at this time. An update is in progress for "
                   "resource: arn:aws:lambda:%.*s:%.*s:function:%.*s",
                   HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account),
                   HG_STR_ARG(change->ref.name));
    snapshot_unref(snapshot);
}

enum hg_rc function_check_unqualified(struct hg_api_change *change)
{
    if (!change->ref.qualifier.n || hg_str_is(change->ref.qualifier, "$LATEST"))
        return HG_OK;
    return change_refuse(change, HG_API_INVALID_PARAMETER, "%s", only_functions);
}

bool function_may_change(struct hg_api_change *change)
{
    if (function_check_unqualified(change) != HG_OK) {
        change_abandon(change, change->error, "%s", change->message);
        return false;
    }
    if (!code_is_claimed(change->call, change->ref.name))
        return true;
    function_refuse_busy(change);
    return false;
}
