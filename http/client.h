/*
 * HTTP towards others: calls made on one loop, several at a time, connections
 * kept and used again (HTTP/2 where the peer offers it over TLS). Never
 * blocks; names are resolved by libcurl's helper threads. All functions on
 * the client's loop.
 *
 * http_proxy, https_proxy and no_proxy of the environment are followed, but never for loopback addresses.
 */
#ifndef HG_HTTP_CLIENT_H
#define HG_HTTP_CLIENT_H

#include "core/error.h"
#include "core/loop.h"
#include "http/request.h"

struct hg_http_client;

struct hg_http_client_options {
    struct hg_loop *loop;
    /* PEM file of the authorities to trust instead of the system's. NULL: what AWS_CA_BUNDLE or, failing that,
     * SSL_CERT_FILE names; the system's without either. */
    const char *ca_file;
    unsigned parallel_max; /* calls under way to one scheme, host and port; 0: 16 */
    unsigned waiting_max;  /* calls that wait for those; 0: 1024 */
};

/* NULL and a sentence when the authorities' file cannot be read. */
struct hg_http_client *http_client_new(const struct hg_http_client_options *options,
                                       struct hg_error *err);
/* No call may be under way. NULL is allowed. */
void http_client_free(struct hg_http_client *client);

enum {
    HG_HTTP_CALL_TIMEOUT_MS = 30000,
    HG_HTTP_CONNECT_TIMEOUT_MS = 10000,
    HG_HTTP_ANSWER_MAX = 1 << 20,
    HG_HTTP_ANSWER_HEAD_MAX = 64 * 1024,
    HG_HTTP_CALL_WHY_MAX = 256,
};

/*
 * One request and its answer. Embedded by the caller and zeroed before its
 * first use; what it points to must stay until done or cancel.
 */
struct hg_http_call {
    const char *method; /* "POST" */
    const char *url;    /* http or https; user:password@ becomes basic authentication */
    const struct hg_header
        *headers; /* Content-Length is added; Host is the URL's unless given here */
    size_t header_count;
    struct hg_str body;
    int64_t timeout_ms;         /* from submit to the last byte; 0: HG_HTTP_CALL_TIMEOUT_MS */
    int64_t connect_timeout_ms; /* name, TCP and TLS; 0: HG_HTTP_CONNECT_TIMEOUT_MS */
    size_t answer_max;          /* bytes of the answer's body; 0: HG_HTTP_ANSWER_MAX */
    unsigned redirects_max;     /* how many are followed; 0: a redirect is an answer like others */

    void (*done)(
        struct hg_http_call *call); /* once, later, never inside submit; may submit, cancel, free */

    /*
     * HG_OK: an answer came, whatever it says. HG_E_INVALID: no such request can be made. HG_E_BUSY: too many calls wait
     * for this host. HG_E_DEADLINE, HG_E_UNAVAILABLE (no connection, TLS refused, broken off): the peer may have
     * got the request. HG_E_TOO_LARGE: an answer came and is longer than the limit; status and the beginning are there.
     */
    enum hg_rc rc;
    char why[HG_HTTP_CALL_WHY_MAX]; /* a sentence without the URL; "" when HG_OK */
    int status;                     /* 0: no answer */
    struct hg_buf head;             /* field lines of the answer; see http_call_header */
    struct hg_buf answer;           /* its body */

    /* The client's. */
    struct hg_list link;
    struct hg_http_client *client;
    struct http_host *host;
    struct http_transfer *transfer;
    struct hg_timer deadline;
};

/* The answer to an earlier use is dropped. */
void http_call_submit(struct hg_http_client *client, struct hg_http_call *call);
/* done will not run; the peer may have got the request. Also for a call that is not under way: does nothing. */
void http_call_cancel(struct hg_http_call *call);
/* The value of a field of the answer (names without regard to case), the first of several; p is NULL when there is none. */
struct hg_str http_call_header(const struct hg_http_call *call, const char *name);
/* Frees the answer. Not while it is under way. */
void http_call_fini(struct hg_http_call *call);

#endif
