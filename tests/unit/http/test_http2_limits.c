/*
 * What an HTTP/2 session refuses or ends: bad requests, sizes, floods, slow
 * clients. Each case also looks at what the log and the metrics are told.
 */
#include "h2_peer.h"

#include "core/metrics.h"
#include "http/http2_guard.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct peer peer;

/* :method GET, :scheme http, :path /, :authority a */
static const char get_block[] = "\x82\x86\x84\x41\x01"
                                "a";

static int set_up(void **state)
{
    (void)state;
    peer_init(&peer, NULL);
    peer_pump(&peer);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    peer_fini(&peer);
    return 0;
}

static void expect_fault(int32_t id, int status, enum hg_fault fault)
{
    const struct peer_answer *answer = peer_answer(&peer, id);

    assert_int_equal(answer->status, status);
    assert_true(answer->is_ended);
    /* Time for the client to see the answer before what it still sends is cut off. */
    fake_conn_pass_ms(&peer.fake, 500);
    peer_pump(&peer);
    assert_true(answer->is_closed);
    assert_int_equal(peer.fake.faults[fault], 1);
    assert_int_equal(peer.seen_count, 0);
    assert_int_equal(peer.fake.finished + peer.fake.aborted, 0);
    assert_int_equal(peer.fake.buffered, 0);
}

/* The connection is as good as before. */
static void expect_life(void)
{
    int32_t id;

    peer.answers_at_once = true;
    id = peer_get(&peer, "/next");
    assert_int_equal(peer_answer(&peer, id)->status, 200);
    assert_int_equal(peer.goaways, 0);
}

static void test_refused_requests(void **state)
{
    static const char *const two_hosts[] = {"host", "other.example", NULL};
    static const char *const expects[] = {"expect", "200-ok", NULL};
    static const char *const long_body[] = {"content-length", "1048577", NULL};
    static const char *const huge_body[] = {"content-length", "99999999999999999", NULL};
    static const struct {
        struct peer_request request;
        int status;
        enum hg_fault fault;
    } rows[] = {
        {{.fields = two_hosts}, 400, HG_FAULT_HOST},
        {{.authority = "user@host"}, 400, HG_FAULT_HOST},
        {{.path = "/a#b"}, 400, HG_FAULT_MALFORMED},
        {{.fields = expects}, 417, HG_FAULT_EXPECTATION},
        {{.fields = long_body, .is_open = true}, 413, HG_FAULT_BODY_LARGE},
        {{.fields = huge_body, .is_open = true}, 413, HG_FAULT_BODY_LARGE},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        int32_t id;

        peer_fini(&peer);
        peer_init(&peer, NULL);
        id = peer_request(&peer, &rows[i].request);
        peer_pump(&peer);
        expect_fault(id, rows[i].status, rows[i].fault);
        assert_int_equal(peer_answer(&peer, id)->error_code, NGHTTP2_NO_ERROR);
        expect_life();
    }
}

static void test_connect(void **state)
{
    /* :method CONNECT, :authority a.b; neither scheme nor path. */
    static const char block[] = "\x42\x07"
                                "CONNECT"
                                "\x41\x03"
                                "a.b";

    (void)state;
    peer_send_frame(&peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, block, sizeof(block) - 1);
    assert_int_equal(peer.fake.faults[HG_FAULT_CONNECT], 1);
    assert_int_equal(peer.seen_count, 0);
}

static void test_malformed_messages_are_stream_errors(void **state)
{
    static const char *const connection[] = {"connection", "close", NULL};
    static const char *const coding[] = {"transfer-encoding", "chunked", NULL};
    static const char *const te[] = {"te", "gzip", NULL};
    static const char *const blank[] = {"x", " y", NULL};
    static const char *const line[] = {"x", "a\nb", NULL};
    static const char *const name[] = {"x y", "z", NULL};
    static const char *const status[] = {":status", "200", NULL};
    static const char *const two_lengths[] = {"content-length", "1", "content-length", "1", NULL};
    static const char *const wrong_length[] = {"content-length", "3", NULL};
    static const struct peer_request rows[] = {
        {.fields = connection},   {.fields = coding},
        {.fields = te},           {.fields = blank},
        {.fields = line},         {.fields = name},
        {.fields = status},       {.path = "relative"},
        {.path = "/a b"},         {.authority = ""},
        {.fields = two_lengths},  {.fields = wrong_length, .body = "four", .body_length = 4},
        {.fields = wrong_length}, {.method = "BAD METHOD"},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        int32_t id = peer_request(&peer, &rows[i]);

        peer_pump(&peer);
        if (peer_answer(&peer, id)->error_code != NGHTTP2_PROTOCOL_ERROR)
            fail_msg("row %zu: %s", i, nghttp2_http2_strerror(peer_answer(&peer, id)->error_code));
        assert_true(peer_answer(&peer, id)->is_closed);
    }
    assert_int_equal(peer.seen_count, 0);
    expect_life();
}

