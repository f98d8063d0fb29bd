/*
 * One client connection: a socket, with or without TLS, and the protocol that
 * talks on it. For http1.c, http2.c, the acceptor and the server only; from
 * accept on everything runs on the connection's home loop.
 *
 * Life: conn_new (control loop) → by mail to its loop → handshake → open →
 * closing (what is queued goes out) → linger (what the client still sends is
 * thrown away, so that it can read our last answer) → dead → graveyard.
 */
#ifndef HG_HTTP_CONN_H
#define HG_HTTP_CONN_H

#include "http/fault.h"
#include "http/server.h"

#include "core/buf.h"

struct hg_conn;
struct hg_shard; /* what a loop's connections share; shard.h */
struct hg_tls_session;

/* A protocol on a connection. No callback comes after on_closed; conn_* may be called in all of them. */
struct hg_protocol_ops {
    const char *name;
    /*
     * Bytes arrived. Returns how many were used up; the rest is kept and offered again, with what follows, when
     * more arrives or after conn_offer_again. bytes are valid during the call only.
     */
    size_t (*on_bytes)(struct hg_conn *conn, const char *bytes, size_t length);
    /* The client sends nothing more. It may still read (half-close): close once nothing is left to answer. */
    void (*on_eof)(struct hg_conn *conn);
    /* End of a turn with conn_want_flush, or the socket takes bytes again: append output now. May be NULL. */
    void (*on_flush)(struct hg_conn *conn);
    /* conn->sent grew. The place to finish answers and to ask for another flush. May be NULL. */
    void (*on_sent)(struct hg_conn *conn);
    /* The moment of conn_set_deadline has come. */
    void (*on_deadline)(struct hg_conn *conn);
    /* Finish what runs, take no new requests, then conn_close_after_flush. */
    void (*on_drain)(struct hg_conn *conn);
    /* The connection is gone: abort all requests, free conn->protocol_state. */
    void (*on_closed)(struct hg_conn *conn);
};

enum hg_conn_state {
    HG_CONN_HANDSHAKE,
    HG_CONN_OPEN,
    HG_CONN_CLOSING,
    HG_CONN_LINGER,
    HG_CONN_DEAD
};

/* Queued output, first to last; conn.c. */
struct hg_out {
    struct hg_out_chunk *first, *last;
};

struct hg_conn {
    /* To read. */
    struct hg_loop *loop;
    struct hg_server *server;
    const struct hg_server_limits *limits;
    struct hg_http_handler handler;
    struct hg_peer peer;
    uint64_t queued, sent; /* bytes ever queued for output, and ever taken by the kernel */
    bool is_draining;      /* on_drain has come */
    bool is_eof;           /* on_eof has come */

    /* For the protocol. */
    void *protocol_state;

    /* For conn.c. */
    const struct hg_protocol_ops *protocol;
    const struct hg_transport_ops *transport;
    struct hg_shard *shard;
    struct hg_tls_session *tls;
    struct hg_buf kept; /* input that the protocol did not use yet */
    struct hg_out out;
    int64_t deadline_us, write_deadline_us; /* INT64_MAX: none */
    int64_t wheel_tick;
    struct hg_list wheel_link, shard_link;
    struct hg_task task;
    struct hg_mail mail;
    struct hg_grave grave;
    struct event read_event, write_event;
    int fd;
    enum hg_conn_state state;
    bool is_reading, wants_offer, wants_read, is_flushing, is_refused;
    bool is_short; /* the socket took less than there was: wait until it is writable */
    uint32_t lingered_bytes;
    struct hg_tls *tls_config; /* of the listener; NULL for cleartext */
};

/* Changes who gets the bytes from now on; bytes that the old one left unused go to the new one at once. */
void conn_set_protocol(struct hg_conn *conn, const struct hg_protocol_ops *protocol, void *state);

/* ---- output: nothing is sent before the end of the turn; all of it does nothing on a connection that is closing ---- */

/* Appends a copy. */
void conn_write(struct hg_conn *conn, const void *bytes, size_t length);
/* Room for at least length bytes at the end of the output, to be filled and committed at once. Never NULL. */
char *conn_reserve(struct hg_conn *conn, size_t length);
void conn_commit(struct hg_conn *conn, size_t length);
/*
 * Appends without copying (short ones are copied). bytes must stay until conn->sent has passed them or on_closed
 * has run; or holder is given and a reference to it is kept that long.
 */
void conn_write_slice(struct hg_conn *conn, struct hg_str bytes, struct hg_blob *holder);
/* Bytes queued that the kernel did not take yet. */
static inline size_t conn_pending(const struct hg_conn *conn)
{
    return (size_t)(conn->queued - conn->sent);
}
/* Runs on_flush, then writes, at the end of this turn. Writing asks for it by itself. */
void conn_want_flush(struct hg_conn *conn);

/* ---- input ---- */

/* Back-pressure: false stops reading from the socket. Unused bytes are kept; see conn_offer_again. */
void conn_set_reading(struct hg_conn *conn, bool is_reading);
/* Offers the kept bytes to on_bytes at the end of this turn. */
void conn_offer_again(struct hg_conn *conn);
size_t conn_kept(const struct hg_conn *conn);

/* ---- time ---- */

/* on_deadline in delay_ms (coarse: up to a quarter of a second late); < 0: never. Cheap: call it as often as you like. */
void conn_set_deadline(struct hg_conn *conn, int64_t delay_ms);
/* Monotonic time of the last arrival on this loop. */
int64_t conn_now_us(const struct hg_conn *conn);
/* Value of the Date header, made anew each second. */
struct hg_str conn_date(struct hg_conn *conn);

/* ---- the end ---- */

/* Cuts the connection: on_closed runs at the end of this turn. */
void conn_close(struct hg_conn *conn);
/* Sends what is queued, then closes, lingering. on_bytes comes no more; on_sent, on_closed do. */
void conn_close_after_flush(struct hg_conn *conn);
/* Whether the protocol may still queue output. */
static inline bool conn_is_open(const struct hg_conn *conn)
{
    return conn->state == HG_CONN_OPEN;
}

/* ---- accounts ---- */

/* Takes bytes out of the memory for bodies of all connections (max_buffered_bytes); false: answer HG_FAULT_BUSY. Any loop. */
bool conn_buffer_take(struct hg_conn *conn, size_t bytes) hg_must_use;
void conn_buffer_give(struct hg_conn *conn, size_t bytes);

/* How large a body the request may have; its head is known. */
static inline size_t conn_body_max(const struct hg_conn *conn, const struct hg_request *req)
{
    return conn->handler.body_max ? conn->handler.body_max(req, conn->handler.arg)
                                  : conn->limits->max_body_bytes;
}

/*
 * Logs a fault of the client (rate-limited) and counts it, also by its status class; answering is the caller's part.
 * detail is a short fixed text.
 */
void conn_note_fault(struct hg_conn *conn, enum hg_fault fault, const char *detail);

/* What the answer to a fault says; req is NULL before its head was read. Static, or as long as the server lives. */
struct hg_str conn_fault_body(const struct hg_conn *conn, enum hg_fault fault,
                              const struct hg_request *req);

/* Ends an answered request: counts it by status and duration, on_done, drops response.holder. Its arena may be freed afterwards. */
void conn_finish_request(struct hg_request *req, uint64_t bytes_sent);
/* Ends an unanswered request: counts it, on_abort, drops response.holder. Its arena may be freed afterwards. */
void conn_abort_request(struct hg_request *req);

#endif
