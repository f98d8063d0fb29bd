/*
 * Documents of IAM: stored, changed and written as XML.
 */
#include "api/iam_parts.h"

#include "core/crypto.h"
#include "core/uri.h"

#include <stdio.h>
#include <stdlib.h>

bool iam_is_managed_by_aws(struct hg_str arn)
{
    return hg_str_starts(arn, HG_STR("arn:aws:iam::aws:policy/"));
}

static cJSON *load(struct iam_op *op, const char *kind, struct hg_str name, bool *is_broken)
{
    struct hg_error err = {""};
    struct hg_str text;
    cJSON *tree = NULL;

    *is_broken = edit_document_get(op->edit, kind, name, &text, &err) != HG_OK;
    if (!*is_broken && text.p)
        tree = cJSON_ParseWithLength(text.p, text.n);
    if (*is_broken)
        (void)iam_fail_store(op, &err);
    return tree;
}

cJSON *iam_load_role(struct iam_op *op, struct hg_str name)
{
    bool is_broken;
    cJSON *role = load(op, IAM_ROLE, name, &is_broken);

    if (!role && !is_broken)
        (void)iam_fail(op, 404, "NoSuchEntity", "The role with name %.*s cannot be found.",
                       HG_STR_ARG(name));
    return role;
}

cJSON *iam_load_policy(struct iam_op *op, struct hg_str arn)
{
    bool is_broken;
    cJSON *policy = load(op, IAM_POLICY, arn, &is_broken);

    if (!policy && !is_broken)
        (void)iam_fail(op, 404, "NoSuchEntity", "Policy %.*s was not found.", HG_STR_ARG(arn));
    return policy;
}

bool iam_save(struct iam_op *op, const char *kind, struct hg_str name, const cJSON *document)
{
    char *text = cJSON_PrintUnformatted(document);
    struct hg_error err = {""};
    enum hg_rc rc = edit_document_put(op->edit, kind, name, hg_str_of(text), &err);

    cJSON_free(text);
    return rc == HG_OK || iam_fail_store(op, &err);
}

bool iam_remove(struct iam_op *op, const char *kind, struct hg_str name)
{
    struct hg_error err = {""};

    return edit_document_delete(op->edit, kind, name, &err) == HG_OK || iam_fail_store(op, &err);
}

bool iam_exists(struct iam_op *op, const char *kind, struct hg_str name, bool *is_there)
{
    struct hg_error err = {""};
    struct hg_str text = {NULL, 0};
    enum hg_rc rc = edit_document_get(op->edit, kind, name, &text, &err);

    *is_there = rc == HG_OK && text.p;
    return rc == HG_OK || iam_fail_store(op, &err);
}

static bool count_one(struct hg_str name, struct hg_str json, void *arg)
{
    (void)name;
    (void)json;
    ++*(size_t *)arg;
    return true;
}

bool iam_count(struct iam_op *op, const char *kind, size_t *count)
{
    struct hg_error err = {""};

    *count = 0;
    return edit_document_each(op->edit, kind, HG_STR(""), count_one, count, &err) == HG_OK ||
           iam_fail_store(op, &err);
}

const char *iam_text(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(item) ? item->valuestring : "";
}

int64_t iam_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : 0;
}

cJSON *iam_list(cJSON *object, const char *name)
{
    cJSON *list = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsArray(list) ? list : cJSON_AddArrayToObject(object, name);
}

static void set(cJSON *object, const char *name, cJSON *value)
{
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    cJSON_AddItemToObject(object, name, value);
}

void iam_set_text(cJSON *object, const char *name, struct hg_str text)
{
    char *copy = hg_strndup(text.n ? text.p : "", text.n);

    set(object, name, cJSON_CreateString(copy));
    free(copy);
}

void iam_set_number(cJSON *object, const char *name, int64_t value)
{
    set(object, name, cJSON_CreateNumber((double)value));
}

cJSON *iam_find(const cJSON *list, const char *name, struct hg_str value)
{
    cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (hg_str_is(value, iam_text(item, name)))
            return item;
    }
    return NULL;
}

void iam_make_id(const char *prefix, char out[22])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    unsigned char bytes[17];

    hg_secret_bytes(bytes, sizeof(bytes));
    (void)snprintf(out, 22, "%.4s", prefix);
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[4 + i] = letters[bytes[i] % 32];
    out[21] = '\0';
}

bool iam_merge_tags(struct iam_op *op, cJSON *tags, cJSON *more)
{
    cJSON *tag;

    while ((tag = cJSON_DetachItemFromArray(more, 0))) {
        cJSON *old = iam_find(tags, "Key", hg_str_of(iam_text(tag, "Key")));

        if (old)
            cJSON_ReplaceItemViaPointer(tags, old, tag);
        else
            cJSON_AddItemToArray(tags, tag);
    }
    return cJSON_GetArraySize(tags) <= IAM_TAGS_MAX ||
           iam_fail(op, 409, "LimitExceeded", "The number of tags has reached the maximum limit.");
}

void iam_remove_tags(const struct iam_op *op, cJSON *tags)
{
    for (unsigned i = 1; i <= IAM_TAGS_MAX; i++) {
        struct hg_str key = form_member(&op->form, "TagKeys", i, NULL);
        cJSON *tag = key.p ? iam_find(tags, "Key", key) : NULL;

        if (!key.p)
            return;
        if (tag)
            cJSON_Delete(cJSON_DetachItemViaPointer(tags, tag));
    }
}

void iam_xml_field(struct iam_op *op, const char *element, const cJSON *object, const char *name)
{
    xml_text(&op->out, element, hg_str_of(iam_text(object, name)));
}

void iam_xml_time(struct iam_op *op, const char *element, const cJSON *object, const char *name)
{
    xml_time(&op->out, element, iam_number(object, name));
}

void iam_xml_document(struct iam_op *op, const char *element, const char *text)
{
    xml_open(&op->out, element);
    hg_uri_encode(&op->out, hg_str_of(text));
    xml_close(&op->out, element);
}

void iam_xml_tags(struct iam_op *op, const cJSON *tags)
{
    const cJSON *tag;

    xml_open(&op->out, "Tags");
    cJSON_ArrayForEach(tag, tags)
    {
        xml_open(&op->out, "member");
        iam_xml_field(op, "Key", tag, "Key");
        iam_xml_field(op, "Value", tag, "Value");
        xml_close(&op->out, "member");
    }
    xml_close(&op->out, "Tags");
}

void iam_xml_attached(struct iam_op *op, const char *policy_arn)
{
    const char *slash = strrchr(policy_arn, '/');

    xml_open(&op->out, "member");
    xml_text(&op->out, "PolicyName", hg_str_of(slash ? slash + 1 : policy_arn));
    xml_text(&op->out, "PolicyArn", hg_str_of(policy_arn));
    xml_close(&op->out, "member");
}

void iam_xml_page_end(struct iam_op *op, const struct iam_page *page, int64_t count)
{
    bool is_truncated = page->first + page->max < count;

    xml_bool(&op->out, "IsTruncated", is_truncated);
    if (is_truncated)
        xml_u64(&op->out, "Marker", (uint64_t)(page->first + page->max));
}