static void test_large_headers(void **state)
{
    char *value = malloc(15001);
    const char *const fields[] = {"x-a", value, "x-b", value, NULL};
    int32_t id;

    (void)state;
    memset(value, '~', 15000);
    value[15000] = '\0';
    id = peer_request(&peer, &(struct peer_request){.fields = fields});
    peer_pump(&peer);
    expect_fault(id, 431, HG_FAULT_HEADERS_LARGE);
    expect_life();
    free(value);
}

static void test_too_many_headers(void **state)
{
    char block[sizeof(get_block) - 1 + 128 * 5];
    size_t length = sizeof(get_block) - 1;

    (void)state;
    memcpy(block, get_block, length);
    for (int i = 0; i < 128; i++, length += 5)
        memcpy(block + length, "\x00\x01h\x01v", 5);
    /* With Host there are 129 of them; without the last one, 128. */
    peer_send_frame(&peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                    block, length);
    assert_int_equal(peer.fake.faults[HG_FAULT_HEADERS_LARGE], 1);
    assert_int_equal(peer.seen_count, 0);
    peer_send_frame(&peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 3,
                    block, length - 5);
    assert_int_equal(peer.seen_count, 1);
}

static void test_body_without_length_grows_too_large(void **state)
{
    enum { LENGTH = (1 << 20) + 1 };
    char *bytes = calloc(1, LENGTH);
    int32_t id;

    (void)state;
    id = peer_request(&peer,
                      &(struct peer_request){
                          .method = "POST", .body = bytes, .body_length = LENGTH, .is_open = true});
    peer_pump(&peer);
    expect_fault(id, 413, HG_FAULT_BODY_LARGE);
    assert_int_equal(peer_answer(&peer, id)->error_code, NGHTTP2_NO_ERROR);
    expect_life();
    free(bytes);
}

static void test_memory_of_all_bodies_is_bounded(void **state)
{
    enum { LENGTH = 1 << 20, COUNT = 6 };
    char *bytes = calloc(1, LENGTH);
    int32_t ids[COUNT];
    int busy = 0;

    (void)state;
    for (int i = 0; i < COUNT; i++)
        ids[i] = peer_request(&peer, &(struct peer_request){.body = bytes, .body_length = LENGTH});
    peer_pump(&peer);
    for (int i = 0; i < COUNT; i++)
        busy += peer_answer(&peer, ids[i])->status == 503;
    assert_int_equal(busy, 2); /* four fit into 4 MiB */
    assert_int_equal(peer.held_count, 4);
    assert_int_equal(peer.fake.faults[HG_FAULT_BUSY], 2);
    assert_int_equal(peer.fake.buffered, 4 * LENGTH);
    for (size_t i = 0; i < 4; i++)
        peer_respond(&peer, i, 200, HG_STR(""));
    peer_pump(&peer);
    assert_int_equal(peer.fake.buffered, 0);
    free(bytes);
}

static void send_get(int32_t id)
{
    peer_send_frame(&peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, id,
                    get_block, sizeof(get_block) - 1);
}

