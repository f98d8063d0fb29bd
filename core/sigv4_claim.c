/*
 * What a request says of its signature: the Authorization header, or the
 * X-Amz-… parameters of a presigned query.
 */
#include "core/sigv4_check.h"

#include "core/sigv4_text.h"
#include "core/uri.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* Sentences about what is missing, one behind the other. */
struct complaint {
    char *why;
    size_t length;
};

static void complain(struct complaint *complaint, const char *format, ...) hg_printf_like(2, 3);

static void complain(struct complaint *complaint, const char *format, ...)
{
    size_t room = HG_SIGV4_WHY_MAX - complaint->length;
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(complaint->why + complaint->length, room, format, args);
    va_end(args);
    complaint->length += HG_MIN((size_t)HG_MAX(length, 0), room - 1);
}

static struct hg_str header(const struct hg_sigv4_received *received, const char *name)
{
    for (size_t i = 0; i < received->header_count; i++)
        if (hg_str_is_nocase(received->headers[i].name, name))
            return hg_str_trim(received->headers[i].value);
    return hg_str_n(NULL, 0);
}

/* The decoded value of a query parameter, in the arena; p NULL: absent. */
static struct hg_str parameter(const struct hg_sigv4_received *received, struct hg_arena *arena,
                               const char *name)
{
    struct hg_str rest = received->query, part;

    while (hg_str_next(&rest, '&', &part)) {
        ptrdiff_t equals = hg_str_find(part, '=');
        struct hg_buf value;
        struct hg_str text = {NULL, 0};
        char *copy;

        if (equals < 0 || !hg_str_is(hg_str_n(part.p, (size_t)equals), name))
            continue;
        hg_buf_init(&value, HG_SIGV4_TEXT_MAX);
        hg_uri_decode(&value, hg_str_skip(part, (size_t)equals + 1));
        copy = hg_arena_alloc(arena, value.len + 1);
        if (copy) {
            memcpy(copy, hg_buf_str(&value).p, value.len);
            copy[value.len] = '\0';
            text = hg_str_n(copy, value.len);
        }
        hg_buf_fini(&value);
        return text;
    }
    return hg_str_n(NULL, 0);
}

static bool read_digits(const char *text, size_t count, int *value)
{
    *value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        *value = *value * 10 + (text[i] - '0');
    }
    return true;
}

