/*
 * A strict scanner: one pass checks grammar, UTF-8 and nesting; walks over
 * checked text then only look for the ends of values.
 */
#include "core/json_scan.h"

#include "core/utf8.h"

#define EACH_BYTE(byte) ((uint64_t)(byte)*0x0101010101010101)

struct scan {
    const char *at, *end;
    const char *why;
};

static void skip_blanks(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r'))
        s->at++;
}

static bool fail(struct scan *s, const char *why)
{
    if (!s->why)
        s->why = why;
    return false;
}

static bool is_digit(struct scan *s)
{
    return s->at < s->end && *s->at >= '0' && *s->at <= '9';
}

static bool scan_digits(struct scan *s)
{
    if (!is_digit(s))
        return fail(s, "expected a digit");
    while (is_digit(s))
        s->at++;
    return true;
}

static bool scan_number(struct scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0') {
        s->at++;
        if (is_digit(s))
            return fail(s, "a number may not begin with 0");
    } else if (!scan_digits(s)) {
        return false;
    }
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        if (!scan_digits(s))
            return false;
    }
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool scan_escape(struct scan *s)
{
    char c;

    s->at++;
    if (s->at == s->end)
        return fail(s, "unexpected end of text in a string");
    c = *s->at;
    if (c == 'u') {
        for (int i = 1; i <= 4; i++)
            if (s->end - s->at <= i || hex_value(s->at[i]) < 0)
                return fail(s, "expected four hexadecimal digits after \\u");
        s->at += 5;
        return true;
    }
    if (!c || !strchr("\"\\/bfnrt", c))
        return fail(s, "unknown escape in a string");
    s->at++;
    return true;
}

/* Whether one of eight bytes is zero. */
static bool has_zero(uint64_t bytes)
{
    return (bytes - EACH_BYTE(0x01)) & ~bytes & EACH_BYTE(0x80);
}

/* Steps over what needs no look of its own, eight bytes at a time: strings may be archives of many megabytes. */
static void skip_plain(struct scan *s)
{
    while (s->end - s->at >= 8) {
        uint64_t bytes;

        memcpy(&bytes, s->at, sizeof(bytes));
        /* A byte from 0x80 on, below 0x20, a quote, a backslash. */
        if ((bytes & EACH_BYTE(0x80)) || ((bytes - EACH_BYTE(0x20)) & EACH_BYTE(0x80)) ||
            has_zero(bytes ^ EACH_BYTE('"')) || has_zero(bytes ^ EACH_BYTE('\\')))
            return;
        s->at += sizeof(bytes);
    }
}

static bool scan_string(struct scan *s)
{
    s->at++;
    for (;;) {
        unsigned char c;

        skip_plain(s);
        if (s->at == s->end)
            return fail(s, "unexpected end of text in a string");
        c = (unsigned char)*s->at;

        if (c == '"') {
            s->at++;
            return true;
        }
        if (c == '\\') {
            if (!scan_escape(s))
                return false;
        } else if (c < 0x20) {
            return fail(s, "control character in a string");
        } else if (c < 0x80) {
            s->at++;
        } else {
            size_t length = hg_utf8_next(hg_str_n(s->at, (size_t)(s->end - s->at)));

            if (!length)
                return fail(s, "invalid UTF-8");
            s->at += length;
        }
    }
}

static bool scan_word(struct scan *s, const char *word, size_t length)
{
    if ((size_t)(s->end - s->at) < length || memcmp(s->at, word, length) != 0)
        return fail(s, "expected a value");
    s->at += length;
    return true;
}

static bool scan_scalar(struct scan *s)
{
    switch (*s->at) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true", 4);
    case 'f':
        return scan_word(s, "false", 5);
    case 'n':
        return scan_word(s, "null", 4);
    default:
        if (*s->at == '-' || is_digit(s))
            return scan_number(s);
        return fail(s, "expected a value");
    }
}

static bool scan_key(struct scan *s)
{
    skip_blanks(s);
    if (s->at == s->end || *s->at != '"')
        return fail(s, "expected a member name in quotes");
    if (!scan_string(s))
        return false;
    skip_blanks(s);
    if (s->at == s->end || *s->at != ':')
        return fail(s, "expected ':' after a member name");
    s->at++;
    skip_blanks(s);
    return true;
}

