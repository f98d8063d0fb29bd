/*
 * Reference-counted bytes.
 */
#include "core/blob.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

struct hg_blob {
    _Atomic unsigned refs;
    char *base; /* freed at the end; NULL when the bytes follow this struct, or are mapped */
    bool is_mapped;
    struct hg_str bytes;
};

struct hg_blob *hg_blob_new(const void *bytes, size_t length)
{
    struct hg_blob *blob = hg_malloc(sizeof(*blob) + length);
    char *copy = (char *)(blob + 1);

    if (length)
        memcpy(copy, bytes, length);
    atomic_init(&blob->refs, 1);
    blob->base = NULL;
    blob->is_mapped = false;
    blob->bytes = hg_str_n(copy, length);
    return blob;
}

struct hg_blob *hg_blob_take(struct hg_buf *buf)
{
    struct hg_blob *blob = hg_malloc(sizeof(*blob));
    size_t max = buf->max;

    atomic_init(&blob->refs, 1);
    blob->base = buf->base;
    blob->is_mapped = false;
    blob->bytes = hg_buf_str(buf);
    hg_buf_init(buf, max);
    return blob;
}

struct hg_blob *hg_blob_map(int fd, size_t length)
{
    void *bytes = mmap(NULL, HG_MAX(length, (size_t)1), PROT_READ, MAP_PRIVATE, fd, 0);
    struct hg_blob *blob;

    if (bytes == MAP_FAILED)
        return NULL;
    blob = hg_malloc(sizeof(*blob));
    atomic_init(&blob->refs, 1);
    blob->base = NULL;
    blob->is_mapped = true;
    blob->bytes = hg_str_n(bytes, length);
    return blob;
}

struct hg_blob *hg_blob_ref(struct hg_blob *blob)
{
    (void)atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    return blob;
}

void hg_blob_unref(struct hg_blob *blob)
{
    if (!blob || atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (blob->is_mapped)
        (void)munmap((void *)(uintptr_t)blob->bytes.p, HG_MAX(blob->bytes.n, (size_t)1));
    free(blob->base);
    free(blob);
}

struct hg_str hg_blob_str(const struct hg_blob *blob)
{
    return blob ? blob->bytes : HG_STR("");
}
