/*
 * GetEventSourceMapping, ListEventSourceMappings, and how a mapping is written.
 */
#include "api/lambda_mapping.h"
#include "core/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE_MAX = 100, ARN_MAX = 512 };

void mapping_write(struct hg_json *json, const struct hg_snapshot *snapshot,
                   const struct hg_mapping *mapping, const struct mapping_passage *passage,
                   bool is_listed)
{
    struct hg_json_value settings = hg_json_parse(mapping->settings, NULL), value;
    struct hg_json_walk walk = hg_json_walk(settings);
    bool hides_filters = is_listed && hg_json_member(settings, "KMSKeyArn").kind == HG_JSON_STRING;
    struct hg_arena *arena = hg_arena_new(ARN_MAX * 4);
    struct hg_str key;
    char time[32];

    hg_json_begin_object(json);
    hg_json_field_str(json, "UUID", mapping->uuid);
    if (mapping->source.n)
        hg_json_field_str(json, "EventSourceArn", mapping->source);
    hg_json_field_str(json, "FunctionArn",
                      lambda_arn(arena, snapshot, mapping->function_name, mapping->qualifier));
    (void)snprintf(time, sizeof(time), "%.3f", (double)mapping->modified_ms / 1000);
    hg_json_key_lit(json, "LastModified");
    hg_json_raw(json, hg_str_of(time));
    hg_json_key_lit(json, "State");
    hg_json_str(json, passage ? hg_str_of(passage->state) : mapping->state);
    hg_json_key_lit(json, "StateTransitionReason");
    hg_json_str(json, passage ? hg_str_of(passage->reason) : mapping->reason);
    hg_json_field_str(
        json, "EventSourceMappingArn",
        hg_str_of(hg_arena_printf(arena, "arn:aws:lambda:%.*s:%.*s:event-source-mapping:%.*s",
                                  HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account),
                                  HG_STR_ARG(mapping->uuid))));
    while (hg_json_next_member(&walk, &key, &value)) {
        if (hides_filters && hg_str_is(key, "FilterCriteria"))
            continue;
        hg_json_key(json, key);
        hg_json_raw(json, value.raw);
    }
    hg_json_end_object(json);
    hg_arena_free(arena);
}

void lambda_get_mapping(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    const struct hg_mapping *mapping;
    struct hg_snapshot *snapshot;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    mapping = snapshot_mapping(snapshot, input_str(input, "UUID"));
    if (mapping) {
        struct hg_buf *buf = call_buffer(call);
        struct hg_json json = hg_json_to(buf);

        mapping_write(&json, snapshot, mapping, NULL, false);
        call_respond_json(call, 200, buf);
    } else {
        call_fail(call, HG_API_NOT_FOUND, "The resource you requested does not exist.");
    }
    snapshot_unref(snapshot);
}

static int by_uuid(const void *a, const void *b)
{
    const struct hg_mapping *const *x = a, *const *y = b;

    return hg_str_cmp((*x)->uuid, (*y)->uuid);
}

/* ref->name "": of any function; source p NULL: of any source. */
static bool is_wanted(const struct hg_mapping *mapping, const struct hg_function_ref *ref,
                      struct hg_str source)
{
    return (!source.p || hg_str_eq(mapping->source, source)) &&
           (!ref->name.n || hg_str_eq(mapping->function_name, ref->name)) &&
           (!ref->qualifier.n || hg_str_eq(mapping->qualifier, ref->qualifier));
}

/* The marker is the UUID that the page begins with: pages are sorted by them. */
static void respond_page(struct hg_call *call, const struct hg_snapshot *snapshot,
                         const cJSON *input, const struct hg_function_ref *ref)
{
    struct hg_str marker = input_str(input, "Marker"), source = input_str(input, "EventSourceArn");
    size_t room = (size_t)HG_MIN(input_i64(input, "MaxItems", PAGE_MAX), PAGE_MAX), count = 0, i;
    const struct hg_mapping **rows =
        hg_calloc(snapshot->mappings.count + 1, sizeof(struct hg_mapping *));
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);
    struct hg_pmap_at at = {0};
    const struct hg_counted *counted;

    while ((counted = hg_pmap_next(&snapshot->mappings, &at))) {
        const struct hg_mapping *mapping =
            hg_container_of(counted, const struct hg_mapping, counted);

        if (is_wanted(mapping, ref, source) &&
            (!marker.p || hg_str_cmp(mapping->uuid, marker) >= 0))
            rows[count++] = mapping;
    }
    qsort(rows, count, sizeof(struct hg_mapping *), by_uuid);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "EventSourceMappings");
    hg_json_begin_array(&json);
    for (i = 0; i < count && i < room; i++)
        mapping_write(&json, snapshot, rows[i], NULL, true);
    hg_json_end_array(&json);
    if (i < count)
        hg_json_field_str(&json, "NextMarker", rows[i]->uuid);
    hg_json_end_object(&json);
    free(rows);
    call_respond_json(call, 200, buf);
}

void lambda_list_mappings(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_function_ref ref = {HG_STR(""), HG_STR("")};
    struct hg_snapshot *snapshot;
    bool is_good = true;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    if (input_has(input, "FunctionName"))
        is_good = lambda_read_name(call, snapshot, input_str(input, "FunctionName"),
                                   hg_str_n(NULL, 0), &ref);
    if (is_good)
        respond_page(call, snapshot, input, &ref);
    snapshot_unref(snapshot);
}
