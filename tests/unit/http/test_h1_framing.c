/* http/h1_framing: RFC 9112 §3.2, §6 and §9.3, and what must be refused lest two readers differ. */
#include "http/h1_framing.h"
#include "tests/unit/unit.h"

static struct h1_framing framing;

static enum hg_fault fault_of(const char *text)
{
    static struct hg_header headers[16];
    struct h1_head head = {.headers = headers, .header_room = 16, .max_bytes = 4096};
    const char *detail;

    assert_int_equal(h1_parse_head(&head, text, strlen(text)), H1_DONE);
    return h1_read_framing(&head, &framing, &detail);
}

static void assert_fine(const char *text)
{
    assert_int_equal(fault_of(text), HG_FAULT_COUNT);
}

#define POST(fields) "POST / HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define POST_1_0(fields) "POST / HTTP/1.0\r\n" fields "\r\n"
#define TARGET(line, fields) line " HTTP/1.1\r\n" fields "\r\n"

static void test_bodies(void **state)
{
    (void)state;
    assert_fine(POST(""));
    assert_false(framing.has_length || framing.is_chunked);
    assert_fine(POST("Content-Length: 0042\r\n"));
    assert_true(framing.has_length);
    assert_int_equal(framing.content_length, 42);
    assert_fine(POST("transfer-encoding: Chunked\r\n"));
    assert_true(framing.is_chunked);
    assert_fine(POST("Content-Length: 99999999999999999999999\r\n"));
    assert_true(framing.content_length == UINT64_MAX);
}

