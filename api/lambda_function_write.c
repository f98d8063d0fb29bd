/*
 * A function's configuration as JSON.
 */
#include "api/lambda_function.h"

#include "core/clock.h"
#include "core/crypto.h"
#include "core/id.h"

struct hg_str lambda_runtime_arn(struct hg_arena *arena, struct hg_str region,
                                 struct hg_str runtime)
{
    unsigned char digest[HG_SHA256_LEN];
    struct hg_buf arn;
    struct hg_str text;

    hg_sha256(runtime, digest);
    hg_buf_init(&arn, 256);
    hg_buf_printf(&arn, "arn:aws:lambda:%.*s::runtime:", HG_STR_ARG(region));
    (void)hg_hex_encode(&arn, digest, sizeof(digest));
    text = hg_arena_str(arena, hg_buf_str(&arn));
    hg_buf_fini(&arn);
    return text;
}

static void field_given(struct hg_json *json, struct hg_str quoted_key, struct hg_str text)
{
    if (!text.n)
        return;
    hg_json_key_raw(json, quoted_key);
    hg_json_str(json, text);
}

static struct hg_str or_else(struct hg_str text, struct hg_str otherwise)
{
    return text.n ? text : otherwise;
}

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
        if (function->layer_sizes && function->layer_sizes[i].n) {
            hg_json_key_lit(json, "CodeSize");
            hg_json_raw(json, function->layer_sizes[i]);
        }
        hg_json_end_object(json);
    }
    hg_json_end_array(json);
}

static void write_logging(struct hg_json *json, const struct hg_function *function)
{
    hg_json_key_lit(json, "LoggingConfig");
    hg_json_begin_object(json);
    hg_json_field_str(json, "LogFormat", or_else(function->log_format, HG_STR("Text")));
    field_given(json, HG_STR("\"ApplicationLogLevel\":"), function->app_log_level);
    field_given(json, HG_STR("\"SystemLogLevel\":"), function->system_log_level);
    hg_json_field_str(json, "LogGroup", function->log_group);
    hg_json_end_object(json);
}

/* State and LastUpdateStatus with their reasons. */
static void write_life(struct hg_json *json, const struct hg_function *function)
{
    struct hg_str state = or_else(function->state, HG_STR("Active"));
    struct hg_str status = function->update_status;

    if (!status.n && hg_str_is(state, "Active"))
        status = HG_STR("Successful");
    hg_json_field_str(json, "State", state);
    field_given(json, HG_STR("\"StateReason\":"), function->state_reason);
    field_given(json, HG_STR("\"StateReasonCode\":"), function->state_reason_code);
    field_given(json, HG_STR("\"LastUpdateStatus\":"), status);
    field_given(json, HG_STR("\"LastUpdateStatusReason\":"), function->update_reason);
    field_given(json, HG_STR("\"LastUpdateStatusReasonCode\":"), function->update_reason_code);
}

static void write_runtime_version(struct hg_json *json, struct hg_str region, struct hg_str runtime)
{
    struct hg_arena *arena = hg_arena_new(1024);

    hg_json_key_lit(json, "RuntimeVersionConfig");
    hg_json_begin_object(json);
    hg_json_field_str(json, "RuntimeVersionArn", lambda_runtime_arn(arena, region, runtime));
    hg_json_end_object(json);
    hg_arena_free(arena);
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

static void write_snap_start(struct hg_json *json, const struct hg_function *function)
{
    bool is_on =
        hg_str_is(function->snap_start, "PublishedVersions") && function->version.p[0] != '$';

    hg_json_key_lit(json, "SnapStart");
    hg_json_begin_object(json);
    hg_json_field_str(json, "ApplyOn", or_else(function->snap_start, HG_STR("None")));
    hg_json_field_cstr(json, "OptimizationStatus", is_on ? "On" : "Off");
    hg_json_end_object(json);
}

/* What is there only when it was asked for. */
static void write_given(struct hg_json *json, const struct hg_function *function)
{
    if (function->vpc.n) {
        hg_json_key_lit(json, "VpcConfig");
        hg_json_raw(json, function->vpc);
    }
    if (function->dead_letter.n) {
        hg_json_key_lit(json, "DeadLetterConfig");
        hg_json_begin_object(json);
        hg_json_field_str(json, "TargetArn", function->dead_letter);
        hg_json_end_object(json);
    }
    write_environment(json, function);
    field_given(json, HG_STR("\"KMSKeyArn\":"), function->kms_key);
}

void function_write_configuration(struct hg_json *json, struct hg_str region,
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
    write_given(json, function);
    hg_json_key_lit(json, "TracingConfig");
    hg_json_begin_object(json);
    hg_json_field_str(json, "Mode", or_else(function->tracing_mode, HG_STR("PassThrough")));
    hg_json_end_object(json);
    hg_json_field_str(json, "RevisionId", function->revision_id);
    write_layers(json, function);
    if (has_state)
        write_life(json, function);
    hg_json_field_cstr(json, "PackageType", "Zip");
    hg_json_key_lit(json, "Architectures");
    hg_json_begin_array(json);
    hg_json_str(json, or_else(function->architecture, HG_STR("x86_64")));
    hg_json_end_array(json);
    hg_json_key_lit(json, "EphemeralStorage");
    hg_json_begin_object(json);
    hg_json_field_i64(json, "Size", function->ephemeral_mb);
    hg_json_end_object(json);
    write_snap_start(json, function);
    if (has_state)
        write_runtime_version(json, region, function->runtime);
    write_logging(json, function);
    hg_json_end_object(json);
}

/* ---- answers of changes ---- */

struct answer {
    int status;
    struct hg_str qualifier;
};

enum hg_rc function_answer(struct hg_api_change *change, int status,
                           const struct hg_function *draft, struct hg_str qualifier)
{
    struct answer *answer = hg_arena_must(change->arena, sizeof(*answer));

    answer->status = status;
    answer->qualifier = hg_arena_str(change->arena, qualifier);
    change->function = function_seal(draft);
    change->user = answer;
    return HG_OK;
}

void function_respond(struct hg_api_change *change)
{
    const struct answer *answer = change->user;
    struct hg_buf *buf = call_buffer(change->call);
    struct hg_json json = hg_json_to(buf);

    function_write_configuration(&json, change->snapshot->region, change->function,
                                 answer->qualifier, true);
    call_respond_json(change->call, answer->status, buf);
}
