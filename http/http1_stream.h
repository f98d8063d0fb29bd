/*
 * State that the input and the answer side of HTTP/1 share.
 */
#ifndef HG_HTTP_HTTP1_STREAM_H
#define HG_HTTP_HTTP1_STREAM_H

#include "http/conn.h"
#include "http/h1_chunked.h"
#include "http/h1_framing.h"

enum {
    HTTP1_OUTPUT_HIGH = 262144, /* unsent bytes; beyond, no further request is taken */
    HTTP1_ANSWERED_MAX = 64,    /* answers of pipelined requests not sent yet; the same */
};

enum http1_phase {
    HTTP1_HEAD,    /* waits for a request */
    HTTP1_BODY,    /* reads its body */
    HTTP1_HANDLER, /* it is being worked on */
    HTTP1_ENDED,   /* the last answer is queued */
};

struct http1_stream;

struct http1 {
    struct hg_conn *conn;
    struct http1_stream *current; /* from the head to the answer */
    struct hg_list answered;      /* oldest first, until their last byte is sent */
    unsigned answered_count;
    enum http1_phase phase;
    size_t head_seen;
    int64_t head_since_us; /* arrival of a head's first byte; 0: none has come */
    bool is_fresh;         /* no request yet */
    bool is_in_input;      /* on_bytes is running */
};

/* One request. Lives in its own arena. */
struct http1_stream {
    struct hg_request req;
    struct http1 *h1;
    struct hg_list link;
    struct h1_framing framing;
    struct h1_chunked chunked;
    struct hg_buf body;
    size_t budget;                  /* bytes taken with conn_buffer_take */
    uint64_t answer_at, answer_end; /* on the scale of conn->queued */
    /* An answer in pieces; until its end the stream stays h1->current. */
    bool is_begun, is_chunked, has_body, is_persistent;
};

extern const struct hg_stream_ops http1_stream_ops;

void http1_on_sent(struct hg_conn *conn);
/* Frees the current request without telling its handler, who does not know it yet. */
void http1_drop_current(struct http1 *h1);
/* The connection is gone: aborts or finishes every request. */
void http1_end_requests(struct http1 *h1);

/* Sets the deadline that the phase asks for. */
void http1_settle(struct http1 *h1);
/* Whether too much output waits for another request to be taken. */
bool http1_is_blocked(const struct http1 *h1);
/* Closes when the client sends nothing more and nothing is left to answer. */
void http1_end_at_eof(struct http1 *h1);

#endif
