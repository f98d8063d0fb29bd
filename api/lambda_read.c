/*
 * The reading operations: GetFunction, GetFunctionConfiguration, ListFunctions,
 * GetAccountSettings (function-api.md §4.2, §5, §13).
 */
#include "api/call.h"
#include "api/lambda_name.h"
#include "core/clock.h"
#include "core/crypto.h"

#include <stdlib.h>

enum { PAGE_MAX = 50, ITEMS_MAX = 10000 };

enum { CODE_SIZE_LIMIT = 262144000, ZIP_SIZE_LIMIT = 52428800 };

static void write_environment(struct hg_json *json, const struct hg_function *function)
{
    if (!function->has_environment)
        return;
    hg_json_key_lit(json, "Environment");
    hg_json_begin_object(json);
    hg_json_key_lit(json, "Variables");
    hg_json_begin_object(json);
    for (size_t i = 0; i < function->environment.count; i++) {
        hg_json_key(json, function->environment.items[i].key);
        hg_json_str(json, function->environment.items[i].value);
    }
    hg_json_end_object(json);
    hg_json_end_object(json);
}

static void write_layers(struct hg_json *json, const struct hg_function *function)
{
    if (!function->layer_count)
        return;
    hg_json_key_lit(json, "Layers");
    hg_json_begin_array(json);
    for (size_t i = 0; i < function->layer_count; i++) {
        hg_json_begin_object(json);
        hg_json_field_str(json, "Arn", function->layer_arns[i]);
        hg_json_end_object(json);
    }
    hg_json_end_array(json);
}

static void write_logging(struct hg_json *json, const struct hg_function *function)
{
    hg_json_key_lit(json, "LoggingConfig");
    hg_json_begin_object(json);
    hg_json_field_str(json, "LogFormat", function->log_format);
    if (function->app_log_level.n)
        hg_json_field_str(json, "ApplicationLogLevel", function->app_log_level);
    if (function->system_log_level.n)
        hg_json_field_str(json, "SystemLogLevel", function->system_log_level);
    hg_json_field_str(json, "LogGroup", function->log_group);
    hg_json_end_object(json);
}

/* The members that tell of the life of a function; lists leave them out. */
static void write_state(struct hg_json *json, const struct hg_snapshot *snapshot,
                        const struct hg_function *function)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char digest[HG_SHA256_LEN];
    struct hg_buf arn;

    hg_json_field_cstr(json, "State", "Active");
    hg_json_field_cstr(json, "LastUpdateStatus", "Successful");
    hg_buf_init(&arn, 256);
    hg_buf_printf(&arn, "arn:aws:lambda:%.*s::runtime:", HG_STR_ARG(snapshot->region));
    hg_sha256(function->runtime, digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        hg_buf_append(&arn, (char[]){hex[digest[i] >> 4], hex[digest[i] & 15]}, 2);
    hg_json_key_lit(json, "RuntimeVersionConfig");
    hg_json_begin_object(json);
    hg_json_field_str(json, "RuntimeVersionArn", hg_buf_str(&arn));
    hg_json_end_object(json);
    hg_buf_fini(&arn);
}

static void write_arn(struct hg_json *json, struct hg_str arn, struct hg_str qualifier)
{
    hg_json_key_raw(json, HG_STR("\"FunctionArn\":\""));
    hg_json_escape(json->out, arn);
    if (qualifier.n)
        hg_buf_append_byte(json->out, ':');
    hg_json_escape(json->out, qualifier);
    hg_buf_append_byte(json->out, '"');
    json->wants_comma = true;
}

