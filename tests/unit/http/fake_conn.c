/*
 * The conn_* functions over plain memory. Slices are read only when they are
 * "sent", so that AddressSanitizer sees a protocol that frees them too early.
 */
#include "fake_conn.h"

#include <stdlib.h>

enum { WIRE_MAX = 256 << 20 };

struct fake_piece {
    struct fake_piece *next;
    const char *at;
    char *own; /* NULL for a slice */
    size_t length;
};

static struct fake_conn *fake_of(struct hg_conn *conn)
{
    return hg_container_of(conn, struct fake_conn, conn);
}

void fake_conn_init(struct fake_conn *fake)
{
    *fake = (struct fake_conn){
        .limits = {.max_connections = 10,
                   .max_header_bytes = 20000,
                   .max_body_bytes = 1 << 20,
                   .max_buffered_bytes = 4 << 20,
                   .max_streams = 100,
                   .header_timeout_ms = 10000,
                   .body_timeout_ms = 20000,
                   .idle_timeout_ms = 60000,
                   .write_timeout_ms = 30000},
        .now_us = 1000000,
        .deadline_us = INT64_MAX,
        .is_reading = true,
        .room = SIZE_MAX,
    };
    fake->conn.limits = &fake->limits;
    fake->conn.state = HG_CONN_OPEN;
    hg_buf_init(&fake->wire, WIRE_MAX);
}

static void drop_first(struct fake_conn *fake)
{
    struct fake_piece *piece = fake->first;

    fake->first = piece->next;
    if (!fake->first)
        fake->last = NULL;
    free(piece->own);
    free(piece);
}

static void end(struct fake_conn *fake)
{
    if (fake->conn.protocol)
        fake->conn.protocol->on_closed(&fake->conn);
    fake->conn.protocol = NULL;
    fake->conn.state = HG_CONN_DEAD;
    while (fake->first)
        drop_first(fake);
}

void fake_conn_fini(struct fake_conn *fake)
{
    if (!fake_conn_is_closed(fake) || fake->conn.protocol)
        end(fake);
    hg_buf_fini(&fake->wire);
}

static bool write_out(struct fake_conn *fake)
{
    uint64_t before = fake->conn.sent;

    while (fake->first && fake->room) {
        struct fake_piece *piece = fake->first;
        size_t part = HG_MIN(piece->length, fake->room);

        hg_assert(hg_buf_append(&fake->wire, piece->at, part));
        piece->at += part;
        piece->length -= part;
        fake->room -= fake->room == SIZE_MAX ? 0 : part;
        fake->conn.sent += part;
        if (!piece->length)
            drop_first(fake);
    }
    return fake->conn.sent != before;
}

void fake_conn_turn(struct fake_conn *fake)
{
    const struct hg_protocol_ops *protocol = fake->conn.protocol;

    while (protocol && fake->conn.state != HG_CONN_DEAD &&
           (fake->wants_flush || (fake->first && fake->room))) {
        fake->wants_flush = false;
        if (fake->conn.state == HG_CONN_OPEN && (!fake->first || fake->room))
            protocol->on_flush(&fake->conn);
        if (fake->conn.state != HG_CONN_DEAD && write_out(fake))
            protocol->on_sent(&fake->conn);
        if (fake->conn.state == HG_CONN_CLOSING && !fake->first)
            fake->conn.state = HG_CONN_DEAD;
    }
    if (fake->conn.state == HG_CONN_DEAD && fake->conn.protocol)
        end(fake);
}

void fake_conn_receive(struct fake_conn *fake, const void *bytes, size_t length)
{
    /* A copy of its own, so that reading beyond it is seen. */
    char *copy = malloc(length ? length : 1);

    hg_assert(copy != NULL);
    memcpy(copy, bytes, length);
    if (fake->conn.state == HG_CONN_OPEN)
        hg_assert(fake->conn.protocol->on_bytes(&fake->conn, copy, length) == length);
    free(copy);
    fake_conn_turn(fake);
}

void fake_conn_pass_ms(struct fake_conn *fake, int64_t ms)
{
    fake->now_us += ms * 1000;
    if (fake->conn.state == HG_CONN_OPEN && fake->deadline_us <= fake->now_us) {
        fake->deadline_us = INT64_MAX;
        fake->conn.protocol->on_deadline(&fake->conn);
    }
    fake_conn_turn(fake);
}

