/*
 * Assertion failure and the aborting allocators.
 */
#include "core/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hg_assert_failed(const char *cond, const char *file, int line)
{
    (void)fprintf(stderr, "bug: %s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}

static void *checked(void *ptr, size_t size)
{
    if (hg_unlikely(!ptr && size)) {
        (void)fprintf(stderr, "out of memory: %zu bytes\n", size);
        abort();
    }
    return ptr;
}

void *hg_malloc(size_t size)
{
    return checked(malloc(size), size);
}

void *hg_calloc(size_t count, size_t size)
{
    return checked(calloc(count, size), size);
}

void *hg_realloc(void *ptr, size_t size)
{
    return checked(realloc(ptr, size), size);
}

char *hg_strdup(const char *text)
{
    return hg_strndup(text, strlen(text));
}

char *hg_strndup(const char *text, size_t length)
{
    char *copy = hg_malloc(length + 1);

    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}
