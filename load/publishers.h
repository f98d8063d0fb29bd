/*
 * Publishes messages to another broker as fast as it acknowledges them, with a
 * fixed number unacknowledged: the peers of the durable 202.
 *
 * A peer sends one message at a time and calls published_acked once for each,
 * in any order, from any thread.
 */
#ifndef HG_LOAD_PUBLISHERS_H
#define HG_LOAD_PUBLISHERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct publisher;

struct peer_ops {
    const char *name;
    /* Connects and makes the stream or queue. Ends the program with a sentence when it cannot. */
    void *(*open)(struct publisher *publisher, const char *host, int port);
    /* The first 8 bytes of body are the peer's to carry back: the time of sending. */
    void (*send)(void *peer, const char *body, size_t length);
    /* Hands over what was sent; waits for at least one acknowledgement if may_wait. */
    void (*turn)(void *peer, bool may_wait);
    void (*close)(void *peer);
};

extern const struct peer_ops peer_redis, peer_amqp, peer_nats;

int64_t publisher_now_us(void);
/* One message that was sent at sent_us is acknowledged as stored. */
void publisher_acked(struct publisher *publisher, int64_t sent_us);
_Noreturn void publisher_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Send times of messages that are acknowledged in order. */
struct send_times {
    int64_t *at;
    size_t room; /* a power of two */
    uint64_t first, next;
};
void send_times_init(struct send_times *times, size_t room);
void send_times_push(struct send_times *times, int64_t sent_us);
int64_t send_times_pop(struct send_times *times);

#endif
