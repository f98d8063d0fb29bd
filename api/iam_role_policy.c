/*
 * What hangs on a role: policies of its own, and managed ones by their ARNs.
 */
#include "api/iam_parts.h"

static cJSON *take_role(struct iam_op *op, struct hg_str *name)
{
    return iam_take_name(op, "RoleName", IAM_ROLE_NAME_MAX, name) ? iam_load_role(op, *name) : NULL;
}

/* Letters of all policies but the one of that name. */
static size_t other_letters(const cJSON *policies, struct hg_str name)
{
    const cJSON *policy;
    size_t letters = 0;

    cJSON_ArrayForEach(policy, policies)
    {
        if (!hg_str_is(name, iam_text(policy, "Name")))
            letters += strlen(iam_text(policy, "Document"));
    }
    return letters;
}

static bool put_policy(struct iam_op *op, cJSON *role, struct hg_str role_name)
{
    cJSON *policies = iam_list(role, "Policies"), *policy;
    struct hg_str name, document;

    if (!iam_take_name(op, "PolicyName", IAM_POLICY_NAME_MAX, &name) ||
        !iam_take_document(op, "PolicyDocument", IAM_IDENTITY, &document))
        return false;
    if (other_letters(policies, name) + document.n > IAM_INLINE_MAX)
        return iam_fail(op, 409, "LimitExceeded",
                        "Maximum policy size of %d bytes exceeded for role %.*s", IAM_INLINE_MAX,
                        HG_STR_ARG(role_name));
    policy = iam_find(policies, "Name", name);
    if (!policy) {
        policy = cJSON_CreateObject();
        cJSON_AddItemToArray(policies, policy);
    }
    iam_set_text(policy, "Name", name);
    iam_set_text(policy, "Document", document);
    return iam_save(op, IAM_ROLE, role_name, role);
}

bool iam_put_role_policy(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);
    bool is_good = role && put_policy(op, role, name);

    cJSON_Delete(role);
    return is_good;
}

/* The role's policy of that name; NULL: answered. */
static cJSON *take_policy(struct iam_op *op, cJSON *role)
{
    struct hg_str name;
    cJSON *policy;

    if (!iam_take_name(op, "PolicyName", IAM_POLICY_NAME_MAX, &name))
        return NULL;
    policy = iam_find(iam_list(role, "Policies"), "Name", name);
    if (!policy)
        (void)iam_fail(op, 404, "NoSuchEntity", "The role policy with name %.*s cannot be found.",
                       HG_STR_ARG(name));
    return policy;
}

bool iam_get_role_policy(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);
    const cJSON *policy = role ? take_policy(op, role) : NULL;

    if (policy) {
        iam_xml_field(op, "RoleName", role, "RoleName");
        iam_xml_field(op, "PolicyName", policy, "Name");
        iam_xml_document(op, "PolicyDocument", iam_text(policy, "Document"));
    }
    cJSON_Delete(role);
    return policy != NULL;
}

bool iam_delete_role_policy(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);
    cJSON *policy = role ? take_policy(op, role) : NULL;
    bool is_good = policy != NULL;

    if (is_good) {
        cJSON_Delete(cJSON_DetachItemViaPointer(iam_list(role, "Policies"), policy));
        is_good = iam_save(op, IAM_ROLE, name, role);
    }
    cJSON_Delete(role);
    return is_good;
}

/* A page of one of the role's lists, as `element`. */
static bool list_page(struct iam_op *op, const char *list, const char *element,
                      void (*write)(struct iam_op *op, const cJSON *item))
{
    struct hg_str name;
    struct iam_page page;
    cJSON *role = take_role(op, &name);
    const cJSON *item;
    int64_t at = 0;

    if (!role || !iam_take_page(op, &page)) {
        cJSON_Delete(role);
        return false;
    }
    xml_open(&op->out, element);
    cJSON_ArrayForEach(item, iam_list(role, list))
    {
        if (at >= page.first && at < page.first + page.max)
            write(op, item);
        at++;
    }
    xml_close(&op->out, element);
    iam_xml_page_end(op, &page, at);
    cJSON_Delete(role);
    return true;
}

static void write_policy_name(struct iam_op *op, const cJSON *policy)
{
    iam_xml_field(op, "member", policy, "Name");
}

bool iam_list_role_policies(struct iam_op *op)
{
    return list_page(op, "Policies", "PolicyNames", write_policy_name);
}

