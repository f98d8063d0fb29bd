/*
 * One call of the management API: what the frame hands to an operation, and
 * the ways to answer it. On the request's loop.
 */
#ifndef HG_API_CALL_H
#define HG_API_CALL_H

#include "api/api.h"
#include "api/shapes.h"

enum { HG_CALL_PARAMS_MAX = 3 };

struct hg_api_server {
    struct hg_api_options options;
    struct hg_code_service *code; /* api/lambda_code.h */
    _Atomic int phase;
    int64_t started_us;
};

/* Lives in the request's arena. */
struct hg_call {
    struct hg_request *req;
    struct hg_api_server *api;
    const char *operation;
    const struct model_op *model;             /* NULL for what is no operation of the Lambda API */
    struct hg_str params[HG_CALL_PARAMS_MAX]; /* of the path, percent-decoded, in order */
    char request_id[HG_UUID_LEN + 1];
};

typedef void (*hg_operation_fn)(struct hg_call *call);

enum hg_api_error {
#define HG_API_ERROR(symbol, status, name, message_key, type) HG_API_##symbol,
#include "api/errors.def"
#undef HG_API_ERROR
};

/* Value of a query parameter, decoded; p is NULL when absent. */
struct hg_str call_query(const struct hg_call *call, const char *name);

/* A buffer for the answer's document; freed with the request. */
struct hg_buf *call_buffer(struct hg_call *call);
/* Answers with JSON that buf (from call_buffer) holds. */
void call_respond_json(struct hg_call *call, int status, const struct hg_buf *buf);
/* Answers without a body. */
void call_respond_empty(struct hg_call *call, int status);
/* Answers with an error in the service's form; messages may have up to 1 MB. */
void call_fail(struct hg_call *call, enum hg_api_error error, const char *format, ...)
    hg_printf_like(3, 4);
/* The error forms that differ: a null message; a throttle with its reason. */
void call_deny(struct hg_call *call);
void call_throttle(struct hg_call *call, const char *reason);

/* The operations of operations.def that are served, and Headgate's own pages. */
void lambda_invoke(struct hg_call *call);
void lambda_invoke_async(struct hg_call *call);
void lambda_list_functions(struct hg_call *call);
void lambda_get_function(struct hg_call *call);
void lambda_get_function_configuration(struct hg_call *call);
void lambda_create_function(struct hg_call *call);
void lambda_update_function_code(struct hg_call *call);
void lambda_update_function_configuration(struct hg_call *call);
void lambda_delete_function(struct hg_call *call);
void lambda_publish_version(struct hg_call *call);
void lambda_list_versions(struct hg_call *call);
void lambda_get_account_settings(struct hg_call *call);
void lambda_put_function_concurrency(struct hg_call *call);
void lambda_get_function_concurrency(struct hg_call *call);
void lambda_delete_function_concurrency(struct hg_call *call);
void lambda_put_provisioned_concurrency(struct hg_call *call);
void lambda_get_provisioned_concurrency(struct hg_call *call);
void lambda_list_provisioned_concurrency(struct hg_call *call);
void lambda_delete_provisioned_concurrency(struct hg_call *call);
void lambda_put_event_config(struct hg_call *call);
void lambda_update_event_config(struct hg_call *call);
void lambda_get_event_config(struct hg_call *call);
void lambda_delete_event_config(struct hg_call *call);
void lambda_list_event_configs(struct hg_call *call);
void lambda_create_url(struct hg_call *call);
void lambda_update_url(struct hg_call *call);
void lambda_delete_url(struct hg_call *call);
void lambda_get_url(struct hg_call *call);
void lambda_list_urls(struct hg_call *call);
void lambda_create_mapping(struct hg_call *call);
void lambda_update_mapping(struct hg_call *call);
void lambda_delete_mapping(struct hg_call *call);
void lambda_get_mapping(struct hg_call *call);
void lambda_list_mappings(struct hg_call *call);
void lambda_invoke_stream(struct hg_call *call);
/* lambda_alias*.c */
void lambda_create_alias(struct hg_call *call);
void lambda_list_aliases(struct hg_call *call);
void lambda_get_alias(struct hg_call *call);
void lambda_update_alias(struct hg_call *call);
void lambda_delete_alias(struct hg_call *call);
/* lambda_permission.c */
void lambda_add_permission(struct hg_call *call);
void lambda_get_policy(struct hg_call *call);
void lambda_remove_permission(struct hg_call *call);
/* lambda_layer*.c */
void lambda_get_layer_version_by_arn(struct hg_call *call);
void lambda_list_layers(struct hg_call *call);
void lambda_list_layer_versions(struct hg_call *call);
void lambda_publish_layer_version(struct hg_call *call);
void lambda_get_layer_version(struct hg_call *call);
void lambda_delete_layer_version(struct hg_call *call);
void lambda_add_layer_permission(struct hg_call *call);
void lambda_get_layer_policy(struct hg_call *call);
void lambda_remove_layer_permission(struct hg_call *call);
/* lambda_tags.c, lambda_recursion.c, lambda_runtime_management.c */
void lambda_tag_resource(struct hg_call *call);
void lambda_untag_resource(struct hg_call *call);
void lambda_list_tags(struct hg_call *call);
void lambda_put_recursion_config(struct hg_call *call);
void lambda_get_recursion_config(struct hg_call *call);
void lambda_put_runtime_management(struct hg_call *call);
void lambda_get_runtime_management(struct hg_call *call);
/* lambda_code_signing.c */
void lambda_put_function_code_signing(struct hg_call *call);
void lambda_get_function_code_signing(struct hg_call *call);
void lambda_delete_function_code_signing(struct hg_call *call);
void lambda_create_code_signing_config(struct hg_call *call);
void lambda_list_code_signing_configs(struct hg_call *call);
void lambda_miss_code_signing_config(struct hg_call *call);
/* logs.c: all of CloudWatch Logs */
void logs_run(struct hg_call *call);
/* cloudwatch.c: all of CloudWatch metrics */
void cloudwatch_run(struct hg_call *call);
void page_health(struct hg_call *call);
void page_routes(struct hg_call *call);
void page_metrics(struct hg_call *call);
void page_events(struct hg_call *call);
void page_event(struct hg_call *call);
void page_event_redrive(struct hg_call *call);
void page_event_purge(struct hg_call *call);
void page_events_redrive(struct hg_call *call);
void page_events_purge(struct hg_call *call);

#endif
