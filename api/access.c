/*
 * Checks calls. On the request's loop, which hashes the body; nothing waits.
 */
#include "api/access_parts.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 1 << 20 };

static const char bad_token[] = "The security token included in the request is invalid.";
static const char old_token[] = "The security token included in the request is expired";

struct hg_access *access_new(const struct hg_access_options *options)
{
    struct hg_access *access = hg_calloc(1, sizeof(*access));

    access->arena = hg_arena_new(ARENA_MAX);
    hg_map_init(&access->secrets);
    (void)snprintf(access->account, sizeof(access->account), "%s", options->account);
    hg_secret_bytes(access->seal, sizeof(access->seal));
    for (size_t i = 0; i < options->keys->count; i++) {
        const struct hg_access_key *key = &options->keys->items[i];
        struct hg_str *secret = hg_arena_must(access->arena, sizeof(*secret));

        *secret = hg_arena_str(access->arena, key->secret);
        (void)hg_map_set(&access->secrets, hg_arena_str(access->arena, key->id), secret);
    }
    return access;
}

void access_free(struct hg_access *access)
{
    if (!access)
        return;
    hg_map_fini(&access->secrets);
    hg_arena_free(access->arena);
    explicit_bzero(access->seal, sizeof(access->seal));
    free(access);
}

bool access_is_on(const struct hg_access *access)
{
    return access && access->secrets.count;
}

const char *access_account(const struct hg_access *access)
{
    return access->account;
}

static bool is_open(const struct hg_request *req)
{
    return hg_str_is(req->method, "GET") && (hg_str_is(req->path, "/_headgate/health") ||
                                             hg_str_starts(req->path, HG_STR("/_headgate/code/")));
}

static struct hg_sigv4_received received_of(const struct hg_request *req)
{
    struct hg_sigv4_header *headers =
        hg_arena_must(req->arena, (req->header_count + 1) * sizeof(*headers));

    for (size_t i = 0; i < req->header_count; i++)
        headers[i] = (struct hg_sigv4_header){req->headers[i].name, req->headers[i].value};
    return (struct hg_sigv4_received){
        .method = req->method,
        .path = req->path,
        .query = req->query,
        .headers = headers,
        .header_count = req->header_count,
        .body = req->body,
    };
}

static void free_body(void *ptr)
{
    hg_buf_fini(ptr);
}

/* "aws-chunked" is no longer true of the body; what it is packed in besides stays. */
static void drop_encoding(struct hg_request *req)
{
    for (size_t i = 0; i < req->header_count; i++) {
        struct hg_str rest = req->headers[i].value, first;

        if (hg_str_is_nocase(req->headers[i].name, "content-encoding") &&
            hg_str_next(&rest, ',', &first) && hg_str_is_nocase(hg_str_trim(first), "aws-chunked"))
            req->headers[i].value = rest.p ? hg_str_trim(rest) : HG_STR("");
    }
}

/* The chunks' data instead of the chunks. claim NULL: their signatures do not matter. */
static enum hg_sigv4_fault join_chunks(struct hg_request *req, const struct hg_sigv4_claim *claim,
                                       char why[HG_SIGV4_WHY_MAX])
{
    struct hg_buf *body = hg_arena_must(req->arena, sizeof(*body));
    enum hg_sigv4_fault fault;

    hg_buf_init(body, req->body.n);
    hg_arena_defer(req->arena, free_body, body);
    fault = hg_sigv4_unchunk(claim, req->body, body, why);
    if (fault == HG_SIGV4_GOOD) {
        req->body = hg_buf_str(body);
        drop_encoding(req);
    }
    return fault;
}

static enum access_fault fault_of(enum hg_sigv4_fault fault)
{
    switch (fault) {
    case HG_SIGV4_ABSENT:
        return ACCESS_NO_TOKEN;
    case HG_SIGV4_INCOMPLETE:
        return ACCESS_INCOMPLETE;
    case HG_SIGV4_WRONG_BODY:
        return ACCESS_WRONG_BODY;
    case HG_SIGV4_GOOD:
    case HG_SIGV4_WRONG:
        break;
    }
    return ACCESS_WRONG;
}

/* The secret of the claim's key; false: refused. */
static bool find_secret(struct hg_call *call, const struct hg_access *access,
                        const struct hg_sigv4_claim *claim, char session_secret[41],
                        struct hg_str *secret)
{
    const struct hg_str *own = hg_map_get(&access->secrets, claim->access_key);
    struct access_identity identity;
    int64_t expires_ms = 0;

    if (own && !claim->token.n) {
        *secret = *own;
        return true;
    }
    if (own ||
        !access_open_token(access, claim->token, claim->access_key, &identity, &expires_ms)) {
        access_refuse(call, ACCESS_UNKNOWN_KEY, bad_token);
        return false;
    }
    if (expires_ms && expires_ms <= hg_wall_ms()) {
        access_refuse(call, ACCESS_EXPIRED, old_token);
        return false;
    }
    access_secret_of(access, claim->access_key, session_secret);
    *secret = hg_str_of(session_secret);
    return true;
}

static bool check_signature(struct hg_call *call, const struct hg_access *access)
{
    struct hg_request *req = call->req;
    struct hg_sigv4_received received = received_of(req);
    char why[HG_SIGV4_WHY_MAX], session_secret[41];
    struct hg_sigv4_claim claim;
    struct hg_str secret;
    enum hg_sigv4_fault fault = hg_sigv4_read(&received, req->arena, &claim, why);

    if (fault == HG_SIGV4_GOOD) {
        if (!find_secret(call, access, &claim, session_secret, &secret))
            return false;
        fault = hg_sigv4_check(&received, &claim, secret, hg_wall_ms(), why);
    }
    if (fault == HG_SIGV4_GOOD && hg_sigv4_is_chunked(claim.payload))
        fault = join_chunks(req, &claim, why);
    explicit_bzero(claim.key, sizeof(claim.key));
    if (fault == HG_SIGV4_GOOD)
        return true;
    access_refuse(call, fault_of(fault), why);
    return false;
}

bool access_check(struct hg_call *call)
{
    const struct hg_access *access = call->api->options.access;
    char why[HG_SIGV4_WHY_MAX];

    if (access_is_on(access))
        return is_open(call->req) || check_signature(call, access);
    if (hg_sigv4_is_chunked(req_header(call->req, "x-amz-content-sha256")) &&
        join_chunks(call->req, NULL, why) != HG_SIGV4_GOOD) {
        access_refuse(call, ACCESS_INCOMPLETE, why);
        return false;
    }
    return true;
}

void access_identify(const struct hg_call *call, struct access_identity *identity)
{
    const struct hg_access *access = call->api->options.access;
    struct hg_sigv4_received received = received_of(call->req);
    char why[HG_SIGV4_WHY_MAX];
    struct hg_sigv4_claim claim;
    int64_t expires_ms;

    *identity = (struct access_identity){.is_session = false};
    (void)snprintf(identity->account, sizeof(identity->account), "%s", access->account);
    if (hg_sigv4_read(&received, call->req->arena, &claim, why) == HG_SIGV4_ABSENT ||
        claim.access_key.n > HG_ACCESS_KEY_ID_MAX)
        return;
    if (!access_open_token(access, claim.token, claim.access_key, identity, &expires_ms))
        (void)snprintf(identity->access_key, sizeof(identity->access_key), "%.*s",
                       HG_STR_ARG(claim.access_key));
}
