/*
 * Managed policies and their versions. Those that Amazon manages are taken to
 * exist; what they say is not kept here.
 */
#include "api/iam_parts.h"

#include "core/clock.h"

#include <stdio.h>

enum { DESCRIPTION_MAX = 1000 };

static void write_policy(struct iam_op *op, const char *element, cJSON *policy, bool is_whole)
{
    const cJSON *tags = iam_list(policy, "Tags");

    xml_open(&op->out, element);
    iam_xml_field(op, "PolicyName", policy, "PolicyName");
    iam_xml_field(op, "PolicyId", policy, "PolicyId");
    iam_xml_field(op, "Arn", policy, "Arn");
    iam_xml_field(op, "Path", policy, "Path");
    iam_xml_field(op, "DefaultVersionId", policy, "DefaultVersionId");
    xml_u64(&op->out, "AttachmentCount", (uint64_t)iam_number(policy, "AttachmentCount"));
    xml_u64(&op->out, "PermissionsBoundaryUsageCount", 0);
    xml_bool(&op->out, "IsAttachable", true);
    if (is_whole && iam_text(policy, "Description")[0])
        iam_xml_field(op, "Description", policy, "Description");
    iam_xml_time(op, "CreateDate", policy, "CreateDate");
    iam_xml_time(op, "UpdateDate", policy, "UpdateDate");
    if (is_whole && cJSON_GetArraySize(tags))
        iam_xml_tags(op, tags);
    xml_close(&op->out, element);
}

static void write_version(struct iam_op *op, const char *element, const cJSON *policy,
                          const cJSON *version, bool has_document)
{
    const char *id = iam_text(version, "Id");

    xml_open(&op->out, element);
    if (has_document)
        iam_xml_document(op, "Document", iam_text(version, "Document"));
    xml_text(&op->out, "VersionId", hg_str_of(id));
    xml_bool(&op->out, "IsDefaultVersion", strcmp(id, iam_text(policy, "DefaultVersionId")) == 0);
    iam_xml_time(op, "CreateDate", version, "CreateDate");
    xml_close(&op->out, element);
}

static bool take_document(struct iam_op *op, struct hg_str *document)
{
    size_t letters = 0;

    if (!iam_take_document(op, "PolicyDocument", IAM_IDENTITY, document))
        return false;
    for (size_t i = 0; i < document->n; i++)
        letters += (unsigned char)document->p[i] > ' ';
    return letters <= IAM_MANAGED_MAX ||
           iam_fail(op, 409, "LimitExceeded", "Cannot exceed quota for PolicySize: %d",
                    IAM_MANAGED_MAX);
}

/* A new version at the end; its number was never used before. */
static cJSON *add_version(cJSON *policy, struct hg_str document)
{
    cJSON *version = cJSON_CreateObject();
    int64_t number = iam_number(policy, "LastVersion") + 1;
    char id[24];

    (void)snprintf(id, sizeof(id), "v%lld", (long long)number);
    iam_set_number(policy, "LastVersion", number);
    iam_set_text(version, "Id", hg_str_of(id));
    iam_set_text(version, "Document", document);
    iam_set_number(version, "CreateDate", hg_wall_ms());
    cJSON_AddItemToArray(iam_list(policy, "Versions"), version);
    return version;
}

/* What is kept of one of Amazon's: that there is such a policy. */
static cJSON *amazons(struct hg_str arn)
{
    cJSON *policy = cJSON_CreateObject();
    size_t slash = arn.n;
    struct hg_str path = hg_str_skip(arn, strlen("arn:aws:iam::aws:policy"));

    while (arn.p[slash - 1] != '/')
        slash--;
    path.n -= arn.n - slash;
    iam_set_text(policy, "PolicyName", hg_str_skip(arn, slash));
    iam_set_text(policy, "PolicyId", HG_STR("ANPAAMAZONMANAGEDPOLI"));
    iam_set_text(policy, "Arn", arn);
    iam_set_text(policy, "Path", path);
    (void)add_version(policy, HG_STR("{\"Version\":\"2012-10-17\",\"Statement\":[]}"));
    iam_set_text(policy, "DefaultVersionId", HG_STR("v1"));
    return policy;
}

/* The policy that PolicyArn means, to be freed; NULL: answered. */
static cJSON *take_policy(struct iam_op *op, bool may_be_amazons, struct hg_str *arn)
{
    if (!iam_take_arn(op, "PolicyArn", arn))
        return NULL;
    return may_be_amazons && iam_is_managed_by_aws(*arn) ? amazons(*arn)
                                                         : iam_load_policy(op, *arn);
}

