/*
 * Lines of a log file, and names and messages that become one: what is written is read again as it was.
 */
#include "workers/log_line.h"

enum { ROOM = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void read_lines(struct hg_str rest, struct hg_buf *out)
{
    struct hg_log_line line;
    struct hg_str text;

    while (hg_str_next(&rest, '\n', &text)) {
        if (!log_line_parse(text, &line))
            continue;
        hg_assert(line.wall_ms >= 0 && line.stream.n > 0 && hg_str_find(line.stream, ' ') < 0);
        hg_buf_clear(out, ROOM);
        log_line_message(&line, out);
        hg_buf_clear(out, ROOM);
        log_stream_decode(line.stream, out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str all = {(const char *)bytes, size}, name, message;
    struct hg_log_line line;
    struct hg_buf stream, written, out;

    hg_buf_init(&stream, ROOM);
    hg_buf_init(&written, 2 * ROOM);
    hg_buf_init(&out, 2 * ROOM);
    read_lines(all, &out);
    if (size > 1 && size < 65536) {
        name = hg_str_n(all.p, size / 2);
        message = hg_str_skip(all, size / 2);
        log_stream_encode(name, &stream);
        log_line_put(&written, 5, 7, hg_buf_str(&stream), message);
        hg_assert(hg_str_find(hg_buf_str(&written), '\n') == (ptrdiff_t)written.len - 1);
        hg_assert(log_line_parse(hg_str_n(hg_buf_str(&written).p, written.len - 1), &line));
        hg_assert(line.wall_ms == 5 && line.ingested_ms == 7 && line.is_put);
        hg_buf_clear(&out, ROOM);
        log_line_message(&line, &out);
        hg_assert(hg_str_eq(hg_buf_str(&out), message));
        hg_buf_clear(&out, ROOM);
        log_stream_decode(line.stream, &out);
        hg_assert(hg_str_eq(hg_buf_str(&out), name));
    }
    hg_buf_fini(&stream);
    hg_buf_fini(&written);
    hg_buf_fini(&out);
    return 0;
}
