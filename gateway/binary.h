/*
 * Which bodies are bytes and which are text.
 */
#ifndef HG_GATEWAY_BINARY_H
#define HG_GATEWAY_BINARY_H

#include "core/str.h"

/* REST: whether the first media type of a Content-Type or Accept value is in binaryMediaTypes. */
bool binary_matches(const struct hg_str *types, size_t count, struct hg_str value);

/* HTTP API: whether a body of that Content-Type and Content-Encoding ("" when absent) is text. */
bool binary_is_text(struct hg_str content_type, struct hg_str content_encoding);

/* The first media type of a header value, without parameters and blanks. */
struct hg_str binary_media_type(struct hg_str value);

#endif
