/*
 * A connection from its arrival on the loop to its grave. Reads at most once a
 * turn and writes at most once, from the task at the turn's end.
 */
#include "http/conn_life.h"
#include "http/http1.h"
#include "http/http2.h"
#include "http/server_core.h"
#include "http/tls_session.h"
#include "http/transport.h"

#include "core/metrics.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LINGER_MS = 5000,      /* how long a client may take to stop sending and read our last answer */
    LINGER_DRAIN_MS = 250, /* the same while the server drains */
    LINGER_BYTES_MAX = 64 << 20, /* what it may still send meanwhile */
    KEPT_SLACK =
        4 *
        SHARD_READ_BYTES, /* kept input beyond a whole head: protocols stop reading long before */
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_task(struct hg_task *task);
static void on_arrival(struct hg_mail *mail);
static void open_up(struct hg_conn *conn);
static void read_some(struct hg_conn *conn);

static void set_peer(struct hg_peer *peer, const struct sockaddr_storage *address,
                     uint16_t local_port)
{
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;

    peer->local_port = local_port;
    if (address->ss_family == AF_INET) {
        (void)inet_ntop(AF_INET, &four->sin_addr, peer->remote_ip, sizeof(peer->remote_ip));
        peer->remote_port = ntohs(four->sin_port);
    } else if (address->ss_family == AF_INET6) {
        if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
            (void)inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], peer->remote_ip,
                            sizeof(peer->remote_ip));
        else
            (void)inet_ntop(AF_INET6, &six->sin6_addr, peer->remote_ip, sizeof(peer->remote_ip));
        peer->remote_port = ntohs(six->sin6_port);
    }
}

void conn_start(struct hg_shard *shard, const struct conn_arrival *arrival)
{
    struct hg_conn *conn = hg_calloc(1, sizeof(*conn));
    struct hg_server *server = shard->server;

    conn->loop = shard->loop;
    conn->server = server;
    conn->shard = shard;
    conn->limits = &server->limits;
    conn->handler = arrival->handler;
    conn->fd = arrival->fd;
    conn->tls_config = arrival->tls;
    conn->transport = arrival->tls ? &transport_tls : &transport_socket;
    conn->is_refused = arrival->is_refused;
    conn->is_reading = true;
    conn->state = HG_CONN_HANDSHAKE;
    conn->deadline_us = conn->write_deadline_us = INT64_MAX;
    hg_list_init(&conn->wheel_link);
    hg_list_init(&conn->shard_link);
    hg_task_init(&conn->task, on_task);
    hg_buf_init(&conn->kept, server->limits.max_header_bytes + KEPT_SLACK);
    set_peer(&conn->peer, arrival->address, arrival->local_port);
    atomic_fetch_add(&server->connections, 1);
    atomic_fetch_add_explicit(&conn->loop->connections, 1, memory_order_relaxed);
    hg_mailbox_post(&conn->loop->mailbox, &conn->mail, on_arrival);
}

/* ---- events ---- */

static void watch_read(struct hg_conn *conn, bool wanted)
{
    bool has = event_pending(&conn->read_event, EV_READ, NULL) != 0;

    if (wanted && !has)
        (void)event_add(&conn->read_event, NULL);
    else if (!wanted && has)
        (void)event_del(&conn->read_event);
}

static void watch_write(struct hg_conn *conn, bool wanted)
{
    bool has = event_pending(&conn->write_event, EV_WRITE, NULL) != 0;

    if (wanted && !has)
        (void)event_add(&conn->write_event, NULL);
    else if (!wanted && has && !conn->is_eof)
        (void)event_del(&conn->write_event);
}

/*
 * After the client's end of input the socket stays readable for ever, so only
 * changes are looked at from now on: room for output, or a reset.
 */
static void watch_edges(struct hg_conn *conn)
{
    watch_read(conn, false);
    (void)event_del(&conn->write_event);
    (void)event_assign(&conn->write_event, conn->loop->base, conn->fd,
                       EV_WRITE | EV_PERSIST | EV_ET, on_writable, conn);
    (void)event_add(&conn->write_event, NULL);
}

static void start_deadline(struct hg_conn *conn, int64_t delay_ms)
{
    conn->deadline_us = delay_ms < 0 ? INT64_MAX : conn->shard->now_us + delay_ms * 1000;
    shard_note_deadline(conn->shard, conn);
}

