/*
 * HTTP/2 between an nghttp2 client and our session: requests, answers, flow
 * control, drain, ends. Floods, refusals and deadlines: test_http2_limits.c.
 */
#include "h2_peer.h"

#include "http/http2.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

enum { BIG = 900000, STREAMS = 100 };

static struct peer peer;

static int set_up(void **state)
{
    (void)state;
    peer_init(&peer, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    peer_fini(&peer);
    return 0;
}

static char *pattern(size_t length)
{
    char *bytes = malloc(length);

    assert_non_null(bytes);
    for (size_t i = 0; i < length; i++)
        bytes[i] = (char)(i * 31 + i / 251);
    return bytes;
}

static void test_request(void **state)
{
    static const char *const fields[] = {"x-one", "1", "accept", "text/html", "x-empty", "", NULL};
    const struct hg_request *req;
    int32_t id;

    (void)state;
    peer.fake.now_us = 7000000;
    id = peer_request(
        &peer, &(struct peer_request){.method = "PUT", .path = "/a/b?c=d&e", .fields = fields});
    peer_pump(&peer);
    assert_int_equal(peer.held_count, 1);
    req = peer.held[0];
    assert_int_equal(req->version, HG_HTTP_2);
    assert_str(req->method, "PUT");
    assert_str(req->target, "/a/b?c=d&e");
    assert_str(req->path, "/a/b");
    assert_str(req->query, "c=d&e");
    assert_str(req->authority, "host.example");
    assert_int_equal(req->header_count, 4);
    assert_str(req->headers[0].name, "host");
    assert_str(req->headers[0].value, "host.example");
    assert_str(req_header(req, "X-One"), "1");
    assert_str(req_header(req, "Accept"), "text/html");
    assert_non_null(req_header(req, "x-empty").p);
    assert_int_equal(req->body.n, 0);
    assert_int_equal(req->start_us, 7000000);

    req_add_header(peer.held[0], HG_STR("X-Mixed-Case"), HG_STR(" b\tc\r\nd "));
    req_add_header(peer.held[0], HG_STR("Connection"), HG_STR("close"));
    req_add_header(peer.held[0], HG_STR("Content-Length"), HG_STR("99"));
    req_add_header(peer.held[0], HG_STR("x-amzn-RequestId"), HG_STR("id"));
    peer_respond(&peer, 0, 201, HG_STR("hello"));
    assert_int_equal(peer.dones, 0);
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, id)->status, 201);
    assert_string_equal(peer_answer(&peer, id)->headers, "date: Fri, 02 Jan 2026 03:04:05 GMT\n"
                                                         "x-mixed-case: b\tc  d\n"
                                                         "x-amzn-requestid: id\n"
                                                         "content-type: Text/Plain\n"
                                                         "content-length: 5\n");
    assert_str(hg_buf_str(&peer_answer(&peer, id)->body), "hello");
    assert_true(peer_answer(&peer, id)->is_closed);
    assert_int_equal(peer_answer(&peer, id)->error_code, NGHTTP2_NO_ERROR);
    assert_int_equal(peer.dones, 1);
    assert_int_equal(peer.done_bytes, 5);
    assert_int_equal(peer.fake.finished, 1);
}

static void test_target_without_query(void **state)
{
    (void)state;
    (void)peer_get(&peer, "/x");
    (void)peer_get(&peer, "/x?");
    assert_null(peer.held[0]->query.p);
    assert_str(peer.held[0]->path, "/x");
    assert_non_null(peer.held[1]->query.p);
    assert_int_equal(peer.held[1]->query.n, 0);
    assert_str(peer.held[1]->path, "/x");
}

static void test_cookies_are_joined(void **state)
{
    static const char *const fields[] = {"cookie", "a=1",    "x",   "y", "cookie",
                                         "b=2",    "cookie", "c=3", NULL};
    const struct hg_request *req;

    (void)state;
    (void)peer_request(&peer, &(struct peer_request){.fields = fields});
    peer_pump(&peer);
    req = peer.held[0];
    assert_int_equal(req->header_count, 3);
    assert_str(req->headers[1].name, "cookie");
    assert_str(req->headers[1].value, "a=1; b=2; c=3");
    assert_str(req->headers[2].name, "x");
}

