/*
 * Canonical request, string to sign, signature: each step is made of the one
 * before, as the service makes them from what it received.
 */
#include "core/sigv4.h"

#include "core/crypto.h"
#include "core/uri.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STAMP_LEN = 16, DAY_LEN = 8, HEX_LEN = 2 * HG_SHA256_LEN };

/* 20260102T030405Z */
static void write_stamp(int64_t time_ms, char out[STAMP_LEN + 1])
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(out, STAMP_LEN + 1, "%Y%m%dT%H%M%SZ", &parts);
}

static void write_hash(struct hg_str text, char out[HEX_LEN + 1])
{
    unsigned char hash[HG_SHA256_LEN];
    struct hg_buf hex;

    hg_sha256(text, hash);
    hg_buf_init(&hex, HEX_LEN);
    hg_hex_encode(&hex, hash, sizeof(hash));
    memcpy(out, hg_buf_str(&hex).p, HEX_LEN);
    out[HEX_LEN] = '\0';
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

static void write_path(const struct hg_sigv4_request *request, struct hg_buf *out)
{
    struct hg_buf normal;
    struct hg_str rest, segment;

    if (request->is_s3) {
        hg_buf_append_str(out, request->path.n ? request->path : HG_STR("/"));
        return;
    }
    hg_buf_init(&normal, HG_SIGV4_TEXT_MAX);
    normalize_path(request->path, &normal);
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

/* A name and its value, both in the form that is signed: places in a buffer that may still move. */
struct pair {
    size_t name, name_length, value, value_length, order;
};

struct pairs {
    struct pair
        items[HG_SIGV4_PARAMETERS_MAX]; /* more than all headers with those that are added */
    size_t count;
    struct hg_buf text;
};

static struct hg_str name_of(const struct pairs *pairs, const struct pair *pair)
{
    return hg_str_n(hg_buf_str(&pairs->text).p + pair->name, pair->name_length);
}

static struct hg_str value_of(const struct pairs *pairs, const struct pair *pair)
{
    return hg_str_n(hg_buf_str(&pairs->text).p + pair->value, pair->value_length);
}

/* By name, then (parameters) by value or (headers) by arrival. Few items: no need for more than insertion. */
static void sort_pairs(struct pairs *pairs, bool by_value)
{
    for (size_t i = 1; i < pairs->count; i++) {
        struct pair moved = pairs->items[i];
        size_t at = i;

        for (; at; at--) {
            struct pair *before = &pairs->items[at - 1];
            int order = hg_str_cmp(name_of(pairs, before), name_of(pairs, &moved));

            if (!order && by_value)
                order = hg_str_cmp(value_of(pairs, before), value_of(pairs, &moved));
            if (order <= 0)
                break;
            pairs->items[at] = *before;
        }
        pairs->items[at] = moved;
    }
}

/* Decoded and encoded again, so that every way to write a character gives the same text. */
static void add_encoded(struct pairs *pairs, struct hg_str part, size_t *start, size_t *length)
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

static bool write_query(struct hg_str query, struct hg_buf *out)
{
    struct pairs *pairs = hg_calloc(1, sizeof(*pairs));
    struct hg_str part;
    bool fits = true;

    hg_buf_init(&pairs->text, HG_SIGV4_TEXT_MAX);
    while (fits && hg_str_next(&query, '&', &part)) {
        ptrdiff_t equals = hg_str_find(part, '=');
        struct hg_str name = equals < 0 ? part : hg_str_n(part.p, (size_t)equals);
        struct hg_str value = equals < 0 ? HG_STR("") : hg_str_skip(part, (size_t)equals + 1);
        struct pair *pair = &pairs->items[pairs->count];

        if (!part.n)
            continue;
        add_encoded(pairs, name, &pair->name, &pair->name_length);
        add_encoded(pairs, value, &pair->value, &pair->value_length);
        fits = ++pairs->count < HG_SIGV4_PARAMETERS_MAX && !pairs->text.is_overflown;
    }
    sort_pairs(pairs, true);
    for (size_t i = 0; i < pairs->count; i++) {
        if (i)
            hg_buf_append_byte(out, '&');
        hg_buf_append_str(out, name_of(pairs, &pairs->items[i]));
        hg_buf_append_byte(out, '=');
        hg_buf_append_str(out, value_of(pairs, &pairs->items[i]));
    }
    hg_buf_fini(&pairs->text);
    free(pairs);
    return fits;
}

/* Name in lower case; value without blanks at its ends and with single ones inside. */
static void add_header(struct pairs *pairs, struct hg_str name, struct hg_str value)
{
    struct pair *pair = &pairs->items[pairs->count++];
    bool was_blank = false;

    value = hg_str_trim(value);
    pair->name = pairs->text.len;
    for (size_t i = 0; i < name.n; i++)
        hg_buf_append_byte(&pairs->text, name.p[i] >= 'A' && name.p[i] <= 'Z'
                                             ? (char)(name.p[i] + ('a' - 'A'))
                                             : name.p[i]);
    pair->name_length = pairs->text.len - pair->name;
    pair->value = pairs->text.len;
    for (size_t i = 0; i < value.n; i++) {
        bool is_blank = value.p[i] == ' ' || value.p[i] == '\t';

        if (!is_blank)
            hg_buf_append_byte(&pairs->text, value.p[i]);
        else if (!was_blank)
            hg_buf_append_byte(&pairs->text, ' ');
        was_blank = is_blank;
    }
    pair->value_length = pairs->text.len - pair->value;
}

/* What several steps need of a request, made once: the body may be long. */
struct parts {
    char stamp[STAMP_LEN + 1], body_hash[HEX_LEN + 1];
    struct pairs headers; /* all that is signed, sorted */
};

/* NULL when there is too much. */
static struct parts *parts_new(const struct hg_sigv4_request *request,
                               const struct hg_sigv4_credentials *credentials)
{
    struct parts *parts;
    struct pairs *headers;

    if (request->header_count > HG_SIGV4_HEADERS_MAX)
        return NULL;
    parts = hg_calloc(1, sizeof(*parts));
    headers = &parts->headers;
    write_stamp(request->time_ms, parts->stamp);
    write_hash(request->body, parts->body_hash);
    hg_buf_init(&headers->text, HG_SIGV4_TEXT_MAX);
    for (size_t i = 0; i < request->header_count; i++)
        add_header(headers, request->headers[i].name, request->headers[i].value);
    add_header(headers, HG_STR("x-amz-date"), hg_str_of(parts->stamp));
    if (credentials->session_token.n)
        add_header(headers, HG_STR("x-amz-security-token"), credentials->session_token);
    if (request->is_s3)
        add_header(headers, HG_STR("x-amz-content-sha256"), hg_str_of(parts->body_hash));
    sort_pairs(headers, false);
    return parts;
}

static void parts_free(struct parts *parts)
{
    if (!parts)
        return;
    hg_buf_fini(&parts->headers.text);
    free(parts);
}

static bool is_same_name(const struct pairs *pairs, size_t i)
{
    return i && hg_str_eq(name_of(pairs, &pairs->items[i - 1]), name_of(pairs, &pairs->items[i]));
}

static void write_signed_names(const struct pairs *pairs, struct hg_buf *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (is_same_name(pairs, i))
            continue;
        if (i)
            hg_buf_append_byte(out, ';');
        hg_buf_append_str(out, name_of(pairs, &pairs->items[i]));
    }
}

static void write_headers(const struct pairs *pairs, struct hg_buf *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (is_same_name(pairs, i)) {
            hg_buf_append_byte(out, ',');
        } else {
            hg_buf_append_cstr(out, i ? "\n" : "");
            hg_buf_append_str(out, name_of(pairs, &pairs->items[i]));
            hg_buf_append_byte(out, ':');
        }
        hg_buf_append_str(out, value_of(pairs, &pairs->items[i]));
    }
}

