/*
 * UTF-8 (RFC 3629): no overlong forms, no surrogates, at most U+10FFFF.
 */
#ifndef HG_CORE_UTF8_H
#define HG_CORE_UTF8_H

#include "core/buf.h"

/* Length in bytes of the valid sequence at the front, 0 when there is none. */
size_t hg_utf8_next(struct hg_str text);
bool hg_utf8_is_valid(struct hg_str text);
/* Writes code point as UTF-8; returns its length. */
size_t hg_utf8_encode(uint32_t code, char out[4]);
/* Appends text with every invalid byte replaced by U+FFFD. */
void hg_utf8_append_clean(struct hg_buf *out, struct hg_str text);

#endif
