/*
 * The byte stream under a Redis connection: non-blocking connect over a
 * server's addresses in turn, TLS with verification, read and write.
 */
#include "core/redis_client.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <unistd.h>

SSL_CTX *hg_redis_tls_new(const char *ca_file, struct hg_error *err)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    hg_assert(tls && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1);
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_mode(tls,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (ca_file ? SSL_CTX_load_verify_locations(tls, ca_file, NULL) != 1
                : SSL_CTX_set_default_verify_paths(tls) != 1) {
        (void)hg_error_set(err, HG_E_INVALID, "%s: no certificates can be read from it: %s",
                           ca_file ? ca_file : "the system's certificates",
                           ERR_reason_error_string(ERR_peek_last_error()));
        ERR_clear_error();
        SSL_CTX_free(tls);
        return NULL;
    }
    return tls;
}

void hg_redis_tls_free(SSL_CTX *tls)
{
    SSL_CTX_free(tls);
}

void hg_redis_socket_init(struct hg_redis_socket *socket, struct hg_loop *loop, SSL_CTX *tls)
{
    socket->loop = loop;
    socket->tls = tls;
    socket->fd = -1;
}

void hg_redis_socket_close(struct hg_redis_socket *socket)
{
    socket->state = HG_REDIS_CLOSED;
    if (socket->fd < 0)
        return;
    (void)event_del(&socket->readable);
    (void)event_del(&socket->writable);
    SSL_free(socket->ssl);
    socket->ssl = NULL;
    (void)close(socket->fd);
    socket->fd = -1;
}

/* What OpenSSL says about the step that just failed. */
static void explain_tls(struct hg_redis_socket *socket, const char *step)
{
    long verdict = SSL_get_verify_result(socket->ssl);
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    if (verdict != X509_V_OK)
        reason = X509_verify_cert_error_string(verdict);
    (void)snprintf(socket->why, sizeof(socket->why), "TLS %s: %s", step,
                   reason ? reason : "the server closed the connection");
    ERR_clear_error();
}

static void try_address(struct hg_redis_socket *socket);

static void next_or_fail(struct hg_redis_socket *socket)
{
    hg_redis_socket_close(socket);
    if (socket->next_address < socket->address_count)
        try_address(socket);
    else
        socket->on_failed(socket, socket->why);
}

static void shake_hands(struct hg_redis_socket *socket)
{
    int rc, error;

    ERR_clear_error();
    rc = SSL_connect(socket->ssl);
    if (rc == 1) {
        socket->state = HG_REDIS_OPEN;
        (void)event_del(&socket->writable);
        socket->on_open(socket);
        return;
    }
    error = SSL_get_error(socket->ssl, rc);
    if (error == SSL_ERROR_WANT_WRITE) {
        (void)event_add(&socket->writable, NULL);
    } else if (error == SSL_ERROR_WANT_READ) {
        (void)event_del(&socket->writable);
    } else {
        explain_tls(socket, "handshake");
        next_or_fail(socket);
    }
}

static bool begin_tls(struct hg_redis_socket *socket)
{
    unsigned char address[16];
    bool is_name = evutil_inet_pton(AF_INET, socket->host, address) != 1 &&
                   evutil_inet_pton(AF_INET6, socket->host, address) != 1;

    socket->ssl = SSL_new(socket->tls);
    hg_assert(socket->ssl && SSL_set_fd(socket->ssl, socket->fd) == 1);
    if (is_name)
        return SSL_set_tlsext_host_name(socket->ssl, socket->host) == 1 &&
               SSL_set1_host(socket->ssl, socket->host) == 1;
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(socket->ssl), socket->host) == 1;
}

