/*
 * Code signing is not offered: no configuration can be made, so none is ever there. What asks for one by its ARN is told so in the
 * service's words, and a function has none, which is what tools that read a function's whole state need to hear.
 */
#include "api/call.h"
#include "api/input.h"
#include "api/lambda_name.h"

void lambda_create_code_signing_config(struct hg_call *call)
{
    call_fail(call, HG_API_NOT_AVAILABLE,
              "%s is not supported: code is run as it is given, and signatures are not checked",
              call->operation);
}

/* GetCodeSigningConfig, UpdateCodeSigningConfig, DeleteCodeSigningConfig, ListFunctionsByCodeSigningConfig. */
void lambda_miss_code_signing_config(struct hg_call *call)
{
    const cJSON *input = call_input(call);

    if (input)
        call_fail(call, HG_API_NOT_FOUND,
                  "The Lambda code signing configuration %.*s can not be found.",
                  HG_STR_ARG(input_str(input, "CodeSigningConfigArn")));
}

void lambda_list_code_signing_configs(struct hg_call *call)
{
    struct hg_buf *buf;

    if (!call_input(call))
        return;
    buf = call_buffer(call);
    hg_buf_append_cstr(buf, "{\"CodeSigningConfigs\":[]}");
    call_respond_json(call, 200, buf);
}

/* Whether the function that the call names is there. False when answered. */
static bool find_function(struct hg_call *call)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct hg_function_ref ref;
    bool is_there =
        lambda_parse_name(call, snapshot, &ref) && lambda_find(call, snapshot, &ref, false);

    snapshot_unref(snapshot);
    return is_there;
}

void lambda_put_function_code_signing(struct hg_call *call)
{
    const cJSON *input = call_input(call);

    if (input && find_function(call))
        call_fail(call, HG_API_CODE_SIGNING_NOT_FOUND,
                  "The code signing configuration cannot be found. Check that the provided "
                  "configuration is not deleted: %.*s.",
                  HG_STR_ARG(input_str(input, "CodeSigningConfigArn")));
}

void lambda_get_function_code_signing(struct hg_call *call)
{
    struct hg_buf *buf;

    if (!call_input(call) || !find_function(call))
        return;
    buf = call_buffer(call);
    hg_buf_append_cstr(buf, "{}");
    call_respond_json(call, 200, buf);
}

void lambda_delete_function_code_signing(struct hg_call *call)
{
    if (!call_input(call) || !find_function(call))
        return;
    call_respond_empty(call, 204);
}