static void shake_hands(struct hg_conn *conn)
{
    enum hg_io io = conn->transport->handshake(conn);

    switch (io) {
    case HG_IO_OK:
        watch_write(conn, false);
        open_up(conn);
        return;
    case HG_IO_WANT_READ:
    case HG_IO_WANT_WRITE:
        watch_write(conn, io == HG_IO_WANT_WRITE);
        return;
    case HG_IO_EOF:
    case HG_IO_FAILED:
        hg_count(HG_M_TLS_FAILURES, 1);
        shard_log_fault(conn->shard, &conn->peer, HG_FAULT_TLS,
                        io == HG_IO_EOF ? "the client left" : tls_fault(conn->tls));
        conn_close(conn);
        return;
    }
}

static void refuse(struct hg_conn *conn)
{
    hg_count(HG_M_CONNECTIONS_REFUSED, 1);
    conn_note_fault(conn, HG_FAULT_CROWDED, "max_connections");
    if (conn->tls_config) {
        conn_close(conn);
        return;
    }
    conn->state = HG_CONN_OPEN;
    http1_start(conn);
    http1_write_fault(conn, HG_FAULT_CROWDED, fault_body(HG_FAULT_CROWDED));
    conn_close_after_flush(conn);
}

static void on_arrival(struct hg_mail *mail)
{
    struct hg_conn *conn = hg_container_of(mail, struct hg_conn, mail);

    shard_look_at_clock(conn->shard);
    shard_add(conn->shard, conn);
    (void)event_assign(&conn->read_event, conn->loop->base, conn->fd, EV_READ | EV_PERSIST,
                       on_readable, conn);
    (void)event_assign(&conn->write_event, conn->loop->base, conn->fd, EV_WRITE | EV_PERSIST,
                       on_writable, conn);
    if (conn->is_refused) {
        refuse(conn);
        return;
    }
    watch_read(conn, true);
    start_deadline(conn, conn->limits->header_timeout_ms);
    shake_hands(conn);
}

static void open_up(struct hg_conn *conn)
{
    conn->state = HG_CONN_OPEN;
    if (conn->tls && tls_is_h2(conn->tls))
        http2_start(conn);
    else
        http1_start(conn);
    if (conn->shard->is_draining) {
        conn_drain(conn);
        return;
    }
    /* What the client sent with the handshake, or before its connection got here. */
    conn->wants_read = true;
    hg_loop_defer(conn->loop, &conn->task);
}

/* ---- input ---- */

static size_t feed(struct hg_conn *conn, const char *bytes, size_t length)
{
    const struct hg_protocol_ops *protocol;
    size_t used = 0;

    do {
        protocol = conn->protocol;
        used += protocol->on_bytes(conn, bytes + used, length - used);
    } while (conn->protocol != protocol && used < length && conn_is_open(conn));
    return used;
}

static void offer(struct hg_conn *conn, const char *bytes, size_t length)
{
    bool has_room = true;

    if (conn->kept.len) {
        has_room = hg_buf_append(&conn->kept, bytes, length);
        if (has_room)
            hg_buf_consume(&conn->kept,
                           feed(conn, conn->kept.base + conn->kept.off, conn->kept.len));
        /* An idle connection holds no buffer. */
        if (!conn->kept.len)
            hg_buf_fini(&conn->kept);
    } else {
        size_t used = feed(conn, bytes, length);

        if (used < length && conn_is_open(conn))
            has_room = hg_buf_append(&conn->kept, bytes + used, length - used);
    }
    if (!has_room)
        conn_close(conn);
}

static void take_eof(struct hg_conn *conn)
{
    conn->is_eof = true;
    watch_edges(conn);
    conn->protocol->on_eof(conn);
}

static void read_some(struct hg_conn *conn)
{
    size_t got;
    enum hg_io io = conn->transport->read(conn, conn->shard->bytes, SHARD_READ_BYTES, &got);

    if (got) {
        hg_count(HG_M_BYTES_IN, got);
        offer(conn, conn->shard->bytes, got);
    }
    if (!conn_is_open(conn))
        return;
    switch (io) {
    case HG_IO_OK:
        /* In the next turn: others come first. */
        if (conn->is_reading)
            event_active(&conn->read_event, EV_READ, 0);
        return;
    case HG_IO_WANT_READ:
        return;
    case HG_IO_WANT_WRITE:
        watch_write(conn, true);
        return;
    case HG_IO_EOF:
        take_eof(conn);
        return;
    case HG_IO_FAILED:
        conn_close(conn);
        return;
    }
}

