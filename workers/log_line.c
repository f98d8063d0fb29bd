/*
 * Reading is on the path of every query over megabytes: nothing is copied until a message is wanted.
 */
#include "workers/log_line.h"

enum { DIGITS_MAX = 18 };

/* Takes the digits at the front of *rest. */
static bool take_number(struct hg_str *rest, int64_t *value)
{
    size_t count = 0;

    *value = 0;
    while (count < rest->n && rest->p[count] >= '0' && rest->p[count] <= '9') {
        if (count == DIGITS_MAX)
            return false;
        *value = *value * 10 + (rest->p[count++] - '0');
    }
    *rest = hg_str_skip(*rest, count);
    return count > 0;
}

bool log_line_parse(struct hg_str line, struct hg_log_line *out)
{
    ptrdiff_t end;

    if (!take_number(&line, &out->wall_ms) || line.n == 0)
        return false;
    out->is_put = line.p[0] == ',';
    out->ingested_ms = out->wall_ms;
    if (out->is_put) {
        line = hg_str_skip(line, 1);
        if (!take_number(&line, &out->ingested_ms))
            return false;
    }
    if (line.n == 0 || line.p[0] != ' ')
        return false;
    line = hg_str_skip(line, 1);
    end = hg_str_find(line, ' ');
    if (end < 1)
        return false;
    out->stream = hg_str_n(line.p, (size_t)end);
    out->text = hg_str_skip(line, (size_t)end + 1);
    return true;
}

void log_line_message(const struct hg_log_line *line, struct hg_buf *out)
{
    struct hg_str text = line->text;

    if (!line->is_put) {
        hg_buf_append_str(out, text);
        hg_buf_append_byte(out, '\n');
        return;
    }
    while (text.n) {
        ptrdiff_t escape = hg_str_find(text, '\\');
        size_t plain = escape < 0 ? text.n : (size_t)escape;

        hg_buf_append_str(out, hg_str_n(text.p, plain));
        text = hg_str_skip(text, plain);
        if (text.n < 2)
            return;
        hg_buf_append_byte(out, text.p[1] == 'n' ? '\n' : text.p[1]);
        text = hg_str_skip(text, 2);
    }
}

static void escape(struct hg_buf *out, struct hg_str message)
{
    size_t start = 0;

    for (size_t i = 0; i < message.n; i++) {
        if (message.p[i] != '\n' && message.p[i] != '\\')
            continue;
        hg_buf_append(out, message.p + start, i - start);
        hg_buf_append_str(out, message.p[i] == '\n' ? HG_STR("\\n") : HG_STR("\\\\"));
        start = i + 1;
    }
    hg_buf_append(out, message.p + start, message.n - start);
}

void log_line_put(struct hg_buf *out, int64_t wall_ms, int64_t ingested_ms, struct hg_str stream,
                  struct hg_str message)
{
    hg_buf_append_i64(out, wall_ms);
    hg_buf_append_byte(out, ',');
    hg_buf_append_i64(out, ingested_ms);
    hg_buf_append_byte(out, ' ');
    hg_buf_append_str(out, stream);
    hg_buf_append_byte(out, ' ');
    escape(out, message);
    hg_buf_append_byte(out, '\n');
}

void log_stream_encode(struct hg_str name, struct hg_buf *out)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (c > ' ' && c != '%' && c != 0x7f)
            hg_buf_append_byte(out, (char)c);
        else
            hg_buf_printf(out, "%%%02X", c);
    }
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void log_stream_decode(struct hg_str encoded, struct hg_buf *out)
{
    for (size_t i = 0; i < encoded.n; i++) {
        bool is_escape = encoded.p[i] == '%' && i + 2 < encoded.n;
        int high = is_escape ? hex_digit(encoded.p[i + 1]) : -1;
        int low = is_escape ? hex_digit(encoded.p[i + 2]) : -1;

        if (high < 0 || low < 0) {
            hg_buf_append_byte(out, encoded.p[i]);
            continue;
        }
        hg_buf_append_byte(out, (char)(16 * high + low));
        i += 2;
    }
}
