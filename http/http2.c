/*
 * The HTTP/2 session of a connection: nghttp2's callbacks, output, deadlines,
 * drain. Everything that a turn produces leaves in one write: answers are
 * submitted as they come and turned into bytes in on_flush.
 *
 * nghttp2 must not be entered from its own callbacks other than by submitting;
 * so streams are finished, and the session ended, outside of them.
 */
#include "http/http2.h"

#include "core/metrics.h"
#include "http/http2_mem.h"
#include "http/http2_session.h"

#include <stdlib.h>

enum {
    OUT_LOW = 64 << 10,        /* from here on more is made, and reading goes on */
    STREAM_WINDOW = 256 << 10, /* a body at 20 MB/s over 10 ms */
    SESSION_WINDOW = 1 << 20,
    LINGER_MS =
        500, /* after an early answer: libcurl (7.88) loses it when a reset comes on its heels */
    DRAIN_NOTICE_MS =
        1000, /* a client that does not answer the PING behind the notice has had its time */
};

static const uint8_t drain_ping[8] = "draining";

static void set_life(struct hg_http2 *h2, enum hg_h2_life life)
{
    h2->life = life;
    h2->life_since_us = conn_now_us(h2->conn);
}

void http2_condemn(struct hg_http2 *h2, uint32_t error_code)
{
    if (h2->life == HG_H2_CONDEMNED)
        return;
    set_life(h2, HG_H2_CONDEMNED);
    hg_assert(nghttp2_session_terminate_session(h2->session, error_code) == 0);
    conn_want_flush(h2->conn);
}

static const struct {
    enum hg_counter counter;
    uint32_t error_code;
} abuses[] = {
    {HG_COUNTER_COUNT, NGHTTP2_NO_ERROR},
#define HG_ABUSE(symbol, burst, per_second, code, name) {HG_M_HTTP2_##symbol, NGHTTP2_##code},
#include "http/http2_abuse.def"
#undef HG_ABUSE
};

void http2_condemn_abuse(struct hg_http2 *h2, enum hg_abuse kind)
{
    if (h2->life == HG_H2_CONDEMNED)
        return;
    hg_count(abuses[kind].counter, 1);
    conn_note_fault(h2->conn, HG_FAULT_ABUSE, abuse_name(kind));
    http2_condemn(h2, abuses[kind].error_code);
}

/* ---- nghttp2's callbacks ---- */

static struct hg_h2_stream *stream_of(struct hg_http2 *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2->session, id);
}

/*
 * A client opens streams in ascending order. nghttp2 passes over a lower one in silence; here only trailers for what
 * we have reset may do so.
 */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user_data)
{
    struct hg_http2 *h2 = user_data;

    (void)session;
    if (head->type != NGHTTP2_HEADERS)
        return 0;
    if (head->stream_id > h2->newest_id)
        h2->newest_id = head->stream_id;
    else if (!stream_of(h2, head->stream_id) &&
             !guard_has_seen(&h2->guard, (uint32_t)head->stream_id))
        http2_condemn(h2, NGHTTP2_PROTOCOL_ERROR);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct hg_http2 *h2 = user_data;

    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST && h2->life != HG_H2_CONDEMNED) {
        struct hg_h2_stream *stream = stream_new(h2, frame->hd.stream_id);

        hg_assert(nghttp2_session_set_stream_user_data(session, stream->id, stream) == 0);
    }
    return 0;
}

/* Strings of nghttp2's static table stay; all others are copied. */
static struct hg_str rcbuf_text(nghttp2_rcbuf *rcbuf)
{
    nghttp2_vec text = nghttp2_rcbuf_get_buf(rcbuf);

    return hg_str_n((const char *)text.base, text.len);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name_buf,
                     nghttp2_rcbuf *value_buf, uint8_t flags, void *user_data)
{
    struct hg_h2_stream *stream = stream_of(user_data, frame->hd.stream_id);
    struct hg_str name = rcbuf_text(name_buf), value = rcbuf_text(value_buf);

    (void)session;
    (void)flags;
    /* Trailers are read and dropped: an event has no place for them. */
    if (!stream || stream->state != HG_H2_HEAD)
        return 0;
    if (!stream->is_head_too_large &&
        ((!nghttp2_rcbuf_is_static(name_buf) && !stream_keep(stream, &name)) ||
         (!nghttp2_rcbuf_is_static(value_buf) && !stream_keep(stream, &value))))
        stream->is_head_too_large = true;
    stream_take_field(stream, name, value);
    return 0;
}

