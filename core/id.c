/*
 * Identifiers from a per-thread xoshiro256** generator, seeded by the kernel.
 */
#include "core/id.h"

#include "core/clock.h"
#include "core/crypto.h"

#include <stdatomic.h>
#include <sys/random.h>

static _Thread_local uint64_t state[4];

static uint64_t rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t hg_random_u64(void)
{
    uint64_t result, t;

    while (hg_unlikely((state[0] | state[1] | state[2] | state[3]) == 0)) {
        if (getrandom(state, sizeof(state), 0) != (ssize_t)sizeof(state))
            state[0] = (uint64_t)hg_mono_us();
    }
    result = rotl(state[1] * 5, 7) * 9;
    t = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= t;
    state[3] = rotl(state[3], 45);
    return result;
}

void hg_hex_id(char *out, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t word = 0;

    for (size_t i = 0; i < digits; i++) {
        if (i % 16 == 0)
            word = hg_random_u64();
        out[i] = hex[word & 15];
        word >>= 4;
    }
    out[digits] = '\0';
}

static void write_uuid(uint64_t high, uint64_t low, char out[HG_UUID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;

    for (int shift = 60; shift >= 0; shift -= 4) {
        out[at++] = hex[high >> shift & 15];
        if (at == 8 || at == 13)
            out[at++] = '-';
    }
    out[at++] = '-';
    for (int shift = 60; shift >= 0; shift -= 4) {
        out[at++] = hex[low >> shift & 15];
        if (at == 23)
            out[at++] = '-';
    }
    out[at] = '\0';
}

void hg_uuid(char out[HG_UUID_LEN + 1])
{
    write_uuid((hg_random_u64() & 0xffffffffffff0fffULL) | 0x4000,
               (hg_random_u64() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL, out);
}

/* Milliseconds and, in the 12 bits behind them, a fraction; or one more than the last when that is larger. */
static uint64_t next_moment(void)
{
    static _Atomic uint64_t last;
    uint64_t us = (uint64_t)hg_mono_us() % 1000;
    uint64_t now = (uint64_t)hg_steady_ms() << 12 | us * 4096 / 1000;
    uint64_t before = atomic_load(&last), moment;

    do {
        moment = now > before ? now : before + 1;
    } while (!atomic_compare_exchange_weak(&last, &before, moment));
    return moment;
}

void hg_uuid_ordered(char out[HG_UUID_LEN + 1])
{
    uint64_t moment = next_moment();

    write_uuid((moment & ~0xfffULL) << 4 | 0x7000 | (moment & 0xfff),
               (hg_random_u64() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL, out);
}

bool hg_uuid_is_valid(struct hg_str text)
{
    if (text.n != HG_UUID_LEN)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-')
                return false;
        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))) {
            return false;
        }
    }
    return true;
}

void hg_extended_id(char out[HG_EXTENDED_ID_LEN + 1])
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789ab";
    uint64_t word = 0;

    for (int i = 0; i < HG_EXTENDED_ID_LEN - 1; i++) {
        if (i % 10 == 0)
            word = hg_random_u64();
        out[i] = set[word & 63];
        word >>= 6;
    }
    out[HG_EXTENDED_ID_LEN - 1] = '=';
    out[HG_EXTENDED_ID_LEN] = '\0';
}

void hg_stable_id(struct hg_str text, char *out, size_t length)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char digest[HG_SHA256_LEN];

    hg_assert(length <= sizeof(digest));
    hg_sha256(text, digest);
    for (size_t i = 0; i < length; i++)
        out[i] = set[digest[i] % 36];
    out[length] = '\0';
}
