/*
 * What is deployed. Two things, both immutable once made and counted:
 *
 * struct hg_stack     what one template says: functions, aliases, APIs, routes. All its memory is its arena's.
 *                     Pointers are NULL and counts 0 for what the template does not give.
 * struct hg_snapshot  what is in force: the stack's APIs, and the functions, layers and mappings of template and management API
 *                     together (config/catalog.h makes the next one). Requests pin the one they started with. Snapshots share
 *                     all that did not change between them.
 */
#ifndef HG_CONFIG_MODEL_H
#define HG_CONFIG_MODEL_H

#include "core/arena.h"
#include "core/error.h"
#include "core/map.h"
#include "core/pmap.h"
#include "core/published.h"

struct hg_kv {
    struct hg_str key, value;
};

struct hg_kv_list {
    struct hg_kv *items;
    size_t count;
};

/*
 * An executable unit: one version of one function. In a snapshot it is sealed (config/function.h): one block of memory, shared by all
 * snapshots until it changes, so that the same pointer is the same configuration. In a stack it lies in the stack's arena.
 *
 * reserved_concurrency, may_recurse and tags are the family's, repeated in each version for the data plane's sake.
 */
struct hg_function {
    struct hg_counted counted; /* of a sealed one */
    struct hg_str name;        /* FunctionName */
    struct hg_str logical_id;  /* in the template; "" when it came by the API */
    struct hg_str arn;         /* unqualified */
    struct hg_str version;     /* "$LATEST" or a number */
    struct hg_str runtime;     /* "python3.13", "nodejs22.x", "provided.al2023" */
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
    struct hg_str
        code_zip; /* absolute path of the archive that it came from; "" when the code is a folder */
    struct hg_str *
        layer_sizes; /* decimal CodeSize of each layer, same count as layer_arns; NULL: not known */
    struct hg_str revision_id;
    struct hg_str snap_start; /* "None" or "PublishedVersions" */
    struct hg_str
        kms_key; /* KMSKeyArn as given; kept and returned: nothing is encrypted with it; "" for none */
    struct hg_str
        vpc; /* JSON of VpcConfig as returned; "" for none: kept, said in docs to have no effect */
    struct hg_str state, state_reason, state_reason_code; /* "Active", … */
    struct hg_str update_status, update_reason,
        update_reason_code;           /* LastUpdateStatus: "Successful", … */
    struct hg_str published_revision; /* of $LATEST: see PublishVersion; "" when never published */
    unsigned line;                    /* in the template; 0 when it came by the API */
};

/* name → version, with an optional second version by weight. */
struct hg_alias {
    struct hg_str function_name, name;
    struct hg_str description, revision_id; /* "" in a stack */
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
    bool says_credentials; /* whether or not they are allowed, it was said */
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
    bool is_function_url;      /* an HTTP API that stands for one: see struct hg_url_front */
    bool needs_signature;      /* function URL: AuthType AWS_IAM */
    unsigned line;
    void *
        compiled; /* gateway/route.h: made once per snapshot by its prepare hook, freed with the arena */
};

/* A function URL. */
struct hg_url {
    struct hg_str id; /* 32 lower-case letters and digits */
    const struct hg_function
        *function;           /* of a stack's; NULL in a family, where the qualifier tells */
    struct hg_str qualifier; /* "" for the function itself, or an alias */
    struct hg_str auth_type, invoke_mode; /* "NONE" …; "BUFFERED" … */
    struct hg_cors cors;
    int64_t created_ms, modified_ms;
};

/* A statement of a resource policy. */
struct hg_statement {
    struct hg_str sid;
    struct hg_str json; /* the whole statement, compact */
};

/* A resource policy: of a function (one for each qualifier) or of a layer version. */
struct hg_policy {
    struct hg_str qualifier; /* "" unqualified */
    struct hg_str revision_id;
    struct hg_statement *statements;
    size_t statement_count;
};

