/*
 * AddPermission, RemovePermission, GetPolicy: resource policies of functions, versions and aliases (function-api.md §10). They are
 * stored and returned; calls are not held against them.
 */
#include "api/change_answer.h"
#include "config/policy_doc.h"

enum { POLICY_ANSWER_MAX = 256 << 10 };

static bool is_number(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n > 0;
}

/* What a policy belongs to: an alias, or a version (the latest included). */
struct target {
    struct hg_str qualifier; /* of the policy: "" for the function itself */
    struct hg_alias *alias;
    struct hg_function *function;
};

static enum hg_rc find_target(struct hg_api_change *change, struct hg_edit *edit,
                              struct hg_family *family, struct target *target)
{
    struct hg_str qualifier = change->ref.qualifier;

    *target = (struct target){.qualifier = qualifier};
    if (hg_str_is(qualifier, "$LATEST"))
        target->qualifier = HG_STR("");
    if (target->qualifier.n == 0 || is_number(qualifier)) {
        target->function = change_version(change, edit, family, target->qualifier);
        return target->function ? HG_OK : HG_E_INVALID;
    }
    target->alias = family_alias(family, qualifier);
    if (target->alias)
        return HG_OK;
    (void)change_refuse(change, HG_API_NOT_FOUND, "Cannot find alias arn: %.*s",
                        HG_STR_ARG(change_arn(change, edit, qualifier)));
    return HG_E_INVALID;
}

/* A new RevisionId for what the policy belongs to. */
static enum hg_rc touch(struct hg_edit *edit, struct hg_family *family, const struct target *target,
                        struct hg_str revision)
{
    struct hg_alias alias;

    if (target->function) {
        change_touch(edit, family, target->function, revision);
        return HG_OK;
    }
    alias = *target->alias;
    alias.revision_id = revision;
    return family_put_alias(family, &alias, alias.function->version,
                            alias.weighted ? alias.weighted->version : HG_STR(""));
}

/* The caller may have read the id from the policy or from what it belongs to. */
static enum hg_rc check_revision(struct hg_api_change *change, const struct hg_policy *policy,
                                 const struct target *target)
{
    struct hg_str given = input_str(change->input, "RevisionId"),
                  own = target->alias ? target->alias->revision_id : target->function->revision_id;

    if (!given.p || hg_str_eq(given, own) || (policy && hg_str_eq(given, policy->revision_id)))
        return HG_OK;
    return change_refuse(change, HG_API_PRECONDITION,
                         "The Revision Id provided does not match the latest Revision Id. Call the "
                         "GetPolicy API to retrieve the latest Revision Id");
}

static enum hg_rc check_terms(struct hg_api_change *change, const struct policy_terms *terms)
{
    if (!policy_principal_is_valid(terms->principal))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "The provided principal was invalid. Please check the principal and try again.");
    if (terms->url_auth_type.p && !hg_str_is(terms->action, "lambda:InvokeFunctionUrl"))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action");
    if (terms->is_via_url && !hg_str_is(terms->action, "lambda:InvokeFunction"))
        return change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action");
    return HG_OK;
}

static struct policy_terms read_terms(const cJSON *input, struct hg_str resource)
{
    return (struct policy_terms){
        .sid = input_str(input, "StatementId"),
        .principal = input_str(input, "Principal"),
        .action = input_str(input, "Action"),
        .resource = resource,
        .source_account = input_str(input, "SourceAccount"),
        .url_auth_type = input_str(input, "FunctionUrlAuthType"),
        .org_id = input_str(input, "PrincipalOrgID"),
        .event_token = input_str(input, "EventSourceToken"),
        .source_arn = input_str(input, "SourceArn"),
        .is_via_url = input_bool(input, "InvokedViaFunctionUrl", false),
    };
}

static enum hg_rc answer_statement(struct hg_api_change *change, struct hg_str statement)
{
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);
    enum hg_rc rc;

    hg_buf_init(&buf, POLICY_ANSWER_MAX);
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "Statement", statement);
    hg_json_end_object(&json);
    rc = change_answer(change, 201, &buf);
    hg_buf_fini(&buf);
    return rc;
}

