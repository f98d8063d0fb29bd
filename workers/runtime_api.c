/*
 * The state machine of a runtime, and what each of its calls is answered.
 */
#include "workers/runtime_api.h"

#include "core/crypto.h"
#include "core/log.h"
#include "workers/invoke.h"
#include "workers/runtime_conn.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENT_HEAD_MAX = 16384 };

/* As the service's own messages name them. */
static const char *const state_names[] = {
    [HG_RUNTIME_STARTED] = "Started",      [HG_RUNTIME_READY] = "Ready",
    [HG_RUNTIME_RUNNING] = "Running",      [HG_RUNTIME_RESPONSE_SENT] = "RuntimeResponseSentState",
    [HG_RUNTIME_INIT_ERROR] = "InitError",
};

static void set_state(struct hg_runtime_api *api, enum hg_runtime_state state)
{
    hg_debug("runtime_state", "from=%s to=%s request_id=%s", state_names[api->state],
             state_names[state], api->request_id);
    api->state = state;
}

void runtime_api_init(struct hg_runtime_api *api, struct hg_loop *loop,
                      const struct hg_runtime_events *events, char *scratch)
{
    *api = (struct hg_runtime_api){
        .loop = loop, .events = events, .scratch = scratch, .listen_fd = -1};
    hg_list_init(&api->conns);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct hg_runtime_api *api = arg;
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

    (void)what;
    if (client < 0)
        return;
    if (api->conn_count >= HG_RUNTIME_CONNS_MAX) {
        (void)close(client);
        return;
    }
    (void)setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)runtime_conn_new(api, client);
}

void runtime_api_open(struct hg_runtime_api *api, int stream_fd, int listen_fd)
{
    hg_assert(api->conn_count == 0 && api->listen_fd < 0);
    api->request_id[0] = '\0';
    set_state(api, HG_RUNTIME_STARTED);
    if (stream_fd >= 0)
        (void)runtime_conn_new(api, stream_fd);
    if (listen_fd >= 0) {
        api->listen_fd = listen_fd;
        (void)event_assign(&api->listen_event, api->loop->base, listen_fd, EV_READ | EV_PERSIST,
                           on_accept, api);
        (void)event_add(&api->listen_event, NULL);
    }
}

void runtime_api_close(struct hg_runtime_api *api)
{
    struct hg_list *link;

    api->is_closing = true;
    while ((link = hg_list_pop_front(&api->conns)))
        runtime_conn_close(hg_container_of(link, struct hg_runtime_conn, link));
    if (api->listen_fd >= 0) {
        (void)event_del(&api->listen_event);
        (void)close(api->listen_fd);
        api->listen_fd = -1;
    }
    api->delivery = NULL;
    api->is_closing = false;
}

void runtime_api_on_closed(struct hg_runtime_api *api, struct hg_runtime_conn *conn)
{
    if (api->waiting != conn)
        return;
    api->waiting = NULL;
    if (api->is_closing || api->state != HG_RUNTIME_READY)
        return;
    set_state(api, HG_RUNTIME_RESPONSE_SENT);
    api->events->on_lost(api);
}

void runtime_api_drain(struct hg_runtime_api *api)
{
    struct hg_runtime_conn *conns[HG_RUNTIME_CONNS_MAX + 1];
    size_t count = 0;

    /* What is read may close any of them; they live until the turn ends. */
    HG_LIST_EACH(link, &api->conns)
    conns[count++] = hg_container_of(link, struct hg_runtime_conn, link);
    for (size_t i = 0; i < count; i++) {
        if (!conns[i]->is_closed)
            runtime_conn_read(conns[i]);
    }
}

/* A header value of a caller's making cannot end its line. */
static void append_header(struct hg_buf *head, struct hg_str name_and_colon, struct hg_str value)
{
    size_t start;

    hg_buf_append_str(head, name_and_colon);
    start = head->off + head->len;
    hg_buf_append_str(head, value);
    if (head->is_overflown)
        return;
    for (size_t i = start; i < head->off + head->len; i++) {
        if ((unsigned char)head->base[i] < 0x20 && head->base[i] != '\t')
            head->base[i] = ' ';
    }
    hg_buf_append_str(head, HG_STR("\r\n"));
}