static bool write_canonical(const struct hg_sigv4_request *request, const struct parts *parts,
                            struct hg_buf *out)
{
    bool fits;

    hg_buf_append_str(out, request->method);
    hg_buf_append_byte(out, '\n');
    write_path(request, out);
    hg_buf_append_byte(out, '\n');
    fits = write_query(request->query, out) && !parts->headers.text.is_overflown;
    hg_buf_append_byte(out, '\n');
    write_headers(&parts->headers, out);
    hg_buf_append_cstr(out, "\n\n");
    write_signed_names(&parts->headers, out);
    hg_buf_append_byte(out, '\n');
    hg_buf_append_cstr(out, parts->body_hash);
    return fits && !out->is_overflown;
}

/* 20260102/eu-west-1/sqs/aws4_request */
static void write_scope(const struct hg_sigv4_request *request, const char *stamp,
                        struct hg_buf *out)
{
    hg_buf_append(out, stamp, DAY_LEN);
    hg_buf_printf(out, "/%.*s/%.*s/aws4_request", HG_STR_ARG(request->region),
                  HG_STR_ARG(request->service));
}

static bool write_string_to_sign(const struct hg_sigv4_request *request, const struct parts *parts,
                                 struct hg_buf *out)
{
    struct hg_buf canonical;
    char hash[HEX_LEN + 1];
    bool fits;