static void test_host_without_authority(void **state)
{
    static const char *const host[] = {"host", "other.example:8080", NULL};
    static const char *const same[] = {"host", "HOST.example", NULL};

    (void)state;
    (void)peer_request(&peer, &(struct peer_request){.authority = "", .fields = host});
    (void)peer_request(&peer, &(struct peer_request){.fields = same});
    peer_pump(&peer);
    assert_str(peer.held[0]->authority, "other.example:8080");
    assert_int_equal(peer.held[0]->header_count, 1);
    assert_str(req_header(peer.held[0], "host"), "other.example:8080");
    assert_int_equal(peer.held[1]->header_count, 1);
    assert_str(req_header(peer.held[1], "host"), "host.example");
}

static void test_answers_without_body(void **state)
{
    int32_t head = peer_request(&peer, &(struct peer_request){.method = "HEAD"});
    int32_t no_content, not_modified, empty;

    (void)state;
    no_content = peer_get(&peer, "/204");
    not_modified = peer_get(&peer, "/304");
    empty = peer_get(&peer, "/200");
    peer_respond(&peer, 0, 200, HG_STR("not sent"));
    peer_respond(&peer, 1, 204, HG_STR("not sent"));
    peer_respond(&peer, 2, 304, HG_STR("not sent"));
    peer_respond(&peer, 3, 200, HG_STR(""));
    peer_pump(&peer);
    assert_string_equal(peer_header(&peer, head, "content-length"), "8");
    assert_string_equal(peer_header(&peer, no_content, "content-length"), "");
    assert_string_equal(peer_header(&peer, not_modified, "content-length"), "");
    assert_string_equal(peer_header(&peer, empty, "content-length"), "0");
    for (int32_t id = head; id <= empty; id += 2) {
        assert_int_equal(peer_answer(&peer, id)->body.len, 0);
        assert_true(peer_answer(&peer, id)->is_ended);
    }
    assert_int_equal(peer.dones, 4);
    assert_int_equal(peer.done_bytes, 0);
}

static void test_concurrent_streams(void **state)
{
    int32_t ids[STREAMS];
    char text[32];

    (void)state;
    for (int i = 0; i < STREAMS; i++)
        ids[i] = peer_request(&peer, &(struct peer_request){.path = "/"});
    peer_pump(&peer);
    assert_int_equal(peer.held_count, STREAMS);
    /* The last comes first. */
    for (int i = STREAMS - 1; i >= 0; i--) {
        (void)snprintf(text, sizeof(text), "answer %d", i);
        peer_respond(&peer, (size_t)i, 200, hg_str_of(text));
        if (i % 7 == 0)
            peer_pump(&peer);
    }
    peer_pump(&peer);
    for (int i = 0; i < STREAMS; i++) {
        (void)snprintf(text, sizeof(text), "answer %d", i);
        assert_str(hg_buf_str(&peer_answer(&peer, ids[i])->body), text);
    }
    assert_int_equal(peer.dones, STREAMS);
}

static void test_one_write_for_a_turn(void **state)
{
    (void)state;
    peer.answers_at_once = true;
    peer_pump(&peer);
    for (int i = 0; i < 20; i++)
        (void)peer_request(&peer, &(struct peer_request){.path = "/"});
    /* The kernel takes nothing: what the turn produced waits, all of it, in the output. */
    peer.fake.room = 0;
    peer_pump(&peer);
    assert_int_equal(peer.seen_count, 20);
    assert_true(conn_pending(&peer.fake.conn) > 0);
    assert_int_equal(peer.dones, 0);
    peer.fake.room = SIZE_MAX;
    peer_pump(&peer);
    assert_int_equal(peer.dones, 20);
}

static void test_upload_and_download(void **state)
{
    char *bytes = pattern(BIG);
    int32_t id;

    (void)state;
    peer.answers_at_once = true;
    id = peer_request(&peer,
                      &(struct peer_request){.method = "POST", .body = bytes, .body_length = BIG});
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, id)->status, 200);
    assert_int_equal(peer_answer(&peer, id)->body.len, BIG);
    assert_memory_equal(hg_buf_str(&peer_answer(&peer, id)->body).p, bytes, BIG);
    assert_int_equal(peer.done_bytes, BIG);
    assert_int_equal(peer.fake.buffered, 0);
    free(bytes);
}