/* Without this, nghttp2 would drop the field and serve the rest: a message that means two things. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             nghttp2_rcbuf *name, nghttp2_rcbuf *value, uint8_t flags,
                             void *user_data)
{
    struct hg_http2 *h2 = user_data;

    (void)session;
    (void)frame;
    (void)name;
    (void)value;
    (void)flags;
    conn_note_fault(h2->conn, HG_FAULT_MALFORMED, "HTTP/2 header field");
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t length, void *user_data)
{
    struct hg_http2 *h2 = user_data;
    struct hg_h2_stream *stream = stream_of(h2, id);

    (void)session;
    (void)flags;
    if (stream && h2->life != HG_H2_CONDEMNED)
        stream_take_body(stream, (const char *)bytes, length);
    return 0;
}

static void end_drain_notice(struct hg_http2 *h2)
{
    set_life(h2, HG_H2_LAST);
    hg_assert(nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                                    nghttp2_session_get_last_proc_stream_id(h2->session),
                                    NGHTTP2_NO_ERROR, NULL, 0) == 0);
    conn_want_flush(h2->conn);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct hg_http2 *h2 = user_data;
    struct hg_h2_stream *stream;
    bool is_end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

    (void)session;
    if (h2->life == HG_H2_CONDEMNED)
        return 0;
    if (frame->hd.type == NGHTTP2_PING) {
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && h2->life == HG_H2_NOTICE)
            end_drain_notice(h2);
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    stream = stream_of(h2, frame->hd.stream_id);
    if (!stream)
        return 0;
    if (stream->state == HG_H2_HEAD) {
        stream->is_ended = is_end;
        stream_take_head(stream);
    }
    if (is_end)
        stream_take_end(stream);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct hg_http2 *h2 = user_data;
    struct hg_h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
        !guard_charge(&h2->guard, HG_ABUSE_PROVOKED, conn_now_us(h2->conn)))
        http2_condemn_abuse(h2, HG_ABUSE_PROVOKED);
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    stream = stream_of(h2, frame->hd.stream_id);
    if (stream && !stream->is_ended)
        stream_move(stream, HG_H2_LINGER);
    return 0;
}

/* The answer's headers are too large to be sent, or the stream has just closed. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int error,
                             void *user_data)
{
    struct hg_http2 *h2 = user_data;

    if (error != NGHTTP2_ERR_SESSION_CLOSING && frame->hd.type == NGHTTP2_HEADERS &&
        stream_of(h2, frame->hd.stream_id)) {
        conn_note_fault(h2->conn, HG_FAULT_HEADERS_LARGE, nghttp2_strerror(error));
        hg_assert(nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                            NGHTTP2_INTERNAL_ERROR) == 0);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct hg_h2_stream *stream = stream_of(user_data, id);

    (void)session;
    (void)error_code;
    if (stream)
        stream_closed(stream);
    return 0;
}

/* ---- set-up ---- */

static nghttp2_session *open_nghttp2(struct hg_http2 *h2)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session *session;

    hg_assert(nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_option_set_no_auto_window_update(option, 1);
    /* Closed streams would be kept for a priority tree that we do not use. */
    nghttp2_option_set_no_closed_streams(option, 1);
    hg_assert(nghttp2_session_server_new3(&session, callbacks, h2, option, http2_mem()) == 0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

void http2_submit_settings(struct hg_http2 *h2)
{
    const struct hg_server_limits *limits = h2->conn->limits;
    const nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)HG_MIN(limits->max_header_bytes, UINT32_MAX)},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };

    hg_assert(nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries, HG_COUNT(entries)) ==
              0);
    hg_assert(nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                    SESSION_WINDOW) == 0);
}

struct hg_http2 *http2_new(struct hg_conn *conn)
{
    struct hg_http2 *h2 = hg_calloc(1, sizeof(*h2));

    h2->conn = conn;
    for (int state = 0; state < HG_H2_STREAM_STATES; state++)
        hg_list_init(&h2->streams[state]);
    h2->idle_since_us = conn_now_us(h2->conn);
    guard_init(&h2->guard, conn->limits->max_header_bytes, h2->idle_since_us);
    h2->session = open_nghttp2(h2);
    return h2;
}

void http2_free(struct hg_http2 *h2)
{
    nghttp2_session_del(h2->session);
    free(h2);
}

/* ---- time ---- */

static int64_t oldest_in(const struct hg_http2 *h2, enum hg_h2_stream_state state,
                         int64_t timeout_ms)
{
    const struct hg_list *list = &h2->streams[state];

    if (hg_list_empty(list))
        return INT64_MAX;
    return hg_container_of(list->next, struct hg_h2_stream, link)->touched_us + timeout_ms * 1000;
}

