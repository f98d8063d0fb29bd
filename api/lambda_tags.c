/*
 * TagResource, UntagResource, ListTags: functions and event source mappings, by their ARNs (function-api.md §13).
 */
#include "api/lambda_tags.h"

#include "api/change_answer.h"

enum { TAGS_MAX = 50 };

struct tagged_resource tagged_resource_parse(struct hg_str arn)
{
    struct tagged_resource resource = {.arn = arn, .kind = TAGGED_OTHER};
    struct hg_str rest = arn, kind = {NULL, 0}, part;

    for (int i = 0; i < 3; i++)
        (void)hg_str_next(&rest, ':', &part);
    if (!hg_str_next(&rest, ':', &resource.region) || !hg_str_next(&rest, ':', &resource.account) ||
        !hg_str_next(&rest, ':', &kind) || !hg_str_next(&rest, ':', &resource.name))
        return resource;
    if (hg_str_is(kind, "function"))
        resource.kind = TAGGED_FUNCTION;
    else if (hg_str_is(kind, "event-source-mapping"))
        resource.kind = TAGGED_MAPPING;
    else if (hg_str_is(kind, "code-signing-config"))
        resource.kind = TAGGED_CODE_SIGNING;
    resource.qualifier = rest.p && rest.n ? rest : HG_STR("");
    return resource;
}

static const char qualified_text[] =
    "Tags on function aliases and versions are not supported. Please specify a function ARN.";

/* What no look-up decides. The message in arena; NULL: nothing is wrong. */
static const char *resource_fault(struct hg_arena *arena, const struct hg_snapshot *snapshot,
                                  const struct tagged_resource *resource, enum hg_api_error *error)
{
    *error = HG_API_NOT_FOUND;
    if (resource->kind == TAGGED_FUNCTION && !hg_str_eq(resource->region, snapshot->region))
        return hg_arena_printf(arena,
                               "Functions from '%.*s' are not reachable in this region ('%.*s')",
                               HG_STR_ARG(resource->region), HG_STR_ARG(snapshot->region));
    if (resource->kind == TAGGED_FUNCTION && resource->qualifier.n) {
        *error = HG_API_INVALID_PARAMETER;
        return qualified_text;
    }
    if (resource->kind == TAGGED_CODE_SIGNING)
        return hg_arena_printf(arena,
                               "The Lambda code signing configuration %.*s can not be found.",
                               HG_STR_ARG(resource->arn));
    if (resource->kind == TAGGED_OTHER)
        return hg_arena_printf(arena, "Resource not found: %.*s", HG_STR_ARG(resource->arn));
    return NULL;
}

static const char *missing_text(const struct tagged_resource *resource)
{
    return resource->kind == TAGGED_MAPPING ? "Event source mapping not found"
                                            : "Function not found";
}

/* Whether the resource is another account's, who alone may ask for it. */
static bool is_foreign(const struct hg_snapshot *snapshot, const struct tagged_resource *resource)
{
    return !hg_str_eq(resource->account, snapshot->account);
}

/* The thing whose tags change: one of the two, and its tags as they are. */
struct tagged {
    struct hg_family *family;
    struct hg_mapping *mapping;
    const struct hg_kv_list *tags;
};

static enum hg_rc find_tagged(struct hg_api_change *change, struct hg_edit *edit,
                              struct tagged *tagged)
{
    struct tagged_resource resource = tagged_resource_parse(input_str(change->input, "Resource"));
    const struct hg_snapshot *snapshot = edit_snapshot(edit);
    enum hg_api_error error;
    const char *fault;

    if (is_foreign(snapshot, &resource)) {
        change->error = HG_API_ACCESS_DENIED;
        change->message = NULL;
        return HG_E_INVALID;
    }
    fault = resource_fault(change->arena, snapshot, &resource, &error);
    if (fault) {
        (void)change_refuse(change, error, "%s", fault);
        return HG_E_INVALID;
    }
    if (resource.kind == TAGGED_FUNCTION) {
        tagged->family = edit_family(edit, resource.name);
        if (tagged->family)
            tagged->tags = &tagged->family->latest->tags;
    } else {
        tagged->mapping = edit_mapping(edit, resource.name);
        if (tagged->mapping)
            tagged->tags = &tagged->mapping->tags;
    }
    if (tagged->tags)
        return HG_OK;
    (void)change_refuse(change, HG_API_NOT_FOUND, "%s: %.*s", missing_text(&resource),
                        HG_STR_ARG(resource.arn));
    return HG_E_INVALID;
}

static enum hg_rc put_tags(struct hg_api_change *change, struct hg_edit *edit,
                           struct tagged *tagged, const struct hg_kv_list *tags)
{
    struct hg_mapping *mapping = tagged->mapping;

    if (tagged->family) {
        family_set_tags(tagged->family, tags);
        change_touch(edit, tagged->family, tagged->family->latest, change_revision(change));
        return change_answer(change, 204, NULL);
    }
    mapping->tags.items =
        hg_arena_must(mapping->arena, (tags->count + 1) * sizeof(*mapping->tags.items));
    mapping->tags.count = tags->count;
    for (size_t i = 0; i < tags->count; i++)
        mapping->tags.items[i] = (struct hg_kv){hg_arena_str(mapping->arena, tags->items[i].key),
                                                hg_arena_str(mapping->arena, tags->items[i].value)};
    return change_answer(change, 204, NULL);
}

