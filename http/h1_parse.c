/*
 * One pass over the head, byte classes by table. A head that comes in pieces
 * is read again from its start, but only when a new line end has arrived: with
 * the limit on header lines that bounds the work for a head sent byte by byte.
 */
#include "http/h1_parse.h"

enum {
    C_TOKEN = 1,  /* tchar, RFC 9110 §5.6.2 */
    C_VALUE = 2,  /* field-vchar, blank and tab; RFC 9110 §5.5 */
    C_TARGET = 4, /* visible ASCII but '#': a request target has no fragment */
};

/* By rows of 16 bytes; the letters stand for sets of the classes above. */
/* clang-format off */
#define T (C_TOKEN | C_VALUE | C_TARGET)
#define V (C_VALUE | C_TARGET)
#define N (C_TOKEN | C_VALUE)
#define B C_VALUE
#define HIGH B, B, B, B, B, B, B, B, B, B, B, B, B, B, B, B
static const unsigned char classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, B, 0, 0, 0, 0, 0, 0, /* tab */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    B, T, V, N, T, T, T, T, V, V, T, T, V, T, T, V, /* blank ! " # $ % & ' ( ) * + , - . / */
    T, T, T, T, T, T, T, T, T, T, V, V, V, V, V, V, /* 0-9 : ; < = > ? */
    V, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* @ A-O */
    T, T, T, T, T, T, T, T, T, T, T, V, V, V, T, T, /* P-Z [ \ ] ^ _ */
    T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, T, /* ` a-o */
    T, T, T, T, T, T, T, T, T, T, T, V, T, V, T, 0, /* p-z { | } ~ */
    HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH, HIGH,
};
/* clang-format on */
#undef T
#undef V
#undef N
#undef B
#undef HIGH

static inline bool is(char c, unsigned char class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

static bool all_are(struct hg_str text, unsigned char class)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is(text.p[i], class))
            return false;
    }
    return true;
}

bool h1_is_token(struct hg_str text)
{
    return text.n > 0 && all_are(text, C_TOKEN);
}

bool h1_is_field_value(struct hg_str text)
{
    return all_are(text, C_VALUE);
}

static enum h1_result bad(struct h1_head *head, enum hg_fault fault, const char *detail)
{
    head->fault = fault;
    head->detail = detail;
    return H1_BAD;
}

/* Where the parser stands. */
struct cursor {
    const char *at, *end;
};

/* A CRLF, whole. Any other CR, and any LF alone, is refused. */
static enum h1_result take_line_end(struct h1_head *head, struct cursor *c)
{
    if (c->at == c->end)
        return H1_MORE;
    if (*c->at != '\r')
        return bad(head, HG_FAULT_MALFORMED, *c->at == '\n' ? "bare LF" : "control byte");
    if (c->at + 1 == c->end)
        return H1_MORE;
    if (c->at[1] != '\n')
        return bad(head, HG_FAULT_MALFORMED, "bare CR");
    c->at += 2;
    return H1_DONE;
}

static enum h1_result take_method(struct h1_head *head, struct cursor *c)
{
    const char *start = c->at;

    while (c->at < c->end && is(*c->at, C_TOKEN))
        c->at++;
    if (c->at == c->end)
        return H1_MORE;
    if (*c->at != ' ' || c->at == start)
        return bad(head, HG_FAULT_MALFORMED, "method");
    head->method = hg_str_n(start, (size_t)(c->at - start));
    c->at++;
    return H1_DONE;
}

static enum h1_result take_target(struct h1_head *head, struct cursor *c)
{
    const char *start = c->at;

    while (c->at < c->end && is(*c->at, C_TARGET))
        c->at++;
    if (c->at == c->end)
        return H1_MORE;
    if (*c->at != ' ' || c->at == start)
        return bad(head, HG_FAULT_MALFORMED, "request target");
    head->target = hg_str_n(start, (size_t)(c->at - start));
    c->at++;
    return H1_DONE;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the second word of a line can be a request target at all; else a bad third word is no HTTP/1 of any kind. */
static bool looks_like_target(struct hg_str word)
{
    return word.p[0] == '/' || word.p[0] == '*' || hg_str_find(word, ':') > 0;
}

static enum h1_result take_version(struct h1_head *head, struct cursor *c)
{
    static const char form[] = "HTTP/d.d";
    enum { LENGTH = sizeof(form) - 1 };

