/*
 * Roles.
 */
#include "api/iam_parts.h"

#include "core/clock.h"

enum {
    DESCRIPTION_MAX = 1000,
    SESSION_MIN_S = 3600,
    SESSION_MAX_S = 43200,
};

static void write_boundary(struct iam_op *op, const cJSON *role)
{
    if (!iam_text(role, "Boundary")[0])
        return;
    hg_buf_append_cstr(&op->out, "<PermissionsBoundary><PermissionsBoundaryType>Policy"
                                 "</PermissionsBoundaryType>");
    iam_xml_field(op, "PermissionsBoundaryArn", role, "Boundary");
    xml_close(&op->out, "PermissionsBoundary");
}

/* element is "Role" or "member"; lists do not tell tags and boundaries. */
static void write_role(struct iam_op *op, const char *element, cJSON *role, bool is_whole)
{
    xml_open(&op->out, element);
    iam_xml_field(op, "Path", role, "Path");
    iam_xml_field(op, "RoleName", role, "RoleName");
    iam_xml_field(op, "RoleId", role, "RoleId");
    iam_xml_field(op, "Arn", role, "Arn");
    iam_xml_time(op, "CreateDate", role, "CreateDate");
    iam_xml_document(op, "AssumeRolePolicyDocument", iam_text(role, "Trust"));
    if (iam_text(role, "Description")[0])
        iam_xml_field(op, "Description", role, "Description");
    xml_u64(&op->out, "MaxSessionDuration", (uint64_t)iam_number(role, "MaxSessionDuration"));
    if (is_whole) {
        const cJSON *tags = iam_list(role, "Tags");

        write_boundary(op, role);
        if (cJSON_GetArraySize(tags))
            iam_xml_tags(op, tags);
        hg_buf_append_cstr(&op->out, "<RoleLastUsed/>");
    }
    xml_close(&op->out, element);
}

struct new_role {
    struct hg_str name, path, trust, description, boundary;
    int64_t session_s;
};

static bool read_new_role(struct iam_op *op, struct new_role *role)
{
    role->boundary = iam_param(op, "PermissionsBoundary");
    return iam_take_name(op, "RoleName", IAM_ROLE_NAME_MAX, &role->name) &&
           iam_take_path(op, "Path", &role->path) &&
           iam_take_document(op, "AssumeRolePolicyDocument", IAM_TRUST, &role->trust) &&
           iam_take_text(op, "Description", DESCRIPTION_MAX, &role->description) &&
           iam_take_number(op, "MaxSessionDuration", SESSION_MIN_S, SESSION_MAX_S, SESSION_MIN_S,
                           &role->session_s) &&
           (!role->boundary.p || iam_take_arn(op, "PermissionsBoundary", &role->boundary));
}

static bool check_trust_length(struct iam_op *op, struct hg_str trust)
{
    return trust.n <= IAM_TRUST_MAX ||
           iam_fail(op, 409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d",
                    IAM_TRUST_MAX);
}

static cJSON *make_role(struct iam_op *op, const struct new_role *from, cJSON *tags)
{
    cJSON *role = cJSON_CreateObject();
    char id[22];
    const char *arn;

    iam_make_id("AROA", id);
    arn = hg_arena_printf(op->arena, "arn:aws:iam::%s:role%.*s%.*s", op->account,
                          HG_STR_ARG(from->path), HG_STR_ARG(from->name));
    iam_set_text(role, "RoleName", from->name);
    iam_set_text(role, "Path", from->path);
    iam_set_text(role, "RoleId", hg_str_of(id));
    iam_set_text(role, "Arn", hg_str_of(arn));
    iam_set_number(role, "CreateDate", hg_wall_ms());
    iam_set_text(role, "Trust", from->trust);
    iam_set_text(role, "Description", from->description);
    iam_set_number(role, "MaxSessionDuration", from->session_s);
    if (from->boundary.n)
        iam_set_text(role, "Boundary", from->boundary);
    cJSON_AddItemToObject(role, "Tags", tags);
    return role;
}

bool iam_create_role(struct iam_op *op)
{
    struct new_role from;
    bool is_there, is_made;
    size_t count;
    cJSON *tags, *role;

    if (!read_new_role(op, &from) || !check_trust_length(op, from.trust) ||
        !iam_exists(op, IAM_ROLE, from.name, &is_there))
        return false;
    if (is_there)
        return iam_fail(op, 409, "EntityAlreadyExists", "Role with name %.*s already exists.",
                        HG_STR_ARG(from.name));
    if (!iam_count(op, IAM_ROLE, &count))
        return false;
    if (count >= IAM_ROLES_MAX)
        return iam_fail(op, 409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: %d",
                        IAM_ROLES_MAX);
    tags = iam_take_tags(op);
    if (!tags)
        return false;
    role = make_role(op, &from, tags);
    is_made = iam_save(op, IAM_ROLE, from.name, role);
    if (is_made)
        write_role(op, "Role", role, true);
    cJSON_Delete(role);
    return is_made;
}

/* The role that RoleName means, to be freed; NULL: answered. */
static cJSON *take_role(struct iam_op *op, struct hg_str *name)
{
    return iam_take_name(op, "RoleName", IAM_ROLE_NAME_MAX, name) ? iam_load_role(op, *name) : NULL;
}

bool iam_get_role(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);

    if (!role)
        return false;
    write_role(op, "Role", role, true);
    cJSON_Delete(role);
    return true;
}