static void set_deadline(struct hg_http2 *h2)
{
    const struct hg_server_limits *limits = h2->conn->limits;
    int64_t head_since_us = guard_head_since(&h2->guard);
    int64_t at_us = oldest_in(h2, HG_H2_BODY, limits->body_timeout_ms);

    at_us = HG_MIN(at_us, oldest_in(h2, HG_H2_ANSWER, limits->write_timeout_ms));
    at_us = HG_MIN(at_us, oldest_in(h2, HG_H2_LINGER, LINGER_MS));
    if (head_since_us)
        at_us = HG_MIN(at_us, head_since_us + limits->header_timeout_ms * 1000);
    if (h2->open == 0)
        at_us = HG_MIN(at_us, h2->idle_since_us + limits->idle_timeout_ms * 1000);
    if (h2->life == HG_H2_NOTICE)
        at_us = HG_MIN(at_us, h2->life_since_us + DRAIN_NOTICE_MS * 1000);
    if (at_us == INT64_MAX)
        conn_set_deadline(h2->conn, -1);
    else
        conn_set_deadline(h2->conn, HG_MAX((at_us - conn_now_us(h2->conn)) / 1000, 0));
}

static bool is_over(int64_t since_us, int64_t timeout_ms, int64_t now_us)
{
    return now_us - since_us >= timeout_ms * 1000;
}

/* Answered before the request was complete: the client need not send the rest (RFC 9113 §8.1). */
static void end_lingering(struct hg_http2 *h2, int64_t now_us)
{
    HG_LIST_EACH(it, &h2->streams[HG_H2_LINGER])
    {
        struct hg_h2_stream *stream = hg_container_of(it, struct hg_h2_stream, link);

        if (!is_over(stream->touched_us, LINGER_MS, now_us))
            break;
        hg_assert(nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                            NGHTTP2_NO_ERROR) == 0);
    }
    conn_want_flush(h2->conn);
}

static void refuse_slow_bodies(struct hg_http2 *h2, int64_t now_us)
{
    HG_LIST_EACH(it, &h2->streams[HG_H2_BODY])
    {
        struct hg_h2_stream *stream = hg_container_of(it, struct hg_h2_stream, link);

        if (!is_over(stream->touched_us, h2->conn->limits->body_timeout_ms, now_us))
            break;
        stream_refuse(stream, HG_FAULT_SLOW_BODY, "HTTP/2 request");
    }
}

/*
 * An answer that does not come on may only be waiting for its turn. It is the
 * client's doing when the window is closed: its own, or the session's.
 */
static void reset_stalled_answers(struct hg_http2 *h2, int64_t now_us)
{
    int64_t timeout_ms = h2->conn->limits->write_timeout_ms;
    bool is_session_stalled = nghttp2_session_get_remote_window_size(h2->session) <= 0 &&
                              is_over(h2->data_us, timeout_ms, now_us);

    HG_LIST_EACH(it, &h2->streams[HG_H2_ANSWER])
    {
        struct hg_h2_stream *stream = hg_container_of(it, struct hg_h2_stream, link);

        if (!is_over(stream->touched_us, timeout_ms, now_us))
            break;
        if (is_session_stalled ||
            nghttp2_session_get_stream_remote_window_size(h2->session, stream->id) <= 0) {
            conn_note_fault(h2->conn, HG_FAULT_SLOW_READER, "zero-window stall");
            hg_assert(nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                                NGHTTP2_CANCEL) == 0);
        }
        stream_move(stream, HG_H2_ANSWER);
        stream->touched_us = now_us;
    }
    conn_want_flush(h2->conn);
}

