/*
 * Pure but for layer_version_respond, which runs on the request's loop.
 */
#include "api/lambda_layer.h"

#include "api/lambda_code.h"
#include "core/clock.h"

#include <inttypes.h>

struct layer_ref layer_ref_parse(struct hg_str text)
{
    struct layer_ref ref = {.name = text};
    struct hg_str rest = text, part;

    if (!hg_str_starts(text, HG_STR("arn:")))
        return ref;
    for (int i = 0; i < 3; i++)
        (void)hg_str_next(&rest, ':', &part);
    ref.name = HG_STR("");
    if (!hg_str_next(&rest, ':', &ref.region) || !hg_str_next(&rest, ':', &ref.account) ||
        !hg_str_next(&rest, ':', &part) || !hg_str_is(part, "layer") ||
        !hg_str_next(&rest, ':', &ref.name))
        return ref;
    if (!hg_str_u64(rest, INT64_MAX, &ref.number))
        ref.number = 0;
    return ref;
}

bool layer_ref_is_own(const struct hg_snapshot *snapshot, const struct layer_ref *ref)
{
    return !ref->account.p || hg_str_eq(ref->account, snapshot->account);
}

struct hg_str layer_arn(struct hg_arena *arena, const struct hg_snapshot *snapshot,
                        struct hg_str name, uint64_t number)
{
    const char *arn =
        hg_arena_printf(arena, "arn:aws:lambda:%.*s:%.*s:layer:%.*s", HG_STR_ARG(snapshot->region),
                        HG_STR_ARG(snapshot->account), HG_STR_ARG(name));

    return hg_str_of(number ? hg_arena_printf(arena, "%s:%" PRIu64, arn, number) : arn);
}

const struct hg_layer_version *layer_find_version(const struct hg_snapshot *snapshot,
                                                  const struct layer_ref *ref)
{
    const struct hg_layer *layer = snapshot_layer(snapshot, ref->name);

    if (!layer || (ref->region.p && !hg_str_eq(ref->region, snapshot->region)))
        return NULL;
    return layer_version(layer, ref->number);
}

void layer_version_write(struct hg_json *json, const struct hg_layer_version *version)
{
    char time[HG_TIME_TEXT_MAX];

    hg_json_field_str(json, "LayerVersionArn", version->arn);
    hg_json_key_lit(json, "Version");
    hg_json_u64(json, version->number);
    hg_json_field_str(json, "Description", version->description);
    hg_json_field_cstr(json, "CreatedDate", hg_time_lambda(version->created_ms, time));
    if (version->runtimes.n) {
        hg_json_key_lit(json, "CompatibleRuntimes");
        hg_json_raw(json, version->runtimes);
    }
    if (version->architectures.n) {
        hg_json_key_lit(json, "CompatibleArchitectures");
        hg_json_raw(json, version->architectures);
    }
    if (version->license.n)
        hg_json_field_str(json, "LicenseInfo", version->license);
}

void layer_version_respond(struct hg_call *call, int status, struct hg_str arn,
                           const struct hg_layer_version *version)
{
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "Content");
    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "Location",
                       code_location_of_layer(call, layer_ref_parse(arn).name, version));
    hg_json_field_str(&json, "CodeSha256", version->sha256);
    hg_json_key_lit(&json, "CodeSize");
    hg_json_u64(&json, version->size);
    hg_json_end_object(&json);
    hg_json_field_str(&json, "LayerArn", arn);
    layer_version_write(&json, version);
    hg_json_end_object(&json);
    call_respond_json(call, status, buf);
}

bool layer_read_ref(struct hg_call *call, struct layer_ref *ref)
{
    const cJSON *input = call_input(call);
    int64_t number;

    if (!input)
        return false;
    number = input_i64(input, "VersionNumber", 0);
    if (number < 1) {
        call_fail(call, HG_API_INVALID_PARAMETER, "Layer Version Cannot be less than 1");
        return false;
    }
    *ref = layer_ref_parse(input_str(input, "LayerName"));
    ref->number = (uint64_t)number;
    return true;
}

bool layer_change_ref(struct hg_api_change *change, struct hg_edit *edit, struct layer_ref *ref)
{
    int64_t number = input_i64(change->input, "VersionNumber", 0);

    *ref = layer_ref_parse(input_str(change->input, "LayerName"));
    if (!layer_ref_is_own(edit_snapshot(edit), ref)) {
        change->error = HG_API_ACCESS_DENIED;
        change->message = NULL;
        return false;
    }
    if (input_has(change->input, "VersionNumber") && number < 1) {
        (void)change_refuse(change, HG_API_INVALID_PARAMETER,
                            "Layer Version Cannot be less than 1");
        return false;
    }
    ref->number = (uint64_t)number;
    return true;
}
