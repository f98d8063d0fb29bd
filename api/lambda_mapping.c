/*
 * CreateEventSourceMapping, UpdateEventSourceMapping, DeleteEventSourceMapping. Headgate keeps mappings and does not poll: whatever the
 * user wishes, a stored mapping is Disabled and says why. Answers tell of the way there as the service does.
 */
#include "api/lambda_mapping.h"

#include "api/lambda_tags.h"
#include "core/clock.h"
#include "core/id.h"

#include <stdlib.h>

enum { DOCUMENT_MAX = 1 << 20 };

static const char idle_reason[] = "Headgate does not poll event sources yet: the mapping is kept";

/* The function as the mapping keeps it. False: it does not exist. */
static bool find_function(struct hg_api_change *change, struct hg_edit *edit)
{
    const struct hg_family *family = snapshot_family(edit_snapshot(edit), change->ref.name);
    struct hg_str qualifier = change->ref.qualifier;

    if (!family || !(family_version(family, qualifier) || family_alias(family, qualifier)))
        return false;
    /* A full ARN that ends in :$LATEST is kept without it; shorter forms keep it. */
    if (hg_str_is(qualifier, "$LATEST") &&
        hg_str_starts(input_str(change->input, "FunctionName"), HG_STR("arn:")))
        change->ref.qualifier = HG_STR("");
    return true;
}

static void set_state(struct hg_mapping *mapping, enum mapping_kind kind)
{
    mapping->state = HG_STR("Disabled");
    mapping->reason =
        hg_arena_str(mapping->arena, mapping->is_enabled ? hg_str_of(idle_reason)
                                                         : hg_str_of(mapping_user_reason(kind)));
    mapping->modified_ms = hg_wall_ms();
}

static void keep_settings(struct hg_mapping *mapping, const cJSON *settings)
{
    char *text = cJSON_PrintUnformatted(settings);

    mapping->settings = hg_arena_str(mapping->arena, hg_str_of(text));
    cJSON_free(text);
}

static enum hg_rc answer_mapping(struct hg_api_change *change, struct hg_edit *edit,
                                 const struct hg_mapping *mapping, const char *state,
                                 const char *reason)
{
    struct hg_buf buf;
    struct hg_json json = hg_json_to(&buf);
    enum hg_rc rc;

    hg_buf_init(&buf, DOCUMENT_MAX);
    mapping_write(&json, edit_snapshot(edit), mapping, &(struct mapping_passage){state, reason},
                  false);
    rc = change_answer(change, 202, &buf);
    hg_buf_fini(&buf);
    return rc;
}

static void read_tags(struct hg_mapping *mapping, const cJSON *tags)
{
    const cJSON *tag;

    mapping->tags.items = hg_arena_must(mapping->arena, ((size_t)cJSON_GetArraySize(tags) + 1) *
                                                            sizeof(*mapping->tags.items));
    cJSON_ArrayForEach(tag, tags)
    {
        mapping->tags.items[mapping->tags.count++] =
            (struct hg_kv){hg_arena_str(mapping->arena, hg_str_of(tag->string)),
                           hg_arena_str(mapping->arena, hg_str_of(tag->valuestring))};
    }
}

static bool shares_text(const cJSON *a, const cJSON *b)
{
    const cJSON *x, *y;

    cJSON_ArrayForEach(x, a)
    {
        cJSON_ArrayForEach(y, b)
        {
            if (strcmp(x->valuestring, y->valuestring) == 0)
                return true;
        }
    }
    return false;
}

static const cJSON *brokers_of(const cJSON *settings)
{
    return input_get(input_get(input_get(settings, "SelfManagedEventSource"), "Endpoints"),
                     "KAFKA_BOOTSTRAP_SERVERS");
}

/* Two mappings of self-managed Kafka are the same when they share a broker and a topic. */
static bool is_same_kafka(const struct hg_mapping *mapping, const cJSON *settings)
{
    cJSON *other = cJSON_ParseWithLength(mapping->settings.p, mapping->settings.n);
    bool is_same = shares_text(brokers_of(other), brokers_of(settings)) &&
                   shares_text(input_get(other, "Topics"), input_get(settings, "Topics"));

    cJSON_Delete(other);
    return is_same;
}

