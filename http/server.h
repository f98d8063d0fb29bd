/*
 * Listeners and connections of both HTTP versions. One acceptor (control loop)
 * hands each connection to the least-loaded loop, where it stays.
 */
#ifndef HG_HTTP_SERVER_H
#define HG_HTTP_SERVER_H

#include "core/error.h"
#include "http/request.h"

/* Runs on the request's loop when the request is complete, body included. Leads to exactly one req_respond, unless on_abort came. */
struct hg_http_handler {
    void (*on_request)(struct hg_request *req, void *arg);
    void *arg;
    /*
     * The text of the 413 that a request with too large a body gets: static, JSON or plain; p NULL for the server's own.
     * Only the head of req may be looked at. May be NULL.
     */
    struct hg_str (*on_large_body)(const struct hg_request *req, void *arg);
    /* How large a body this request may have, instead of max_body_bytes; by the head of req alone. May be NULL. */
    size_t (*body_max)(const struct hg_request *req, void *arg);
};

struct hg_server_limits {
    unsigned max_connections; /* over all listeners; beyond: 503 with Retry-After and close */
    size_t max_header_bytes;  /* request line and headers; beyond: 431 (line alone: 414) */
    size_t max_body_bytes;    /* beyond: 413 */
    size_t
        max_buffered_bytes; /* bodies in memory over all connections; beyond: 503 with Retry-After */
    unsigned max_streams;   /* concurrent HTTP/2 streams per connection */
    int64_t header_timeout_ms; /* from the first byte to the end of the head: 408 and close */
    int64_t body_timeout_ms;   /* between two reads of a body: 408 and close */
    int64_t idle_timeout_ms;   /* a kept-alive connection without a request: close */
    int64_t write_timeout_ms;  /* a client that reads nothing: close */
};
extern const struct hg_server_limits hg_server_limits_default;

struct hg_server;
struct hg_tls; /* http/tls.h */

struct hg_server *server_new(struct hg_loops *loops, const struct hg_server_limits *limits);

/*
 * Binds before it returns. address is "HOST:PORT" ("[::1]:0" for IPv6; port 0
 * takes a free one). tls is NULL for cleartext and is borrowed; *bound gets
 * "HOST:PORT" with the real port. Errors name the address and the remedy.
 * HG_E_IO when the machine refuses, HG_E_INVALID when the address is wrong.
 */
enum hg_rc server_listen(struct hg_server *server, const char *address, struct hg_tls *tls,
                         struct hg_http_handler handler, char bound[64],
                         struct hg_error *err) hg_must_use;

/* Stops accepting; finishes what runs (GOAWAY, Connection: close); runs done on the control loop when no connection is left or
 * after timeout_ms, when the rest is cut. Control loop only. */
void server_drain(struct hg_server *server, int64_t timeout_ms, void (*done)(void *arg), void *arg);

/* Loops must be stopped. */
void server_free(struct hg_server *server);

/* Connections open now; any thread. */
unsigned server_connections(const struct hg_server *server);

#endif
