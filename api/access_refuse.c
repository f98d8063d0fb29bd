/*
 * How a call is told that it may not: names, status codes and forms are those
 * of the services, which differ by protocol.
 */
#include "api/access_parts.h"

#include "api/query_form.h"
#include "api/query_xml.h"
#include "core/json_write.h"

static const struct {
    const char *name;       /* REST and JSON */
    const char *query_name; /* query protocol, and what is compatible with it */
    int status;
} names[ACCESS_FAULT_COUNT] = {
    [ACCESS_NO_TOKEN] = {"MissingAuthenticationTokenException", "MissingAuthenticationToken", 403},
    [ACCESS_INCOMPLETE] = {"IncompleteSignatureException", "IncompleteSignature", 403},
    [ACCESS_WRONG] = {"InvalidSignatureException", "SignatureDoesNotMatch", 403},
    [ACCESS_UNKNOWN_KEY] = {"UnrecognizedClientException", "InvalidClientTokenId", 403},
    [ACCESS_EXPIRED] = {"ExpiredTokenException", "ExpiredToken", 403},
    [ACCESS_WRONG_BODY] = {"XAmzContentSHA256Mismatch", "XAmzContentSHA256Mismatch", 400},
};

static bool is_form(const struct hg_request *req)
{
    struct hg_str type = req_header(req, "content-type");

    if (hg_str_starts(type, HG_STR("application/x-www-form-urlencoded")))
        return true;
    return hg_str_is(req->path, "/") && hg_str_find_str(req->query, HG_STR("Action=")) >= 0;
}

static const struct query_service *service_of(struct hg_call *call)
{
    const struct query_service *services[] = {&query_sts, &query_cloudwatch};
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    const struct query_service *found = &query_iam;
    struct hg_str texts[] = {call->req->body, call->req->query};

    for (size_t i = 0; i < HG_COUNT(texts); i++) {
        struct query_form form;
        struct hg_str version;

        if (!form_parse(arena, texts[i], &form))
            continue;
        version = form_get(&form, "Version");
        for (size_t at = 0; at < HG_COUNT(services); at++)
            if (hg_str_is(version, services[at]->version))
                found = services[at];
    }
    hg_arena_free(arena);
    return found;
}

/* A text string of CBOR (RFC 8949 §3.1, major type 3). */
static void cbor_text(struct hg_buf *out, const char *text)
{
    size_t length = strlen(text);

    if (length < 24) {
        hg_buf_append_byte(out, (char)(0x60 | length));
    } else {
        hg_buf_append_byte(out, 0x79);
        hg_buf_append_byte(out, (char)(length >> 8));
        hg_buf_append_byte(out, (char)length);
    }
    hg_buf_append(out, text, length);
}

static void refuse_cbor(struct hg_call *call, enum access_fault fault, const char *why)
{
    struct hg_buf *out = call_buffer(call);

    hg_buf_append_byte(out, (char)0xa2); /* a map of two */
    cbor_text(out, "__type");
    cbor_text(out, names[fault].name);
    cbor_text(out, "message");
    cbor_text(out, why);
    req_add_header(call->req, HG_STR("smithy-protocol"), HG_STR("rpc-v2-cbor"));
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_respond_with(call->req, names[fault].status, "application/cbor", hg_buf_str(out));
}

/* Header x-amzn-query-error: what clients read that know the service by its former protocol. */
static void add_query_error(struct hg_call *call, enum access_fault fault)
{
    req_add_header(
        call->req, HG_STR("x-amzn-query-error"),
        hg_str_of(hg_arena_printf(call->req->arena, "%s;Sender", names[fault].query_name)));
}

static void refuse_json(struct hg_call *call, enum access_fault fault, const char *why,
                        bool is_rest, int status)
{
    struct hg_buf *out = call_buffer(call);
    struct hg_json json = hg_json_to(out);

    hg_json_begin_object(&json);
    if (!is_rest)
        hg_json_field_cstr(&json, "__type", names[fault].name);
    hg_json_field_cstr(&json, "message", why);
    hg_json_end_object(&json);
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_add_header(call->req, HG_STR("x-amzn-ErrorType"), hg_str_of(names[fault].name));
    req_respond_with(call->req, status, is_rest ? "application/json" : "application/x-amz-json-1.1",
                     hg_buf_str(out));
}

void access_refuse(struct hg_call *call, enum access_fault fault, const char *why)
{
    struct hg_request *req = call->req;
    struct hg_str target = req_header(req, "x-amz-target");

    if (hg_str_is(req_header(req, "smithy-protocol"), "rpc-v2-cbor")) {
        add_query_error(call, fault);
        refuse_cbor(call, fault, why);
    } else if (hg_str_starts(target, HG_STR("GraniteServiceVersion"))) {
        add_query_error(call, fault);
        refuse_json(call, fault, why, false, names[fault].status);
    } else if (target.n) {
        /* Services that have spoken JSON from the beginning say 400 for all of it. */
        refuse_json(call, fault, why, false, 400);
    } else if (is_form(req)) {
        query_fail(call, service_of(call), names[fault].status, names[fault].query_name, "%s",
                   fault == ACCESS_NO_TOKEN ? "Request is missing Authentication Token" : why);
    } else {
        refuse_json(call, fault, why, true, names[fault].status);
    }
}