/* Everything is checked but the whole policy's size. */
static enum hg_rc put_statement(struct hg_api_change *change, struct hg_edit *edit,
                                struct hg_family *family, const struct target *target,
                                const struct policy_terms *terms)
{
    struct hg_str revision = change_revision(change);
    struct hg_statement statement = {terms->sid, policy_statement_json(change->arena, terms)};
    struct hg_policy policy = policy_with(change->arena, family_policy(family, target->qualifier),
                                          target->qualifier, &statement, revision);
    size_t size = policy_json(change->arena, &policy).n;
    enum hg_rc rc;

    if (size > HG_POLICY_BYTES_MAX)
        return change_refuse(change, HG_API_POLICY_LENGTH,
                             "The final policy size (%zu) is bigger than the limit (%d).", size,
                             HG_POLICY_BYTES_MAX);
    family_put_policy(family, &policy);
    rc = touch(edit, family, target, revision);
    return rc == HG_OK ? answer_statement(change, statement.json) : rc;
}

static enum hg_rc add(struct hg_api_change *change, struct hg_edit *edit)
{
    struct policy_terms terms;
    const struct hg_policy *policy;
    struct hg_family *family;
    struct target target;

    if (hg_str_is(change->ref.qualifier, "$LATEST"))
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "We currently do not support adding policies for $LATEST.");
    family = change_family(change, edit);
    if (!family || find_target(change, edit, family, &target) != HG_OK)
        return HG_E_INVALID;
    terms = read_terms(change->input, change_arn(change, edit, target.qualifier));
    policy = family_policy(family, target.qualifier);
    if (check_terms(change, &terms) != HG_OK || check_revision(change, policy, &target) != HG_OK)
        return HG_E_INVALID;
    if (policy && policy_find(policy, terms.sid))
        return change_refuse(change, HG_API_CONFLICT,
                             "The statement id (%.*s) provided already exists. Please provide a "
                             "new statement id, or remove the existing statement.",
                             HG_STR_ARG(terms.sid));
    return put_statement(change, edit, family, &target, &terms);
}

void lambda_add_permission(struct hg_call *call)
{
    change_submit(call, true, add, change_respond_answer);
}

static enum hg_rc remove_statement(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str sid = input_str(change->input, "StatementId"), revision;
    struct hg_family *family = edit_family(edit, change->ref.name);
    const struct hg_policy *policy;
    struct hg_policy next;
    struct target target;

    if (!family)
        return change_refuse(change, HG_API_NOT_FOUND, "No policy found for: %.*s",
                             HG_STR_ARG(change_arn(change, edit, HG_STR(""))));
    if (find_target(change, edit, family, &target) != HG_OK)
        return HG_E_INVALID;
    policy = family_policy(family, target.qualifier);
    if (!policy)
        return change_refuse(change, HG_API_NOT_FOUND,
                             "No policy is associated with the given resource.");
    if (!policy_find(policy, sid))
        return change_refuse(change, HG_API_NOT_FOUND,
                             "Statement %.*s is not found in resource policy.", HG_STR_ARG(sid));
    if (check_revision(change, policy, &target) != HG_OK)
        return HG_E_INVALID;
    revision = change_revision(change);
    next = policy_without(change->arena, policy, sid, revision);
    if (next.statement_count)
        family_put_policy(family, &next);
    else
        (void)family_remove_policy(family, target.qualifier);
    return touch(edit, family, &target, revision) == HG_OK ? change_answer(change, 204, NULL)
                                                           : HG_E_INVALID;
}

void lambda_remove_permission(struct hg_call *call)
{
    change_submit(call, true, remove_statement, change_respond_answer);
}

static void respond_policy(struct hg_call *call, const struct hg_snapshot *snapshot,
                           const struct hg_function_ref *ref)
{
    const struct hg_family *family = snapshot_family(snapshot, ref->name);
    struct hg_str qualifier = hg_str_is(ref->qualifier, "$LATEST") ? HG_STR("") : ref->qualifier;
    const struct hg_policy *policy = family ? family_policy(family, qualifier) : NULL;
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    if (!policy) {
        call_fail(call, HG_API_NOT_FOUND, "The resource you requested does not exist.");
        return;
    }
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "Policy", policy_json(call->req->arena, policy));
    hg_json_field_str(&json, "RevisionId", policy->revision_id);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_get_policy(struct hg_call *call)
{
    lambda_look(call, respond_policy);
}
