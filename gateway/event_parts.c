/*
 * Headers, body and parameters as all event formats have them.
 */
#include "core/crypto.h"
#include "gateway/event.h"

#include <stdio.h>

enum {
    DROP_REST = 1,    /* never reaches a REST API's function (apigw-routing.md §3.3) */
    DROP_HTTP = 2,    /* belongs to the connection, or is written anew */
    CAPITAL_REST = 4, /* arrives in this spelling whatever the client wrote */
    CAPITAL_HTTP = 8,
    USUAL_EVENT_BYTES = 2048,
    USUAL_HEADER_BYTES = 96, /* twice a header in JSON: headers and multiValueHeaders */
    ADDED_HEADERS = 5,
    PORT_TEXT = 6,
    LENGTH_TEXT = 21,
};

static const struct known {
    struct hg_str name;
    unsigned flags;
} known_headers[] = {
#define KNOWN(name, flags) \
    { \
        {name, sizeof(name) - 1}, flags \
    }
    KNOWN("TE", DROP_REST | DROP_HTTP),
    KNOWN("Host", CAPITAL_REST | CAPITAL_HTTP),
    KNOWN("Accept", CAPITAL_REST),
    KNOWN("Expect", DROP_REST | DROP_HTTP),
    KNOWN("Server", DROP_REST),
    KNOWN("Trailer", DROP_REST | DROP_HTTP),
    KNOWN("Upgrade", DROP_REST | DROP_HTTP),
    KNOWN("Connection", DROP_REST | DROP_HTTP),
    KNOWN("Keep-Alive", DROP_HTTP),
    KNOWN("User-Agent", CAPITAL_REST | CAPITAL_HTTP),
    KNOWN("Content-MD5", DROP_REST),
    KNOWN("Content-Type", CAPITAL_REST),
    KNOWN("Max-Forwards", DROP_REST),
    KNOWN("Authorization", CAPITAL_REST),
    KNOWN("Content-Length", DROP_REST | DROP_HTTP),
    KNOWN("HTTP2-Settings", DROP_REST | DROP_HTTP),
    KNOWN("Accept-Encoding", CAPITAL_REST),
    KNOWN("X-Amzn-Trace-Id", DROP_REST | DROP_HTTP),
    KNOWN("X-Forwarded-For", DROP_REST | DROP_HTTP),
    KNOWN("Proxy-Connection", DROP_HTTP),
    KNOWN("WWW-Authenticate", DROP_REST),
    KNOWN("X-Forwarded-Port", DROP_REST | DROP_HTTP),
    KNOWN("Transfer-Encoding", DROP_REST | DROP_HTTP),
    KNOWN("X-Forwarded-Proto", DROP_REST | DROP_HTTP),
    KNOWN("Proxy-Authenticate", DROP_REST),
#undef KNOWN
};

static const struct known *find_known(struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(known_headers); i++) {
        if (known_headers[i].name.n == name.n && hg_str_eq_nocase(known_headers[i].name, name))
            return &known_headers[i];
    }
    return NULL;
}

static struct hg_str lower_case(struct hg_arena *arena, struct hg_str name)
{
    size_t at = 0;
    char *copy;

    while (at < name.n && !(name.p[at] >= 'A' && name.p[at] <= 'Z'))
        at++;
    if (at == name.n)
        return name;
    copy = hg_arena_alloc(arena, name.n);
    for (size_t i = 0; copy && i < name.n; i++)
        copy[i] = name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] | 0x20) : name.p[i];
    return hg_str_n(copy, name.n);
}

/*
 * The chain that the client claims, and the client itself at its end. p is NULL when the arena is
 * full.
 */
static struct hg_str forwarded_for(const struct hg_request *req)
{
    struct hg_str peer = hg_str_of(req->peer->remote_ip);
    size_t length = peer.n;
    char *text, *at;

    for (size_t i = 0; i < req->header_count; i++) {
        if (hg_str_is_nocase(req->headers[i].name, "x-forwarded-for") && req->headers[i].value.n)
            length += req->headers[i].value.n + 2;
    }
    if (length == peer.n)
        return peer;
    text = at = hg_arena_alloc(req->arena, length);
    if (!text)
        return hg_str_n(NULL, 0);
    for (size_t i = 0; i < req->header_count; i++) {
        struct hg_str value = req->headers[i].value;

        if (!hg_str_is_nocase(req->headers[i].name, "x-forwarded-for") || !value.n)
            continue;
        memcpy(at, value.p, value.n);
        at += value.n;
        *at++ = ',';
        *at++ = ' ';
    }
    memcpy(at, peer.p, peer.n);
    return hg_str_n(text, length);
}

