/*
 * Canonical request, string to sign, signature: each step is made of the one
 * before, as the service makes them from what it received.
 */
#include "core/sigv4_text.h"

#include <stdlib.h>

/* Name in lower case; value without blanks at its ends and with single ones inside. */
static void add_header(struct sigv4_pairs *pairs, struct hg_str name, struct hg_str value)
{
    struct sigv4_pair *pair = &pairs->items[pairs->count++];

    pair->name = pairs->text.len;
    for (size_t i = 0; i < name.n; i++)
        hg_buf_append_byte(&pairs->text, name.p[i] >= 'A' && name.p[i] <= 'Z'
                                             ? (char)(name.p[i] + ('a' - 'A'))
                                             : name.p[i]);
    pair->name_length = pairs->text.len - pair->name;
    pair->value = pairs->text.len;
    sigv4_write_value(value, &pairs->text);
    pair->value_length = pairs->text.len - pair->value;
}

/* What several steps need of a request, made once: the body may be long. */
struct parts {
    char stamp[HG_SIGV4_STAMP_LEN + 1], body_hash[HG_SIGV4_HEX_LEN + 1];
    struct sigv4_pairs headers; /* all that is signed, sorted */
};

/* NULL when there is too much. */
static struct parts *parts_new(const struct hg_sigv4_request *request,
                               const struct hg_sigv4_credentials *credentials)
{
    struct parts *parts;
    struct sigv4_pairs *headers;

    if (request->header_count > HG_SIGV4_HEADERS_MAX)
        return NULL;
    parts = hg_calloc(1, sizeof(*parts));
    headers = &parts->headers;
    sigv4_write_stamp(request->time_ms, parts->stamp);
    sigv4_write_hash(request->body, parts->body_hash);
    hg_buf_init(&headers->text, HG_SIGV4_TEXT_MAX);
    for (size_t i = 0; i < request->header_count; i++)
        add_header(headers, request->headers[i].name, request->headers[i].value);
    add_header(headers, HG_STR("x-amz-date"), hg_str_of(parts->stamp));
    if (credentials->session_token.n)
        add_header(headers, HG_STR("x-amz-security-token"), credentials->session_token);
    if (request->is_s3)
        add_header(headers, HG_STR("x-amz-content-sha256"), hg_str_of(parts->body_hash));
    sigv4_sort_pairs(headers, false);
    return parts;
}

static void parts_free(struct parts *parts)
{
    if (!parts)
        return;
    hg_buf_fini(&parts->headers.text);
    free(parts);
}

static bool is_same_name(const struct sigv4_pairs *pairs, size_t i)
{
    return i && hg_str_eq(sigv4_name_of(pairs, &pairs->items[i - 1]),
                          sigv4_name_of(pairs, &pairs->items[i]));
}

static void write_signed_names(const struct sigv4_pairs *pairs, struct hg_buf *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (is_same_name(pairs, i))
            continue;
        if (i)
            hg_buf_append_byte(out, ';');
        hg_buf_append_str(out, sigv4_name_of(pairs, &pairs->items[i]));
    }
}

static void write_headers(const struct sigv4_pairs *pairs, struct hg_buf *out)
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (is_same_name(pairs, i)) {
            hg_buf_append_byte(out, ',');
        } else {
            hg_buf_append_cstr(out, i ? "\n" : "");
            hg_buf_append_str(out, sigv4_name_of(pairs, &pairs->items[i]));
            hg_buf_append_byte(out, ':');
        }
        hg_buf_append_str(out, sigv4_value_of(pairs, &pairs->items[i]));
    }
}

static bool write_canonical(const struct hg_sigv4_request *request, const struct parts *parts,
                            struct hg_buf *out)
{
    bool fits;

    hg_buf_append_str(out, request->method);
    hg_buf_append_byte(out, '\n');
    sigv4_write_path(request->path, request->is_s3, out);
    hg_buf_append_byte(out, '\n');
    fits = sigv4_write_query(request->query, hg_str_n(NULL, 0), out) &&
           !parts->headers.text.is_overflown;
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
    hg_buf_append(out, stamp, HG_SIGV4_DAY_LEN);
    hg_buf_printf(out, "/%.*s/%.*s/aws4_request", HG_STR_ARG(request->region),
                  HG_STR_ARG(request->service));
}

static bool write_string_to_sign(const struct hg_sigv4_request *request, const struct parts *parts,
                                 struct hg_buf *out)
{
    struct hg_buf canonical;
    char hash[HG_SIGV4_HEX_LEN + 1];
    bool fits;

    hg_buf_init(&canonical, HG_SIGV4_TEXT_MAX);
    fits = write_canonical(request, parts, &canonical);
    sigv4_write_hash(hg_buf_str(&canonical), hash);
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

static void sign_text(const struct hg_sigv4_request *request, struct hg_str secret,
                      const char *stamp, struct hg_str text, unsigned char out[HG_SHA256_LEN])
{
    unsigned char key[HG_SHA256_LEN];

    sigv4_derive_key(secret, hg_str_n(stamp, HG_SIGV4_DAY_LEN), request->region, request->service,
                     key);
    hg_hmac_sha256(hg_str_n((const char *)key, sizeof(key)), text, out);
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