/* A statement that a template adds to the policy of a function, version or alias. */
struct hg_stack_permission {
    struct hg_str function_name, qualifier; /* "" unqualified */
    struct hg_statement statement;
};

/* Provisioned concurrency, of a version or an alias. */
struct hg_provisioned {
    struct hg_str qualifier;
    unsigned requested;
    int64_t modified_ms;
};

/* A small thing of a family that has a qualifier and a document: kind "runtime-management", "event-invoke-config", … */
struct hg_attached {
    struct hg_str kind, qualifier;
    struct hg_str json;
};

/* Who made it: it decides what becomes of it when the template no longer has it. */
enum hg_origin { HG_ORIGIN_TEMPLATE, HG_ORIGIN_API };

/*
 * A function with all that belongs to its name. Sealed (config/family.h); keyed by name in a snapshot. Lists are sorted: versions by
 * number, the others by qualifier or name.
 */
struct hg_family {
    struct hg_counted counted;
    struct hg_arena *arena; /* everything but the versions; NULL when there is nothing else */
    struct hg_str name;
    enum hg_origin origin;
    struct hg_function *latest; /* references: $LATEST and the published ones */
    struct hg_function **versions;
    size_t version_count;
    uint64_t last_version; /* highest number that was ever given */
    struct hg_alias *aliases;
    size_t alias_count;
    struct hg_policy *policies;
    size_t policy_count;
    struct hg_url *urls;
    size_t url_count;
    struct hg_provisioned *provisioned;
    size_t provisioned_count;
    struct hg_attached *attached;
    size_t attached_count;
};

/* One version of a layer. */
struct hg_layer_version {
    uint64_t number;
    struct hg_str arn, description, license;
    int64_t created_ms;
    struct hg_str sha256; /* base64 */
    uint64_t size;
    struct hg_str dir, zip; /* absolute: unpacked, and the archive ("" when it is a folder) */
    struct hg_str runtimes, architectures; /* JSON arrays; "" when not given */
    struct hg_policy policy;
};

/* A layer of a template: its one version, number 1, whose created_ms is 0 because nothing was published yet. */
struct hg_stack_layer {
    struct hg_str name;
    struct hg_layer_version version;
};

/* A layer with its versions, ascending. Keyed by name. A layer all of whose versions are gone stays, for its numbers are never given twice. */
struct hg_layer {
    struct hg_counted counted;
    struct hg_arena *arena;
    struct hg_str name;
    enum hg_origin origin;
    uint64_t last_version;
    struct hg_layer_version *versions;
    size_t version_count;
};

