/*
 * Makes the signature anew from what was received, and compares. What the
 * request claims is read by sigv4_claim.c.
 */
#include "core/sigv4_check.h"

#include "core/sigv4_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char mismatch[] =
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details.";

static enum hg_sigv4_fault refuse(char why[HG_SIGV4_WHY_MAX], enum hg_sigv4_fault fault,
                                  const char *format, ...) hg_printf_like(3, 4);

static enum hg_sigv4_fault refuse(char why[HG_SIGV4_WHY_MAX], enum hg_sigv4_fault fault,
                                  const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(why, HG_SIGV4_WHY_MAX, format, args);
    va_end(args);
    return fault;
}

static bool is_s3(const struct hg_sigv4_claim *claim)
{
    return hg_str_starts(claim->service, HG_STR("s3"));
}

static enum hg_sigv4_fault check_time(const struct hg_sigv4_claim *claim, int64_t now_ms,
                                      char why[HG_SIGV4_WHY_MAX])
{
    int64_t valid_ms = claim->is_presigned ? claim->expires_s * 1000 : HG_SIGV4_SKEW_MS;
    char now[HG_SIGV4_STAMP_LEN + 1], bound[HG_SIGV4_STAMP_LEN + 1];

    sigv4_write_stamp(now_ms, now);
    if (claim->time_ms + valid_ms < now_ms) {
        bool is_minutes = valid_ms % 60000 == 0;

        sigv4_write_stamp(now_ms - valid_ms, bound);
        return refuse(why, HG_SIGV4_WRONG,
                      "Signature expired: %s is now earlier than %s (%s - %lld %s.)", claim->stamp,
                      bound, now, (long long)valid_ms / (is_minutes ? 60000 : 1000),
                      is_minutes ? "min" : "sec");
    }
    if (claim->time_ms > now_ms + HG_SIGV4_SKEW_MS) {
        sigv4_write_stamp(now_ms + HG_SIGV4_SKEW_MS, bound);
        return refuse(why, HG_SIGV4_WRONG,
                      "Signature not yet current: %s is still later than %s (%s + 15 min.)",
                      claim->stamp, bound, now);
    }
    return HG_SIGV4_GOOD;
}

/* What stands for the body in the canonical request. */
static enum hg_sigv4_fault write_payload(const struct hg_sigv4_received *received,
                                         const struct hg_sigv4_claim *claim,
                                         char out[HG_SIGV4_HEX_LEN + 1], char why[HG_SIGV4_WHY_MAX])
{
    struct hg_str given = claim->payload;

    if (!given.n && claim->is_presigned && is_s3(claim))
        given = HG_STR("UNSIGNED-PAYLOAD");
    if (hg_str_is(given, "UNSIGNED-PAYLOAD") || hg_sigv4_is_chunked(given)) {
        (void)snprintf(out, HG_SIGV4_HEX_LEN + 1, "%.*s", HG_STR_ARG(given));
        return HG_SIGV4_GOOD;
    }
    sigv4_write_hash(received->body, out);
    if (given.n && is_s3(claim) && !hg_str_is(given, out))
        return refuse(why, HG_SIGV4_WRONG_BODY,
                      "The provided 'x-amz-content-sha256' header does not match what was "
                      "computed.");
    return HG_SIGV4_GOOD;
}

/* "name:value,value\n" for each name that was signed, in the order of the claim. */
static void write_headers(const struct hg_sigv4_received *received,
                          const struct hg_sigv4_claim *claim, struct hg_buf *out)
{
    struct hg_str rest = claim->signed_headers, name;

    while (hg_str_next(&rest, ';', &name)) {
        bool is_first = true;

        hg_buf_append_str(out, name);
        hg_buf_append_byte(out, ':');
        for (size_t i = 0; i < received->header_count; i++) {
            if (!hg_str_eq_nocase(received->headers[i].name, name))
                continue;
            hg_buf_append_cstr(out, is_first ? "" : ",");
            sigv4_write_value(received->headers[i].value, out);
            is_first = false;
        }
        hg_buf_append_byte(out, '\n');
    }
}

/* 20260102/eu-west-1/sqs/aws4_request */
static void write_scope(const struct hg_sigv4_claim *claim, struct hg_buf *out)
{
    hg_buf_append_str(out, claim->day);
    hg_buf_append_byte(out, '/');
    hg_buf_append_str(out, claim->region);
    hg_buf_append_byte(out, '/');
    hg_buf_append_str(out, claim->service);
    hg_buf_append_cstr(out, "/aws4_request");
}

static bool write_canonical(const struct hg_sigv4_received *received,
                            const struct hg_sigv4_claim *claim, const char *payload,
                            struct hg_buf *out)
{
    struct hg_str without = claim->is_presigned ? HG_STR("X-Amz-Signature") : hg_str_n(NULL, 0);
    bool fits;

    hg_buf_append_str(out, received->method);
    hg_buf_append_byte(out, '\n');
    sigv4_write_path(received->path, is_s3(claim), out);
    hg_buf_append_byte(out, '\n');
    fits = sigv4_write_query(received->query, without, out);
    hg_buf_append_byte(out, '\n');
    write_headers(received, claim, out);
    hg_buf_append_byte(out, '\n');
    hg_buf_append_str(out, claim->signed_headers);
    hg_buf_append_byte(out, '\n');
    hg_buf_append_cstr(out, payload);
    return fits && !out->is_overflown;
}

