/*
 * Log groups: list, make, delete, how long their events are kept.
 */
#include "api/logs.h"
#include "core/clock.h"

#include <stdlib.h>

enum { PAGE_MAX = 50 };

/* What DescribeLogGroups wants. */
struct wish {
    struct hg_str prefix, part, class, after;
    struct hg_str *identifiers;
    size_t identifier_count;
};

static void write_group(struct logs_op *op, const struct hg_log_group *group, bool is_short)
{
    struct hg_json *json = &op->json;
    struct hg_str name = hg_str_of(group->name);

    hg_json_begin_object(json);
    hg_json_field_str(json, "logGroupName", name);
    hg_json_field_i64(json, "creationTime", group->created_ms);
    hg_json_key_lit(json, "arn");
    logs_write_arn(op, name, ":*", HG_STR(""));
    if (!is_short) {
        if (group->retention_days)
            hg_json_field_i64(json, "retentionInDays", group->retention_days);
        hg_json_field_i64(json, "metricFilterCount", 0);
        hg_json_field_i64(json, "storedBytes", (int64_t)log_group_bytes(group));
        if (group->kms_key)
            hg_json_field_cstr(json, "kmsKeyId", group->kms_key);
        hg_json_field_cstr(json, "logGroupClass", group->log_class);
        hg_json_key_lit(json, "logGroupArn");
        logs_write_arn(op, name, "", HG_STR(""));
    }
    hg_json_end_object(json);
}

static bool is_wanted(const struct logs_op *op, const struct wish *wish, struct hg_str name)
{
    bool is_named = wish->identifier_count == 0;

    for (size_t i = 0; i < wish->identifier_count && !is_named; i++)
        is_named = hg_str_eq(logs_group_name(op, wish->identifiers[i]), name);
    return is_named && hg_str_starts(name, wish->prefix) &&
           (!wish->part.n || hg_str_find_str(name, wish->part) >= 0) &&
           (!wish->after.p || hg_str_cmp(name, wish->after) > 0);
}

/* False: refused. */
static bool read_wish(struct logs_op *op, struct wish *wish)
{
    const struct logs_input *input = &op->input;

    *wish = (struct wish){.prefix = logs_input_str(input, "logGroupNamePrefix"),
                          .part = logs_input_str(input, "logGroupNamePattern"),
                          .class = logs_input_str(input, "logGroupClass")};
    wish->identifiers = logs_input_list(input, "logGroupIdentifiers", &wish->identifier_count);
    if (wish->prefix.p && wish->part.p) {
        (void)logs_refuse(op, "InvalidParameterException",
                          "LogGroup name prefix and LogGroup name pattern are mutually exclusive "
                          "parameters.");
        return false;
    }
    if (wish->identifier_count && (wish->prefix.p || wish->part.p || wish->class.p)) {
        (void)logs_refuse(op, "InvalidParameterException",
                          "logGroupIdentifiers cannot be combined with other filters.");
        return false;
    }
    return logs_read_token(op, &wish->after);
}

/* There are no other accounts. */
static bool is_own_account(const struct logs_op *op)
{
    size_t count;
    struct hg_str *accounts = logs_input_list(&op->input, "accountIdentifiers", &count);

    for (size_t i = 0; i < count; i++) {
        if (hg_str_eq(accounts[i], op->account))
            return true;
    }
    return count == 0;
}

bool logs_describe_groups(struct logs_op *op)
{
    int64_t limit = logs_input_i64(&op->input, "limit", PAGE_MAX), written = 0;
    struct hg_log_group *const *groups;
    struct hg_str last = {NULL, 0};
    size_t count, at;
    struct wish wish;

    if (!read_wish(op, &wish))
        return true;
    groups = log_store_list(op->store, &count);
    if (!is_own_account(op))
        count = 0;
    hg_json_begin_object(&op->json);
    hg_json_key_lit(&op->json, "logGroups");
    hg_json_begin_array(&op->json);
    for (at = 0; at < count; at++) {
        struct hg_str name = hg_str_of(groups[at]->name);

        if (!is_wanted(op, &wish, name))
            continue;
        log_group_load(groups[at]);
        if (wish.class.p && !hg_str_is(wish.class, groups[at]->log_class))
            continue;
        if (written++ == limit)
            break;
        write_group(op, groups[at], wish.part.n > 0);
        last = name;
    }
    hg_json_end_array(&op->json);
    if (at < count)
        logs_write_token(op, last);
    hg_json_end_object(&op->json);
    return true;
}

static char *copy(struct hg_str text)
{
    return text.p ? hg_strndup(text.p, text.n) : NULL;
}

bool logs_create_group(struct logs_op *op)
{
    struct hg_str name = logs_input_str(&op->input, "logGroupName");
    struct hg_str class = logs_input_str(&op->input, "logGroupClass");
    struct hg_log_group *group;

    if (name.n >= 4 && hg_str_is_nocase(hg_str_n(name.p, 4), "aws/"))
        return logs_refuse(op, "InvalidParameterException",
                           "Log groups starting with AWS/ are reserved for AWS.");
    if (logs_input_bool(&op->input, "deletionProtectionEnabled"))
        return logs_refuse(op, "InvalidParameterException",
                           "deletionProtectionEnabled is not available in Headgate.");
    switch (log_store_make(op->store, name, &group)) {
    case HG_OK:
        break;
    case HG_E_CONFLICT:
        return logs_refuse(op, "ResourceAlreadyExistsException",
                           "The specified log group already exists");
    default:
        return logs_refuse(op, "ServiceUnavailableException", "The log group cannot be written.");
    }
    group->kms_key = copy(logs_input_str(&op->input, "kmsKeyId"));
    if (class.p) {
        free(group->log_class);
        group->log_class = copy(class);
    }
    if (!logs_take_tags(op, group) || log_group_save(group) != 0) {
        (void)log_store_remove(op->store, name);
        return op->error ||
               logs_refuse(op, "ServiceUnavailableException", "The log group cannot be written.");
    }
    return true;
}

bool logs_delete_group(struct logs_op *op)
{
    struct hg_log_group *group = logs_group(op, false);

    if (group)
        (void)log_store_remove(op->store, op->group_name);
    return true;
}

static bool set_retention(struct logs_op *op, int days)
{
    struct hg_log_group *group = logs_group(op, false);
    int former;

    if (!group)
        return true;
    former = group->retention_days;
    group->retention_days = days;
    if (log_group_save(group) != 0) {
        group->retention_days = former;
        return logs_refuse(op, "ServiceUnavailableException", "The log group cannot be written.");
    }
    if (days)
        log_group_expire(group, hg_wall_ms());
    return true;
}

bool logs_put_retention(struct logs_op *op)
{
    return set_retention(op, (int)logs_input_i64(&op->input, "retentionInDays", 0));
}

bool logs_delete_retention(struct logs_op *op)
{
    return set_retention(op, 0);
}
