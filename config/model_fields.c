/*
 * Keys are short, since a store holds tens of thousands of these documents.
 * The order is that of documents: a new field may be added anywhere, with a key
 * of its own; a key is never given another meaning.
 */
#include "config/model_fields.h"

#define START(of, name, what, member) \
    .key = {"\"" name "\":", sizeof("\"" name "\":") - 1}, .kind = HG_FIELD_##what, \
    .offset = offsetof(struct of, member)
#define PLAIN(of, name, what, member) \
    { \
        START(of, name, what, member) \
    }
/* Counts for function_is_same. */
#define SAME(of, name, what, member) \
    { \
        START(of, name, what, member), .is_same = true \
    }
#define FALLBACK(of, name, what, member, number) \
    { \
        START(of, name, what, member), .fallback = (number) \
    }
#define COUNTED(of, name, what, member, counter) \
    { \
        START(of, name, what, member), .count_offset = offsetof(struct of, counter) \
    }
#define COUNTED_SAME(of, name, what, member, counter) \
    { \
        START(of, name, what, member), .is_same = true, \
                                       .count_offset = offsetof(struct of, counter) \
    }
#define PART(of, name, member, table) \
    { \
        START(of, name, PART, member), .type = &(table) \
    }
#define LIST(of, name, member, counter, table) \
    { \
        START(of, name, LIST, member), .count_offset = offsetof(struct of, counter), \
                                       .type = &(table) \
    }
#define TABLE(of, fields) \
    { \
        fields, HG_COUNT(fields), sizeof(struct of) \
    }

/* clang-format off */

#define FN hg_function
static const struct hg_field of_function[] = {
    PLAIN(FN, "n", STR, name),
    PLAIN(FN, "id", STR, logical_id),
    PLAIN(FN, "arn", STR, arn),
    PLAIN(FN, "v", STR, version),
    SAME(FN, "run", STR, runtime),
    SAME(FN, "h", STR, handler),
    SAME(FN, "role", STR, role),
    SAME(FN, "d", STR, description),
    PLAIN(FN, "dir", STR, code_dir),
    COUNTED(FN, "ldir", STRS, layer_dirs, layer_count),
    COUNTED_SAME(FN, "larn", STRS, layer_arns, layer_count),
    COUNTED(FN, "lsize", STRS, layer_sizes, layer_count),
    SAME(FN, "env", PAIRS, environment),
    SAME(FN, "hasenv", BOOL, has_environment),
    SAME(FN, "arch", STR, architecture),
    SAME(FN, "trace", STR, tracing_mode),
    SAME(FN, "log", STR, log_format),
    SAME(FN, "app", STR, app_log_level),
    SAME(FN, "sys", STR, system_log_level),
    SAME(FN, "group", STR, log_group),
    PLAIN(FN, "tags", PAIRS, tags),
    SAME(FN, "mem", UNSIGNED, memory_mb),
    SAME(FN, "time", UNSIGNED, timeout_s),
    SAME(FN, "tmp", UNSIGNED, ephemeral_mb),
    FALLBACK(FN, "reserved", INT, reserved_concurrency, -1),
    SAME(FN, "dlq", STR, dead_letter),
    PLAIN(FN, "recurse", BOOL, may_recurse),
    PLAIN(FN, "at", I64, last_modified_ms),
    SAME(FN, "sha", STR, code_sha256),
    PLAIN(FN, "size", U64, code_size),
    PLAIN(FN, "zip", STR, code_zip),
    PLAIN(FN, "rev", STR, revision_id),
    SAME(FN, "snap", STR, snap_start),
    SAME(FN, "kms", STR, kms_key),
    SAME(FN, "vpc", STR, vpc),
    PLAIN(FN, "st", STR, state),
    PLAIN(FN, "str", STR, state_reason),
    PLAIN(FN, "stc", STR, state_reason_code),
    PLAIN(FN, "up", STR, update_status),
    PLAIN(FN, "upr", STR, update_reason),
    PLAIN(FN, "upc", STR, update_reason_code),
    PLAIN(FN, "pub", STR, published_revision),
    PLAIN(FN, "line", UNSIGNED, line),
};
const struct hg_fields function_fields = TABLE(hg_function, of_function);