static void append(struct fake_conn *fake, const char *at, char *own, size_t length)
{
    struct fake_piece *piece = hg_malloc(sizeof(*piece));

    *piece = (struct fake_piece){NULL, at, own, length};
    if (fake->last)
        fake->last->next = piece;
    else
        fake->first = piece;
    fake->last = piece;
    fake->conn.queued += length;
}

void conn_set_protocol(struct hg_conn *conn, const struct hg_protocol_ops *protocol, void *state)
{
    conn->protocol = protocol;
    conn->protocol_state = state;
}

void conn_write(struct hg_conn *conn, const void *bytes, size_t length)
{
    char *own;

    if (length == 0 || !conn_is_open(conn))
        return;
    own = hg_malloc(length);
    memcpy(own, bytes, length);
    append(fake_of(conn), own, own, length);
    conn_want_flush(conn);
}

void conn_write_slice(struct hg_conn *conn, struct hg_str bytes, struct hg_blob *holder)
{
    hg_assert(holder == NULL);
    if (bytes.n == 0 || !conn_is_open(conn))
        return;
    append(fake_of(conn), bytes.p, NULL, bytes.n);
    conn_want_flush(conn);
}

void conn_want_flush(struct hg_conn *conn)
{
    fake_of(conn)->wants_flush = true;
}

void conn_set_reading(struct hg_conn *conn, bool is_reading)
{
    fake_of(conn)->is_reading = is_reading;
}

void conn_set_deadline(struct hg_conn *conn, int64_t delay_ms)
{
    struct fake_conn *fake = fake_of(conn);

    fake->deadline_us = delay_ms < 0 ? INT64_MAX : fake->now_us + delay_ms * 1000;
}

int64_t conn_now_us(const struct hg_conn *conn)
{
    return fake_of((struct hg_conn *)(uintptr_t)conn)->now_us;
}

struct hg_str conn_date(struct hg_conn *conn)
{
    (void)conn;
    return HG_STR("Fri, 02 Jan 2026 03:04:05 GMT");
}

void conn_close(struct hg_conn *conn)
{
    conn->state = HG_CONN_DEAD;
    fake_of(conn)->wants_flush = true;
}

void conn_close_after_flush(struct hg_conn *conn)
{
    if (conn_is_open(conn))
        conn->state = HG_CONN_CLOSING;
    fake_of(conn)->wants_flush = true;
}

bool conn_buffer_take(struct hg_conn *conn, size_t bytes)
{
    struct fake_conn *fake = fake_of(conn);

    if (fake->buffered + bytes > fake->limits.max_buffered_bytes)
        return false;
    fake->buffered += bytes;
    return true;
}

void conn_buffer_give(struct hg_conn *conn, size_t bytes)
{
    hg_assert(fake_of(conn)->buffered >= bytes);
    fake_of(conn)->buffered -= bytes;
}

void conn_note_fault(struct hg_conn *conn, enum hg_fault fault, const char *detail)
{
    fake_of(conn)->faults[fault]++;
    fake_of(conn)->last_detail = detail;
}

struct hg_str conn_fault_body(const struct hg_conn *conn, enum hg_fault fault,
                              const struct hg_request *req)
{
    (void)conn;
    (void)req;
    return fault == HG_FAULT_BODY_LARGE ? HG_STR("too large") : fault_body(fault);
}

static struct fake_conn *fake_of_request(struct hg_request *req)
{
    const struct hg_conn *conn = hg_container_of(req->peer, struct hg_conn, peer);

    return fake_of((struct hg_conn *)(uintptr_t)conn);
}

void conn_finish_request(struct hg_request *req, uint64_t bytes_sent)
{
    fake_of_request(req)->finished++;
    fake_of_request(req)->last_bytes_sent = bytes_sent;
    if (req->on_done)
        req->on_done(req, bytes_sent);
}

void conn_abort_request(struct hg_request *req)
{
    fake_of_request(req)->aborted++;
    if (req->on_abort)
        req->on_abort(req);
}
