/*
 * Listeners: bind, accept in batches, and give each connection to the loop
 * that has the fewest. Control loop only.
 */
#include "http/conn_life.h"
#include "http/server_core.h"

#include "core/log.h"
#include "core/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPT_BATCH = 64, /* per turn and listener: mail must not wait for a flood */
    BACKLOG = 4096,    /* the kernel caps it at net.core.somaxconn */
    BACK_OFF_MS = 100, /* pause when descriptors or memory run out */
    REFUSED_AT_ONCE =
        256 /* connections over the limit that are still told so; beyond, they are cut */
};

struct hg_listener {
    struct hg_list link;
    struct hg_server *server;
    struct hg_tls *tls;
    struct hg_http_handler handler;
    struct event event;
    struct hg_timer back_off;
    int fd;
    uint16_t port;
    int64_t shed_said_us; /* when the lack of descriptors was last logged */
};

static struct hg_shard *least_loaded(const struct hg_server *server)
{
    struct hg_shard *best = server->shards[0];
    unsigned least = UINT32_MAX;

    for (unsigned i = 0; i < server->loops->count; i++) {
        struct hg_shard *shard = server->shards[i];
        unsigned load = atomic_load_explicit(&shard->loop->connections, memory_order_relaxed);

        if (load < least) {
            least = load;
            best = shard;
        }
    }
    return best;
}

static void admit(struct hg_listener *listener, int fd, const struct sockaddr_storage *address)
{
    struct hg_server *server = listener->server;
    unsigned open = atomic_load_explicit(&server->connections, memory_order_relaxed);
    struct conn_arrival arrival = {.fd = fd,
                                   .address = address,
                                   .local_port = listener->port,
                                   .tls = listener->tls,
                                   .handler = listener->handler,
                                   .is_refused = open >= server->limits.max_connections};

    hg_count(HG_M_CONNECTIONS_ACCEPTED, 1);
    if (arrival.is_refused && open - server->limits.max_connections >= REFUSED_AT_ONCE) {
        hg_count(HG_M_CONNECTIONS_REFUSED, 1);
        (void)close(fd);
        return;
    }
    conn_start(least_loaded(server), &arrival);
}

/*
 * Without a free descriptor the waiting connection would keep the listener
 * ready for ever. The spare one is given up to take it and close it; then the
 * listener rests.
 */
