/*
 * The answer side of HTTP/1: from req_respond to the last byte sent.
 */
#include "http/http1.h"
#include "http/http1_stream.h"

#include "http/h1_write.h"

#include <stdio.h>

static void free_stream(struct http1_stream *stream)
{
    if (stream->budget)
        conn_buffer_give(stream->h1->conn, stream->budget);
    hg_buf_fini(&stream->body);
    hg_arena_free(stream->req.arena);
}

void http1_drop_current(struct http1 *h1)
{
    if (h1->current)
        free_stream(h1->current);
    h1->current = NULL;
}

static void write_answer(struct hg_conn *conn, const struct h1_answer *answer)
{
    const struct hg_str body = answer->response->body;
    size_t room = h1_head_room(answer);

    conn_commit(conn, h1_write_head(conn_reserve(conn, room), answer));
    if (h1_has_body(answer) && body.n)
        conn_write_slice(conn, body, NULL);
}

void http1_write_fault(struct hg_conn *conn, enum hg_fault fault, struct hg_str body)
{
    struct hg_header headers[] = {
        {HG_STR("Content-Type"), hg_str_of(fault_content_type(body))},
        {HG_STR("Retry-After"), HG_STR("1")},
    };
    struct hg_response response = {.status = fault_status(fault),
                                   .headers = headers,
                                   .header_count = fault_may_retry(fault) ? 2 : 1,
                                   .body = body};
    struct h1_answer answer = {.response = &response, .date = conn_date(conn)};

    write_answer(conn, &answer);
}

static struct h1_answer describe(const struct http1_stream *stream)
{
    struct hg_conn *conn = stream->h1->conn;

    hg_assert(stream->h1->current == stream && stream->h1->phase == HTTP1_HANDLER);
    return (struct h1_answer){.response = &stream->req.response,
                              .date = conn_date(conn),
                              .is_head = hg_str_is(stream->req.method, "HEAD"),
                              .is_persistent = stream->framing.is_persistent && !conn->is_draining,
                              .is_1_0 = stream->req.version == HG_HTTP_1_0};
}

/* The whole answer is queued: the connection goes on to the next request, or ends. */
static void complete(struct http1_stream *stream, bool is_persistent)
{
    struct http1 *h1 = stream->h1;
    struct hg_conn *conn = h1->conn;

    stream->answer_end = conn->queued;
    hg_list_push_back(&h1->answered, &stream->link);
    h1->answered_count++;
    h1->current = NULL;
    if (!is_persistent) {
        h1->phase = HTTP1_ENDED;
        conn_close_after_flush(conn);
        return;
    }
    h1->phase = HTTP1_HEAD;
    if (h1->is_in_input)
        return;
    if (conn_kept(conn))
        conn_offer_again(conn);
    else
        http1_end_at_eof(h1);
}

static void respond(struct hg_request *req)
{
    struct http1_stream *stream = hg_container_of(req, struct http1_stream, req);
    struct h1_answer answer = describe(stream);

    stream->answer_at = stream->h1->conn->queued;
    write_answer(stream->h1->conn, &answer);
    complete(stream, answer.is_persistent);
}

/* ---- in pieces ---- */

static void begin(struct hg_request *req)
{
    struct http1_stream *stream = hg_container_of(req, struct http1_stream, req);
    struct h1_answer answer = describe(stream);
    struct hg_conn *conn = stream->h1->conn;

    /* HTTP/1.0 has no chunks: there the body ends with the connection. */
    answer.length = answer.is_1_0 ? H1_UNTIL_CLOSE : H1_CHUNKED;
    if (answer.is_1_0)
        answer.is_persistent = false;
    stream->is_begun = true;
    stream->is_chunked = !answer.is_1_0;
    stream->has_body = h1_has_body(&answer);
    stream->is_persistent = answer.is_persistent;
    stream->answer_at = conn->queued;
    conn_commit(conn, h1_write_head(conn_reserve(conn, h1_head_room(&answer)), &answer));
}

static void write_piece(struct hg_request *req, struct hg_str bytes)
{
    struct http1_stream *stream = hg_container_of(req, struct http1_stream, req);
    struct hg_conn *conn = stream->h1->conn;
    char head[24];

    hg_assert(stream->is_begun);
    if (!stream->has_body)
        return;
    if (stream->is_chunked)
        conn_write(conn, head, (size_t)snprintf(head, sizeof(head), "%zx\r\n", bytes.n));
    conn_write(conn, bytes.p, bytes.n);
    if (stream->is_chunked)
        conn_write(conn, "\r\n", 2);
}

static void end(struct hg_request *req)
{
    struct http1_stream *stream = hg_container_of(req, struct http1_stream, req);
    struct hg_conn *conn = stream->h1->conn;

    hg_assert(stream->is_begun);
    if (stream->has_body && stream->is_chunked)
        conn_write(conn, "0\r\n\r\n", 5);
    complete(stream, stream->is_persistent && !conn->is_draining);
}

static size_t pending(const struct hg_request *req)
{
    const struct http1_stream *stream = hg_container_of(req, const struct http1_stream, req);

    return conn_pending(stream->h1->conn);
}

static void take_body(struct hg_request *req, struct hg_buf *out)
{
    struct http1_stream *stream = hg_container_of(req, struct http1_stream, req);

    if (stream->budget)
        conn_buffer_give(stream->h1->conn, stream->budget);
    stream->budget = 0;
    hg_buf_take(out, &stream->body);
}

const struct hg_stream_ops http1_stream_ops = {.respond = respond,
                                               .begin = begin,
                                               .write = write_piece,
                                               .end = end,
                                               .pending = pending,
                                               .take_body = take_body};

/* bytes_sent: of its answer. */
static void finish(struct http1 *h1, struct http1_stream *stream, uint64_t bytes_sent)
{
    hg_list_unlink(&stream->link);
    h1->answered_count--;
    conn_finish_request(&stream->req, bytes_sent);
    free_stream(stream);
}

void http1_on_sent(struct hg_conn *conn)
{
    struct http1 *h1 = conn->protocol_state;

    HG_LIST_EACH(link, &h1->answered)
    {
        struct http1_stream *stream = hg_container_of(link, struct http1_stream, link);

        if (stream->answer_end > conn->sent)
            break;
        finish(h1, stream, stream->answer_end - stream->answer_at);
    }
    if (h1->current && h1->current->is_begun && !conn_pending(conn) && h1->current->req.on_room)
        h1->current->req.on_room(&h1->current->req);
    if (h1->phase != HTTP1_HEAD || http1_is_blocked(h1))
        return;
    http1_settle(h1);
    if (conn_kept(conn))
        conn_offer_again(conn);
    else
        http1_end_at_eof(h1);
    conn_set_reading(conn, true);
}

void http1_end_requests(struct http1 *h1)
{
    uint64_t sent = h1->conn->sent;

    HG_LIST_EACH(link, &h1->answered)
    {
        struct http1_stream *stream = hg_container_of(link, struct http1_stream, link);

        finish(h1, stream,
               sent > stream->answer_at ? HG_MIN(sent, stream->answer_end) - stream->answer_at : 0);
    }
    if (h1->current && h1->phase == HTTP1_HANDLER)
        conn_abort_request(&h1->current->req);
    http1_drop_current(h1);
}
