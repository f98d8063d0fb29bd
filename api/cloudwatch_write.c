/*
 * Answers of the CloudWatch API in its three protocols.
 */
#include "api/cloudwatch.h"
#include "api/query_xml.h"
#include "core/cbor.h"
#include "core/clock.h"
#include "core/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIME_TAG = 1 };

struct watch_writer {
    enum watch_protocol protocol;
    struct hg_buf *out;
    struct hg_json json;
};

static const struct {
    int status;
    const char *shape; /* in JSON and CBOR */
    const char *code;  /* in the query protocol */
} errors[] = {
    [WATCH_OK] = {500, "InternalServiceFault", "InternalServiceError"},
    [WATCH_INVALID] = {400, "InvalidParameterValueException", "InvalidParameterValue"},
    [WATCH_MISSING] = {400, "MissingRequiredParameterException", "MissingParameter"},
    [WATCH_COMBINATION] = {400, "InvalidParameterCombinationException",
                           "InvalidParameterCombination"},
    [WATCH_VALIDATION] = {400, "ValidationError", "ValidationError"},
    [WATCH_BAD_TOKEN] = {400, "InvalidNextToken", "InvalidNextToken"},
    [WATCH_MALFORMED] = {400, "SerializationException", "MalformedInput"},
    [WATCH_TOO_LARGE] = {413, "RequestEntityTooLargeException", "RequestEntityTooLarge"},
    [WATCH_UNKNOWN] = {404, "UnknownOperationException", "InvalidAction"},
    [WATCH_UNSUPPORTED] = {501, "NotImplementedException", "NotImplemented"},
};

/* ---- pieces ---- */

static const char *element_name(const char *name)
{
    return name ? name : "member";
}

static void put_name(struct watch_writer *out, const char *name)
{
    if (!name)
        return;
    if (out->protocol == WATCH_CBOR)
        hg_cbor_put_text(out->out, hg_str_of(name));
    else if (out->protocol == WATCH_JSON)
        hg_json_key(&out->json, hg_str_of(name));
}

void watch_put_object(struct watch_writer *out, const char *name)
{
    put_name(out, name);
    if (out->protocol == WATCH_CBOR)
        hg_cbor_begin_map(out->out);
    else if (out->protocol == WATCH_JSON)
        hg_json_begin_object(&out->json);
    else
        xml_open(out->out, element_name(name));
}

void watch_end_object(struct watch_writer *out, const char *name)
{
    if (out->protocol == WATCH_CBOR)
        hg_cbor_put_break(out->out);
    else if (out->protocol == WATCH_JSON)
        hg_json_end_object(&out->json);
    else
        xml_close(out->out, element_name(name));
}

void watch_put_list(struct watch_writer *out, const char *name)
{
    put_name(out, name);
    if (out->protocol == WATCH_CBOR)
        hg_cbor_begin_array(out->out);
    else if (out->protocol == WATCH_JSON)
        hg_json_begin_array(&out->json);
    else
        xml_open(out->out, element_name(name));
}

void watch_end_list(struct watch_writer *out, const char *name)
{
    if (out->protocol == WATCH_CBOR)
        hg_cbor_put_break(out->out);
    else if (out->protocol == WATCH_JSON)
        hg_json_end_array(&out->json);
    else
        xml_close(out->out, element_name(name));
}

void watch_put_text(struct watch_writer *out, const char *name, struct hg_str text)
{
    put_name(out, name);
    if (out->protocol == WATCH_CBOR)
        hg_cbor_put_text(out->out, text);
    else if (out->protocol == WATCH_JSON)
        hg_json_str(&out->json, text);
    else
        xml_text(out->out, element_name(name), text);
}

/* The shortest text that reads as the same number, and looks like one with a fraction. */
static struct hg_str real_text(double value, char text[40])
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(text, 40, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    if (!strpbrk(text, ".eEn"))
        memcpy(text + strlen(text), ".0", 3);
    return hg_str_of(text);
}

void watch_put_real(struct watch_writer *out, const char *name, double value)
{
    char text[40];

    put_name(out, name);
    if (out->protocol == WATCH_CBOR)
        hg_cbor_put_real(out->out, value);
    else if (out->protocol == WATCH_JSON)
        hg_json_raw(&out->json, isfinite(value) ? real_text(value, text) : HG_STR("null"));
    else
        xml_text(out->out, element_name(name), real_text(value, text));
}

