/*
 * Watches the frames of an HTTP/2 client for abuse, before they are acted on:
 * counts each kind against its allowance, finds frames on streams that the client
 * itself has ended (nghttp2 ignores them once both sides are through), and tells since when a header block
 * or control frame has been under way. Works on bytes and times, never on sockets.
 */
#ifndef HG_HTTP_HTTP2_GUARD_H
#define HG_HTTP_HTTP2_GUARD_H

#include "core/base.h"

enum hg_abuse {
    HG_ABUSE_NONE,
#define HG_ABUSE(symbol, burst, per_second, code, name) HG_ABUSE_##symbol,
#include "http/http2_abuse.def"
#undef HG_ABUSE
    HG_ABUSE_COUNT
};

enum { HG_H2_SEEN = 128 };

struct hg_h2_guard {
    int64_t earned_us[HG_ABUSE_COUNT]; /* moment from which the allowance has been growing back */
    size_t max_block_bytes;
    size_t block_bytes; /* of the current header block */
    int64_t head_since_us;
    uint32_t payload_left;
    uint32_t dependency; /* the first bytes of the payload of PRIORITY */
    uint32_t newest_id;
    unsigned seen_count;
    uint32_t seen
        [HG_H2_SEEN]; /* streams opened last: id << 1 | whether the client has ended or reset it */
    unsigned continuations;
    unsigned char head[9];
    unsigned char head_length; /* bytes of the current frame's head that are here */
    unsigned char magic_left;  /* of the client's connection preface */
    unsigned char type, flags;
    bool is_block_open; /* HEADERS came, its END_HEADERS did not */
};

void guard_init(struct hg_h2_guard *guard, size_t max_header_bytes, int64_t now_us);

/* Looks at what the client sent; the first kind of abuse that it finds, HG_ABUSE_NONE otherwise. */
enum hg_abuse guard_scan(struct hg_h2_guard *guard, const char *bytes, size_t length,
                         int64_t now_us);

/* Takes one from the allowance of that kind; false when it is used up. */
bool guard_charge(struct hg_h2_guard *guard, enum hg_abuse kind, int64_t now_us);
/* Gives count more of that kind: for what the client may do in reply to what we did. */
void guard_credit(struct hg_h2_guard *guard, enum hg_abuse kind, unsigned count, int64_t now_us);

/* Notes a stream that the client has opened and ended otherwise than by frames. */
void guard_note_ended(struct hg_h2_guard *guard, uint32_t id);
/* Whether the stream is among those opened last. */
bool guard_has_seen(const struct hg_h2_guard *guard, uint32_t id);

/* Since when a header block or a control frame is incomplete; 0: none is. */
int64_t guard_head_since(const struct hg_h2_guard *guard);

/* Name in log and metrics. */
const char *abuse_name(enum hg_abuse kind);

#endif
