/*
 * Reading is bounded per turn and per second, so that a function that prints
 * without end costs the loop little and itself only its own lines.
 */
#include "workers/env_log.h"

#include "core/clock.h"
#include "core/id.h"
#include "workers/invoke.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    READS_PER_TURN = 4,
    DRAIN_READS = 64, /* a pipe holds 64 KiB unless the function enlarged it */
    TAIL_MAX = 2 * HG_LOG_LINE_MAX,
};

void env_log_init(struct hg_env_log *log, struct hg_log_sink *sink, char *scratch,
                  struct hg_str function_name, struct hg_str version)
{
    bool is_at_home = log_group_is_default(sink->batch.group, function_name);
    time_t now = (time_t)(hg_wall_ms() / 1000);
    struct tm day;
    char id[33];
    int length;

    *log = (struct hg_env_log){.sink = sink, .scratch = scratch, .fd = -1};
    (void)gmtime_r(&now, &day);
    hg_hex_id(id, 32);
    length = snprintf(log->stream, sizeof(log->stream), "%04d/%02d/%02d/%.*s[%.*s]%s",
                      day.tm_year + 1900, day.tm_mon + 1, day.tm_mday,
                      is_at_home ? 0 : (int)HG_MIN(function_name.n, (size_t)80), function_name.p,
                      (int)HG_MIN(version.n, (size_t)20), version.p, id);
    log->stream_length = (size_t)length;
    hg_buf_init(&log->partial, HG_LOG_LINE_MAX);
    hg_buf_init(&log->tail, TAIL_MAX);
}

void env_log_fini(struct hg_env_log *log)
{
    env_log_close(log);
    hg_buf_fini(&log->partial);
    hg_buf_fini(&log->tail);
}

void env_log_line(struct hg_env_log *log, int64_t wall_ms, struct hg_str text)
{
    log_sink_line(log->sink, wall_ms, hg_str_n(log->stream, log->stream_length), text);
    if (!log->wants_tail)
        return;
    if (log->tail.len > HG_LOG_TAIL_MAX)
        hg_buf_consume(&log->tail, log->tail.len - HG_LOG_TAIL_MAX);
    hg_buf_append_str(&log->tail, text);
    if (!text.n || text.p[text.n - 1] != '\n')
        hg_buf_append_byte(&log->tail, '\n');
}

/* A carriage return alone stays within its event. */
static void take_bytes(struct hg_env_log *log, struct hg_str bytes)
{
    int64_t wall_ms = hg_wall_ms();

    while (bytes.n) {
        const char *end = memchr(bytes.p, '\n', bytes.n);
        size_t length = end ? (size_t)(end - bytes.p) + 1 : bytes.n;
        size_t room = HG_LOG_LINE_MAX - log->partial.len;
        struct hg_str piece = hg_str_n(bytes.p, HG_MIN(length, room));

        bytes = hg_str_skip(bytes, piece.n);
        if (!(end && piece.n == length) && piece.n < room) {
            hg_buf_append_str(&log->partial, piece);
            return;
        }
        if (log->partial.len) {
            hg_buf_append_str(&log->partial, piece);
            piece = hg_buf_str(&log->partial);
        }
        env_log_line(log, wall_ms, piece);
        hg_buf_clear(&log->partial, 0);
    }
}

static void note_dropped(struct hg_env_log *log)
{
    char text[128];
    int length;

    if (!log->dropped_bytes)
        return;
    length = snprintf(text, sizeof(text),
                      "headgate: %llu bytes of output dropped: more than %d bytes in a second",
                      (unsigned long long)log->dropped_bytes, HG_LOG_BYTES_PER_SECOND);
    log->dropped_bytes = 0;
    env_log_line(log, hg_wall_ms(), hg_str_n(text, (size_t)length));
}

static void take_within_rate(struct hg_env_log *log, struct hg_str bytes)
{
    int64_t second = hg_mono_us() / 1000000;

    if (second != log->second) {
        log->second = second;
        log->second_bytes = 0;
        note_dropped(log);
    }
    if (log->second_bytes > HG_LOG_BYTES_PER_SECOND) {
        log->dropped_bytes += bytes.n;
        return;
    }
    log->second_bytes += bytes.n;
    take_bytes(log, bytes);
}

/* Whether there may be more. */
static bool read_once(struct hg_env_log *log)
{
    ssize_t got = read(log->fd, log->scratch, HG_LOG_READ_BYTES);

    if (got < 0)
        return errno == EINTR;
    if (got == 0) {
        /* Every writer has closed it. */
        (void)event_del(&log->event);
        return false;
    }
    take_within_rate(log, hg_str_n(log->scratch, (size_t)got));
    return got == HG_LOG_READ_BYTES;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    for (int i = 0; i < READS_PER_TURN && read_once(arg); i++) {
    }
}

void env_log_drain(struct hg_env_log *log)
{
    if (log->fd < 0)
        return;
    for (int i = 0; i < DRAIN_READS && read_once(log); i++) {
    }
}

void env_log_open(struct hg_env_log *log, struct hg_loop *loop, int fd)
{
    hg_assert(log->fd < 0);
    log->fd = fd;
    (void)event_assign(&log->event, loop->base, fd, EV_READ | EV_PERSIST, on_readable, log);
    (void)event_add(&log->event, NULL);
}

void env_log_close(struct hg_env_log *log)
{
    if (log->fd < 0)
        return;
    env_log_drain(log);
    if (log->partial.len) {
        env_log_line(log, hg_wall_ms(), hg_buf_str(&log->partial));
        hg_buf_clear(&log->partial, 0);
    }
    note_dropped(log);
    (void)event_del(&log->event);
    (void)close(log->fd);
    log->fd = -1;
}

void env_log_start_tail(struct hg_env_log *log)
{
    log->wants_tail = true;
    hg_buf_clear(&log->tail, 0);
}

char *env_log_take_tail(struct hg_env_log *log, size_t max_bytes, size_t *length)
{
    struct hg_str text = hg_buf_str(&log->tail);
    char *copy;

    if (!log->wants_tail)
        return NULL;
    log->wants_tail = false;
    if (text.n > max_bytes)
        text = hg_str_skip(text, text.n - max_bytes);
    copy = hg_malloc(text.n + 1);
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *length = text.n;
    hg_buf_clear(&log->tail, 0);
    return copy;
}