void watch_put_time(struct watch_writer *out, const char *name, int64_t time_s)
{
    put_name(out, name);
    if (out->protocol == WATCH_CBOR) {
        hg_cbor_put_tag(out->out, TIME_TAG);
        hg_cbor_put_u64(out->out, (uint64_t)HG_MAX(time_s, (int64_t)0));
    } else if (out->protocol == WATCH_JSON) {
        hg_json_i64(&out->json, time_s);
    } else {
        xml_time(out->out, element_name(name), time_s * 1000);
    }
}

void watch_put_map(struct watch_writer *out, const char *name)
{
    watch_put_object(out, name);
}

void watch_put_entry(struct watch_writer *out, struct hg_str key, double value)
{
    if (out->protocol == WATCH_CBOR) {
        hg_cbor_put_text(out->out, key);
    } else if (out->protocol == WATCH_JSON) {
        hg_json_key(&out->json, key);
    } else {
        xml_open(out->out, "entry");
        xml_text(out->out, "key", key);
        watch_put_real(out, "value", value);
        xml_close(out->out, "entry");
        return;
    }
    watch_put_real(out, NULL, value);
}

void watch_end_map(struct watch_writer *out, const char *name)
{
    watch_end_object(out, name);
}

/* ---- whole answers ---- */

static void send_body(struct hg_call *call, enum watch_protocol protocol, int status,
                      const struct hg_buf *body)
{
    if (protocol == WATCH_QUERY) {
        query_respond(call, status, body);
        return;
    }
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    if (protocol == WATCH_CBOR)
        req_add_header(call->req, HG_STR("smithy-protocol"), HG_STR("rpc-v2-cbor"));
    req_respond_with(call->req, status,
                     protocol == WATCH_CBOR ? "application/cbor" : "application/x-amz-json-1.0",
                     hg_buf_str(body));
}

void watch_respond(struct watch_call *watch)
{
    struct hg_call *call = watch->call;
    const struct watch_operation *operation = watch->operation;
    struct hg_buf *body = call_buffer(call);
    struct watch_writer out = {.protocol = watch->protocol, .out = body, .json = hg_json_to(body)};

    if (watch->protocol == WATCH_QUERY)
        query_begin(body, &query_cloudwatch, operation->name, operation->respond != NULL);
    else if (operation->respond || watch->protocol == WATCH_CBOR)
        watch_put_object(&out, NULL);
    if (operation->respond)
        operation->respond(watch, &out);
    if (watch->protocol == WATCH_QUERY)
        query_end(body, operation->name, operation->respond != NULL, call->request_id);
    else if (operation->respond || watch->protocol == WATCH_CBOR)
        watch_end_object(&out, NULL);
    if (body->is_overflown)
        watch_respond_error(call, watch->protocol, WATCH_COMBINATION,
                            "The answer is too large; ask for less at once.");
    else
        send_body(call, watch->protocol, 200, body);
}

void watch_respond_error(struct hg_call *call, enum watch_protocol protocol, enum watch_error error,
                         const char *message)
{
    struct hg_buf *body = call_buffer(call);
    struct watch_writer out = {.protocol = protocol, .out = body, .json = hg_json_to(body)};
    int status = errors[error].status;
    char shape[96];

    if (protocol == WATCH_QUERY) {
        query_write_error(body, &query_cloudwatch, status, errors[error].code, message,
                          call->request_id);
        send_body(call, protocol, status, body);
        return;
    }
    (void)snprintf(shape, sizeof(shape), "com.amazonaws.cloudwatch#%s", errors[error].shape);
    watch_put_object(&out, NULL);
    watch_put_text(&out, "__type", hg_str_of(shape));
    watch_put_text(&out, error == WATCH_OK ? "Message" : "message", hg_str_of(message));
    watch_end_object(&out, NULL);
    /* How clients of the former query protocol name the error. */
    req_add_header(call->req, HG_STR("x-amzn-query-error"),
                   hg_str_of(hg_arena_printf(call->req->arena, "%s;%s", errors[error].code,
                                             status < 500 ? "Sender" : "Receiver")));
    send_body(call, protocol, status, body);
}