static void test_uploads_use_counted_memory(void **state)
{
    char *bytes = pattern(BIG);
    int32_t id;

    (void)state;
    id = peer_request(&peer,
                      &(struct peer_request){
                          .method = "POST", .body = bytes, .body_length = BIG, .is_open = true});
    peer_pump(&peer);
    assert_int_equal(peer.held_count, 0);
    assert_int_equal(peer.fake.buffered, BIG);
    assert_int_equal(nghttp2_submit_rst_stream(peer.client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL),
                     0);
    peer_pump(&peer);
    assert_int_equal(peer.fake.buffered, 0);
    assert_int_equal(peer.fake.aborted, 1);
    assert_int_equal(peer.aborts, 0);
    free(bytes);
}

static void test_stalled_download_resumes(void **state)
{
    enum { WINDOW = 1000, LENGTH = 5000 };
    char *bytes = pattern(LENGTH);
    int32_t first, second;

    (void)state;
    peer_fini(&peer);
    peer_init(&peer, &(struct peer_options){.initial_window = WINDOW, .is_manual = true});
    first = peer_get(&peer, "/big");
    second = peer_get(&peer, "/small");
    peer_respond(&peer, 0, 200, hg_str_n(bytes, LENGTH));
    peer_respond(&peer, 1, 200, HG_STR("small"));
    peer_pump(&peer);
    /* One stream's closed window does not hold up the other. */
    assert_int_equal(peer_answer(&peer, first)->body.len, WINDOW);
    assert_true(peer_answer(&peer, second)->is_closed);
    assert_int_equal(peer.dones, 1);
    for (int i = 2; i <= 5; i++) {
        assert_int_equal(
            nghttp2_submit_window_update(peer.client, NGHTTP2_FLAG_NONE, first, WINDOW), 0);
        peer_pump(&peer);
        assert_int_equal(peer_answer(&peer, first)->body.len, i * WINDOW);
    }
    assert_memory_equal(hg_buf_str(&peer_answer(&peer, first)->body).p, bytes, LENGTH);
    assert_int_equal(peer.dones, 2);
    free(bytes);
}

static void test_output_is_bounded(void **state)
{
    enum { LENGTH = 4 << 20, OUTPUT_MAX = (256 << 10) + 16384 + 9 };
    char *bytes = pattern(LENGTH);
    int32_t id;

    (void)state;
    peer_fini(&peer);
    peer_init(&peer, &(struct peer_options){.initial_window = 0x7fffffff});
    assert_int_equal(
        nghttp2_session_set_local_window_size(peer.client, NGHTTP2_FLAG_NONE, 0, 0x7fffffff), 0);
    id = peer_get(&peer, "/");
    peer_respond(&peer, 0, 200, hg_str_n(bytes, LENGTH));
    peer.fake.room = 0;
    for (int i = 0; i < 10; i++)
        peer_pump(&peer);
    assert_in_range(conn_pending(&peer.fake.conn), 1, OUTPUT_MAX);
    for (int i = 0; i < 300; i++) {
        peer.fake.room = 20000;
        peer_pump(&peer);
        assert_in_range(conn_pending(&peer.fake.conn), 0, OUTPUT_MAX);
    }
    assert_int_equal(peer_answer(&peer, id)->body.len, LENGTH);
    assert_memory_equal(hg_buf_str(&peer_answer(&peer, id)->body).p, bytes, LENGTH);
    assert_int_equal(peer.dones, 1);
    free(bytes);
}

static struct hg_request *begin_held(size_t i)
{
    struct hg_request *req = peer.held[i];

    req->response.status = 200;
    req_begin(req);
    return req;
}

