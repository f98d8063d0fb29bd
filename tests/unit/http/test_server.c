/* http/server with HTTP/1.1 over loopback: what a client sees, and what a handler sees. */
#include "tests/unit/http/server_fixture.h"

#include "core/clock.h"

#include <sys/socket.h>
#include <unistd.h>

#define HELLO "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
#define JSON(line, length, more) \
    "HTTP/1.1 " line "\r\nContent-Type: application/json\r\n" more "Content-Length: " length \
    "\r\nConnection: close\r\n\r\n"
#define BAD_REQUEST JSON("400 Bad Request", "25", "") "{\"message\":\"Bad Request\"}"
#define TIMEOUT JSON("408 Request Timeout", "29", "") "{\"message\":\"Request Timeout\"}"
#define TOO_LARGE(length, limit) \
    "HTTP/1.1 413 Content Too Large\r\nContent-Type: text/plain\r\nContent-Length: " length "\r\n" \
    "Connection: close\r\n\r\nHTTP content length exceeded " limit " bytes."
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"

/* Bytes of the head before a body of BIG_BYTES. */
enum {
    BIG_HEAD =
        sizeof(
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
            "Content-Length: 8388608\r\n\r\n") -
        1,
};

static int set_up(void **state)
{
    (void)state;
    limits = hg_server_limits_default;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (server)
        server_stop();
    return 0;
}

static void answer_held(struct hg_str body)
{
    struct hg_request *req = seen.held;

    seen.held = NULL;
    req_respond_with(req, 200, "text/plain", body);
}

