/*
 * Memory of one request or one document: taken in small pieces, given back at
 * once. One owner, one thread at a time.
 */
#ifndef HG_CORE_ARENA_H
#define HG_CORE_ARENA_H

#include "core/str.h"

struct hg_arena;

/* An arena that hands out at most max_bytes in all. */
struct hg_arena *hg_arena_new(size_t max_bytes);
/* Runs what was deferred, newest first, then frees everything. NULL is fine. */
void hg_arena_free(struct hg_arena *arena);
/* Same, but the arena can be used again. */
void hg_arena_reset(struct hg_arena *arena);

/*
 * Aligned for any type, not zeroed. NULL when the maximum is reached: check it
 * wherever a client decides the size; for fixed small things use hg_arena_must.
 */
void *hg_arena_alloc(struct hg_arena *arena, size_t size);
/* Zeroed; aborts when the maximum is reached: for sizes that no client decides. */
void *hg_arena_must(struct hg_arena *arena, size_t size);

/* Terminated copies. Abort when the maximum is reached. */
char *hg_arena_strdup(struct hg_arena *arena, struct hg_str text);
struct hg_str hg_arena_str(struct hg_arena *arena, struct hg_str text);
char *hg_arena_printf(struct hg_arena *arena, const char *format, ...) hg_printf_like(2, 3);

/* Runs fn(ptr) when the arena is reset or freed. */
void hg_arena_defer(struct hg_arena *arena, void (*fn)(void *ptr), void *ptr);

/* Bytes handed out since the last reset. */
size_t hg_arena_used(const struct hg_arena *arena);

#endif