/* After a value: closes containers and steps over commas until the next value begins. False at the end or on a fault. */
static bool step_on(struct scan *s, char *stack, unsigned *depth)
{
    while (*depth) {
        skip_blanks(s);
        if (s->at == s->end)
            return fail(s, "unexpected end of text");
        if (*s->at == stack[*depth - 1]) {
            s->at++;
            (*depth)--;
            continue;
        }
        if (*s->at != ',')
            return fail(s,
                        stack[*depth - 1] == '}' ? "expected ',' or '}'" : "expected ',' or ']'");
        s->at++;
        if (stack[*depth - 1] == '}')
            return scan_key(s);
        skip_blanks(s);
        return true;
    }
    return false;
}

static bool scan_value(struct scan *s)
{
    char stack[HG_JSON_DEPTH_MAX];
    unsigned depth = 0;

    for (;;) {
        if (s->at == s->end)
            return fail(s, "unexpected end of text");
        if (*s->at == '{' || *s->at == '[') {
            if (depth == HG_JSON_DEPTH_MAX)
                return fail(s, "nested too deeply");
            stack[depth++] = *s->at == '{' ? '}' : ']';
            s->at++;
            skip_blanks(s);
            if (s->at < s->end && *s->at == stack[depth - 1]) {
                s->at++;
                depth--;
            } else if (stack[depth - 1] == '}') {
                if (!scan_key(s))
                    return false;
                continue;
            } else {
                continue;
            }
        } else if (!scan_scalar(s)) {
            return false;
        }
        if (!step_on(s, stack, &depth))
            return s->why == NULL;
    }
}

static enum hg_json_kind kind_of(char first)
{
    switch (first) {
    case '{':
        return HG_JSON_OBJECT;
    case '[':
        return HG_JSON_ARRAY;
    case '"':
        return HG_JSON_STRING;
    case 't':
        return HG_JSON_TRUE;
    case 'f':
        return HG_JSON_FALSE;
    case 'n':
        return HG_JSON_NULL;
    default:
        return HG_JSON_NUMBER;
    }
}

struct hg_json_value hg_json_parse(struct hg_str text, struct hg_json_fault *fault)
{
    struct scan s = {.at = text.p, .end = text.p + text.n};
    const char *start;

    skip_blanks(&s);
    start = s.at;
    if (scan_value(&s)) {
        const char *stop = s.at;

        skip_blanks(&s);
        if (s.at == s.end)
            return (struct hg_json_value){kind_of(*start), hg_str_n(start, (size_t)(stop - start))};
        s.why = "unexpected text after the value";
    }
    if (fault) {
        *fault = (struct hg_json_fault){
            .text = s.why, .offset = (size_t)(s.at - text.p), .line = 1, .column = 1};
        for (const char *p = text.p; p < s.at; p++) {
            fault->column = *p == '\n' ? 1 : fault->column + 1;
            fault->line += *p == '\n';
        }
    }
    return (struct hg_json_value){HG_JSON_BAD, {NULL, 0}};
}

/* The end of a string in checked text; at stands on its first quote. */
static const char *string_end(const char *at, const char *end)
{
    at++;
    for (;;) {
        while (end - at >= 8) {
            uint64_t bytes;

            memcpy(&bytes, at, sizeof(bytes));
            if (has_zero(bytes ^ EACH_BYTE('"')) || has_zero(bytes ^ EACH_BYTE('\\')))
                break;
            at += sizeof(bytes);
        }
        if (*at == '"')
            return at + 1;
        at += *at == '\\' ? 2 : 1;
    }
}