static void shed(struct hg_listener *listener)
{
    struct hg_server *server = listener->server;
    int64_t now_us = hg_mono_us();
    int fd;

    if (now_us - listener->shed_said_us > 1000000) {
        hg_warn("accept_out_of_descriptors", "port=%u remedy=\"raise the limit of open files\"",
                (unsigned)listener->port);
        listener->shed_said_us = now_us;
    }
    if (server->spare_fd >= 0) {
        (void)close(server->spare_fd);
        fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            (void)close(fd);
        server->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    (void)event_del(&listener->event);
    hg_timer_start_ms(&listener->back_off, BACK_OFF_MS);
}

static void on_back_off_over(struct hg_timer *timer)
{
    struct hg_listener *listener = hg_container_of(timer, struct hg_listener, back_off);

    (void)event_add(&listener->event, NULL);
}

static void on_connections(evutil_socket_t fd, short what, void *arg)
{
    struct hg_listener *listener = arg;

    (void)what;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage address;
        socklen_t length = sizeof(address);
        int accepted =
            accept4(fd, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (accepted >= 0) {
            admit(listener, accepted, &address);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            shed(listener);
            return;
        }
        /* ECONNABORTED and the like concern that one connection. */
    }
}

/* Splits "HOST:PORT" and "[HOST]:PORT". */
static bool split_address(const char *address, char host[256], char port[8])
{
    const char *colon = strrchr(address, ':');
    size_t host_length;

    if (!colon || strlen(colon + 1) == 0 || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strtol(colon + 1, NULL, 10) > 65535)
        return false;
    host_length = (size_t)(colon - address);
    if (host_length >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        host_length -= 2;
    } else if (memchr(address, ':', host_length)) {
        return false;
    }
    if (host_length == 0 || host_length > 255)
        return false;
    (void)snprintf(host, 256, "%.*s", (int)host_length, address);
    (void)snprintf(port, 8, "%s", colon + 1);
    return true;
}

static enum hg_rc refuse_bind(const char *address, int error, struct hg_error *err)
{
    switch (error) {
    case EADDRINUSE:
        return hg_error_set(
            err, HG_E_IO,
            "cannot listen on %s: another program uses this port; stop it or choose another port",
            address);
    case EACCES:
        return hg_error_set(
            err, HG_E_IO,
            "cannot listen on %s: not permitted; choose a port from 1024 on or run with more rights",
            address);
    case EADDRNOTAVAIL:
        return hg_error_set(err, HG_E_IO, "cannot listen on %s: this machine has no such address",
                            address);
    default:
        return hg_error_set(err, HG_E_IO, "cannot listen on %s: %s", address, strerror(error));
    }
}

/* To be freed with freeaddrinfo; NULL with err set. */
static struct addrinfo *resolve(const char *address, struct hg_error *err)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char host[256], port[8];
    int error;

    if (!split_address(address, host, port)) {
        (void)hg_error_set(
            err, HG_E_INVALID,
            "\"%s\" is not an address to listen on: write HOST:PORT, for example 127.0.0.1:8080",
            address);
        return NULL;
    }
    error = getaddrinfo(host, port, &hints, &found);
    if (error) {
        (void)hg_error_set(err, HG_E_INVALID, "cannot listen on %s: host %s: %s", address, host,
                           gai_strerror(error));
        return NULL;
    }
    return found;
}

/* The bound socket, or -1 with errno. */
static int bind_socket(const struct addrinfo *where)
{
    int on = 1, error,
        fd = socket(where->ai_family, where->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* Accepted sockets inherit it. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (bind(fd, where->ai_addr, where->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static void name_bound(struct hg_listener *listener, char bound[64])
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } address = {.six = {0}};
    socklen_t length = sizeof(address);
    bool is_six;
    char host[46] = "";

    (void)getsockname(listener->fd, &address.any, &length);
    (void)getnameinfo(&address.any, length, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
    is_six = address.any.sa_family == AF_INET6;
    listener->port = ntohs(is_six ? address.six.sin6_port : address.four.sin_port);
    (void)snprintf(bound, 64, is_six ? "[%s]:%u" : "%s:%u", host, (unsigned)listener->port);
}

enum hg_rc listener_open(struct hg_server *server, const char *address, struct hg_tls *tls,
                         struct hg_http_handler handler, char bound[64], struct hg_error *err)
{
    struct hg_listener *listener;
    struct addrinfo *found = resolve(address, err);
    int fd, error;

    if (!found)
        return HG_E_INVALID;
    fd = bind_socket(found);
    error = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return refuse_bind(address, error, err);
    listener = hg_calloc(1, sizeof(*listener));
    listener->server = server;
    listener->tls = tls;
    listener->handler = handler;
    listener->fd = fd;
    name_bound(listener, bound);
    hg_timer_init(&listener->back_off, server->loops->control, on_back_off_over);
    (void)event_assign(&listener->event, server->loops->control->base, fd, EV_READ | EV_PERSIST,
                       on_connections, listener);
    (void)event_add(&listener->event, NULL);
    hg_list_push_back(&server->listeners, &listener->link);
    return HG_OK;
}

void listeners_close(struct hg_server *server)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&server->listeners))) {
        struct hg_listener *listener = hg_container_of(link, struct hg_listener, link);

        (void)event_del(&listener->event);
        hg_timer_stop(&listener->back_off);
        (void)close(listener->fd);
        free(listener);
    }
}