/* A client that does not know our settings yet is refused single streams; one that knows them is at fault. */
static void test_too_many_streams(void **state)
{
    (void)state;
    peer_fini(&peer);
    peer_init(&peer, NULL);
    peer_send_raw(&peer, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    for (int i = 0; i < 103; i++)
        send_get(2 * i + 1);
    assert_int_equal(peer.held_count, 100);
    assert_int_equal(peer.fake.aborted, 0);
    assert_false(fake_conn_is_closed(&peer.fake));
    peer_send_frame(&peer, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, 0, NULL, 0);
    send_get(207);
    assert_true(fake_conn_is_closed(&peer.fake));
    assert_int_equal(peer.aborts, 100);
}

/* ---- floods ---- */

static void flood_resets(int i)
{
    send_get(2 * i + 1);
    peer_send_frame(&peer, NGHTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x8", 4);
}

/* A window that grows beyond its maximum makes us reset the stream. */
static void flood_provocations(int i)
{
    send_get(2 * i + 1);
    peer_send_frame(&peer, NGHTTP2_WINDOW_UPDATE, 0, 2 * i + 1, "\x7f\xff\xff\xff", 4);
}

static void flood_pings(int i)
{
    (void)i;
    peer_send_frame(&peer, NGHTTP2_PING, 0, 0, "12345678", 8);
}

static void flood_settings(int i)
{
    (void)i;
    peer_send_frame(&peer, NGHTTP2_SETTINGS, 0, 0, NULL, 0);
}

static void flood_priorities(int i)
{
    (void)i;
    peer_send_frame(&peer, NGHTTP2_PRIORITY, 0, 1, "\0\0\0\0\x10", 5);
}

static void flood_windows(int i)
{
    (void)i;
    peer_send_frame(&peer, NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\x1", 4);
}

static void flood_empty_data(int i)
{
    if (i == 0)
        peer_send_frame(&peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, get_block,
                        sizeof(get_block) - 1);
    peer_send_frame(&peer, NGHTTP2_DATA, 0, 1, NULL, 0);
}

static void flood_continuations(int i)
{
    peer_send_frame(&peer, i == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION, 0, 1, "\x82", 1);
}

static void flood_header_block(int i)
{
    static const char zeros[16384];

    peer_send_frame(&peer, i == 0 ? NGHTTP2_HEADERS : NGHTTP2_CONTINUATION, 0, 1, zeros,
                    sizeof(zeros));
}

/* The client's session knows nothing of the raw frames, so the bytes are looked at. */
static void expect_goaway_at_the_end(uint32_t code)
{
    enum { GOAWAY_BYTES = 9 + 8 };
    struct hg_str wire = hg_buf_str(&peer.fake.wire);
    const unsigned char *last = (const unsigned char *)wire.p + wire.n - GOAWAY_BYTES;

    assert_true(wire.n >= GOAWAY_BYTES);
    assert_int_equal(last[3], NGHTTP2_GOAWAY);
    assert_int_equal(last[16], code);
}

static void test_floods(void **state)
{
    static const struct {
        void (*flood)(int i);
        enum hg_abuse kind;
        enum hg_counter counter;
        int least, most; /* rounds that pass */
    } rows[] = {
        {flood_resets, HG_ABUSE_RESETS, HG_M_HTTP2_RESETS, 200, 200},
        {flood_provocations, HG_ABUSE_PROVOKED, HG_M_HTTP2_PROVOKED, 100, 100},
        {flood_pings, HG_ABUSE_PINGS, HG_M_HTTP2_PINGS, 1000, 1000},
        {flood_settings, HG_ABUSE_SETTINGS, HG_M_HTTP2_SETTINGS, 49, 49},
        {flood_priorities, HG_ABUSE_PRIORITIES, HG_M_HTTP2_PRIORITIES, 500, 500},
        {flood_windows, HG_ABUSE_WINDOWS, HG_M_HTTP2_WINDOWS, 990, 1000},
        {flood_empty_data, HG_ABUSE_EMPTY, HG_M_HTTP2_EMPTY, 100, 100},
        {flood_continuations, HG_ABUSE_CONTINUATIONS, HG_M_HTTP2_CONTINUATIONS, 8, 9},
        {flood_header_block, HG_ABUSE_HEADER_BLOCK, HG_M_HTTP2_HEADER_BLOCK, 4, 4},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++) {
        uint64_t before = hg_counter_total(rows[i].counter);
        int rounds = 0;

        peer_fini(&peer);
        peer_init(&peer, NULL);
        peer_pump(&peer);
        for (; rounds < 2000 && !fake_conn_is_closed(&peer.fake); rounds++)
            rows[i].flood(rounds);
        if (rounds - 1 < rows[i].least || rounds - 1 > rows[i].most)
            fail_msg("%s: %d rounds passed", abuse_name(rows[i].kind), rounds - 1);
        assert_int_equal(peer.fake.faults[HG_FAULT_ABUSE], 1);
        assert_string_equal(peer.fake.last_detail, abuse_name(rows[i].kind));
        assert_int_equal(hg_counter_total(rows[i].counter), before + 1);
        expect_goaway_at_the_end(NGHTTP2_ENHANCE_YOUR_CALM);
        /* Every request that was handed over has ended. */
        assert_int_equal(peer.seen_count, peer.aborts + peer.dones);
    }
}

static void test_resets_after_answers_are_forgiven(void **state)
{
    (void)state;
    for (int i = 0; i < 240; i++) {
        int32_t id;

        /* Two answers taken for each that is not: no reason to end the connection. */
        peer.answers_at_once = false;
        id = peer_get(&peer, "/");
        assert_int_equal(
            nghttp2_submit_rst_stream(peer.client, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL), 0);
        peer_pump(&peer);
        peer.answers_at_once = true;
        (void)peer_get(&peer, "/");
        assert_false(fake_conn_is_closed(&peer.fake));
    }
    assert_int_equal(peer.aborts, 240);
    assert_int_equal(peer.dones, 240);
}

static void test_not_http2_at_all(void **state)
{
    (void)state;
    peer_fini(&peer);
    peer_init(&peer, NULL);
    peer_send_raw(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27);
    assert_true(fake_conn_is_closed(&peer.fake));
    assert_int_equal(peer.fake.faults[HG_FAULT_MALFORMED], 1);
}

/* ---- time ---- */

static void test_slow_head(void **state)
{
    (void)state;
    /* A header block of which one frame came, and a little of the next now and then. */
    peer_send_frame(&peer, NGHTTP2_HEADERS, 0, 1, "\x82", 1);
    for (int i = 0; i < 9; i += 3) {
        fake_conn_pass_ms(&peer.fake, 3000);
        peer_send_raw(&peer, &"\0\0\20\11\0\0\0\0\1"[i], 3);
        assert_false(fake_conn_is_closed(&peer.fake));
    }
    fake_conn_pass_ms(&peer.fake, 999);
    assert_false(fake_conn_is_closed(&peer.fake));
    fake_conn_pass_ms(&peer.fake, 1);
    assert_true(fake_conn_is_closed(&peer.fake));
    assert_int_equal(peer.fake.faults[HG_FAULT_SLOW_HEAD], 1);
}

static void test_slow_preface(void **state)
{
    (void)state;
    peer_fini(&peer);
    peer_init(&peer, NULL);
    peer_send_raw(&peer, "PRI * HT", 8);
    fake_conn_pass_ms(&peer.fake, 9999);
    assert_false(fake_conn_is_closed(&peer.fake));
    fake_conn_pass_ms(&peer.fake, 1);
    assert_true(fake_conn_is_closed(&peer.fake));
}

static void test_slow_body(void **state)
{
    int32_t slow =
        peer_request(&peer, &(struct peer_request){.body = "x", .body_length = 1, .is_open = true});

    (void)state;
    peer_pump(&peer);
    fake_conn_pass_ms(&peer.fake, 15000);
    peer_send_frame(&peer, NGHTTP2_DATA, 0, slow, "y", 1);
    fake_conn_pass_ms(&peer.fake, 19999);
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, slow)->status, 0);
    fake_conn_pass_ms(&peer.fake, 1);
    peer_pump(&peer);
    expect_fault(slow, 408, HG_FAULT_SLOW_BODY);
    expect_life();
}

static void test_idle_connection_ends(void **state)
{
    (void)state;
    peer.answers_at_once = true;
    fake_conn_pass_ms(&peer.fake, 50000);
    (void)peer_get(&peer, "/");
    fake_conn_pass_ms(&peer.fake, 59999);
    assert_false(fake_conn_is_closed(&peer.fake));
    fake_conn_pass_ms(&peer.fake, 1);
    assert_true(fake_conn_is_closed(&peer.fake));
    (void)nghttp2_session_mem_recv(peer.client, (const uint8_t *)hg_buf_str(&peer.fake.wire).p,
                                   peer.fake.wire.len);
    assert_int_equal(peer.goaways, 1);
    assert_int_equal(peer.goaway_code, NGHTTP2_NO_ERROR);
    assert_int_equal(peer.goaway_ids[0], 1);
}

static void test_waiting_for_the_handler_has_no_limit(void **state)
{
    int32_t id = peer_get(&peer, "/");

    (void)state;
    fake_conn_pass_ms(&peer.fake, 900000);
    assert_int_equal(peer.fake.deadline_us, INT64_MAX);
    peer_respond(&peer, 0, 200, HG_STR("late"));
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, id)->status, 200);
}

