/*
 * UTF-8 checks and encoding.
 */
#include "core/utf8.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t hg_utf8_next(struct hg_str text)
{
    const unsigned char *p = (const unsigned char *)text.p;

    if (text.n == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return text.n >= 2 && is_tail(p[1]) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        if (text.n < 3 || !is_tail(p[1]) || !is_tail(p[2]))
            return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f))
            return 0;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (text.n < 4 || !is_tail(p[1]) || !is_tail(p[2]) || !is_tail(p[3]))
            return 0;
        if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
            return 0;
        return 4;
    }
    return 0;
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
