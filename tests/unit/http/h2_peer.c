#include "h2_peer.h"

#include "http/http2.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_MAX = 64 << 20, ROUNDS_MAX = 100000 };

/* ---- the client ---- */

struct peer_answer *peer_answer(struct peer *peer, int32_t id)
{
    assert_in_range(id, 1, 2 * PEER_STREAMS - 1);
    return &peer->answers[id / 2];
}

static int on_client_header(nghttp2_session *session, const nghttp2_frame *frame,
                            const uint8_t *name, size_t name_length, const uint8_t *value,
                            size_t value_length, uint8_t flags, void *user_data)
{
    struct peer_answer *answer = peer_answer(user_data, frame->hd.stream_id);
    size_t used = strlen(answer->headers);

    (void)session;
    (void)flags;
    if (hg_str_is(hg_str_n((const char *)name, name_length), ":status")) {
        uint64_t status;

        assert_true(hg_str_u64(hg_str_n((const char *)value, value_length), 999, &status));
        *(status < 200 ? &answer->interim_status : &answer->status) = (int)status;
        return 0;
    }
    (void)snprintf(answer->headers + used, sizeof(answer->headers) - used, "%.*s: %.*s\n",
                   (int)name_length, name, (int)value_length, value);
    return 0;
}

static int on_client_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                          size_t length, void *user_data)
{
    (void)session;
    (void)flags;
    assert_true(hg_buf_append(&peer_answer(user_data, id)->body, bytes, length));
    return 0;
}

static int on_client_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct peer *peer = user_data;

    (void)session;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        assert_true(peer->goaways < HG_COUNT(peer->goaway_ids));
        peer->goaway_ids[peer->goaways++] = frame->goaway.last_stream_id;
        peer->goaway_code = frame->goaway.error_code;
    } else if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK)) {
        peer->pings_acked++;
    } else if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
               (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        peer_answer(peer, frame->hd.stream_id)->is_ended = true;
    }
    return 0;
}

static int on_client_close(nghttp2_session *session, int32_t id, uint32_t error_code,
                           void *user_data)
{
    struct peer_answer *answer = peer_answer(user_data, id);

    (void)session;
    answer->is_closed = true;
    answer->error_code = error_code;
    return 0;
}

static void open_client(struct peer *peer, const struct peer_options *options)
{
    nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options->initial_window};
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_client_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_client_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_client_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_client_close);
    nghttp2_option_set_no_auto_window_update(option, options->is_manual);
    assert_int_equal(nghttp2_session_client_new2(&peer->client, callbacks, peer, option), 0);
    assert_int_equal(nghttp2_submit_settings(peer->client, NGHTTP2_FLAG_NONE, &entry,
                                             options->initial_window ? 1 : 0),
                     0);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
}

/* ---- the handler ---- */

static struct peer *peer_of(struct hg_request *req)
{
    const struct hg_conn *conn = hg_container_of(req->peer, struct hg_conn, peer);

    return conn->handler.arg;
}

static void on_abort(struct hg_request *req)
{
    struct peer *peer = peer_of(req);

    peer->aborts++;
    for (size_t i = 0; i < peer->held_count; i++) {
        if (peer->held[i] == req)
            peer->held[i] = NULL;
    }
}

static void on_done(struct hg_request *req, uint64_t bytes_sent)
{
    struct peer *peer = peer_of(req);

    peer->dones++;
    peer->done_bytes = bytes_sent;
    free(req->user);
}

static void on_request(struct hg_request *req, void *arg)
{
    struct peer *peer = arg;

    peer->seen_count++;
    req->on_abort = on_abort;
    req->on_done = on_done;
    if (peer->answers_at_once) {
        req_respond_with(req, 200, "text/plain", req->body);
        return;
    }
    assert_true(peer->held_count < PEER_STREAMS);
    peer->held[peer->held_count++] = req;
}

/* The body is freed in on_done: what reads it later is seen by AddressSanitizer. */
void peer_respond(struct peer *peer, size_t i, int status, struct hg_str body)
{
    struct hg_request *req = peer->held[i];

    assert_non_null(req);
    peer->held[i] = NULL;
    req->user = hg_strndup(body.p, body.n);
    req_respond_with(req, status, "Text/Plain", hg_str_n(req->user, body.n));
}

/* ---- both ---- */

void peer_init(struct peer *peer, const struct peer_options *options)
{
    static const struct peer_options usual;

    memset(peer, 0, sizeof(*peer));
    for (size_t i = 0; i < PEER_STREAMS; i++)
        hg_buf_init(&peer->answers[i].body, BODY_MAX);
    fake_conn_init(&peer->fake);
    peer->fake.conn.handler = (struct hg_http_handler){.on_request = on_request, .arg = peer};
    open_client(peer, options ? options : &usual);
    http2_start(&peer->fake.conn);
    fake_conn_turn(&peer->fake);
}

