/*
 * Request line and header fields of HTTP/1.1, strictly by RFC 9112: what two
 * parsers could read in two ways is refused. Works on bytes, allocates nothing,
 * yields slices of the input. Bodies: h1_framing.h and h1_chunked.h.
 */
#ifndef HG_HTTP_H1_PARSE_H
#define HG_HTTP_H1_PARSE_H

#include "http/fault.h"
#include "http/request.h"

enum h1_result {
    H1_MORE, /* right so far */
    H1_DONE,
    H1_BAD, /* fault and detail say why; close the connection */
};

struct h1_head {
    /* Set by the caller before the first call. */
    struct hg_header *headers;
    size_t header_room;
    size_t max_bytes; /* of the whole head */

    /* Valid with H1_DONE; slices of the bytes of that call. */
    struct hg_str method, target;
    enum hg_http_version version;
    size_t header_count;
    size_t length; /* of the head, the empty line included */

    /* Valid with H1_BAD; detail is a short fixed text. */
    enum hg_fault fault;
    const char *detail;

    size_t seen; /* bytes of this head that former calls had; 0 at the start of each head */
};

/* bytes start with the head; each call gets all of it that has arrived so far. */
enum h1_result h1_parse_head(struct h1_head *head, const char *bytes, size_t length);

/* Header lines alone, complete, each with its CRLF and without the empty line: a block of trailers. Same rules. */
enum h1_result h1_parse_fields(struct h1_head *head, struct hg_str block);

/* RFC 9110 §5.6.2 and §5.5. */
bool h1_is_token(struct hg_str text);
bool h1_is_field_value(struct hg_str text);

#endif