static void test_keep_alive(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/hello"));
    client_expect(fd, HELLO);
    client_send(fd, "\r\n" GET("/none"));
    client_expect(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    client_send(fd, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    client_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n");
    client_send(fd, "GET http://A/x?y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    client_expect(fd, "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
                      "Connection: close\r\n\r\n/x?y");
    client_expect_end(fd);
    assert_int_equal(seen.done, 4);
    turn_until(server_connections(server) == 0);
}

static void test_impossible_status_is_an_error(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/odd"));
    client_expect(
        fd,
        "HTTP/1.1 502 Bad Gateway\r\nContent-Type: application/json\r\nContent-Length: 35\r\n\r\n"
        "{\"message\":\"Internal server error\"}");
    (void)close(fd);
}

static void test_http_1_0(void **state)
{
    int fd;

    (void)state;
    server_start();
    exchange(
        "GET /hello HTTP/1.0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    fd = client_connect();
    client_send(fd, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    client_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n"
                      "Connection: keep-alive\r\n\r\nhello");
    (void)close(fd);
}

static void test_pipelined_requests_are_answered_in_order(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(
        fd,
        GET("/later") GET(
            "/hello") "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab" GET("/none"));
    turn_until(seen.held);
    assert_int_equal(seen.requests, 1);
    answer_held(HG_STR("first"));
    client_expect(
        fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfirst" HELLO
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nab"
            "HTTP/1.1 204 No Content\r\n\r\n");
    (void)close(fd);
}

static void test_deep_pipeline_without_reading(void **state)
{
    enum { DEPTH = 3000, ANSWER = sizeof(HELLO) - 1 + 37 };
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    for (int i = 0; i < DEPTH; i += 100) {
        char many[100 * (sizeof(GET("/hello")) - 1) + 1] = "";

        for (int j = 0; j < 100; j++)
            memcpy(many + (size_t)j * (sizeof(GET("/hello")) - 1), GET("/hello"),
                   sizeof(GET("/hello")));
        client_send(fd, many);
    }
    client_skip(fd, DEPTH * ANSWER);
    turn_until(seen.done == DEPTH);
    (void)close(fd);
}

static void test_head_byte_by_byte(void **state)
{
    const char text[] = GET("/hello");
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        client_send_n(fd, text + i, 1);
    client_expect(fd, HELLO);
    (void)close(fd);
}

static void test_hand_over_to_http_2(void **state)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    static const char switching[] =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    int known, asked;

    (void)state;
    server_start();
    known = client_connect();
    client_send_n(known, preface, sizeof(preface));
    client_skip(known, 9); /* the head of the server's SETTINGS */
    asked = client_connect();
    client_send(asked, "POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
                       "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                       "HTTP2-Settings: AAMAAABk\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    client_skip(asked, sizeof(switching) - 1);
    assert_int_equal(seen.requests, 1);
    client_send_n(asked, preface, sizeof(preface));
    turn_until(seen.done == 1);
    (void)close(known);
    (void)close(asked);
    turn_until(server_connections(server) == 0);
}

static void test_bodies(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab");
    client_send(fd, "c\r\n2;x=y\r\nde\r\n0\r\nTrailer-Field: 1\r\n\r\n" GET("/hello"));
    client_expect(
        fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nabcde" HELLO);
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    client_send(fd, "def" GET("/hello"));
    client_expect(
        fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nabcdef" HELLO);
    (void)close(fd);
}

static void test_large_body_both_ways(void **state)
{
    static char body[BIG_BYTES], back[BIG_HEAD + BIG_BYTES];
    size_t got = 0;
    int fd;

    (void)state;
    server_start();
    for (size_t i = 0; i < BIG_BYTES; i++)
        body[i] = (char)(i * 31);
    fd = client_connect();
    client_send(fd, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n");
    client_send_n(fd, body, BIG_BYTES);
    while (got < sizeof(back)) {
        ssize_t n = recv(fd, back + got, sizeof(back) - got, MSG_DONTWAIT);

        assert_int_not_equal(n, 0);
        if (n < 0)
            turn(fd);
        else
            got += (size_t)n;
    }
    assert_memory_equal(body, back + BIG_HEAD, BIG_BYTES);
    (void)close(fd);
}

/* A body that its handler keeps: small ones lie beside the head, large ones do not. */
static void test_taken_body(void **state)
{
    static const char ok[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n";
    static char body[TAKEN_BODY_MAX];
    int fd;

    (void)state;
    limits.max_body_bytes = 1000;
    limits.max_buffered_bytes = TAKEN_BODY_MAX + 100;
    server_start();
    memset(body, 'x', sizeof(body));
    fd = client_connect();
    client_send(fd, "POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    client_expect(fd, ok);
    assert_true(hg_str_is(hg_buf_str(&taken), "abc"));
    /* Twice: what was taken no longer counts. */
    for (int i = 0; i < 2; i++) {
        client_send(fd, "POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
        client_send_n(fd, body, sizeof(body));
        client_expect(fd, ok);
        assert_int_equal(taken.len, sizeof(body));
    }
    client_send(fd, "POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    client_expect(fd, ok);
    assert_int_equal(taken.len, 0);
    (void)close(fd);
    exchange("POST /taken HTTP/1.1\r\nHost: a\r\nContent-Length: 200001\r\n\r\n",
             TOO_LARGE("40", "1000"));
}

static void test_expectations(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(
        fd, "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    client_expect(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    client_send(fd, "ok");
    client_expect(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok");
    client_send(
        fd,
        "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    client_expect(fd, TOO_LARGE("44", "10485760"));
    client_expect_end(fd);
    exchange("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n",
             JSON("417 Expectation Failed", "32", "") "{\"message\":\"Expectation Failed\"}");
}

static void test_malformed_requests_end_the_connection(void **state)
{
    (void)state;
    server_start();
    exchange("GET / HTTP/1.1\r\nHost : a\r\n\r\n" GET("/hello"), BAD_REQUEST);
    exchange("GET / HTTP/1.1\r\n\r\n", BAD_REQUEST);
    exchange(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        BAD_REQUEST);
    exchange("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" GET("/hello"),
             BAD_REQUEST);
    exchange(GET("/hello") "GET / HTTP/1.1\nHost: a\n\n", HELLO BAD_REQUEST);
    exchange("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
             JSON("501 Not Implemented", "38", "") "{\"message\":\"CONNECT is not supported\"}");
    exchange("GET / HTTP/3.0\r\nHost: a\r\n\r\n",
             JSON("505 HTTP Version Not Supported", "40",
                  "") "{\"message\":\"HTTP Version Not Supported\"}");
    exchange("NO HTTP AT ALL\r\n\r\n", "");
    assert_int_equal(seen.requests, 1);
}

static void test_limits(void **state)
{
    static char line[40000] = "GET /", head[40000] = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    static char chunks[2048] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n";

    (void)state;
    limits.max_body_bytes = 1000;
    server_start();
    memset(line + 5, 'x', sizeof(line) - 6);
    exchange(line, JSON("414 URI Too Long", "34", "") "{\"message\":\"Request-URI Too Long\"}");
    memset(head + strlen(head), 'x', sizeof(head) - 1 - strlen(head));
    exchange(head, JSON("431 Request Header Fields Too Large", "45",
                        "") "{\"message\":\"Request Header Fields Too Large\"}");
    exchange("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n",
             TOO_LARGE("40", "1000"));
    memset(chunks + strlen(chunks), 'x', sizeof(chunks) - 1 - strlen(chunks));
    exchange(chunks, TOO_LARGE("40", "1000"));
    assert_int_equal(seen.requests, 0);
}

static void test_memory_for_bodies_is_bounded(void **state)
{
    int one, two;

    (void)state;
    limits.max_buffered_bytes = 100;
    server_start();
    one = client_connect();
    client_send(
        one,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n1234567890123456789012345678901234567890"
        "1234567890123456789012345678901234567890");
    two = client_connect();
    client_send(
        two,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n123456789012345678901234567890");
    client_expect(two, JSON("503 Service Unavailable", "33",
                            "Retry-After: 1\r\n") "{\"message\":\"Service Unavailable\"}");
    client_expect_end(two);
    (void)close(one);
    turn_until(server_connections(server) == 0);
    one = client_connect();
    client_send(one, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n1234567890");
    client_send(one,
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890");
    client_expect(
        one, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 90\r\n\r\n1234567890"
             "12345678901234567890123456789012345678901234567890123456789012345678901234567890");
    (void)close(one);
}

static void test_slow_clients_are_cut(void **state)
{
    int head, body, idle;

    (void)state;
    limits.header_timeout_ms = 300;
    limits.body_timeout_ms = 300;
    limits.idle_timeout_ms = 300;
    server_start();
    head = client_connect();
    body = client_connect();
    idle = client_connect();
    client_send(head, "GET / HTTP/1.1\r\nHo");
    client_send(body, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345");
    client_send(idle, GET("/hello"));
    client_expect(idle, HELLO);
    client_expect(head, TIMEOUT);
    client_expect_end(head);
    client_expect(body, TIMEOUT);
    client_expect_end(body);
    client_expect_end(idle);
}

/* A head that keeps trickling has the same time as any other. */
static void test_trickling_head_is_cut(void **state)
{
    int64_t start_us = hg_mono_us();
    bool is_over = false;
    int fd;

    (void)state;
    limits.header_timeout_ms = 500;
    server_start();
    fd = client_connect();
    client_send(fd, "GET / HTTP/1.1\r\n");
    while (!is_over) {
        char first[16];

        assert_true(hg_mono_us() - start_us < 5000000);
        (void)send(fd, "a", 1, MSG_NOSIGNAL);
        turn(-1);
        is_over = recv(fd, first, sizeof(first), MSG_DONTWAIT) > 0;
    }
    (void)close(fd);
}

static struct hg_request *begin_held(void)
{
    struct hg_request *req = seen.held;

    seen.held = NULL;
    req->response.status = 200;
    req_add_header(req, HG_STR("Content-Type"), HG_STR("text/plain"));
    req_begin(req);
    return req;
}

#define PIECES_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"

static void test_answer_in_pieces(void **state)
{
    struct hg_request *req;
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/later") GET("/hello"));
    turn_until(seen.held);
    req = begin_held();
    client_expect(fd, PIECES_HEAD "Transfer-Encoding: chunked\r\n\r\n");
    req_write(req, HG_STR("one"));
    req_write(req, HG_STR(""));
    req_write(req, HG_STR("two and twenty bytes.."));
    assert_true(req_pending(req) > 25);
    client_expect(fd, "3\r\none\r\n16\r\ntwo and twenty bytes..\r\n");
    turn_until(req_pending(req) == 0);
    assert_int_equal(seen.done, 0);
    req_end(req);
    client_expect(fd, "0\r\n\r\n" HELLO);
    turn_until(seen.done == 2);
    assert_int_equal(seen.aborted, 0);
    (void)close(fd);
}

static void test_pieces_for_http_1_0_end_with_the_connection(void **state)
{
    struct hg_request *req;
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, "GET /later HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    turn_until(seen.held);
    req = begin_held();
    req_write(req, HG_STR("one"));
    req_end(req);
    client_expect(fd, PIECES_HEAD "Connection: close\r\n\r\none");
    client_expect_end(fd);
}

static void test_pieces_for_head_are_not_sent(void **state)
{
    struct hg_request *req;
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, "HEAD /later HTTP/1.1\r\nHost: a\r\n\r\n");
    turn_until(seen.held);
    req = begin_held();
    req_write(req, HG_STR("one"));
    req_end(req);
    client_send(fd, GET("/hello"));
    client_expect(fd, PIECES_HEAD "Transfer-Encoding: chunked\r\n\r\n" HELLO);
    (void)close(fd);
}

static unsigned rooms;

static void on_room(struct hg_request *req)
{
    rooms++;
    if (rooms == 2)
        req_end(req);
    else
        req_write(req, HG_STR("more"));
}

static void test_room_for_pieces_is_told(void **state)
{
    struct hg_request *req;
    int fd;

    (void)state;
    server_start();
    rooms = 0;
    fd = client_connect();
    client_send(fd, GET("/later"));
    turn_until(seen.held);
    req = seen.held;
    req->on_room = on_room;
    (void)begin_held();
    client_expect(fd, PIECES_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nmore\r\n0\r\n\r\n");
    assert_int_equal(rooms, 2);
    (void)close(fd);
}

static void test_client_that_leaves_between_pieces(void **state)
{
    struct linger reset = {.l_onoff = 1};
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/later"));
    turn_until(seen.held);
    req_write(begin_held(), HG_STR("one"));
    client_expect(fd, PIECES_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)close(fd);
    turn_until(seen.aborted == 1);
    turn_until(server_connections(server) == 0);
    assert_int_equal(seen.done, 0);
}

static void test_client_that_leaves(void **state)
{
    struct linger reset = {.l_onoff = 1};
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/later"));
    turn_until(seen.held);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)close(fd);
    turn_until(seen.aborted == 1);
    assert_null(seen.held);
    turn_until(server_connections(server) == 0);
    assert_int_equal(seen.done, 0);
}

/* First the end of input, then the reset: the second is noticed too. */
static void test_client_that_leaves_after_half_close(void **state)
{
    struct linger reset = {.l_onoff = 1};
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/later"));
    turn_until(seen.held);
    (void)shutdown(fd, SHUT_WR);
    for (int i = 0; i < 10; i++)
        turn(-1);
    assert_int_equal(seen.aborted, 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void)close(fd);
    turn_until(seen.aborted == 1);
}

static void test_half_closed_client_is_answered(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/later") GET("/hello"));
    (void)shutdown(fd, SHUT_WR);
    turn_until(seen.held);
    for (int i = 0; i < 10; i++)
        turn(-1);
    answer_held(HG_STR("still"));
    client_expect(
        fd, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nstill" HELLO);
    client_expect_end(fd);
    turn_until(server_connections(server) == 0);
}

static void test_client_that_reads_nothing(void **state)
{
    int fd;

    (void)state;
    limits.write_timeout_ms = 300;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/big"));
    turn_until(seen.done == 1);
    assert_true(seen.bytes_sent > 0 && seen.bytes_sent < BIG_BYTES);
    turn_until(server_connections(server) == 0);
    (void)close(fd);
}

static void test_client_that_reads_late(void **state)
{
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/big") GET("/big"));
    for (int i = 0; i < 20; i++)
        turn(-1);
    assert_int_equal(seen.requests, 1);
    client_skip(fd, 2 * (BIG_HEAD + BIG_BYTES));
    turn_until(seen.done == 2);
    (void)close(fd);
}

static void test_too_many_connections(void **state)
{
    int one, two;

    (void)state;
    limits.max_connections = 1;
    server_start();
    one = client_connect();
    client_send(one, GET("/hello"));
    client_expect(one, HELLO);
    two = client_connect();
    client_expect(two, JSON("503 Service Unavailable", "33",
                            "Retry-After: 1\r\n") "{\"message\":\"Service Unavailable\"}");
    client_expect_end(two);
    turn_until(server_connections(server) == 1);
    client_send(one, GET("/hello"));
    client_expect(one, HELLO);
    (void)close(one);
}

static void note_drained(void *arg)
{
    *(bool *)arg = true;
}

static void test_drain(void **state)
{
    bool is_drained = false;
    int idle, busy;

    (void)state;
    server_start();
    idle = client_connect();
    busy = client_connect();
    client_send(idle, GET("/hello"));
    client_expect(idle, HELLO);
    client_send(busy, GET("/later"));
    turn_until(seen.held);
    server_drain(server, 60000, note_drained, &is_drained);
    client_expect_end(idle);
    assert_false(is_drained);
    answer_held(HG_STR("last"));
    client_expect(busy, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n"
                        "Connection: close\r\n\r\nlast");
    client_expect_end(busy);
    turn_until(is_drained);
    assert_int_equal(server_connections(server), 0);
}

static void test_drain_cuts_after_its_time(void **state)
{
    bool is_drained = false;
    int fd;

    (void)state;
    server_start();
    fd = client_connect();
    client_send(fd, GET("/later"));
    turn_until(seen.held);
    server_drain(server, 50, note_drained, &is_drained);
    turn_until(is_drained);
    assert_int_equal(seen.aborted, 1);
    (void)close(fd);
}

static void test_drain_of_an_idle_server(void **state)
{
    bool is_drained = false;

    (void)state;
    server_start();
    server_drain(server, 60000, note_drained, &is_drained);
    assert_false(is_drained);
    turn_until(is_drained);
}

static void test_addresses(void **state)
{
    struct hg_loops *loops = hg_loops_new(1);
    struct hg_server *other = server_new(loops, &hg_server_limits_default);
    struct hg_http_handler handler = {0};
    struct hg_error err;
    char bound[64], again[64];

    (void)state;
    assert_int_equal(server_listen(other, "127.0.0.1", NULL, handler, bound, &err), HG_E_INVALID);
    assert_string_equal(
        err.text,
        "\"127.0.0.1\" is not an address to listen on: write HOST:PORT, for example 127.0.0.1:8080");
    assert_int_equal(server_listen(other, "127.0.0.1:65536", NULL, handler, bound, &err),
                     HG_E_INVALID);
    assert_int_equal(server_listen(other, "::1:80", NULL, handler, bound, &err), HG_E_INVALID);
    assert_int_equal(server_listen(other, "127.0.0.1:0", NULL, handler, bound, &err), HG_OK);
    assert_int_equal(server_listen(other, bound, NULL, handler, again, &err), HG_E_IO);
    assert_non_null(strstr(err.text, "another program uses this port"));
    server_free(other);
    hg_loops_free(loops);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keep_alive),
        TEST(test_impossible_status_is_an_error),
        TEST(test_http_1_0),
        TEST(test_pipelined_requests_are_answered_in_order),
        TEST(test_deep_pipeline_without_reading),
        TEST(test_head_byte_by_byte),
        TEST(test_hand_over_to_http_2),
        TEST(test_bodies),
        TEST(test_large_body_both_ways),
        TEST(test_taken_body),
        TEST(test_expectations),
        TEST(test_malformed_requests_end_the_connection),
        TEST(test_limits),
        TEST(test_memory_for_bodies_is_bounded),
        TEST(test_slow_clients_are_cut),
        TEST(test_trickling_head_is_cut),
        TEST(test_answer_in_pieces),
        TEST(test_pieces_for_http_1_0_end_with_the_connection),
        TEST(test_pieces_for_head_are_not_sent),
        TEST(test_room_for_pieces_is_told),
        TEST(test_client_that_leaves_between_pieces),
        TEST(test_client_that_leaves),
        TEST(test_client_that_leaves_after_half_close),
        TEST(test_half_closed_client_is_answered),
        TEST(test_client_that_reads_nothing),
        TEST(test_client_that_reads_late),
        TEST(test_too_many_connections),
        TEST(test_drain),
        TEST(test_drain_cuts_after_its_time),
        TEST(test_drain_of_an_idle_server),
        TEST(test_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