/* Throws away what still comes, below TLS too: nobody will read it. */
static void linger_on(struct hg_conn *conn)
{
    size_t got;
    enum hg_io io = transport_socket.read(conn, conn->shard->bytes, SHARD_READ_BYTES, &got);

    conn->lingered_bytes += (uint32_t)got;
    if (io != HG_IO_WANT_READ || conn->lingered_bytes > LINGER_BYTES_MAX)
        conn_close(conn);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct hg_conn *conn = arg;

    (void)fd;
    (void)what;
    shard_look_at_clock(conn->shard);
    switch (conn->state) {
    case HG_CONN_HANDSHAKE:
        shake_hands(conn);
        return;
    case HG_CONN_OPEN:
        read_some(conn);
        /* TLS may have waited for these bytes before it could go on writing. */
        if (conn->tls && conn->is_short)
            conn_want_flush(conn);
        return;
    case HG_CONN_LINGER:
        linger_on(conn);
        return;
    case HG_CONN_CLOSING:
    case HG_CONN_DEAD:
        return;
    }
}

/* Whether the connection is still there, after the client's last byte. Reading would say "end" in both cases. */
static void probe(struct hg_conn *conn)
{
    int error = 0;
    socklen_t length = sizeof(error);

    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error)
        conn_close(conn);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct hg_conn *conn = arg;

    (void)fd;
    (void)what;
    shard_look_at_clock(conn->shard);
    if (conn->state == HG_CONN_HANDSHAKE) {
        shake_hands(conn);
        return;
    }
    if (conn->state == HG_CONN_OPEN && conn->is_eof)
        probe(conn);
    conn->is_short = false;
    if (conn->tls && conn->is_reading && !conn->is_eof)
        conn->wants_read = true;
    conn_want_flush(conn);
}

void conn_set_reading(struct hg_conn *conn, bool is_reading)
{
    if (conn->is_reading == is_reading || conn->is_eof || !conn_is_open(conn))
        return;
    conn->is_reading = is_reading;
    watch_read(conn, is_reading);
    if (is_reading && conn->tls) {
        conn->wants_read = true;
        hg_loop_defer(conn->loop, &conn->task);
    }
}

void conn_offer_again(struct hg_conn *conn)
{
    if (!conn_is_open(conn))
        return;
    conn->wants_offer = true;
    hg_loop_defer(conn->loop, &conn->task);
}

size_t conn_kept(const struct hg_conn *conn)
{
    return conn->kept.len;
}

/* ---- output ---- */

void conn_want_flush(struct hg_conn *conn)
{
    if ((conn->state == HG_CONN_OPEN || conn->state == HG_CONN_CLOSING) && !conn->is_flushing)
        hg_loop_defer(conn->loop, &conn->task);
}

static void start_linger(struct hg_conn *conn)
{
    conn->state = HG_CONN_LINGER;
    conn->transport->finish(conn);
    hg_buf_fini(&conn->kept);
    if (conn->is_eof) {
        conn_close(conn);
        return;
    }
    watch_write(conn, false);
    watch_read(conn, true);
    start_deadline(conn, conn->shard->is_draining ? LINGER_DRAIN_MS : LINGER_MS);
}

static void note_progress(struct hg_conn *conn, bool has_progress)
{
    if (!conn->is_short) {
        conn->write_deadline_us = INT64_MAX;
    } else if (has_progress || conn->write_deadline_us == INT64_MAX) {
        conn->write_deadline_us = conn->shard->now_us + conn->limits->write_timeout_ms * 1000;
        shard_note_deadline(conn->shard, conn);
    }
    watch_write(conn, conn->is_short);
}

static void flush(struct hg_conn *conn)
{
    uint64_t before = conn->sent;
    bool is_well;

    if (conn->is_short && !conn->tls)
        return;
    conn->is_flushing = true;
    if (conn_is_open(conn) && conn->protocol->on_flush)
        conn->protocol->on_flush(conn);
    is_well = conn->state == HG_CONN_DEAD || conn_out_write(conn);
    conn->is_flushing = false;
    if (!is_well) {
        conn_close(conn);
        return;
    }
    if (conn->state == HG_CONN_DEAD)
        return;
    note_progress(conn, conn->sent != before);
    if (conn->sent != before && conn->protocol->on_sent)
        conn->protocol->on_sent(conn);
    if (conn->state == HG_CONN_CLOSING && !conn_pending(conn))
        start_linger(conn);
}