static void append_list(struct hg_buf *out, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        if (item != list->child)
            hg_buf_append_byte(out, ',');
        hg_buf_append_cstr(out, item->valuestring);
    }
}

static enum hg_rc refuse_duplicate(struct hg_api_change *change, struct hg_edit *edit,
                                   enum mapping_kind kind, const struct hg_mapping *other,
                                   const cJSON *settings)
{
    struct hg_buf what;
    enum hg_rc rc;

    hg_buf_init(&what, DOCUMENT_MAX);
    if (kind == MAPPING_KAFKA) {
        hg_buf_append_cstr(&what, "An event source mapping with event source (\"");
        append_list(&what, brokers_of(settings));
        hg_buf_printf(&what, "\"), function (\"%.*s\"), topics (\"",
                      HG_STR_ARG(change_arn(change, edit, change->ref.qualifier)));
        append_list(&what, input_get(settings, "Topics"));
        hg_buf_append_cstr(&what, "\") already exists");
    } else if (kind == MAPPING_SQS) {
        hg_buf_printf(&what,
                      "An event source mapping with SQS arn (\" %.*s \") and function (\" %.*s \") "
                      "already exists",
                      HG_STR_ARG(other->source), HG_STR_ARG(other->function_name));
    } else {
        hg_buf_printf(
            &what,
            "The event source arn (\" %.*s \") and function (\" %.*s \") provided mapping "
            "already exists",
            HG_STR_ARG(other->source), HG_STR_ARG(other->function_name));
    }
    rc = change_refuse(change, HG_API_CONFLICT,
                       "%.*s. Please update or delete the existing mapping with UUID %.*s",
                       HG_STR_ARG(hg_buf_str(&what)), HG_STR_ARG(other->uuid));
    hg_buf_fini(&what);
    return rc;
}

static enum hg_rc check_duplicate(struct hg_api_change *change, struct hg_edit *edit,
                                  enum mapping_kind kind, struct hg_str source,
                                  const cJSON *settings)
{
    const struct hg_snapshot *snapshot = edit_snapshot(edit);
    struct hg_pmap_at at = {0};
    const struct hg_counted *counted;

    while ((counted = hg_pmap_next(&snapshot->mappings, &at))) {
        const struct hg_mapping *mapping =
            hg_container_of(counted, const struct hg_mapping, counted);

        if (!hg_str_eq(mapping->function_name, change->ref.name) ||
            !hg_str_eq(mapping->qualifier, change->ref.qualifier))
            continue;
        if (kind == MAPPING_KAFKA ? mapping->source.n == 0 && is_same_kafka(mapping, settings)
                                  : hg_str_eq(mapping->source, source))
            return refuse_duplicate(change, edit, kind, mapping, settings);
    }
    return HG_OK;
}

static enum hg_rc add_mapping(struct hg_api_change *change, struct hg_edit *edit,
                              enum mapping_kind kind, struct hg_str source, const cJSON *settings)
{
    struct hg_mapping *mapping = mapping_new(*(const struct hg_str *)change->user, HG_ORIGIN_API);

    mapping->function_name = hg_arena_str(mapping->arena, change->ref.name);
    mapping->qualifier = hg_arena_str(mapping->arena, change->ref.qualifier);
    mapping->source = source.p ? hg_arena_str(mapping->arena, source) : HG_STR("");
    mapping->is_enabled = input_bool(change->input, "Enabled", true);
    keep_settings(mapping, settings);
    set_state(mapping, kind);
    read_tags(mapping, input_get(change->input, "Tags"));
    edit_add_mapping(edit, mapping);
    return answer_mapping(change, edit, mapping, mapping->is_enabled ? "Creating" : "Disabled",
                          mapping_user_reason(kind));
}

