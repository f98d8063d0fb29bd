/*
 * The inside of a server, for the acceptor, the connections and server.c.
 */
#ifndef HG_HTTP_SERVER_CORE_H
#define HG_HTTP_SERVER_CORE_H

#include "http/server.h"
#include "http/shard.h"

struct hg_server {
    struct hg_server_limits limits;
    struct hg_loops *loops;
    struct hg_shard **shards; /* one per equal loop */
    struct hg_list listeners; /* control loop */
    char large_body_text[80]; /* what a 413 says unless the handler knows better */
    int spare_fd;             /* given up for a moment when descriptors run out; control loop */
    _Atomic unsigned connections;
    _Atomic size_t buffered_bytes;

    /* Draining. */
    _Atomic bool is_draining, is_drained; /* is_drained: the mail was sent */
    struct hg_mail drained_mail;
    struct hg_timer drain_timer; /* control loop */
    void (*drain_done)(void *arg);
    void *drain_arg;
};

/* A connection has been freed. Any loop. */
void server_connection_gone(struct hg_server *server);

/* acceptor.c; control loop. */
struct hg_listener;
enum hg_rc listener_open(struct hg_server *server, const char *address, struct hg_tls *tls,
                         struct hg_http_handler handler, char bound[64],
                         struct hg_error *err) hg_must_use;
/* Closes every listener of the server. */
void listeners_close(struct hg_server *server);

#endif
