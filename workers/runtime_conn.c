/*
 * HTTP/1.1 between a runtime and its environment. Parsing is that of http/;
 * this file reads, frames, and writes replies with as few system calls as
 * possible: the acknowledgement of an answer travels with the next event.
 */
#include "workers/runtime_conn.h"

#include "http/h1_framing.h"
#include "workers/invoke.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    HEADERS_MAX = 64,
    TRAILERS_MAX = 16,
    /* What may wait behind a GET next: a client that polls has nothing else to say. */
    KEPT_WHILE_WAITING_MAX = 65536,
    OUT_MAX = 8388608, /* an event that the socket did not take, and replies behind it */
    KEPT_IDLE_BYTES = 4096,
};

#define ACK_TEXT \
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}"

const struct hg_str runtime_ack = {ACK_TEXT, sizeof(ACK_TEXT) - 1};

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    runtime_conn_read(arg);
}

static void flush(struct hg_runtime_conn *conn);

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    flush(arg);
}

static void on_resume(struct hg_task *task)
{
    struct hg_runtime_conn *conn = hg_container_of(task, struct hg_runtime_conn, resume);

    runtime_conn_feed(conn, HG_STR(""), false);
}

struct hg_runtime_conn *runtime_conn_new(struct hg_runtime_api *api, int fd)
{
    struct hg_runtime_conn *conn = hg_calloc(1, sizeof(*conn));

    conn->api = api;
    conn->fd = fd;
    hg_task_init(&conn->resume, on_resume);
    hg_buf_init(&conn->kept, HG_RUNTIME_HEAD_MAX + HG_RUNTIME_READ_BYTES);
    hg_buf_init(&conn->body, HG_INVOKE_RESPONSE_MAX);
    hg_buf_init(&conn->out, OUT_MAX);
    hg_list_push_back(&api->conns, &conn->link);
    api->conn_count++;
    if (fd >= 0) {
        (void)event_assign(&conn->read_event, api->loop->base, fd, EV_READ | EV_PERSIST,
                           on_readable, conn);
        (void)event_assign(&conn->write_event, api->loop->base, fd, EV_WRITE, on_writable, conn);
        (void)event_add(&conn->read_event, NULL);
    }
    return conn;
}

static void free_conn(struct hg_grave *grave)
{
    struct hg_runtime_conn *conn = hg_container_of(grave, struct hg_runtime_conn, grave);

    hg_buf_fini(&conn->kept);
    hg_buf_fini(&conn->body);
    hg_buf_fini(&conn->out);
    hg_blob_unref(conn->out_blob);
    free(conn->trailers);
    free(conn);
}

void runtime_conn_close(struct hg_runtime_conn *conn)
{
    if (conn->is_closed)
        return;
    conn->is_closed = true;
    if (conn->fd >= 0) {
        (void)event_del(&conn->read_event);
        (void)event_del(&conn->write_event);
        (void)close(conn->fd);
    }
    hg_task_cancel(&conn->resume);
    hg_list_unlink(&conn->link);
    conn->api->conn_count--;
    hg_loop_bury(conn->api->loop, &conn->grave, free_conn);
    runtime_api_on_closed(conn->api, conn);
}

/* ---- output ---- */

static size_t blob_left(const struct hg_runtime_conn *conn)
{
    return conn->out_blob ? hg_blob_str(conn->out_blob).n - conn->out_blob_sent : 0;
}

