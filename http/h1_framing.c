/*
 * Rules of RFC 9112 §3, §6, §7 and §9 on a head whose syntax is already right.
 */
#include "http/h1_framing.h"

enum { NAME_MAX = 17 }; /* "transfer-encoding", the longest name looked at */

struct reader {
    const struct h1_head *head;
    struct h1_framing *framing;
    const char *detail;
    bool has_host, has_upgrade_h2c, says_upgrade, says_settings, says_close, says_keep_alive;
    unsigned coding_lines, settings_lines;
    struct hg_str coding;
};

static enum hg_fault refuse(struct reader *r, enum hg_fault fault, const char *detail)
{
    r->detail = detail;
    return fault;
}

static enum hg_fault read_length(struct reader *r, struct hg_str value)
{
    if (r->framing->has_length)
        return refuse(r, HG_FAULT_FRAMING, "several Content-Length");
    if (value.n == 0)
        return refuse(r, HG_FAULT_FRAMING, "Content-Length");
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return refuse(r, HG_FAULT_FRAMING, "Content-Length");
    }
    r->framing->has_length = true;
    /* Digits beyond 64 bits are a length all the same: one that no limit allows. */
    if (!hg_str_u64(value, UINT64_MAX, &r->framing->content_length))
        r->framing->content_length = UINT64_MAX;
    return HG_FAULT_COUNT;
}

/* Exactly "chunked" is understood. Other codings before it are refused as such, anything else as ambiguous. */
static enum hg_fault judge_coding(struct reader *r)
{
    struct hg_str rest = r->coding, part, last = {0};
    bool has_other = false;

    if (r->framing->has_length)
        return refuse(r, HG_FAULT_FRAMING, "Content-Length with Transfer-Encoding");
    if (r->head->version == HG_HTTP_1_0)
        return refuse(r, HG_FAULT_FRAMING, "Transfer-Encoding on HTTP/1.0");
    if (r->coding_lines > 1)
        return refuse(r, HG_FAULT_FRAMING, "several Transfer-Encoding");
    if (hg_str_is_nocase(r->coding, "chunked")) {
        r->framing->is_chunked = true;
        return HG_FAULT_COUNT;
    }
    while (hg_str_next(&rest, ',', &part)) {
        if (last.p && (hg_str_is_nocase(last, "chunked") || !h1_is_token(last)))
            return refuse(r, HG_FAULT_FRAMING, "Transfer-Encoding");
        has_other = has_other || last.p;
        last = hg_str_trim(part);
    }
    if (has_other && hg_str_is_nocase(last, "chunked"))
        return refuse(r, HG_FAULT_CODING, "Transfer-Encoding");
    return refuse(r, HG_FAULT_FRAMING, "Transfer-Encoding");
}

static bool is_host_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~!$&'()*+;=%", c));
}

static bool is_ip_byte(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.';
}

bool h1_is_authority(struct hg_str text)
{
    size_t at = 0, host_end;

    if (text.n && text.p[0] == '[') {
        at = 1;
        while (at < text.n && is_ip_byte(text.p[at]))
            at++;
        if (at < 3 || at == text.n || text.p[at] != ']')
            return false;
        at++;
    } else {
        while (at < text.n && is_host_byte(text.p[at]))
            at++;
    }
    host_end = at;
    if (at < text.n && text.p[at] == ':') {
        at++;
        while (at < text.n && text.p[at] >= '0' && text.p[at] <= '9')
            at++;
        if (at - host_end > 6)
            return false;
    }
    return host_end > 0 && at == text.n;
}

static enum hg_fault read_host(struct reader *r, struct hg_str value)
{
    if (r->has_host)
        return refuse(r, HG_FAULT_HOST, "several Host");
    if (!h1_is_authority(value))
        return refuse(r, HG_FAULT_HOST, "Host");
    r->has_host = true;
    r->framing->authority = value;
    return HG_FAULT_COUNT;
}

static void read_connection(struct reader *r, struct hg_str value)
{
    struct hg_str part;

    while (hg_str_next(&value, ',', &part)) {
        part = hg_str_trim(part);
        r->says_close = r->says_close || hg_str_is_nocase(part, "close");
        r->says_keep_alive = r->says_keep_alive || hg_str_is_nocase(part, "keep-alive");
        r->says_upgrade = r->says_upgrade || hg_str_is_nocase(part, "upgrade");
        r->says_settings = r->says_settings || hg_str_is_nocase(part, "http2-settings");
    }
}

static void read_upgrade(struct reader *r, struct hg_str value)
{
    struct hg_str part;

    while (hg_str_next(&value, ',', &part))
        r->has_upgrade_h2c = r->has_upgrade_h2c || hg_str_is_nocase(hg_str_trim(part), "h2c");
}

static enum hg_fault read_expect(struct reader *r, struct hg_str value)
{
    if (!hg_str_is_nocase(value, "100-continue"))
        return refuse(r, HG_FAULT_EXPECTATION, "Expect");
    /* RFC 9110 §10.1.1: a client of HTTP/1.0 does not wait for it. */
    r->framing->wants_continue = r->head->version == HG_HTTP_1_1;
    return HG_FAULT_COUNT;
}

