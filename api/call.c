/*
 * Answers of the management API, errors above all: their spelling differs by
 * exception, and clients depend on it.
 */
#include "api/call.h"

#include "core/uri.h"

#include <stdarg.h>

enum { DOCUMENT_MAX = 16 << 20, MESSAGE_MAX = 1 << 20 };

static const struct {
    int status;
    const char *name, *message_key, *type;
} errors[] = {
#define HG_API_ERROR(symbol, status, name, message_key, type) {status, name, message_key, type},
#include "api/errors.def"
#undef HG_API_ERROR
};

struct hg_str call_query(const struct hg_call *call, const char *name)
{
    struct hg_str rest = call->req->query, pair;

    while (hg_str_next(&rest, '&', &pair)) {
        ptrdiff_t equals = hg_str_find(pair, '=');
        struct hg_str key = equals < 0 ? pair : hg_str_n(pair.p, (size_t)equals);
        struct hg_buf value;
        struct hg_str text;

        if (!hg_str_is(key, name))
            continue;
        hg_buf_init(&value, HG_REQUEST_HEADERS_MAX);
        if (equals >= 0)
            hg_uri_decode_form(&value, hg_str_skip(pair, (size_t)equals + 1));
        text = hg_arena_str(call->req->arena, hg_buf_str(&value));
        hg_buf_fini(&value);
        return text;
    }
    return hg_str_n(NULL, 0);
}

static void free_buffer(void *ptr)
{
    hg_buf_fini(ptr);
}

struct hg_buf *call_buffer(struct hg_call *call)
{
    struct hg_buf *buf = hg_arena_must(call->req->arena, sizeof(*buf));

    hg_buf_init(buf, DOCUMENT_MAX);
    hg_arena_defer(call->req->arena, free_buffer, buf);
    return buf;
}

void call_respond_json(struct hg_call *call, int status, const struct hg_buf *buf)
{
    struct hg_request *req = call->req;

    req_add_header(req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_respond_with(req, status, "application/json", hg_buf_str(buf));
}

void call_respond_empty(struct hg_call *call, int status)
{
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    call->req->response.status = status;
    req_respond(call->req);
}

static void respond_error(struct hg_call *call, enum hg_api_error error, const char *reason,
                          const char *message)
{
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    if (reason)
        hg_json_field_cstr(&json, "Reason", reason);
    if (errors[error].type)
        hg_json_field_cstr(&json, "Type", errors[error].type);
    hg_json_key(&json, hg_str_of(errors[error].message_key));
    hg_json_cstr(&json, message);
    hg_json_end_object(&json);
    req_add_header(call->req, HG_STR("x-amzn-ErrorType"), hg_str_of(errors[error].name));
    call_respond_json(call, errors[error].status, buf);
}

void call_fail(struct hg_call *call, enum hg_api_error error, const char *format, ...)
{
    struct hg_buf message;
    va_list args;

    hg_buf_init(&message, MESSAGE_MAX);
    va_start(args, format);
    (void)hg_buf_vprintf(&message, format, args);
    va_end(args);
    hg_buf_append_byte(&message, '\0');
    respond_error(call, error, NULL, message.base);
    hg_buf_fini(&message);
}

void call_deny(struct hg_call *call)
{
    respond_error(call, HG_API_ACCESS_DENIED, NULL, NULL);
}

void call_throttle(struct hg_call *call, const char *reason)
{
    req_add_header(call->req, HG_STR("Retry-After"), HG_STR("1"));
    respond_error(call, HG_API_THROTTLED, reason, "Rate Exceeded.");
}
