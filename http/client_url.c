/*
 * Splits URLs, strictly: what is let through, libcurl reads the same way.
 */
#include "http/client_url.h"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_address_char(char c)
{
    return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' ||
           c == '.';
}

/* The length of the host at the front of text; 0 when there is none. */
static size_t host_length(struct hg_str text)
{
    size_t n = 0;

    if (text.n && text.p[0] == '[') {
        for (n = 1; n < text.n && is_address_char(text.p[n]);)
            n++;
        return n > 1 && n < text.n && text.p[n] == ']' ? n + 1 : 0;
    }
    while (n < text.n && is_host_char(text.p[n]))
        n++;
    return n;
}

static const char *split_authority(struct hg_str text, struct hg_http_url *url)
{
    uint16_t own = url->is_tls ? 443 : 80;
    uint64_t port = own;
    struct hg_str rest;
    size_t at = text.n;

    while (at && text.p[at - 1] != '@')
        at--;
    if (at)
        url->user = hg_str_n(text.p, at - 1);
    text = hg_str_skip(text, at);
    url->host = hg_str_n(text.p, host_length(text));
    rest = hg_str_skip(text, url->host.n);
    if (!url->host.n || url->host.n > HG_HTTP_HOST_MAX || (rest.n && rest.p[0] != ':'))
        return "it names no host";
    if (rest.n && (!hg_str_u64(hg_str_skip(rest, 1), 65535, &port) || !port))
        return "its port is no number from 1 to 65535";
    url->port = (uint16_t)port;
    url->authority = port == own ? url->host : text;
    return NULL;
}

const char *http_url_split(struct hg_str text, struct hg_http_url *url)
{
    struct hg_str rest;
    size_t length = 0;
    const char *why;

    memset(url, 0, sizeof(*url));
    url->user = url->query = HG_STR("");
    if (text.n > HG_HTTP_URL_MAX)
        return "it has more than 8192 bytes";
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == '\\')
            return "blanks, backslashes, control bytes and letters outside ASCII must be "
                   "percent-encoded";
    if (hg_str_find(text, '#') >= 0)
        return "a fragment ('#') is never sent: leave it out";
    url->is_tls = hg_str_starts(text, HG_STR("https://"));
    if (!url->is_tls && !hg_str_starts(text, HG_STR("http://")))
        return "it does not begin with http:// or https://";
    rest = hg_str_skip(text, url->is_tls ? strlen("https://") : strlen("http://"));
    while (length < rest.n && rest.p[length] != '/' && rest.p[length] != '?')
        length++;
    why = split_authority(hg_str_n(rest.p, length), url);
    if (why)
        return why;
    rest = hg_str_skip(rest, length);
    for (length = 0; length < rest.n && rest.p[length] != '?';)
        length++;
    url->path = hg_str_n(rest.p, length);
    if (length < rest.n)
        url->query = hg_str_skip(rest, length + 1);
    return NULL;
}
