/*
 * Event invoke configs: Put, Update, Get, Delete, List (async.md §3). Changes
 * are made on the helper thread of config/event_config.h; what reads answers at
 * once.
 */
#include "api/lambda_event_config.h"

#include "api/input.h"
#include "api/lambda_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAGE_MAX = 50 };

/* One change on its way; outlives the request when the client leaves. */
struct event_config_call {
    struct hg_event_config_op op;
    struct hg_call *call; /* NULL once the client has left */
};

static void write_outcome(struct hg_json *json, const char *target)
{
    hg_json_begin_object(json);
    if (target[0])
        hg_json_field_cstr(json, "Destination", target);
    hg_json_end_object(json);
}

static void write_config(struct hg_json *json, const struct hg_snapshot *snapshot,
                         const struct hg_event_config *config)
{
    char text[sizeof(config->function) + sizeof(config->qualifier) + 128];

    hg_json_begin_object(json);
    (void)snprintf(text, sizeof(text), "%" PRId64 ".%03" PRId64, config->last_modified_ms / 1000,
                   config->last_modified_ms % 1000);
    hg_json_key_lit(json, "LastModified");
    hg_json_raw(json, hg_str_of(text));
    (void)snprintf(text, sizeof(text), "arn:aws:lambda:%.*s:%.*s:function:%s:%s",
                   HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account), config->function,
                   config->qualifier);
    hg_json_field_cstr(json, "FunctionArn", text);
    if (config->max_retries >= 0)
        hg_json_field_i64(json, "MaximumRetryAttempts", config->max_retries);
    if (config->max_age_s >= 0)
        hg_json_field_i64(json, "MaximumEventAgeInSeconds", config->max_age_s);
    hg_json_key_lit(json, "DestinationConfig");
    hg_json_begin_object(json);
    hg_json_key_lit(json, "OnSuccess");
    write_outcome(json, config->on_success);
    hg_json_key_lit(json, "OnFailure");
    write_outcome(json, config->on_failure);
    hg_json_end_object(json);
    hg_json_end_object(json);
}

static void respond_config(struct hg_call *call, const struct hg_event_config *config)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    write_config(&json, snapshot, config);
    snapshot_unref(snapshot);
    call_respond_json(call, 200, buf);
}

static void fail_no_config(struct hg_call *call, struct hg_str function, struct hg_str qualifier)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);

    call_fail(call, HG_API_NOT_FOUND,
              "The function arn:aws:lambda:%.*s:%.*s:function:%.*s:%.*s doesn't have an "
              "EventInvokeConfig",
              HG_STR_ARG(snapshot->region), HG_STR_ARG(snapshot->account), HG_STR_ARG(function),
              HG_STR_ARG(qualifier));
    snapshot_unref(snapshot);
}

static void on_changed(struct hg_event_config_op *op)
{
    struct event_config_call *change = hg_container_of(op, struct event_config_call, op);
    struct hg_call *call = change->call;

    if (call) {
        call->req->on_abort = NULL;
        if (op->rc == HG_E_NOT_FOUND && op->change == HG_EVENT_CONFIG_PUT) {
            call_fail(call, HG_API_NOT_FOUND, "The function doesn't exist.");
        } else if (op->rc == HG_E_NOT_FOUND) {
            fail_no_config(call, hg_str_of(op->config.function), hg_str_of(op->config.qualifier));
        } else if (op->rc != HG_OK) {
            call_fail(call, HG_API_SERVICE, "%s", op->err.text);
        } else if (op->change == HG_EVENT_CONFIG_DELETE) {
            req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
            call->req->response.status = 204;
            req_respond(call->req);
        } else {
            respond_config(call, &op->config);
        }
    }
    free(change);
}

/* The change is made all the same. */
static void on_abort(struct hg_request *req)
{
    struct event_config_call *change = req->user;

    change->call = NULL;
}

/* op's values are set. */
static void submit(struct hg_call *call, struct event_config_call *change,
                   const struct hg_function_ref *ref)
{
    struct hg_event_config *config = &change->op.config;

    (void)snprintf(config->function, sizeof(config->function), "%.*s", HG_STR_ARG(ref->name));
    (void)snprintf(config->qualifier, sizeof(config->qualifier), "%.*s",
                   HG_STR_ARG(ref->qualifier));
    change->op.done = on_changed;
    change->call = call;
    call->req->user = change;
    call->req->on_abort = on_abort;
    event_configs_submit(call->api->options.event_configs, call->req->loop, &change->op);
}

