/*
 * The server core alone, with a fixed answer: what h2load, h2spec and curl run
 * against without the rest of Headgate.
 *
 *   static_server [--listen ADDR:PORT] [--tls-listen ADDR:PORT --tls CERT KEY] [--threads N] [--body BYTES]
 *                 [--echo] [--delay MS]
 *
 * Prints "listening on ADDR:PORT" (and "listening with TLS on …"), drains on SIGTERM and SIGINT, reloads
 * certificates on SIGHUP.
 */
#include "core/log.h"
#include "http/server.h"
#include "http/tls.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { DRAIN_MS = 5000, BODY_MAX = 64 << 20 };

struct options {
    const char *listen, *tls_listen, *cert, *key;
    unsigned threads;
    size_t body_bytes;
    int64_t delay_ms;
    bool is_echo;
};

static struct hg_str body;
static struct options options = {.listen = "127.0.0.1:0", .threads = 2, .body_bytes = 12};
static struct hg_loops *loops;
static struct hg_server *server;
static struct hg_tls *tls;

static void answer(struct hg_request *req)
{
    struct hg_str what = options.is_echo ? req->body : body;

    req_respond_with(req, 200, "text/plain", what);
}

/* An answer that comes later; lives in the request's arena. */
struct later {
    struct hg_timer timer;
    struct hg_request *req;
};

static void on_later(struct hg_timer *timer)
{
    answer(hg_container_of(timer, struct later, timer)->req);
}

static void on_abort(struct hg_request *req)
{
    struct later *later = req->user;

    hg_timer_stop(&later->timer);
}

static void on_request(struct hg_request *req, void *arg)
{
    struct later *later;

    (void)arg;
    if (options.delay_ms == 0) {
        answer(req);
        return;
    }
    later = hg_arena_must(req->arena, sizeof(*later));
    later->req = req;
    req->user = later;
    req->on_abort = on_abort;
    hg_timer_init(&later->timer, req->loop, on_later);
    hg_timer_start_ms(&later->timer, options.delay_ms);
}

static void on_drained(void *arg)
{
    (void)arg;
    hg_loop_stop(loops->control);
}

static void on_signal(evutil_socket_t number, short what, void *arg)
{
    struct hg_error err;

    (void)what;
    (void)arg;
    if (number != SIGHUP)
        server_drain(server, DRAIN_MS, on_drained, NULL);
    else if (tls && tls_reload(tls, &err) != HG_OK)
        (void)fprintf(stderr, "%s\n", err.text);
}

static void usage(void)
{
    (void)fprintf(
        stderr, "usage: static_server [--listen ADDR:PORT] [--tls-listen ADDR:PORT --tls CERT KEY] "
                "[--threads N] [--body BYTES] [--echo] [--delay MS]\n");
    exit(2);
}

static uint64_t number_of(const char *text, uint64_t max)
{
    uint64_t value = 0;

    if (!text || !hg_str_u64(hg_str_of(text), max, &value))
        usage();
    return value;
}

static void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : NULL;

        if (strcmp(argv[i], "--echo") == 0) {
            options.is_echo = true;
            continue;
        }
        if (!next)
            usage();
        if (strcmp(argv[i], "--listen") == 0) {
            options.listen = next;
        } else if (strcmp(argv[i], "--tls-listen") == 0) {
            options.tls_listen = next;
        } else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
            options.cert = next;
            options.key = argv[++i + 1];
        } else if (strcmp(argv[i], "--threads") == 0) {
            options.threads = (unsigned)number_of(next, 64);
        } else if (strcmp(argv[i], "--body") == 0) {
            options.body_bytes = number_of(next, BODY_MAX);
        } else if (strcmp(argv[i], "--delay") == 0) {
            options.delay_ms = (int64_t)number_of(next, 60000);
        } else {
            usage();
        }
        i++;
    }
    if (!options.threads || (options.tls_listen && !options.cert))
        usage();
}

static void listen_on(const char *address, struct hg_tls *with, const char *how)
{
    struct hg_error err;
    char bound[64];

    if (server_listen(server, address, with, (struct hg_http_handler){.on_request = on_request},
                      bound, &err) != HG_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(3);
    }
    (void)printf("listening%s on %s\n", how, bound);
    (void)fflush(stdout);
}

static void make_body(void)
{
    char *bytes = hg_malloc(options.body_bytes + 1);

    for (size_t i = 0; i < options.body_bytes; i++)
        bytes[i] = "Hello world\n"[i % 12];
    body = hg_str_n(bytes, options.body_bytes);
}

int main(int argc, char **argv)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct event *signals[HG_COUNT(numbers)];
    struct hg_error err;

    parse(argc, argv);
    (void)signal(SIGPIPE, SIG_IGN);
    make_body();
    if (options.tls_listen) {
        tls = tls_new(&(struct hg_tls_pair){options.cert, options.key}, 1, &err);
        if (!tls) {
            (void)fprintf(stderr, "%s\n", err.text);
            return 1;
        }
    }
    loops = hg_loops_new(options.threads);
    server = server_new(loops, &hg_server_limits_default);
    listen_on(options.listen, NULL, "");
    if (tls)
        listen_on(options.tls_listen, tls, " with TLS");
    for (size_t i = 0; i < HG_COUNT(numbers); i++) {
        signals[i] = evsignal_new(loops->control->base, numbers[i], on_signal, NULL);
        (void)evsignal_add(signals[i], NULL);
    }
    hg_loops_start(loops);
    hg_loop_run(loops->control);
    hg_loops_stop(loops);
    for (size_t i = 0; i < HG_COUNT(numbers); i++)
        event_free(signals[i]);
    server_free(server);
    hg_loops_free(loops);
    tls_free(tls);
    free((char *)(uintptr_t)body.p);
    return 0;
}