/* Bytes taken by the socket; 0 when it takes none now; -1 when it is gone. */
static ssize_t write_some(struct hg_runtime_conn *conn, struct hg_str head, struct hg_str tail)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)head.p, head.n},
                             {(void *)(uintptr_t)tail.p, tail.n}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = tail.n ? 2 : 1};
    ssize_t sent;

    if (conn->fd < 0)
        return (ssize_t)(head.n + tail.n);
    do {
        sent = sendmsg(conn->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return 0;
    return sent;
}

static void drop_blob(struct hg_runtime_conn *conn)
{
    hg_blob_unref(conn->out_blob);
    conn->out_blob = NULL;
    conn->out_blob_sent = 0;
}

static void after_sent(struct hg_runtime_conn *conn)
{
    if (conn->out.len || blob_left(conn)) {
        (void)event_add(&conn->write_event, NULL);
        return;
    }
    drop_blob(conn);
    hg_buf_clear(&conn->out, 0);
    if (conn->is_closing)
        runtime_conn_close(conn);
}

static void flush(struct hg_runtime_conn *conn)
{
    struct hg_str rest = hg_str_skip(hg_blob_str(conn->out_blob), conn->out_blob_sent);
    ssize_t sent = write_some(conn, hg_buf_str(&conn->out), rest);
    size_t of_out;

    if (sent < 0) {
        runtime_conn_close(conn);
        return;
    }
    of_out = HG_MIN((size_t)sent, conn->out.len);
    hg_buf_consume(&conn->out, of_out);
    conn->out_blob_sent += (size_t)sent - of_out;
    after_sent(conn);
}

void runtime_conn_send(struct hg_runtime_conn *conn, struct hg_str head, struct hg_blob *event)
{
    struct hg_str body = hg_blob_str(event);
    ssize_t sent;
    size_t of_head;

    if (conn->is_closed)
        return;
    if (conn->out.len || conn->out_blob) {
        /* Something is still on its way: line up behind it. */
        if (conn->out_blob) {
            hg_buf_append_str(&conn->out,
                              hg_str_skip(hg_blob_str(conn->out_blob), conn->out_blob_sent));
            drop_blob(conn);
        }
        hg_buf_append_str(&conn->out, head);
        hg_buf_append_str(&conn->out, body);
        if (conn->out.is_overflown)
            runtime_conn_close(conn);
        return;
    }
    sent = write_some(conn, head, body);
    if (sent < 0) {
        runtime_conn_close(conn);
        return;
    }
    of_head = HG_MIN((size_t)sent, head.n);
    if ((size_t)sent < head.n + body.n) {
        hg_buf_append_str(&conn->out, hg_str_skip(head, of_head));
        conn->out_blob = event ? hg_blob_ref(event) : NULL;
        conn->out_blob_sent = (size_t)sent - of_head;
    }
    if (conn->is_closing || conn->out.len || conn->out_blob)
        after_sent(conn);
}

void runtime_conn_send_ack(struct hg_runtime_conn *conn)
{
    conn->has_held_ack = true;
}

static void send_held_ack(struct hg_runtime_conn *conn)
{
    if (!conn->has_held_ack)
        return;
    conn->has_held_ack = false;
    runtime_conn_send(conn, runtime_ack, NULL);
}

static const char *reason(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Request Entity Too Large";
    case 501:
        return "Not Implemented";
    default:
        return "Internal Server Error";
    }
}

void runtime_conn_send_error(struct hg_runtime_conn *conn, int status, const char *error_type,
                             const char *message)
{
    char body[400], head[200], reply[sizeof(body) + sizeof(head)];
    size_t body_length, head_length;

    send_held_ack(conn);
    body_length = (size_t)snprintf(
        body, sizeof(body), "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}", message, error_type);
    head_length = (size_t)snprintf(
        head, sizeof(head),
        "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", status,
        reason(status), body_length);
    /* The texts are all ours. */
    hg_assert(body_length < sizeof(body) && head_length < sizeof(head));
    memcpy(reply, head, head_length);
    memcpy(reply + head_length, body, body_length);
    runtime_conn_send(conn, hg_str_n(reply, head_length + body_length), NULL);
}

/* ---- input ---- */

void runtime_conn_close_after_reply(struct hg_runtime_conn *conn)
{
    conn->is_closing = true;
    if (!conn->is_closed && !conn->out.len && !conn->out_blob)
        runtime_conn_close(conn);
}

static void refuse_malformed(struct hg_runtime_conn *conn)
{
    runtime_conn_send_error(conn, 400, "InvalidRequestFormat", "The HTTP request is malformed");
    runtime_conn_close_after_reply(conn);
}