static bool read_new(struct iam_op *op, cJSON *policy, struct hg_str *arn)
{
    struct hg_str name, path, document, description;
    char id[22];

    if (!iam_take_name(op, "PolicyName", IAM_POLICY_NAME_MAX, &name) ||
        !iam_take_path(op, "Path", &path) || !take_document(op, &document) ||
        !iam_take_text(op, "Description", DESCRIPTION_MAX, &description))
        return false;
    iam_make_id("ANPA", id);
    *arn = hg_str_of(hg_arena_printf(op->arena, "arn:aws:iam::%s:policy%.*s%.*s", op->account,
                                     HG_STR_ARG(path), HG_STR_ARG(name)));
    iam_set_text(policy, "PolicyName", name);
    iam_set_text(policy, "PolicyId", hg_str_of(id));
    iam_set_text(policy, "Arn", *arn);
    iam_set_text(policy, "Path", path);
    iam_set_text(policy, "Description", description);
    iam_set_number(policy, "CreateDate", hg_wall_ms());
    iam_set_number(policy, "UpdateDate", hg_wall_ms());
    (void)add_version(policy, document);
    iam_set_text(policy, "DefaultVersionId", HG_STR("v1"));
    return true;
}

static bool check_new(struct iam_op *op, cJSON *policy, struct hg_str arn)
{
    bool is_there;
    size_t count;

    if (!iam_exists(op, IAM_POLICY, arn, &is_there) || !iam_count(op, IAM_POLICY, &count))
        return false;
    if (is_there)
        return iam_fail(op, 409, "EntityAlreadyExists",
                        "A policy called %s already exists. Duplicate names are not allowed.",
                        iam_text(policy, "PolicyName"));
    return count < IAM_POLICIES_MAX ||
           iam_fail(op, 409, "LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: %d",
                    IAM_POLICIES_MAX);
}

bool iam_create_policy(struct iam_op *op)
{
    cJSON *policy = cJSON_CreateObject(), *tags = NULL;
    struct hg_str arn;
    bool is_good = read_new(op, policy, &arn) && check_new(op, policy, arn) &&
                   (tags = iam_take_tags(op)) != NULL;

    if (is_good) {
        cJSON_AddItemToObject(policy, "Tags", tags);
        is_good = iam_save(op, IAM_POLICY, arn, policy);
    }
    if (is_good)
        write_policy(op, "Policy", policy, true);
    cJSON_Delete(policy);
    return is_good;
}

bool iam_get_policy(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, true, &arn);

    if (!policy)
        return false;
    write_policy(op, "Policy", policy, true);
    cJSON_Delete(policy);
    return true;
}

bool iam_delete_policy(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, false, &arn);
    bool is_attached;
    int versions;

    if (!policy)
        return false;
    is_attached = iam_number(policy, "AttachmentCount") > 0;
    versions = cJSON_GetArraySize(iam_list(policy, "Versions"));
    cJSON_Delete(policy);
    if (is_attached)
        return iam_fail(op, 409, "DeleteConflict", "Cannot delete a policy attached to entities.");
    if (versions > 1)
        return iam_fail(op, 409, "DeleteConflict",
                        "This policy has more than one version. Before you delete a policy, you "
                        "must delete the policy's versions. The default version is deleted with "
                        "the policy.");
    return iam_remove(op, IAM_POLICY, arn);
}

struct policy_list {
    struct iam_op *op;
    struct hg_str prefix, last;
    bool is_attached_only, is_truncated;
    int64_t left;
};

static bool list_one(struct hg_str name, struct hg_str json, void *arg)
{
    struct policy_list *list = arg;
    cJSON *policy = cJSON_ParseWithLength(json.p, json.n);

    if (policy && hg_str_starts(hg_str_of(iam_text(policy, "Path")), list->prefix) &&
        (!list->is_attached_only || iam_number(policy, "AttachmentCount") > 0)) {
        list->is_truncated = list->left == 0;
        if (!list->is_truncated) {
            write_policy(list->op, "member", policy, false);
            list->last = hg_arena_str(list->op->arena, name);
            list->left--;
        }
    }
    cJSON_Delete(policy);
    return !list->is_truncated;
}

bool iam_list_policies(struct iam_op *op)
{
    struct hg_str after = iam_param(op, "Marker");
    struct policy_list list = {.op = op, .prefix = iam_param(op, "PathPrefix")};
    struct hg_error err = {""};

    list.is_attached_only = hg_str_is(iam_param(op, "OnlyAttached"), "true");
    if (!iam_take_number(op, "MaxItems", 1, 1000, 100, &list.left))
        return false;
    xml_open(&op->out, "Policies");
    /* Amazon's are not kept, so none of them is listed. */
    if (!hg_str_is(iam_param(op, "Scope"), "AWS") &&
        edit_document_each(op->edit, IAM_POLICY, after.p ? after : HG_STR(""), list_one, &list,
                           &err) != HG_OK)
        return iam_fail_store(op, &err);
    xml_close(&op->out, "Policies");
    xml_bool(&op->out, "IsTruncated", list.is_truncated);
    if (list.is_truncated)
        xml_text(&op->out, "Marker", list.last);
    return true;
}