/* 20260102T030405Z */
static bool read_stamp(struct hg_str text, int64_t *time_ms)
{
    struct tm parts = {0};

    if (text.n != HG_SIGV4_STAMP_LEN || text.p[8] != 'T' || text.p[15] != 'Z' ||
        !read_digits(text.p, 4, &parts.tm_year) || !read_digits(text.p + 4, 2, &parts.tm_mon) ||
        !read_digits(text.p + 6, 2, &parts.tm_mday) ||
        !read_digits(text.p + 9, 2, &parts.tm_hour) ||
        !read_digits(text.p + 11, 2, &parts.tm_min) || !read_digits(text.p + 13, 2, &parts.tm_sec))
        return false;
    if (parts.tm_mon < 1 || parts.tm_mon > 12 || parts.tm_mday < 1 || parts.tm_mday > 31 ||
        parts.tm_hour > 23 || parts.tm_min > 59 || parts.tm_sec > 60 || parts.tm_year < 1970)
        return false;
    parts.tm_year -= 1900;
    parts.tm_mon -= 1;
    *time_ms = (int64_t)timegm(&parts) * 1000;
    return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_http_date(struct hg_str text, int64_t *time_ms)
{
    struct tm parts = {0};
    char copy[40];
    const char *end;

    if (text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (!end || *end)
        return false;
    *time_ms = (int64_t)timegm(&parts) * 1000;
    return true;
}

static bool take_time(struct hg_sigv4_claim *claim, struct hg_str text, struct complaint *complaint)
{
    if (!read_stamp(text, &claim->time_ms) && !read_http_date(text, &claim->time_ms)) {
        complain(complaint,
                 "Date must be in ISO-8601 'basic format'. Got '%.*s'. See "
                 "http://en.wikipedia.org/wiki/ISO_8601",
                 (int)HG_MIN(text.n, (size_t)64), text.p);
        return false;
    }
    sigv4_write_stamp(claim->time_ms, claim->stamp);
    return true;
}

/* keyid/date/region/service/aws4_request */
static enum hg_sigv4_fault take_credential(struct hg_sigv4_claim *claim, struct hg_str text,
                                           struct complaint *complaint)
{
    struct hg_str *parts[] = {&claim->access_key, &claim->day, &claim->region, &claim->service};
    struct hg_str rest = text, terminator = HG_STR("");
    size_t count = 0;

    while (count < HG_COUNT(parts) && hg_str_next(&rest, '/', parts[count]))
        count++;
    if (count == HG_COUNT(parts) && rest.p)
        terminator = rest;
    if (count < HG_COUNT(parts) || !rest.p || hg_str_find(terminator, '/') >= 0 ||
        !claim->access_key.n) {
        complain(complaint,
                 "Credential must have exactly 5 slash-delimited elements, e.g. "
                 "keyid/date/region/service/term, got '%.*s'",
                 (int)HG_MIN(text.n, (size_t)200), text.p);
        return HG_SIGV4_INCOMPLETE;
    }
    if (!hg_str_is(terminator, "aws4_request")) {
        complain(complaint,
                 "Credential should be scoped with a valid terminator: 'aws4_request', not '%.*s'.",
                 (int)HG_MIN(terminator.n, (size_t)64), terminator.p);
        return HG_SIGV4_WRONG;
    }
    if (!hg_str_eq(claim->day, hg_str_n(claim->stamp, HG_SIGV4_DAY_LEN))) {
        complain(complaint,
                 "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                 "from HTTP: '%.*s' != '%.8s', from '%s'.",
                 (int)HG_MIN(claim->day.n, (size_t)64), claim->day.p, claim->stamp, claim->stamp);
        return HG_SIGV4_WRONG;
    }
    return HG_SIGV4_GOOD;
}

/* The list of signed headers: host among them, and not too many. */
static enum hg_sigv4_fault check_names(const struct hg_sigv4_claim *claim,
                                       struct complaint *complaint)
{
    struct hg_str rest = claim->signed_headers, name;
    bool has_host = false;
    size_t count = 0;

    while (hg_str_next(&rest, ';', &name)) {
        has_host |= hg_str_is(name, "host") || hg_str_is(name, ":authority");
        count++;
    }
    if (count > HG_SIGV4_SIGNED_HEADERS_MAX) {
        complain(complaint, "more than %d headers are signed", HG_SIGV4_SIGNED_HEADERS_MAX);
        return HG_SIGV4_INCOMPLETE;
    }
    if (!has_host) {
        complain(complaint,
                 "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
        return HG_SIGV4_WRONG;
    }
    return HG_SIGV4_GOOD;
}

/* x-amz-content-sha256: a hash, or one of two words. */
static enum hg_sigv4_fault check_payload(const struct hg_sigv4_claim *claim,
                                         struct complaint *complaint)
{
    bool is_hash = claim->payload.n == HG_SIGV4_HEX_LEN;

    for (size_t i = 0; is_hash && i < claim->payload.n; i++) {
        char c = claim->payload.p[i];

        is_hash = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }
    if (!claim->payload.n || is_hash || hg_str_is(claim->payload, "UNSIGNED-PAYLOAD") ||
        hg_sigv4_is_chunked(claim->payload))
        return HG_SIGV4_GOOD;
    complain(complaint,
             "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
             "or a valid sha256 value.");
    return HG_SIGV4_INCOMPLETE;
}

/* "Credential=…, SignedHeaders=…, Signature=…" in any order. False: there is a part without '='. */
static bool split_authorization(struct hg_sigv4_claim *claim, struct hg_str text,
                                struct hg_str *credential, struct complaint *complaint)
{
    struct hg_str part;

    while (hg_str_next(&text, ',', &part)) {
        ptrdiff_t equals;
        struct hg_str name, value;

        part = hg_str_trim(part);
        if (!part.n)
            continue;
        equals = hg_str_find(part, '=');
        if (equals < 0) {
            complain(complaint,
                     "'%.*s' not a valid key=value pair (missing equal-sign) in Authorization "
                     "header.",
                     (int)HG_MIN(part.n, (size_t)64), part.p);
            return false;
        }
        name = hg_str_n(part.p, (size_t)equals);
        value = hg_str_skip(part, (size_t)equals + 1);
        if (hg_str_is(name, "Credential"))
            *credential = value;
        else if (hg_str_is(name, "SignedHeaders"))
            claim->signed_headers = value;
        else if (hg_str_is(name, "Signature"))
            claim->signature = value;
    }
    return true;
}

/* The header is not repeated, only its hash, as the services do. */
static void complain_of_absence(struct complaint *complaint, const struct hg_sigv4_claim *claim,
                                struct hg_str credential, struct hg_str date,
                                struct hg_str authorization)
{
    unsigned char hash[HG_SHA256_LEN];
    struct hg_buf base64;

    if (!credential.n)
        complain(complaint, "Authorization header requires 'Credential' parameter. ");
    if (!claim->signature.n)
        complain(complaint, "Authorization header requires 'Signature' parameter. ");
    if (!claim->signed_headers.n)
        complain(complaint, "Authorization header requires 'SignedHeaders' parameter. ");
    if (!date.n)
        complain(complaint, "Authorization header requires existence of either a 'X-Amz-Date' or "
                            "a 'Date' header. ");
    hg_sha256(authorization, hash);
    hg_buf_init(&base64, HG_SHA256_LEN * 2);
    hg_base64_encode(&base64, hg_str_n((const char *)hash, sizeof(hash)));
    complain(complaint, "(Hashed with SHA-256 and encoded with Base64) Authorization=%.*s",
             HG_STR_ARG(hg_buf_str(&base64)));
    hg_buf_fini(&base64);
}

static enum hg_sigv4_fault finish(struct hg_sigv4_claim *claim, struct hg_str credential,
                                  struct hg_str date, struct complaint *complaint)
{
    enum hg_sigv4_fault fault;

    if (!take_time(claim, date, complaint))
        return HG_SIGV4_INCOMPLETE;
    fault = take_credential(claim, credential, complaint);
    if (fault == HG_SIGV4_GOOD)
        fault = check_names(claim, complaint);
    if (fault == HG_SIGV4_GOOD)
        fault = check_payload(claim, complaint);
    return fault;
}

static enum hg_sigv4_fault read_header(const struct hg_sigv4_received *received,
                                       struct hg_sigv4_claim *claim, struct hg_str authorization,
                                       struct complaint *complaint)
{
    struct hg_str date = header(received, "x-amz-date"), credential = {NULL, 0};
    struct hg_str rest = authorization, scheme;

    if (!date.n)
        date = header(received, "date");
    if (!hg_str_next(&rest, ' ', &scheme) || !hg_str_is(scheme, algorithm)) {
        complain(complaint, "Unsupported AWS 'algorithm': '%.*s'.",
                 (int)HG_MIN(scheme.n, (size_t)32), scheme.p ? scheme.p : "");
        return HG_SIGV4_INCOMPLETE;
    }
    if (rest.p && !split_authorization(claim, rest, &credential, complaint))
        return HG_SIGV4_INCOMPLETE;
    if (!credential.n || !claim->signature.n || !claim->signed_headers.n || !date.n) {
        complain_of_absence(complaint, claim, credential, date, authorization);
        return HG_SIGV4_INCOMPLETE;
    }
    claim->token = header(received, "x-amz-security-token");
    claim->payload = header(received, "x-amz-content-sha256");
    return finish(claim, credential, date, complaint);
}

static enum hg_sigv4_fault read_query(const struct hg_sigv4_received *received,
                                      struct hg_arena *arena, struct hg_sigv4_claim *claim,
                                      struct complaint *complaint)
{
    struct hg_str method = parameter(received, arena, "X-Amz-Algorithm");
    struct hg_str credential = parameter(received, arena, "X-Amz-Credential");
    struct hg_str date = parameter(received, arena, "X-Amz-Date");
    struct hg_str expires = parameter(received, arena, "X-Amz-Expires");
    const struct {
        struct hg_str value;
        const char *name;
    } wanted[] = {
        {method, "X-Amz-Algorithm"},
        {credential, "X-Amz-Credential"},
        {claim->signature = parameter(received, arena, "X-Amz-Signature"), "X-Amz-Signature"},
        {claim->signed_headers = parameter(received, arena, "X-Amz-SignedHeaders"),
         "X-Amz-SignedHeaders"},
        {date, "X-Amz-Date"},
    };
    uint64_t seconds = HG_SIGV4_SKEW_MS / 1000;

    claim->is_presigned = true;
    for (size_t i = 0; i < HG_COUNT(wanted); i++)
        if (!wanted[i].value.n)
            complain(complaint, "AWS query-string parameters must include '%s'. ", wanted[i].name);
    if (complaint->length) {
        complain(complaint, "Re-examine the query-string parameters.");
        return HG_SIGV4_INCOMPLETE;
    }
    if (!hg_str_is(method, algorithm)) {
        complain(complaint, "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"");
        return HG_SIGV4_INCOMPLETE;
    }
    if (expires.p && (!hg_str_u64(expires, HG_SIGV4_EXPIRES_MAX_S, &seconds) || !seconds)) {
        complain(complaint,
                 "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                 "X-Amz-Expires must be less than 604800 seconds");
        return HG_SIGV4_INCOMPLETE;
    }
    claim->expires_s = (int64_t)seconds;
    claim->token = parameter(received, arena, "X-Amz-Security-Token");
    claim->payload = header(received, "x-amz-content-sha256");
    if (!claim->payload.n)
        claim->payload = parameter(received, arena, "X-Amz-Content-Sha256");
    return finish(claim, credential, date, complaint);
}

enum hg_sigv4_fault hg_sigv4_read(const struct hg_sigv4_received *received, struct hg_arena *arena,
                                  struct hg_sigv4_claim *claim, char why[HG_SIGV4_WHY_MAX])
{
    struct hg_str authorization = header(received, "authorization");
    struct complaint complaint = {.why = why};

    *claim = (struct hg_sigv4_claim){.is_presigned = false};
    why[0] = '\0';
    if (authorization.n)
        return read_header(received, claim, authorization, &complaint);
    if (hg_str_find_str(received->query, HG_STR("X-Amz-")) >= 0 &&
        (parameter(received, arena, "X-Amz-Algorithm").p ||
         parameter(received, arena, "X-Amz-Signature").p ||
         parameter(received, arena, "X-Amz-Credential").p))
        return read_query(received, arena, claim, &complaint);
    complain(&complaint, "Missing Authentication Token");
    return HG_SIGV4_ABSENT;
}
