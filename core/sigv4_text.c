/*
 * Path, query, header values and keys of Signature Version 4.
 */
#include "core/sigv4_text.h"

#include "core/uri.h"

#include <stdlib.h>
#include <time.h>

void sigv4_write_stamp(int64_t time_ms, char out[HG_SIGV4_STAMP_LEN + 1])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(out, HG_SIGV4_STAMP_LEN + 1, "%Y%m%dT%H%M%SZ", &parts);
}

void sigv4_write_hash(struct hg_str text, char out[HG_SIGV4_HEX_LEN + 1])
{
    unsigned char hash[HG_SHA256_LEN];
    struct hg_buf hex;

    hg_sha256(text, hash);
    hg_buf_init(&hex, HG_SIGV4_HEX_LEN);
    hg_hex_encode(&hex, hash, sizeof(hash));
    memcpy(out, hg_buf_str(&hex).p, HG_SIGV4_HEX_LEN);
    out[HG_SIGV4_HEX_LEN] = '\0';
    hg_buf_fini(&hex);
}

/* Segments without "", "." and what ".." takes back: services other than S3 look at paths so. */
static void normalize_path(struct hg_str path, struct hg_buf *out)
{
    struct hg_str rest = path, segment;

    while (hg_str_next(&rest, '/', &segment)) {
        if (!segment.n || hg_str_is(segment, "."))
            continue;
        if (hg_str_is(segment, "..")) {
            while (out->len && out->base[out->off + --out->len] != '/')
                continue;
            continue;
        }
        hg_buf_append_byte(out, '/');
        hg_buf_append_str(out, segment);
    }
    if (!out->len || (path.n && path.p[path.n - 1] == '/'))
        hg_buf_append_byte(out, '/');
}

void sigv4_write_path(struct hg_str path, bool is_s3, struct hg_buf *out)
{
    struct hg_buf normal;
    struct hg_str rest, segment;

    if (is_s3) {
        hg_buf_append_str(out, path.n ? path : HG_STR("/"));
        return;
    }
    hg_buf_init(&normal, HG_SIGV4_TEXT_MAX);
    normalize_path(path, &normal);
    /* Encoded as it is sent, and encoded once more: a '%' becomes "%25". */
    rest = hg_str_skip(hg_buf_str(&normal), 1);
    hg_buf_append_byte(out, '/');
    while (hg_str_next(&rest, '/', &segment)) {
        hg_uri_encode(out, segment);
        if (rest.p)
            hg_buf_append_byte(out, '/');
    }
    out->is_overflown |= normal.is_overflown;
    hg_buf_fini(&normal);
}

struct hg_str sigv4_name_of(const struct sigv4_pairs *pairs, const struct sigv4_pair *pair)
{
    return hg_str_n(hg_buf_str(&pairs->text).p + pair->name, pair->name_length);
}

struct hg_str sigv4_value_of(const struct sigv4_pairs *pairs, const struct sigv4_pair *pair)
{
    return hg_str_n(hg_buf_str(&pairs->text).p + pair->value, pair->value_length);
}

/* By name, then (parameters) by value or (headers) by arrival. Few items: no need for more than insertion. */
void sigv4_sort_pairs(struct sigv4_pairs *pairs, bool by_value)
{
    for (size_t i = 1; i < pairs->count; i++) {
        struct sigv4_pair moved = pairs->items[i];
        size_t at = i;

        for (; at; at--) {
            struct sigv4_pair *before = &pairs->items[at - 1];
            int order = hg_str_cmp(sigv4_name_of(pairs, before), sigv4_name_of(pairs, &moved));

            if (!order && by_value)
                order = hg_str_cmp(sigv4_value_of(pairs, before), sigv4_value_of(pairs, &moved));
            if (order <= 0)
                break;
            pairs->items[at] = *before;
        }
        pairs->items[at] = moved;
    }
}

/* Decoded and encoded again, so that every way to write a character gives the same text. */
static void add_encoded(struct sigv4_pairs *pairs, struct hg_str part, size_t *start,
                        size_t *length)
{
    struct hg_buf plain;

    hg_buf_init(&plain, HG_SIGV4_TEXT_MAX);
    hg_uri_decode(&plain, part);
    *start = pairs->text.len;
    hg_uri_encode(&pairs->text, hg_buf_str(&plain));
    *length = pairs->text.len - *start;
    pairs->text.is_overflown |= plain.is_overflown;
    hg_buf_fini(&plain);
}

bool sigv4_write_query(struct hg_str query, struct hg_str without, struct hg_buf *out)
{
    struct sigv4_pairs *pairs = hg_calloc(1, sizeof(*pairs));
    struct hg_str part;
    bool fits = true;

    hg_buf_init(&pairs->text, HG_SIGV4_TEXT_MAX);
    while (fits && hg_str_next(&query, '&', &part)) {
        ptrdiff_t equals = hg_str_find(part, '=');
        struct hg_str name = equals < 0 ? part : hg_str_n(part.p, (size_t)equals);
        struct hg_str value = equals < 0 ? HG_STR("") : hg_str_skip(part, (size_t)equals + 1);
        struct sigv4_pair *pair = &pairs->items[pairs->count];

        if (!part.n || (without.p && hg_str_eq(name, without)))
            continue;
        add_encoded(pairs, name, &pair->name, &pair->name_length);
        add_encoded(pairs, value, &pair->value, &pair->value_length);
        fits = ++pairs->count < HG_SIGV4_PARAMETERS_MAX && !pairs->text.is_overflown;
    }
    sigv4_sort_pairs(pairs, true);
    for (size_t i = 0; i < pairs->count; i++) {
        if (i)
            hg_buf_append_byte(out, '&');
        hg_buf_append_str(out, sigv4_name_of(pairs, &pairs->items[i]));
        hg_buf_append_byte(out, '=');
        hg_buf_append_str(out, sigv4_value_of(pairs, &pairs->items[i]));
    }
    hg_buf_fini(&pairs->text);
    free(pairs);
    return fits;
}

void sigv4_write_value(struct hg_str value, struct hg_buf *out)
{
    bool was_blank = false;

    value = hg_str_trim(value);
    for (size_t i = 0; i < value.n; i++) {
        bool is_blank = value.p[i] == ' ' || value.p[i] == '\t';

        if (!is_blank)
            hg_buf_append_byte(out, value.p[i]);
        else if (!was_blank)
            hg_buf_append_byte(out, ' ');
        was_blank = is_blank;
    }
}

void sigv4_derive_key(struct hg_str secret, struct hg_str day, struct hg_str region,
                      struct hg_str service, unsigned char out[HG_SHA256_LEN])
{
    const struct hg_str steps[] = {region, service, HG_STR("aws4_request")};
    struct hg_buf first;

    hg_buf_init(&first, secret.n + 4);
    hg_buf_append_str(&first, HG_STR("AWS4"));
    hg_buf_append_str(&first, secret);
    hg_hmac_sha256(hg_buf_str(&first), day, out);
    explicit_bzero(first.base, first.cap);
    hg_buf_fini(&first);
    for (size_t i = 0; i < HG_COUNT(steps); i++)
        hg_hmac_sha256(hg_str_n((const char *)out, HG_SHA256_LEN), steps[i], out);
}
