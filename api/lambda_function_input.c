/*
 * What CreateFunction and UpdateFunctionConfiguration set, beyond what the
 * model says of each member by itself (function-api.md §4.1, §8). On any thread; changes nothing but the draft.
 */
#include "api/lambda_function.h"

#include "api/lambda_tags.h"
#include "config/target.h"
#include "core/id.h"

enum {
    ENVIRONMENT_MAX = 4096, /* bytes of the variables as compact JSON */
    MEMORY_MAX_MB = 10240,
    MODEL_MEMORY_MAX_MB = 32768,
    ENVIRONMENT_TEXT_MAX = 512 << 10,
};

struct take {
    struct hg_api_change *change;
    const struct hg_snapshot *snapshot;
    const cJSON *input;
    struct hg_function *draft;
};

static const char *const runtimes[] = {
    "nodejs20.x",    "python3.14", "provided.al2023", "python3.12", "python3.13",   "nodejs24.x",
    "nodejs22.x",    "java25",     "python3.10",      "python3.11", "java21",       "ruby3.3",
    "ruby3.4",       "ruby3.2",    "python3.8",       "python3.9",  "java17",       "nodejs16.x",
    "dotnet10",      "dotnet8",    "java11",          "dotnet6",    "nodejs18.x",   "provided.al2",
    "java8.al2",     "ruby4.0",    "nodejs26.x",      "python3.15", "java8.al2023", "java11.al2023",
    "java17.al2023",
};

/* Known once, and refused for years now. */
static const char *const blocked_runtimes[] = {
    "nodejs",        "nodejs4.3",  "nodejs4.3-edge", "nodejs6.10",    "nodejs8.10",
    "nodejs10.x",    "nodejs12.x", "nodejs14.x",     "java8",         "python2.7",
    "python3.6",     "python3.7",  "dotnetcore1.0",  "dotnetcore2.0", "dotnetcore2.1",
    "dotnetcore3.1", "go1.x",      "ruby2.5",        "ruby2.7",       "provided",
};

static const char runtime_set[] =
    "[nodejs20.x, python3.14, provided.al2023, python3.12, python3.13, nodejs24.x, nodejs22.x, java25, "
    "python3.10, python3.11, java21, ruby3.3, ruby3.4, ruby3.2, python3.8, python3.9, java17, nodejs16.x, "
    "dotnet10, dotnet8, java11, dotnet6, nodejs18.x, provided.al2, java8.al2]";

static const char *const reserved_names[] = {
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_TASK_ROOT",
    "LAMBDA_RUNTIME_DIR",
};

static bool is_one_of(struct hg_str text, const char *const *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (hg_str_is(text, items[i]))
            return true;
    return false;
}

static void set_str(const cJSON *object, const char *name, struct hg_str *out)
{
    if (input_has(object, name))
        *out = input_str(object, name);
}

static enum hg_rc take_runtime(struct take *take)
{
    struct hg_str runtime = input_str(take->input, "Runtime");

    if (!runtime.p)
        return HG_OK;
    if (is_one_of(runtime, blocked_runtimes, HG_COUNT(blocked_runtimes)))
        return change_refuse(
            take->change, HG_API_INVALID_PARAMETER,
            "The runtime parameter of %.*s is no longer supported for creating or "
            "updating AWS Lambda functions. We recommend you use a supported runtime "
            "while creating or updating functions.",
            HG_STR_ARG(runtime));
    if (!is_one_of(runtime, runtimes, HG_COUNT(runtimes)))
        return change_refuse(
            take->change, HG_API_INVALID_PARAMETER,
            "Value %.*s at 'runtime' failed to satisfy constraint: Member must satisfy "
            "enum value set: %s or be a valid ARN",
            HG_STR_ARG(runtime), runtime_set);
    take->draft->runtime = runtime;
    return HG_OK;
}

static enum hg_rc take_memory(struct take *take)
{
    int64_t memory = input_i64(take->input, "MemorySize", take->draft->memory_mb);