static void on_deadline(struct hg_conn *conn)
{
    struct hg_http2 *h2 = conn->protocol_state;
    const struct hg_server_limits *limits = conn->limits;
    int64_t now_us = conn_now_us(conn), head_since_us = guard_head_since(&h2->guard);

    if (h2->life == HG_H2_NOTICE && is_over(h2->life_since_us, DRAIN_NOTICE_MS, now_us))
        end_drain_notice(h2);
    if (head_since_us && is_over(head_since_us, limits->header_timeout_ms, now_us)) {
        conn_note_fault(conn, HG_FAULT_SLOW_HEAD, "HTTP/2 frame");
        http2_condemn(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (h2->open == 0 && is_over(h2->idle_since_us, limits->idle_timeout_ms, now_us)) {
        http2_condemn(h2, NGHTTP2_NO_ERROR);
    } else {
        end_lingering(h2, now_us);
        refuse_slow_bodies(h2, now_us);
        reset_stalled_answers(h2, now_us);
    }
    set_deadline(h2);
}

/* ---- what the connection tells ---- */

static size_t on_bytes(struct hg_conn *conn, const char *bytes, size_t length)
{
    struct hg_http2 *h2 = conn->protocol_state;
    enum hg_abuse abuse;
    ssize_t used;

    if (h2->life == HG_H2_CONDEMNED)
        return length;
    abuse = guard_scan(&h2->guard, bytes, length, conn_now_us(conn));
    if (abuse != HG_ABUSE_NONE) {
        http2_condemn_abuse(h2, abuse);
        return length;
    }
    used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes, length);
    if (used < 0) {
        /* Not HTTP/2 at all, or acknowledgements that the client does not read pile up. */
        conn_note_fault(conn, HG_FAULT_MALFORMED, nghttp2_strerror((int)used));
        http2_condemn(h2, used == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM
                                                      : NGHTTP2_PROTOCOL_ERROR);
    }
    conn_want_flush(conn);
    set_deadline(h2);
    /* A client that does not read its answers gets no further ones. */
    if (conn_pending(conn) > HG_H2_OUT_HIGH)
        conn_set_reading(conn, false);
    return length;
}

/* Whether nothing more is to be said on this connection. */
static bool is_through(const struct hg_http2 *h2)
{
    if (nghttp2_session_want_write(h2->session))
        return false;
    if (h2->life == HG_H2_CONDEMNED || !nghttp2_session_want_read(h2->session))
        return true;
    return h2->open == 0 && (h2->life == HG_H2_LAST || h2->conn->is_eof);
}

static void on_flush(struct hg_conn *conn)
{
    struct hg_http2 *h2 = conn->protocol_state;
    const uint8_t *bytes;
    ssize_t length = 0;

    while (conn_pending(conn) < HG_H2_OUT_HIGH &&
           (length = nghttp2_session_mem_send(h2->session, &bytes)) > 0)
        conn_write(conn, bytes, (size_t)length);
    if (length < 0) {
        conn_close(conn);
        return;
    }
    streams_mark_queued(h2);
    streams_finish_sent(h2);
    set_deadline(h2);
    if (length == 0 && is_through(h2))
        conn_close_after_flush(conn);
}

static void on_sent(struct hg_conn *conn)
{
    struct hg_http2 *h2 = conn->protocol_state;

    streams_finish_sent(h2);
    streams_tell_room(h2);
    if (conn_pending(conn) > OUT_LOW || !conn_is_open(conn))
        return;
    conn_set_reading(conn, true);
    if (nghttp2_session_want_write(h2->session))
        conn_want_flush(conn);
}

/*
 * HTTP/2 clients do not close half of a connection: this one has left, or is
 * about to. What is answered still goes out.
 */
static void on_eof(struct hg_conn *conn)
{
    struct hg_http2 *h2 = conn->protocol_state;

    for (int state = HG_H2_HEAD; state <= HG_H2_HANDLER; state++) {
        HG_LIST_EACH(it, &h2->streams[state])
        {
            struct hg_h2_stream *stream = hg_container_of(it, struct hg_h2_stream, link);

            hg_assert(nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                                NGHTTP2_CANCEL) == 0);
        }
    }
    conn_want_flush(conn);
}

/*
 * First the client is told that the end is near, while streams that it has
 * already opened still count; the PING's answer says that it knows (RFC 9113 §6.8).
 */
static void on_drain(struct hg_conn *conn)
{
    struct hg_http2 *h2 = conn->protocol_state;

    if (h2->life != HG_H2_RUNNING)
        return;
    set_life(h2, HG_H2_NOTICE);
    hg_assert(nghttp2_submit_shutdown_notice(h2->session) == 0);
    hg_assert(nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, drain_ping) == 0);
    set_deadline(h2);
    conn_want_flush(conn);
}

static void on_closed(struct hg_conn *conn)
{
    struct hg_http2 *h2 = conn->protocol_state;

    streams_end_all(h2);
    conn->protocol_state = NULL;
    http2_free(h2);
}

static const struct hg_protocol_ops http2_ops = {
    .name = "HTTP/2",
    .on_bytes = on_bytes,
    .on_eof = on_eof,
    .on_flush = on_flush,
    .on_sent = on_sent,
    .on_deadline = on_deadline,
    .on_drain = on_drain,
    .on_closed = on_closed,
};

void http2_take_over(struct hg_http2 *h2)
{
    set_deadline(h2);
    conn_want_flush(h2->conn);
    conn_set_protocol(h2->conn, &http2_ops, h2);
}

void http2_start(struct hg_conn *conn)
{
    struct hg_http2 *h2 = http2_new(conn);

    http2_submit_settings(h2);
    http2_take_over(h2);
}
