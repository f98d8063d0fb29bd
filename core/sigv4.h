/*
 * AWS Signature Version 4: the Authorization header of a request, from its
 * parts, a key pair and the time. Pure; any thread.
 */
#ifndef HG_CORE_SIGV4_H
#define HG_CORE_SIGV4_H

#include "core/buf.h"

enum {
    HG_SIGV4_HEADERS_MAX = 64,
    HG_SIGV4_PARAMETERS_MAX = 128,
    HG_SIGV4_TEXT_MAX = 64 * 1024, /* bytes of a canonical request */
};

struct hg_sigv4_header {
    struct hg_str name, value;
};

struct hg_sigv4_credentials {
    struct hg_str access_key, secret_key;
    struct hg_str session_token; /* empty for long-term keys */
};

struct hg_sigv4_request {
    struct hg_str method;
    struct hg_str path;  /* as sent, percent-encoded; "" counts as "/" */
    struct hg_str query; /* as sent, without '?' */
    /* What is signed, Host among it. Not the headers of struct hg_sigv4_signed: those are added. */
    const struct hg_sigv4_header *headers;
    size_t header_count;
    struct hg_str body;
    struct hg_str region, service;
    int64_t time_ms;
    bool is_s3; /* the path is taken as it is sent, and the body's hash is a header */
};

/* Headers to send with the request; each empty one is not to be sent. */
struct hg_sigv4_signed {
    char date[17];           /* X-Amz-Date */
    char content_sha256[65]; /* X-Amz-Content-Sha256; S3 only */
    struct hg_buf authorization;
};

/* The canonical request, and the string to sign that is made of it. False: more than the limits above. */
bool hg_sigv4_canonical(const struct hg_sigv4_request *request,
                        const struct hg_sigv4_credentials *credentials, struct hg_buf *out);
bool hg_sigv4_string_to_sign(const struct hg_sigv4_request *request,
                             const struct hg_sigv4_credentials *credentials, struct hg_buf *out);

/* False: more than the limits above. In either case hg_sigv4_signed_fini is due. The session token is the caller's to send, as X-Amz-Security-Token. */
bool hg_sigv4_sign(const struct hg_sigv4_request *request,
                   const struct hg_sigv4_credentials *credentials, struct hg_sigv4_signed *out);
void hg_sigv4_signed_fini(struct hg_sigv4_signed *out);

#endif
