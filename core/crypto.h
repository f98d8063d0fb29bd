/*
 * Hashes, message authentication, base64 (through OpenSSL) and hexadecimal.
 */
#ifndef HG_CORE_CRYPTO_H
#define HG_CORE_CRYPTO_H

#include "core/buf.h"

enum { HG_SHA256_LEN = 32 };

void hg_sha256(struct hg_str text, unsigned char out[HG_SHA256_LEN]);

/* Hash of what comes in pieces; final frees it. */
struct hg_sha256;
struct hg_sha256 *hg_sha256_new(void);
void hg_sha256_update(struct hg_sha256 *hash, const void *bytes, size_t length);
void hg_sha256_final(struct hg_sha256 *hash, unsigned char out[HG_SHA256_LEN]);

/* RFC 2104 with SHA-256. */
void hg_hmac_sha256(struct hg_str key, struct hg_str text, unsigned char out[HG_SHA256_LEN]);

/* Compares secrets: takes as long wherever they differ. */
bool hg_bytes_are_same(const void *a, const void *b, size_t length);
/* Bytes that nobody can guess: for keys. */
void hg_secret_bytes(void *out, size_t length);

/* Appends bytes as lower-case hex digits. */
bool hg_hex_encode(struct hg_buf *out, const void *bytes, size_t length);

/* Appends text as standard base64 with padding (RFC 4648 §4). */
bool hg_base64_encode(struct hg_buf *out, struct hg_str text);
/* Appends what text encodes; false (nothing appended) when it is not strict, padded base64 or does not fit. */
bool hg_base64_decode(struct hg_buf *out, struct hg_str text);

#endif
