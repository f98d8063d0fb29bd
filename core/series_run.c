/*
 * Layout: points of all series, the index (one entry each, by hash), the foot. Each chunk has its checksum in the index, the foot has
 * its own; an index entry that is damaged points outside or at what its checksum does not fit.
 */
#include "core/series_run.h"

#include "core/crypto.h"
#include "core/gzip.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ENTRY = HG_SERIES_HASH_LEN + 16, /* hash, place, length, checksum */
    FOOT = 48,
    WINDOW = 128, /* entries that one look into the index reads */
    OUT_ROOM = 1 << 20,
    CHUNK_MAX = 1 << 27,
};

static const char magic[8] = {'H', 'G', 'R', 'U', 'N', '0', '0', '1'};

void series_hash(struct hg_str key, unsigned char hash[HG_SERIES_HASH_LEN])
{
    unsigned char whole[HG_SHA256_LEN];

    hg_sha256(key, whole);
    memcpy(hash, whole, HG_SERIES_HASH_LEN);
}

static void put(char *p, uint64_t bits, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (char)(bits >> (8 * i));
}

static uint64_t get(const char *p, unsigned bytes)
{
    uint64_t bits = 0;

    for (unsigned i = 0; i < bytes; i++)
        bits |= (uint64_t)(unsigned char)p[i] << (8 * i);
    return bits;
}

void series_put_point(struct hg_buf *out, int64_t minute, int64_t before,
                      const struct hg_statset *set)
{
    series_put_signed(out, minute - before);
    series_put_statset(out, set);
}

/* ---- writing ---- */

static void flush(struct series_run_writer *writer)
{
    struct hg_str left = hg_buf_str(&writer->out);

    while (left.n && !writer->has_failed) {
        ssize_t length = write(writer->fd, left.p, left.n);

        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            writer->has_failed = true;
        else
            left = hg_str_skip(left, (size_t)length);
    }
    writer->written += writer->out.len;
    hg_buf_clear(&writer->out, OUT_ROOM);
}

static void append(struct series_run_writer *writer, struct hg_str bytes)
{
    if (writer->out.len + bytes.n > OUT_ROOM)
        flush(writer);
    hg_buf_append_str(&writer->out, bytes);
}

enum hg_rc series_run_begin(struct series_run_writer *writer, int dir_fd, const char *name,
                            struct hg_error *err)
{
    *writer = (struct series_run_writer){.min_minute = INT64_MAX, .max_minute = INT64_MIN};
    writer->fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (writer->fd < 0)
        return hg_error_set(err, HG_E_IO, "%s: %s", name, strerror(errno));
    hg_buf_init(&writer->out, CHUNK_MAX + OUT_ROOM);
    return HG_OK;
}

void series_run_add(struct series_run_writer *writer, const unsigned char hash[HG_SERIES_HASH_LEN],
                    struct hg_str body, int64_t min_minute, int64_t max_minute)
{
    struct series_chunk *chunk;

    if (writer->count == writer->room) {
        writer->room = writer->room ? 2 * writer->room : 256;
        writer->index = hg_realloc(writer->index, writer->room * sizeof(*writer->index));
    }
    chunk = &writer->index[writer->count++];
    memcpy(chunk->hash, hash, HG_SERIES_HASH_LEN);
    chunk->at = writer->written + writer->out.len;
    chunk->length = (uint32_t)body.n;
    chunk->checksum = hg_crc32(body);
    writer->min_minute = HG_MIN(writer->min_minute, min_minute);
    writer->max_minute = HG_MAX(writer->max_minute, max_minute);
    append(writer, body);
}

static void write_index(struct series_run_writer *writer)
{
    char foot[FOOT] = {0};

    put(foot + 8, (uint64_t)writer->min_minute, 8);
    put(foot + 16, (uint64_t)writer->max_minute, 8);
    put(foot + 24, writer->written + writer->out.len, 8);
    put(foot + 32, writer->count, 8);
    for (size_t i = 0; i < writer->count; i++) {
        const struct series_chunk *chunk = &writer->index[i];
        char entry[ENTRY];

        memcpy(entry, chunk->hash, HG_SERIES_HASH_LEN);
        put(entry + 16, chunk->at, 8);
        put(entry + 24, chunk->length, 4);
        put(entry + 28, chunk->checksum, 4);
        append(writer, hg_str_n(entry, ENTRY));
    }
    memcpy(foot, magic, sizeof(magic));
    put(foot + 40, hg_crc32(hg_str_n(foot, 40)), 8);
    append(writer, hg_str_n(foot, FOOT));
}

enum hg_rc series_run_end(struct series_run_writer *writer, struct hg_error *err)
{
    enum hg_rc rc = HG_OK;

