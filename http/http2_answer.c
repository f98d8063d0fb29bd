/*
 * Answers: response headers and bodies, given to nghttp2 without copies. What
 * they point to lives until the kernel has taken the last byte (HG_H2_SENT).
 */
#include "http/h1_write.h"
#include "http/http2_session.h"

enum { OWN_HEADERS = 3 }; /* :status, date, content-length */

static bool is_upper(unsigned char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t') || c == 0x7f;
}

/* HTTP/2 has lower-case names only. */
static struct hg_str lower_name(struct hg_arena *arena, struct hg_str name)
{
    char *copy;

    for (size_t i = 0; i < name.n; i++) {
        if (!is_upper((unsigned char)name.p[i]))
            continue;
        copy = hg_arena_strdup(arena, name);
        for (; i < name.n; i++) {
            if (is_upper((unsigned char)copy[i]))
                copy[i] = (char)(copy[i] | 0x20);
        }
        return hg_str_n(copy, name.n);
    }
    return name;
}

/* Control bytes become blanks, as on HTTP/1.1; blanks at the ends are not allowed (RFC 9113 §8.2.1). */
static struct hg_str clean_value(struct hg_arena *arena, struct hg_str value)
{
    char *copy;

    for (size_t i = 0; i < value.n; i++) {
        if (!is_control((unsigned char)value.p[i]))
            continue;
        copy = hg_arena_strdup(arena, value);
        for (; i < value.n; i++) {
            if (is_control((unsigned char)copy[i]))
                copy[i] = ' ';
        }
        value.p = copy;
        break;
    }
    return hg_str_trim(value);
}

/*
 * Values that differ in every answer: in the header table each would push out
 * what repeats. One such header indexed made an answer a quarter dearer.
 */
static bool is_varying(struct hg_str name)
{
    return (name.n > 10 && memcmp(name.p + name.n - 9, "requestid", 9) == 0) ||
           hg_str_is(name, "x-amzn-trace-id") || hg_str_is(name, "x-amz-apigw-id") ||
           hg_str_is(name, "x-request-id");
}

static nghttp2_nv field(struct hg_str name, struct hg_str value, unsigned flags)
{
    /* nghttp2 does not write to what it is told not to copy. */
    return (nghttp2_nv){
        (uint8_t *)(uintptr_t)name.p, (uint8_t *)(uintptr_t)value.p, name.n, value.n,
        (uint8_t)(NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE | flags)};
}

static struct hg_str number_text(char *end, uint64_t value)
{
    char *at = end;

    do {
        *--at = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return hg_str_n(at, (size_t)(end - at));
}

/* A slice of the body goes from where the handler left it into the connection's output. */
static ssize_t on_body_wanted(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t length,
                              uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    struct hg_h2_stream *stream = source->ptr;
    size_t left = stream->req.response.body.n - stream->answered;

    (void)session;
    (void)id;
    (void)bytes;
    (void)user_data;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (left <= length)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)HG_MIN(left, length);
}

/* The same of an answer in pieces: nothing there is no end. */
static ssize_t on_piece_wanted(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t length,
                               uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    struct hg_h2_stream *stream = source->ptr;

    (void)session;
    (void)id;
    (void)bytes;
    (void)user_data;
    if (!stream->pieces.len && !stream->is_complete)
        return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (stream->is_complete && stream->pieces.len <= length)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)HG_MIN(stream->pieces.len, length);
}

/* Moves a frame's payload into the connection's output. */
static void write_payload(struct hg_h2_stream *stream, size_t length)
{
    struct hg_conn *conn = stream->h2->conn;

    if (stream->is_in_pieces) {
        conn_write(conn, hg_buf_str(&stream->pieces).p, length);
        hg_buf_consume(&stream->pieces, length);
    } else {
        conn_write_slice(conn, hg_str_n(stream->req.response.body.p + stream->answered, length),
                         NULL);
    }
    stream->answered += length;
}

