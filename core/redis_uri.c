/*
 * The parts of a redis:// URI. Bytes only, no connection.
 */
#include "core/redis.h"

#include "core/uri.h"

enum { PORT_DEFAULT = 6379, DB_MAX = 65535 };

/* Percent-decoded and terminated; false when it does not fit or holds a NUL. */
static bool copy_decoded(struct hg_str from, char *to, size_t size)
{
    struct hg_buf buf;
    bool is_fit;

    hg_buf_init(&buf, size - 1);
    hg_uri_decode(&buf, from);
    is_fit = !buf.is_overflown && hg_str_find(hg_buf_str(&buf), '\0') < 0;
    if (is_fit) {
        memcpy(to, hg_buf_str(&buf).p, buf.len);
        to[buf.len] = '\0';
    }
    hg_buf_fini(&buf);
    return is_fit;
}

static enum hg_rc parse_credentials(struct hg_str text, struct hg_redis_uri *uri,
                                    struct hg_error *err)
{
    ptrdiff_t colon = hg_str_find(text, ':');

    if (colon < 0)
        return hg_error_set(err, HG_E_INVALID,
                            "a user without a password; write user:password@ or :password@");
    if (!copy_decoded(hg_str_n(text.p, (size_t)colon), uri->user, sizeof(uri->user)))
        return hg_error_set(err, HG_E_INVALID, "the user's name is longer than %zu bytes",
                            sizeof(uri->user) - 1);
    if (!copy_decoded(hg_str_skip(text, (size_t)colon + 1), uri->password, sizeof(uri->password)))
        return hg_error_set(err, HG_E_INVALID, "the password is longer than %zu bytes",
                            sizeof(uri->password) - 1);
    if (!uri->password[0])
        return hg_error_set(err, HG_E_INVALID, "the password is empty");
    return HG_OK;
}

static enum hg_rc parse_port(struct hg_str text, struct hg_redis_uri *uri, struct hg_error *err)
{
    uint64_t port;

    if (!hg_str_u64(text, 65535, &port) || port == 0)
        return hg_error_set(err, HG_E_INVALID, "'%.*s' is not a port", HG_STR_ARG(text));
    uri->port = (unsigned)port;
    return HG_OK;
}

/* host, host:port, [v6], [v6]:port */
static enum hg_rc parse_host(struct hg_str text, struct hg_redis_uri *uri, struct hg_error *err)
{
    struct hg_str host = text, rest = {0};
    ptrdiff_t at;

    if (text.n && text.p[0] == '[') {
        at = hg_str_find(text, ']');
        if (at < 0)
            return hg_error_set(err, HG_E_INVALID, "']' is missing behind the address");
        host = hg_str_n(text.p + 1, (size_t)at - 1);
        rest = hg_str_skip(text, (size_t)at + 1);
        if (rest.n && rest.p[0] != ':')
            return hg_error_set(err, HG_E_INVALID, "after ']' comes ':' and a port or nothing");
    } else if ((at = hg_str_find(text, ':')) >= 0) {
        host = hg_str_n(text.p, (size_t)at);
        rest = hg_str_skip(text, (size_t)at);
    }
    if (!host.n)
        return hg_error_set(err, HG_E_INVALID, "the host is missing");
    if (!copy_decoded(host, uri->host, sizeof(uri->host)))
        return hg_error_set(err, HG_E_INVALID, "the host is longer than %d bytes",
                            HG_REDIS_HOST_MAX);
    uri->port = PORT_DEFAULT;
    return rest.n ? parse_port(hg_str_skip(rest, 1), uri, err) : HG_OK;
}

static enum hg_rc parse_path(struct hg_str text, struct hg_redis_uri *uri, struct hg_error *err)
{
    uint64_t db;

    if (!text.n)
        return HG_OK;
    if (!hg_str_u64(text, DB_MAX, &db))
        return hg_error_set(err, HG_E_INVALID,
                            "'/%.*s': behind the host comes the number of a database or nothing",
                            HG_STR_ARG(text));
    uri->db = (unsigned)db;
    return HG_OK;
}

enum hg_rc hg_redis_uri_parse(struct hg_str text, struct hg_redis_uri *uri, struct hg_error *err)
{
    struct hg_str authority, path = {0};
    ptrdiff_t at;
    enum hg_rc rc;

    memset(uri, 0, sizeof(*uri));
    if (hg_str_starts(text, HG_STR("rediss://")))
        uri->uses_tls = true;
    else if (!hg_str_starts(text, HG_STR("redis://")))
        return hg_error_set(err, HG_E_INVALID, "it does not begin with redis:// or rediss://");
    authority = hg_str_skip(text, uri->uses_tls ? 9 : 8);
    if ((at = hg_str_find(authority, '?')) >= 0) {
        uri->query = hg_str_skip(authority, (size_t)at + 1);
        authority.n = (size_t)at;
    }
    if ((at = hg_str_find(authority, '/')) >= 0) {
        path = hg_str_skip(authority, (size_t)at + 1);
        authority.n = (size_t)at;
    }
    for (at = (ptrdiff_t)authority.n - 1; at >= 0 && authority.p[at] != '@'; at--)
        ;
    if (at >= 0) {
        rc = parse_credentials(hg_str_n(authority.p, (size_t)at), uri, err);
        if (rc != HG_OK)
            return rc;
        authority = hg_str_skip(authority, (size_t)at + 1);
    }
    rc = parse_host(authority, uri, err);
    return rc == HG_OK ? parse_path(path, uri, err) : rc;
}
