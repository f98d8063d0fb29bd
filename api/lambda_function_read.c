/*
 * GetFunction and GetFunctionConfiguration.
 */
#include "api/lambda_function.h"

/*
 * The version that the reference means, and the qualifier that ends its ARN. Aliases mean their first version: only invocations draw.
 * NULL: the call was answered.
 */
static const struct hg_function *find(struct hg_call *call, const struct hg_snapshot *snapshot,
                                      const struct hg_function_ref *ref)
{
    const struct hg_family *family = snapshot_family(snapshot, ref->name);
    const struct hg_alias *alias = family ? family_alias(family, ref->qualifier) : NULL;
    const struct hg_function *function = NULL;

    if (alias)
        function = alias->function;
    else if (family)
        function = family_version(family, ref->qualifier);
    if (!function)
        call_fail(call, HG_API_NOT_FOUND,
                  "Function not found: arn:aws:lambda:%.*s:%.*s:function:%.*s%s%.*s",
                  HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account),
                  HG_STR_ARG(ref->name), ref->qualifier.n ? ":" : "", HG_STR_ARG(ref->qualifier));
    return function;
}

static void write_function(struct hg_call *call, struct hg_json *json, struct hg_str region,
                           const struct hg_function *function, struct hg_str qualifier)
{
    hg_json_begin_object(json);
    hg_json_key_lit(json, "Configuration");
    function_write_configuration(json, region, function, qualifier, true);
    hg_json_key_lit(json, "Code");
    hg_json_begin_object(json);
    hg_json_field_cstr(json, "RepositoryType", "S3");
    hg_json_field_cstr(json, "Location", code_location_of_function(call, function));
    hg_json_end_object(json);
    if (function->tags.count) {
        hg_json_key_lit(json, "Tags");
        hg_json_begin_object(json);
        for (size_t i = 0; i < function->tags.count; i++) {
            hg_json_key(json, function->tags.items[i].key);
            hg_json_str(json, function->tags.items[i].value);
        }
        hg_json_end_object(json);
    }
    /* It is the function's, and told with the function alone. */
    if (function->reserved_concurrency >= 0 && !qualifier.n) {
        hg_json_key_lit(json, "Concurrency");
        hg_json_begin_object(json);
        hg_json_field_i64(json, "ReservedConcurrentExecutions", function->reserved_concurrency);
        hg_json_end_object(json);
    }
    hg_json_end_object(json);
}

static void get_function(struct hg_call *call, bool wants_code)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    const struct hg_function *function = NULL;
    struct hg_function_ref ref;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    if (lambda_read_name(call, snapshot, input_str(input, "FunctionName"),
                         input_str(input, "Qualifier"), &ref))
        function = find(call, snapshot, &ref);
    if (function) {
        struct hg_buf *buf = call_buffer(call);
        struct hg_json json = hg_json_to(buf);

        if (wants_code)
            write_function(call, &json, snapshot->region, function, ref.qualifier);
        else
            function_write_configuration(&json, snapshot->region, function, ref.qualifier, true);
        call_respond_json(call, 200, buf);
    }
    snapshot_unref(snapshot);
}

void lambda_get_function(struct hg_call *call)
{
    get_function(call, true);
}

void lambda_get_function_configuration(struct hg_call *call)
{
    get_function(call, false);
}
