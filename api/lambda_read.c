/*
 * GetAccountSettings (function-api.md §13).
 */
#include "api/call.h"

enum { CODE_SIZE_LIMIT = 262144000, ZIP_SIZE_LIMIT = 52428800 };

void lambda_get_account_settings(struct hg_call *call)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);
    struct hg_pmap_at at = {0};
    const struct hg_family *family;
    int64_t code_size = 0, reserved = 0, functions = 0, limit = call->api->options.max_concurrency;

    while ((family = snapshot_next_family(snapshot, &at))) {
        functions++;
        reserved += HG_MAX(family->latest->reserved_concurrency, 0);
        code_size += (int64_t)family->latest->code_size;
        for (size_t i = 0; i < family->version_count; i++)
            code_size += (int64_t)family->versions[i]->code_size;
    }
    snapshot_unref(snapshot);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "AccountLimit");
    hg_json_begin_object(&json);
    hg_json_field_i64(&json, "TotalCodeSize", 80530636800);
    hg_json_field_i64(&json, "CodeSizeUnzipped", CODE_SIZE_LIMIT);
    hg_json_field_i64(&json, "CodeSizeZipped", ZIP_SIZE_LIMIT);
    hg_json_field_i64(&json, "ConcurrentExecutions", limit);
    hg_json_field_i64(&json, "UnreservedConcurrentExecutions", HG_MAX(limit - reserved, 0));
    hg_json_end_object(&json);
    hg_json_key_lit(&json, "AccountUsage");
    hg_json_begin_object(&json);
    hg_json_field_i64(&json, "TotalCodeSize", code_size);
    hg_json_field_i64(&json, "FunctionCount", functions);
    hg_json_end_object(&json);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}
