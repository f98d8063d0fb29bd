/*
 * One HTTP/2 connection and its streams, as the http2*.c files share them.
 */
#ifndef HG_HTTP_HTTP2_SESSION_H
#define HG_HTTP_HTTP2_SESSION_H

#include "http/conn.h"
#include "http/http2_guard.h"

#include <nghttp2/nghttp2.h>

/* Where a stream is; each state has its list in the session, ordered by touched_us. */
enum hg_h2_stream_state {
    HG_H2_HEAD,    /* its header block is coming */
    HG_H2_BODY,    /* its body is coming */
    HG_H2_HANDLER, /* the handler has it */
    HG_H2_ANSWER,  /* the answer is going out */
    HG_H2_LINGER,  /* answered before its request was complete; what still comes is dropped */
    HG_H2_SENT,    /* closed; its last bytes are in the connection's output */
    HG_H2_STREAM_STATES
};

/* Lives in its request's arena. */
struct hg_h2_stream {
    struct hg_request req;
    struct hg_http2 *h2;
    struct hg_list link;
    enum hg_h2_stream_state state;
    int32_t id;
    int64_t touched_us; /* when it last came on */

    size_t header_bytes, header_room;
    unsigned cookie_crumbs;
    uint64_t content_length; /* 0 when not told */
    bool is_head_too_large;
    bool is_host_wrong; /* :authority and Host differ, or name no host */
    bool is_wrong_expectation, wants_continue;
    bool is_refused; /* answered with a fault; the handler never sees it */
    bool is_ended;   /* the client has sent all of it */
    bool is_method_head;
    struct hg_buf body;

    size_t answered; /* bytes of the answer's body that are in the connection's output */
    uint64_t end_at; /* HG_H2_SENT: done when conn->sent reaches it; UINT64_MAX: not known yet */
    char status[4], date[32], length[24];
    /* An answer in pieces: what was written and is not in the connection's output yet. */
    struct hg_buf pieces;
    bool is_in_pieces, is_complete;
};

/* The life of a session. */
enum hg_h2_life {
    HG_H2_RUNNING,
    HG_H2_NOTICE,    /* draining: told the client to open no more streams, waiting for it to know */
    HG_H2_LAST,      /* draining: no new streams */
    HG_H2_CONDEMNED, /* GOAWAY with an error is on its way out; input is ignored */
};

enum {
    HG_H2_OUT_HIGH = 256 << 10
}; /* no more output is made while the kernel has not taken this much */

/* Freed in on_closed. */
struct hg_http2 {
    struct hg_conn *conn;
    nghttp2_session *session;
    struct hg_h2_guard guard;
    struct hg_list streams[HG_H2_STREAM_STATES];
    unsigned open; /* streams before HG_H2_SENT */
    enum hg_h2_life life;
    int32_t newest_id;     /* highest stream that the client has opened */
    int64_t idle_since_us; /* valid with no stream open */
    int64_t data_us;       /* when DATA last went out */
    int64_t life_since_us; /* when life changed */
};

/* ---- http2.c ---- */

/* A session that conn does not know yet. */
struct hg_http2 *http2_new(struct hg_conn *conn);
void http2_free(struct hg_http2 *h2);
/* Queues our SETTINGS: the first frame of the server. */
void http2_submit_settings(struct hg_http2 *h2);
/* Makes it conn's protocol; what the client has already sent is read at once. */
void http2_take_over(struct hg_http2 *h2);

/* Ends the session with GOAWAY; everything that runs is aborted once that is out. */
void http2_condemn(struct hg_http2 *h2, uint32_t error_code);
/* Same with the error code of http2_abuse.def; logged and counted. */
void http2_condemn_abuse(struct hg_http2 *h2, enum hg_abuse kind);

/* ---- http2_stream.c: requests coming in ---- */

/* A stream in HG_H2_HEAD. */
struct hg_h2_stream *stream_new(struct hg_http2 *h2, int32_t id);
/* Sets the state and moves the stream to the end of that state's list. */
void stream_move(struct hg_h2_stream *stream, enum hg_h2_stream_state state);
/* Frees it without a word to the handler. */
void stream_free(struct hg_h2_stream *stream);
/* nghttp2 has forgotten it: aborts the request, or leaves it to wait for its last bytes. */
void stream_closed(struct hg_h2_stream *stream);
/* Closed streams end with what is queued for output by now. */
void streams_mark_queued(struct hg_http2 *h2);
/* Finishes streams whose last byte the kernel has taken. */
void streams_finish_sent(struct hg_http2 *h2);
/* All that was queued is sent: handlers that answer in pieces may go on. */
void streams_tell_room(struct hg_http2 *h2);
/* The connection is gone: ends them all. */
void streams_end_all(struct hg_http2 *h2);

/* A field of the header block, pseudo-headers included; both strings stay valid as long as the stream. */
void stream_take_field(struct hg_h2_stream *stream, struct hg_str name, struct hg_str value);
/* Appends to the request's headers; both strings stay valid as long as the stream. */
void stream_add_header(struct hg_h2_stream *stream, struct hg_str name, struct hg_str value);
/* Copies text into the stream's memory; false when that is full. */
bool stream_keep(struct hg_h2_stream *stream, struct hg_str *text);
/* The header block is complete: the request goes on to its body, or is refused. */
void stream_take_head(struct hg_h2_stream *stream);
/* Room in the memory of all bodies, then a copy; false: no room. */
bool stream_keep_body(struct hg_h2_stream *stream, const char *bytes, size_t length);
/* Bytes of the body, kept or dropped; gives the client its flow control windows back. */
void stream_take_body(struct hg_h2_stream *stream, const char *bytes, size_t length);
/* The client has sent all of the request: hands it to the handler, unless it was refused. */
void stream_take_end(struct hg_h2_stream *stream);
/* Answers for the handler and drops what still comes. */
void stream_refuse(struct hg_h2_stream *stream, enum hg_fault fault, const char *detail);

/* ---- http2_answer.c: answers going out ---- */

extern const struct hg_stream_ops http2_stream_ops;
/* Submits req->response, with its body. */
void stream_answer(struct hg_h2_stream *stream);
/* nghttp2's callback that writes a DATA frame without copying its payload. */
int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                 size_t length, nghttp2_data_source *source, void *user_data);

#endif
