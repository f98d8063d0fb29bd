/*
 * Percent-encoding and decoding.
 */
#include "core/uri.h"

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

static void decode(struct hg_buf *out, struct hg_str text, bool is_form)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (c == '%' && i + 2 < text.n && hex_value(text.p[i + 1]) >= 0 &&
            hex_value(text.p[i + 2]) >= 0) {
            c = (char)(hex_value(text.p[i + 1]) << 4 | hex_value(text.p[i + 2]));
            i += 2;
        } else if (c == '+' && is_form) {
            c = ' ';
        }
        hg_buf_append_byte(out, c);
    }
}

void hg_uri_decode(struct hg_buf *out, struct hg_str text)
{
    decode(out, text, false);
}

void hg_uri_decode_form(struct hg_buf *out, struct hg_str text)
{
    decode(out, text, true);
}

void hg_uri_encode(struct hg_buf *out, struct hg_str text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
            (c && strchr("-._~", c)))
            hg_buf_append_byte(out, (char)c);
        else
            hg_buf_append(out, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
    }
}
