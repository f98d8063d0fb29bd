/*
 * Requests: from the fields and bytes of a stream to a struct hg_request, and
 * the stream's way through its states. What nghttp2 has already refused
 * (pseudo-headers missing, twice or out of place, connection-specific fields,
 * a content-length that differs from the body) never gets here.
 */
#include "http/h1_framing.h"
#include "http/http2_session.h"

enum {
    HEADERS_MAX = 128, /* as on HTTP/1.1; the crumbs of a cookie count once */
    FIRST_HEADER_ROOM = 16,
    FIELD_OVERHEAD = 4 /* ": " and CRLF of HTTP/1.1, so that both count alike */
};

struct hg_h2_stream *stream_new(struct hg_http2 *h2, int32_t id)
{
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    struct hg_h2_stream *stream = hg_arena_must(arena, sizeof(*stream));
    struct hg_conn *conn = h2->conn;

    stream->req = (struct hg_request){
        .loop = conn->loop,
        .arena = arena,
        .peer = &conn->peer,
        .version = HG_HTTP_2,
        .stream_ops = &http2_stream_ops,
    };
    stream->h2 = h2;
    stream->id = id;
    hg_list_init(&stream->link);
    stream_move(stream, HG_H2_HEAD);
    h2->open++;
    return stream;
}

void stream_move(struct hg_h2_stream *stream, enum hg_h2_stream_state state)
{
    hg_list_unlink(&stream->link);
    hg_list_push_back(&stream->h2->streams[state], &stream->link);
    stream->state = state;
    stream->touched_us = conn_now_us(stream->h2->conn);
}

static void drop_body(struct hg_h2_stream *stream)
{
    if (stream->body.len)
        conn_buffer_give(stream->h2->conn, stream->body.len);
    hg_buf_fini(&stream->body);
}

void stream_free(struct hg_h2_stream *stream)
{
    hg_list_unlink(&stream->link);
    drop_body(stream);
    hg_buf_fini(&stream->pieces);
    hg_arena_free(stream->req.arena);
}

static void note_one_less(struct hg_http2 *h2)
{
    if (--h2->open == 0)
        h2->idle_since_us = conn_now_us(h2->conn);
}

void stream_closed(struct hg_h2_stream *stream)
{
    note_one_less(stream->h2);
    if (stream->state >= HG_H2_ANSWER) {
        stream->end_at = UINT64_MAX;
        stream_move(stream, HG_H2_SENT);
    } else {
        conn_abort_request(&stream->req);
        stream_free(stream);
    }
}

static void finish(struct hg_h2_stream *stream)
{
    /* A refused one was counted with its fault. */
    if (!stream->is_refused)
        conn_finish_request(&stream->req, stream->answered);
    stream_free(stream);
}

static struct hg_h2_stream *first_in(struct hg_http2 *h2, enum hg_h2_stream_state state)
{
    if (hg_list_empty(&h2->streams[state]))
        return NULL;
    return hg_container_of(h2->streams[state].next, struct hg_h2_stream, link);
}

/* nghttp2 closes a stream before it hands out the bytes of its last frame; now they are queued. */
void streams_mark_queued(struct hg_http2 *h2)
{
    const struct hg_list *head = &h2->streams[HG_H2_SENT];

    for (struct hg_list *it = head->prev; it != head; it = it->prev) {
        struct hg_h2_stream *stream = hg_container_of(it, struct hg_h2_stream, link);

        if (stream->end_at != UINT64_MAX)
            break;
        stream->end_at = h2->conn->queued;
    }
}

void streams_finish_sent(struct hg_http2 *h2)
{
    struct hg_h2_stream *stream;

    while ((stream = first_in(h2, HG_H2_SENT)) && stream->end_at <= h2->conn->sent) {
        /* Whoever takes answers may also leave early now and then. */
        if (stream->is_in_pieces ? !stream->pieces.len
                                 : stream->answered == stream->req.response.body.n)
            guard_credit(&h2->guard, HG_ABUSE_RESETS, 1, conn_now_us(h2->conn));
        finish(stream);
    }
}

void streams_tell_room(struct hg_http2 *h2)
{
    if (conn_pending(h2->conn))
        return;
    HG_LIST_EACH(link, &h2->streams[HG_H2_HANDLER])
    {
        struct hg_h2_stream *stream = hg_container_of(link, struct hg_h2_stream, link);

        if (stream->is_in_pieces && !stream->pieces.len && stream->req.on_room)
            stream->req.on_room(&stream->req);
    }
}

