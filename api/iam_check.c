/*
 * Parameters of IAM's operations: what they may be, and IAM's words for what they are not.
 */
#include "api/iam_parts.h"

#include <stdio.h>

enum {
    VALUE_SHOWN_MAX = 256,
    PATH_MAX_LEN = 512,
    ARN_MAX = 2048,
    TAG_KEY_MAX = 128,
    TAG_VALUE_MAX = 256
};

struct hg_str iam_param(const struct iam_op *op, const char *name)
{
    return form_get(&op->form, name);
}

static bool fail_value(struct iam_op *op, struct hg_str value, const char *param,
                       const char *constraint)
{
    return iam_fail(op, 400, "ValidationError",
                    "1 validation error detected: Value '%.*s' at '%c%s' failed to satisfy "
                    "constraint: Member must %s",
                    (int)HG_MIN(value.n, (size_t)VALUE_SHOWN_MAX), value.p, param[0] | 0x20,
                    param + 1, constraint);
}

static bool fail_missing(struct iam_op *op, const char *param)
{
    return iam_fail(op, 400, "ValidationError",
                    "1 validation error detected: Value null at '%c%s' failed to satisfy "
                    "constraint: Member must not be null",
                    param[0] | 0x20, param + 1);
}

static bool check_length(struct iam_op *op, struct hg_str value, const char *param, size_t min,
                         size_t max)
{
    char constraint[80];

    if (value.n >= min && value.n <= max)
        return true;
    (void)snprintf(constraint, sizeof(constraint), "have length %s than or equal to %zu",
                   value.n < min ? "greater" : "less", value.n < min ? min : max);
    return fail_value(op, value, param, constraint);
}

static bool is_word(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (c && strchr("_+=,.@-", c))))
            return false;
    }
    return true;
}

bool iam_take_name(struct iam_op *op, const char *param, size_t max, struct hg_str *name)
{
    *name = iam_param(op, param);
    if (!name->p)
        return fail_missing(op, param);
    if (!check_length(op, *name, param, 1, max))
        return false;
    return is_word(*name) ||
           fail_value(op, *name, param, "satisfy regular expression pattern: [\\w+=,.@-]+");
}

bool iam_take_arn(struct iam_op *op, const char *param, struct hg_str *arn)
{
    *arn = iam_param(op, param);
    if (!arn->p)
        return fail_missing(op, param);
    if (!check_length(op, *arn, param, 20, ARN_MAX))
        return false;
    if (hg_str_starts(*arn, HG_STR("arn:")) && hg_str_find_str(*arn, HG_STR(":policy/")) > 0)
        return true;
    return iam_fail(op, 400, "InvalidInput", "ARN %.*s is not valid.",
                    (int)HG_MIN(arn->n, (size_t)VALUE_SHOWN_MAX), arn->p);
}

bool iam_take_path(struct iam_op *op, const char *param, struct hg_str *path)
{
    struct hg_str given = iam_param(op, param);
    bool is_good = given.n && given.p[0] == '/' && given.p[given.n - 1] == '/';

    *path = HG_STR("/");
    if (!given.p)
        return true;
    if (!check_length(op, given, param, 1, PATH_MAX_LEN))
        return false;
    for (size_t i = 0; i < given.n; i++)
        is_good = is_good && given.p[i] > ' ' && given.p[i] < 0x7f;
    if (!is_good)
        return iam_fail(op, 400, "ValidationError",
                        "The specified value for path is invalid. It must begin and end with / and "
                        "contain only alphanumeric characters and/or / characters.");
    *path = given;
    return true;
}

bool iam_take_text(struct iam_op *op, const char *param, size_t max, struct hg_str *text)
{
    *text = iam_param(op, param);
    return !text->p || check_length(op, *text, param, 0, max);
}

bool iam_take_number(struct iam_op *op, const char *param, int64_t min, int64_t max,
                     int64_t fallback, int64_t *value)
{
    struct hg_str text = iam_param(op, param);
    char constraint[96];

    *value = fallback;
    if (!text.p)
        return true;
    if (!hg_str_i64(text, -INT32_MAX, INT32_MAX, value))
        return iam_fail(op, 400, "MalformedInput", "'%.*s' is not an integer",
                        (int)HG_MIN(text.n, (size_t)VALUE_SHOWN_MAX), text.p);
    if (*value >= min && *value <= max)
        return true;
    (void)snprintf(constraint, sizeof(constraint), "have value %s than or equal to %lld",
                   *value < min ? "greater" : "less", (long long)(*value < min ? min : max));
    return fail_value(op, text, param, constraint);
}

bool iam_take_page(struct iam_op *op, struct iam_page *page)
{
    struct hg_str marker = iam_param(op, "Marker");

    if (!iam_take_number(op, "MaxItems", 1, 1000, 100, &page->max))
        return false;
    page->first = 0;
    if (marker.p && !hg_str_i64(marker, 0, INT32_MAX, &page->first))
        return iam_fail(op, 400, "ValidationError", "Invalid Marker.");
    return true;
}

