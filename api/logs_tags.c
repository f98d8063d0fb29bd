/*
 * Tags of log groups, by ARN and, as older clients do, by name.
 */
#include "api/logs.h"

/* The group that resourceArn means; NULL: refused. */
static struct hg_log_group *find_resource(struct logs_op *op)
{
    struct hg_str arn = logs_input_str(&op->input, "resourceArn");
    struct hg_log_group *group = NULL;

    if (!hg_str_starts(arn, HG_STR("arn:"))) {
        (void)logs_refuse(op, "InvalidParameterException", "Invalid resourceArn: %.*s",
                          HG_STR_ARG(arn));
        return NULL;
    }
    op->group_name = logs_group_name(op, arn);
    if (op->group_name.n)
        group = log_store_find(op->store, op->group_name);
    if (!group)
        (void)logs_refuse(op, "ResourceNotFoundException",
                          "The specified log group does not exist.");
    return group;
}

bool logs_take_tags(struct logs_op *op, struct hg_log_group *group)
{
    struct hg_json_value tags = logs_input_get(&op->input, "tags"), value;
    struct hg_json_walk walk;
    struct hg_str key;

    if (tags.kind != HG_JSON_OBJECT)
        return true;
    walk = hg_json_walk(tags);
    while (hg_json_next_member(&walk, &key, &value)) {
        struct hg_str name = logs_input_key(&op->input, key);

        if (hg_str_starts(name, HG_STR("aws:"))) {
            (void)logs_refuse(op, "InvalidParameterException",
                              "Tag keys starting with aws: are reserved for AWS.");
            return false;
        }
        if (!log_group_set_tag(group, name, logs_input_text(&op->input, value))) {
            (void)logs_refuse(op, "TooManyTagsException",
                              "A log group can have no more than %d tags.", HG_LOG_TAGS_MAX);
            return false;
        }
    }
    return true;
}

static bool save(struct logs_op *op, const struct hg_log_group *group)
{
    return log_group_save(group) == 0 ||
           logs_refuse(op, "ServiceUnavailableException", "The log group cannot be written.");
}

static bool untag(struct logs_op *op, struct hg_log_group *group, const char *member)
{
    size_t count;
    struct hg_str *keys = logs_input_list(&op->input, member, &count);

    for (size_t i = 0; i < count; i++)
        log_group_remove_tag(group, keys[i]);
    return save(op, group);
}

static bool list(struct logs_op *op, const struct hg_log_group *group)
{
    hg_json_begin_object(&op->json);
    hg_json_key_lit(&op->json, "tags");
    hg_json_begin_object(&op->json);
    for (size_t i = 0; i < group->tag_count; i++) {
        hg_json_key(&op->json, hg_str_of(group->tags[i].key));
        hg_json_cstr(&op->json, group->tags[i].value);
    }
    hg_json_end_object(&op->json);
    hg_json_end_object(&op->json);
    return true;
}

bool logs_tag_resource(struct logs_op *op)
{
    struct hg_log_group *group = find_resource(op);

    return !group || !logs_take_tags(op, group) || save(op, group);
}

bool logs_untag_resource(struct logs_op *op)
{
    struct hg_log_group *group = find_resource(op);

    return !group || untag(op, group, "tagKeys");
}

bool logs_list_tags_for_resource(struct logs_op *op)
{
    struct hg_log_group *group = find_resource(op);

    return !group || list(op, group);
}

bool logs_tag_group(struct logs_op *op)
{
    struct hg_log_group *group = logs_group(op, false);

    return !group || !logs_take_tags(op, group) || save(op, group);
}

bool logs_untag_group(struct logs_op *op)
{
    struct hg_log_group *group = logs_group(op, false);

    return !group || untag(op, group, "tags");
}

bool logs_list_tags_group(struct logs_op *op)
{
    struct hg_log_group *group = logs_group(op, false);

    return !group || list(op, group);
}