static void test_ambiguous_lengths(void **state)
{
    static const char *const texts[] = {
        POST("Content-Length: 1\r\nContent-Length: 1\r\n"),
        POST("Content-Length: 1\r\nContent-Length: 2\r\n"),
        POST("Content-Length: 1, 1\r\n"),
        POST("Content-Length:\r\n"),
        POST("Content-Length: +1\r\n"),
        POST("Content-Length: -1\r\n"),
        POST("Content-Length: 1 1\r\n"),
        POST("Content-Length: 0x1\r\n"),
        POST("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        POST("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
        POST("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        POST("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
        POST("Transfer-Encoding: chunked, chunked\r\n"),
        POST("Transfer-Encoding: chunked, gzip\r\n"),
        POST("Transfer-Encoding: chunked;q=1\r\n"),
        POST("Transfer-Encoding: \"chunked\"\r\n"),
        POST("Transfer-Encoding: xchunked\r\n"),
        POST("Transfer-Encoding: , chunked\r\n"),
        POST("Transfer-Encoding: chunked,\r\n"),
        POST("Transfer-Encoding: identity\r\n"),
        POST("Transfer-Encoding:\r\n"),
        POST_1_0("Transfer-Encoding: chunked\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(texts); i++) {
        if (fault_of(texts[i]) != HG_FAULT_FRAMING)
            fail_msg("not refused as framing: %s", texts[i]);
    }
    assert_int_equal(fault_of(POST("Transfer-Encoding: gzip, chunked\r\n")), HG_FAULT_CODING);
}

static void test_hosts(void **state)
{
    static const char *const bad[] = {
        TARGET("GET /", ""),
        TARGET("GET /", "Host: a\r\nHost: a\r\n"),
        TARGET("GET /", "Host:\r\n"),
        TARGET("GET /", "Host: a b\r\n"),
        TARGET("GET /", "Host: a,b\r\n"),
        TARGET("GET /", "Host: a/b\r\n"),
        TARGET("GET /", "Host: u@a\r\n"),
        TARGET("GET /", "Host: a:b\r\n"),
        TARGET("GET /", "Host: a:123456\r\n"),
        TARGET("GET /", "Host: :80\r\n"),
        TARGET("GET /", "Host: [::1\r\n"),
        TARGET("GET /", "Host: \xc3\xa9\r\n"),
        TARGET("GET http://a/", "Host: b\r\n"),
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        if (fault_of(bad[i]) != HG_FAULT_HOST)
            fail_msg("host not refused: %s", bad[i]);
    }
    assert_fine(TARGET("GET /", "Host: [::1]:8080\r\n"));
    assert_str(framing.authority, "[::1]:8080");
    assert_fine(TARGET("GET /", "Host: a_b.example-1.com:80\r\n"));
    assert_fine("GET / HTTP/1.0\r\n\r\n");
    assert_str(framing.authority, "");
}

static void test_targets(void **state)
{
    (void)state;
    assert_fine(TARGET("GET /a?b?c", "Host: h\r\n"));
    assert_str(framing.path, "/a");
    assert_str(framing.query, "b?c");
    assert_fine(TARGET("GET /a", "Host: h\r\n"));
    assert_null(framing.query.p);
    assert_fine(TARGET("GET /a?", "Host: h\r\n"));
    assert_non_null(framing.query.p);
    assert_fine(TARGET("GET HTTP://h:80/p?q", "Host: H:80\r\n"));
    assert_str(framing.authority, "h:80");
    assert_str(framing.path, "/p");
    assert_str(framing.query, "q");
    assert_fine(TARGET("GET https://h?q", "Host: h\r\n"));
    assert_str(framing.path, "/");
    assert_str(framing.query, "q");
    assert_fine(TARGET("OPTIONS *", "Host: h\r\n"));
    assert_str(framing.path, "*");
    assert_int_equal(fault_of(TARGET("GET *", "Host: h\r\n")), HG_FAULT_MALFORMED);
    assert_int_equal(fault_of(TARGET("GET a/b", "Host: h\r\n")), HG_FAULT_MALFORMED);
    assert_int_equal(fault_of(TARGET("GET h:80", "Host: h\r\n")), HG_FAULT_MALFORMED);
    assert_int_equal(fault_of(TARGET("GET ftp://h/", "Host: h\r\n")), HG_FAULT_MALFORMED);
    assert_int_equal(fault_of(TARGET("GET http://", "Host: h\r\n")), HG_FAULT_MALFORMED);
    assert_int_equal(fault_of(TARGET("GET http://u@h/", "Host: h\r\n")), HG_FAULT_MALFORMED);
    assert_int_equal(fault_of(TARGET("CONNECT h:80", "Host: h:80\r\n")), HG_FAULT_CONNECT);
}

static void test_persistence(void **state)
{
    (void)state;
    assert_fine(POST(""));
    assert_true(framing.is_persistent);
    assert_fine(POST("Connection: foo, Close\r\n"));
    assert_false(framing.is_persistent);
    assert_fine(POST("Connection: keep-alive\r\nConnection: close\r\n"));
    assert_false(framing.is_persistent);
    assert_fine(POST_1_0(""));
    assert_false(framing.is_persistent);
    assert_fine(POST_1_0("Connection: Keep-Alive\r\n"));
    assert_true(framing.is_persistent);
}

static void test_expectations(void **state)
{
    (void)state;
    assert_fine(POST("Expect: 100-Continue\r\nContent-Length: 1\r\n"));
    assert_true(framing.wants_continue);
    assert_fine(POST_1_0("Expect: 100-continue\r\nContent-Length: 1\r\n"));
    assert_false(framing.wants_continue);
    assert_int_equal(fault_of(POST("Expect: 200-ok\r\n")), HG_FAULT_EXPECTATION);
}

static void test_upgrade_to_h2c(void **state)
{
    (void)state;
    assert_fine(POST(
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"));
    assert_true(framing.wants_h2c);
    assert_str(framing.h2_settings, "AAMAAABk");
    assert_fine(POST("Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"));
    assert_false(framing.wants_h2c);
    assert_fine(POST("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"));
    assert_false(framing.wants_h2c);
    assert_fine(POST(
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\nHTTP2-Settings: B\r\n"));
    assert_false(framing.wants_h2c);
    assert_fine(
        POST("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket\r\nHTTP2-Settings: A\r\n"));
    assert_false(framing.wants_h2c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),         cmocka_unit_test(test_ambiguous_lengths),
        cmocka_unit_test(test_hosts),          cmocka_unit_test(test_targets),
        cmocka_unit_test(test_persistence),    cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_upgrade_to_h2c),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
