/*
 * NATS JetStream: asynchronous publishing into a stream with file storage.
 */
#include "load/publishers.h"

#include <nats/nats.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct nats_peer {
    struct publisher *publisher;
    natsConnection *connection;
    jsCtx *stream;
};

static void on_ack(jsCtx *js, natsMsg *msg, jsPubAck *ack, jsPubAckErr *err, void *arg)
{
    struct nats_peer *peer = arg;
    int64_t sent_us;

    (void)js;
    (void)ack;
    if (err)
        publisher_fail("nats: %s", err->ErrText ? err->ErrText : natsStatus_GetText(err->Err));
    memcpy(&sent_us, natsMsg_GetData(msg), sizeof(sent_us));
    publisher_acked(peer->publisher, sent_us);
    natsMsg_Destroy(msg);
}

static void must(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        publisher_fail("nats: %s: %s", what, natsStatus_GetText(status));
}

static void *open_nats(struct publisher *publisher, const char *host, int port)
{
    struct nats_peer *peer = calloc(1, sizeof(*peer));
    const char *subjects[] = {"bench"};
    jsStreamConfig config;
    jsOptions options;
    char url[128];

    peer->publisher = publisher;
    (void)snprintf(url, sizeof(url), "nats://%s:%d", host, port);
    must(natsConnection_ConnectTo(&peer->connection, url), "connect");
    must(jsOptions_Init(&options), "options");
    options.PublishAsync.AckHandler = on_ack;
    options.PublishAsync.AckHandlerClosure = peer;
    must(natsConnection_JetStream(&peer->stream, peer->connection, &options), "jetstream");
    must(jsStreamConfig_Init(&config), "config");
    config.Name = "BENCH";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    must(js_AddStream(NULL, peer->stream, &config, NULL, NULL), "add stream");
    return peer;
}

static void send_nats(void *arg, const char *body, size_t length)
{
    struct nats_peer *peer = arg;

    must(js_PublishAsync(peer->stream, "bench", body, (int)length, NULL), "publish");
}

/* Acknowledgements come on the library's own thread. */
static void turn_nats(void *arg, bool may_wait)
{
    (void)arg;
    if (may_wait)
        (void)usleep(50);
}

static void close_nats(void *arg)
{
    struct nats_peer *peer = arg;

    jsCtx_Destroy(peer->stream);
    natsConnection_Destroy(peer->connection);
    nats_Close();
    free(peer);
}

const struct peer_ops peer_nats = {
    .name = "nats",
    .open = open_nats,
    .send = send_nats,
    .turn = turn_nats,
    .close = close_nats,
};
