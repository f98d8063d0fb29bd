/*
 * GetFunctionUrlConfig, ListFunctionUrlConfigs, and how a config is written.
 */
#include "api/lambda_url.h"
#include "core/clock.h"

enum { PAGE_MAX = 50 };

struct hg_str url_base(struct hg_call *call)
{
    const struct hg_request *req = call->req;

    return hg_str_of(hg_arena_printf(req->arena, "%s://%.*s/_aws/lambda-url/",
                                     req->peer->is_tls ? "https" : "http",
                                     HG_STR_ARG(req->authority)));
}

/* 2026-01-02T03:04:05.678000Z: six digits, as the service has them here. */
static void write_time(struct hg_json *json, int64_t ms)
{
    char text[HG_TIME_TEXT_MAX];
    struct hg_str whole = hg_str_of(hg_time_iso(ms, text));
    char micros[HG_TIME_TEXT_MAX + 4];
    struct hg_buf buf = {.base = micros, .cap = sizeof(micros), .max = sizeof(micros)};

    hg_buf_append_str(&buf, hg_str_n(whole.p, whole.n - 1));
    hg_buf_append_cstr(&buf, "000Z");
    hg_json_str(json, hg_buf_str(&buf));
}

static void write_list(struct hg_json *json, struct hg_str quoted_key, const struct hg_str *items,
                       size_t count)
{
    if (!count)
        return;
    hg_json_key_raw(json, quoted_key);
    hg_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        hg_json_str(json, items[i]);
    hg_json_end_array(json);
}

static void write_cors(struct hg_json *json, const struct hg_cors *cors)
{
    hg_json_key_lit(json, "Cors");
    hg_json_begin_object(json);
    if (cors->allow_credentials || cors->says_credentials)
        hg_json_field_bool(json, "AllowCredentials", cors->allow_credentials);
    write_list(json, HG_STR("\"AllowHeaders\":"), cors->allow_headers, cors->allow_header_count);
    write_list(json, HG_STR("\"AllowMethods\":"), cors->allow_methods, cors->allow_method_count);
    write_list(json, HG_STR("\"AllowOrigins\":"), cors->allow_origins, cors->allow_origin_count);
    write_list(json, HG_STR("\"ExposeHeaders\":"), cors->expose_headers, cors->expose_header_count);
    if (cors->max_age >= 0)
        hg_json_field_i64(json, "MaxAge", cors->max_age);
    hg_json_end_object(json);
}

void url_write(struct hg_json *json, struct hg_str base, struct hg_str function_arn,
               const struct hg_url *url, enum url_form form)
{
    hg_json_begin_object(json);
    hg_json_key_raw(json, HG_STR("\"FunctionUrl\":\""));
    hg_json_escape(json->out, base);
    hg_json_escape(json->out, url->id);
    hg_buf_append_cstr(json->out, "/\"");
    json->wants_comma = true;
    hg_json_field_str(json, "FunctionArn", function_arn);
    hg_json_field_str(json, "AuthType", url->auth_type);
    if (url->cors.is_set)
        write_cors(json, &url->cors);
    hg_json_key_lit(json, "CreationTime");
    write_time(json, url->created_ms);
    if (form == URL_WHOLE) {
        hg_json_key_lit(json, "LastModifiedTime");
        write_time(json, url->modified_ms);
    }
    if (form != URL_CREATED)
        hg_json_field_str(json, "InvokeMode", url->invoke_mode);
    hg_json_end_object(json);
}

static void respond_url(struct hg_call *call, const struct hg_snapshot *snapshot,
                        const struct hg_function_ref *ref)
{
    const struct hg_family *family = snapshot_family(snapshot, ref->name);
    const struct hg_url *url = family ? family_url(family, ref->qualifier) : NULL;
    struct hg_buf *buf;
    struct hg_json json;

    if (!url) {
        call_fail(call, HG_API_NOT_FOUND, "The resource you requested does not exist.");
        return;
    }
    buf = call_buffer(call);
    json = hg_json_to(buf);
    url_write(&json, url_base(call),
              lambda_arn(call->req->arena, snapshot, ref->name, ref->qualifier), url, URL_WHOLE);
    call_respond_json(call, 200, buf);
}

void lambda_get_url(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    struct hg_snapshot *snapshot;
    struct hg_function_ref ref;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    if (lambda_read_name(call, snapshot, input_str(input, "FunctionName"),
                         input_str(input, "Qualifier"), &ref))
        respond_url(call, snapshot, &ref);
    snapshot_unref(snapshot);
}

/* The marker is the qualifier that the page begins with: the list is sorted by them. */
static void write_page(struct hg_call *call, struct hg_json *json,
                       const struct hg_snapshot *snapshot, const struct hg_family *family,
                       const cJSON *input)
{
    struct hg_str marker = input_str(input, "Marker");
    int64_t room = input_i64(input, "MaxItems", PAGE_MAX);
    size_t i = 0;

    hg_json_begin_object(json);
    hg_json_key_lit(json, "FunctionUrlConfigs");
    hg_json_begin_array(json);
    while (i < family->url_count && marker.p && hg_str_cmp(family->urls[i].qualifier, marker) < 0)
        i++;
    for (; i < family->url_count && room > 0; i++, room--) {
        const struct hg_url *url = &family->urls[i];

        url_write(json, url_base(call),
                  lambda_arn(call->req->arena, snapshot, family->name, url->qualifier), url,
                  URL_WHOLE);
    }
    hg_json_end_array(json);
    if (i < family->url_count)
        hg_json_field_str(json, "NextMarker", family->urls[i].qualifier);
    hg_json_end_object(json);
}

void lambda_list_urls(struct hg_call *call)
{
    const cJSON *input = call_input(call);
    const struct hg_family *family;
    struct hg_snapshot *snapshot;
    struct hg_function_ref ref;

    if (!input)
        return;
    snapshot = registry_current(call->api->options.registry);
    if (lambda_read_name(call, snapshot, input_str(input, "FunctionName"), hg_str_n(NULL, 0),
                         &ref)) {
        family = snapshot_family(snapshot, ref.name);
        if (family) {
            struct hg_buf *buf = call_buffer(call);
            struct hg_json json = hg_json_to(buf);

            write_page(call, &json, snapshot, family, input);
            call_respond_json(call, 200, buf);
        } else {
            call_fail(call, HG_API_NOT_FOUND, "Function does not exist");
        }
    }
    snapshot_unref(snapshot);
}