static struct hg_str cut_prefix(struct hg_str text, const char *prefix)
{
    size_t length = strlen(prefix);

    if (text.n >= length && memcmp(text.p, prefix, length) == 0)
        return hg_str_skip(text, length);
    return (struct hg_str){0};
}

static enum hg_runtime_route route_invocation(struct hg_runtime_request *request,
                                              struct hg_str rest, bool is_post)
{
    ptrdiff_t slash = hg_str_find(rest, '/');
    struct hg_str id, verb;

    if (slash < 0)
        return HG_ROUTE_UNKNOWN;
    id = hg_str_n(rest.p, (size_t)slash);
    verb = hg_str_skip(rest, (size_t)slash + 1);
    if (id.n <= HG_UUID_LEN) {
        memcpy(request->request_id, id.p, id.n);
        request->request_id[id.n] = '\0';
    }
    if (!hg_str_is(verb, "response") && !hg_str_is(verb, "error"))
        return HG_ROUTE_UNKNOWN;
    if (!is_post)
        return HG_ROUTE_WRONG_METHOD;
    return hg_str_is(verb, "error") ? HG_ROUTE_ERROR : HG_ROUTE_RESPONSE;
}

static enum hg_runtime_route route_of(struct hg_runtime_request *request, struct hg_str method,
                                      struct hg_str path)
{
    bool is_post = hg_str_is(method, "POST"), is_get = hg_str_is(method, "GET");
    struct hg_str rest = cut_prefix(path, "/2018-06-01/runtime/"), more;

    if (!rest.p) {
        if (cut_prefix(path, "/2020-01-01/extension/").p ||
            cut_prefix(path, "/2022-07-01/telemetry").p || cut_prefix(path, "/2020-08-15/logs").p)
            return HG_ROUTE_EXTENSION;
        return HG_ROUTE_UNKNOWN;
    }
    if (hg_str_is(rest, "invocation/next"))
        return is_get ? HG_ROUTE_NEXT : HG_ROUTE_WRONG_METHOD;
    if (hg_str_is(rest, "init/error"))
        return is_post ? HG_ROUTE_INIT_ERROR : HG_ROUTE_WRONG_METHOD;
    if (hg_str_is(rest, "restore/next") || hg_str_is(rest, "restore/error"))
        return HG_ROUTE_RESTORE;
    more = cut_prefix(rest, "invocation/");
    return more.p ? route_invocation(request, more, is_post) : HG_ROUTE_UNKNOWN;
}

void runtime_request_set_error_type(struct hg_runtime_request *request, struct hg_str value)
{
    struct hg_str name = cut_prefix(value, "Runtime.");
    bool is_function = false, is_good;

    if (!name.p) {
        name = cut_prefix(value, "Function.");
        is_function = name.p != NULL;
    }
    is_good = name.n >= 2 && name.p[0] >= 'A' && name.p[0] <= 'Z' &&
              value.n < sizeof(request->error_type);
    for (size_t i = 1; is_good && i < name.n; i++)
        is_good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z');
    if (!is_good)
        value = is_function ? HG_STR("Function.Unknown") : HG_STR("Runtime.Unknown");
    memcpy(request->error_type, value.p, value.n);
    request->error_type[value.n] = '\0';
}

static void read_header(struct hg_runtime_request *request, const struct hg_header *header)
{
    if (hg_str_is_nocase(header->name, "content-type")) {
        size_t length = HG_MIN(header->value.n, sizeof(request->content_type) - 1);

        memcpy(request->content_type, header->value.p, length);
        request->content_type[length] = '\0';
    } else if (hg_str_is_nocase(header->name, "lambda-runtime-function-error-type")) {
        runtime_request_set_error_type(request, header->value);
    } else if (hg_str_is_nocase(header->name, "lambda-runtime-function-response-mode")) {
        request->mode = hg_str_is(header->value, "streaming") ? HG_MODE_STREAMING : HG_MODE_BAD;
    }
}