    if (memory > MODEL_MEMORY_MAX_MB)
        return change_refuse(
            take->change, HG_API_VALIDATION,
            "1 validation error detected: Value '%lld' at 'memorySize' failed to satisfy "
            "constraint: Member must have value less than or equal to %d",
            (long long)memory, MEMORY_MAX_MB);
    if (memory > MEMORY_MAX_MB)
        return change_refuse(
            take->change, HG_API_INVALID_PARAMETER,
            "'MemorySize' value failed to satisfy constraint: Member must have value "
            "less than or equal to %d",
            MEMORY_MAX_MB);
    take->draft->memory_mb = (unsigned)memory;
    return HG_OK;
}

/* The variables as the service measures them. */
static void write_variables(struct hg_buf *text, const struct hg_kv_list *variables)
{
    struct hg_json json = hg_json_to(text);

    hg_json_begin_object(&json);
    for (size_t i = 0; i < variables->count; i++) {
        hg_json_key(&json, variables->items[i].key);
        hg_json_str(&json, variables->items[i].value);
    }
    hg_json_end_object(&json);
}

static enum hg_rc check_variables(struct take *take, const struct hg_kv_list *variables)
{
    struct hg_buf text, reserved;
    enum hg_rc rc = HG_OK;

    hg_buf_init(&text, ENVIRONMENT_TEXT_MAX);
    hg_buf_init(&reserved, ENVIRONMENT_TEXT_MAX);
    write_variables(&text, variables);
    for (size_t i = 0; i < variables->count; i++)
        if (is_one_of(variables->items[i].key, reserved_names, HG_COUNT(reserved_names)))
            hg_buf_printf(&reserved, "%s%.*s", reserved.len ? ", " : "",
                          HG_STR_ARG(variables->items[i].key));
    if (reserved.len)
        rc =
            change_refuse(take->change, HG_API_INVALID_PARAMETER,
                          "Lambda was unable to configure your environment variables because the "
                          "environment variables you have provided contains reserved keys that are "
                          "currently not supported for modification. Reserved keys used in this "
                          "request: %.*s",
                          HG_STR_ARG(hg_buf_str(&reserved)));
    else if (text.len > ENVIRONMENT_MAX || text.is_overflown)
        rc = change_refuse(take->change, HG_API_INVALID_PARAMETER,
                           "Lambda was unable to configure your environment variables because the "
                           "environment variables you have provided exceeded the 4KB limit. String "
                           "measured: %.*s",
                           HG_STR_ARG(hg_buf_str(&text)));
    hg_buf_fini(&text);
    hg_buf_fini(&reserved);
    return rc;
}

static struct hg_kv_list kv_of(struct hg_arena *arena, const cJSON *map)
{
    struct hg_kv_list list = {.count = (size_t)cJSON_GetArraySize(map)};
    size_t i = 0;

    list.items = hg_arena_must(arena, (list.count + 1) * sizeof(*list.items));
    for (const cJSON *item = map->child; item; item = item->next)
        list.items[i++] =
            (struct hg_kv){hg_str_of(item->string), hg_str_of(cJSON_GetStringValue(item))};
    return list;
}

/* An empty block that comes with an update takes all away; at the creation it stays to be seen. */
static enum hg_rc take_environment(struct take *take, bool is_new)
{
    const cJSON *block = input_get(take->input, "Environment");
    const cJSON *map = input_get(block, "Variables");
    struct hg_kv_list variables = {NULL, 0};

    if (!block)
        return HG_OK;
    if (map)
        variables = kv_of(take->change->arena, map);
    take->draft->environment = variables;
    take->draft->has_environment = map && (is_new || variables.count);
    return check_variables(take, &variables);
}

static enum hg_rc take_dead_letter(struct take *take)
{
    const cJSON *block = input_get(take->input, "DeadLetterConfig");
    struct hg_str target = input_str(block, "TargetArn");
    enum hg_target_kind kind;

