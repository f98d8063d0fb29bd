/*
 * Writes zip files byte by byte, also ones that no zip tool would make.
 */
#ifndef HG_TESTS_ZIP_WRITER_H
#define HG_TESTS_ZIP_WRITER_H

#include "core/buf.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct zip_writer {
    struct hg_buf bytes, directory;
    unsigned count;
};

static inline void zip_writer_init(struct zip_writer *zip)
{
    hg_buf_init(&zip->bytes, (size_t)1 << 30);
    hg_buf_init(&zip->directory, (size_t)1 << 30);
    zip->count = 0;
}

static inline void put_le(struct hg_buf *buf, uint64_t value, int bytes)
{
    for (; bytes > 0; bytes--, value >>= 8)
        (void)hg_buf_append_byte(buf, (char)(value & 0xff));
}

static inline uint32_t zip_crc(struct hg_str text)
{
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < text.n; i++) {
        crc ^= (unsigned char)text.p[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* What both headers of an entry have in common (APPNOTE 4.3.7, 4.3.12). */
static inline void put_common(struct hg_buf *buf, struct hg_str name, struct hg_str content)
{
    put_le(buf, 20, 2);         /* version needed */
    put_le(buf, 0, 2);          /* flags */
    put_le(buf, 0, 2);          /* stored */
    put_le(buf, 0x00210000, 4); /* 1980-01-01 */
    put_le(buf, zip_crc(content), 4);
    put_le(buf, content.n, 4);
    put_le(buf, content.n, 4);
    put_le(buf, name.n, 2);
    put_le(buf, 0, 2); /* extra */
}

/* A stored entry; mode is a whole Unix mode, 0 for an archive from another system. */
static inline void zip_writer_add(struct zip_writer *zip, const char *name, struct hg_str content,
                                  unsigned mode)
{
    size_t offset = zip->bytes.len;

    put_le(&zip->bytes, 0x04034b50, 4);
    put_common(&zip->bytes, hg_str_of(name), content);
    (void)hg_buf_append_cstr(&zip->bytes, name);
    (void)hg_buf_append_str(&zip->bytes, content);

    put_le(&zip->directory, 0x02014b50, 4);
    put_le(&zip->directory, mode ? 3 << 8 | 20 : 20, 2); /* made by Unix */
    put_common(&zip->directory, hg_str_of(name), content);
    put_le(&zip->directory, 0, 2); /* comment */
    put_le(&zip->directory, 0, 2); /* disk */
    put_le(&zip->directory, 0, 2); /* internal attributes */
    put_le(&zip->directory, (uint64_t)mode << 16, 4);
    put_le(&zip->directory, offset, 4);
    (void)hg_buf_append_cstr(&zip->directory, name);
    zip->count++;
}

/* Ends the archive and writes it to path. */
static inline void zip_writer_save(struct zip_writer *zip, const char *path)
{
    size_t offset = zip->bytes.len;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    struct hg_str text;

    (void)hg_buf_append_str(&zip->bytes, hg_buf_str(&zip->directory));
    put_le(&zip->bytes, 0x06054b50, 4);
    put_le(&zip->bytes, 0, 4);
    put_le(&zip->bytes, zip->count, 2);
    put_le(&zip->bytes, zip->count, 2);
    put_le(&zip->bytes, zip->directory.len, 4);
    put_le(&zip->bytes, offset, 4);
    put_le(&zip->bytes, 0, 2);
    hg_assert(fd >= 0);
    for (text = hg_buf_str(&zip->bytes); text.n;) {
        ssize_t n = write(fd, text.p, text.n);

        hg_assert(n > 0);
        text = hg_str_skip(text, (size_t)n);
    }
    (void)close(fd);
    hg_buf_fini(&zip->bytes);
    hg_buf_fini(&zip->directory);
}

#endif
