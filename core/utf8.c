/*
 * UTF-8 checks and encoding.
 */
#include "core/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* Overlong forms, surrogates and codes beyond U+10FFFF show in the first two bytes. */
static bool is_second(unsigned char first, unsigned char c)
{
    switch (first) {
    case 0xe0:
        return c >= 0xa0 && c <= 0xbf;
    case 0xed:
        return c >= 0x80 && c <= 0x9f;
    case 0xf0:
        return c >= 0x90 && c <= 0xbf;
    case 0xf4:
        return c >= 0x80 && c <= 0x8f;
    default:
        return is_tail(c);
    }
}

/* How long a character is that begins so; 0: none does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t hg_utf8_next(struct hg_str text)
{
    const unsigned char *p = (const unsigned char *)text.p;
    size_t length = text.n ? length_of(p[0]) : 0;

    if (length > text.n || (length > 1 && !is_second(p[0], p[1])))
        return 0;
    for (size_t i = 2; i < length; i++)
        if (!is_tail(p[i]))
            return 0;
    return length;
}

/* How many of the first bytes are ASCII, eight at a time. */
static size_t ascii_run(struct hg_str text)
{
    size_t i = 0;

    for (; i + 8 <= text.n; i += 8) {
        uint64_t word;

        memcpy(&word, text.p + i, 8);
        if (word & 0x8080808080808080ULL)
            break;
    }
    while (i < text.n && (unsigned char)text.p[i] < 0x80)
        i++;
    return i;
}

bool hg_utf8_is_valid(struct hg_str text)
{
    while (text.n) {
        size_t length = ascii_run(text);

        if (!length)
            length = hg_utf8_next(text);
        if (!length)
            return false;
        text = hg_str_skip(text, length);
    }
    return true;
}

size_t hg_utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

void hg_utf8_append_clean(struct hg_buf *out, struct hg_str text)
{
    while (text.n) {
        size_t length = ascii_run(text);

        if (!length)
            length = hg_utf8_next(text);
        if (length)
            hg_buf_append(out, text.p, length);
        else
            hg_buf_append(out, "\xef\xbf\xbd", 3);
        text = hg_str_skip(text, length ? length : 1);
    }
}
