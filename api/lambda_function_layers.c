/*
 * The layers of a function: what their ARNs name, and whether they fit.
 */
#include "api/lambda_function.h"

#include <inttypes.h>

enum { LAYERS_MAX = 5 };

/* arn:aws:lambda:REGION:ACCOUNT:layer:NAME:NUMBER; slices. */
struct layer_arn {
    struct hg_str region, account, name, number;
};

static bool split(struct hg_str text, struct layer_arn *arn)
{
    struct hg_str parts[8];
    size_t count = 0;

    while (count < HG_COUNT(parts) && hg_str_next(&text, ':', &parts[count]))
        count++;
    if (count < HG_COUNT(parts) || !hg_str_is(parts[5], "layer"))
        return false;
    *arn = (struct layer_arn){parts[3], parts[4], parts[6], parts[7]};
    return true;
}

static enum hg_rc refuse_unknown(struct hg_api_change *change, struct hg_str arn)
{
    return change_refuse(change, HG_API_INVALID_PARAMETER, "Layer version %.*s does not exist.",
                         HG_STR_ARG(arn));
}

/* NULL: refused. */
static const struct hg_layer_version *find(struct hg_api_change *change,
                                           const struct hg_snapshot *snapshot, struct hg_str text,
                                           struct layer_arn *arn)
{
    const struct hg_layer_version *version = NULL;
    const struct hg_layer *layer;
    uint64_t number;

    if (!split(text, arn)) {
        (void)refuse_unknown(change, text);
        return NULL;
    }
    if (!hg_str_eq(arn->region, snapshot->region)) {
        (void)change_refuse(
            change, HG_API_INVALID_PARAMETER,
            "Layers are not in the same region as the function. Layers are expected "
            "to be in region %.*s.",
            HG_STR_ARG(snapshot->region));
        return NULL;
    }
    layer = hg_str_eq(arn->account, snapshot->account) ? snapshot_layer(snapshot, arn->name) : NULL;
    if (layer && hg_str_u64(arn->number, UINT64_MAX, &number))
        version = layer_version(layer, number);
    if (!version)
        (void)refuse_unknown(change, text);
    return version;
}

enum hg_rc function_take_layers(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                                const cJSON *arns, struct hg_function *draft)
{
    size_t count = (size_t)cJSON_GetArraySize(arns);
    struct layer_arn known[LAYERS_MAX];
    struct hg_str *columns = hg_arena_must(change->arena, (3 * count + 1) * sizeof(*columns));

    if (count > LAYERS_MAX)
        return change_refuse(change, HG_API_INVALID_PARAMETER,
                             "Cannot reference more than %d layers.", LAYERS_MAX);
    draft->layer_count = count;
    draft->layer_arns = columns;
    draft->layer_dirs = columns + count;
    draft->layer_sizes = columns + 2 * count;
    for (size_t i = 0; i < count; i++) {
        struct hg_str text = hg_str_of(cJSON_GetStringValue(cJSON_GetArrayItem(arns, (int)i)));
        const struct hg_layer_version *version = find(change, snapshot, text, &known[i]);

        if (!version)
            return HG_E_INVALID;
        for (size_t j = 0; j < i; j++)
            if (hg_str_eq(known[j].name, known[i].name))
                return change_refuse(
                    change, HG_API_INVALID_PARAMETER,
                    "Two different versions of the same layer are not allowed to be "
                    "referenced in the same function. %.*s and %.*s are versions of "
                    "the same layer.",
                    HG_STR_ARG(draft->layer_arns[j]), HG_STR_ARG(text));
        draft->layer_arns[i] = text;
        draft->layer_dirs[i] = version->dir;
        draft->layer_sizes[i] =
            hg_str_of(hg_arena_printf(change->arena, "%" PRIu64, version->size));
    }
    return HG_OK;
}

static uint64_t size_of(struct hg_arena *arena, struct hg_str dir)
{
    return package_unpacked_size(hg_arena_strdup(arena, dir));
}

enum hg_rc function_check_size(struct hg_api_change *change, const struct hg_function *draft)
{
    uint64_t bytes;

    /* The code alone was measured when it was unpacked; a folder of somebody's own is not held to this. */
    if (!draft->layer_count || !draft->code_zip.n)
        return HG_OK;
    bytes = size_of(change->arena, draft->code_dir);
    for (size_t i = 0; i < draft->layer_count; i++)
        bytes += size_of(change->arena, draft->layer_dirs[i]);
    if (bytes <= HG_PACKAGE_BYTES_MAX)
        return HG_OK;
    return change_refuse(
        change, HG_API_INVALID_PARAMETER,
        "Function code combined with layers exceeds the maximum allowed size of %d "
        "bytes. The actual size is %" PRIu64 " bytes.",
        HG_PACKAGE_BYTES_MAX, bytes);
}
