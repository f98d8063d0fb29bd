/*
 * Queued output: a list of chunks, each either bytes copied into it or a slice
 * that lives elsewhere. Everything goes out with one system call a turn, as
 * long as the socket takes it.
 */
#include "http/conn_life.h"
#include "http/transport.h"

#include "core/metrics.h"

#include <stdlib.h>

enum {
    CHUNK_BYTES = 4096 - 48, /* with its header a page */
    SLICE_MIN = 2048,        /* shorter ones are cheaper to copy */
    PIECES_MAX = 32,         /* per system call */
#ifdef HG_ARENA_MALLOC
    SPARE_MAX = 0, /* so that AddressSanitizer sees every chunk */
#else
    SPARE_MAX = 64, /* chunks kept per thread */
#endif
};

struct hg_out_chunk {
    struct hg_out_chunk *next;
    const char *at; /* first byte that was not sent */
    size_t length;  /* bytes not sent */
    size_t room;    /* free bytes behind them */
    size_t size;    /* of bytes[]; 0 for a slice */
    struct hg_blob *holder;
    char bytes[];
};

static _Thread_local struct hg_out_chunk *spare;
static _Thread_local unsigned spare_count;

static struct hg_out_chunk *chunk_new(size_t room)
{
    struct hg_out_chunk *chunk = spare;

    if (room <= CHUNK_BYTES && chunk) {
        spare = chunk->next;
        spare_count--;
        room = CHUNK_BYTES;
    } else {
        room = HG_MAX(room, CHUNK_BYTES);
        chunk = hg_malloc(sizeof(*chunk) + room);
    }
    chunk->next = NULL;
    chunk->at = chunk->bytes;
    chunk->length = 0;
    chunk->room = chunk->size = room;
    chunk->holder = NULL;
    return chunk;
}

static void chunk_free(struct hg_out_chunk *chunk)
{
    hg_blob_unref(chunk->holder);
    if (chunk->size == CHUNK_BYTES && spare_count + 1 <= (unsigned)SPARE_MAX) {
        chunk->next = spare;
        spare = chunk;
        spare_count++;
        return;
    }
    free(chunk);
}

static void append_chunk(struct hg_out *out, struct hg_out_chunk *chunk)
{
    if (out->last)
        out->last->next = chunk;
    else
        out->first = chunk;
    out->last = chunk;
}

char *conn_reserve(struct hg_conn *conn, size_t length)
{
    struct hg_out_chunk *last = conn->out.last;

    if (!last || last->room < length) {
        last = chunk_new(length);
        append_chunk(&conn->out, last);
    }
    return (char *)last->at + last->length;
}

void conn_commit(struct hg_conn *conn, size_t length)
{
    struct hg_out_chunk *last = conn->out.last;

    hg_assert(last && length <= last->room);
    if (!conn_is_open(conn))
        return;
    last->length += length;
    last->room -= length;
    conn->queued += length;
    conn_want_flush(conn);
}

void conn_write(struct hg_conn *conn, const void *bytes, size_t length)
{
    if (length == 0 || !conn_is_open(conn))
        return;
    memcpy(conn_reserve(conn, length), bytes, length);
    conn_commit(conn, length);
}

void conn_write_slice(struct hg_conn *conn, struct hg_str bytes, struct hg_blob *holder)
{
    struct hg_out_chunk *chunk;

    if (bytes.n < SLICE_MIN) {
        conn_write(conn, bytes.p, bytes.n);
        return;
    }
    if (!conn_is_open(conn))
        return;
    chunk = hg_malloc(sizeof(*chunk));
    *chunk = (struct hg_out_chunk){
        .at = bytes.p, .length = bytes.n, .holder = holder ? hg_blob_ref(holder) : NULL};
    append_chunk(&conn->out, chunk);
    conn->queued += bytes.n;
    conn_want_flush(conn);
}

/* Drops length sent bytes at the front. */
static void consume(struct hg_conn *conn, size_t length)
{
    struct hg_out *out = &conn->out;

    conn->sent += length;
    while (out->first && length >= out->first->length) {
        struct hg_out_chunk *done = out->first;

        length -= done->length;
        out->first = done->next;
        if (!out->first)
            out->last = NULL;
        chunk_free(done);
    }
    if (length) {
        hg_assert(out->first != NULL);
        out->first->at += length;
        out->first->length -= length;
    }
}

static int gather(const struct hg_out *out, struct iovec pieces[PIECES_MAX])
{
    int count = 0;

    for (struct hg_out_chunk *c = out->first; c && count < PIECES_MAX; c = c->next) {
        if (c->length)
            pieces[count++] = (struct iovec){(char *)c->at, c->length};
    }
    return count;
}

bool conn_out_write(struct hg_conn *conn)
{
    struct iovec pieces[PIECES_MAX];
    uint64_t before = conn->sent;
    enum hg_io io = HG_IO_OK;

    while (io == HG_IO_OK && conn_pending(conn)) {
        int count = gather(&conn->out, pieces);
        size_t put;

        io = conn->transport->write(conn, pieces, count, &put);
        consume(conn, put);
    }
    if (conn->sent != before)
        hg_count(HG_M_BYTES_OUT, conn->sent - before);
    conn->is_short = conn_pending(conn) > 0;
    return io == HG_IO_OK || io == HG_IO_WANT_WRITE || io == HG_IO_WANT_READ;
}

void conn_out_fini(struct hg_conn *conn)
{
    while (conn->out.first) {
        struct hg_out_chunk *chunk = conn->out.first;

        conn->out.first = chunk->next;
        chunk_free(chunk);
    }
    conn->out.last = NULL;
}
