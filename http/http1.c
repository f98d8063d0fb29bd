/*
 * The input side of HTTP/1: heads and bodies out of what arrives, one request
 * after the other. A pipelined request waits until the one before it has been
 * answered, so answers are in order by nature. Answers: http1_answer.c.
 */
#include "http/http1.h"

#include "http/http1_stream.h"
#include "http/http2.h"

#include "core/metrics.h"

#include <stdlib.h>

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum {
    PREFACE_BYTES = sizeof(preface) - 1,
    HEADERS_MAX = 128,      /* header lines; beyond: 431 */
    PIPELINED_MAX = 32768,  /* input kept while a request is worked on; beyond, reading stops */
    SMALL_BODY_MAX = 16384, /* announced bodies up to this may come out of the request's arena */
};

static void on_drain(struct hg_conn *conn);
static void on_closed(struct hg_conn *conn);
static void on_deadline(struct hg_conn *conn);
static void on_eof(struct hg_conn *conn);
static size_t on_bytes(struct hg_conn *conn, const char *bytes, size_t length);

static const struct hg_protocol_ops http1_ops = {
    .name = "http/1.1",
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_sent = http1_on_sent,
    .on_deadline = on_deadline,
    .on_drain = on_drain,
    .on_closed = on_closed,
};

void http1_start(struct hg_conn *conn)
{
    struct http1 *h1 = hg_calloc(1, sizeof(*h1));

    h1->conn = conn;
    h1->is_fresh = true;
    hg_list_init(&h1->answered);
    conn_set_protocol(conn, &http1_ops, h1);
    http1_settle(h1);
}

/* ---- time, back-pressure and the end of input ---- */

void http1_settle(struct http1 *h1)
{
    struct hg_conn *conn = h1->conn;

    switch (h1->phase) {
    case HTTP1_HEAD:
        if (h1->head_since_us)
            conn_set_deadline(conn, HG_MAX(0, conn->limits->header_timeout_ms -
                                                  (conn_now_us(conn) - h1->head_since_us) / 1000));
        else
            conn_set_deadline(conn, conn->limits->idle_timeout_ms);
        return;
    case HTTP1_BODY:
        conn_set_deadline(conn, conn->limits->body_timeout_ms);
        return;
    case HTTP1_HANDLER:
    case HTTP1_ENDED:
        conn_set_deadline(conn, -1);
        return;
    }
}

bool http1_is_blocked(const struct http1 *h1)
{
    return h1->answered_count >= HTTP1_ANSWERED_MAX || conn_pending(h1->conn) > HTTP1_OUTPUT_HIGH;
}

void http1_end_at_eof(struct http1 *h1)
{
    bool waits_for_input = h1->phase == HTTP1_HEAD || h1->phase == HTTP1_BODY;

    if (!h1->conn->is_eof || !waits_for_input || http1_is_blocked(h1))
        return;
    http1_drop_current(h1);
    h1->phase = HTTP1_ENDED;
    conn_close_after_flush(h1->conn);
}

static void hold_back(struct http1 *h1, size_t left)
{
    bool is_worked_on = h1->phase == HTTP1_HANDLER;

    conn_set_reading(h1->conn,
                     !(is_worked_on && left > PIPELINED_MAX) && !(left && http1_is_blocked(h1)));
}

static void fail(struct http1 *h1, enum hg_fault fault, const char *detail)
{
    struct hg_str body = conn_fault_body(h1->conn, fault, h1->current ? &h1->current->req : NULL);

    http1_drop_current(h1);
    h1->phase = HTTP1_ENDED;
    conn_note_fault(h1->conn, fault, detail);
    if (fault_status(fault))
        http1_write_fault(h1->conn, fault, body);
    conn_close_after_flush(h1->conn);
}

/* ---- head ---- */

/* The same text elsewhere: slices move with it. */
static struct hg_str moved(struct hg_str text, const char *from, const char *to)
{
    return hg_str_n(to + (text.p - from), text.n);
}

static bool keep_head(struct hg_request *req, struct h1_head *head, const char *bytes)
{
    char *copy = hg_arena_alloc(req->arena, head->length);
    struct hg_header *headers =
        hg_arena_alloc(req->arena, (head->header_count + 1) * sizeof(*headers));

    if (!copy || !headers)
        return false;
    memcpy(copy, bytes, head->length);
    for (size_t i = 0; i < head->header_count; i++)
        headers[i] = (struct hg_header){moved(head->headers[i].name, bytes, copy),
                                        moved(head->headers[i].value, bytes, copy)};
    head->headers = headers;
    head->method = moved(head->method, bytes, copy);
    head->target = moved(head->target, bytes, copy);
    return true;
}