static bool add_ours(struct hg_context *ctx, enum hg_header_style style, struct hg_pairs *headers)
{
    struct hg_request *req = ctx->req;
    bool is_lower = style == HG_HEADERS_LOWER;
    struct hg_str trace = context_trace(ctx), chain = forwarded_for(req);
    char *port = hg_arena_alloc(req->arena, PORT_TEXT),
         *length = hg_arena_alloc(req->arena, LENGTH_TEXT);

    if (!trace.n || !chain.p || !port || !length)
        return false;
    (void)snprintf(port, PORT_TEXT, "%u", (unsigned)req->peer->local_port);
    if (style != HG_HEADERS_REST) {
        (void)snprintf(length, LENGTH_TEXT, "%zu", req->body.n);
        pairs_add(headers, is_lower ? HG_STR("content-length") : HG_STR("Content-Length"),
                  hg_str_of(length));
    }
    pairs_add(headers, is_lower ? HG_STR("x-amzn-trace-id") : HG_STR("X-Amzn-Trace-Id"), trace);
    pairs_add(headers, is_lower ? HG_STR("x-forwarded-for") : HG_STR("X-Forwarded-For"), chain);
    pairs_add(headers, is_lower ? HG_STR("x-forwarded-port") : HG_STR("X-Forwarded-Port"),
              hg_str_of(port));
    pairs_add(headers, is_lower ? HG_STR("x-forwarded-proto") : HG_STR("X-Forwarded-Proto"),
              req->peer->is_tls ? HG_STR("https") : HG_STR("http"));
    return true;
}

bool event_headers(struct hg_context *ctx, enum hg_header_style style, struct hg_pairs *headers)
{
    struct hg_request *req = ctx->req;
    unsigned drop = style == HG_HEADERS_REST ? DROP_REST : DROP_HTTP;
    unsigned capital = style == HG_HEADERS_REST       ? CAPITAL_REST
                       : style == HG_HEADERS_CAPITALS ? CAPITAL_HTTP
                                                      : 0;

    if (!pairs_init(headers, req->arena, req->header_count + ADDED_HEADERS))
        return false;
    for (size_t i = 0; i < req->header_count; i++) {
        const struct hg_header *header = &req->headers[i];
        const struct known *known = find_known(header->name);
        struct hg_str name = header->name;

        if (known && (known->flags & drop))
            continue;
        if (known && (known->flags & capital))
            name = known->name;
        else if (style != HG_HEADERS_REST)
            name = lower_case(req->arena, name);
        if (!name.p)
            return false;
        pairs_add(headers, name, header->value);
    }
    return add_ours(ctx, style, headers) && pairs_group(headers, req->arena, true);
}

void event_reserve(const struct hg_context *ctx, struct hg_buf *out)
{
    const struct hg_request *req = ctx->req;
    size_t bytes =
        USUAL_EVENT_BYTES + req->header_count * USUAL_HEADER_BYTES + req->body.n + req->body.n / 2;

    if (bytes < out->max)
        (void)hg_buf_reserve(out, bytes);
}

void event_body(struct hg_json *json, struct hg_str body, bool is_base64)
{
    if (!is_base64) {
        hg_json_str(json, body);
        return;
    }
    hg_json_raw(json, HG_STR("\""));
    (void)hg_base64_encode(json->out, body);
    hg_buf_append_byte(json->out, '"');
}

void event_path_parameters(struct hg_context *ctx, struct hg_json *json, bool is_decoded)
{
    const struct hg_param *params = context_params(ctx);

    hg_json_begin_object(json);
    for (size_t i = 0; params && i < ctx->route->pattern.param_count; i++) {
        struct hg_str value = params[i].value;

        if (is_decoded)
            value = pairs_decode(ctx->req->arena, value, false);
        hg_json_key(json, params[i].name);
        hg_json_str(json, value);
    }
    hg_json_end_object(json);
}
