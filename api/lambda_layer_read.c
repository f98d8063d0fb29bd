/*
 * GetLayerVersion, GetLayerVersionByArn, ListLayers, ListLayerVersions.
 */
#include "api/lambda_layer.h"

#include "config/family.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_MAX = 50 };

static void respond_version(struct hg_call *call, const struct hg_snapshot *snapshot,
                            const struct layer_ref *ref)
{
    const struct hg_layer_version *version = layer_find_version(snapshot, ref);

    if (!layer_ref_is_own(snapshot, ref))
        call_deny(call);
    else if (!version)
        call_fail(call, HG_API_NOT_FOUND, "The resource you requested does not exist.");
    else
        layer_version_respond(call, 200, layer_arn(call->req->arena, snapshot, ref->name, 0),
                              version);
}

void lambda_get_layer_version(struct hg_call *call)
{
    struct hg_snapshot *snapshot;
    struct layer_ref ref;

    if (!layer_read_ref(call, &ref))
        return;
    snapshot = registry_current(call->api->options.registry);
    respond_version(call, snapshot, &ref);
    snapshot_unref(snapshot);
}

void lambda_get_layer_version_by_arn(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    struct layer_ref ref;

    if (!input)
        return;
    ref = layer_ref_parse(input_str(input, "Arn"));
    snapshot = registry_current(call->api->options.registry);
    respond_version(call, snapshot, &ref);
    snapshot_unref(snapshot);
}

/* What lists are asked for: CompatibleRuntime and CompatibleArchitecture; p NULL for any. */
struct filter {
    struct hg_str runtime, architecture;
};

static struct filter read_filter(const cJSON *input)
{
    return (struct filter){input_str(input, "CompatibleRuntime"),
                           input_str(input, "CompatibleArchitecture")};
}

/* Whether the JSON array of plain words has the word. */
static bool has_word(struct hg_str array, struct hg_str word)
{
    ptrdiff_t at;

    while (word.p && (at = hg_str_find_str(array, word)) >= 0) {
        struct hg_str rest = hg_str_skip(array, (size_t)at + word.n);

        if (at > 0 && array.p[at - 1] == '"' && rest.n && rest.p[0] == '"')
            return true;
        array = rest;
    }
    return !word.p;
}

static bool fits(const struct filter *filter, const struct hg_layer_version *version)
{
    return has_word(version->runtimes, filter->runtime) &&
           has_word(version->architectures, filter->architecture);
}

static const struct hg_layer_version *latest_fitting(const struct filter *filter,
                                                     const struct hg_layer *layer)
{
    for (size_t i = layer->version_count; i-- > 0;)
        if (fits(filter, &layer->versions[i]))
            return &layer->versions[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct hg_layer *const *x = a, *const *y = b;

    return hg_str_cmp((*x)->name, (*y)->name);
}

/* Those behind the marker that have a fitting version, by name; malloc'd. */
static const struct hg_layer **list_fitting(const struct hg_snapshot *snapshot,
                                            const struct filter *filter, struct hg_str marker,
                                            size_t *count)
{
    const struct hg_layer **rows = hg_calloc(snapshot->layers.count + 1, sizeof(struct hg_layer *)),
                          *layer;
    struct hg_pmap_at at = {0, 0};

    *count = 0;
    while ((layer = (const struct hg_layer *)hg_pmap_next(&snapshot->layers, &at)))
        if ((!marker.n || hg_str_cmp(layer->name, marker) > 0) && latest_fitting(filter, layer))
            rows[(*count)++] = layer;
    qsort(rows, *count, sizeof(struct hg_layer *), by_name);
    return rows;
}

static void respond_layers(struct hg_call *call, const struct hg_snapshot *snapshot,
                           const cJSON *input)
{
    struct filter filter = read_filter(input);
    size_t count, room = (size_t)HG_MIN(input_i64(input, "MaxItems", PAGE_MAX), PAGE_MAX);
    const struct hg_layer **rows =
        list_fitting(snapshot, &filter, input_str(input, "Marker"), &count);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "Layers");
    hg_json_begin_array(&json);
    for (size_t i = 0; i < HG_MIN(count, room); i++) {
        hg_json_begin_object(&json);
        hg_json_field_str(&json, "LayerName", rows[i]->name);
        hg_json_field_str(&json, "LayerArn",
                          layer_arn(call->req->arena, snapshot, rows[i]->name, 0));
        hg_json_key_lit(&json, "LatestMatchingVersion");
        hg_json_begin_object(&json);
        layer_version_write(&json, latest_fitting(&filter, rows[i]));
        hg_json_end_object(&json);
        hg_json_end_object(&json);
    }
    hg_json_end_array(&json);
    if (count > room)
        hg_json_field_str(&json, "NextMarker", rows[room - 1]->name);
    hg_json_end_object(&json);
    free(rows);
    call_respond_json(call, 200, buf);
}

void lambda_list_layers(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    respond_layers(call, snapshot, input);
    snapshot_unref(snapshot);
}

/* Newest first; layer is NULL when there is none: the list is empty then. before: the number that the last page ended with. */
static void respond_versions(struct hg_call *call, const struct hg_layer *layer, const cJSON *input,
                             uint64_t before)
{
    int64_t room = HG_MIN(input_i64(input, "MaxItems", PAGE_MAX), PAGE_MAX);
    struct filter filter = read_filter(input);
    const struct hg_layer_version *last = NULL;
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);
    char marker[24];

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "LayerVersions");
    hg_json_begin_array(&json);
    for (size_t i = layer ? layer->version_count : 0; i-- > 0;) {
        const struct hg_layer_version *version = &layer->versions[i];

        if (version->number >= before || !fits(&filter, version))
            continue;
        if (room-- == 0)
            break;
        hg_json_begin_object(&json);
        layer_version_write(&json, version);
        hg_json_end_object(&json);
        last = version;
    }
    hg_json_end_array(&json);
    /* The room went below zero at the first one that found none. */
    if (room < 0 && last) {
        (void)snprintf(marker, sizeof(marker), "%" PRIu64, last->number);
        hg_json_field_cstr(&json, "NextMarker", marker);
    }
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}

void lambda_list_layer_versions(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    struct layer_ref ref;
    struct hg_str marker;
    uint64_t before = UINT64_MAX;

    if (!input)
        return;
    marker = input_str(input, "Marker");
    if (marker.n && !hg_str_u64(marker, UINT64_MAX, &before)) {
        call_fail(call, HG_API_INVALID_PARAMETER,
                  "Marker '%.*s' did not come from ListLayerVersions", HG_STR_ARG(marker));
        return;
    }
    snapshot = registry_current(call->api->options.registry);
    ref = layer_ref_parse(input_str(input, "LayerName"));
    if (layer_ref_is_own(snapshot, &ref))
        respond_versions(call, snapshot_layer(snapshot, ref.name), input, before);
    else
        call_deny(call);
    snapshot_unref(snapshot);
}
