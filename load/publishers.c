/*
 * publishers redis|amqp|nats HOST PORT BYTES SECONDS WINDOW
 * Prints: messages/s, p50 and p99 in µs of send → acknowledgement.
 */
#include "load/publishers.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SAMPLES_MAX = 1 << 24, WARM_UP_US = 1000000 };

struct publisher {
    pthread_mutex_t lock;
    uint64_t outstanding, counted;
    int64_t count_from_us;
    uint32_t *samples;
};

int64_t publisher_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void publisher_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

void publisher_acked(struct publisher *publisher, int64_t sent_us)
{
    int64_t now = publisher_now_us();

    (void)pthread_mutex_lock(&publisher->lock);
    publisher->outstanding--;
    if (now >= publisher->count_from_us && publisher->counted < SAMPLES_MAX)
        publisher->samples[publisher->counted++] = (uint32_t)(now - sent_us);
    (void)pthread_mutex_unlock(&publisher->lock);
}

void send_times_init(struct send_times *times, size_t room)
{
    times->at = calloc(room, sizeof(*times->at));
    times->room = room;
    times->first = times->next = 0;
}

void send_times_push(struct send_times *times, int64_t sent_us)
{
    times->at[times->next++ & (times->room - 1)] = sent_us;
}

int64_t send_times_pop(struct send_times *times)
{
    return times->at[times->first++ & (times->room - 1)];
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

static uint64_t outstanding_of(struct publisher *publisher)
{
    uint64_t count;

    (void)pthread_mutex_lock(&publisher->lock);
    count = publisher->outstanding;
    (void)pthread_mutex_unlock(&publisher->lock);
    return count;
}

static void publish(struct publisher *publisher, const struct peer_ops *ops, void *peer, char *body,
                    size_t length, uint64_t window, int64_t until_us)
{
    while (publisher_now_us() < until_us) {
        uint64_t room = window - outstanding_of(publisher);

        for (uint64_t i = 0; i < room; i++) {
            int64_t now = publisher_now_us();

            memcpy(body, &now, sizeof(now));
            (void)pthread_mutex_lock(&publisher->lock);
            publisher->outstanding++;
            (void)pthread_mutex_unlock(&publisher->lock);
            ops->send(peer, body, length);
        }
        ops->turn(peer, true);
    }
    while (outstanding_of(publisher))
        ops->turn(peer, true);
}

int main(int argc, char **argv)
{
    static const struct peer_ops *const peers[] = {&peer_redis, &peer_amqp, &peer_nats};
    struct publisher publisher = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const struct peer_ops *ops = NULL;
    int64_t start_us, elapsed_us;
    size_t length;
    char *body;
    void *peer;

    if (argc != 7)
        publisher_fail("usage: publishers redis|amqp|nats HOST PORT BYTES SECONDS WINDOW");
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++)
        if (strcmp(argv[1], peers[i]->name) == 0)
            ops = peers[i];
    length = strtoul(argv[4], NULL, 10);
    if (!ops || length < sizeof(int64_t))
        publisher_fail("publishers: redis, amqp or nats; at least 8 bytes");
    body = malloc(length);
    publisher.samples = malloc(SAMPLES_MAX * sizeof(*publisher.samples));
    if (!body || !publisher.samples)
        publisher_fail("publishers: no memory");
    memset(body, 'x', length);
    peer = ops->open(&publisher, argv[2], (int)strtol(argv[3], NULL, 10));
    start_us = publisher_now_us();
    publisher.count_from_us = start_us + WARM_UP_US;
    publish(&publisher, ops, peer, body, length, strtoul(argv[6], NULL, 10),
            publisher.count_from_us + (int64_t)(strtod(argv[5], NULL) * 1e6));
    elapsed_us = publisher_now_us() - publisher.count_from_us;
    ops->close(peer);
    qsort(publisher.samples, publisher.counted, sizeof(*publisher.samples), compare);
    if (publisher.counted)
        (void)printf("%.0f %u %u\n", (double)publisher.counted * 1e6 / (double)elapsed_us,
                     publisher.samples[publisher.counted / 2],
                     publisher.samples[publisher.counted * 99 / 100]);
    free(publisher.samples);
    free(body);
    return 0;
}
