/*
 * Allowances of a client's frames. Each is one number: the moment from which it
 * has been growing; taking one moves that moment ahead by the time that one
 * takes to grow, and the moment may not pass now. It lies at most a full
 * allowance behind.
 */
#include "http/http2_guard.h"

#include <string.h>

enum {
    FRAME_HEAD_BYTES = 9,
    MAGIC_BYTES = 24,
    BLOCK_FACTOR =
        4, /* compressed headers larger than this many times the limit are not even read */
    PRIORITIES_PER_STREAM = 2,
    SECOND_US = 1000000,
};

enum frame_type {
    DATA,
    HEADERS,
    PRIORITY,
    RST_STREAM,
    SETTINGS,
    PUSH_PROMISE,
    PING,
    GOAWAY,
    WINDOW_UPDATE,
    CONTINUATION,
    PRIORITY_UPDATE = 0x10,
};

enum { FLAG_END_STREAM = 0x1, FLAG_ACK = 0x1, FLAG_END_HEADERS = 0x4 };

static const struct {
    unsigned burst, per_second;
    const char *name;
} rows[] = {
    {0, 0, "none"},
#define HG_ABUSE(symbol, burst, per_second, code, name) {burst, per_second, name},
#include "http/http2_abuse.def"
#undef HG_ABUSE
};

const char *abuse_name(enum hg_abuse kind)
{
    return rows[kind].name;
}

static int64_t price_us(enum hg_abuse kind)
{
    return SECOND_US / rows[kind].per_second;
}

void guard_init(struct hg_h2_guard *guard, size_t max_header_bytes, int64_t now_us)
{
    *guard = (struct hg_h2_guard){.max_block_bytes = BLOCK_FACTOR * max_header_bytes,
                                  .magic_left = MAGIC_BYTES};
    guard->head_since_us = now_us;
    for (int kind = 0; kind < HG_ABUSE_COUNT; kind++)
        guard->earned_us[kind] = INT64_MIN / 2;
}

/* What has grown beyond a full allowance is lost. */
static void settle(struct hg_h2_guard *guard, enum hg_abuse kind, int64_t now_us)
{
    int64_t full = now_us - (int64_t)rows[kind].burst * price_us(kind);

    if (guard->earned_us[kind] < full)
        guard->earned_us[kind] = full;
}

bool guard_charge(struct hg_h2_guard *guard, enum hg_abuse kind, int64_t now_us)
{
    settle(guard, kind, now_us);
    if (guard->earned_us[kind] + price_us(kind) > now_us)
        return false;
    guard->earned_us[kind] += price_us(kind);
    return true;
}

void guard_credit(struct hg_h2_guard *guard, enum hg_abuse kind, unsigned count, int64_t now_us)
{
    settle(guard, kind, now_us);
    guard->earned_us[kind] -= (int64_t)count * price_us(kind);
}

static enum hg_abuse charged(struct hg_h2_guard *guard, enum hg_abuse kind, int64_t now_us)
{
    return guard_charge(guard, kind, now_us) ? HG_ABUSE_NONE : kind;
}

static uint32_t *find_seen(struct hg_h2_guard *guard, uint32_t id)
{
    unsigned count = HG_MIN(guard->seen_count, (unsigned)HG_H2_SEEN);

    /* What is asked for is mostly among the newest. */
    for (unsigned back = 1; back <= count; back++) {
        uint32_t *entry = &guard->seen[(guard->seen_count - back) % HG_H2_SEEN];

        if (*entry >> 1 == id)
            return entry;
    }
    return NULL;
}

bool guard_has_seen(const struct hg_h2_guard *guard, uint32_t id)
{
    return find_seen((struct hg_h2_guard *)(uintptr_t)guard, id) != NULL;
}

static void note_opened(struct hg_h2_guard *guard, uint32_t id, bool is_ended)
{
    guard->newest_id = id;
    guard->seen[guard->seen_count++ % HG_H2_SEEN] = id << 1 | is_ended;
}

void guard_note_ended(struct hg_h2_guard *guard, uint32_t id)
{
    note_opened(guard, id, true);
}

/* DATA or HEADERS. */
static enum hg_abuse take_stream_frame(struct hg_h2_guard *guard, uint32_t id)
{
    bool is_end = guard->flags & FLAG_END_STREAM;
    uint32_t *entry;

    if (guard->type == HEADERS && id > guard->newest_id) {
        note_opened(guard, id, is_end);
        return HG_ABUSE_NONE;
    }
    entry = find_seen(guard, id);
    if (entry && (*entry & 1))
        return HG_ABUSE_ENDED_STREAM;
    if (entry)
        *entry |= is_end;
    return HG_ABUSE_NONE;
}

static enum hg_abuse take_reset(struct hg_h2_guard *guard, uint32_t id, int64_t now_us)
{
    uint32_t *entry = find_seen(guard, id);

    if (entry)
        *entry |= 1;
    return charged(guard, HG_ABUSE_RESETS, now_us);
}