static bool create_version(struct iam_op *op, cJSON *policy, struct hg_str arn)
{
    struct hg_str document;
    cJSON *version;

    if (!take_document(op, &document))
        return false;
    if (cJSON_GetArraySize(iam_list(policy, "Versions")) >= IAM_VERSIONS_MAX)
        return iam_fail(op, 409, "LimitExceeded",
                        "A managed policy can have up to %d versions. Before you create a new "
                        "version, you must delete an existing version.",
                        IAM_VERSIONS_MAX);
    version = add_version(policy, document);
    iam_set_number(policy, "UpdateDate", hg_wall_ms());
    if (hg_str_is(iam_param(op, "SetAsDefault"), "true"))
        iam_set_text(policy, "DefaultVersionId", hg_str_of(iam_text(version, "Id")));
    if (!iam_save(op, IAM_POLICY, arn, policy))
        return false;
    write_version(op, "PolicyVersion", policy, version, false);
    return true;
}

bool iam_create_policy_version(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, false, &arn);
    bool is_good = policy && create_version(op, policy, arn);

    cJSON_Delete(policy);
    return is_good;
}

/* The version that VersionId means; NULL: answered. */
static cJSON *take_version(struct iam_op *op, cJSON *policy)
{
    struct hg_str id;
    cJSON *version;

    if (!iam_take_name(op, "VersionId", 32, &id))
        return NULL;
    version = iam_find(iam_list(policy, "Versions"), "Id", id);
    if (!version)
        (void)iam_fail(op, 404, "NoSuchEntity",
                       "Policy %s version %.*s does not exist or is not "
                       "attachable.",
                       iam_text(policy, "Arn"), HG_STR_ARG(id));
    return version;
}

bool iam_get_policy_version(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, true, &arn);
    const cJSON *version = policy ? take_version(op, policy) : NULL;

    if (version)
        write_version(op, "PolicyVersion", policy, version, true);
    cJSON_Delete(policy);
    return version != NULL;
}

bool iam_list_policy_versions(struct iam_op *op)
{
    struct hg_str arn;
    struct iam_page page;
    cJSON *policy = take_policy(op, true, &arn);
    cJSON *versions = policy ? iam_list(policy, "Versions") : NULL;
    int count = cJSON_GetArraySize(versions);

    if (!policy || !iam_take_page(op, &page)) {
        cJSON_Delete(policy);
        return false;
    }
    xml_open(&op->out, "Versions");
    for (int64_t at = page.first; at < page.first + page.max && at < count; at++)
        write_version(op, "member", policy, cJSON_GetArrayItem(versions, count - 1 - (int)at),
                      false);
    xml_close(&op->out, "Versions");
    iam_xml_page_end(op, &page, count);
    cJSON_Delete(policy);
    return true;
}

bool iam_delete_policy_version(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, false, &arn);
    cJSON *version = policy ? take_version(op, policy) : NULL;
    bool is_good = version != NULL;

    if (is_good && strcmp(iam_text(version, "Id"), iam_text(policy, "DefaultVersionId")) == 0)
        is_good =
            iam_fail(op, 409, "DeleteConflict", "Cannot delete the default version of a policy.");
    if (is_good) {
        cJSON_Delete(cJSON_DetachItemViaPointer(iam_list(policy, "Versions"), version));
        is_good = iam_save(op, IAM_POLICY, arn, policy);
    }
    cJSON_Delete(policy);
    return is_good;
}

bool iam_set_default_version(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, false, &arn);
    const cJSON *version = policy ? take_version(op, policy) : NULL;
    bool is_good = version != NULL;

    if (is_good) {
        iam_set_text(policy, "DefaultVersionId", hg_str_of(iam_text(version, "Id")));
        iam_set_number(policy, "UpdateDate", hg_wall_ms());
        is_good = iam_save(op, IAM_POLICY, arn, policy);
    }
    cJSON_Delete(policy);
    return is_good;
}

bool iam_tag_policy(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, false, &arn), *tags = policy ? iam_take_tags(op) : NULL;
    bool is_good = tags && iam_merge_tags(op, iam_list(policy, "Tags"), tags) &&
                   iam_save(op, IAM_POLICY, arn, policy);

    cJSON_Delete(tags);
    cJSON_Delete(policy);
    return is_good;
}

bool iam_untag_policy(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, false, &arn);
    bool is_good = policy != NULL;

    if (is_good) {
        iam_remove_tags(op, iam_list(policy, "Tags"));
        is_good = iam_save(op, IAM_POLICY, arn, policy);
    }
    cJSON_Delete(policy);
    return is_good;
}

bool iam_list_policy_tags(struct iam_op *op)
{
    struct hg_str arn;
    cJSON *policy = take_policy(op, true, &arn);

    if (!policy)
        return false;
    iam_xml_tags(op, iam_list(policy, "Tags"));
    xml_bool(&op->out, "IsTruncated", false);
    cJSON_Delete(policy);
    return true;
}