/* The end of a value in checked text. */
static const char *value_end(const char *at, const char *end)
{
    unsigned depth = 0;

    for (;;) {
        if (*at == '"') {
            at = string_end(at, end);
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
            continue;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else if (depth && (*at == ',' || *at == ':' || *at == ' ' || *at == '\n' || *at == '\t' ||
                             *at == '\r')) {
            at++;
            continue;
        } else {
            while (at < end && !strchr(",]} \t\r\n", *at))
                at++;
        }
        if (!depth)
            return at;
    }
}

struct hg_json_walk hg_json_walk(struct hg_json_value container)
{
    if (container.kind != HG_JSON_OBJECT && container.kind != HG_JSON_ARRAY)
        return (struct hg_json_walk){{"", 0}};
    return (struct hg_json_walk){hg_str_n(container.raw.p + 1, container.raw.n - 2)};
}

/* Steps over blanks and separators; false at the end. */
static bool walk_to(struct hg_json_walk *walk)
{
    while (walk->rest.n && strchr(", \t\r\n:", *walk->rest.p))
        walk->rest = hg_str_skip(walk->rest, 1);
    return walk->rest.n > 0;
}

bool hg_json_next_element(struct hg_json_walk *walk, struct hg_json_value *value)
{
    const char *start, *stop;

    if (!walk_to(walk))
        return false;
    start = walk->rest.p;
    stop = value_end(start, start + walk->rest.n);
    value->kind = kind_of(*start);
    value->raw = hg_str_n(start, (size_t)(stop - start));
    walk->rest = hg_str_skip(walk->rest, value->raw.n);
    return true;
}

bool hg_json_next_member(struct hg_json_walk *walk, struct hg_str *key, struct hg_json_value *value)
{
    struct hg_json_value name;

    if (!hg_json_next_element(walk, &name))
        return false;
    *key = hg_str_n(name.raw.p + 1, name.raw.n - 2);
    return hg_json_next_element(walk, value);
}

struct hg_json_value hg_json_member(struct hg_json_value object, const char *name)
{
    struct hg_json_value found = {HG_JSON_BAD, {NULL, 0}}, value;
    struct hg_json_walk walk = hg_json_walk(object);
    struct hg_str key;

    if (object.kind != HG_JSON_OBJECT)
        return found;
    while (hg_json_next_member(&walk, &key, &value))
        if (hg_json_key_is(key, name))
            found = value;
    return found;
}

static uint32_t four_hex(const char *p)
{
    uint32_t code = 0;

    for (int i = 0; i < 4; i++)
        code = code << 4 | (uint32_t)hex_value(p[i]);
    return code;
}

/* Resolves the escape at p (which begins with a backslash) into out; returns its length in the text. */
static size_t unescape_one(const char *p, size_t left, char out[4], size_t *written)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t code, low;

    if (p[1] != 'u') {
        out[0] = to[strchr(from, p[1]) - from];
        *written = 1;
        return 2;
    }
    code = four_hex(p + 2);
    if (code >= 0xd800 && code < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
        low = four_hex(p + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            *written = hg_utf8_encode(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00), out);
            return 12;
        }
    }
    if (code >= 0xd800 && code < 0xe000)
        code = 0xfffd;
    *written = hg_utf8_encode(code, out);
    return 6;
}

bool hg_json_unescape(struct hg_json_value value, struct hg_buf *out)
{
    struct hg_str in = hg_str_n(value.raw.p + 1, value.raw.n - 2);

    while (in.n) {
        const char *escape = memchr(in.p, '\\', in.n);
        size_t plain = escape ? (size_t)(escape - in.p) : in.n, taken, written;
        char bytes[4];

        hg_buf_append(out, in.p, plain);
        in = hg_str_skip(in, plain);
        if (!in.n)
            break;
        taken = unescape_one(in.p, in.n, bytes, &written);
        hg_buf_append(out, bytes, written);
        in = hg_str_skip(in, taken);
    }
    return !out->is_overflown;
}

struct hg_str hg_json_plain(struct hg_json_value value)
{
    struct hg_str inside = hg_str_n(value.raw.p + 1, value.raw.n - 2);

    return hg_str_find(inside, '\\') < 0 ? inside : hg_str_n(NULL, 0);
}

bool hg_json_key_is(struct hg_str raw, const char *text)
{
    size_t length = strlen(text), at = 0;

    if (hg_str_find(raw, '\\') < 0)
        return hg_str_eq(raw, hg_str_n(text, length));
    while (raw.n) {
        char bytes[4];
        size_t taken = 1, written = 1;

        bytes[0] = raw.p[0];
        if (raw.p[0] == '\\')
            taken = unescape_one(raw.p, raw.n, bytes, &written);
        if (length - at < written || memcmp(text + at, bytes, written) != 0)
            return false;
        at += written;
        raw = hg_str_skip(raw, taken);
    }
    return at == length;
}

void hg_json_compact(struct hg_json_value value, struct hg_buf *out)
{
    const char *at = value.raw.p, *end = at + value.raw.n, *run = at;

    while (at < end) {
        if (*at == '"') {
            at = string_end(at, end);
        } else if (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') {
            hg_buf_append(out, run, (size_t)(at - run));
            run = ++at;
        } else {
            at++;
        }
    }
    hg_buf_append(out, run, (size_t)(at - run));
}
