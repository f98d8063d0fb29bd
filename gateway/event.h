/*
 * The JSON document that a function gets for a request. Written straight into
 * a buffer; one that does not fit leaves the buffer overflown.
 */
#ifndef HG_GATEWAY_EVENT_H
#define HG_GATEWAY_EVENT_H

#include "core/json_write.h"
#include "gateway/context.h"
#include "gateway/pairs.h"

/* Format 1.0 of a REST API (without a version) or of an HTTP API. False when it did not fit. */
bool event_v1_write(struct hg_context *ctx, struct hg_buf *out) hg_must_use;
/* Format 2.0. */
bool event_v2_write(struct hg_context *ctx, struct hg_buf *out) hg_must_use;

/* ---- what both formats share; event_parts.c ---- */

enum hg_header_style {
    HG_HEADERS_REST,     /* the client's spelling */
    HG_HEADERS_CAPITALS, /* HTTP API 1.0: lower case, a few well-known ones with capitals */
    HG_HEADERS_LOWER,    /* HTTP API 2.0 */
};

/*
 * The headers that a function sees, grouped by name: without those of the
 * connection, with X-Forwarded-* and X-Amzn-Trace-Id. False when the arena is full.
 */
bool event_headers(struct hg_context *ctx, enum hg_header_style style,
                   struct hg_pairs *headers) hg_must_use;

/* Makes room for an event of the usual size at once. */
void event_reserve(const struct hg_context *ctx, struct hg_buf *out);

/* The value of a key that was just written: the body as text, or as base64. */
void event_body(struct hg_json *json, struct hg_str body, bool is_base64);

/* {"name":"value",…} of the path parameters, percent-decoded or not. */
void event_path_parameters(struct hg_context *ctx, struct hg_json *json, bool is_decoded);

#endif
