/*
 * Immutable bytes with a reference count: what crosses threads or outlives its maker.
 */
#ifndef HG_CORE_BLOB_H
#define HG_CORE_BLOB_H

#include "core/buf.h"

struct hg_blob;

/* A copy of the bytes, with one reference. */
struct hg_blob *hg_blob_new(const void *bytes, size_t length);
/* Takes the memory of buf without copying; buf is empty afterwards. */
struct hg_blob *hg_blob_take(struct hg_buf *buf);

/* The first length bytes of a file, mapped; the file must not become shorter meanwhile. fd may be closed. NULL with errno. */
struct hg_blob *hg_blob_map(int fd, size_t length);

/* Any thread. unref accepts NULL. */
struct hg_blob *hg_blob_ref(struct hg_blob *blob);
void hg_blob_unref(struct hg_blob *blob);

/* Valid as long as the reference is. NULL gives the empty string. */
struct hg_str hg_blob_str(const struct hg_blob *blob);

#endif