static void test_answer_in_pieces(void **state)
{
    int32_t id = peer_get(&peer, "/");
    struct hg_request *req = begin_held(0);
    struct peer_answer *answer = peer_answer(&peer, id);

    (void)state;
    peer_pump(&peer);
    assert_int_equal(answer->status, 200);
    assert_string_equal(answer->headers, "date: Fri, 02 Jan 2026 03:04:05 GMT\n");
    assert_false(answer->is_ended);
    req_write(req, HG_STR("one "));
    req_write(req, HG_STR("two "));
    peer_pump(&peer);
    assert_str(hg_buf_str(&answer->body), "one two ");
    assert_int_equal(req_pending(req), 0);
    /* Others are answered meanwhile. */
    (void)peer_get(&peer, "/other");
    peer_respond(&peer, 1, 200, HG_STR("other"));
    peer_pump(&peer);
    assert_int_equal(peer.dones, 1);
    req_write(req, HG_STR("three"));
    req_end(req);
    peer_pump(&peer);
    assert_str(hg_buf_str(&answer->body), "one two three");
    assert_true(answer->is_ended && answer->is_closed);
    assert_int_equal(answer->error_code, NGHTTP2_NO_ERROR);
    assert_int_equal(peer.dones, 2);
    assert_int_equal(peer.done_bytes, 13);
    assert_int_equal(peer.aborts, 0);
}

static void test_pieces_may_end_with_nothing_more(void **state)
{
    int32_t id = peer_get(&peer, "/");
    struct hg_request *req = begin_held(0);

    (void)state;
    peer_pump(&peer);
    req_end(req);
    peer_pump(&peer);
    assert_true(peer_answer(&peer, id)->is_closed);
    assert_int_equal(peer.dones, 1);
}

static void test_large_pieces_keep_to_the_window(void **state)
{
    char *bytes = pattern(BIG);
    int32_t id = peer_get(&peer, "/");
    struct hg_request *req = begin_held(0);

    (void)state;
    for (size_t at = 0; at < BIG; at += BIG / 9)
        req_write(req, hg_str_n(bytes + at, BIG / 9));
    assert_true(req_pending(req) >= BIG);
    req_end(req);
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, id)->body.len, BIG);
    assert_memory_equal(hg_buf_str(&peer_answer(&peer, id)->body).p, bytes, BIG);
    assert_true(peer_answer(&peer, id)->is_closed);
    assert_int_equal(peer.done_bytes, BIG);
    free(bytes);
}

static void test_reset_between_pieces(void **state)
{
    int32_t id = peer_get(&peer, "/");

    (void)state;
    req_write(begin_held(0), HG_STR("one"));
    peer_pump(&peer);
    assert_int_equal(nghttp2_submit_rst_stream(peer.client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL),
                     0);
    peer_pump(&peer);
    assert_int_equal(peer.aborts, 1);
    assert_int_equal(peer.dones, 0);
}

static void test_connection_lost_between_pieces(void **state)
{
    (void)state;
    (void)peer_get(&peer, "/");
    req_write(begin_held(0), HG_STR("one"));
    conn_close(&peer.fake.conn);
    fake_conn_turn(&peer.fake);
    assert_int_equal(peer.aborts, 1);
    assert_int_equal(peer.dones, 0);
}

static void test_reset_by_the_client(void **state)
{
    enum { LENGTH = 100000 };
    char *bytes = pattern(LENGTH);
    int32_t waiting = peer_get(&peer, "/waiting"), answered = peer_get(&peer, "/answered");

    (void)state;
    assert_int_equal(
        nghttp2_submit_rst_stream(peer.client, NGHTTP2_FLAG_NONE, waiting, NGHTTP2_CANCEL), 0);
    peer_pump(&peer);
    assert_int_equal(peer.aborts, 1);
    assert_null(peer.held[0]);

    /* In the middle of an answer of which a part is on its way. */
    peer.fake.room = 5000;
    peer_respond(&peer, 1, 200, hg_str_n(bytes, LENGTH));
    peer_pump(&peer);
    assert_int_equal(
        nghttp2_submit_rst_stream(peer.client, NGHTTP2_FLAG_NONE, answered, NGHTTP2_CANCEL), 0);
    peer_pump(&peer);
    assert_int_equal(peer.dones, 0);
    peer.fake.room = SIZE_MAX;
    peer_pump(&peer);
    assert_int_equal(peer.dones, 1);
    assert_int_equal(peer.aborts, 1);
    assert_in_range(peer.done_bytes, 1, LENGTH - 1);
    free(bytes);
}

