/*
 * What a Redis server sends, whole and in two pieces: as many replies and the
 * same verdict; error texts and redirections are understood or refused.
 */
#include "core/redis_client.h"

enum { REPLY_MAX = 4096 };

static size_t depth_sum(const struct redisReply *reply)
{
    size_t sum = 1 + hg_redis_str(reply).n;

    (void)hg_redis_int(reply);
    for (size_t i = 0; i < hg_redis_count(reply); i++)
        sum += depth_sum(hg_redis_at(reply, i));
    return sum;
}

/* False when the bytes are refused. */
static bool read_all(struct redisReader *reader, struct hg_str text, size_t *sum)
{
    char why[HG_REDIS_WHY_MAX];
    struct redisReply *reply;

    if (!hg_redis_reader_feed(reader, text.p, text.n, REPLY_MAX, why))
        return false;
    do {
        if (!hg_redis_reader_next(reader, &reply, why))
            return false;
        if (reply)
            *sum += depth_sum(reply);
        hg_redis_reply_free(reply);
    } while (reply);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str text = hg_str_n((const char *)bytes, HG_MIN(size, (size_t)REPLY_MAX));
    size_t cut = text.n ? bytes[text.n - 1] % text.n : 0, whole = 0, split = 0;
    struct redisReader *one = hg_redis_reader_new(), *two = hg_redis_reader_new();
    struct hg_redis_redirect redirect;
    struct hg_redis_uri uri;
    bool is_good = read_all(one, text, &whole);

    hg_assert(is_good == (read_all(two, hg_str_n(text.p, cut), &split) &&
                          read_all(two, hg_str_skip(text, cut), &split)));
    hg_assert(!is_good || whole == split);
    (void)hg_redis_fault_of(text);
    if (hg_redis_redirect_parse(text, &redirect))
        hg_assert(redirect.slot < HG_REDIS_SLOTS && redirect.port <= 65535);
    if (hg_redis_uri_parse(text, &uri, NULL) == HG_OK)
        hg_assert(uri.host[0] && uri.port > 0);
    hg_redis_reader_free(one);
    hg_redis_reader_free(two);
    return 0;
}
