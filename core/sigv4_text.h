/*
 * The pieces of a canonical request that signing and checking share. Used by sigv4*.c only; pure.
 */
#ifndef HG_CORE_SIGV4_TEXT_H
#define HG_CORE_SIGV4_TEXT_H

#include "core/crypto.h"
#include "core/sigv4.h"

enum {
    HG_SIGV4_STAMP_LEN = 16, /* 20260102T030405Z */
    HG_SIGV4_DAY_LEN = 8,
    HG_SIGV4_HEX_LEN = 2 * HG_SHA256_LEN,
};

void sigv4_write_stamp(int64_t time_ms, char out[HG_SIGV4_STAMP_LEN + 1]);
/* The SHA-256 of text in hex digits, terminated. */
void sigv4_write_hash(struct hg_str text, char out[HG_SIGV4_HEX_LEN + 1]);
/* is_s3: as it is sent; else without "", "." and "..", and encoded once more. */
void sigv4_write_path(struct hg_str path, bool is_s3, struct hg_buf *out);
/* Sorted, each name and value in one way of encoding; the parameter `without` (p NULL: none) left out. False: more than the limits. */
bool sigv4_write_query(struct hg_str query, struct hg_str without, struct hg_buf *out);
/* Without blanks at its ends and with single ones inside. */
void sigv4_write_value(struct hg_str value, struct hg_buf *out);
/* The key of a day, region and service: what strings are signed with. */
void sigv4_derive_key(struct hg_str secret, struct hg_str day, struct hg_str region,
                      struct hg_str service, unsigned char out[HG_SHA256_LEN]);

/* A name and its value, both in the form that is signed: places in a buffer that may still move. */
struct sigv4_pair {
    size_t name, name_length, value, value_length;
};

struct sigv4_pairs {
    struct sigv4_pair
        items[HG_SIGV4_PARAMETERS_MAX]; /* more than all headers with those that are added */
    size_t count;
    struct hg_buf text;
};

struct hg_str sigv4_name_of(const struct sigv4_pairs *pairs, const struct sigv4_pair *pair);
struct hg_str sigv4_value_of(const struct sigv4_pairs *pairs, const struct sigv4_pair *pair);
/* By name, then (parameters) by value or (headers) by arrival. */
void sigv4_sort_pairs(struct sigv4_pairs *pairs, bool by_value);

#endif