/* Compares without telling by its duration where they differ. */
static bool is_signature(const struct hg_sigv4_claim *claim, struct hg_str text,
                         struct hg_str claimed)
{
    unsigned char made[HG_SHA256_LEN];
    struct hg_buf hex;
    bool is_same;

    hg_hmac_sha256(hg_str_n((const char *)claim->key, sizeof(claim->key)), text, made);
    hg_buf_init(&hex, HG_SIGV4_HEX_LEN);
    hg_hex_encode(&hex, made, sizeof(made));
    is_same = claimed.n == HG_SIGV4_HEX_LEN &&
              hg_bytes_are_same(claimed.p, hg_buf_str(&hex).p, HG_SIGV4_HEX_LEN);
    hg_buf_fini(&hex);
    return is_same;
}

enum hg_sigv4_fault hg_sigv4_check(const struct hg_sigv4_received *received,
                                   struct hg_sigv4_claim *claim, struct hg_str secret,
                                   int64_t now_ms, char why[HG_SIGV4_WHY_MAX])
{
    char payload[HG_SIGV4_HEX_LEN + 1], hash[HG_SIGV4_HEX_LEN + 1];
    enum hg_sigv4_fault fault = check_time(claim, now_ms, why);
    struct hg_buf text;
    bool fits;

    if (fault == HG_SIGV4_GOOD)
        fault = write_payload(received, claim, payload, why);
    if (fault != HG_SIGV4_GOOD)
        return fault;
    hg_buf_init(&text, HG_SIGV4_TEXT_MAX);
    fits = write_canonical(received, claim, payload, &text);
    sigv4_write_hash(hg_buf_str(&text), hash);
    hg_buf_clear(&text, SIZE_MAX);
    hg_buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n", claim->stamp);
    write_scope(claim, &text);
    hg_buf_printf(&text, "\n%s", hash);
    sigv4_derive_key(secret, claim->day, claim->region, claim->service, claim->key);
    if (!fits || text.is_overflown || !is_signature(claim, hg_buf_str(&text), claim->signature))
        fault = refuse(why, HG_SIGV4_WRONG, "%s", mismatch);
    hg_buf_fini(&text);
    return fault;
}

bool hg_sigv4_is_chunked(struct hg_str payload)
{
    return hg_str_is(payload, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
}

struct chunk {
    struct hg_str data, signature;
};

/* "400;chunk-signature=…\r\n", as many bytes, "\r\n". False: it is none. */
static bool next_chunk(struct hg_str *rest, struct chunk *chunk)
{
    static const char marker[] = ";chunk-signature=";
    size_t size = 0, digits = 0;

    for (; digits < rest->n && rest->p[digits] != ';'; digits++) {
        char c = rest->p[digits];
        int value = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (value < 0 || digits == 8)
            return false;
        size = size * 16 + (size_t)value;
    }
    *rest = hg_str_skip(*rest, digits);
    if (!digits || !hg_str_starts(*rest, hg_str_of(marker)))
        return false;
    *rest = hg_str_skip(*rest, strlen(marker));
    if (rest->n < HG_SIGV4_HEX_LEN + 2)
        return false;
    chunk->signature = hg_str_n(rest->p, HG_SIGV4_HEX_LEN);
    *rest = hg_str_skip(*rest, HG_SIGV4_HEX_LEN);
    if (!hg_str_starts(*rest, HG_STR("\r\n")) || rest->n - 2 < size)
        return false;
    chunk->data = hg_str_n(rest->p + 2, size);
    *rest = hg_str_skip(*rest, size + 2);
    /* The last one may do without its end. */
    if (!rest->n && !size)
        return true;
    if (!hg_str_starts(*rest, HG_STR("\r\n")))
        return false;
    *rest = hg_str_skip(*rest, 2);
    return true;
}

static bool is_chunk_signed(const struct hg_sigv4_claim *claim, struct hg_str before,
                            const struct chunk *chunk)
{
    char hash[HG_SIGV4_HEX_LEN + 1], empty[HG_SIGV4_HEX_LEN + 1];
    struct hg_buf text;
    bool is_good;

    sigv4_write_hash(HG_STR(""), empty);
    sigv4_write_hash(chunk->data, hash);
    hg_buf_init(&text, HG_SIGV4_TEXT_MAX);
    hg_buf_printf(&text, "AWS4-HMAC-SHA256-PAYLOAD\n%s\n", claim->stamp);
    write_scope(claim, &text);
    hg_buf_printf(&text, "\n%.*s\n%s\n%s", HG_STR_ARG(before), empty, hash);
    is_good = !text.is_overflown && is_signature(claim, hg_buf_str(&text), chunk->signature);
    hg_buf_fini(&text);
    return is_good;
}

enum hg_sigv4_fault hg_sigv4_unchunk(const struct hg_sigv4_claim *claim, struct hg_str body,
                                     struct hg_buf *out, char why[HG_SIGV4_WHY_MAX])
{
    struct hg_str before = claim ? claim->signature : HG_STR("");
    struct chunk chunk;

    do {
        if (!next_chunk(&body, &chunk))
            return refuse(why, HG_SIGV4_INCOMPLETE,
                          "The body is not in the form that 'x-amz-content-sha256' says.");
        if (claim && !is_chunk_signed(claim, before, &chunk))
            return refuse(why, HG_SIGV4_WRONG, "%s", mismatch);
        before = chunk.signature;
        (void)hg_buf_append_str(out, chunk.data);
    } while (chunk.data.n);
    if (body.n || out->is_overflown)
        return refuse(why, HG_SIGV4_INCOMPLETE, "The body goes on behind its last chunk.");
    return HG_SIGV4_GOOD;
}