static enum hg_abuse take_block_part(struct hg_h2_guard *guard)
{
    guard->block_bytes += guard->payload_left;
    guard->is_block_open = !(guard->flags & FLAG_END_HEADERS);
    if (guard->continuations > rows[HG_ABUSE_CONTINUATIONS].burst)
        return HG_ABUSE_CONTINUATIONS;
    return guard->block_bytes > guard->max_block_bytes ? HG_ABUSE_HEADER_BLOCK : HG_ABUSE_NONE;
}

/* The head of a frame is complete. */
static enum hg_abuse take_frame(struct hg_h2_guard *guard, int64_t now_us)
{
    const unsigned char *h = guard->head;
    uint32_t id =
        ((uint32_t)h[5] << 24 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 8 | h[8]) & 0x7fffffff;
    enum hg_abuse found;

    guard->payload_left = (uint32_t)h[0] << 16 | (uint32_t)h[1] << 8 | h[2];
    guard->type = h[3];
    guard->flags = h[4];
    switch (guard->type) {
    case DATA:
        if (guard->payload_left == 0 && !(guard->flags & FLAG_END_STREAM))
            return charged(guard, HG_ABUSE_EMPTY, now_us);
        return take_stream_frame(guard, id);
    case HEADERS:
        found = take_stream_frame(guard, id);
        if (found != HG_ABUSE_NONE)
            return found;
        guard->block_bytes = 0;
        guard->continuations = 0;
        guard_credit(guard, HG_ABUSE_PRIORITIES, PRIORITIES_PER_STREAM, now_us);
        return take_block_part(guard);
    case CONTINUATION:
        guard->continuations++;
        return take_block_part(guard);
    case RST_STREAM:
        return take_reset(guard, id, now_us);
    case SETTINGS:
        return guard->flags & FLAG_ACK ? HG_ABUSE_NONE : charged(guard, HG_ABUSE_SETTINGS, now_us);
    case PING:
        return guard->flags & FLAG_ACK ? HG_ABUSE_NONE : charged(guard, HG_ABUSE_PINGS, now_us);
    case WINDOW_UPDATE:
        return charged(guard, HG_ABUSE_WINDOWS, now_us);
    case PRIORITY:
        guard->dependency = 0;
        return id == 0 ? HG_ABUSE_BAD_PRIORITY : charged(guard, HG_ABUSE_PRIORITIES, now_us);
    case PRIORITY_UPDATE:
        return charged(guard, HG_ABUSE_PRIORITIES, now_us);
    case PUSH_PROMISE: /* these two end the connection in any case */
    case GOAWAY:
        return HG_ABUSE_NONE;
    default:
        return charged(guard, HG_ABUSE_EMPTY, now_us);
    }
}

/* The payload of PRIORITY, piece by piece: a dependency and a weight. */
static enum hg_abuse take_priority(struct hg_h2_guard *guard, const char *bytes, size_t length)
{
    const unsigned char *h = guard->head;
    uint32_t id = (uint32_t)h[5] << 24 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 8 | h[8];

    for (size_t i = 0; i < length && guard->payload_left - i > 1; i++)
        guard->dependency = guard->dependency << 8 | (unsigned char)bytes[i];
    if (length == guard->payload_left && ((guard->dependency ^ id) & 0x7fffffff) == 0)
        return HG_ABUSE_BAD_PRIORITY;
    return HG_ABUSE_NONE;
}

static void note_progress(struct hg_h2_guard *guard, int64_t now_us)
{
    bool is_incomplete = guard->magic_left > 0 || guard->is_block_open || guard->head_length > 0;

    /* How fast a body comes is the stream's affair. */
    if (guard->head_length == FRAME_HEAD_BYTES && guard->type == DATA)
        is_incomplete = false;
    if (!is_incomplete)
        guard->head_since_us = 0;
    else if (guard->head_since_us == 0)
        guard->head_since_us = now_us;
}

enum hg_abuse guard_scan(struct hg_h2_guard *guard, const char *bytes, size_t length,
                         int64_t now_us)
{
    enum hg_abuse found = HG_ABUSE_NONE;
    size_t at = HG_MIN(length, guard->magic_left), part;

    guard->magic_left -= (unsigned char)at;
    while (at < length && found == HG_ABUSE_NONE) {
        if (guard->head_length < FRAME_HEAD_BYTES) {
            part = HG_MIN(length - at, (size_t)(FRAME_HEAD_BYTES - guard->head_length));
            memcpy(guard->head + guard->head_length, bytes + at, part);
            guard->head_length += (unsigned char)part;
            at += part;
            if (guard->head_length == FRAME_HEAD_BYTES)
                found = take_frame(guard, now_us);
        }
        part = HG_MIN(length - at, (size_t)guard->payload_left);
        if (guard->type == PRIORITY && part && found == HG_ABUSE_NONE)
            found = take_priority(guard, bytes + at, part);
        guard->payload_left -= (uint32_t)part;
        at += part;
        if (guard->head_length == FRAME_HEAD_BYTES && guard->payload_left == 0) {
            guard->head_length = 0;
            /* What follows is another frame, with a time of its own. */
            if (!guard->is_block_open)
                guard->head_since_us = 0;
        }
    }
    note_progress(guard, now_us);
    return found;
}

int64_t guard_head_since(const struct hg_h2_guard *guard)
{
    return guard->head_since_us;
}
