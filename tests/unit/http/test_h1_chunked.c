/* http/h1_chunked: RFC 9112 §7.1, whole, at every split and byte by byte. */
#include "http/h1_chunked.h"
#include "tests/unit/unit.h"

#include "core/buf.h"

#include <stdlib.h>

enum { ROOM = 64 };

struct decoded {
    struct h1_chunked chunked;
    char trailers[ROOM];
    struct hg_buf body;
    enum h1_result result;
    size_t used;
};

static void feed(struct decoded *d, const char *bytes, size_t length)
{
    char *copy = malloc(length ? length : 1);
    size_t at = 0;

    memcpy(copy, bytes, length);
    while (d->result == H1_MORE && at < length) {
        struct hg_str run;
        size_t used;

        d->result = h1_chunked_feed(&d->chunked, copy + at, length - at, &used, &run);
        (void)hg_buf_append_str(&d->body, run);
        at += used;
    }
    d->used += at;
    free(copy);
}

static void start(struct decoded *d)
{
    *d = (struct decoded){.result = H1_MORE};
    h1_chunked_init(&d->chunked);
    d->chunked.trailer_room = d->trailers;
    d->chunked.trailer_max = ROOM;
    hg_buf_init(&d->body, 1 << 20);
}

static void decode(struct decoded *d, struct hg_str text, size_t cut)
{
    start(d);
    feed(d, text.p, cut);
    feed(d, text.p + cut, text.n - cut);
}

static void assert_bad(struct hg_str text, enum hg_fault fault)
{
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct decoded d;

        decode(&d, text, cut);
        assert_int_equal(d.result, H1_BAD);
        assert_int_equal(d.chunked.fault, fault);
        hg_buf_fini(&d.body);
    }
}

#define BAD(text) assert_bad(HG_STR(text), HG_FAULT_FRAMING)

static void test_body_at_every_split(void **state)
{
    const struct hg_str text = HG_STR(
        "5\r\nhello\r\n1;a;b=c;d=\"e\\\"f;\"\r\n \r\n00B\r\nwide\r\nworld\r\n0\r\nX-A: 1\r\nHost: evil\r\n\r\nGET");

    (void)state;
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct decoded d;
        struct hg_header headers[4];

        decode(&d, text, cut);
        assert_int_equal(d.result, H1_DONE);
        assert_str(hg_buf_str(&d.body), "hello wide\r\nworld");
        assert_int_equal(d.used, text.n - 3);
        assert_int_equal(h1_chunked_trailers(&d.chunked, headers, 4), 1);
        assert_str(headers[0].name, "X-A");
        assert_str(headers[0].value, "1");
        hg_buf_fini(&d.body);
    }
}

static void test_byte_by_byte(void **state)
{
    const struct hg_str text = HG_STR("3\r\nabc\r\n0\r\n\r\n");
    struct decoded d;

    (void)state;
    start(&d);
    for (size_t i = 0; i < text.n; i++) {
        assert_int_equal(d.result, H1_MORE);
        feed(&d, text.p + i, 1);
    }
    assert_int_equal(d.result, H1_DONE);
    assert_str(hg_buf_str(&d.body), "abc");
    hg_buf_fini(&d.body);
}

static void test_sizes_are_strict(void **state)
{
    (void)state;
    BAD("\r\n");
    BAD("x\r\n");
    BAD("-1\r\n");
    BAD("0x1\r\n");
    BAD(" 1\r\na\r\n");
    BAD("1 \r\na\r\n");
    BAD("1\na\r\n");
    BAD("1\rXa\r\n");
    BAD("1\r\nab\r\n");
    BAD("1\r\na\n");
    BAD("1\r\na\rX");
    BAD("1000000000000000\r\n");
    BAD("ffffffffffffffffff\r\n");
    BAD("0000000000000000\r\n");
}

static void test_extensions_are_strict(void **state)
{
    static char long_one[H1_CHUNK_EXTENSIONS_MAX + 16];

    (void)state;
    BAD("1;\r\na\r\n");
    BAD("1;;a\r\n");
    BAD("1; a\r\n");
    BAD("1;a=\r\n");
    BAD("1;a=\"b\r\n");
    BAD("1;a=\"b\"c\r\n");
    BAD("1;a\nb\r\n");
    BAD("1;a\0\r\n");
    memset(long_one, 'a', sizeof(long_one));
    memcpy(long_one, "1;", 2);
    {
        struct decoded d;

        decode(&d, hg_str_n(long_one, sizeof(long_one)), 0);
        assert_int_equal(d.result, H1_BAD);
        hg_buf_fini(&d.body);
    }
}

static void test_trailers_are_strict_and_bounded(void **state)
{
    static char long_one[2 * ROOM] = "0\r\nA: ";

    (void)state;
    BAD("0\r\n A: b\r\n\r\n");
    BAD("0\r\nA : b\r\n\r\n");
    BAD("0\r\nA: b\n\r\n");
    BAD("0\r\nA: b\r\n c\r\n\r\n");
    BAD("0\r\n: b\r\n\r\n");
    BAD("0\r\nA: \x01\r\n\r\n");
    BAD("0\r\n\rX");
    BAD("0\r\n\n");
    memset(long_one + 6, 'a', sizeof(long_one) - 6);
    assert_bad(hg_str_n(long_one, sizeof(long_one)), HG_FAULT_HEADERS_LARGE);
}

static void test_trailers_may_be_dropped(void **state)
{
    struct decoded d;

    (void)state;
    start(&d);
    d.chunked.trailer_room = NULL;
    feed(&d, "0\r\nA: b\r\n\r\n", 11);
    assert_int_equal(d.result, H1_DONE);
    assert_int_equal(h1_chunked_trailers(&d.chunked, NULL, 0), 0);
    hg_buf_fini(&d.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_at_every_split),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_sizes_are_strict),
        cmocka_unit_test(test_extensions_are_strict),
        cmocka_unit_test(test_trailers_are_strict_and_bounded),
        cmocka_unit_test(test_trailers_may_be_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