/* The name, with "$LATEST" for no qualifier. */
static bool parse_name(struct hg_call *call, const struct hg_snapshot *snapshot,
                       struct hg_function_ref *ref)
{
    if (!lambda_parse_name(call, snapshot, ref))
        return false;
    if (ref->qualifier.n == 0)
        ref->qualifier = HG_STR("$LATEST");
    return true;
}

static void change_values(struct hg_call *call, enum hg_event_config_change kind)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct event_config_call *change = hg_calloc(1, sizeof(*change));
    struct hg_function_ref ref;

    change->op.change = kind;
    if (parse_name(call, snapshot, &ref) &&
        lambda_read_event_config(call, snapshot, &ref, &change->op.config,
                                 &change->op.has_destinations))
        submit(call, change, &ref);
    else
        free(change);
    snapshot_unref(snapshot);
}

void lambda_put_event_config(struct hg_call *call)
{
    change_values(call, HG_EVENT_CONFIG_PUT);
}

void lambda_update_event_config(struct hg_call *call)
{
    change_values(call, HG_EVENT_CONFIG_UPDATE);
}

/* False when answered: what is said is the same for a function, a qualifier and a config that is missing. */
static bool find(struct hg_call *call, struct hg_function_ref *ref, struct hg_event_config *config)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    bool is_named = parse_name(call, snapshot, ref);
    bool is_there = is_named && snapshot_find_function(snapshot, ref->name, ref->qualifier);

    snapshot_unref(snapshot);
    if (!is_named)
        return false;
    if (is_there &&
        event_configs_find(call->api->options.event_configs, ref->name, ref->qualifier, config))
        return true;
    fail_no_config(call, ref->name, ref->qualifier);
    return false;
}

void lambda_get_event_config(struct hg_call *call)
{
    struct hg_event_config config;
    struct hg_function_ref ref;

    if (call_input(call) && find(call, &ref, &config))
        respond_config(call, &config);
}

void lambda_delete_event_config(struct hg_call *call)
{
    struct event_config_call *change;
    struct hg_event_config config;
    struct hg_function_ref ref;

    if (!call_input(call) || !find(call, &ref, &config))
        return;
    change = hg_calloc(1, sizeof(*change));
    change->op.change = HG_EVENT_CONFIG_DELETE;
    submit(call, change, &ref);
}

/* Those whose qualifier is still there, which is what Get finds too; malloc'd. */
static struct hg_event_config *list_all(struct hg_call *call, const struct hg_snapshot *snapshot,
                                        struct hg_str function, struct hg_str marker, size_t *count)
{
    struct hg_event_configs *configs = call->api->options.event_configs;
    size_t room = event_configs_list(configs, function, marker, NULL, 0), total;
    struct hg_event_config *list = hg_calloc(room + 1, sizeof(*list));

    total = event_configs_list(configs, function, marker, list, room);
    total = HG_MIN(total, room); /* one may have been added in between */
    *count = 0;
    for (size_t i = 0; i < total; i++)
        if (snapshot_find_function(snapshot, function, hg_str_of(list[i].qualifier)))
            list[(*count)++] = list[i];
    return list;
}

static void respond_list(struct hg_call *call, const struct hg_snapshot *snapshot,
                         struct hg_str function, struct hg_str marker, size_t max_items)
{
    size_t total, count;
    struct hg_event_config *configs = list_all(call, snapshot, function, marker, &total);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    count = HG_MIN(total, max_items);
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "FunctionEventInvokeConfigs");
    hg_json_begin_array(&json);
    for (size_t i = 0; i < count; i++)
        write_config(&json, snapshot, &configs[i]);
    hg_json_end_array(&json);
    if (total > count)
        hg_json_field_cstr(&json, "NextMarker", configs[count - 1].qualifier);
    hg_json_end_object(&json);
    free(configs);
    call_respond_json(call, 200, buf);
}

void lambda_list_event_configs(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    struct hg_function_ref ref;
    struct hg_str marker;

    if (!input)
        return;
    marker = input_str(input, "Marker");
    if (marker.n > sizeof(((struct hg_event_config *)0)->qualifier)) {
        call_fail(call, HG_API_INVALID_PARAMETER,
                  "Marker '%.*s' did not come from ListFunctionEventInvokeConfigs",
                  HG_STR_ARG(marker));
        return;
    }
    snapshot = registry_current(call->api->options.registry);
    if (lambda_parse_name(call, snapshot, &ref)) {
        if (snapshot_find_function(snapshot, ref.name, HG_STR("")))
            respond_list(call, snapshot, ref.name, marker,
                         (size_t)input_i64(input, "MaxItems", PAGE_MAX));
        else
            call_fail(call, HG_API_NOT_FOUND, "The function doesn't exist.");
    }
    snapshot_unref(snapshot);
}