    if (!block)
        return HG_OK;
    take->draft->dead_letter = target.p ? target : HG_STR("");
    if (!take->draft->dead_letter.n)
        return HG_OK;
    kind = target_kind(target);
    if (kind == HG_TARGET_KIND_SQS || kind == HG_TARGET_KIND_SNS)
        return HG_OK;
    return change_refuse(
        take->change, HG_API_INVALID_PARAMETER,
        "The DeadLetterConfig TargetArn %.*s must be the ARN of an Amazon SQS queue or "
        "of an Amazon SNS topic",
        HG_STR_ARG(target));
}

static void write_list(struct hg_json *json, const cJSON *list)
{
    hg_json_begin_array(json);
    for (const cJSON *item = list ? list->child : NULL; item; item = item->next)
        hg_json_cstr(json, cJSON_GetStringValue(item));
    hg_json_end_array(json);
}

/* Kept and returned; the id of the network is made from the first subnet's, for tools that read it back. */
static void take_vpc(struct take *take, bool is_new)
{
    enum { VPC_TEXT_MAX = 64 << 10, VPC_ID_LEN = 17 };
    const cJSON *block = input_get(take->input, "VpcConfig");
    const cJSON *subnets = input_get(block, "SubnetIds");
    const cJSON *groups = input_get(block, "SecurityGroupIds");
    bool is_empty = !cJSON_GetArraySize(subnets) && !cJSON_GetArraySize(groups);
    char id[VPC_ID_LEN + 1] = "";
    struct hg_buf text;
    struct hg_json json;

    if (!block || (is_empty && (is_new || !take->draft->vpc.n)))
        return;
    if (cJSON_GetArraySize(subnets))
        hg_stable_id(hg_str_of(cJSON_GetStringValue(cJSON_GetArrayItem(subnets, 0))), id,
                     VPC_ID_LEN);
    hg_buf_init(&text, VPC_TEXT_MAX);
    json = hg_json_to(&text);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "SubnetIds");
    write_list(&json, subnets);
    hg_json_key_lit(&json, "SecurityGroupIds");
    write_list(&json, groups);
    hg_json_field_cstr(&json, "VpcId",
                       id[0] ? hg_arena_printf(take->change->arena, "vpc-%s", id) : "");
    hg_json_field_bool(&json, "Ipv6AllowedForDualStack",
                       input_bool(block, "Ipv6AllowedForDualStack", false));
    hg_json_end_object(&json);
    take->draft->vpc = hg_arena_str(take->change->arena, hg_buf_str(&text));
    hg_buf_fini(&text);
}

/* Members that are not given stay; JSON brings levels with it, and Text takes them away. */
static enum hg_rc take_logging(struct take *take)
{
    const cJSON *block = input_get(take->input, "LoggingConfig");
    struct hg_function *draft = take->draft;

    if (!block)
        return HG_OK;
    set_str(block, "LogFormat", &draft->log_format);
    set_str(block, "LogGroup", &draft->log_group);
    if (!hg_str_is(draft->log_format, "JSON")) {
        if (input_has(block, "ApplicationLogLevel") || input_has(block, "SystemLogLevel"))
            return change_refuse(
                take->change, HG_API_INVALID_PARAMETER,
                "LogLevel is not supported when LogFormat is set to \"Text\". Remove "
                "LogLevel from your request or change the LogFormat to \"JSON\" and "
                "try again.");
        draft->app_log_level = draft->system_log_level = HG_STR("");
        return HG_OK;
    }
    set_str(block, "ApplicationLogLevel", &draft->app_log_level);
    set_str(block, "SystemLogLevel", &draft->system_log_level);
    if (!draft->app_log_level.n)
        draft->app_log_level = HG_STR("INFO");
    if (!draft->system_log_level.n)
        draft->system_log_level = HG_STR("INFO");
    return HG_OK;
}

/* java11 and later, python3.12 and later, dotnet8 and later. */
static bool has_snap_start(struct hg_str runtime)
{
    static const struct {
        const char *family;
        uint64_t first;
    } rows[] = {{"java", 11}, {"python3.", 12}, {"dotnet", 8}};

    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        struct hg_str rest;
        uint64_t number;

        if (!hg_str_starts(runtime, hg_str_of(rows[i].family)))
            continue;
        rest = hg_str_skip(runtime, strlen(rows[i].family));
        if (hg_str_find(rest, '.') >= 0)
            rest.n = (size_t)hg_str_find(rest, '.');
        return hg_str_u64(rest, 1000, &number) && number >= rows[i].first;
    }
    return false;
}

