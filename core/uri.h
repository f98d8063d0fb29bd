/*
 * Percent-encoding (RFC 3986) and form-encoding of query strings.
 */
#ifndef HG_CORE_URI_H
#define HG_CORE_URI_H

#include "core/buf.h"

/* Appends text with %XX resolved; a % that two hex digits do not follow stays as it is. */
void hg_uri_decode(struct hg_buf *out, struct hg_str text);
/* Same, and '+' becomes a blank: names and values of application/x-www-form-urlencoded. */
void hg_uri_decode_form(struct hg_buf *out, struct hg_str text);
/* Appends text with everything but RFC 3986 unreserved characters as %XX. */
void hg_uri_encode(struct hg_buf *out, struct hg_str text);

#endif