void streams_end_all(struct hg_http2 *h2)
{
    struct hg_h2_stream *stream;

    for (int state = 0; state < HG_H2_STREAM_STATES; state++) {
        while ((stream = first_in(h2, (enum hg_h2_stream_state)state))) {
            if (state < HG_H2_SENT)
                note_one_less(h2);
            if (state >= HG_H2_ANSWER) {
                finish(stream);
            } else {
                conn_abort_request(&stream->req);
                stream_free(stream);
            }
        }
    }
}

bool stream_keep(struct hg_h2_stream *stream, struct hg_str *text)
{
    char *copy = hg_arena_alloc(stream->req.arena, text->n);

    if (!copy)
        return false;
    memcpy(copy, text->p, text->n);
    text->p = copy;
    return true;
}

void stream_add_header(struct hg_h2_stream *stream, struct hg_str name, struct hg_str value)
{
    struct hg_request *req = &stream->req;

    if (req->header_count == stream->header_room) {
        size_t room = stream->header_room ? 2 * stream->header_room : FIRST_HEADER_ROOM;
        struct hg_header *headers = hg_arena_alloc(req->arena, room * sizeof(*headers));

        if (!headers) {
            stream->is_head_too_large = true;
            return;
        }
        if (req->header_count)
            memcpy(headers, req->headers, req->header_count * sizeof(*headers));
        req->headers = headers;
        stream->header_room = room;
    }
    req->headers[req->header_count++] = (struct hg_header){name, value};
}

static void take_pseudo(struct hg_h2_stream *stream, struct hg_str name, struct hg_str value)
{
    struct hg_request *req = &stream->req;

    if (hg_str_is(name, ":method")) {
        req->method = value;
        stream->is_method_head = hg_str_is(value, "HEAD");
    } else if (hg_str_is(name, ":path")) {
        ptrdiff_t mark = hg_str_find(value, '?');

        req->target = req->path = value;
        if (mark >= 0) {
            req->path.n = (size_t)mark;
            req->query = hg_str_skip(value, (size_t)mark + 1);
        }
    } else if (hg_str_is(name, ":authority")) {
        req->authority = value;
        stream_add_header(stream, HG_STR("host"), value);
    }
}

/* Host beside :authority must say the same (RFC 9113 §8.3.1). */
static bool is_second_host(struct hg_h2_stream *stream, struct hg_str value)
{
    struct hg_request *req = &stream->req;

    if (!req->authority.p) {
        req->authority = value;
        return false;
    }
    if (!hg_str_eq_nocase(req->authority, value))
        stream->is_host_wrong = true;
    return true;
}

void stream_take_field(struct hg_h2_stream *stream, struct hg_str name, struct hg_str value)
{
    stream->header_bytes += name.n + value.n + FIELD_OVERHEAD;
    if (stream->header_bytes > stream->h2->conn->limits->max_header_bytes)
        stream->is_head_too_large = true;
    if (stream->is_head_too_large)
        return;
    if (name.p[0] == ':') {
        take_pseudo(stream, name, value);
        return;
    }
    switch (name.n) {
    case 4:
        if (hg_str_is(name, "host") && is_second_host(stream, value))
            return;
        break;
    case 6:
        if (hg_str_is(name, "cookie"))
            stream->cookie_crumbs++;
        else if (hg_str_is(name, "expect"))
            *(hg_str_is_nocase(value, "100-continue") ? &stream->wants_continue
                                                      : &stream->is_wrong_expectation) = true;
        break;
    case 14:
        /* nghttp2 has checked that it is a number. */
        if (hg_str_is(name, "content-length") &&
            !hg_str_u64(value, UINT64_MAX, &stream->content_length))
            stream->content_length = UINT64_MAX;
        break;
    default:
        break;
    }
    stream_add_header(stream, name, value);
}

/* The crumbs of a cookie become one header, where the first one was (RFC 9113 §8.2.3). */
static void join_cookies(struct hg_h2_stream *stream)
{
    struct hg_request *req = &stream->req;
    struct hg_header *whole = NULL;
    size_t length = 0, kept = 0;
    char *joined, *at;

    for (size_t i = 0; i < req->header_count; i++) {
        if (hg_str_is(req->headers[i].name, "cookie"))
            length += req->headers[i].value.n + 2;
    }
    joined = at = hg_arena_alloc(req->arena, length);
    if (!joined) {
        stream->is_head_too_large = true;
        return;
    }
    for (size_t i = 0; i < req->header_count; i++) {
        struct hg_header h = req->headers[i];

        if (!hg_str_is(h.name, "cookie")) {
            req->headers[kept++] = h;
            continue;
        }
        if (whole) {
            *at++ = ';';
            *at++ = ' ';
        } else {
            whole = &req->headers[kept++];
            whole->name = h.name;
        }
        memcpy(at, h.value.p, h.value.n);
        at += h.value.n;
    }
    hg_assert(whole != NULL);
    whole->value = hg_str_n(joined, (size_t)(at - joined));
    req->header_count = kept;
}