/* ---- the end ---- */

void conn_close(struct hg_conn *conn)
{
    if (conn->state == HG_CONN_DEAD)
        return;
    conn->state = HG_CONN_DEAD;
    (void)event_del(&conn->read_event);
    (void)event_del(&conn->write_event);
    hg_loop_defer(conn->loop, &conn->task);
}

void conn_close_after_flush(struct hg_conn *conn)
{
    if (!conn_is_open(conn))
        return;
    conn->state = HG_CONN_CLOSING;
    conn->deadline_us = INT64_MAX;
    watch_read(conn, false);
    hg_loop_defer(conn->loop, &conn->task);
}

static void free_conn(struct hg_grave *grave)
{
    struct hg_conn *conn = hg_container_of(grave, struct hg_conn, grave);

    atomic_fetch_sub_explicit(&conn->loop->connections, 1, memory_order_relaxed);
    server_connection_gone(conn->server);
    hg_task_cancel(&conn->task);
    free(conn);
}

static void bury(struct hg_conn *conn)
{
    if (conn->protocol)
        conn->protocol->on_closed(conn);
    shard_remove(conn->shard, conn);
    conn->transport->fini(conn);
    (void)close(conn->fd);
    conn_out_fini(conn);
    hg_buf_fini(&conn->kept);
    hg_count(HG_M_CONNECTIONS_CLOSED, 1);
    hg_loop_bury(conn->loop, &conn->grave, free_conn);
}

static void on_task(struct hg_task *task)
{
    struct hg_conn *conn = hg_container_of(task, struct hg_conn, task);

    if (conn->state == HG_CONN_DEAD) {
        bury(conn);
        return;
    }
    shard_look_at_clock(conn->shard);
    if (conn->wants_read && conn_is_open(conn)) {
        conn->wants_read = false;
        read_some(conn);
    }
    if (conn->wants_offer && conn_is_open(conn)) {
        conn->wants_offer = false;
        offer(conn, "", 0);
    }
    if (conn->state == HG_CONN_OPEN || conn->state == HG_CONN_CLOSING)
        flush(conn);
}

void conn_deadline_passed(struct hg_conn *conn)
{
    if (conn->write_deadline_us <= conn->shard->now_us) {
        conn_note_fault(conn, HG_FAULT_SLOW_READER, "write_timeout");
        conn_close(conn);
        conn->deadline_us = conn->write_deadline_us = INT64_MAX;
        return;
    }
    conn->deadline_us = INT64_MAX;
    switch (conn->state) {
    case HG_CONN_HANDSHAKE:
        hg_count(HG_M_TLS_FAILURES, 1);
        shard_log_fault(conn->shard, &conn->peer, HG_FAULT_TLS, "time-out");
        conn_close(conn);
        return;
    case HG_CONN_OPEN:
        conn->protocol->on_deadline(conn);
        return;
    case HG_CONN_LINGER:
        conn_close(conn);
        return;
    case HG_CONN_CLOSING:
    case HG_CONN_DEAD:
        return;
    }
}

void conn_drain(struct hg_conn *conn)
{
    if (conn->is_draining)
        return;
    conn->is_draining = true;
    switch (conn->state) {
    case HG_CONN_HANDSHAKE:
        conn_close(conn);
        return;
    case HG_CONN_OPEN:
        conn->protocol->on_drain(conn);
        return;
    case HG_CONN_LINGER:
        start_deadline(conn, LINGER_DRAIN_MS);
        return;
    case HG_CONN_CLOSING:
    case HG_CONN_DEAD:
        return;
    }
}

/* ---- small things for protocols ---- */

void conn_set_protocol(struct hg_conn *conn, const struct hg_protocol_ops *protocol, void *state)
{
    conn->protocol = protocol;
    conn->protocol_state = state;
}

void conn_set_deadline(struct hg_conn *conn, int64_t delay_ms)
{
    if (conn_is_open(conn))
        start_deadline(conn, delay_ms);
}

int64_t conn_now_us(const struct hg_conn *conn)
{
    return conn->shard->now_us;
}

struct hg_str conn_date(struct hg_conn *conn)
{
    return shard_date(conn->shard);
}