/* An event source mapping. Keyed by UUID. */
struct hg_mapping {
    struct hg_counted counted;
    struct hg_arena *arena;
    struct hg_str uuid;
    enum hg_origin origin;
    struct hg_str function_name, qualifier; /* "" unqualified */
    struct hg_str source;                   /* EventSourceArn; "" for self-managed Kafka */
    bool is_enabled;                        /* as the user wants it */
    struct hg_str state, reason;            /* State, StateTransitionReason */
    int64_t modified_ms;
    struct hg_kv_list tags;
    struct hg_str settings; /* JSON object: all other members as the API returns them */
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

/* ProvisionedConcurrencyConfig of a version or an alias. */
struct hg_stack_provisioned {
    struct hg_str function_name, qualifier;
    unsigned requested;
};

struct hg_stack {
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
    struct hg_stack_provisioned *provisioned;
    size_t provisioned_count;
    struct hg_stack_layer *layers;
    size_t layer_count;
    struct hg_stack_permission *permissions;
    size_t permission_count;
    struct hg_event_setting *event_settings;
    size_t event_setting_count;
    struct hg_notice *notices;
    size_t notice_count;
    struct hg_output *outputs;
    size_t output_count;
};

/* An empty stack with one reference. */
struct hg_stack *stack_new(struct hg_str region, struct hg_str account);
/* Any thread. */
struct hg_stack *stack_ref(struct hg_stack *stack);
void stack_unref(struct hg_stack *stack); /* NULL is allowed */
/* As snapshot_find_function, but an alias with weights means its first version. */
const struct hg_function *stack_find_function(const struct hg_stack *stack, struct hg_str ref,
                                              struct hg_str qualifier);

/*
 * A function URL as the gateway serves it: a stack of its own with one HTTP API, whose $default route is the function. Keyed by the
 * URL's id. Counted; shared by snapshots until the URL changes.
 */
struct hg_url_front {
    struct hg_counted counted;
    struct hg_stack *stack;
    struct hg_str function_name, qualifier; /* in the stack's arena */
    int64_t modified_ms;
};

/* What the gateway must do with a stack before it serves it (gateway/gateway.h: gateway_prepare). */
typedef enum hg_rc (*stack_prepare_fn)(struct hg_stack *stack, struct hg_error *err);

struct hg_snapshot {
    struct hg_counted counted;
    struct hg_stack *stack;        /* a reference */
    struct hg_str region, account; /* the stack's */
    struct hg_pmap families;       /* struct hg_family by name */
    struct hg_pmap layers;         /* struct hg_layer by name */
    struct hg_pmap mappings;       /* struct hg_mapping by UUID */
    struct hg_pmap urls;           /* struct hg_url_front by id; empty without prepare */
    stack_prepare_fn prepare; /* for the URLs of families that are put; NULL: they are not served */
};

/* What a stack alone puts in force: no store, nothing made by the API. Takes the reference; has one. */
struct hg_snapshot *snapshot_of_stack(struct hg_stack *stack);
/* For the next one: shares everything with `from`; still private to its maker, who changes its maps. Has one reference. */
struct hg_snapshot *snapshot_copy(const struct hg_snapshot *from);
/* While it is private to its maker: takes the reference to family; one of the same name goes. Keeps urls right. */
void snapshot_put_family(struct hg_snapshot *snapshot, struct hg_family *family);
/* False when there was none. */
bool snapshot_remove_family(struct hg_snapshot *snapshot, struct hg_str name);
/* Any thread. */
struct hg_snapshot *snapshot_ref(struct hg_snapshot *snapshot);
void snapshot_unref(struct hg_snapshot *snapshot);

/*
 * Finds the function that a reference means: name, name:qualifier, partial or full ARN (function-api.md §3).
 * qualifier ("" for none) is the alias or version asked for; aliases with weights draw here. A name that is at hand without more
 * costs one look-up.
 */
const struct hg_function *snapshot_find_function(const struct hg_snapshot *snapshot,
                                                 struct hg_str name, struct hg_str qualifier);
/* By the plain name; NULL when there is none. */
const struct hg_family *snapshot_family(const struct hg_snapshot *snapshot, struct hg_str name);
const struct hg_layer *snapshot_layer(const struct hg_snapshot *snapshot, struct hg_str name);
const struct hg_mapping *snapshot_mapping(const struct hg_snapshot *snapshot, struct hg_str uuid);
/* By the URL's id; NULL when there is none. */
const struct hg_url_front *snapshot_url(const struct hg_snapshot *snapshot, struct hg_str id);
/* Walks the families in no order: for (struct hg_pmap_at at = {0}; (f = snapshot_next_family(s, &at));). */
const struct hg_family *snapshot_next_family(const struct hg_snapshot *snapshot,
                                             struct hg_pmap_at *at);

/* What a reference to a function is made of; parts that it does not have have p == NULL. */
struct hg_function_parts {
    struct hg_str region, account, name, qualifier;
};

/*
 * name[:qualifier], function:name[:q], ACCOUNT:function:name[:q], REGION:ACCOUNT:function:name[:q], and the whole ARN. Borrowed from
 * ref. False when it is none of these.
 */
bool function_parts(struct hg_str ref, struct hg_function_parts *parts);

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
