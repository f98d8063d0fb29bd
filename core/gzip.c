#include "core/gzip.h"

#include <zlib.h>

enum { STEP = 65536, GZIP_ONLY = 16 };

static enum hg_rc inflate_all(z_stream *stream, struct hg_buf *out)
{
    int rc;

    do {
        char *room = hg_buf_reserve(out, 1);
        size_t length;

        if (!room)
            return HG_E_TOO_LARGE;
        /* As much as fits below the maximum, in steps that the buffer grows by. */
        length = HG_MIN((size_t)STEP, out->max - out->len);
        room = hg_buf_reserve(out, length);
        stream->next_out = (unsigned char *)room;
        stream->avail_out = (unsigned)length;
        rc = inflate(stream, Z_NO_FLUSH);
        hg_buf_commit(out, length - stream->avail_out);
        if (rc != Z_OK && rc != Z_STREAM_END)
            return HG_E_INVALID;
        if (rc == Z_OK && stream->avail_out && !stream->avail_in)
            return HG_E_INVALID; /* it ends too early */
    } while (rc != Z_STREAM_END);
    return stream->avail_in ? HG_E_INVALID : HG_OK;
}

enum hg_rc hg_gunzip(struct hg_buf *out, struct hg_str text)
{
    z_stream stream = {.next_in = (unsigned char *)(uintptr_t)text.p, .avail_in = (unsigned)text.n};
    enum hg_rc rc;

    if (text.n > UINT32_MAX || inflateInit2(&stream, MAX_WBITS + GZIP_ONLY) != Z_OK)
        return HG_E_INVALID;
    rc = inflate_all(&stream, out);
    (void)inflateEnd(&stream);
    return rc;
}

uint32_t hg_crc32(struct hg_str text)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)text.p, text.n);
}