static enum hg_rc take_snap_start(struct take *take)
{
    struct hg_function *draft = take->draft;

    set_str(input_get(take->input, "SnapStart"), "ApplyOn", &draft->snap_start);
    if (hg_str_is(draft->snap_start, "PublishedVersions") && !has_snap_start(draft->runtime))
        return change_refuse(take->change, HG_API_INVALID_PARAMETER,
                             "%.*s is not supported for SnapStart enabled functions.",
                             HG_STR_ARG(draft->runtime));
    return HG_OK;
}

static enum hg_rc take_tags(struct take *take)
{
    const cJSON *map = input_get(take->input, "Tags");

    if (!map)
        return HG_OK;
    take->draft->tags = kv_of(take->change->arena, map);
    return tags_check_count(take->change, take->draft->tags.count);
}

static void take_plain(struct take *take)
{
    const cJSON *input = take->input, *architectures = input_get(input, "Architectures");
    struct hg_function *draft = take->draft;

    set_str(input, "Handler", &draft->handler);
    set_str(input, "Role", &draft->role);
    set_str(input, "Description", &draft->description);
    set_str(input, "KMSKeyArn", &draft->kms_key);
    set_str(input_get(input, "TracingConfig"), "Mode", &draft->tracing_mode);
    draft->timeout_s = (unsigned)input_i64(input, "Timeout", draft->timeout_s);
    draft->ephemeral_mb =
        (unsigned)input_i64(input_get(input, "EphemeralStorage"), "Size", draft->ephemeral_mb);
    if (cJSON_GetArraySize(architectures))
        draft->architecture = hg_str_of(cJSON_GetStringValue(cJSON_GetArrayItem(architectures, 0)));
}

static enum hg_rc refuse_images(struct take *take)
{
    const cJSON *image = input_get(take->input, "ImageConfig");

    if (hg_str_is(input_str(take->input, "PackageType"), "Image") || cJSON_GetArraySize(image))
        return change_refuse(
            take->change, HG_API_INVALID_PARAMETER,
            "Container images are not run here: PackageType Image and ImageConfig are not "
            "available; give an archive in Code.ZipFile, or in Code.S3Bucket and Code.S3Key");
    return HG_OK;
}

static enum hg_rc refuse_code_signing(struct take *take)
{
    struct hg_str arn = input_str(take->input, "CodeSigningConfigArn");

    if (!arn.n)
        return HG_OK;
    return change_refuse(take->change, HG_API_CODE_SIGNING_NOT_FOUND,
                         "The code signing configuration cannot be found. Check that the provided "
                         "configuration is not deleted: %.*s.",
                         HG_STR_ARG(arn));
}

enum hg_rc function_take_input(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                               struct hg_function *draft)
{
    struct take take = {change, snapshot, change->input, draft};
    bool is_new = !draft->revision_id.n;
    enum hg_rc rc = refuse_images(&take);

    if (rc == HG_OK)
        rc = refuse_code_signing(&take);
    take_plain(&take);
    if (rc == HG_OK)
        rc = take_runtime(&take);
    if (rc == HG_OK)
        rc = take_memory(&take);
    if (rc == HG_OK)
        rc = take_environment(&take, is_new);
    if (rc == HG_OK)
        rc = take_dead_letter(&take);
    if (rc == HG_OK)
        rc = take_logging(&take);
    if (rc == HG_OK)
        rc = take_snap_start(&take);
    if (rc == HG_OK)
        rc = take_tags(&take);
    if (rc == HG_OK && input_has(change->input, "Layers"))
        rc = function_take_layers(change, snapshot, input_get(change->input, "Layers"), draft);
    take_vpc(&take, is_new);
    return rc;
}