/* The place of an ARN among those attached; -1. */
static int find_attached(const cJSON *attached, struct hg_str arn)
{
    int at = 0;
    const cJSON *item;

    cJSON_ArrayForEach(item, attached)
    {
        if (cJSON_IsString(item) && hg_str_is(arn, item->valuestring))
            return at;
        at++;
    }
    return -1;
}

/* Policies of ours count how often they are attached; Amazon's exist without being stored here. */
static bool count_attachment(struct iam_op *op, struct hg_str arn, int64_t more)
{
    bool is_there, is_good;
    cJSON *policy;

    if (iam_is_managed_by_aws(arn))
        return true;
    if (!iam_exists(op, IAM_POLICY, arn, &is_there))
        return false;
    if (!is_there)
        return more < 0 ||
               iam_fail(op, 404, "NoSuchEntity", "Policy %.*s does not exist or is not attachable.",
                        HG_STR_ARG(arn));
    policy = iam_load_policy(op, arn);
    if (!policy)
        return false;
    iam_set_number(policy, "AttachmentCount", iam_number(policy, "AttachmentCount") + more);
    is_good = iam_save(op, IAM_POLICY, arn, policy);
    cJSON_Delete(policy);
    return is_good;
}

static bool attach(struct iam_op *op, cJSON *role, struct hg_str name)
{
    cJSON *attached = iam_list(role, "Attached");
    struct hg_str arn;

    if (!iam_take_arn(op, "PolicyArn", &arn))
        return false;
    if (find_attached(attached, arn) >= 0)
        return true;
    if (cJSON_GetArraySize(attached) >= IAM_ATTACHED_MAX)
        return iam_fail(op, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d",
                        IAM_ATTACHED_MAX);
    if (!count_attachment(op, arn, 1))
        return false;
    cJSON_AddItemToArray(attached, cJSON_CreateString(hg_arena_strdup(op->arena, arn)));
    return iam_save(op, IAM_ROLE, name, role);
}

bool iam_attach_role_policy(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);
    bool is_good = role && attach(op, role, name);

    cJSON_Delete(role);
    return is_good;
}

static bool detach(struct iam_op *op, cJSON *role, struct hg_str name)
{
    cJSON *attached = iam_list(role, "Attached");
    struct hg_str arn;
    int at;

    if (!iam_take_arn(op, "PolicyArn", &arn))
        return false;
    at = find_attached(attached, arn);
    if (at < 0)
        return iam_fail(op, 404, "NoSuchEntity", "Policy %.*s was not found.", HG_STR_ARG(arn));
    cJSON_DeleteItemFromArray(attached, at);
    return count_attachment(op, arn, -1) && iam_save(op, IAM_ROLE, name, role);
}

bool iam_detach_role_policy(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);
    bool is_good = role && detach(op, role, name);

    cJSON_Delete(role);
    return is_good;
}

static void write_attached(struct iam_op *op, const cJSON *item)
{
    iam_xml_attached(op, item->valuestring);
}

bool iam_list_attached(struct iam_op *op)
{
    return list_page(op, "Attached", "AttachedPolicies", write_attached);
}

struct entity_list {
    struct iam_op *op;
    struct hg_str arn;
};

static bool list_entity(struct hg_str name, struct hg_str json, void *arg)
{
    struct entity_list *list = arg;
    cJSON *role = cJSON_ParseWithLength(json.p, json.n);

    (void)name;
    if (role && find_attached(iam_list(role, "Attached"), list->arn) >= 0) {
        xml_open(&list->op->out, "member");
        iam_xml_field(list->op, "RoleName", role, "RoleName");
        iam_xml_field(list->op, "RoleId", role, "RoleId");
        xml_close(&list->op->out, "member");
    }
    cJSON_Delete(role);
    return true;
}

bool iam_list_entities(struct iam_op *op)
{
    struct entity_list list = {.op = op};
    struct hg_error err = {""};
    bool is_there;

    if (!iam_take_arn(op, "PolicyArn", &list.arn) ||
        !iam_exists(op, IAM_POLICY, list.arn, &is_there))
        return false;
    if (!is_there && !iam_is_managed_by_aws(list.arn))
        return iam_fail(op, 404, "NoSuchEntity", "Policy %.*s was not found.",
                        HG_STR_ARG(list.arn));
    hg_buf_append_cstr(&op->out, "<PolicyGroups/><PolicyUsers/><PolicyRoles>");
    if (edit_document_each(op->edit, IAM_ROLE, HG_STR(""), list_entity, &list, &err) != HG_OK)
        return iam_fail_store(op, &err);
    hg_buf_append_cstr(&op->out, "</PolicyRoles><IsTruncated>false</IsTruncated>");
    return true;
}