    write_index(writer);
    flush(writer);
    if (writer->has_failed || fsync(writer->fd) != 0)
        rc = hg_error_set(err, HG_E_IO, "%s", strerror(errno));
    (void)close(writer->fd);
    hg_buf_fini(&writer->out);
    free(writer->index);
    return rc;
}

/* ---- reading ---- */

static bool read_at(int fd, char *out, size_t length, uint64_t at)
{
    while (length) {
        ssize_t got = pread(fd, out, length, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        out += got;
        at += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

enum hg_rc series_run_open(struct series_run *run, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    char foot[FOOT];

    if (size < FOOT || !read_at(fd, foot, FOOT, (uint64_t)size - FOOT) ||
        memcmp(foot, magic, sizeof(magic)) != 0 ||
        get(foot + 40, 8) != hg_crc32(hg_str_n(foot, 40)))
        return HG_E_INVALID;
    run->fd = fd;
    run->bytes = (uint64_t)size;
    run->min_minute = (int64_t)get(foot + 8, 8);
    run->max_minute = (int64_t)get(foot + 16, 8);
    run->index_at = get(foot + 24, 8);
    run->entries = get(foot + 32, 8);
    if (run->entries > run->bytes / ENTRY || run->index_at > run->bytes ||
        run->index_at + run->entries * ENTRY + FOOT != run->bytes)
        return HG_E_INVALID;
    return HG_OK;
}

/* Hashes are spread evenly, so that the place of one can be guessed: the window round the guess mostly holds it. */
static enum hg_rc find(const struct series_run *run, const unsigned char *hash, char entry[ENTRY])
{
    uint64_t low = 0, high = run->entries, want = 0;
    char window[WINDOW * ENTRY];
    bool is_first = true;

    for (unsigned i = 0; i < 4; i++)
        want = want << 8 | hash[i];
    while (low < high) {
        uint64_t guess = is_first ? want * run->entries >> 32 : (low + high) / 2;
        uint64_t begin = guess > WINDOW / 2 ? guess - WINDOW / 2 : 0, count;

        is_first = false;
        begin = HG_MAX(HG_MIN(begin, high - HG_MIN(high - low, (uint64_t)WINDOW)), low);
        count = HG_MIN(high - begin, (uint64_t)WINDOW);
        if (!read_at(run->fd, window, count * ENTRY, run->index_at + begin * ENTRY))
            return HG_E_INVALID;
        if (memcmp(hash, window, HG_SERIES_HASH_LEN) < 0) {
            high = begin;
        } else if (memcmp(hash, window + (count - 1) * ENTRY, HG_SERIES_HASH_LEN) > 0) {
            low = begin + count;
        } else {
            for (uint64_t i = 0; i < count; i++)
                if (memcmp(hash, window + i * ENTRY, HG_SERIES_HASH_LEN) == 0) {
                    memcpy(entry, window + i * ENTRY, ENTRY);
                    return HG_OK;
                }
            return HG_E_NOT_FOUND;
        }
    }
    return HG_E_NOT_FOUND;
}

static enum hg_rc read_points(struct hg_str rest, int64_t from, int64_t to, series_point_fn each,
                              void *arg)
{
    struct hg_statset set = {0};
    int64_t minute = 0, step;
    bool is_good = true;

    while (rest.n && is_good) {
        is_good = series_get_signed(&rest, &step) && series_get_statset(&rest, &set) &&
                  !__builtin_add_overflow(minute, step, &minute);
        if (is_good && minute >= from && minute < to)
            each(minute, &set, arg);
    }
    hg_statset_fini(&set);
    return is_good ? HG_OK : HG_E_INVALID;
}

enum hg_rc series_run_read(const struct series_run *run,
                           const unsigned char hash[HG_SERIES_HASH_LEN], int64_t from, int64_t to,
                           series_point_fn each, void *arg)
{
    char entry[ENTRY], *body;
    uint64_t at, length;
    enum hg_rc rc;

    if (run->max_minute < from || run->min_minute >= to)
        return HG_E_NOT_FOUND;
    rc = find(run, hash, entry);
    if (rc != HG_OK)
        return rc;
    at = get(entry + 16, 8);
    length = get(entry + 24, 4);
    if (length > CHUNK_MAX || at > run->index_at || length > run->index_at - at)
        return HG_E_INVALID;
    body = hg_malloc(length + 1);
    rc = HG_E_INVALID;
    if (read_at(run->fd, body, length, at) &&
        hg_crc32(hg_str_n(body, length)) == get(entry + 28, 4))
        rc = read_points(hg_str_n(body, length), from, to, each, arg);
    free(body);
    return rc;
}