static void start_request(struct hg_runtime_conn *conn, const struct h1_head *head,
                          const struct h1_framing *framing)
{
    struct hg_runtime_request *request = &conn->request;

    request->mode = HG_MODE_NONE;
    request->request_id[0] = request->content_type[0] = request->error_type[0] = '\0';
    request->is_large = false;
    request->route = route_of(request, head->method, framing->path);
    if (request->route != HG_ROUTE_NEXT) {
        for (size_t i = 0; i < head->header_count; i++)
            read_header(request, &head->headers[i]);
    }
    conn->is_persistent = framing->is_persistent;
    conn->body_left = framing->content_length;
    conn->part = HG_BODY_NONE;
    if (framing->is_chunked) {
        conn->part = HG_BODY_CHUNKED;
        h1_chunked_init(&conn->chunked);
        if (request->mode == HG_MODE_STREAMING) {
            if (!conn->trailers)
                conn->trailers = hg_malloc(H1_TRAILERS_MAX);
            conn->chunked.trailer_room = conn->trailers;
        }
    } else if (conn->body_left) {
        conn->part = HG_BODY_LENGTH;
    }
    if (framing->wants_continue && conn->part != HG_BODY_NONE)
        runtime_conn_send(conn, HG_STR("HTTP/1.1 100 Continue\r\n\r\n"), NULL);
}

static void note_large(struct hg_runtime_conn *conn)
{
    if (conn->request.is_large)
        return;
    conn->request.is_large = true;
    hg_buf_clear(&conn->body, 0);
    runtime_api_on_large_body(conn->api, conn);
}

static void end_request(struct hg_runtime_conn *conn, struct hg_blob *body)
{
    struct hg_header trailers[TRAILERS_MAX];
    size_t trailer_count = 0;

    if (conn->part == HG_BODY_CHUNKED && conn->chunked.trailer_room)
        trailer_count = h1_chunked_trailers(&conn->chunked, trailers, TRAILERS_MAX);
    conn->part = HG_BODY_NONE;
    runtime_api_on_request(conn->api, conn, body, trailers, trailer_count);
    if (!conn->is_persistent && !conn->is_closed && conn->api->waiting != conn) {
        send_held_ack(conn);
        runtime_conn_close_after_reply(conn);
    }
}

static void end_with_gathered_body(struct hg_runtime_conn *conn)
{
    struct hg_blob *body = hg_blob_take(&conn->body);

    end_request(conn, body);
    hg_blob_unref(body);
}

/* Each take_* returns how many bytes it used; 0 when it needs more. */
static size_t take_head(struct hg_runtime_conn *conn, struct hg_str bytes)
{
    struct hg_header headers[HEADERS_MAX];
    struct h1_head head = {.headers = headers,
                           .header_room = HEADERS_MAX,
                           .max_bytes = HG_RUNTIME_HEAD_MAX,
                           .seen = conn->head_seen};
    struct h1_framing framing = {0};
    const char *detail;

    switch (h1_parse_head(&head, bytes.p, bytes.n)) {
    case H1_MORE:
        conn->head_seen = head.seen;
        return 0;
    case H1_BAD:
        refuse_malformed(conn);
        return 0;
    case H1_DONE:
        break;
    }
    conn->head_seen = 0;
    if (h1_read_framing(&head, &framing, &detail) != HG_FAULT_COUNT) {
        refuse_malformed(conn);
        return 0;
    }
    start_request(conn, &head, &framing);
    if (conn->part == HG_BODY_NONE) {
        end_with_gathered_body(conn);
    } else if (conn->part == HG_BODY_LENGTH && conn->body_left > HG_INVOKE_RESPONSE_MAX) {
        note_large(conn);
    }
    return head.length;
}