    hg_buf_init(&canonical, HG_SIGV4_TEXT_MAX);
    fits = write_canonical(request, parts, &canonical);
    write_hash(hg_buf_str(&canonical), hash);
    hg_buf_fini(&canonical);
    hg_buf_printf(out, "AWS4-HMAC-SHA256\n%s\n", parts->stamp);
    write_scope(request, parts->stamp, out);
    hg_buf_printf(out, "\n%s", hash);
    return fits && !out->is_overflown;
}

bool hg_sigv4_canonical(const struct hg_sigv4_request *request,
                        const struct hg_sigv4_credentials *credentials, struct hg_buf *out)
{
    struct parts *parts = parts_new(request, credentials);
    bool fits = parts && write_canonical(request, parts, out);

    parts_free(parts);
    return fits;
}

bool hg_sigv4_string_to_sign(const struct hg_sigv4_request *request,
                             const struct hg_sigv4_credentials *credentials, struct hg_buf *out)
{
    struct parts *parts = parts_new(request, credentials);
    bool fits = parts && write_string_to_sign(request, parts, out);

    parts_free(parts);
    return fits;
}

/* The key is derived step by step from secret, day, region and service. */
static void sign_text(const struct hg_sigv4_request *request, struct hg_str secret,
                      const char *stamp, struct hg_str text, unsigned char out[HG_SHA256_LEN])
{
    const struct hg_str steps[] = {request->region, request->service, HG_STR("aws4_request"), text};
    unsigned char key[HG_SHA256_LEN];
    struct hg_buf first;

    hg_buf_init(&first, secret.n + 4);
    hg_buf_append_str(&first, HG_STR("AWS4"));
    hg_buf_append_str(&first, secret);
    hg_hmac_sha256(hg_buf_str(&first), hg_str_n(stamp, DAY_LEN), key);
    explicit_bzero(first.base, first.cap);
    hg_buf_fini(&first);
    for (size_t i = 0; i < HG_COUNT(steps); i++)
        hg_hmac_sha256(hg_str_n((const char *)key, sizeof(key)), steps[i], key);
    memcpy(out, key, sizeof(key));
}

bool hg_sigv4_sign(const struct hg_sigv4_request *request,
                   const struct hg_sigv4_credentials *credentials, struct hg_sigv4_signed *out)
{
    struct parts *parts = parts_new(request, credentials);
    unsigned char signature[HG_SHA256_LEN];
    struct hg_buf text, *to = &out->authorization;
    bool fits;

    memset(out, 0, sizeof(*out));
    hg_buf_init(to, HG_SIGV4_TEXT_MAX);
    if (!parts)
        return false;
    hg_buf_init(&text, HG_SIGV4_TEXT_MAX);
    fits = write_string_to_sign(request, parts, &text);
    sign_text(request, credentials->secret_key, parts->stamp, hg_buf_str(&text), signature);
    hg_buf_fini(&text);
    memcpy(out->date, parts->stamp, sizeof(out->date));
    if (request->is_s3)
        memcpy(out->content_sha256, parts->body_hash, sizeof(out->content_sha256));
    hg_buf_printf(to, "AWS4-HMAC-SHA256 Credential=%.*s/", HG_STR_ARG(credentials->access_key));
    write_scope(request, parts->stamp, to);
    hg_buf_append_cstr(to, ", SignedHeaders=");
    write_signed_names(&parts->headers, to);
    hg_buf_append_cstr(to, ", Signature=");
    hg_hex_encode(to, signature, sizeof(signature));
    parts_free(parts);
    return fits && !to->is_overflown;
}

void hg_sigv4_signed_fini(struct hg_sigv4_signed *out)
{
    hg_buf_fini(&out->authorization);
}
