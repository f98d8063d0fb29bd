/*
 * AddLayerVersionPermission, RemoveLayerVersionPermission, GetLayerVersionPolicy (function-api.md §11).
 */
#include "api/change_answer.h"
#include "api/lambda_layer.h"
#include "config/family.h"
#include "config/policy_doc.h"

enum { POLICY_ANSWER_MAX = 256 << 10 };

/* The version whose policy changes, to copy and to put again. NULL: refused. */
static struct hg_layer_version *find_version(struct hg_api_change *change, struct hg_edit *edit,
                                             struct hg_layer **layer)
{
    struct hg_layer_version *version = NULL;
    struct layer_ref ref;
    struct hg_str arn;

    if (!layer_change_ref(change, edit, &ref))
        return NULL;
    *layer = edit_layer(edit, ref.name);
    if (*layer)
        version = layer_version(*layer, ref.number);
    if (version)
        return version;
    arn = layer_arn(change->arena, edit_snapshot(edit), ref.name, ref.number);
    (void)change_refuse(change, HG_API_NOT_FOUND, "Layer version %.*s does not exist.",
                        HG_STR_ARG(arn));
    return NULL;
}

static enum hg_rc check_revision(struct hg_api_change *change, const struct hg_policy *policy)
{
    struct hg_str given = input_str(change->input, "RevisionId");

    if (!given.p || hg_str_eq(given, policy->revision_id))
        return HG_OK;
    return change_refuse(change, HG_API_PRECONDITION,
                         "The Revision Id provided does not match the latest Revision Id. Call the "
                         "GetLayerPolicy API to retrieve the latest Revision Id");
}

static enum hg_rc answer_statement(struct hg_api_change *change, struct hg_str statement,
                                   struct hg_str revision)
{
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);
    enum hg_rc rc;

    hg_buf_init(&buf, POLICY_ANSWER_MAX);
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "Statement", statement);
    hg_json_field_str(&json, "RevisionId", revision);
    hg_json_end_object(&json);
    rc = change_answer(change, 201, &buf);
    hg_buf_fini(&buf);
    return rc;
}

static enum hg_rc add(struct hg_api_change *change, struct hg_edit *edit)
{
    const cJSON *input = change->input;
    struct hg_layer *layer;
    struct hg_layer_version *version = find_version(change, edit, &layer), next;
    struct policy_terms terms = {.sid = input_str(input, "StatementId"),
                                 .principal = input_str(input, "Principal"),
                                 .action = input_str(input, "Action"),
                                 .org_id = input_str(input, "OrganizationId")};
    struct hg_statement statement;
    size_t size;

    if (!version || check_revision(change, &version->policy) != HG_OK)
        return HG_E_INVALID;
    if (policy_find(&version->policy, terms.sid))
        return change_refuse(change, HG_API_CONFLICT,
                             "The statement id (%.*s) provided already exists. Please provide a "
                             "new statement id, or remove the existing statement.",
                             HG_STR_ARG(terms.sid));
    terms.resource = version->arn;
    statement = (struct hg_statement){terms.sid, policy_statement_json(change->arena, &terms)};
    next = *version;
    next.policy = policy_with(change->arena, &version->policy, HG_STR(""), &statement,
                              change_revision(change));
    size = policy_json(change->arena, &next.policy).n;
    if (size > HG_POLICY_BYTES_MAX)
        return change_refuse(change, HG_API_POLICY_LENGTH,
                             "The final policy size (%zu) is bigger than the limit (%d).", size,
                             HG_POLICY_BYTES_MAX);
    layer_put_version(layer, &next);
    return answer_statement(change, statement.json, next.policy.revision_id);
}

void lambda_add_layer_permission(struct hg_call *call)
{
    change_submit(call, false, add, change_respond_answer);
}

static enum hg_rc remove_statement(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str sid = input_str(change->input, "StatementId");
    struct hg_layer *layer;
    struct hg_layer_version *version = find_version(change, edit, &layer), next;

    if (!version)
        return HG_E_INVALID;
    if (version->policy.statement_count == 0)
        return change_refuse(change, HG_API_NOT_FOUND,
                             "No policy is associated with the given resource.");
    if (check_revision(change, &version->policy) != HG_OK)
        return HG_E_INVALID;
    if (!policy_find(&version->policy, sid))
        return change_refuse(change, HG_API_NOT_FOUND,
                             "Statement %.*s is not found in resource policy.", HG_STR_ARG(sid));
    next = *version;
    next.policy = policy_without(change->arena, &version->policy, sid, change_revision(change));
    layer_put_version(layer, &next);
    return change_answer(change, 204, NULL);
}

void lambda_remove_layer_permission(struct hg_call *call)
{
    change_submit(call, false, remove_statement, change_respond_answer);
}

static void respond_policy(struct hg_call *call, const struct hg_snapshot *snapshot,
                           const struct layer_ref *ref)
{
    const struct hg_layer_version *version = layer_find_version(snapshot, ref);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    if (!version) {
        struct hg_str arn = layer_arn(call->req->arena, snapshot, ref->name, ref->number);

        call_fail(call, HG_API_NOT_FOUND, "Layer version %.*s does not exist.", HG_STR_ARG(arn));
        return;
    }
    if (version->policy.statement_count == 0) {
        call_fail(call, HG_API_NOT_FOUND, "No policy is associated with the given resource.");
        return;
    }
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "Policy", policy_json(call->req->arena, &version->policy));
    hg_json_field_str(&json, "RevisionId", version->policy.revision_id);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_get_layer_policy(struct hg_call *call)
{
    struct hg_snapshot *snapshot;
    struct layer_ref ref;

    if (!layer_read_ref(call, &ref))
        return;
    snapshot = registry_current(call->api->options.registry);
    if (layer_ref_is_own(snapshot, &ref))
        respond_policy(call, snapshot, &ref);
    else
        call_deny(call);
    snapshot_unref(snapshot);
}
