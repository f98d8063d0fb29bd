/*
 * GetAccountSettings (function-api.md §13).
 */
#include "api/lambda_account.h"

#include "api/input.h"

enum { CODE_SIZE_LIMIT = 262144000, ZIP_SIZE_LIMIT = 52428800, CONCURRENCY_LIMIT = 1000 };

int64_t account_limit(unsigned max_concurrency)
{
    return HG_MAX((int64_t)max_concurrency, (int64_t)CONCURRENCY_LIMIT);
}

int64_t account_provisioned(const struct hg_family *family)
{
    int64_t sum = 0;

    for (size_t i = 0; i < family->provisioned_count; i++)
        sum += family->provisioned[i].requested;
    return sum;
}

int64_t account_claim(const struct hg_family *family)
{
    int reserved = family->latest->reserved_concurrency;

    return reserved >= 0 ? reserved : account_provisioned(family);
}

static void add_function(struct account_use *use, const struct hg_family *family)
{
    use->functions++;
    use->claimed += account_claim(family);
    use->code_size += (int64_t)family->latest->code_size;
    for (size_t i = 0; i < family->version_count; i++)
        use->code_size += (int64_t)family->versions[i]->code_size;
}

void account_add_up(const struct hg_snapshot *snapshot, struct account_use *use)
{
    struct hg_pmap_at families = {0}, layers = {0};
    const struct hg_family *family;
    const struct hg_counted *counted;

    *use = (struct account_use){.functions = 0};
    while ((family = snapshot_next_family(snapshot, &families)))
        add_function(use, family);
    while ((counted = hg_pmap_next(&snapshot->layers, &layers))) {
        const struct hg_layer *layer = hg_container_of(counted, const struct hg_layer, counted);

        for (size_t i = 0; i < layer->version_count; i++)
            use->code_size += (int64_t)layer->versions[i].size;
    }
}

void lambda_get_account_settings(struct hg_call *call)
{
    int64_t limit = account_limit(call->api->options.max_concurrency);
    struct hg_snapshot *snapshot;
    struct account_use use;
    struct hg_buf *buf;
    struct hg_json json;

    if (!call_input(call))
        return;
    snapshot = registry_current(call->api->options.registry);
    account_add_up(snapshot, &use);
    snapshot_unref(snapshot);
    buf = call_buffer(call);
    json = hg_json_to(buf);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "AccountLimit");
    hg_json_begin_object(&json);
    hg_json_field_i64(&json, "TotalCodeSize", 80530636800);
    hg_json_field_i64(&json, "CodeSizeUnzipped", CODE_SIZE_LIMIT);
    hg_json_field_i64(&json, "CodeSizeZipped", ZIP_SIZE_LIMIT);
    hg_json_field_i64(&json, "ConcurrentExecutions", limit);
    hg_json_field_i64(&json, "UnreservedConcurrentExecutions",
                      HG_MAX(limit - use.claimed, (int64_t)0));
    hg_json_end_object(&json);
    hg_json_key_lit(&json, "AccountUsage");
    hg_json_begin_object(&json);
    hg_json_field_i64(&json, "TotalCodeSize", use.code_size);
    hg_json_field_i64(&json, "FunctionCount", use.functions);
    hg_json_end_object(&json);
    hg_json_end_object(&json);
    call_respond_json(call, 200, buf);
}