static const struct hg_field of_alias[] = {
    PLAIN(hg_alias, "f", STR, function_name),
    PLAIN(hg_alias, "n", STR, name),
    PLAIN(hg_alias, "d", STR, description),
    PLAIN(hg_alias, "rev", STR, revision_id),
    PLAIN(hg_alias, "w", DOUBLE, weight),
};
const struct hg_fields alias_fields = TABLE(hg_alias, of_alias);

static const struct hg_field of_statement[] = {
    PLAIN(hg_statement, "sid", STR, sid),
    PLAIN(hg_statement, "s", STR, json),
};
static const struct hg_fields statement_fields = TABLE(hg_statement, of_statement);

static const struct hg_field of_policy[] = {
    PLAIN(hg_policy, "q", STR, qualifier),
    PLAIN(hg_policy, "rev", STR, revision_id),
    LIST(hg_policy, "s", statements, statement_count, statement_fields),
};
const struct hg_fields policy_fields = TABLE(hg_policy, of_policy);

static const struct hg_field of_cors[] = {
    PLAIN(hg_cors, "set", BOOL, is_set),
    COUNTED(hg_cors, "o", STRS, allow_origins, allow_origin_count),
    COUNTED(hg_cors, "m", STRS, allow_methods, allow_method_count),
    COUNTED(hg_cors, "h", STRS, allow_headers, allow_header_count),
    COUNTED(hg_cors, "e", STRS, expose_headers, expose_header_count),
    FALLBACK(hg_cors, "age", INT, max_age, -1),
    PLAIN(hg_cors, "cred", BOOL, allow_credentials),
    PLAIN(hg_cors, "said", BOOL, says_credentials),
};
static const struct hg_fields cors_fields = TABLE(hg_cors, of_cors);

static const struct hg_field of_url[] = {
    PLAIN(hg_url, "id", STR, id),
    PLAIN(hg_url, "q", STR, qualifier),
    PLAIN(hg_url, "auth", STR, auth_type),
    PLAIN(hg_url, "mode", STR, invoke_mode),
    PART(hg_url, "cors", cors, cors_fields),
    PLAIN(hg_url, "made", I64, created_ms),
    PLAIN(hg_url, "at", I64, modified_ms),
};
const struct hg_fields url_fields = TABLE(hg_url, of_url);

static const struct hg_field of_provisioned[] = {
    PLAIN(hg_provisioned, "q", STR, qualifier),
    PLAIN(hg_provisioned, "n", UNSIGNED, requested),
    PLAIN(hg_provisioned, "at", I64, modified_ms),
};
const struct hg_fields provisioned_fields = TABLE(hg_provisioned, of_provisioned);

static const struct hg_field of_attached[] = {
    PLAIN(hg_attached, "k", STR, kind),
    PLAIN(hg_attached, "q", STR, qualifier),
    PLAIN(hg_attached, "j", STR, json),
};
const struct hg_fields attached_fields = TABLE(hg_attached, of_attached);

#define LV hg_layer_version
static const struct hg_field of_layer_version[] = {
    PLAIN(LV, "v", U64, number),
    PLAIN(LV, "arn", STR, arn),
    PLAIN(LV, "d", STR, description),
    PLAIN(LV, "lic", STR, license),
    PLAIN(LV, "at", I64, created_ms),
    PLAIN(LV, "sha", STR, sha256),
    PLAIN(LV, "size", U64, size),
    PLAIN(LV, "dir", STR, dir),
    PLAIN(LV, "zip", STR, zip),
    PLAIN(LV, "run", STR, runtimes),
    PLAIN(LV, "arch", STR, architectures),
    PART(LV, "policy", policy, policy_fields),
};
const struct hg_fields layer_version_fields = TABLE(hg_layer_version, of_layer_version);

static const struct hg_field of_mapping[] = {
    PLAIN(hg_mapping, "id", STR, uuid),
    PLAIN(hg_mapping, "f", STR, function_name),
    PLAIN(hg_mapping, "q", STR, qualifier),
    PLAIN(hg_mapping, "src", STR, source),
    PLAIN(hg_mapping, "on", BOOL, is_enabled),
    PLAIN(hg_mapping, "st", STR, state),
    PLAIN(hg_mapping, "str", STR, reason),
    PLAIN(hg_mapping, "at", I64, modified_ms),
    PLAIN(hg_mapping, "tags", PAIRS, tags),
    PLAIN(hg_mapping, "set", STR, settings),
};
const struct hg_fields mapping_fields = TABLE(hg_mapping, of_mapping);
