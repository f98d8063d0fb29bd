/*
 * JSON text from values (RFC 8259).
 */
#include "core/json_write.h"

#include "core/utf8.h"

#include <stdio.h>

/* 0: copy as is; 1: control, \uXXXX; 2: start of a multi-byte sequence; else the letter behind the backslash. */
static inline unsigned char escape_of(unsigned char c)
{
    static const char letters[32] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    if (c >= 0x80)
        return 2;
    if (c >= 0x20)
        return c == '"' || c == '\\' ? c : 0;
    return letters[c] ? (unsigned char)letters[c] : 1;
}

void hg_json_escape(struct hg_buf *out, struct hg_str text)
{
    size_t run = 0, i = 0;

    while (i < text.n) {
        unsigned char kind = escape_of((unsigned char)text.p[i]);
        size_t length;

        if (hg_likely(kind == 0)) {
            i++;
            continue;
        }
        length = kind == 2 ? hg_utf8_next(hg_str_skip(text, i)) : 1;
        if (kind == 2 && length) {
            i += length;
            continue;
        }
        hg_buf_append(out, text.p + run, i - run);
        if (kind == 2)
            hg_buf_append(out, "\xef\xbf\xbd", 3);
        else if (kind == 1)
            hg_buf_printf(out, "\\u%04x", (unsigned)text.p[i]);
        else
            hg_buf_append(out, (char[]){'\\', (char)kind}, 2);
        run = ++i;
    }
    hg_buf_append(out, text.p + run, i - run);
}

static void before_value(struct hg_json *json)
{
    if (json->wants_comma)
        hg_buf_append_byte(json->out, ',');
    json->wants_comma = true;
}

void hg_json_begin_object(struct hg_json *json)
{
    before_value(json);
    hg_buf_append_byte(json->out, '{');
    json->wants_comma = false;
}

void hg_json_end_object(struct hg_json *json)
{
    hg_buf_append_byte(json->out, '}');
    json->wants_comma = true;
}

void hg_json_begin_array(struct hg_json *json)
{
    before_value(json);
    hg_buf_append_byte(json->out, '[');
    json->wants_comma = false;
}

void hg_json_end_array(struct hg_json *json)
{
    hg_buf_append_byte(json->out, ']');
    json->wants_comma = true;
}

void hg_json_key(struct hg_json *json, struct hg_str key)
{
    before_value(json);
    hg_buf_append_byte(json->out, '"');
    hg_json_escape(json->out, key);
    hg_buf_append(json->out, "\":", 2);
    json->wants_comma = false;
}

void hg_json_key_raw(struct hg_json *json, struct hg_str quoted_key_and_colon)
{
    before_value(json);
    hg_buf_append_str(json->out, quoted_key_and_colon);
    json->wants_comma = false;
}

void hg_json_str(struct hg_json *json, struct hg_str text)
{
    before_value(json);
    hg_buf_append_byte(json->out, '"');
    hg_json_escape(json->out, text);
    hg_buf_append_byte(json->out, '"');
}

void hg_json_cstr(struct hg_json *json, const char *text)
{
    if (text)
        hg_json_str(json, hg_str_of(text));
    else
        hg_json_null(json);
}

void hg_json_i64(struct hg_json *json, int64_t value)
{
    before_value(json);
    hg_buf_append_i64(json->out, value);
}

void hg_json_u64(struct hg_json *json, uint64_t value)
{
    before_value(json);
    hg_buf_append_u64(json->out, value);
}

void hg_json_bool(struct hg_json *json, bool value)
{
    hg_json_raw(json, value ? HG_STR("true") : HG_STR("false"));
}

void hg_json_null(struct hg_json *json)
{
    hg_json_raw(json, HG_STR("null"));
}

void hg_json_raw(struct hg_json *json, struct hg_str text)
{
    before_value(json);
    hg_buf_append_str(json->out, text);
}