static void on_connected(struct hg_redis_socket *socket)
{
    int error = 0, on = 1;
    socklen_t length = sizeof(error);

    (void)getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error) {
        (void)snprintf(socket->why, sizeof(socket->why), "%s", strerror(error));
        next_or_fail(socket);
        return;
    }
    (void)setsockopt(socket->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(socket->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)event_del(&socket->writable);
    (void)event_add(&socket->readable, NULL);
    if (!socket->tls) {
        socket->state = HG_REDIS_OPEN;
        socket->on_open(socket);
        return;
    }
    socket->state = HG_REDIS_SHAKING;
    if (begin_tls(socket)) {
        shake_hands(socket);
    } else {
        explain_tls(socket, "set-up");
        next_or_fail(socket);
    }
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
    struct hg_redis_socket *socket = arg;

    (void)fd;
    (void)what;
    switch (socket->state) {
    case HG_REDIS_CONNECTING:
        on_connected(socket);
        break;
    case HG_REDIS_SHAKING:
        shake_hands(socket);
        break;
    case HG_REDIS_OPEN:
        socket->on_ready(socket);
        break;
    case HG_REDIS_CLOSED:
        break;
    }
}

static void try_address(struct hg_redis_socket *s)
{
    unsigned i = s->next_address++;
    const struct sockaddr *address = (const struct sockaddr *)&s->addresses[i];

    s->fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd >= 0) {
        (void)event_assign(&s->readable, s->loop->base, s->fd, EV_READ | EV_PERSIST, on_event, s);
        (void)event_assign(&s->writable, s->loop->base, s->fd, EV_WRITE | EV_PERSIST, on_event, s);
    }
    if (s->fd < 0 || (connect(s->fd, address, s->lengths[i]) != 0 && errno != EINPROGRESS)) {
        (void)snprintf(s->why, sizeof(s->why), "%s", strerror(errno));
        next_or_fail(s);
        return;
    }
    s->state = HG_REDIS_CONNECTING;
    (void)event_add(&s->writable, NULL);
}

void hg_redis_socket_connect(struct hg_redis_socket *socket)
{
    hg_assert(socket->fd < 0 && socket->address_count > 0);
    socket->next_address = 0;
    socket->wants_write = false;
    try_address(socket);
}

/* Returns as read and write do. */
static ssize_t after_tls(struct hg_redis_socket *socket, int rc)
{
    int error;

    if (rc > 0)
        return rc;
    error = SSL_get_error(socket->ssl, rc);
    if (error == SSL_ERROR_WANT_WRITE)
        hg_redis_socket_want_write(socket, true);
    if (error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ)
        return 0;
    if (error == SSL_ERROR_ZERO_RETURN)
        (void)snprintf(socket->why, sizeof(socket->why), "the server closed the connection");
    else
        explain_tls(socket, "connection");
    return -1;
}

static ssize_t after_call(struct hg_redis_socket *socket, ssize_t count)
{
    if (count > 0)
        return count;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    (void)snprintf(socket->why, sizeof(socket->why), "%s",
                   count == 0 ? "the server closed the connection" : strerror(errno));
    return -1;
}

ssize_t hg_redis_socket_read(struct hg_redis_socket *socket, void *to, size_t size)
{
    if (!socket->ssl)
        return after_call(socket, recv(socket->fd, to, size, 0));
    ERR_clear_error();
    return after_tls(socket, SSL_read(socket->ssl, to, (int)HG_MIN(size, (size_t)INT_MAX)));
}

ssize_t hg_redis_socket_write(struct hg_redis_socket *socket, const void *from, size_t size)
{
    if (!socket->ssl)
        return after_call(socket, send(socket->fd, from, size, MSG_NOSIGNAL));
    ERR_clear_error();
    return after_tls(socket, SSL_write(socket->ssl, from, (int)HG_MIN(size, (size_t)INT_MAX)));
}

void hg_redis_socket_read_again(struct hg_redis_socket *socket)
{
    event_active(&socket->readable, EV_READ, 0);
}

void hg_redis_socket_want_write(struct hg_redis_socket *socket, bool wants)
{
    if (socket->wants_write == wants)
        return;
    socket->wants_write = wants;
    if (wants)
        (void)event_add(&socket->writable, NULL);
    else
        (void)event_del(&socket->writable);
}