static void test_connection_lost(void **state)
{
    (void)state;
    (void)peer_get(&peer, "/waiting");
    (void)peer_get(&peer, "/answered");
    (void)peer_request(&peer,
                       &(struct peer_request){.body = "x", .body_length = 1, .is_open = true});
    peer.fake.room = 0;
    peer_respond(&peer, 1, 200, HG_STR("text"));
    peer_pump(&peer);
    conn_close(&peer.fake.conn);
    fake_conn_turn(&peer.fake);
    assert_int_equal(peer.aborts, 1);
    assert_int_equal(peer.dones, 1);
    assert_int_equal(peer.fake.aborted, 2); /* the incomplete one never reached the handler */
}

static void test_end_of_input(void **state)
{
    int32_t answered = peer_get(&peer, "/answered");

    (void)state;
    (void)peer_get(&peer, "/waiting");
    (void)peer_request(&peer,
                       &(struct peer_request){.body = "x", .body_length = 1, .is_open = true});
    peer.fake.room = 0;
    peer_respond(&peer, 0, 200, HG_STR("text"));
    peer_pump(&peer);
    peer.fake.conn.is_eof = true;
    peer.fake.conn.protocol->on_eof(&peer.fake.conn);
    fake_conn_turn(&peer.fake);
    assert_false(fake_conn_is_closed(&peer.fake));
    peer.fake.room = SIZE_MAX;
    peer_pump(&peer);
    assert_str(hg_buf_str(&peer_answer(&peer, answered)->body), "text");
    assert_true(fake_conn_is_closed(&peer.fake));
    assert_int_equal(peer.dones, 1);
    assert_int_equal(peer.aborts, 1);
    assert_int_equal(peer.fake.aborted, 2);
}

static void test_drain(void **state)
{
    int32_t running = peer_get(&peer, "/running"), late;

    (void)state;
    peer.fake.conn.protocol->on_drain(&peer.fake.conn);
    /* The client opens one more before it hears of it. */
    late = peer_request(&peer, &(struct peer_request){.path = "/late"});
    peer_pump(&peer);
    assert_int_equal(peer.goaways, 2);
    assert_int_equal(peer.goaway_ids[0], 0x7fffffff);
    assert_int_equal(peer.goaway_ids[1], late);
    assert_int_equal(peer.goaway_code, NGHTTP2_NO_ERROR);
    assert_int_equal(peer.held_count, 2);
    peer_respond(&peer, 0, 200, HG_STR("a"));
    peer_pump(&peer);
    assert_false(fake_conn_is_closed(&peer.fake));
    peer_respond(&peer, 1, 200, HG_STR("b"));
    peer_pump(&peer);
    assert_true(peer_answer(&peer, running)->is_ended);
    assert_true(peer_answer(&peer, late)->is_ended);
    assert_true(fake_conn_is_closed(&peer.fake));
}

static void test_drain_without_the_clients_help(void **state)
{
    (void)state;
    peer_pump(&peer);
    peer.fake.conn.protocol->on_drain(&peer.fake.conn);
    fake_conn_turn(&peer.fake);
    fake_conn_pass_ms(&peer.fake, 900);
    assert_false(fake_conn_is_closed(&peer.fake));
    fake_conn_pass_ms(&peer.fake, 101);
    assert_true(fake_conn_is_closed(&peer.fake));
}

static void test_trailers_are_dropped(void **state)
{
    /* x-t: v, literal without indexing, in a HEADERS frame that ends the stream. */
    static const char trailers[] = "\x00\x03x-t\x01v";
    int32_t id = peer_request(
        &peer, &(struct peer_request){.body = "body", .body_length = 4, .is_open = true});

    (void)state;
    peer_pump(&peer);
    assert_int_equal(peer.held_count, 0);
    peer_send_frame(&peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, id,
                    trailers, sizeof(trailers) - 1);
    assert_int_equal(peer.held_count, 1);
    assert_str(peer.held[0]->body, "body");
    assert_null(req_header(peer.held[0], "x-t").p);
}

static void test_expect_continue(void **state)
{
    static const char *const fields[] = {"expect", "100-Continue", NULL};
    int32_t id = peer_request(&peer, &(struct peer_request){.fields = fields, .is_open = true});

    (void)state;
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, id)->interim_status, 100);
    assert_int_equal(peer_answer(&peer, id)->status, 0);
    peer_send_frame(&peer, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, id, "abc", 3);
    assert_str(peer.held[0]->body, "abc");
    peer_respond(&peer, 0, 200, HG_STR("done"));
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, id)->status, 200);
}

