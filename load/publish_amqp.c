/*
 * RabbitMQ: persistent messages into a durable queue, with publisher confirms.
 */
#include "load/publishers.h"

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { WINDOW_MAX = 1 << 16 };

struct amqp_peer {
    struct publisher *publisher;
    amqp_connection_state_t connection;
    int64_t sent_us[WINDOW_MAX]; /* by delivery tag; 0: acknowledged */
    uint64_t tag;                /* of the last message */
    uint64_t acked_until;        /* by a "multiple" */
};

static void check(struct amqp_peer *peer, const char *what)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(peer->connection);

    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        publisher_fail("amqp: %s failed: %s", what,
                       reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION
                           ? amqp_error_string2(reply.library_error)
                           : "the server refused");
}

static void *open_amqp(struct publisher *publisher, const char *host, int port)
{
    /* A quorum queue is what RabbitMQ recommends where nothing may be lost. */
    const char *kind = getenv("AMQP_QUEUE_TYPE");
    struct amqp_peer *peer = calloc(1, sizeof(*peer));
    amqp_table_entry_t entry = {
        .key = amqp_cstring_bytes("x-queue-type"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8,
                  .value.bytes = amqp_cstring_bytes(kind ? kind : "classic")},
    };
    amqp_table_t arguments = {.num_entries = 1, .entries = &entry};
    amqp_socket_t *socket;

    peer->publisher = publisher;
    peer->connection = amqp_new_connection();
    socket = amqp_tcp_socket_new(peer->connection);
    if (!socket || amqp_socket_open(socket, host, port) != AMQP_STATUS_OK)
        publisher_fail("amqp: cannot connect to %s:%d", host, port);
    if (amqp_login(peer->connection, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest")
            .reply_type != AMQP_RESPONSE_NORMAL)
        publisher_fail("amqp: the server refused the login");
    (void)amqp_channel_open(peer->connection, 1);
    check(peer, "channel.open");
    (void)amqp_queue_declare(peer->connection, 1, amqp_cstring_bytes(kind ? kind : "classic"), 0, 1,
                             0, 0, arguments);
    check(peer, "queue.declare");
    (void)amqp_confirm_select(peer->connection, 1);
    check(peer, "confirm.select");
    return peer;
}

static void send_amqp(void *arg, const char *body, size_t length)
{
    const char *kind = getenv("AMQP_QUEUE_TYPE");
    struct amqp_peer *peer = arg;
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT};
    amqp_bytes_t content = {.len = length, .bytes = (void *)(uintptr_t)body};

    memcpy(&peer->sent_us[++peer->tag % WINDOW_MAX], body, sizeof(int64_t));
    if (amqp_basic_publish(peer->connection, 1, amqp_empty_bytes,
                           amqp_cstring_bytes(kind ? kind : "classic"), 0, 0, &properties,
                           content) != AMQP_STATUS_OK)
        publisher_fail("amqp: basic.publish failed");
}

static void note_one(struct amqp_peer *peer, uint64_t tag)
{
    int64_t *sent_us = &peer->sent_us[tag % WINDOW_MAX];

    if (*sent_us)
        publisher_acked(peer->publisher, *sent_us);
    *sent_us = 0;
}

/* Single ones may come out of order; "multiple" means everything up to the tag. */
static void note_ack(struct amqp_peer *peer, const amqp_basic_ack_t *ack)
{
    if (!ack->multiple) {
        note_one(peer, ack->delivery_tag);
        return;
    }
    while (peer->acked_until < ack->delivery_tag)
        note_one(peer, ++peer->acked_until);
}

static void turn_amqp(void *arg, bool may_wait)
{
    struct amqp_peer *peer = arg;
    struct timeval none = {0}, patience = {5, 0};
    bool waits = may_wait;

    for (;;) {
        amqp_frame_t frame;
        int status =
            amqp_simple_wait_frame_noblock(peer->connection, &frame, waits ? &patience : &none);

        if (status == AMQP_STATUS_TIMEOUT)
            return;
        if (status != AMQP_STATUS_OK)
            publisher_fail("amqp: %s", amqp_error_string2(status));
        if (frame.frame_type == AMQP_FRAME_METHOD &&
            frame.payload.method.id == AMQP_BASIC_ACK_METHOD)
            note_ack(peer, frame.payload.method.decoded);
        else if (frame.frame_type == AMQP_FRAME_METHOD)
            publisher_fail("amqp: unexpected method %x", frame.payload.method.id);
        amqp_maybe_release_buffers(peer->connection);
        waits = false;
    }
}

static void close_amqp(void *arg)
{
    struct amqp_peer *peer = arg;

    (void)amqp_connection_close(peer->connection, AMQP_REPLY_SUCCESS);
    (void)amqp_destroy_connection(peer->connection);
    free(peer);
}

const struct peer_ops peer_amqp = {
    .name = "amqp",
    .open = open_amqp,
    .send = send_amqp,
    .turn = turn_amqp,
    .close = close_amqp,
};