    for (size_t i = 0; i < LENGTH; i++) {
        if (c->at + i == c->end)
            return H1_MORE;
        if (form[i] == 'd' ? !is_digit(c->at[i]) : c->at[i] != form[i])
            return bad(head,
                       i == 0 && !looks_like_target(head->target) ? HG_FAULT_NOT_HTTP
                                                                  : HG_FAULT_MALFORMED,
                       "version");
    }
    if (c->at[5] != '1' || c->at[7] > '1')
        return bad(head, HG_FAULT_VERSION, "version");
    head->version = c->at[7] == '1' ? HG_HTTP_1_1 : HG_HTTP_1_0;
    c->at += LENGTH;
    return take_line_end(head, c);
}

static enum h1_result take_request_line(struct h1_head *head, struct cursor *c)
{
    enum h1_result result = take_method(head, c);

    if (result == H1_DONE)
        result = take_target(head, c);
    if (result == H1_DONE)
        result = take_version(head, c);
    return result;
}

static enum h1_result take_field(struct h1_head *head, struct cursor *c)
{
    const char *name = c->at, *colon, *value, *value_end;
    enum h1_result result;

    while (c->at < c->end && is(*c->at, C_TOKEN))
        c->at++;
    if (c->at == c->end)
        return H1_MORE;
    if (*c->at != ':' || c->at == name) {
        if (c->at == name && (*c->at == ' ' || *c->at == '\t'))
            return bad(head, HG_FAULT_MALFORMED, "folded header line");
        return bad(head, HG_FAULT_MALFORMED, "header name");
    }
    colon = c->at++;
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t'))
        c->at++;
    value = c->at;
    while (c->at < c->end && is(*c->at, C_VALUE))
        c->at++;
    value_end = c->at;
    result = take_line_end(head, c);
    if (result != H1_DONE)
        return result;
    if (head->header_count == head->header_room)
        return bad(head, HG_FAULT_HEADERS_LARGE, "too many headers");
    while (value_end > value && (value_end[-1] == ' ' || value_end[-1] == '\t'))
        value_end--;
    head->headers[head->header_count++] = (struct hg_header){
        hg_str_n(name, (size_t)(colon - name)), hg_str_n(value, (size_t)(value_end - value))};
    return H1_DONE;
}

static enum h1_result take_head(struct h1_head *head, struct cursor *c, bool *has_line)
{
    enum h1_result result = H1_DONE;

    /* RFC 9112 §2.2: one empty line before the request line is let pass. */
    if (c->at < c->end && *c->at == '\r')
        result = take_line_end(head, c);
    if (result == H1_DONE)
        result = take_request_line(head, c);
    *has_line = result == H1_DONE;
    while (result == H1_DONE) {
        if (c->at == c->end)
            return H1_MORE;
        if (*c->at == '\r')
            return take_line_end(head, c);
        result = take_field(head, c);
    }
    return result;
}

/* Whether the bytes from seen on end a line, or would. */
static bool ends_a_line(const char *bytes, size_t seen, size_t length)
{
    return bytes[seen - 1] == '\r' || memchr(bytes + seen, '\n', length - seen) ||
           memchr(bytes + seen, '\r', length - seen);
}

enum h1_result h1_parse_head(struct h1_head *head, const char *bytes, size_t length)
{
    /* One byte more than allowed is enough to know that it is too much. */
    size_t within = length > head->max_bytes ? head->max_bytes + 1 : length;
    struct cursor c = {bytes, bytes + within};
    enum h1_result result;
    bool has_line;

    if (head->seen && within <= head->max_bytes && !ends_a_line(bytes, head->seen, within)) {
        head->seen = within;
        return H1_MORE;
    }
    head->header_count = 0;
    result = take_head(head, &c, &has_line);
    if ((result == H1_MORE && within > head->max_bytes) ||
        (result == H1_DONE && (size_t)(c.at - bytes) > head->max_bytes))
        return has_line ? bad(head, HG_FAULT_HEADERS_LARGE, "head too long")
                        : bad(head, HG_FAULT_TARGET_LONG, "request line too long");
    head->seen = result == H1_MORE ? within : 0;
    head->length = (size_t)(c.at - bytes);
    return result;
}

enum h1_result h1_parse_fields(struct h1_head *head, struct hg_str block)
{
    struct cursor c = {block.p, block.p + block.n};
    enum h1_result result = H1_DONE;

    head->header_count = 0;
    while (result == H1_DONE && c.at < c.end)
        result = take_field(head, &c);
    return result == H1_MORE ? bad(head, HG_FAULT_MALFORMED, "header cut short") : result;
}
