/*
 * Bump allocation in chunks; the first chunk holds the arena itself. Standard
 * chunks are kept on a small free list per thread, since every request takes
 * one. With HG_ARENA_MALLOC every piece is a malloc of its own, so that
 * AddressSanitizer sees overruns and uses after the end.
 */
#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHUNK_BYTES = 4096, /* holds a usual request with its headers */
    KEEP_CHUNKS = 64,   /* per thread: 256 KiB at most */
    ALIGN = 16,
};

struct chunk {
    struct chunk *next;
    size_t size; /* of the memory behind this header */
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *ptr);
    void *ptr;
};

struct hg_arena {
    struct chunk *chunks; /* newest first; the last one holds this struct */
    char *at, *end;       /* free part of the newest standard chunk */
    size_t used, max;
    struct deferred *deferred;
};

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

#ifndef HG_ARENA_MALLOC

static _Thread_local struct chunk *kept;
static _Thread_local unsigned kept_count;

static struct chunk *chunk_take(size_t size)
{
    struct chunk *chunk = kept;

    if (size <= CHUNK_BYTES - sizeof(struct chunk) && chunk) {
        kept = chunk->next;
        kept_count--;
        return chunk;
    }
    if (size < CHUNK_BYTES - sizeof(struct chunk))
        size = CHUNK_BYTES - sizeof(struct chunk);
    chunk = malloc(sizeof(*chunk) + size);
    if (chunk)
        chunk->size = size;
    return chunk;
}

static void chunk_give(struct chunk *chunk)
{
    if (chunk->size == CHUNK_BYTES - sizeof(struct chunk) && kept_count < KEEP_CHUNKS) {
        chunk->next = kept;
        kept = chunk;
        kept_count++;
        return;
    }
    free(chunk);
}

static void *carve(struct hg_arena *arena, size_t size)
{
    struct chunk *chunk;
    char *piece;

    if (hg_likely(size <= (size_t)(arena->end - arena->at))) {
        piece = arena->at;
        arena->at += size;
        return piece;
    }
    chunk = chunk_take(size);
    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    piece = (char *)(chunk + 1);
    /* A piece larger than a chunk must not end the use of the current one. */
    if (chunk->size == CHUNK_BYTES - sizeof(struct chunk)) {
        arena->at = piece + size;
        arena->end = piece + chunk->size;
    }
    return piece;
}

#else

static struct chunk *chunk_take(size_t size)
{
    struct chunk *chunk = malloc(sizeof(*chunk) + size);

    if (chunk)
        chunk->size = size;
    return chunk;
}

static void chunk_give(struct chunk *chunk)
{
    free(chunk);
}

static void *carve(struct hg_arena *arena, size_t size)
{
    struct chunk *chunk = chunk_take(size);

    if (!chunk)
        return NULL;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk + 1;
}

#endif

static void start(struct hg_arena *arena, struct chunk *first)
{
    first->next = NULL;
    arena->chunks = first;
    arena->at = (char *)arena + aligned(sizeof(*arena));
    arena->end = (char *)(first + 1) + first->size;
    arena->used = 0;
    arena->deferred = NULL;
}

struct hg_arena *hg_arena_new(size_t max_bytes)
{
    struct chunk *first = chunk_take(aligned(sizeof(struct hg_arena)));
    struct hg_arena *arena;

    hg_assert(first != NULL);
    arena = (struct hg_arena *)(first + 1);
    arena->max = max_bytes;
    start(arena, first);
    return arena;
}

/* Everything but the first chunk, which is returned. */
static struct chunk *release(struct hg_arena *arena)
{
    struct chunk *chunk;

    while (arena->deferred) {
        struct deferred *d = arena->deferred;

        arena->deferred = d->next;
        d->fn(d->ptr);
    }
    chunk = arena->chunks;
    while (chunk->next) {
        struct chunk *next = chunk->next;

        chunk_give(chunk);
        chunk = next;
    }
    return chunk;
}

void hg_arena_free(struct hg_arena *arena)
{
    if (arena)
        chunk_give(release(arena));
}

void hg_arena_reset(struct hg_arena *arena)
{
    start(arena, release(arena));
}

void *hg_arena_alloc(struct hg_arena *arena, size_t size)
{
    void *piece;

    if (size > arena->max - arena->used)
        return NULL;
    size = aligned(size ? size : 1);
    piece = carve(arena, size);
    if (piece)
        arena->used = HG_MIN(arena->used + size, arena->max);
    return piece;
}

void *hg_arena_must(struct hg_arena *arena, size_t size)
{
    void *piece = hg_arena_alloc(arena, size);

    hg_assert(piece != NULL);
    memset(piece, 0, size);
    return piece;
}

char *hg_arena_strdup(struct hg_arena *arena, struct hg_str text)
{
    char *copy = hg_arena_alloc(arena, text.n + 1);

    hg_assert(copy != NULL);
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    return copy;
}

struct hg_str hg_arena_str(struct hg_arena *arena, struct hg_str text)
{
    return hg_str_n(hg_arena_strdup(arena, text), text.n);
}

char *hg_arena_printf(struct hg_arena *arena, const char *format, ...)
{
    va_list args, again;
    char *text;
    int length;

    va_start(args, format);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    hg_assert(length >= 0);
    text = hg_arena_alloc(arena, (size_t)length + 1);
    hg_assert(text != NULL);
    (void)vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void hg_arena_defer(struct hg_arena *arena, void (*fn)(void *ptr), void *ptr)
{
    struct deferred *d = hg_arena_must(arena, sizeof(*d));

    d->fn = fn;
    d->ptr = ptr;
    d->next = arena->deferred;
    arena->deferred = d;
}

size_t hg_arena_used(const struct hg_arena *arena)
{
    return arena->used;
}
