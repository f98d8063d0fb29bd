/*
 * The parts of an http or https URL. Pure; any thread.
 */
#ifndef HG_HTTP_CLIENT_URL_H
#define HG_HTTP_CLIENT_URL_H

#include "core/str.h"

enum { HG_HTTP_URL_MAX = 8192, HG_HTTP_HOST_MAX = 255 };

/* Slices of the text that was split. */
struct hg_http_url {
    bool is_tls;
    uint16_t port;      /* the scheme's own when none is given */
    struct hg_str user; /* "user:password"; "" for none */
    struct hg_str host; /* an IPv6 address with its brackets */
    struct hg_str
        authority;       /* what Host says: the host, and the port unless it is the scheme's own */
    struct hg_str path;  /* "" or from '/' */
    struct hg_str query; /* without '?' */
};

/* NULL, or why the text is no such URL (a static sentence that repeats nothing of it). Fragments are refused: they are never sent. */
const char *http_url_split(struct hg_str text, struct hg_http_url *url);

#endif