static enum hg_rc create_mapping(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_str source = input_str(change->input, "EventSourceArn");
    bool is_self_managed = input_has(change->input, "SelfManagedEventSource");
    enum mapping_kind kind = mapping_kind_of(source, is_self_managed);
    cJSON *settings;
    enum hg_rc rc;

    if (kind == MAPPING_UNKNOWN)
        return change_refuse(change, HG_API_INVALID_PARAMETER, "Unrecognized event source.");
    if (!find_function(change, edit))
        return change_refuse(change, HG_API_INVALID_PARAMETER, "Function does not exist");
    settings = cJSON_CreateObject();
    rc = mapping_apply(change, kind, source, true, settings);
    if (rc == HG_OK)
        rc = tags_check_count(change, (size_t)cJSON_GetArraySize(input_get(change->input, "Tags")));
    if (rc == HG_OK)
        rc = check_duplicate(change, edit, kind, source, settings);
    if (rc == HG_OK)
        rc = add_mapping(change, edit, kind, source, settings);
    cJSON_Delete(settings);
    return rc;
}

void lambda_create_mapping(struct hg_call *call)
{
    struct hg_api_change *change = change_begin(call, true);
    char uuid[HG_UUID_LEN + 1];
    struct hg_str *kept;

    if (!change)
        return;
    hg_uuid(uuid);
    kept = hg_arena_must(change->arena, sizeof(*kept));
    *kept = hg_arena_str(change->arena, hg_str_of(uuid));
    change->user = kept;
    change_send(change, create_mapping, change_respond_answer);
}

/* The mapping that the call names, to alter. NULL: refused. */
static struct hg_mapping *find_mapping(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_mapping *mapping = edit_mapping(edit, input_str(change->input, "UUID"));

    if (!mapping)
        (void)change_refuse(change, HG_API_NOT_FOUND, "The resource you requested does not exist.");
    return mapping;
}

static enum hg_rc update_mapping(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_mapping *mapping = find_mapping(change, edit);
    const char *state = "Updating";
    enum mapping_kind kind;
    cJSON *settings;
    enum hg_rc rc;

    if (!mapping)
        return HG_E_INVALID;
    kind = mapping_kind_of(mapping->source, true);
    if (change->ref.name.n && !find_function(change, edit))
        return change_refuse(change, HG_API_INVALID_PARAMETER, "Function does not exist");
    settings = cJSON_ParseWithLength(mapping->settings.p, mapping->settings.n);
    rc = mapping_apply(change, kind, mapping->source, false, settings);
    if (rc == HG_OK) {
        bool is_enabled = input_bool(change->input, "Enabled", mapping->is_enabled);

        if (is_enabled != mapping->is_enabled)
            state = is_enabled ? "Enabling" : "Disabling";
        mapping->is_enabled = is_enabled;
        if (change->ref.name.n) {
            mapping->function_name = hg_arena_str(mapping->arena, change->ref.name);
            mapping->qualifier = hg_arena_str(mapping->arena, change->ref.qualifier);
        }
        keep_settings(mapping, settings);
        set_state(mapping, kind);
        rc = answer_mapping(change, edit, mapping, state, mapping_user_reason(kind));
    }
    cJSON_Delete(settings);
    return rc;
}

void lambda_update_mapping(struct hg_call *call)
{
    struct hg_api_change *change = change_begin(call, false);

    if (!change || (input_has(change->input, "FunctionName") && !change_name_function(change)))
        return;
    change_send(change, update_mapping, change_respond_answer);
}

static enum hg_rc delete_mapping(struct hg_api_change *change, struct hg_edit *edit)
{
    struct hg_mapping *mapping = find_mapping(change, edit);
    enum hg_rc rc;

    if (!mapping)
        return HG_E_INVALID;
    rc = answer_mapping(change, edit, mapping, "Deleting",
                        mapping_user_reason(mapping_kind_of(mapping->source, true)));
    edit_remove_mapping(edit, input_str(change->input, "UUID"));
    return rc;
}

void lambda_delete_mapping(struct hg_call *call)
{
    change_submit(call, false, delete_mapping, change_respond_answer);
}
