/*
 * Growth doubles, up to the maximum; consumed bytes are squeezed out only when
 * room is needed.
 */
#include "core/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BYTES = 256 };

void hg_buf_init(struct hg_buf *buf, size_t max)
{
    *buf = (struct hg_buf){.max = max};
}

void hg_buf_fini(struct hg_buf *buf)
{
    free(buf->base);
    *buf = (struct hg_buf){.max = buf->max};
}

static bool make_room(struct hg_buf *buf, size_t length)
{
    size_t need = buf->len + length, cap;
    char *base;

    if (length > buf->max - buf->len)
        return false;
    if (buf->off && (need <= buf->cap - buf->cap / 4 || buf->off >= buf->cap / 2) &&
        need <= buf->cap) {
        memmove(buf->base, buf->base + buf->off, buf->len);
        buf->off = 0;
        return true;
    }
    cap = buf->cap ? buf->cap : FIRST_BYTES;
    while (cap < need)
        cap *= 2;
    if (cap > buf->max && buf->max >= need)
        cap = buf->max;
    base = malloc(cap);
    if (!base)
        return false;
    if (buf->len)
        memcpy(base, buf->base + buf->off, buf->len);
    free(buf->base);
    buf->base = base;
    buf->cap = cap;
    buf->off = 0;
    return true;
}

char *hg_buf_reserve(struct hg_buf *buf, size_t length)
{
    if (hg_unlikely(buf->is_overflown))
        return NULL;
    if (hg_unlikely(
            length > buf->max - buf->len ||
            ((!buf->base || buf->cap - buf->off - buf->len < length) && !make_room(buf, length)))) {
        buf->is_overflown = true;
        return NULL;
    }
    return buf->base + buf->off + buf->len;
}

void hg_buf_commit(struct hg_buf *buf, size_t length)
{
    hg_assert(length <= buf->cap - buf->off - buf->len);
    buf->len += length;
}

bool hg_buf_append(struct hg_buf *buf, const void *bytes, size_t length)
{
    char *room;

    if (length == 0)
        return !buf->is_overflown;
    room = hg_buf_reserve(buf, length);
    if (!room)
        return false;
    memcpy(room, bytes, length);
    buf->len += length;
    return true;
}

bool hg_buf_append_str(struct hg_buf *buf, struct hg_str text)
{
    return hg_buf_append(buf, text.p, text.n);
}

bool hg_buf_append_cstr(struct hg_buf *buf, const char *text)
{
    return hg_buf_append(buf, text, strlen(text));
}

bool hg_buf_append_byte(struct hg_buf *buf, char byte)
{
    return hg_buf_append(buf, &byte, 1);
}

bool hg_buf_append_u64(struct hg_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return hg_buf_append(buf, digits + at, sizeof(digits) - at);
}

bool hg_buf_append_i64(struct hg_buf *buf, int64_t value)
{
    if (value >= 0)
        return hg_buf_append_u64(buf, (uint64_t)value);
    return hg_buf_append_byte(buf, '-') && hg_buf_append_u64(buf, 0 - (uint64_t)value);
}

bool hg_buf_vprintf(struct hg_buf *buf, const char *format, va_list args)
{
    va_list again;
    char *room;
    int length;

    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    hg_assert(length >= 0);
    /* vsnprintf writes its terminator too; it is not committed. */
    room = hg_buf_reserve(buf, (size_t)length + 1);
    if (room) {
        (void)vsnprintf(room, (size_t)length + 1, format, again);
        buf->len += (size_t)length;
    }
    va_end(again);
    return room != NULL;
}

bool hg_buf_printf(struct hg_buf *buf, const char *format, ...)
{
    va_list args;
    bool fits;

    va_start(args, format);
    fits = hg_buf_vprintf(buf, format, args);
    va_end(args);
    return fits;
}

void hg_buf_consume(struct hg_buf *buf, size_t length)
{
    hg_assert(length <= buf->len);
    buf->off += length;
    buf->len -= length;
    if (buf->len == 0)
        buf->off = 0;
}

void hg_buf_clear(struct hg_buf *buf, size_t keep_bytes)
{
    if (buf->cap > keep_bytes) {
        hg_buf_fini(buf);
        return;
    }
    buf->off = buf->len = 0;
    buf->is_overflown = false;
}

void hg_buf_take(struct hg_buf *to, struct hg_buf *from)
{
    size_t to_max = to->max, from_max = from->max;

    free(to->base);
    *to = *from;
    to->max = HG_MAX(to_max, to->len);
    *from = (struct hg_buf){.max = from_max};
}
