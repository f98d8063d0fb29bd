/*
 * Decoder of the chunked transfer coding (RFC 9112 §7.1): a state machine on
 * bytes that yields slices of the input and stores nothing but, if the caller
 * wants them, trailers.
 */
#ifndef HG_HTTP_H1_CHUNKED_H
#define HG_HTTP_H1_CHUNKED_H

#include "http/h1_parse.h"

enum {
    H1_CHUNK_EXTENSIONS_MAX = 4096, /* bytes of chunk extensions per body */
    H1_TRAILERS_MAX = 8192, /* bytes of trailers per body, when the caller sets nothing else */
};

struct h1_chunked {
    /* Set by h1_chunked_init; may be changed before the first feed. */
    char *
        trailer_room; /* gets the trailer lines with their CRLF; NULL drops them, checked all the same */
    size_t trailer_max;

    /* Valid with H1_DONE. */
    size_t trailer_length;
    /* Valid with H1_BAD. */
    enum hg_fault fault;
    const char *detail;

    /* The machine's own. */
    uint64_t left; /* of this chunk's data; while the size is read: the size so far */
    uint32_t extension_bytes;
    uint8_t state, digits;
};

void h1_chunked_init(struct h1_chunked *chunked);

/*
 * Takes at most one run of data: *used bytes of the input are done with, *run
 * (empty or a slice of them) is body. Call it again with the rest until the
 * rest is empty (H1_MORE) or the body is complete (H1_DONE; the rest belongs
 * to the next message).
 */
enum h1_result h1_chunked_feed(struct h1_chunked *chunked, const char *bytes, size_t length,
                               size_t *used, struct hg_str *run);

/*
 * The trailers of a complete body as fields; slices of trailer_room. Those
 * that must not be trailers (RFC 9110 §6.5.1: framing, routing, authentication,
 * conditions) are left out. Returns the number of headers, at most room.
 */
size_t h1_chunked_trailers(const struct h1_chunked *chunked, struct hg_header *headers,
                           size_t room);

#endif
