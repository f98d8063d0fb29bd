/*
 * The few macros that every file needs.
 */
#ifndef HG_CORE_BASE_H
#define HG_CORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define hg_must_use __attribute__((warn_unused_result))
#define hg_printf_like(format_index, first_arg) \
    __attribute__((format(printf, format_index, first_arg)))
#define hg_noreturn __attribute__((noreturn))
#define hg_likely(x) __builtin_expect(!!(x), 1)
#define hg_unlikely(x) __builtin_expect(!!(x), 0)

#define HG_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define hg_container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define HG_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HG_MAX(a, b) ((a) > (b) ? (a) : (b))

/*
 * States what only a bug of ours can break; never used on input, sizes, peers
 * or disks. Stays in release builds: prints where and aborts.
 */
#define hg_assert(cond) \
    do { \
        if (hg_unlikely(!(cond))) \
            hg_assert_failed(#cond, __FILE__, __LINE__); \
    } while (0)

hg_noreturn void hg_assert_failed(const char *cond, const char *file, int line);

/* malloc/calloc/realloc for small things of our own; abort when memory is gone. */
void *hg_malloc(size_t size);
void *hg_calloc(size_t count, size_t size);
void *hg_realloc(void *ptr, size_t size);
char *hg_strdup(const char *text);
char *hg_strndup(const char *text, size_t length);

#endif
