/*
 * The two transports. TLS gathers small pieces first: each write is a record
 * of its own, and a record costs a system call.
 */
#include "http/transport.h"

#include "http/tls_session.h"

#include <errno.h>
#include <sys/socket.h>

enum { RECORD_BYTES = 16384 }; /* a full TLS record */

static enum hg_io handshake_socket(struct hg_conn *conn)
{
    (void)conn;
    return HG_IO_OK;
}

static enum hg_io read_socket(struct hg_conn *conn, char *bytes, size_t room, size_t *got)
{
    ssize_t n = recv(conn->fd, bytes, room, 0);

    *got = n > 0 ? (size_t)n : 0;
    if (n > 0)
        return HG_IO_WANT_READ;
    if (n == 0)
        return HG_IO_EOF;
    return errno == EAGAIN || errno == EINTR ? HG_IO_WANT_READ : HG_IO_FAILED;
}

static enum hg_io write_socket(struct hg_conn *conn, struct iovec *pieces, int count, size_t *put)
{
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    size_t wanted = 0;
    ssize_t n;

    for (int i = 0; i < count; i++)
        wanted += pieces[i].iov_len;
    n = count == 1 ? send(conn->fd, pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                   : sendmsg(conn->fd, &message, MSG_NOSIGNAL);
    *put = n > 0 ? (size_t)n : 0;
    if (n >= 0)
        return *put == wanted ? HG_IO_OK : HG_IO_WANT_WRITE;
    return errno == EAGAIN || errno == EINTR ? HG_IO_WANT_WRITE : HG_IO_FAILED;
}

static void finish_socket(struct hg_conn *conn)
{
    (void)shutdown(conn->fd, SHUT_WR);
}

static void fini_socket(struct hg_conn *conn)
{
    (void)conn;
}

const struct hg_transport_ops transport_socket = {
    .handshake = handshake_socket,
    .read = read_socket,
    .write = write_socket,
    .finish = finish_socket,
    .fini = fini_socket,
};

static enum hg_io io_of(enum hg_tls_io io)
{
    switch (io) {
    case HG_TLS_OK:
        return HG_IO_OK;
    case HG_TLS_WANT_READ:
        return HG_IO_WANT_READ;
    case HG_TLS_WANT_WRITE:
        return HG_IO_WANT_WRITE;
    case HG_TLS_EOF:
        return HG_IO_EOF;
    case HG_TLS_FAILED:
        break;
    }
    return HG_IO_FAILED;
}

static enum hg_io handshake_tls(struct hg_conn *conn)
{
    enum hg_tls_io io;

    if (!conn->tls)
        conn->tls = tls_session_new(conn->tls_config, conn->fd);
    io = tls_handshake(conn->tls);
    if (io == HG_TLS_OK) {
        conn->peer.is_tls = true;
        conn->peer.tls_version = tls_version(conn->tls);
        conn->peer.tls_cipher = tls_cipher(conn->tls);
    }
    return io_of(io);
}

static enum hg_io read_tls(struct hg_conn *conn, char *bytes, size_t room, size_t *got)
{
    return io_of(tls_read(conn->tls, bytes, room, got));
}

/*
 * After a short write TLS wants the same bytes again, and at least as many:
 * output only grows at its end, so gathering anew from the front gives that.
 */
static enum hg_io write_tls(struct hg_conn *conn, struct iovec *pieces, int count, size_t *put)
{
    static _Thread_local char record[RECORD_BYTES];
    enum hg_tls_io io = HG_TLS_OK;
    int i = 0;

    *put = 0;
    while (i < count && io == HG_TLS_OK) {
        size_t filled = 0, taken = 0;
        int first = i;

        while (i < count && pieces[i].iov_len <= RECORD_BYTES - filled) {
            memcpy(record + filled, pieces[i].iov_base, pieces[i].iov_len);
            filled += pieces[i++].iov_len;
        }
        if (i > first) {
            io = tls_write(conn->tls, record, filled, &taken);
        } else {
            io = tls_write(conn->tls, pieces[i].iov_base, pieces[i].iov_len, &taken);
            i++;
        }
        *put += taken;
    }
    return io_of(io);
}

static void finish_tls(struct hg_conn *conn)
{
    tls_close_notify(conn->tls);
    (void)shutdown(conn->fd, SHUT_WR);
}

static void fini_tls(struct hg_conn *conn)
{
    tls_session_free(conn->tls);
    conn->tls = NULL;
}

const struct hg_transport_ops transport_tls = {
    .handshake = handshake_tls,
    .read = read_tls,
    .write = write_tls,
    .finish = finish_tls,
    .fini = fini_tls,
};