static void send_event(struct hg_runtime_api *api, struct hg_runtime_conn *conn)
{
    const struct hg_delivery *d = api->delivery;
    struct hg_buf head;

    hg_buf_init(&head, EVENT_HEAD_MAX);
    (void)hg_buf_reserve(&head, 1024);
    if (conn->has_held_ack) {
        conn->has_held_ack = false;
        hg_buf_append_str(&head, runtime_ack);
    }
    hg_buf_append_str(&head, HG_STR("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                    "Lambda-Runtime-Aws-Request-Id: "));
    hg_buf_append_cstr(&head, d->request_id);
    hg_buf_append_str(&head, HG_STR("\r\nLambda-Runtime-Deadline-Ms: "));
    hg_buf_append_i64(&head, d->deadline_ms);
    hg_buf_append_str(&head, HG_STR("\r\n"));
    append_header(&head, HG_STR("Lambda-Runtime-Invoked-Function-Arn: "),
                  hg_str_of(d->invoked_arn));
    if (d->trace_id[0])
        append_header(&head, HG_STR("Lambda-Runtime-Trace-Id: "), hg_str_of(d->trace_id));
    if (d->client_context.n)
        append_header(&head, HG_STR("Lambda-Runtime-Client-Context: "), d->client_context);
    hg_buf_append_str(&head, HG_STR("Content-Length: "));
    hg_buf_append_u64(&head, hg_blob_str(d->event).n);
    hg_buf_append_str(&head, HG_STR("\r\n\r\n"));
    /* Callers keep the client context within 3583 bytes; see invoke_submit. */
    hg_assert(!head.is_overflown);
    runtime_conn_send(conn, hg_buf_str(&head), d->event);
    hg_buf_fini(&head);
}

static void send_to_waiting(struct hg_runtime_api *api)
{
    struct hg_runtime_conn *conn = api->waiting;

    api->waiting = NULL;
    set_state(api, HG_RUNTIME_RUNNING);
    send_event(api, conn);
    if (!conn->is_persistent)
        runtime_conn_close_after_reply(conn);
    else if (conn->kept.len)
        hg_loop_defer(api->loop, &conn->resume);
}

void runtime_api_deliver(struct hg_runtime_api *api, const struct hg_delivery *delivery)
{
    hg_assert(!api->delivery);
    api->delivery = delivery;
    (void)snprintf(api->request_id, sizeof(api->request_id), "%s", delivery->request_id);
    if (api->waiting)
        send_to_waiting(api);
}

void runtime_api_forget(struct hg_runtime_api *api)
{
    api->delivery = NULL;
}

static void refuse_transition(struct hg_runtime_api *api, struct hg_runtime_conn *conn,
                              const char *to)
{
    char text[200];

    (void)snprintf(
        text, sizeof(text),
        "State transition from %s to %s failed for runtime. Error: State transition is not allowed",
        state_names[api->state], to);
    runtime_conn_send_error(conn, 403, "InvalidStateTransition", text);
}

static void on_next(struct hg_runtime_api *api, struct hg_runtime_conn *conn)
{
    switch (api->state) {
    case HG_RUNTIME_INIT_ERROR:
        refuse_transition(api, conn, "Ready");
        return;
    case HG_RUNTIME_RUNNING:
        send_event(api, conn);
        return;
    case HG_RUNTIME_READY:
        /* A poll on another connection takes the place of the former one. */
        api->waiting = conn;
        return;
    case HG_RUNTIME_STARTED:
    case HG_RUNTIME_RESPONSE_SENT:
        api->waiting = conn;
        set_state(api, HG_RUNTIME_READY);
        if (api->delivery)
            send_to_waiting(api);
        else
            api->events->on_next(api);
        return;
    }
}

/* Whether the request answers the invocation in flight; replies itself when not. */
static bool may_answer(struct hg_runtime_api *api, struct hg_runtime_conn *conn, const char *to)
{
    if (api->state == HG_RUNTIME_STARTED || api->state == HG_RUNTIME_INIT_ERROR) {
        refuse_transition(api, conn, to);
        return false;
    }
    if (strcmp(conn->request.request_id, api->request_id) != 0) {
        runtime_conn_send_error(conn, 400, "InvalidRequestID", "Invalid request ID");
        return false;
    }
    if (api->state != HG_RUNTIME_RUNNING) {
        refuse_transition(api, conn, to);
        return false;
    }
    return true;
}

static const char *target_state(const struct hg_runtime_conn *conn)
{
    return conn->request.route == HG_ROUTE_ERROR ? "InvocationErrorResponse" : "InvocationResponse";
}

static void end_invocation(struct hg_runtime_api *api)
{
    api->delivery = NULL;
    set_state(api, HG_RUNTIME_RESPONSE_SENT);
}

/* A stream that broke off says so in its trailers: the error takes the place of what was sent. */
static struct hg_blob *take_trailer_error(struct hg_runtime_request *request,
                                          const struct hg_header *trailers, size_t count)
{
    struct hg_blob *error = NULL;
    struct hg_buf text;

    hg_buf_init(&text, H1_TRAILERS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (hg_str_is_nocase(trailers[i].name, "lambda-runtime-function-error-type"))
            runtime_request_set_error_type(request, trailers[i].value);
        else if (hg_str_is_nocase(trailers[i].name, "lambda-runtime-function-error-body") &&
                 !error && trailers[i].value.n && hg_base64_decode(&text, trailers[i].value))
            error = hg_blob_take(&text);
    }
    hg_buf_fini(&text);
    return error;
}

static void on_answer(struct hg_runtime_api *api, struct hg_runtime_conn *conn,
                      struct hg_blob *body, const struct hg_header *trailers, size_t trailer_count)
{
    struct hg_runtime_request *request = &conn->request;
    struct hg_runtime_post post = {body, request->content_type, request->error_type};
    struct hg_blob *stream_error;

    if (request->is_large) {
        runtime_conn_send_error(conn, 413, "RequestEntityTooLarge",
                                "Exceeded maximum allowed payload size (6291556 bytes).");
        return;
    }
    if (!may_answer(api, conn, target_state(conn)))
        return;
    end_invocation(api);
    if (request->mode == HG_MODE_BAD) {
        runtime_conn_send_error(conn, 400, "InvalidFunctionResponseMode",
                                "Invalid function response mode");
        api->events->on_fault(api, HG_RUNTIME_BAD_MODE);
        return;
    }
    runtime_conn_send_ack(conn);
    stream_error = take_trailer_error(request, trailers, trailer_count);
    if (stream_error) {
        post.body = stream_error;
        api->events->on_error(api, &post);
    } else if (request->route == HG_ROUTE_ERROR) {
        api->events->on_error(api, &post);
    } else {
        api->events->on_response(api, &post);
    }
    hg_blob_unref(stream_error);
}

static void on_init_error(struct hg_runtime_api *api, struct hg_runtime_conn *conn,
                          struct hg_blob *body)
{
    struct hg_runtime_post post = {body, conn->request.content_type, conn->request.error_type};

    if (conn->request.is_large) {
        runtime_conn_send_error(conn, 413, "RequestEntityTooLarge",
                                "Exceeded maximum allowed payload size (6291556 bytes).");
    } else if (api->state != HG_RUNTIME_STARTED) {
        refuse_transition(api, conn, "InitError");
    } else {
        set_state(api, HG_RUNTIME_INIT_ERROR);
        runtime_conn_send_ack(conn);
        api->events->on_init_error(api, &post);
    }
}

void runtime_api_on_request(struct hg_runtime_api *api, struct hg_runtime_conn *conn,
                            struct hg_blob *body, const struct hg_header *trailers,
                            size_t trailer_count)
{
    switch (conn->request.route) {
    case HG_ROUTE_NEXT:
        on_next(api, conn);
        return;
    case HG_ROUTE_RESPONSE:
    case HG_ROUTE_ERROR:
        on_answer(api, conn, body, trailers, trailer_count);
        return;
    case HG_ROUTE_INIT_ERROR:
        on_init_error(api, conn, body);
        return;
    case HG_ROUTE_RESTORE:
        runtime_conn_send_error(conn, 501, "NotImplemented", "SnapStart is not available yet");
        return;
    case HG_ROUTE_EXTENSION:
        runtime_conn_send_error(conn, 501, "NotImplemented",
                                "The Extensions, Telemetry and Logs APIs are not available yet");
        return;
    case HG_ROUTE_WRONG_METHOD:
        runtime_conn_send_error(conn, 405, "MethodNotAllowed", "Method not allowed");
        return;
    case HG_ROUTE_UNKNOWN:
        runtime_conn_send_error(conn, 404, "NotFound", "No such path in the Runtime API");
        return;
    }
}

static bool answers_what_runs(const struct hg_runtime_api *api, const struct hg_runtime_conn *conn)
{
    return (conn->request.route == HG_ROUTE_RESPONSE || conn->request.route == HG_ROUTE_ERROR) &&
           api->state == HG_RUNTIME_RUNNING &&
           strcmp(conn->request.request_id, api->request_id) == 0;
}

void runtime_api_on_large_body(struct hg_runtime_api *api, struct hg_runtime_conn *conn)
{
    if (!answers_what_runs(api, conn))
        return;
    end_invocation(api);
    api->events->on_fault(api, HG_RUNTIME_TOO_LARGE);
}

void runtime_api_on_truncated(struct hg_runtime_api *api, struct hg_runtime_conn *conn)
{
    runtime_conn_send_error(conn, 400, "TruncatedHTTPRequest",
                            "HTTP request detected as truncated");
    if (!answers_what_runs(api, conn))
        return;
    end_invocation(api);
    api->events->on_fault(api, HG_RUNTIME_TRUNCATED);
}