/* The target in origin form; an absolute one loses scheme and authority. */
static struct hg_str origin_form(struct hg_arena *arena, struct hg_str target,
                                 const struct h1_framing *framing)
{
    const char *end = target.p + target.n;

    if (target.p[0] == '/' || target.p[0] == '*')
        return target;
    if (framing->path.p > target.p && framing->path.p < end)
        return hg_str_n(framing->path.p, (size_t)(end - framing->path.p));
    if (!framing->query.p)
        return HG_STR("/");
    return hg_str_of(hg_arena_printf(arena, "/?%.*s", HG_STR_ARG(framing->query)));
}

static void fill_request(struct http1_stream *stream, const struct h1_head *head)
{
    struct hg_request *req = &stream->req;
    struct hg_conn *conn = stream->h1->conn;

    req->loop = conn->loop;
    req->peer = &conn->peer;
    req->version = head->version;
    req->method = head->method;
    req->target = origin_form(req->arena, head->target, &stream->framing);
    req->path = stream->framing.path;
    req->query = stream->framing.query;
    req->authority = stream->framing.authority;
    req->headers = head->headers;
    req->header_count = head->header_count;
    req->start_us = conn_now_us(conn);
    req->stream_ops = &http1_stream_ops;
}

static void answer_continue(struct http1_stream *stream)
{
    conn_write(stream->h1->conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    hg_count(HG_M_HTTP_REQUESTS_1XX, 1);
}

static void dispatch(struct http1 *h1);

/* Decides about the body; has_more: bytes follow the head already. */
static void start_body(struct http1 *h1, struct http1_stream *stream, bool has_more)
{
    const struct h1_framing *framing = &stream->framing;
    size_t body_max = conn_body_max(h1->conn, &stream->req);

    if (framing->content_length > body_max) {
        fail(h1, HG_FAULT_BODY_LARGE, "Content-Length");
        return;
    }
    if (!framing->is_chunked && framing->content_length == 0) {
        dispatch(h1);
        return;
    }
    h1->phase = HTTP1_BODY;
    if (framing->is_chunked)
        h1_chunked_init(&stream->chunked);
    hg_buf_init(&stream->body, body_max);
    if (framing->wants_continue && !has_more)
        answer_continue(stream);
}

static void begin_request(struct http1 *h1, struct h1_head *head, const char *bytes, size_t length)
{
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    struct http1_stream *stream = hg_arena_must(arena, sizeof(*stream));
    const char *detail;
    enum hg_fault fault;

    stream->h1 = h1;
    stream->req.arena = arena;
    hg_list_init(&stream->link);
    h1->current = stream;
    h1->is_fresh = false;
    h1->head_since_us = 0;
    if (!keep_head(&stream->req, head, bytes)) {
        fail(h1, HG_FAULT_HEADERS_LARGE, "head too long");
        return;
    }
    fault = h1_read_framing(head, &stream->framing, &detail);
    if (fault != HG_FAULT_COUNT) {
        fail(h1, fault, detail);
        return;
    }
    fill_request(stream, head);
    start_body(h1, stream, length > head->length);
}

/* Whether the bytes may be HTTP/2's connection preface. Only the first ones of a connection can. */
static bool is_preface(const struct http1 *h1, const char *bytes, size_t length)
{
    return h1->is_fresh && length &&
           memcmp(bytes, preface, HG_MIN(length, (size_t)PREFACE_BYTES)) == 0;
}

static size_t take_head(struct http1 *h1, const char *bytes, size_t length)
{
    struct hg_header headers[HEADERS_MAX];
    struct h1_head head = {.headers = headers,
                           .header_room = HEADERS_MAX,
                           .max_bytes = h1->conn->limits->max_header_bytes,
                           .seen = h1->head_seen};
    enum h1_result result;

    if (length && !h1->head_since_us)
        h1->head_since_us = conn_now_us(h1->conn);
    if (is_preface(h1, bytes, length)) {
        if (length >= PREFACE_BYTES)
            http2_start(h1->conn);
        return 0;
    }
    result = h1_parse_head(&head, bytes, length);
    h1->head_seen = head.seen;
    switch (result) {
    case H1_MORE:
        return 0;
    case H1_BAD:
        fail(h1, head.fault, head.detail);
        return length;
    case H1_DONE:
        break;
    }
    begin_request(h1, &head, bytes, length);
    return head.length;
}

/* ---- body ---- */

/* Both: false when the request was failed. */
static bool take_memory(struct http1 *h1, size_t bytes)
{
    if (!conn_buffer_take(h1->conn, bytes)) {
        fail(h1, HG_FAULT_BUSY, "max_buffered_bytes");
        return false;
    }
    h1->current->budget += bytes;
    return true;
}

static bool keep_body(struct http1 *h1, struct hg_str run)
{
    struct http1_stream *stream = h1->current;

    if (stream->body.len + run.n > stream->body.max) {
        fail(h1, HG_FAULT_BODY_LARGE, "chunked body");
        return false;
    }
    if (!take_memory(h1, run.n))
        return false;
    if (!hg_buf_append_str(&stream->body, run)) {
        fail(h1, HG_FAULT_BUSY, "memory");
        return false;
    }
    return true;
}

static size_t take_chunked_body(struct http1 *h1, const char *bytes, size_t length)
{
    struct http1_stream *stream = h1->current;
    struct hg_str run;
    size_t used;
    enum h1_result result = h1_chunked_feed(&stream->chunked, bytes, length, &used, &run);

    if (result == H1_BAD) {
        fail(h1, stream->chunked.fault, stream->chunked.detail);
        return length;
    }
    if (run.n && !keep_body(h1, run))
        return length;
    if (result == H1_DONE)
        dispatch(h1);
    return used;
}

static size_t take_sized_body(struct http1 *h1, const char *bytes, size_t length)
{
    struct http1_stream *stream = h1->current;
    size_t wanted = (size_t)stream->framing.content_length - stream->body.len;
    struct hg_str run = hg_str_n(bytes, HG_MIN(length, wanted));

    /* A small body that is here already goes beside its head. */
    if (!stream->body.len && run.n == wanted && wanted <= SMALL_BODY_MAX) {
        if (!take_memory(h1, run.n))
            return length;
        stream->req.body = hg_arena_str(stream->req.arena, run);
    } else if (!keep_body(h1, run)) {
        return length;
    }
    if (run.n == wanted)
        dispatch(h1);
    return run.n;
}

/* ---- the request is complete ---- */

/* Hands the connection over to HTTP/2 with this request as its first stream. */
static bool upgrade(struct http1 *h1, struct http1_stream *stream)
{
    struct hg_conn *conn = h1->conn;

    if (!stream->framing.wants_h2c || conn->peer.is_tls || conn->is_draining ||
        !hg_list_empty(&h1->answered))
        return false;
    if (!http2_upgrade(conn, &stream->req, stream->framing.h2_settings))
        return false;
    http1_drop_current(h1);
    return true;
}

static void dispatch(struct http1 *h1)
{
    struct http1_stream *stream = h1->current;
    struct hg_conn *conn = h1->conn;

    if (stream->body.len)
        stream->req.body = hg_buf_str(&stream->body);
    if (upgrade(h1, stream))
        return;
    h1->phase = HTTP1_HANDLER;
    conn->handler.on_request(&stream->req, conn->handler.arg);
}

/* ---- events of the connection ---- */

/* Returns the bytes used up; 0: nothing can be done with them now. */
static size_t take_some(struct http1 *h1, const char *bytes, size_t length)
{
    switch (h1->phase) {
    case HTTP1_HEAD:
        return length && !http1_is_blocked(h1) ? take_head(h1, bytes, length) : 0;
    case HTTP1_BODY:
        return h1->current->framing.is_chunked ? take_chunked_body(h1, bytes, length)
                                               : take_sized_body(h1, bytes, length);
    case HTTP1_HANDLER:
        return 0;
    case HTTP1_ENDED:
        return length;
    }
    return 0;
}

static size_t on_bytes(struct hg_conn *conn, const char *bytes, size_t length)
{
    struct http1 *h1 = conn->protocol_state;
    size_t used = 0, step;

    h1->is_in_input = true;
    do {
        step = take_some(h1, bytes + used, length - used);
        used += step;
        /* Handed over to HTTP/2. */
        if (conn->protocol != &http1_ops) {
            free(h1);
            return used;
        }
    } while (step && used < length);
    h1->is_in_input = false;
    hold_back(h1, length - used);
    http1_settle(h1);
    http1_end_at_eof(h1);
    return used;
}

static void on_eof(struct hg_conn *conn)
{
    struct http1 *h1 = conn->protocol_state;

    /* A whole request may still wait behind the one that was just answered. */
    if (conn_kept(conn))
        conn_offer_again(conn);
    else
        http1_end_at_eof(h1);
}

static void on_deadline(struct hg_conn *conn)
{
    struct http1 *h1 = conn->protocol_state;

    switch (h1->phase) {
    case HTTP1_HEAD:
        if (h1->head_since_us) {
            fail(h1, HG_FAULT_SLOW_HEAD, "header_timeout");
            return;
        }
        h1->phase = HTTP1_ENDED;
        conn_close_after_flush(conn);
        return;
    case HTTP1_BODY:
        fail(h1, HG_FAULT_SLOW_BODY, "body_timeout");
        return;
    case HTTP1_HANDLER:
    case HTTP1_ENDED:
        return;
    }
}

static void on_drain(struct hg_conn *conn)
{
    struct http1 *h1 = conn->protocol_state;

    /* What has begun is finished and answered with Connection: close. */
    if (h1->phase != HTTP1_HEAD || h1->head_since_us)
        return;
    h1->phase = HTTP1_ENDED;
    conn_close_after_flush(conn);
}

static void on_closed(struct hg_conn *conn)
{
    struct http1 *h1 = conn->protocol_state;

    http1_end_requests(h1);
    free(h1);
}
