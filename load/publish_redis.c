/*
 * Redis: pipelined XADD. How durable that is, the server's appendfsync says.
 */
#include "load/publishers.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

struct redis_peer {
    struct publisher *publisher;
    redisContext *context;
    struct send_times times;
};

static void *open_redis(struct publisher *publisher, const char *host, int port)
{
    struct redis_peer *peer = calloc(1, sizeof(*peer));

    peer->publisher = publisher;
    peer->context = redisConnect(host, port);
    if (!peer->context || peer->context->err)
        publisher_fail("redis: cannot connect to %s:%d", host, port);
    send_times_init(&peer->times, 1 << 16);
    return peer;
}

static void send_redis(void *arg, const char *body, size_t length)
{
    struct redis_peer *peer = arg;

    send_times_push(&peer->times, *(const int64_t *)(const void *)body);
    if (redisAppendCommand(peer->context, "XADD bench * e %b", body, length) != REDIS_OK)
        publisher_fail("redis: %s", peer->context->errstr);
}

/* One reply, by reading; then all others that came with it. */
static void turn_redis(void *arg, bool may_wait)
{
    struct redis_peer *peer = arg;
    void *reply = NULL;

    if (may_wait && redisGetReply(peer->context, &reply) != REDIS_OK)
        publisher_fail("redis: %s", peer->context->errstr);
    while (reply) {
        if (((redisReply *)reply)->type == REDIS_REPLY_ERROR)
            publisher_fail("redis: %s", ((redisReply *)reply)->str);
        freeReplyObject(reply);
        reply = NULL;
        publisher_acked(peer->publisher, send_times_pop(&peer->times));
        if (redisReaderGetReply(peer->context->reader, &reply) != REDIS_OK)
            publisher_fail("redis: %s", peer->context->errstr);
    }
}

static void close_redis(void *arg)
{
    struct redis_peer *peer = arg;

    redisFree(peer->context);
    free(peer->times.at);
    free(peer);
}

const struct peer_ops peer_redis = {
    .name = "redis",
    .open = open_redis,
    .send = send_redis,
    .turn = turn_redis,
    .close = close_redis,
};