static void set_tag(struct hg_kv_list *tags, struct hg_str key, struct hg_str value)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (hg_str_eq(tags->items[i].key, key)) {
            tags->items[i].value = value;
            return;
        }
    }
    tags->items[tags->count++] = (struct hg_kv){key, value};
}

/* A copy of the list, with room for more. */
static struct hg_kv_list copy_tags(struct hg_arena *arena, const struct hg_kv_list *from,
                                   size_t room)
{
    struct hg_kv_list tags = {
        .items = hg_arena_must(arena, (from->count + room + 1) * sizeof(*tags.items)),
        .count = from->count,
    };

    for (size_t i = 0; i < from->count; i++)
        tags.items[i] = (struct hg_kv){hg_arena_str(arena, from->items[i].key),
                                       hg_arena_str(arena, from->items[i].value)};
    return tags;
}

enum hg_rc tags_check_count(struct hg_api_change *change, size_t count)
{
    return count <= TAGS_MAX ? HG_OK
                             : change_refuse(change, HG_API_INVALID_PARAMETER,
                                             "Number of tags exceeds resource tag limit.");
}

static enum hg_rc tag(struct hg_api_change *change, struct hg_edit *edit)
{
    const cJSON *given = input_get(change->input, "Tags");
    struct tagged tagged = {NULL, NULL, NULL};
    struct hg_kv_list tags;
    enum hg_rc rc = find_tagged(change, edit, &tagged);

    if (rc != HG_OK)
        return rc;
    if (!given->child)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "An error occurred and the request cannot be processed.");
    /* Keys are different ones: before each is looked for among the others. */
    rc = tags_check_count(change, (size_t)cJSON_GetArraySize(given));
    if (rc != HG_OK)
        return rc;
    tags = copy_tags(change->arena, tagged.tags, (size_t)cJSON_GetArraySize(given));
    for (const cJSON *item = given->child; item; item = item->next)
        set_tag(&tags, hg_str_of(item->string), hg_str_of(cJSON_GetStringValue(item)));
    rc = tags_check_count(change, tags.count);
    return rc == HG_OK ? put_tags(change, edit, &tagged, &tags) : rc;
}

void lambda_tag_resource(struct hg_call *call)
{
    change_submit(call, false, tag, change_respond_answer);
}

static bool is_among(const cJSON *keys, struct hg_str key)
{
    for (const cJSON *item = keys->child; item; item = item->next)
        if (hg_str_is(key, cJSON_GetStringValue(item)))
            return true;
    return false;
}

static enum hg_rc untag(struct hg_api_change *change, struct hg_edit *edit)
{
    const cJSON *keys = input_get(change->input, "TagKeys");
    struct tagged tagged = {NULL, NULL, NULL};
    struct hg_kv_list tags;
    enum hg_rc rc = find_tagged(change, edit, &tagged);
    size_t kept = 0;

    if (rc != HG_OK)
        return rc;
    tags = copy_tags(change->arena, tagged.tags, 0);
    for (size_t i = 0; i < tags.count; i++)
        if (!is_among(keys, tags.items[i].key))
            tags.items[kept++] = tags.items[i];
    tags.count = kept;
    return put_tags(change, edit, &tagged, &tags);
}

void lambda_untag_resource(struct hg_call *call)
{
    change_submit(call, false, untag, change_respond_answer);
}

/* NULL when there is no such thing. */
static const struct hg_kv_list *tags_of(const struct hg_snapshot *snapshot,
                                        const struct tagged_resource *resource)
{
    const struct hg_family *family;
    const struct hg_mapping *mapping;

    if (resource->kind == TAGGED_FUNCTION) {
        family = snapshot_family(snapshot, resource->name);
        return family ? &family->latest->tags : NULL;
    }
    mapping = snapshot_mapping(snapshot, resource->name);
    return mapping ? &mapping->tags : NULL;
}

static void respond_tags(struct hg_call *call, const struct hg_snapshot *snapshot,
                         struct hg_str arn)
{
    struct tagged_resource resource = tagged_resource_parse(arn);
    const struct hg_kv_list *tags;
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);
    enum hg_api_error error;
    const char *fault = resource_fault(call->req->arena, snapshot, &resource, &error);

    if (is_foreign(snapshot, &resource)) {
        call_deny(call);
        return;
    }
    if (fault) {
        call_fail(call, error, "%s", fault);
        return;
    }
    tags = tags_of(snapshot, &resource);
    if (!tags) {
        call_fail(call, HG_API_NOT_FOUND, "%s: %.*s", missing_text(&resource), HG_STR_ARG(arn));
        return;
    }
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "Tags");
    hg_json_begin_object(&json);
    for (size_t i = 0; i < tags->count; i++) {
        hg_json_key(&json, tags->items[i].key);
        hg_json_str(&json, tags->items[i].value);
    }
    hg_json_end_object(&json);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_list_tags(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    respond_tags(call, snapshot, input_str(input, "Resource"));
    snapshot_unref(snapshot);
}
