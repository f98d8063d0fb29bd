/*
 * One HTTP request and its answer, free of the HTTP version that carried it.
 * Lives on one loop; owned by its connection's stream.
 */
#ifndef HG_HTTP_REQUEST_H
#define HG_HTTP_REQUEST_H

#include "core/arena.h"
#include "core/blob.h"
#include "core/loop.h"

enum {
    HG_REQUEST_HEADERS_MAX = 10240 * 2, /* bytes of names and values kept; beyond: 431 */
    HG_REQUEST_BODY_MAX = 10485760,     /* API Gateway's payload limit; beyond: 413 */
    HG_REQUEST_ARENA_MAX = 1 << 20,
};

struct hg_header {
    struct hg_str name;  /* as received; lower case on HTTP/2 */
    struct hg_str value; /* without surrounding blanks */
};

/* Who is at the other end, and through what. Owned by the connection. */
struct hg_peer {
    char remote_ip[46];
    uint16_t remote_port, local_port;
    bool is_tls;
    const char *tls_version; /* "TLSv1.3"; NULL without TLS */
    const char *tls_cipher;
};

enum hg_http_version { HG_HTTP_1_0, HG_HTTP_1_1, HG_HTTP_2 };

/*
 * The answer. Header names and values must live until the request is done:
 * take them from req->arena or make them static. Content-Length, Date, and
 * connection headers are added by the server: do not set them.
 */
struct hg_response {
    int status;                /* 200 to 599; anything else is answered 502 */
    struct hg_header *headers; /* grows in req->arena */
    size_t header_count, header_room;
    struct hg_str body; /* must live until the request is done … */
    struct hg_blob
        *holder; /* … or is kept alive by this reference, dropped at the end; may be NULL */
};

struct hg_request {
    struct hg_loop *loop;
    struct hg_arena *arena;
    const struct hg_peer *peer;
    enum hg_http_version version;

    struct hg_str method;
    struct hg_str target;    /* as sent, origin form */
    struct hg_str path;      /* target before '?' */
    struct hg_str query;     /* after '?'; p is NULL when there is none */
    struct hg_str authority; /* Host or :authority */
    struct hg_header
        *headers; /* in order of arrival; no pseudo-headers; Host is present for both versions */
    size_t header_count;
    struct hg_str body; /* complete when the handler runs */

    int64_t start_us; /* monotonic, when the head was complete */
    struct hg_response response;

    /* For the handler. */
    void *user;
    /*
     * Set by the handler: the client has left; do not answer; req dies after this returns. May be NULL. A client of
     * HTTP/1 that only ends its own side (half-close, which a plain close looks like) has not left: it is answered.
     */
    void (*on_abort)(struct hg_request *req);
    /* Set by the handler: the answer's last byte was handed to the kernel or the client left midway. May be NULL. */
    void (*on_done)(struct hg_request *req, uint64_t bytes_sent);

    /* Set by a handler that answers in pieces: the client has taken all that was written. May be NULL. */
    void (*on_room)(struct hg_request *req);

    /* For the connection. */
    const struct hg_stream_ops *stream_ops;
};

/* What a protocol version must do for a request. */
struct hg_stream_ops {
    void (*respond)(struct hg_request *req);
    void (*begin)(struct hg_request *req);
    void (*write)(struct hg_request *req, struct hg_str bytes);
    void (*end)(struct hg_request *req);
    size_t (*pending)(const struct hg_request *req);
    /* Moves a body that is memory of its own into out; a body that is not is left. */
    void (*take_body)(struct hg_request *req, struct hg_buf *out);
};

/* First header of that name (case-insensitive); p is NULL when absent. */
struct hg_str req_header(const struct hg_request *req, const char *name);

/*
 * Hands the body over: out (not initialised before) owns it from now on, whatever becomes of the request, and the server no longer
 * counts it among the bodies that it holds in memory. req->body is empty afterwards.
 */
void req_take_body(struct hg_request *req, struct hg_buf *out);

/* Adds a header to the answer. Borrows both strings until the request is done. */
void req_add_header(struct hg_request *req, struct hg_str name, struct hg_str value);

/*
 * Sends req->response. Exactly once per request, at once or any time later, on
 * the request's loop. Nothing of the request may be used after on_done.
 */
void req_respond(struct hg_request *req);

/* The short forms: status, content type and body at once; body is borrowed. */
void req_respond_with(struct hg_request *req, int status, const char *content_type,
                      struct hg_str body);

/*
 * An answer in pieces, of a length that is not known yet, instead of req_respond: begin sends status and headers of req->response,
 * write a copy of some bytes of the body, end completes it. On the request's loop, until on_abort; nothing of the request may be
 * used after end. Bytes that the client does not take stay in memory: whoever writes much looks at req_pending, and goes on in
 * on_room.
 */
void req_begin(struct hg_request *req);
void req_write(struct hg_request *req, struct hg_str bytes);
void req_end(struct hg_request *req);
/* Bytes written that the client has not taken, as far as is known. */
size_t req_pending(const struct hg_request *req);

/* Reason phrase of a status code (RFC 9110 §15); "" when unknown. */
const char *http_reason(int status);

#endif
