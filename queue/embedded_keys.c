/*
 * Keys and hashes of the embedded store.
 */
#include "queue/embedded.h"

#include <endian.h>

void embedded_put_be64(unsigned char *at, uint64_t value)
{
    value = htobe64(value);
    memcpy(at, &value, sizeof(value));
}

uint64_t embedded_get_be64(const void *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof(value));
    return be64toh(value);
}

static unsigned hex_value(char digit)
{
    return digit <= '9' ? (unsigned)(digit - '0') : (unsigned)((digit | 0x20) - 'a' + 10);
}

void embedded_id_bytes(const char *id, unsigned char out[EMBEDDED_ID_BYTES])
{
    for (size_t i = 0; i < EMBEDDED_ID_BYTES; i++) {
        id += *id == '-';
        out[i] = (unsigned char)(hex_value(id[0]) << 4 | hex_value(id[1]));
        id += 2;
    }
}

void embedded_id_text(const unsigned char id[EMBEDDED_ID_BYTES], char out[HG_UUID_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < EMBEDDED_ID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        *out++ = hex[id[i] >> 4];
        *out++ = hex[id[i] & 15];
    }
    *out = '\0';
}

/* FNV-1a: stored, so it must be the same in every process. */
uint32_t embedded_function_hash(const char *function)
{
    uint32_t hash = 2166136261u;

    for (; *function; function++)
        hash = (hash ^ (unsigned char)*function) * 16777619u;
    return hash;
}
