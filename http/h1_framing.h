/*
 * What a parsed HTTP/1.1 head means: where the body ends, what becomes of the
 * connection, which host is meant. Every reading that another implementation
 * could take differently is refused.
 */
#ifndef HG_HTTP_H1_FRAMING_H
#define HG_HTTP_H1_FRAMING_H

#include "http/h1_parse.h"

struct h1_framing {
    uint64_t content_length; /* 0 when there is no body or it is chunked */
    bool has_length;
    bool is_chunked;
    bool is_persistent; /* the connection may carry another request */
    bool wants_continue;
    bool wants_h2c;
    struct hg_str h2_settings; /* value of HTTP2-Settings with wants_h2c */
    struct hg_str authority;   /* Host */
    struct hg_str path, query; /* of the target; query.p is NULL when there is none */
};

/* HG_FAULT_COUNT: fine. Otherwise the fault, and *detail is a short fixed text. */
enum hg_fault h1_read_framing(const struct h1_head *head, struct h1_framing *framing,
                              const char **detail);

/* uri-host [ ":" port ] of RFC 3986 §3.2.2; no user, not empty. */
bool h1_is_authority(struct hg_str text);

#endif