static size_t take_length_body(struct hg_runtime_conn *conn, struct hg_str bytes)
{
    size_t used = (size_t)HG_MIN(conn->body_left, (uint64_t)bytes.n);

    if (used == conn->body_left && conn->body.len == 0 && !conn->request.is_large) {
        /* The usual case: all of it in one piece. */
        struct hg_blob *body = hg_blob_new(bytes.p, used);

        end_request(conn, body);
        hg_blob_unref(body);
        return used;
    }
    if (!conn->request.is_large) {
        /* Within the maximum: a longer body was noted as large at its head. */
        if (conn->body.cap == 0)
            (void)hg_buf_reserve(&conn->body, (size_t)conn->body_left);
        hg_buf_append(&conn->body, bytes.p, used);
    }
    conn->body_left -= used;
    if (conn->body_left == 0)
        end_with_gathered_body(conn);
    return used;
}

static size_t take_chunked_body(struct hg_runtime_conn *conn, struct hg_str bytes)
{
    size_t used = 0;
    struct hg_str run = {0};
    enum h1_result result = h1_chunked_feed(&conn->chunked, bytes.p, bytes.n, &used, &run);

    if (result == H1_BAD) {
        refuse_malformed(conn);
        return 0;
    }
    if (run.n && !conn->request.is_large && !hg_buf_append_str(&conn->body, run))
        note_large(conn);
    if (result == H1_DONE && !conn->is_closed)
        end_with_gathered_body(conn);
    return used;
}

/* Works on as many bytes as it can; returns how many it used. */
static size_t take_requests(struct hg_runtime_conn *conn, struct hg_str bytes)
{
    size_t total = 0;

    while (total < bytes.n && !conn->is_closed && !conn->is_closing && conn->api->waiting != conn) {
        struct hg_str rest = hg_str_skip(bytes, total);
        size_t used = 0;

        switch (conn->part) {
        case HG_BODY_NONE:
            used = take_head(conn, rest);
            break;
        case HG_BODY_LENGTH:
            used = take_length_body(conn, rest);
            break;
        case HG_BODY_CHUNKED:
            used = take_chunked_body(conn, rest);
            break;
        }
        if (used == 0)
            break;
        total += used;
    }
    return total;
}

static void at_eof(struct hg_runtime_conn *conn)
{
    if (conn->part != HG_BODY_NONE)
        runtime_api_on_truncated(conn->api, conn);
    if (!conn->is_closed)
        runtime_conn_close_after_reply(conn);
}

void runtime_conn_feed(struct hg_runtime_conn *conn, struct hg_str bytes, bool is_eof)
{
    size_t used;

    if (conn->kept.len || conn->api->waiting == conn) {
        hg_buf_append_str(&conn->kept, bytes);
        used = take_requests(conn, hg_buf_str(&conn->kept));
        hg_buf_consume(&conn->kept, used);
    } else {
        used = take_requests(conn, bytes);
        if (!conn->is_closed)
            hg_buf_append_str(&conn->kept, hg_str_skip(bytes, used));
    }
    if (conn->is_closed)
        return;
    if (conn->kept.is_overflown ||
        (conn->api->waiting == conn && conn->kept.len > KEPT_WHILE_WAITING_MAX)) {
        runtime_conn_close(conn);
        return;
    }
    if (conn->kept.len == 0)
        hg_buf_clear(&conn->kept, KEPT_IDLE_BYTES);
    if (conn->api->waiting != conn)
        send_held_ack(conn);
    if (is_eof && !conn->is_closed)
        at_eof(conn);
}

void runtime_conn_read(struct hg_runtime_conn *conn)
{
    char *scratch = conn->api->scratch;

    while (!conn->is_closed) {
        ssize_t got = recv(conn->fd, scratch, HG_RUNTIME_READ_BYTES, MSG_DONTWAIT);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (got <= 0) {
            runtime_conn_feed(conn, HG_STR(""), true);
            if (!conn->is_closed)
                runtime_conn_close(conn);
            return;
        }
        runtime_conn_feed(conn, hg_str_n(scratch, (size_t)got), false);
        /* A short read means that there is no more: one system call spared. */
        if (got < HG_RUNTIME_READ_BYTES)
            return;
    }
}
