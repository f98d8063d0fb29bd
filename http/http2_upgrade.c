/*
 * "Upgrade: h2c": a request that came with HTTP/1.1 is answered on stream 1.
 */
#include "http/http2.h"

#include "core/crypto.h"
#include "http/http2_session.h"

#include <ctype.h>

enum {
    SETTINGS_BYTES_MAX = 1024
}; /* a SETTINGS payload has six bytes an entry, and there are few */

/* base64url without padding (RFC 7540 §3.2.1). */
static bool decode_settings(struct hg_buf *out, struct hg_str text)
{
    struct hg_buf padded;
    bool is_good;

    hg_buf_init(&padded, SETTINGS_BYTES_MAX + 4);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i] == '-' ? '+' : text.p[i] == '_' ? '/' : text.p[i];

        (void)hg_buf_append_byte(&padded, c);
    }
    while (padded.len % 4 && hg_buf_append_byte(&padded, '='))
        ;
    is_good = !padded.is_overflown && hg_base64_decode(out, hg_buf_str(&padded));
    hg_buf_fini(&padded);
    return is_good;
}

/* What concerned the HTTP/1.1 connection only. */
static bool is_connection_header(struct hg_str name)
{
    static const char *const names[] = {"connection", "upgrade",          "http2-settings",
                                        "keep-alive", "proxy-connection", "transfer-encoding"};

    for (size_t i = 0; i < HG_COUNT(names); i++) {
        if (hg_str_is_nocase(name, names[i]))
            return true;
    }
    return false;
}

static bool copy_header(struct hg_h2_stream *stream, struct hg_str name, struct hg_str value)
{
    char *lower;

    if (!stream_keep(stream, &name) || !stream_keep(stream, &value))
        return false;
    lower = (char *)(uintptr_t)name.p; /* our own copy */
    for (size_t i = 0; i < name.n; i++)
        lower[i] = (char)tolower((unsigned char)lower[i]);
    stream_add_header(stream, name, value);
    return !stream->is_head_too_large;
}

static bool copy_request(struct hg_h2_stream *stream, const struct hg_request *from)
{
    struct hg_request *to = &stream->req;

    to->method = from->method;
    to->target = from->target;
    to->authority = from->authority;
    to->start_us = from->start_us;
    if (!stream_keep(stream, &to->method) || !stream_keep(stream, &to->target) ||
        !stream_keep(stream, &to->authority))
        return false;
    /* path and query lie inside target when it is in origin form; copies are right in every form. */
    to->path = from->path;
    to->query = from->query;
    if (!stream_keep(stream, &to->path) || (to->query.p && !stream_keep(stream, &to->query)))
        return false;
    for (size_t i = 0; i < from->header_count; i++) {
        const struct hg_header *h = &from->headers[i];

        if (!is_connection_header(h->name) && !copy_header(stream, h->name, h->value))
            return false;
    }
    hg_buf_init(&stream->body, conn_body_max(stream->h2->conn, to));
    return from->body.n == 0 || stream_keep_body(stream, from->body.p, from->body.n);
}

bool http2_upgrade(struct hg_conn *conn, const struct hg_request *req, struct hg_str settings)
{
    static const char answer[] =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    struct hg_buf payload;
    struct hg_http2 *h2;
    struct hg_h2_stream *stream;
    bool is_good;

    hg_buf_init(&payload, SETTINGS_BYTES_MAX);
    if (!decode_settings(&payload, settings)) {
        hg_buf_fini(&payload);
        return false;
    }
    h2 = http2_new(conn);
    stream = stream_new(h2, 1);
    stream->is_method_head = hg_str_is(req->method, "HEAD");
    is_good = copy_request(stream, req) &&
              nghttp2_session_upgrade2(h2->session, (const uint8_t *)hg_buf_str(&payload).p,
                                       payload.len, stream->is_method_head, NULL) == 0;
    hg_buf_fini(&payload);
    if (!is_good) {
        stream_free(stream);
        http2_free(h2);
        return false;
    }
    /* On a server, nghttp2_session_upgrade2 leaves its last argument out. */
    hg_assert(nghttp2_session_set_stream_user_data(h2->session, 1, stream) == 0);
    conn_write(conn, answer, sizeof(answer) - 1);
    http2_submit_settings(h2);
    h2->newest_id = 1;
    guard_note_ended(&h2->guard, 1);
    /* Before the client's next bytes are read: they may already reset stream 1. */
    stream_move(stream, HG_H2_BODY);
    stream_take_end(stream);
    http2_take_over(h2);
    return true;
}
