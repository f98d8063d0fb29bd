/*
 * The only user of OpenSSL's hashes, HMAC and base64.
 */
#include "core/crypto.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>

struct hg_sha256 {
    EVP_MD_CTX *context;
};

struct hg_sha256 *hg_sha256_new(void)
{
    struct hg_sha256 *hash = hg_malloc(sizeof(*hash));

    hash->context = EVP_MD_CTX_new();
    hg_assert(hash->context != NULL);
    hg_assert(EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1);
    return hash;
}

void hg_sha256_update(struct hg_sha256 *hash, const void *bytes, size_t length)
{
    hg_assert(EVP_DigestUpdate(hash->context, bytes, length) == 1);
}

void hg_sha256_final(struct hg_sha256 *hash, unsigned char out[HG_SHA256_LEN])
{
    hg_assert(EVP_DigestFinal_ex(hash->context, out, NULL) == 1);
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hg_sha256(struct hg_str text, unsigned char out[HG_SHA256_LEN])
{
    struct hg_sha256 *hash = hg_sha256_new();

    hg_sha256_update(hash, text.p, text.n);
    hg_sha256_final(hash, out);
}

void hg_hmac_sha256(struct hg_str key, struct hg_str text, unsigned char out[HG_SHA256_LEN])
{
    unsigned length = 0;

    hg_assert(key.n <= INT_MAX);
    hg_assert(HMAC(EVP_sha256(), key.n ? key.p : "", (int)key.n, (const unsigned char *)text.p,
                   text.n, out, &length) &&
              length == HG_SHA256_LEN);
}

bool hg_bytes_are_same(const void *a, const void *b, size_t length)
{
    return CRYPTO_memcmp(a, b, length) == 0;
}

void hg_secret_bytes(void *out, size_t length)
{
    hg_assert(length <= INT_MAX);
    hg_assert(RAND_bytes(out, (int)length) == 1);
}

bool hg_hex_encode(struct hg_buf *out, const void *bytes, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;
    char *room = hg_buf_reserve(out, length * 2);

    if (!room)
        return false;
    for (size_t i = 0; i < length; i++) {
        *room++ = digits[from[i] >> 4];
        *room++ = digits[from[i] & 15];
    }
    hg_buf_commit(out, length * 2);
    return true;
}

enum { SLICE = 48 * 1024 }; /* a multiple of 3 and 4, well inside the int of OpenSSL's interface */

bool hg_base64_encode(struct hg_buf *out, struct hg_str text)
{
    size_t total = (text.n + 2) / 3 * 4;
    /* One byte more: OpenSSL writes a terminator. */
    char *room = hg_buf_reserve(out, total + 1);

    if (!room)
        return false;
    while (text.n) {
        size_t piece = HG_MIN(text.n, (size_t)SLICE);

        room += EVP_EncodeBlock((unsigned char *)room, (const unsigned char *)text.p, (int)piece);
        text = hg_str_skip(text, piece);
    }
    hg_buf_commit(out, total);
    return true;
}

/* The length and the padding; OpenSSL looks at the letters. */
static bool is_padded(struct hg_str text, size_t *padding)
{
    size_t pad = 0;

    if (text.n % 4)
        return false;
    while (pad < 2 && pad < text.n && text.p[text.n - 1 - pad] == '=')
        pad++;
    *padding = pad;
    return hg_str_find(hg_str_n(text.p, text.n - pad), '=') < 0;
}

bool hg_base64_decode(struct hg_buf *out, struct hg_str text)
{
    size_t padding, total;
    char *room;

    if (!is_padded(text, &padding))
        return false;
    total = text.n / 4 * 3;
    room = hg_buf_reserve(out, total);
    if (!room)
        return false;
    while (text.n) {
        size_t piece = HG_MIN(text.n, (size_t)SLICE);
        int got = EVP_DecodeBlock((unsigned char *)room, (const unsigned char *)text.p, (int)piece);

        /* Blanks at the ends of a piece are forgiven there, and make it shorter. */
        if (got != (int)(piece / 4 * 3))
            return false;
        room += got;
        text = hg_str_skip(text, piece);
    }
    hg_buf_commit(out, total - padding);
    return true;
}
