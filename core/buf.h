/*
 * A growing run of bytes that cannot be made without a maximum: append at the
 * end, consume at the front. One owner, one thread at a time.
 */
#ifndef HG_CORE_BUF_H
#define HG_CORE_BUF_H

#include "core/str.h"

#include <stdarg.h>

struct hg_buf {
    char *base;
    size_t off; /* consumed at the front */
    size_t len; /* readable bytes from off */
    size_t cap;
    size_t max;        /* len never exceeds it */
    bool is_overflown; /* an append did not fit; what follows is dropped too */
};

void hg_buf_init(struct hg_buf *buf, size_t max);
void hg_buf_fini(struct hg_buf *buf);

static inline struct hg_str hg_buf_str(const struct hg_buf *buf)
{
    return hg_str_n(buf->base ? buf->base + buf->off : "", buf->len);
}

/*
 * Appends. When it does not fit, nothing is added, is_overflown is set and
 * false comes back: a writer may append many times and look once.
 */
bool hg_buf_append(struct hg_buf *buf, const void *bytes, size_t length);
bool hg_buf_append_str(struct hg_buf *buf, struct hg_str text);
bool hg_buf_append_cstr(struct hg_buf *buf, const char *text);
bool hg_buf_append_byte(struct hg_buf *buf, char byte);
bool hg_buf_append_u64(struct hg_buf *buf, uint64_t value);
bool hg_buf_append_i64(struct hg_buf *buf, int64_t value);
bool hg_buf_printf(struct hg_buf *buf, const char *format, ...) hg_printf_like(2, 3);
bool hg_buf_vprintf(struct hg_buf *buf, const char *format, va_list args) hg_printf_like(2, 0);

/* Room for length bytes behind the readable ones, to be filled and then committed; NULL when over the maximum. */
char *hg_buf_reserve(struct hg_buf *buf, size_t length);
void hg_buf_commit(struct hg_buf *buf, size_t length);

/* Drops length bytes at the front. */
void hg_buf_consume(struct hg_buf *buf, size_t length);
/* Empties it; keeps the memory when it is at most keep_bytes. */
void hg_buf_clear(struct hg_buf *buf, size_t keep_bytes);
/* Moves the content of from into to (which is emptied first); from stays usable and empty. */
void hg_buf_take(struct hg_buf *to, struct hg_buf *from);

#endif
