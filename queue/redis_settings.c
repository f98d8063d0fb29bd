/*
 * The Redis engine's URI and options: redis[s]://…[?prefix=NAME], redis.*.
 */
#include "queue/redis_engine.h"

#include "core/duration.h"
#include "core/uri.h"

#include <stdio.h>
#include <string.h>

enum {
    LEASE_TIMEOUT_MS = 20000,
    LEASE_TIMEOUT_LEAST_MS = 1000,
    TIMEOUT_MS = 5000,
    TIMEOUT_LEAST_MS = 100,
    WAIT_TIMEOUT_MS = 1000,
    WAIT_MAX = 100,
};

static enum hg_rc read_duration(struct hg_str key, struct hg_str text, int64_t least, int64_t *to,
                                struct hg_error *err)
{
    int64_t value;

    if (!hg_duration_parse(text, &value) || value < least)
        return hg_error_set(err, HG_E_INVALID,
                            "%.*s: '%.*s' is not a duration of at least %lld ms, such as 20s",
                            HG_STR_ARG(key), HG_STR_ARG(text), (long long)least);
    *to = value;
    return HG_OK;
}

static enum hg_rc read_option(const struct hg_kv *option, struct redis_settings *settings,
                              struct hg_error *err)
{
    struct hg_str key = option->key, value = option->value;
    uint64_t number;

    if (hg_str_is(key, "redis.lease-timeout"))
        return read_duration(key, value, LEASE_TIMEOUT_LEAST_MS, &settings->lease_timeout_ms, err);
    if (hg_str_is(key, "redis.timeout"))
        return read_duration(key, value, TIMEOUT_LEAST_MS, &settings->timeout_ms, err);
    if (hg_str_is(key, "redis.wait-timeout"))
        return read_duration(key, value, 1, &settings->wait_timeout_ms, err);
    if (hg_str_is(key, "redis.wait")) {
        if (!hg_str_u64(value, WAIT_MAX, &number))
            return hg_error_set(err, HG_E_INVALID, "redis.wait: '%.*s' is not a number of replicas",
                                HG_STR_ARG(value));
        settings->wait = (unsigned)number;
        return HG_OK;
    }
    if (hg_str_is(key, "redis.tls-ca")) {
        if (value.n >= sizeof(settings->tls_ca))
            return hg_error_set(err, HG_E_INVALID, "redis.tls-ca: the path is too long");
        (void)snprintf(settings->tls_ca, sizeof(settings->tls_ca), "%.*s", HG_STR_ARG(value));
        return HG_OK;
    }
    return hg_error_set(err, HG_E_INVALID,
                        "%.*s: no such option; there are redis.lease-timeout, redis.timeout, "
                        "redis.wait, redis.wait-timeout and redis.tls-ca",
                        HG_STR_ARG(key));
}

static bool is_prefix(struct hg_str text)
{
    if (!text.n || text.n > HG_REDIS_PREFIX_MAX)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        /* Braces would end the hash tag; the rest keeps keys readable. */
        if (c <= ' ' || c > '~' || c == '{' || c == '}')
            return false;
    }
    return true;
}

static enum hg_rc read_query(struct hg_str query, struct redis_settings *settings,
                             struct hg_error *err)
{
    struct hg_str pair;

    while (hg_str_next(&query, '&', &pair)) {
        struct hg_buf value;

        if (!hg_str_starts(pair, HG_STR("prefix=")))
            return hg_error_set(err, HG_E_INVALID,
                                "'%.*s': behind '?' the URI of the queue may only have prefix=NAME",
                                HG_STR_ARG(pair));
        hg_buf_init(&value, 4096);
        hg_uri_decode_form(&value, hg_str_skip(pair, 7));
        if (!is_prefix(hg_buf_str(&value))) {
            hg_buf_fini(&value);
            return hg_error_set(err, HG_E_INVALID,
                                "prefix: 1 to %d visible ASCII characters without braces",
                                HG_REDIS_PREFIX_MAX);
        }
        (void)snprintf(settings->prefix, sizeof(settings->prefix), "%.*s",
                       HG_STR_ARG(hg_buf_str(&value)));
        hg_buf_fini(&value);
    }
    return HG_OK;
}

enum hg_rc redis_settings_read(const struct hg_queue_options *options,
                               struct redis_settings *settings, struct hg_error *err)
{
    enum hg_rc rc;

    memset(settings, 0, sizeof(*settings));
    (void)snprintf(settings->prefix, sizeof(settings->prefix), "headgate");
    settings->lease_timeout_ms = LEASE_TIMEOUT_MS;
    settings->timeout_ms = TIMEOUT_MS;
    settings->wait_timeout_ms = WAIT_TIMEOUT_MS;
    rc = hg_redis_uri_parse(hg_str_of(options->uri), &settings->server, err);
    if (rc != HG_OK) {
        hg_error_prefix(err, "queue");
        return rc;
    }
    rc = read_query(settings->server.query, settings, err);
    for (size_t i = 0; rc == HG_OK && i < options->extra.count; i++) {
        if (hg_str_starts(options->extra.items[i].key, HG_STR("redis.")))
            rc = read_option(&options->extra.items[i], settings, err);
    }
    return rc;
}
