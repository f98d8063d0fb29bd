/*
 * Reads JSON (RFC 8259) in place, strictly, without a tree: for hot paths and
 * hostile input. Nesting is limited; nothing is allocated.
 */
#ifndef HG_CORE_JSON_SCAN_H
#define HG_CORE_JSON_SCAN_H

#include "core/buf.h"

enum { HG_JSON_DEPTH_MAX = 256 };

enum hg_json_kind {
    HG_JSON_BAD,
    HG_JSON_OBJECT,
    HG_JSON_ARRAY,
    HG_JSON_STRING,
    HG_JSON_NUMBER,
    HG_JSON_TRUE,
    HG_JSON_FALSE,
    HG_JSON_NULL,
};

/* A value inside the scanned text. */
struct hg_json_value {
    enum hg_json_kind kind;
    struct hg_str raw; /* its exact text, quotes and braces included */
};

/* Why and where a text is not JSON; line and column count from 1, column in bytes. */
struct hg_json_fault {
    const char *text; /* static */
    size_t offset;
    unsigned line, column;
};

/*
 * Checks that the whole text is one JSON value in valid UTF-8 (blanks around it
 * are allowed) and returns it. kind is HG_JSON_BAD otherwise; fault (may be
 * NULL) then says where.
 */
struct hg_json_value hg_json_parse(struct hg_str text, struct hg_json_fault *fault);

/*
 * Walks the members of a value that hg_json_parse (or a walk) returned, so its text is known to be good.
 *   struct hg_json_walk walk = hg_json_walk(object);
 *   while (hg_json_next_member(&walk, &key, &value)) …
 * key is the raw key without quotes; compare it with hg_json_key_is.
 */
struct hg_json_walk {
    struct hg_str rest;
};

struct hg_json_walk hg_json_walk(struct hg_json_value container);
bool hg_json_next_member(struct hg_json_walk *walk, struct hg_str *key,
                         struct hg_json_value *value);
bool hg_json_next_element(struct hg_json_walk *walk, struct hg_json_value *value);

/* Compares a raw key or the inside of a raw string, escapes resolved, with text. */
bool hg_json_key_is(struct hg_str raw, const char *text);

/* The last member of that name, kind HG_JSON_BAD when there is none. */
struct hg_json_value hg_json_member(struct hg_json_value object, const char *name);

/* Appends the string's text with escapes resolved. Lone surrogates become U+FFFD. value.kind must be HG_JSON_STRING. */
bool hg_json_unescape(struct hg_json_value value, struct hg_buf *out);
/* The inside of a string, when it has no escapes; otherwise p is NULL. */
struct hg_str hg_json_plain(struct hg_json_value value);

/* Copies the value without the blanks between its tokens. */
void hg_json_compact(struct hg_json_value value, struct hg_buf *out);

#endif
