/*
 * A server as its owner sees it: made, bound, drained, freed.
 */
#include "http/server_core.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const struct hg_server_limits hg_server_limits_default = {
    .max_connections = 10000,
    .max_header_bytes = HG_REQUEST_HEADERS_MAX,
    .max_body_bytes = HG_REQUEST_BODY_MAX,
    .max_buffered_bytes = 256 << 20,
    .max_streams = 128,
    .header_timeout_ms = 10000,
    .body_timeout_ms = 20000,
    .idle_timeout_ms = 60000,
    .write_timeout_ms = 30000,
};

static void on_drain_timeout(struct hg_timer *timer);

struct hg_server *server_new(struct hg_loops *loops, const struct hg_server_limits *limits)
{
    struct hg_server *server = hg_calloc(1, sizeof(*server));

    server->limits = *limits;
    /* API Gateway's words for REST APIs (apigw-routing.md §5). */
    (void)snprintf(server->large_body_text, sizeof(server->large_body_text),
                   "HTTP content length exceeded %zu bytes.", limits->max_body_bytes);
    server->loops = loops;
    server->shards = hg_calloc(loops->count, sizeof(struct hg_shard *));
    for (unsigned i = 0; i < loops->count; i++)
        server->shards[i] = shard_new(server, loops->loops[i]);
    server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    hg_list_init(&server->listeners);
    hg_timer_init(&server->drain_timer, loops->control, on_drain_timeout);
    return server;
}

enum hg_rc server_listen(struct hg_server *server, const char *address, struct hg_tls *tls,
                         struct hg_http_handler handler, char bound[64], struct hg_error *err)
{
    return listener_open(server, address, tls, handler, bound, err);
}

static void on_drained(struct hg_mail *mail)
{
    struct hg_server *server = hg_container_of(mail, struct hg_server, drained_mail);

    hg_timer_stop(&server->drain_timer);
    server->drain_done(server->drain_arg);
}

/* The last connection's loop and the control loop may both come here: one of them sends the mail. */
static void finish_drain(struct hg_server *server)
{
    if (!atomic_exchange(&server->is_drained, true))
        hg_mailbox_post(&server->loops->control->mailbox, &server->drained_mail, on_drained);
}

void server_connection_gone(struct hg_server *server)
{
    /* is_draining is set before the count is read, and the count changes before is_draining is read: one sees the other. */
    if (atomic_fetch_sub(&server->connections, 1) == 1 && atomic_load(&server->is_draining))
        finish_drain(server);
}

static void on_drain_timeout(struct hg_timer *timer)
{
    struct hg_server *server = hg_container_of(timer, struct hg_server, drain_timer);

    for (unsigned i = 0; i < server->loops->count; i++)
        shard_post_cut(server->shards[i]);
}

void server_drain(struct hg_server *server, int64_t timeout_ms, void (*done)(void *arg), void *arg)
{
    server->drain_done = done;
    server->drain_arg = arg;
    listeners_close(server);
    atomic_store(&server->is_draining, true);
    for (unsigned i = 0; i < server->loops->count; i++)
        shard_post_drain(server->shards[i]);
    hg_timer_start_ms(&server->drain_timer, timeout_ms);
    if (atomic_load(&server->connections) == 0)
        finish_drain(server);
}

void server_free(struct hg_server *server)
{
    if (!server)
        return;
    listeners_close(server);
    hg_timer_stop(&server->drain_timer);
    atomic_store(&server->is_drained, true); /* nobody waits for it any more */
    for (unsigned i = 0; i < server->loops->count; i++)
        shard_free(server->shards[i]);
    if (server->spare_fd >= 0)
        (void)close(server->spare_fd);
    free(server->shards);
    free(server);
}

unsigned server_connections(const struct hg_server *server)
{
    return atomic_load_explicit(&server->connections, memory_order_relaxed);
}