void peer_fini(struct peer *peer)
{
    fake_conn_fini(&peer->fake);
    assert_int_equal(peer->fake.buffered, 0);
    nghttp2_session_del(peer->client);
    for (size_t i = 0; i < PEER_STREAMS; i++)
        hg_buf_fini(&peer->answers[i].body);
}

static bool client_sends(struct peer *peer)
{
    const uint8_t *bytes;
    ssize_t length;
    bool has_sent = false;

    while ((length = nghttp2_session_mem_send(peer->client, &bytes)) > 0) {
        fake_conn_receive(&peer->fake, bytes, (size_t)length);
        has_sent = true;
    }
    assert_int_equal(length, 0);
    return has_sent;
}

static bool client_reads(struct peer *peer)
{
    struct hg_str wire = hg_buf_str(&peer->fake.wire);

    if (!wire.n)
        return false;
    assert_int_equal(nghttp2_session_mem_recv(peer->client, (const uint8_t *)wire.p, wire.n),
                     wire.n);
    hg_buf_clear(&peer->fake.wire, 1 << 20);
    return true;
}

void peer_pump(struct peer *peer)
{
    bool has_moved = true;

    for (int i = 0; has_moved; i++) {
        assert_true(i < ROUNDS_MAX);
        fake_conn_turn(&peer->fake);
        has_moved = client_sends(peer);
        has_moved |= client_reads(peer);
    }
}

/* What is left of a request's body; freed with its last byte. */
struct upload {
    const char *at;
    size_t left;
    bool is_open;
};

static ssize_t on_upload(nghttp2_session *session, int32_t id, uint8_t *bytes, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user_data)
{
    struct upload *upload = source->ptr;
    size_t part = HG_MIN(length, upload->left);

    (void)session;
    (void)id;
    (void)user_data;
    if (part == 0 && upload->is_open)
        return NGHTTP2_ERR_DEFERRED;
    memcpy(bytes, upload->at, part);
    upload->at += part;
    upload->left -= part;
    if (upload->left == 0 && !upload->is_open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

static nghttp2_nv field_of(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

int32_t peer_request(struct peer *peer, const struct peer_request *request)
{
    static struct upload uploads[PEER_STREAMS];
    static size_t next_upload;
    struct upload *upload = &uploads[next_upload++ % PEER_STREAMS];
    nghttp2_data_provider body = {.source.ptr = upload, .read_callback = on_upload};
    nghttp2_nv fields[PEER_FIELDS];
    size_t count = 0;
    int32_t id;

    *upload = (struct upload){request->body, request->body_length, request->is_open};
    fields[count++] = field_of(":method", request->method ? request->method : "GET");
    fields[count++] = field_of(":scheme", "http");
    fields[count++] = field_of(":path", request->path ? request->path : "/");
    if (!request->authority || *request->authority)
        fields[count++] =
            field_of(":authority", request->authority ? request->authority : "host.example");
    for (const char *const *f = request->fields; f && *f; f += 2) {
        assert_true(count < PEER_FIELDS);
        fields[count++] = field_of(f[0], f[1]);
    }
    id = nghttp2_submit_request(peer->client, NULL, fields, count,
                                request->body || request->is_open ? &body : NULL, NULL);
    assert_true(id > 0);
    return id;
}

int32_t peer_get(struct peer *peer, const char *path)
{
    int32_t id = peer_request(peer, &(struct peer_request){.path = path});

    peer_pump(peer);
    return id;
}

const char *peer_header(struct peer *peer, int32_t id, const char *name)
{
    static char value[256];
    const char *at = peer_answer(peer, id)->headers;
    size_t length = strlen(name);

    for (; *at; at = strchr(at, '\n') + 1) {
        if (strncmp(at, name, length) == 0 && at[length] == ':') {
            (void)snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + length + 2, "\n"),
                           at + length + 2);
            return value;
        }
    }
    return "";
}

void peer_send_raw(struct peer *peer, const void *bytes, size_t length)
{
    fake_conn_receive(&peer->fake, bytes, length);
}

void peer_send_frame(struct peer *peer, unsigned type, unsigned flags, int32_t id,
                     const void *payload, size_t length)
{
    char frame[9 + 16384] = {(char)(length >> 16), (char)(length >> 8), (char)length,
                             (char)type,           (char)flags,         (char)(id >> 24),
                             (char)(id >> 16),     (char)(id >> 8),     (char)id};

    assert_true(length <= 16384);
    if (length)
        memcpy(frame + 9, payload, length);
    peer_send_raw(peer, frame, 9 + length);
}
