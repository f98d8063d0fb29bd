/*
 * nghttp2 takes about ten small blocks a request, more at once than malloc's
 * per-thread cache holds, and gives them back in the same turn. Free blocks
 * are kept in lists by size; a block begins with its size class. A session
 * lives on one thread, so no lock is needed; a block freed on another thread
 * just changes its list.
 */
#include "http/http2_mem.h"

#include "core/base.h"

#ifdef HG_ARENA_MALLOC

nghttp2_mem *http2_mem(void)
{
    return NULL;
}

#else

#include <stdlib.h>
#include <string.h>

enum {
    HEAD_BYTES = 16, /* keeps what follows aligned for any type */
    STEP_BYTES = 64,
    CLASSES = 16,             /* 64 to 1024 bytes; larger ones come from malloc */
    KEPT_BYTES_MAX = 1 << 20, /* per thread */
};

struct block {
    size_t class; /* index of its list; CLASSES: none */
    struct block *next;
};

static _Thread_local struct block *lists[CLASSES];
static _Thread_local size_t kept_bytes;

static void *take(size_t size, void *user_data)
{
    size_t class = (size + HEAD_BYTES - 1) / STEP_BYTES;
    struct block *block;

    (void)user_data;
    if (hg_likely(class < CLASSES && lists[class])) {
        block = lists[class];
        lists[class] = block->next;
        kept_bytes -= (class + 1) * STEP_BYTES;
        return (char *)block + HEAD_BYTES;
    }
    if (size > SIZE_MAX - HEAD_BYTES)
        return NULL;
    block = malloc(class < CLASSES ? (class + 1) * STEP_BYTES : size + HEAD_BYTES);
    if (!block)
        return NULL;
    block->class = class < CLASSES ? class : CLASSES;
    return (char *)block + HEAD_BYTES;
}

static void give(void *ptr, void *user_data)
{
    struct block *block;

    (void)user_data;
    if (!ptr)
        return;
    block = (struct block *)(void *)((char *)ptr - HEAD_BYTES);
    if (block->class == CLASSES || kept_bytes >= KEPT_BYTES_MAX) {
        free(block);
        return;
    }
    block->next = lists[block->class];
    lists[block->class] = block;
    kept_bytes += (block->class + 1) * STEP_BYTES;
}

static void *take_zeroed(size_t count, size_t size, void *user_data)
{
    void *ptr;

    if (size && count > SIZE_MAX / size)
        return NULL;
    ptr = take(count * size, user_data);
    if (ptr)
        memset(ptr, 0, count * size);
    return ptr;
}

static void *resize(void *ptr, size_t size, void *user_data)
{
    struct block *block;
    size_t had;
    void *moved;

    if (!ptr)
        return take(size, user_data);
    block = (struct block *)(void *)((char *)ptr - HEAD_BYTES);
    if (block->class == CLASSES && size + HEAD_BYTES > CLASSES * STEP_BYTES) {
        block = size > SIZE_MAX - HEAD_BYTES ? NULL : realloc(block, size + HEAD_BYTES);
        return block ? (char *)block + HEAD_BYTES : NULL;
    }
    /* A large block that shrinks below the largest class holds at least what is asked for. */
    had = block->class == CLASSES ? size : (block->class + 1) * STEP_BYTES - HEAD_BYTES;
    moved = take(size, user_data);
    if (moved) {
        memcpy(moved, ptr, HG_MIN(had, size));
        give(ptr, user_data);
    }
    return moved;
}

nghttp2_mem *http2_mem(void)
{
    static nghttp2_mem mem = {NULL, take, give, take_zeroed, resize};

    return &mem;
}

#endif
