/*
 * What zlib does for us: undoing gzip, and CRC-32.
 */
#ifndef HG_CORE_GZIP_H
#define HG_CORE_GZIP_H

#include "core/buf.h"
#include "core/rc.h"

/*
 * Appends what the gzip text (RFC 1952, one member) holds. HG_E_INVALID: it is none; HG_E_TOO_LARGE: out's maximum is too small for
 * it, found out without unpacking more than that.
 */
enum hg_rc hg_gunzip(struct hg_buf *out, struct hg_str text) hg_must_use;

/* CRC-32 of IEEE 802.3, as in gzip. */
uint32_t hg_crc32(struct hg_str text);

#endif