int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                 size_t length, nghttp2_data_source *source, void *user_data)
{
    enum { FRAME_HEAD_BYTES = 9, TELLING_BYTES = 512 };
    struct hg_h2_stream *stream = source->ptr;
    struct hg_http2 *h2 = user_data;

    (void)session;
    hg_assert(frame->data.padlen == 0);
    /* nghttp2 would go on until all windows are closed. */
    if (conn_pending(h2->conn) >= HG_H2_OUT_HIGH)
        return NGHTTP2_ERR_WOULDBLOCK;
    /* After an upgrade, libcurl has 32 KiB for what comes behind the 101 (7.88); its preface says that it has switched. */
    if (h2->guard.magic_left && stream->answered)
        return NGHTTP2_ERR_WOULDBLOCK;
    conn_write(h2->conn, frame_head, FRAME_HEAD_BYTES);
    write_payload(stream, length);
    h2->data_us = conn_now_us(h2->conn);
    /* One that is not complete is the handler's still. */
    if (!stream->is_in_pieces || stream->is_complete)
        stream_move(stream, HG_H2_ANSWER);
    /* A client may answer each frame that carries something with two window updates. */
    if (length >= TELLING_BYTES || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        guard_credit(&h2->guard, HG_ABUSE_WINDOWS, 2, h2->data_us);
    return 0;
}

static size_t fill_fields(struct hg_h2_stream *stream, nghttp2_nv *fields, bool has_length)
{
    struct hg_response *response = &stream->req.response;
    struct hg_str date = conn_date(stream->h2->conn);
    size_t count = 0;

    hg_assert(response->status >= 200 && response->status <= 999);
    fields[count++] =
        field(HG_STR(":status"),
              number_text(stream->status + sizeof(stream->status), (uint64_t)response->status), 0);
    memcpy(stream->date, date.p, HG_MIN(date.n, sizeof(stream->date)));
    fields[count++] = field(HG_STR("date"), hg_str_n(stream->date, date.n), 0);
    for (size_t i = 0; i < response->header_count; i++) {
        const struct hg_header *h = &response->headers[i];
        struct hg_str name;

        if (h1_is_server_header(h->name))
            continue;
        name = lower_name(stream->req.arena, h->name);
        fields[count++] = field(name, clean_value(stream->req.arena, h->value),
                                is_varying(name) ? NGHTTP2_NV_FLAG_NO_INDEX : 0);
    }
    if (has_length)
        fields[count++] =
            field(HG_STR("content-length"),
                  number_text(stream->length + sizeof(stream->length), response->body.n), 0);
    return count;
}

void stream_answer(struct hg_h2_stream *stream)
{
    struct hg_response *response = &stream->req.response;
    bool may_have_body = response->status != 204 && response->status != 304;
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = on_body_wanted};
    nghttp2_nv *fields;
    size_t count;

    fields =
        hg_arena_must(stream->req.arena, (response->header_count + OWN_HEADERS) * sizeof(*fields));
    count = fill_fields(stream, fields, may_have_body);
    if (!may_have_body || stream->is_method_head)
        response->body.n = 0;
    stream_move(stream, HG_H2_ANSWER);
    hg_assert(nghttp2_submit_response(stream->h2->session, stream->id, fields, count,
                                      response->body.n ? &body : NULL) == 0);
    conn_want_flush(stream->h2->conn);
}

static void on_respond(struct hg_request *req)
{
    struct hg_h2_stream *stream = hg_container_of(req, struct hg_h2_stream, req);

    hg_assert(stream->state == HG_H2_HANDLER);
    stream_answer(stream);
}

/* ---- in pieces ---- */

static void on_begin(struct hg_request *req)
{
    struct hg_h2_stream *stream = hg_container_of(req, struct hg_h2_stream, req);
    nghttp2_data_provider body = {.source.ptr = stream, .read_callback = on_piece_wanted};
    nghttp2_nv *fields =
        hg_arena_must(req->arena, (req->response.header_count + OWN_HEADERS) * sizeof(*fields));
    size_t count = fill_fields(stream, fields, false);

    hg_assert(stream->state == HG_H2_HANDLER);
    stream->is_in_pieces = true;
    hg_buf_init(&stream->pieces, SIZE_MAX / 2);
    hg_assert(nghttp2_submit_response(stream->h2->session, stream->id, fields, count, &body) == 0);
    conn_want_flush(stream->h2->conn);
}

static void on_write(struct hg_request *req, struct hg_str bytes)
{
    struct hg_h2_stream *stream = hg_container_of(req, struct hg_h2_stream, req);

    hg_assert(stream->is_in_pieces && !stream->is_complete);
    if (stream->is_method_head)
        return;
    hg_buf_append_str(&stream->pieces, bytes);
    (void)nghttp2_session_resume_data(stream->h2->session, stream->id);
    conn_want_flush(stream->h2->conn);
}

static void on_end(struct hg_request *req)
{
    struct hg_h2_stream *stream = hg_container_of(req, struct hg_h2_stream, req);

    hg_assert(stream->is_in_pieces && !stream->is_complete);
    stream->is_complete = true;
    stream_move(stream, HG_H2_ANSWER);
    (void)nghttp2_session_resume_data(stream->h2->session, stream->id);
    conn_want_flush(stream->h2->conn);
}

static size_t pending(const struct hg_request *req)
{
    const struct hg_h2_stream *stream = hg_container_of(req, const struct hg_h2_stream, req);

    return stream->pieces.len + conn_pending(stream->h2->conn);
}

static void on_take_body(struct hg_request *req, struct hg_buf *out)
{
    struct hg_h2_stream *stream = hg_container_of(req, struct hg_h2_stream, req);

    if (stream->body.len)
        conn_buffer_give(stream->h2->conn, stream->body.len);
    hg_buf_take(out, &stream->body);
}

const struct hg_stream_ops http2_stream_ops = {.respond = on_respond,
                                               .begin = on_begin,
                                               .write = on_write,
                                               .end = on_end,
                                               .pending = pending,
                                               .take_body = on_take_body};