static bool is_wrong_host(const struct hg_h2_stream *stream)
{
    return stream->is_host_wrong || !h1_is_authority(stream->req.authority);
}

/* HG_FAULT_COUNT: none. */
static enum hg_fault head_fault(const struct hg_h2_stream *stream, const char **detail)
{
    const struct hg_request *req = &stream->req;

    *detail = "HTTP/2 request";
    if (stream->is_head_too_large || req->header_count > HEADERS_MAX)
        return HG_FAULT_HEADERS_LARGE;
    if (hg_str_is(req->method, "CONNECT"))
        return HG_FAULT_CONNECT;
    if (is_wrong_host(stream)) {
        *detail = ":authority and Host";
        return HG_FAULT_HOST;
    }
    if (hg_str_find(req->target, '#') >= 0) {
        *detail = "fragment in :path";
        return HG_FAULT_MALFORMED;
    }
    if (stream->is_wrong_expectation)
        return HG_FAULT_EXPECTATION;
    if (stream->content_length > conn_body_max(stream->h2->conn, req))
        return HG_FAULT_BODY_LARGE;
    return HG_FAULT_COUNT;
}

static void send_continue(struct hg_h2_stream *stream)
{
    static uint8_t name[] = ":status", value[] = "100";
    nghttp2_nv field = {name, value, sizeof(name) - 1, sizeof(value) - 1,
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};

    hg_assert(nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, NULL,
                                     &field, 1, NULL) == 0);
}

void stream_take_head(struct hg_h2_stream *stream)
{
    enum hg_fault fault;
    const char *detail;

    stream->req.start_us = conn_now_us(stream->h2->conn);
    if (stream->cookie_crumbs > 1 && !stream->is_head_too_large)
        join_cookies(stream);
    fault = head_fault(stream, &detail);
    if (fault != HG_FAULT_COUNT) {
        stream_refuse(stream, fault, detail);
        return;
    }
    hg_buf_init(&stream->body, conn_body_max(stream->h2->conn, &stream->req));
    stream_move(stream, HG_H2_BODY);
    if (stream->wants_continue && !stream->is_ended)
        send_continue(stream);
}

bool stream_keep_body(struct hg_h2_stream *stream, const char *bytes, size_t length)
{
    if (!conn_buffer_take(stream->h2->conn, length))
        return false;
    if (hg_buf_append(&stream->body, bytes, length))
        return true;
    conn_buffer_give(stream->h2->conn, length);
    return false;
}

/* The session's window is given back at once, a stream's only for bytes that we keep. */
void stream_take_body(struct hg_h2_stream *stream, const char *bytes, size_t length)
{
    struct hg_http2 *h2 = stream->h2;

    if (stream->state != HG_H2_BODY) {
        hg_assert(nghttp2_session_consume_connection(h2->session, length) == 0);
        return;
    }
    hg_assert(nghttp2_session_consume(h2->session, stream->id, length) == 0);
    stream_move(stream, HG_H2_BODY);
    if (length > stream->body.max - stream->body.len)
        stream_refuse(stream, HG_FAULT_BODY_LARGE, "HTTP/2 request");
    else if (!stream_keep_body(stream, bytes, length))
        stream_refuse(stream, HG_FAULT_BUSY, "HTTP/2 request");
}

void stream_take_end(struct hg_h2_stream *stream)
{
    struct hg_conn *conn = stream->h2->conn;

    stream->is_ended = true;
    if (stream->state != HG_H2_BODY)
        return;
    stream->req.body = hg_buf_str(&stream->body);
    stream_move(stream, HG_H2_HANDLER);
    conn->handler.on_request(&stream->req, conn->handler.arg);
}

void stream_refuse(struct hg_h2_stream *stream, enum hg_fault fault, const char *detail)
{
    struct hg_request *req = &stream->req;
    struct hg_str body = conn_fault_body(stream->h2->conn, fault, req);

    conn_note_fault(stream->h2->conn, fault, detail);
    drop_body(stream);
    stream->is_refused = true;
    req->response.status = fault_status(fault);
    req->response.body = body;
    req_add_header(req, HG_STR("content-type"), hg_str_of(fault_content_type(body)));
    if (fault_may_retry(fault))
        req_add_header(req, HG_STR("retry-after"), HG_STR("1"));
    stream_answer(stream);
}
