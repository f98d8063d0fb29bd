/*
 * What is deployed: functions, APIs, routes. A snapshot is immutable once
 * published and reference-counted; requests pin the one they started with.
 * All memory belongs to the snapshot's arena. Pointers are NULL and counts 0
 * for what a template does not give.
 */
#ifndef HG_CONFIG_MODEL_H
#define HG_CONFIG_MODEL_H

#include "core/arena.h"
#include "core/map.h"
#include "core/published.h"

struct hg_kv {
    struct hg_str key, value;
};

struct hg_kv_list {
    struct hg_kv *items;
    size_t count;
};

/* An executable unit: one version of one function. Identity is the pointer within a snapshot, the ARN across. */
struct hg_function {
    struct hg_str name;       /* FunctionName */
    struct hg_str logical_id; /* in the template; "" when it came by the API */
    struct hg_str arn;        /* unqualified */
    struct hg_str version;    /* "$LATEST" or a number */
    struct hg_str runtime;    /* "python3.13", "nodejs22.x", "provided.al2023" */
    struct hg_str handler;
    struct hg_str role, description;
    struct hg_str code_dir;    /* absolute folder that becomes the task root */
    struct hg_str *layer_dirs; /* absolute folders, in merge order */
    struct hg_str *layer_arns; /* same count */
    size_t layer_count;
    struct hg_kv_list environment;
    bool has_environment;       /* an Environment block was given, even if empty */
    struct hg_str architecture; /* "x86_64" or "arm64" */
    struct hg_str tracing_mode; /* "PassThrough" or "Active" */
    struct hg_str log_format;   /* "Text" or "JSON" */
    struct hg_str app_log_level, system_log_level; /* "" unless JSON */
    struct hg_str log_group;                       /* "/aws/lambda/<name>" unless configured */
    struct hg_kv_list tags;
    unsigned memory_mb, timeout_s, ephemeral_mb;
    int reserved_concurrency;  /* -1: none */
    struct hg_str dead_letter; /* DeadLetterConfig.TargetArn; "" for none */
    bool may_recurse;          /* RecursiveLoop Allow */
    int64_t last_modified_ms;
    struct hg_str code_sha256; /* base64 */
    uint64_t code_size;
    struct hg_str revision_id;
    unsigned line; /* in the template */
};

/* name → version, with an optional second version by weight. */
struct hg_alias {
    struct hg_str function_name, name;
    const struct hg_function *function;
    const struct hg_function *weighted; /* NULL without routing configuration */
    double weight;                      /* share of `weighted`, 0…1 */
};

enum hg_integ_type {
    HG_INTEG_LAMBDA_PROXY,
    HG_INTEG_LAMBDA,
    HG_INTEG_HTTP_PROXY,
    HG_INTEG_HTTP,
    HG_INTEG_AWS,
    HG_INTEG_MOCK
};

/* One entry of IntegrationResponses. */
struct hg_integ_response {
    struct hg_str selection_pattern; /* "" is the default */
    int status;
    struct hg_kv_list parameters; /* "method.response.header.X" → "'literal'" or an expression */
    struct hg_kv_list templates;  /* content type → text */
};

struct hg_integ_model {
    enum hg_integ_type type;
    struct hg_str uri; /* as written, intrinsics resolved; may hold ${stageVariables.x} */
    /* Lambda: name or ARN from the URI, maybe with :qualifier, maybe with ${stageVariables.x}. */
    struct hg_str function_ref;
    struct hg_str http_method;
    struct hg_str payload_version; /* "1.0" or "2.0"; REST: "" */
    struct hg_str passthrough;     /* "WHEN_NO_MATCH", … */
    struct hg_str subtype;         /* HTTP API service integrations: "SQS-SendMessage" … */
    struct hg_kv_list request_parameters, request_templates;
    struct hg_integ_response *responses;
    size_t response_count;
    unsigned timeout_ms; /* 0: the API kind's default */
    /* Lambda, fixed by the template in Headgate's own words: "Event", "RequestResponse", "DryRun"; "" without. */
    struct hg_str invocation_type;
    bool wants_stream; /* responseTransferMode STREAM or the 2021-11-15 URI */
    unsigned line;
    /* What the gateway cannot serve yet: a sentence; such a route answers 501 with it. "" when it can. */
    struct hg_str unsupported;
};

/* A method of a resource (REST) or a route (HTTP API). */
struct hg_route {
    struct hg_str method;      /* upper case, "ANY", or "" for the $default route */
    struct hg_str path;        /* template: "/pets/{id}"; "" for $default */
    struct hg_str route_key;   /* HTTP API: "GET /pets/{id}", "$default" */
    struct hg_str resource_id; /* REST */
    struct hg_str operation_name;
    struct hg_str authorization; /* "NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS", "JWT" */
    bool is_api_key_required;
    struct hg_integ_model *integration;
    unsigned line;
};

