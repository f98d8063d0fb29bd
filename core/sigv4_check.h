/*
 * The other side of Signature Version 4: reads what a request says of its signature, and checks it. Header, presigned query, and bodies in
 * signed chunks. Pure; any thread. Texts are those of Amazon's services.
 */
#ifndef HG_CORE_SIGV4_CHECK_H
#define HG_CORE_SIGV4_CHECK_H

#include "core/arena.h"
#include "core/crypto.h"
#include "core/sigv4.h"

enum {
    HG_SIGV4_SKEW_MS = 15 * 60 * 1000,
    HG_SIGV4_EXPIRES_MAX_S = 7 * 24 * 3600,
    HG_SIGV4_WHY_MAX = 512,
    HG_SIGV4_SIGNED_HEADERS_MAX = 100,
};

enum hg_sigv4_fault {
    HG_SIGV4_GOOD,
    HG_SIGV4_ABSENT,     /* nothing is signed */
    HG_SIGV4_INCOMPLETE, /* not a signature that could be checked */
    HG_SIGV4_WRONG,      /* it does not fit the request, or not the time */
    HG_SIGV4_WRONG_BODY, /* the body is not the one whose hash was signed */
};

/* A request as it arrived. */
struct hg_sigv4_received {
    struct hg_str method, path, query;
    const struct hg_sigv4_header *headers;
    size_t header_count;
    struct hg_str body;
};

/* Slices of the request or of the arena. */
struct hg_sigv4_claim {
    bool is_presigned;
    struct hg_str access_key, day, region, service;
    struct hg_str signed_headers; /* "host;x-amz-date" */
    struct hg_str signature;
    struct hg_str token;   /* session token; "" for none */
    struct hg_str payload; /* x-amz-content-sha256 as given; "" for none */
    int64_t time_ms;
    int64_t expires_s; /* presigned only */
    char stamp[17];
    /* Set by hg_sigv4_check, for hg_sigv4_unchunk. */
    unsigned char key[HG_SHA256_LEN];
};

/* What the request claims. Anything but HG_SIGV4_GOOD comes with a sentence. */
enum hg_sigv4_fault hg_sigv4_read(const struct hg_sigv4_received *received, struct hg_arena *arena,
                                  struct hg_sigv4_claim *claim, char why[HG_SIGV4_WHY_MAX]);
/* Whether the claim is true at now_ms for the owner of secret. A body in chunks is not looked at. */
enum hg_sigv4_fault hg_sigv4_check(const struct hg_sigv4_received *received,
                                   struct hg_sigv4_claim *claim, struct hg_str secret,
                                   int64_t now_ms, char why[HG_SIGV4_WHY_MAX]);

/* Whether a body with this x-amz-content-sha256 comes in signed chunks. */
bool hg_sigv4_is_chunked(struct hg_str payload);
/*
 * Takes the chunks' data together into out, which has room for it. claim as hg_sigv4_check left it: every chunk's signature must be
 * right; NULL: signatures are not looked at.
 */
enum hg_sigv4_fault hg_sigv4_unchunk(const struct hg_sigv4_claim *claim, struct hg_str body,
                                     struct hg_buf *out, char why[HG_SIGV4_WHY_MAX]);

#endif