static void test_upgrade(void **state)
{
    enum { LENGTH = 60000 };
    char *bytes = pattern(LENGTH);
    static struct hg_header headers[] = {
        {{"Host", 4}, {"h.example", 9}},      {{"Upgrade", 7}, {"h2c", 3}},
        {{"Connection", 10}, {"Upgrade", 7}}, {{"HTTP2-Settings", 14}, {"AAMAAABkAAQAAP__", 16}},
        {{"X-Custom", 8}, {"Value", 5}},
    };
    const struct hg_request request = {
        .method = HG_STR("POST"),
        .target = HG_STR("/u?q"),
        .path = HG_STR("/u"),
        .query = HG_STR("q"),
        .authority = HG_STR("h.example"),
        .headers = headers,
        .header_count = HG_COUNT(headers),
        .body = HG_STR("in"),
    };
    struct hg_http_handler handler;
    const struct hg_request *req;
    struct hg_str wire;

    (void)state;
    /* The same client and handler on a connection that has no protocol yet. */
    handler = peer.fake.conn.handler;
    fake_conn_fini(&peer.fake);
    fake_conn_init(&peer.fake);
    peer.fake.conn.handler = handler;
    assert_false(http2_upgrade(&peer.fake.conn, &request, HG_STR("AAMAAABkA!")));
    assert_false(http2_upgrade(&peer.fake.conn, &request, HG_STR("AAMA")));
    assert_int_equal(conn_pending(&peer.fake.conn), 0);
    assert_int_equal(peer.fake.buffered, 0);
    assert_true(http2_upgrade(&peer.fake.conn, &request, HG_STR("AAMAAABkAAQAAP__")));
    fake_conn_turn(&peer.fake);
    wire = hg_buf_str(&peer.fake.wire);
    assert_true(hg_str_starts(wire, HG_STR("HTTP/1.1 101 Switching Protocols\r\n")));
    hg_buf_consume(&peer.fake.wire, (size_t)hg_str_find_str(wire, HG_STR("\r\n\r\n")) + 4);

    assert_int_equal(peer.held_count, 1);
    req = peer.held[0];
    assert_str(req->method, "POST");
    assert_str(req->path, "/u");
    assert_str(req->query, "q");
    assert_str(req->body, "in");
    assert_int_equal(req->header_count, 2);
    assert_str(req->headers[0].name, "host");
    assert_str(req->headers[1].name, "x-custom");
    assert_str(req->headers[1].value, "Value");

    /* Clients have little room for what comes before they have switched. */
    peer_respond(&peer, 0, 200, hg_str_n(bytes, LENGTH));
    fake_conn_turn(&peer.fake);
    assert_in_range(peer.fake.wire.len, 1, 32000);
    assert_int_equal(nghttp2_session_upgrade2(peer.client,
                                              (const uint8_t *)"\0\3\0\0\0\144\0\4\0\0\377\377", 12,
                                              0, NULL),
                     0);
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, 1)->status, 200);
    assert_int_equal(peer_answer(&peer, 1)->body.len, LENGTH);
    assert_memory_equal(hg_buf_str(&peer_answer(&peer, 1)->body).p, bytes, LENGTH);
    free(bytes);
    assert_int_equal(peer_get(&peer, "/next"), 3);
    assert_int_equal(peer.held_count, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_request),
        TEST(test_target_without_query),
        TEST(test_cookies_are_joined),
        TEST(test_host_without_authority),
        TEST(test_answers_without_body),
        TEST(test_concurrent_streams),
        TEST(test_one_write_for_a_turn),
        TEST(test_upload_and_download),
        TEST(test_uploads_use_counted_memory),
        TEST(test_stalled_download_resumes),
        TEST(test_output_is_bounded),
        TEST(test_answer_in_pieces),
        TEST(test_pieces_may_end_with_nothing_more),
        TEST(test_large_pieces_keep_to_the_window),
        TEST(test_reset_between_pieces),
        TEST(test_connection_lost_between_pieces),
        TEST(test_reset_by_the_client),
        TEST(test_connection_lost),
        TEST(test_end_of_input),
        TEST(test_drain),
        TEST(test_drain_without_the_clients_help),
        TEST(test_trailers_are_dropped),
        TEST(test_expect_continue),
        TEST(test_upgrade),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
