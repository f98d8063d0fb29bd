/*
 * What handlers do with a request, in every HTTP version.
 */
#include "http/request.h"

#include "core/log.h"

enum { FIRST_HEADER_ROOM = 8 };

struct hg_str req_header(const struct hg_request *req, const char *name)
{
    struct hg_str wanted = hg_str_of(name);

    for (size_t i = 0; i < req->header_count; i++) {
        if (hg_str_eq_nocase(req->headers[i].name, wanted))
            return req->headers[i].value;
    }
    return (struct hg_str){0};
}

void req_take_body(struct hg_request *req, struct hg_buf *out)
{
    hg_buf_init(out, HG_MAX(req->body.n, (size_t)1));
    req->stream_ops->take_body(req, out);
    if (!out->len)
        (void)hg_buf_append_str(out, req->body);
    req->body = HG_STR("");
}

static void grow_headers(struct hg_request *req)
{
    struct hg_response *response = &req->response;
    size_t room = response->header_room ? 2 * response->header_room : FIRST_HEADER_ROOM;
    struct hg_header *headers = hg_arena_must(req->arena, room * sizeof(*headers));

    if (response->header_count)
        memcpy(headers, response->headers, response->header_count * sizeof(*headers));
    response->headers = headers;
    response->header_room = room;
}

void req_add_header(struct hg_request *req, struct hg_str name, struct hg_str value)
{
    struct hg_response *response = &req->response;

    if (response->header_count == response->header_room)
        grow_headers(req);
    response->headers[response->header_count++] = (struct hg_header){name, value};
}

/* A handler may pass on what a function made up; on the wire it would be no answer at all, or an interim one. */
static void replace_impossible_status(struct hg_request *req)
{
    struct hg_response *response = &req->response;

    hg_warn("http_impossible_status", "status=%d", response->status);
    response->status = 502;
    response->header_count = 0;
    response->body = HG_STR("{\"message\":\"Internal server error\"}");
    req_add_header(req, HG_STR("Content-Type"), HG_STR("application/json"));
}

void req_respond(struct hg_request *req)
{
    if (req->response.status < 200 || req->response.status > 599)
        replace_impossible_status(req);
    req->stream_ops->respond(req);
}

void req_begin(struct hg_request *req)
{
    hg_assert(req->response.status >= 200 && req->response.status <= 599);
    req->stream_ops->begin(req);
}

void req_write(struct hg_request *req, struct hg_str bytes)
{
    /* An empty chunk would be the end. */
    if (bytes.n)
        req->stream_ops->write(req, bytes);
}

void req_end(struct hg_request *req)
{
    req->stream_ops->end(req);
}

size_t req_pending(const struct hg_request *req)
{
    return req->stream_ops->pending(req);
}

void req_respond_with(struct hg_request *req, int status, const char *content_type,
                      struct hg_str body)
{
    req->response.status = status;
    req->response.body = body;
    req_add_header(req, HG_STR("Content-Type"), hg_str_of(content_type));
    req_respond(req);
}

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    {100, "Continue"},
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {305, "Use Proxy"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};

const char *http_reason(int status)
{
    for (size_t i = 0; i < HG_COUNT(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "";
}
