/*
 * The handler: /hello, /echo (the body), /later (answered by the test), /none
 * (204), /big (BIG_BYTES), /odd (status 99), /taken (keeps the body; bodies of up
 * to TAKEN_BODY_MAX bytes, whatever the limits), anything else 404.
 */
#include "tests/unit/http/server_fixture.h"

#include "core/log.h"
#include "core/metrics.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_ROOM = 65536, WAIT_MS = 1, ROUNDS_MAX = 10000 };

struct hg_server *server;
struct seen seen;
struct hg_buf taken;
struct hg_server_limits limits;
static struct hg_loops *loops;
static uint16_t port;
static char big[BIG_BYTES];

static void on_done(struct hg_request *req, uint64_t bytes_sent)
{
    (void)req;
    seen.done++;
    seen.bytes_sent = bytes_sent;
}

static void on_abort(struct hg_request *req)
{
    seen.aborted++;
    if (seen.held == req)
        seen.held = NULL;
}

static void on_request(struct hg_request *req, void *arg)
{
    (void)arg;
    seen.requests++;
    req->on_done = on_done;
    req->on_abort = on_abort;
    if (hg_str_is(req->path, "/hello")) {
        req_respond_with(req, 200, "text/plain", HG_STR("hello"));
    } else if (hg_str_is(req->path, "/echo")) {
        req_respond_with(req, 200, "text/plain", req->body);
    } else if (hg_str_is(req->path, "/later")) {
        seen.held = req;
    } else if (hg_str_is(req->path, "/none")) {
        req->response.status = 204;
        req_respond(req);
    } else if (hg_str_is(req->path, "/taken")) {
        hg_buf_fini(&taken);
        req_take_body(req, &taken);
        req_respond_with(req, 200, "text/plain", req->body);
    } else if (hg_str_is(req->path, "/odd")) {
        req_respond_with(req, 99, "text/plain", HG_STR("odd"));
    } else if (hg_str_is(req->path, "/big")) {
        req_respond_with(req, 200, "text/plain", hg_str_n(big, sizeof(big)));
    } else {
        req_respond_with(req, 404, "text/plain", req->target);
    }
}

static size_t body_max(const struct hg_request *req, void *arg)
{
    (void)arg;
    return hg_str_is(req->path, "/taken") ? TAKEN_BODY_MAX : limits.max_body_bytes;
}

void server_start(void)
{
    struct hg_http_handler handler = {.on_request = on_request, .body_max = body_max};
    struct hg_error err;
    char bound[64];

    hg_log_setup(HG_LOG_ERROR, HG_LOG_TEXT);
    memset(&seen, 0, sizeof(seen));
    memset(big, 'b', sizeof(big));
    loops = hg_loops_new(1);
    server = server_new(loops, &limits);
    assert_int_equal(server_listen(server, "127.0.0.1:0", NULL, handler, bound, &err), HG_OK);
    port = (uint16_t)strtoul(strrchr(bound, ':') + 1, NULL, 10);
}

void server_stop(void)
{
    server_free(server);
    hg_loops_free(loops);
    hg_buf_fini(&taken);
    server = NULL;
}

void turn(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    hg_loop_turn(loops->control, false);
    hg_loop_turn(loops->loops[0], false);
    (void)poll(&wait, 1, WAIT_MS);
}

int client_connect(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint64_t before = hg_counter_total(HG_M_CONNECTIONS_ACCEPTED);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    turn_until(hg_counter_total(HG_M_CONNECTIONS_ACCEPTED) > before);
    return fd;
}

void client_send_n(int fd, const char *bytes, size_t length)
{
    for (int round = 0; length && round < ROUNDS_MAX; round++) {
        ssize_t n = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
        turn(-1);
    }
    assert_int_equal(length, 0);
}

void client_send(int fd, const char *text)
{
    client_send_n(fd, text, strlen(text));
}

static size_t without_dates(char *text, size_t length)
{
    char *date;

    text[length] = '\0';
    while ((date = strstr(text, "Date: "))) {
        char *end = strstr(date, "\r\n");

        if (!end)
            break;
        memmove(date, end + 2, strlen(end + 2) + 1);
    }
    return strlen(text);
}

void client_expect(int fd, const char *text)
{
    char got[RECEIVE_ROOM + 1];
    size_t length = 0;

    for (int round = 0; length < strlen(text) && round < ROUNDS_MAX; round++) {
        ssize_t n = recv(fd, got + length, RECEIVE_ROOM - length, MSG_DONTWAIT);

        if (n == 0)
            break;
        if (n > 0)
            length = without_dates(got, length + (size_t)n);
        else
            turn(fd);
    }
    got[length] = '\0';
    assert_string_equal(got, text);
}

void client_skip(int fd, size_t length)
{
    static char dropped[RECEIVE_ROOM];

    for (int round = 0; length && round < ROUNDS_MAX; round++) {
        ssize_t n = recv(fd, dropped, HG_MIN(length, sizeof(dropped)), MSG_DONTWAIT);

        assert_int_not_equal(n, 0);
        if (n > 0)
            length -= (size_t)n;
        else
            turn(fd);
    }
    assert_int_equal(length, 0);
}

void client_expect_end(int fd)
{
    ssize_t n = -1;
    char byte;

    for (int round = 0; n < 0 && round < ROUNDS_MAX; round++) {
        n = recv(fd, &byte, 1, MSG_DONTWAIT);
        if (n < 0)
            turn(fd);
    }
    assert_int_equal(n, 0);
    (void)close(fd);
}

void exchange(const char *request, const char *answer)
{
    int fd = client_connect();

    client_send(fd, request);
    client_expect(fd, answer);
    client_expect_end(fd);
}