/* Told apart by length first: most headers are none of these. */
static enum hg_fault read_header(struct reader *r, const struct hg_header *h)
{
    switch (h->name.n) {
    case 4:
        return hg_str_is_nocase(h->name, "host") ? read_host(r, h->value) : HG_FAULT_COUNT;
    case 6:
        return hg_str_is_nocase(h->name, "expect") ? read_expect(r, h->value) : HG_FAULT_COUNT;
    case 7:
        if (hg_str_is_nocase(h->name, "upgrade"))
            read_upgrade(r, h->value);
        return HG_FAULT_COUNT;
    case 10:
        if (hg_str_is_nocase(h->name, "connection"))
            read_connection(r, h->value);
        return HG_FAULT_COUNT;
    case 14:
        if (hg_str_is_nocase(h->name, "http2-settings")) {
            r->settings_lines++;
            r->framing->h2_settings = h->value;
            return HG_FAULT_COUNT;
        }
        return hg_str_is_nocase(h->name, "content-length") ? read_length(r, h->value)
                                                           : HG_FAULT_COUNT;
    case NAME_MAX:
        if (hg_str_is_nocase(h->name, "transfer-encoding")) {
            r->coding_lines++;
            r->coding = h->value;
        }
        return HG_FAULT_COUNT;
    default:
        return HG_FAULT_COUNT;
    }
}

static void split_path(struct h1_framing *framing, struct hg_str target)
{
    ptrdiff_t mark = hg_str_find(target, '?');

    framing->path = mark < 0 ? target : hg_str_n(target.p, (size_t)mark);
    framing->query = mark < 0 ? hg_str_n(NULL, 0) : hg_str_skip(target, (size_t)mark + 1);
    if (framing->path.n == 0)
        framing->path = HG_STR("/");
}

/* RFC 9112 §3.2.2. The authority must be what Host says: two different ones are two readings. */
static enum hg_fault read_absolute(struct reader *r, struct hg_str rest)
{
    size_t end = 0;
    struct hg_str authority;

    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    authority = hg_str_n(rest.p, end);
    if (!h1_is_authority(authority))
        return refuse(r, HG_FAULT_MALFORMED, "request target");
    if (r->has_host && !hg_str_eq_nocase(authority, r->framing->authority))
        return refuse(r, HG_FAULT_HOST, "Host differs from target");
    r->framing->authority = authority;
    split_path(r->framing, hg_str_skip(rest, end));
    return HG_FAULT_COUNT;
}

static enum hg_fault read_target(struct reader *r)
{
    struct hg_str target = r->head->target;

    if (hg_str_is(r->head->method, "CONNECT"))
        return refuse(r, HG_FAULT_CONNECT, "CONNECT");
    if (target.p[0] == '/') {
        split_path(r->framing, target);
        return HG_FAULT_COUNT;
    }
    if (hg_str_is(target, "*")) {
        if (!hg_str_is(r->head->method, "OPTIONS"))
            return refuse(r, HG_FAULT_MALFORMED, "request target");
        r->framing->path = target;
        return HG_FAULT_COUNT;
    }
    if (target.n > 7 && hg_str_is_nocase(hg_str_n(target.p, 7), "http://"))
        return read_absolute(r, hg_str_skip(target, 7));
    if (target.n > 8 && hg_str_is_nocase(hg_str_n(target.p, 8), "https://"))
        return read_absolute(r, hg_str_skip(target, 8));
    return refuse(r, HG_FAULT_MALFORMED, "request target");
}

static enum hg_fault judge(struct reader *r)
{
    enum hg_fault fault = HG_FAULT_COUNT;

    if (r->coding_lines)
        fault = judge_coding(r);
    if (fault == HG_FAULT_COUNT && !r->has_host && r->head->version == HG_HTTP_1_1)
        fault = refuse(r, HG_FAULT_HOST, "no Host");
    if (fault == HG_FAULT_COUNT)
        fault = read_target(r);
    r->framing->is_persistent =
        !r->says_close && (r->head->version == HG_HTTP_1_1 || r->says_keep_alive);
    r->framing->wants_h2c = r->has_upgrade_h2c && r->says_upgrade && r->says_settings &&
                            r->settings_lines == 1 && r->head->version == HG_HTTP_1_1;
    return fault;
}

enum hg_fault h1_read_framing(const struct h1_head *head, struct h1_framing *framing,
                              const char **detail)
{
    struct reader r = {.head = head, .framing = framing, .detail = ""};
    enum hg_fault fault = HG_FAULT_COUNT;

    *framing = (struct h1_framing){0};
    for (size_t i = 0; i < head->header_count && fault == HG_FAULT_COUNT; i++)
        fault = read_header(&r, &head->headers[i]);
    if (fault == HG_FAULT_COUNT)
        fault = judge(&r);
    *detail = r.detail;
    return fault;
}
