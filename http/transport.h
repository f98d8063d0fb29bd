/*
 * How a connection's bytes come and go: a bare socket, or TLS over it.
 */
#ifndef HG_HTTP_TRANSPORT_H
#define HG_HTTP_TRANSPORT_H

#include "http/conn.h"

#include <sys/uio.h>

enum hg_io {
    HG_IO_OK,
    HG_IO_WANT_READ,  /* go on when the socket is readable */
    HG_IO_WANT_WRITE, /* go on when it is writable */
    HG_IO_EOF,
    HG_IO_FAILED,
};

/* Non-blocking, all of them. */
struct hg_transport_ops {
    /* HG_IO_OK: bytes may flow, and peer and protocol are known. */
    enum hg_io (*handshake)(struct hg_conn *conn);
    /* *got bytes came, whatever the result. HG_IO_OK: more may wait where epoll does not see it. */
    enum hg_io (*read)(struct hg_conn *conn, char *bytes, size_t room, size_t *got);
    /* *put bytes were taken. HG_IO_OK: all of them. */
    enum hg_io (*write)(struct hg_conn *conn, struct iovec *pieces, int count, size_t *put);
    /* Says that no more follows. */
    void (*finish)(struct hg_conn *conn);
    void (*fini)(struct hg_conn *conn);
};

extern const struct hg_transport_ops transport_socket;
extern const struct hg_transport_ops transport_tls; /* conn->tls_config is set */

#endif
