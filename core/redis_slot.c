/*
 * Where keys and redirections of Redis Cluster point. Bytes only.
 */
#include "core/redis_client.h"

/* CRC-16/XMODEM, bit by bit: keys are short. */
static unsigned crc16(struct hg_str text)
{
    unsigned crc = 0;

    for (size_t i = 0; i < text.n; i++) {
        crc ^= (unsigned)(unsigned char)text.p[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
    }
    return crc;
}

unsigned hg_redis_slot(struct hg_str key)
{
    ptrdiff_t open = hg_str_find(key, '{');

    if (open >= 0) {
        struct hg_str rest = hg_str_skip(key, (size_t)open + 1);
        ptrdiff_t close = hg_str_find(rest, '}');

        if (close > 0)
            return crc16(hg_str_n(rest.p, (size_t)close)) % HG_REDIS_SLOTS;
    }
    return crc16(key) % HG_REDIS_SLOTS;
}

/* "MOVED 3999 127.0.0.1:6381", "ASK 3999 host:6381"; the host may be empty (the asked one's) or an IPv6 address. */
bool hg_redis_redirect_parse(struct hg_str text, struct hg_redis_redirect *redirect)
{
    struct hg_str part, address;
    uint64_t slot, port;
    size_t colon;

    if (!hg_str_next(&text, ' ', &part))
        return false;
    redirect->is_ask = hg_str_is(part, "ASK");
    if (!redirect->is_ask && !hg_str_is(part, "MOVED"))
        return false;
    if (!hg_str_next(&text, ' ', &part) || !hg_str_u64(part, HG_REDIS_SLOTS - 1, &slot) ||
        !hg_str_next(&text, ' ', &address))
        return false;
    for (colon = address.n; colon > 0 && address.p[colon - 1] != ':'; colon--)
        ;
    if (!colon || !hg_str_u64(hg_str_skip(address, colon), 65535, &port) || !port)
        return false;
    if (colon - 1 > HG_REDIS_HOST_MAX)
        return false;
    redirect->slot = (unsigned)slot;
    redirect->port = (unsigned)port;
    memcpy(redirect->host, address.p, colon - 1);
    redirect->host[colon - 1] = '\0';
    return true;
}