struct hg_cors {
    bool is_set;
    struct hg_str *allow_origins, *allow_methods, *allow_headers, *expose_headers;
    size_t allow_origin_count, allow_method_count, allow_header_count, expose_header_count;
    int max_age; /* seconds; -1: none */
    bool allow_credentials;
};

struct hg_stage {
    struct hg_str name; /* "Prod", "$default" */
    struct hg_str deployment_id;
    struct hg_kv_list variables;
    struct hg_str access_log_format; /* "" without access log settings */
    bool has_throttle;
    double throttle_rate; /* requests per second; applies to every route */
    double throttle_burst;
    unsigned line;
};

/* REST only: one customised gateway response. */
struct hg_gateway_response {
    struct hg_str type; /* "DEFAULT_4XX", "MISSING_AUTHENTICATION_TOKEN", … */
    int status;         /* 0: built in */
    struct hg_kv_list parameters, templates;
};

enum hg_api_kind { HG_API_REST, HG_API_HTTP };

struct hg_api {
    enum hg_api_kind kind;
    struct hg_str id; /* 10 lower-case letters or digits */
    struct hg_str name;
    struct hg_str logical_id;
    struct hg_route *routes;
    size_t route_count;
    struct hg_stage *stages;
    size_t stage_count;
    struct hg_cors cors;         /* HTTP API */
    struct hg_str *binary_types; /* REST binaryMediaTypes */
    size_t binary_type_count;
    struct hg_gateway_response *gateway_responses;
    size_t gateway_response_count;
    bool is_endpoint_disabled; /* disableExecuteApiEndpoint */
    unsigned line;
    void *
        compiled; /* gateway/route.h: made once per snapshot by its prepare hook, freed with the arena */
};

/* A function URL. Serving comes with its own feature; until then it is listed as not served. */
struct hg_url {
    struct hg_str id;
    const struct hg_function *function;
    struct hg_str auth_type, invoke_mode;
    struct hg_cors cors;
};

/* EventInvokeConfig of a template; see config/event_config.h for what is in force. */
struct hg_event_setting {
    struct hg_str function_name, qualifier; /* "$LATEST", a version or an alias */
    int max_retries, max_age_s;             /* -1: not given */
    struct hg_str on_success, on_failure;   /* targets; "" for none */
    unsigned line;
};

/* Understood but not served yet, or unknown: said at start-up with its line. */
enum hg_notice_kind { HG_NOTICE_NOT_SERVED, HG_NOTICE_UNKNOWN, HG_NOTICE_WARNING };
struct hg_notice {
    enum hg_notice_kind kind;
    unsigned line;
    struct hg_str text;
};

struct hg_output {
    struct hg_str name, value, description;
};

struct hg_snapshot {
    struct hg_counted counted;
    struct hg_arena *arena;
    struct hg_str region, account, stack_name;
    struct hg_function **functions;
    size_t function_count;
    struct hg_map functions_by_name; /* $LATEST of each */
    struct hg_alias *aliases;
    size_t alias_count;
    struct hg_api *apis;
    size_t api_count;
    struct hg_url *urls;
    size_t url_count;
    struct hg_event_setting *event_settings;
    size_t event_setting_count;
    struct hg_notice *notices;
    size_t notice_count;
    struct hg_output *outputs;
    size_t output_count;
};

/* An empty snapshot with one reference. */
struct hg_snapshot *snapshot_new(struct hg_str region, struct hg_str account);
/* Any thread. */
struct hg_snapshot *snapshot_ref(struct hg_snapshot *snapshot);
void snapshot_unref(struct hg_snapshot *snapshot);

/*
 * Finds the function that a reference means: name, name:qualifier, partial or full ARN (function-api.md §3).
 * qualifier ("" for none) is the alias or version asked for; aliases with weights draw here.
 */
const struct hg_function *snapshot_find_function(const struct hg_snapshot *snapshot,
                                                 struct hg_str name, struct hg_str qualifier);

/* Value of a key in a list; p is NULL when absent. */
struct hg_str kv_get(const struct hg_kv_list *list, struct hg_str key);

/*
 * The published snapshot: one writer (control loop), readers on every thread.
 * current returns a new reference.
 */
struct hg_registry;
struct hg_registry *registry_new(struct hg_snapshot *first); /* takes the reference */
struct hg_snapshot *registry_current(struct hg_registry *registry);
/* Grows with every publish; any thread, cheap: readers keep a reference of their own until it changes. */
uint64_t registry_version(const struct hg_registry *registry);
void registry_publish(struct hg_registry *registry,
                      struct hg_snapshot *next); /* takes the reference */
void registry_free(struct hg_registry *registry);

#endif