/* Why a statement cannot be in such a document; NULL when it can. */
static const char *statement_fault(const cJSON *statement, enum iam_document kind)
{
    const cJSON *effect = cJSON_GetObjectItemCaseSensitive(statement, "Effect");
    bool has_action =
        cJSON_HasObjectItem(statement, "Action") || cJSON_HasObjectItem(statement, "NotAction");
    bool has_resource =
        cJSON_HasObjectItem(statement, "Resource") || cJSON_HasObjectItem(statement, "NotResource");
    bool has_principal = cJSON_HasObjectItem(statement, "Principal") ||
                         cJSON_HasObjectItem(statement, "NotPrincipal");

    if (!cJSON_IsObject(statement))
        return "Syntax errors in policy.";
    if (!cJSON_IsString(effect) ||
        (strcmp(effect->valuestring, "Allow") != 0 && strcmp(effect->valuestring, "Deny") != 0))
        return "Syntax error at position (1,1): missing or invalid Effect";
    if (kind == IAM_TRUST && has_resource)
        return "Has prohibited field Resource";
    if (kind == IAM_TRUST && !has_principal)
        return "Missing required field Principal";
    if (kind == IAM_IDENTITY && has_principal)
        return "Policy document should not specify a principal.";
    if (!has_action)
        return kind == IAM_TRUST ? "Missing required field Action"
                                 : "Policy statement must contain actions.";
    if (kind == IAM_IDENTITY && !has_resource)
        return "Policy statement must contain resources.";
    return NULL;
}

static const char *document_fault(const cJSON *document, enum iam_document kind)
{
    const cJSON *statements = cJSON_GetObjectItemCaseSensitive(document, "Statement");
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(document, "Version");
    const cJSON *statement;
    const char *fault;

    if (!document)
        return kind == IAM_TRUST ? "This policy contains invalid Json" : "Syntax errors in policy.";
    if (!cJSON_IsObject(document))
        return "Syntax errors in policy.";
    if (version && (!cJSON_IsString(version) || (strcmp(version->valuestring, "2012-10-17") != 0 &&
                                                 strcmp(version->valuestring, "2008-10-17") != 0)))
        return "Syntax errors in policy.";
    if (cJSON_IsObject(statements))
        return statement_fault(statements, kind);
    if (!cJSON_IsArray(statements) || !cJSON_GetArraySize(statements))
        return "Syntax errors in policy.";
    cJSON_ArrayForEach(statement, statements)
    {
        fault = statement_fault(statement, kind);
        if (fault)
            return fault;
    }
    return NULL;
}

bool iam_take_document(struct iam_op *op, const char *param, enum iam_document kind,
                       struct hg_str *text)
{
    cJSON *document;
    const char *fault;

    *text = iam_param(op, param);
    if (!text->p)
        return fail_missing(op, param);
    if (!check_length(op, *text, param, 1, 131072))
        return false;
    /* Trust is not held against anybody, so a role may have any text in its place, or {}; only what means to be a policy must be right. */
    if (kind == IAM_TRUST && hg_str_trim_ws(*text).n && hg_str_trim_ws(*text).p[0] != '{')
        return true;
    document = cJSON_ParseWithLength(text->p, text->n);
    fault = kind == IAM_TRUST && cJSON_IsObject(document) && !document->child
                ? NULL
                : document_fault(document, kind);
    cJSON_Delete(document);
    return !fault || iam_fail(op, 400, "MalformedPolicyDocument", "%s", fault);
}

cJSON *iam_take_tags(struct iam_op *op)
{
    cJSON *tags = cJSON_CreateArray();

    for (unsigned i = 1;; i++) {
        struct hg_str key = form_member(&op->form, "Tags", i, "Key");
        struct hg_str value = form_member(&op->form, "Tags", i, "Value");
        cJSON *tag;

        if (!key.p && !value.p)
            return tags;
        if (i > IAM_TAGS_MAX) {
            (void)iam_fail(op, 409, "LimitExceeded",
                           "The number of tags has reached the maximum limit.");
            break;
        }
        if (!key.p || !key.n || key.n > TAG_KEY_MAX || value.n > TAG_VALUE_MAX) {
            (void)iam_fail(op, 400, "ValidationError",
                           "1 validation error detected: Value at 'tags.%u.member' failed to "
                           "satisfy constraint: Member must have a key of 1 to %d and a value of "
                           "0 to %d characters",
                           i, TAG_KEY_MAX, TAG_VALUE_MAX);
            break;
        }
        if (iam_find(tags, "Key", key)) {
            (void)iam_fail(op, 400, "InvalidInput",
                           "Duplicate tag keys found. Please note that Tag keys are case "
                           "insensitive.");
            break;
        }
        tag = cJSON_CreateObject();
        iam_set_text(tag, "Key", key);
        iam_set_text(tag, "Value", value);
        cJSON_AddItemToArray(tags, tag);
    }
    cJSON_Delete(tags);
    return NULL;
}