static void test_closed_window_of_a_stream(void **state)
{
    int32_t stalled, other;

    (void)state;
    peer_fini(&peer);
    peer_init(&peer, &(struct peer_options){.initial_window = 10, .is_manual = true});
    stalled = peer_get(&peer, "/");
    other = peer_get(&peer, "/");
    peer_respond(&peer, 0, 200, HG_STR("more than ten bytes"));
    peer_pump(&peer);
    fake_conn_pass_ms(&peer.fake, 29999);
    assert_int_equal(peer.dones, 0);
    fake_conn_pass_ms(&peer.fake, 1);
    peer_pump(&peer);
    assert_true(peer_answer(&peer, stalled)->is_closed);
    assert_int_equal(peer_answer(&peer, stalled)->error_code, NGHTTP2_CANCEL);
    assert_int_equal(peer.dones, 1);
    assert_int_equal(peer.done_bytes, 10);
    peer_respond(&peer, 1, 200, HG_STR("fine"));
    peer_pump(&peer);
    assert_str(hg_buf_str(&peer_answer(&peer, other)->body), "fine");
    assert_int_equal(peer.goaways, 0);
}

static void test_closed_window_of_the_session(void **state)
{
    enum { LENGTH = 100000 };
    char *bytes = calloc(1, LENGTH);
    int32_t first, second;

    (void)state;
    peer_fini(&peer);
    peer_init(&peer, &(struct peer_options){.initial_window = 1 << 20, .is_manual = true});
    first = peer_get(&peer, "/");
    second = peer_get(&peer, "/");
    peer_respond(&peer, 0, 200, hg_str_n(bytes, LENGTH));
    peer_respond(&peer, 1, 200, hg_str_n(bytes, LENGTH));
    peer_pump(&peer);
    fake_conn_pass_ms(&peer.fake, 20000);
    /* A little progress of one stream is progress of the session. */
    assert_int_equal(nghttp2_submit_window_update(peer.client, NGHTTP2_FLAG_NONE, 0, 1000), 0);
    peer_pump(&peer);
    fake_conn_pass_ms(&peer.fake, 29999);
    assert_int_equal(peer.dones, 0);
    fake_conn_pass_ms(&peer.fake, 30001);
    peer_pump(&peer);
    assert_int_equal(peer_answer(&peer, first)->error_code, NGHTTP2_CANCEL);
    assert_int_equal(peer_answer(&peer, second)->error_code, NGHTTP2_CANCEL);
    assert_int_equal(peer.dones, 2);
    free(bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_refused_requests),
        TEST(test_connect),
        TEST(test_malformed_messages_are_stream_errors),
        TEST(test_large_headers),
        TEST(test_too_many_headers),
        TEST(test_body_without_length_grows_too_large),
        TEST(test_memory_of_all_bodies_is_bounded),
        TEST(test_too_many_streams),
        TEST(test_floods),
        TEST(test_resets_after_answers_are_forgiven),
        TEST(test_not_http2_at_all),
        TEST(test_slow_head),
        TEST(test_slow_preface),
        TEST(test_slow_body),
        TEST(test_idle_connection_ends),
        TEST(test_waiting_for_the_handler_has_no_limit),
        TEST(test_closed_window_of_a_stream),
        TEST(test_closed_window_of_the_session),
    };
#undef TEST

    return cmocka_run_group_tests(tests, NULL, NULL);
}