struct role_list {
    struct iam_op *op;
    struct hg_str prefix;
    int64_t left;
    struct hg_str last; /* name of the last one written, in the op's arena */
    bool is_truncated;
};

static bool list_one(struct hg_str name, struct hg_str json, void *arg)
{
    struct role_list *list = arg;
    cJSON *role = cJSON_ParseWithLength(json.p, json.n);

    if (role && hg_str_starts(hg_str_of(iam_text(role, "Path")), list->prefix)) {
        list->is_truncated = list->left == 0;
        if (!list->is_truncated) {
            write_role(list->op, "member", role, false);
            list->last = hg_arena_str(list->op->arena, name);
            list->left--;
        }
    }
    cJSON_Delete(role);
    return !list->is_truncated;
}

bool iam_list_roles(struct iam_op *op)
{
    struct hg_str after = iam_param(op, "Marker");
    struct role_list list = {.op = op, .prefix = iam_param(op, "PathPrefix")};
    struct hg_error err = {""};

    if (!iam_take_number(op, "MaxItems", 1, 1000, 100, &list.left))
        return false;
    xml_open(&op->out, "Roles");
    if (edit_document_each(op->edit, IAM_ROLE, after.p ? after : HG_STR(""), list_one, &list,
                           &err) != HG_OK)
        return iam_fail_store(op, &err);
    xml_close(&op->out, "Roles");
    xml_bool(&op->out, "IsTruncated", list.is_truncated);
    if (list.is_truncated)
        xml_text(&op->out, "Marker", list.last);
    return true;
}

/* Stores it, frees it. */
static bool finish(struct iam_op *op, struct hg_str name, cJSON *role)
{
    bool is_stored = iam_save(op, IAM_ROLE, name, role);

    cJSON_Delete(role);
    return is_stored;
}

bool iam_update_role(struct iam_op *op)
{
    struct hg_str name, description;
    cJSON *role = take_role(op, &name);
    int64_t session_s = role ? iam_number(role, "MaxSessionDuration") : 0;

    if (!role || !iam_take_text(op, "Description", DESCRIPTION_MAX, &description) ||
        !iam_take_number(op, "MaxSessionDuration", SESSION_MIN_S, SESSION_MAX_S, session_s,
                         &session_s)) {
        cJSON_Delete(role);
        return false;
    }
    /* A description that is not given stays; "" takes it away. */
    if (description.p)
        iam_set_text(role, "Description", description);
    iam_set_number(role, "MaxSessionDuration", session_s);
    return finish(op, name, role);
}

bool iam_update_role_description(struct iam_op *op)
{
    struct hg_str name, description;
    cJSON *role = take_role(op, &name);
    bool is_good;

    is_good = role && iam_take_text(op, "Description", DESCRIPTION_MAX, &description);
    if (is_good) {
        iam_set_text(role, "Description", description);
        is_good = iam_save(op, IAM_ROLE, name, role);
    }
    if (is_good)
        write_role(op, "Role", role, true);
    cJSON_Delete(role);
    return is_good;
}

bool iam_update_trust(struct iam_op *op)
{
    struct hg_str name, trust;
    cJSON *role = take_role(op, &name);

    if (!role || !iam_take_document(op, "PolicyDocument", IAM_TRUST, &trust) ||
        !check_trust_length(op, trust)) {
        cJSON_Delete(role);
        return false;
    }
    iam_set_text(role, "Trust", trust);
    return finish(op, name, role);
}

bool iam_delete_role(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);
    int attached, inline_count;

    if (!role)
        return false;
    attached = cJSON_GetArraySize(iam_list(role, "Attached"));
    inline_count = cJSON_GetArraySize(iam_list(role, "Policies"));
    cJSON_Delete(role);
    if (attached)
        return iam_fail(op, 409, "DeleteConflict",
                        "Cannot delete entity, must detach all policies first.");
    if (inline_count)
        return iam_fail(op, 409, "DeleteConflict",
                        "Cannot delete entity, must delete policies first.");
    return iam_remove(op, IAM_ROLE, name);
}

bool iam_put_boundary(struct iam_op *op)
{
    struct hg_str name, arn;
    cJSON *role = take_role(op, &name);

    if (!role || !iam_take_arn(op, "PermissionsBoundary", &arn)) {
        cJSON_Delete(role);
        return false;
    }
    iam_set_text(role, "Boundary", arn);
    return finish(op, name, role);
}

bool iam_delete_boundary(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);

    if (!role)
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(role, "Boundary");
    return finish(op, name, role);
}

bool iam_tag_role(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name), *tags = role ? iam_take_tags(op) : NULL;
    bool is_good = tags && iam_merge_tags(op, iam_list(role, "Tags"), tags);

    cJSON_Delete(tags);
    if (is_good)
        return finish(op, name, role);
    cJSON_Delete(role);
    return false;
}

bool iam_untag_role(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);

    if (!role)
        return false;
    iam_remove_tags(op, iam_list(role, "Tags"));
    return finish(op, name, role);
}

bool iam_list_role_tags(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);

    if (!role)
        return false;
    iam_xml_tags(op, iam_list(role, "Tags"));
    xml_bool(&op->out, "IsTruncated", false);
    cJSON_Delete(role);
    return true;
}

bool iam_list_instance_profiles(struct iam_op *op)
{
    struct hg_str name;
    cJSON *role = take_role(op, &name);

    if (!role)
        return false;
    cJSON_Delete(role);
    hg_buf_append_cstr(&op->out, "<InstanceProfiles/><IsTruncated>false</IsTruncated>");
    return true;
}