/* qualifier is what the caller asked for; it ends the ARN. */
static void write_configuration(struct hg_json *json, const struct hg_snapshot *snapshot,
                                const struct hg_function *function, struct hg_str qualifier,
                                bool has_state)
{
    char time[HG_TIME_TEXT_MAX];

    hg_json_begin_object(json);
    hg_json_field_str(json, "FunctionName", function->name);
    write_arn(json, function->arn, qualifier);
    hg_json_field_str(json, "Runtime", function->runtime);
    hg_json_field_str(json, "Role", function->role);
    hg_json_field_str(json, "Handler", function->handler);
    hg_json_field_i64(json, "CodeSize", (int64_t)function->code_size);
    hg_json_field_str(json, "Description", function->description);
    hg_json_field_i64(json, "Timeout", function->timeout_s);
    hg_json_field_i64(json, "MemorySize", function->memory_mb);
    hg_json_field_cstr(json, "LastModified", hg_time_lambda(function->last_modified_ms, time));
    hg_json_field_str(json, "CodeSha256", function->code_sha256);
    hg_json_field_str(json, "Version", function->version);
    if (function->dead_letter.n) {
        hg_json_key_lit(json, "DeadLetterConfig");
        hg_json_begin_object(json);
        hg_json_field_str(json, "TargetArn", function->dead_letter);
        hg_json_end_object(json);
    }
    write_environment(json, function);
    hg_json_key_lit(json, "TracingConfig");
    hg_json_begin_object(json);
    hg_json_field_str(json, "Mode", function->tracing_mode);
    hg_json_end_object(json);
    hg_json_field_str(json, "RevisionId", function->revision_id);
    write_layers(json, function);
    if (has_state)
        write_state(json, snapshot, function);
    hg_json_field_cstr(json, "PackageType", "Zip");
    hg_json_key_lit(json, "Architectures");
    hg_json_begin_array(json);
    hg_json_str(json, function->architecture);
    hg_json_end_array(json);
    hg_json_key_lit(json, "EphemeralStorage");
    hg_json_begin_object(json);
    hg_json_field_i64(json, "Size", function->ephemeral_mb);
    hg_json_end_object(json);
    hg_json_key_lit(json, "SnapStart");
    hg_json_begin_object(json);
    hg_json_field_cstr(json, "ApplyOn", "None");
    hg_json_field_cstr(json, "OptimizationStatus", "Off");
    hg_json_end_object(json);
    write_logging(json, function);
    hg_json_end_object(json);
}

static void write_function(struct hg_json *json, const struct hg_snapshot *snapshot,
                           const struct hg_function *function, struct hg_str qualifier)
{
    hg_json_begin_object(json);
    hg_json_key_lit(json, "Configuration");
    write_configuration(json, snapshot, function, qualifier, true);
    hg_json_key_lit(json, "Code");
    hg_json_begin_object(json);
    hg_json_field_cstr(json, "RepositoryType", "S3");
    hg_json_key_raw(json, HG_STR("\"Location\":\"file://"));
    hg_json_escape(json->out, function->code_dir);
    hg_buf_append_byte(json->out, '"');
    json->wants_comma = true;
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
    if (function->reserved_concurrency >= 0) {
        hg_json_key_lit(json, "Concurrency");
        hg_json_begin_object(json);
        hg_json_field_i64(json, "ReservedConcurrentExecutions", function->reserved_concurrency);
        hg_json_end_object(json);
    }
    hg_json_end_object(json);
}

