/*
 * Which headers an integration may set, and which are renamed or dropped.
 */
#ifndef HG_GATEWAY_REMAP_H
#define HG_GATEWAY_REMAP_H

#include "core/arena.h"

enum hg_answer_source {
    HG_ANSWER_REST_FUNCTION, /* returned by a function behind a REST API */
    HG_ANSWER_REST_MAPPING,  /* method.response.header.X of a REST API */
    HG_ANSWER_HTTP_FUNCTION, /* returned by a function behind an HTTP API */
};

/*
 * The name to send: as it is, "x-amzn-Remapped-…", or p NULL when the header is dropped (or the
 * arena is full).
 */
struct hg_str remap_header(enum hg_answer_source source, struct hg_arena *arena,
                           struct hg_str name);

/* Whether the text may stand on the wire as a header's name, or as its value. */
bool header_name_is_valid(struct hg_str name);
bool header_value_is_valid(struct hg_str value);

#endif
