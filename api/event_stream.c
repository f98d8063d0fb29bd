/*
 * Frames: a prelude with both lengths and its checksum, headers that are all strings, the payload, a checksum of everything. All
 * numbers are big-endian.
 */
#include "api/event_stream.h"

#include "core/gzip.h"

#include <endian.h>

enum { HEADER_STRING = 7, PRELUDE_BYTES = 12, CHECKSUM_BYTES = 4 };

static void append_u32(struct hg_buf *out, uint32_t value)
{
    uint32_t wire = htobe32(value);

    hg_buf_append(out, &wire, sizeof(wire));
}

static void append_header(struct hg_buf *out, const char *name, const char *value)
{
    uint16_t length = htobe16((uint16_t)strlen(value));

    hg_buf_append_byte(out, (char)strlen(name));
    hg_buf_append_cstr(out, name);
    hg_buf_append_byte(out, HEADER_STRING);
    hg_buf_append(out, &length, sizeof(length));
    hg_buf_append_cstr(out, value);
}

static size_t header_size(const char *name, const char *value)
{
    return 1 + strlen(name) + 1 + sizeof(uint16_t) + strlen(value);
}

struct frame {
    const char *type_name, *type; /* ":event-type" and which, or ":exception-type" */
    const char *content_type;
    const char *message_type;
};

static void write_frame(struct hg_buf *out, const struct frame *kind, struct hg_str payload)
{
    size_t start = out->len, headers;
    struct hg_str frame;

    hg_assert(payload.n <= HG_EVENT_FRAME_PAYLOAD_MAX);
    headers = header_size(kind->type_name, kind->type) +
              header_size(":content-type", kind->content_type) +
              header_size(":message-type", kind->message_type);
    append_u32(out, (uint32_t)(PRELUDE_BYTES + headers + payload.n + CHECKSUM_BYTES));
    append_u32(out, (uint32_t)headers);
    if (out->is_overflown)
        return;
    frame = hg_str_skip(hg_buf_str(out), start);
    append_u32(out, hg_crc32(frame));
    append_header(out, kind->type_name, kind->type);
    append_header(out, ":content-type", kind->content_type);
    append_header(out, ":message-type", kind->message_type);
    hg_buf_append_str(out, payload);
    if (out->is_overflown)
        return;
    frame = hg_str_skip(hg_buf_str(out), start);
    append_u32(out, hg_crc32(frame));
}

void event_stream_write(struct hg_buf *out, const char *event_type, const char *content_type,
                        struct hg_str payload)
{
    write_frame(out, &(struct frame){":event-type", event_type, content_type, "event"}, payload);
}

void event_stream_write_exception(struct hg_buf *out, const char *exception_type,
                                  const char *content_type, struct hg_str payload)
{
    write_frame(out, &(struct frame){":exception-type", exception_type, content_type, "exception"},
                payload);
}

void event_stream_write_all(struct hg_buf *out, const char *event_type, const char *content_type,
                            struct hg_str payload)
{
    while (payload.n) {
        struct hg_str part =
            hg_str_n(payload.p, HG_MIN(payload.n, (size_t)HG_EVENT_PAYLOAD_PER_FRAME_MAX));

        event_stream_write(out, event_type, content_type, part);
        payload = hg_str_skip(payload, part.n);
    }
}
