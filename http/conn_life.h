/*
 * The parts of a connection that its own family calls: acceptor, shard, output.
 */
#ifndef HG_HTTP_CONN_LIFE_H
#define HG_HTTP_CONN_LIFE_H

#include "http/conn.h"

#include <netinet/in.h>

/* What a new connection is about. */
struct conn_arrival {
    int fd;
    const struct sockaddr_storage *address; /* of the client */
    uint16_t local_port;
    struct hg_tls *tls; /* NULL for cleartext */
    struct hg_http_handler handler;
    bool is_refused; /* over the limit: answered 503 and closed */
};

/* Control loop. Counts the connection and mails it to shard's loop; owns the fd from now on. */
void conn_start(struct hg_shard *shard, const struct conn_arrival *arrival);

/* The connection's loop. */
void conn_deadline_passed(struct hg_conn *conn);
void conn_drain(struct hg_conn *conn);

/* Writes what is queued as far as the socket takes it; false when it failed. Sets is_short. conn_out.c. */
bool conn_out_write(struct hg_conn *conn);
void conn_out_fini(struct hg_conn *conn);

#endif