static void get_function(struct hg_call *call, bool wants_code)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    const struct hg_function *function = NULL;
    struct hg_function_ref ref;

    if (lambda_parse_name(call, snapshot, &ref))
        function = lambda_find(call, snapshot, &ref, false);
    if (function) {
        struct hg_buf *buf = call_buffer(call);
        struct hg_json json = hg_json_to(buf);

        if (wants_code)
            write_function(&json, snapshot, function, ref.qualifier);
        else
            write_configuration(&json, snapshot, function, ref.qualifier, true);
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

static int by_name_then_version(const void *a, const void *b)
{
    const struct hg_function *const *x = a, *const *y = b;
    int order = hg_str_cmp((*x)->name, (*y)->name);

    if (order)
        return order;
    /* "$LATEST" first, then by number: shorter numbers are smaller. */
    if ((*x)->version.p[0] == '$' || (*y)->version.p[0] == '$')
        return ((*y)->version.p[0] == '$') - ((*x)->version.p[0] == '$');
    if ((*x)->version.n != (*y)->version.n)
        return (*x)->version.n < (*y)->version.n ? -1 : 1;
    return hg_str_cmp((*x)->version, (*y)->version);
}

struct list_query {
    bool wants_all_versions;
    uint64_t max_items;
    uint64_t start; /* the marker: how many came before */
};

/* False when answered. */
static bool parse_list_query(struct hg_call *call, struct list_query *query)
{
    struct hg_str version = call_query(call, "FunctionVersion"),
                  items = call_query(call, "MaxItems"), marker = call_query(call, "Marker");

    *query = (struct list_query){.max_items = PAGE_MAX, .wants_all_versions = version.p != NULL};
    if (version.p && !hg_str_is(version, "ALL")) {
        call_fail(
            call, HG_API_VALIDATION,
            "1 validation error detected: Value '%.*s' at 'functionVersion' failed to satisfy constraint: "
            "Member must satisfy enum value set: [ALL]",
            HG_STR_ARG(version));
        return false;
    }
    if (items.p && (!hg_str_u64(items, ITEMS_MAX, &query->max_items) || query->max_items == 0)) {
        call_fail(
            call, HG_API_VALIDATION,
            "1 validation error detected: Value '%.*s' at 'maxItems' failed to satisfy constraint: "
            "Member must have value between 1 and %d",
            HG_STR_ARG(items), ITEMS_MAX);
        return false;
    }
    query->max_items = HG_MIN(query->max_items, PAGE_MAX);
    if (marker.p && marker.n && !hg_str_u64(marker, UINT32_MAX, &query->start)) {
        call_fail(call, HG_API_INVALID_PARAMETER, "Marker '%.*s' did not come from ListFunctions",
                  HG_STR_ARG(marker));
        return false;
    }
    return true;
}

void lambda_list_functions(struct hg_call *call)
{
    struct hg_snapshot *snapshot;
    const struct hg_function **rows;
    struct list_query query;
    struct hg_buf *buf;
    struct hg_json json;
    struct hg_pmap_at at = {0};
    const struct hg_family *family;
    size_t count = 0, total = 0, end;

    if (!parse_list_query(call, &query))
        return;
    snapshot = registry_current(call->api->options.registry);
    while ((family = snapshot_next_family(snapshot, &at)))
        total += 1 + (query.wants_all_versions ? family->version_count : 0);
    rows = hg_calloc(total + 1, sizeof(struct hg_function *));
    at = (struct hg_pmap_at){0};
    while ((family = snapshot_next_family(snapshot, &at))) {
        rows[count++] = family->latest;
        for (size_t i = 0; query.wants_all_versions && i < family->version_count; i++)
            rows[count++] = family->versions[i];
    }
    qsort(rows, count, sizeof(struct hg_function *), by_name_then_version);
    end = HG_MIN(count, (size_t)(query.start + query.max_items));
    buf = call_buffer(call);
    json = hg_json_to(buf);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "Functions");
    hg_json_begin_array(&json);
    for (size_t i = (size_t)query.start; i < end; i++)
        write_configuration(&json, snapshot, rows[i],
                            query.wants_all_versions ? rows[i]->version : HG_STR(""), false);
    hg_json_end_array(&json);
    if (end < count) {
        char marker[24];
        struct hg_buf digits = {.base = marker, .cap = sizeof(marker), .max = sizeof(marker)};

        hg_buf_append_u64(&digits, end);
        hg_json_field_str(&json, "NextMarker", hg_buf_str(&digits));
    }
    hg_json_end_object(&json);
    free(rows);
    snapshot_unref(snapshot);
    call_respond_json(call, 200, buf);
}

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
