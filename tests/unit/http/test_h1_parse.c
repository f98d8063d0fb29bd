/* http/h1_parse: request line and fields by RFC 9112 §3 and §5, at every split of the input. */
#include "http/h1_parse.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

enum { ROOM = 8, MAX_BYTES = 256 };

struct parsed {
    struct h1_head head;
    struct hg_header headers[ROOM];
    enum h1_result result;
    char *copy; /* exactly as long as the input: AddressSanitizer sees any byte read beyond it */
};

/* Feeds the first cut bytes, then all of them, as a connection does. */
static void parse(struct parsed *p, struct hg_str text, size_t cut)
{
    char *part = malloc(cut ? cut : 1);

    p->copy = malloc(text.n ? text.n : 1);
    memcpy(part, text.p, cut);
    memcpy(p->copy, text.p, text.n);
    p->head = (struct h1_head){.headers = p->headers, .header_room = ROOM, .max_bytes = MAX_BYTES};
    p->result = h1_parse_head(&p->head, part, cut);
    if (p->result != H1_BAD)
        p->result = h1_parse_head(&p->head, p->copy, text.n);
    free(part);
}

static void assert_bad(struct hg_str text, enum hg_fault fault)
{
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct parsed p;

        parse(&p, text, cut);
        assert_int_equal(p.result, H1_BAD);
        assert_int_equal(p.head.fault, fault);
        assert_non_null(p.head.detail);
        free(p.copy);
    }
}

#define BAD(text, fault) assert_bad(HG_STR(text), fault)

static void test_whole_head_at_every_split(void **state)
{
    const struct hg_str text = HG_STR(
        "PATCH /a/b%20c?x=1&y HTTP/1.1\r\nHost: example.com:80\r\nX-Empty:\r\nx-tabs:\t a\tb \t\r\n\r\nbody");

    (void)state;
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct parsed p;

        parse(&p, text, cut);
        assert_int_equal(p.result, H1_DONE);
        assert_str(p.head.method, "PATCH");
        assert_str(p.head.target, "/a/b%20c?x=1&y");
        assert_int_equal(p.head.version, HG_HTTP_1_1);
        assert_int_equal(p.head.length, text.n - 4);
        assert_int_equal(p.head.header_count, 3);
        assert_str(p.headers[0].name, "Host");
        assert_str(p.headers[0].value, "example.com:80");
        assert_str(p.headers[1].name, "X-Empty");
        assert_str(p.headers[1].value, "");
        assert_str(p.headers[2].name, "x-tabs");
        assert_str(p.headers[2].value, "a\tb");
        free(p.copy);
    }
}

static void test_incomplete_head_asks_for_more(void **state)
{
    const struct hg_str text = HG_STR("GET / HTTP/1.0\r\nA: b\r\n\r\n");

    (void)state;
    for (size_t length = 0; length < text.n; length++) {
        struct parsed p;

        parse(&p, hg_str_n(text.p, length), length / 2);
        assert_int_equal(p.result, H1_MORE);
        free(p.copy);
    }
}

static void test_byte_by_byte(void **state)
{
    const struct hg_str text = HG_STR("GET / HTTP/1.0\r\nA: b\r\nC: d\r\n\r\n");
    struct hg_header headers[ROOM];
    struct h1_head head = {.headers = headers, .header_room = ROOM, .max_bytes = MAX_BYTES};

    (void)state;
    for (size_t length = 0; length < text.n; length++)
        assert_int_equal(h1_parse_head(&head, text.p, length), H1_MORE);
    assert_int_equal(h1_parse_head(&head, text.p, text.n), H1_DONE);
    assert_int_equal(head.version, HG_HTTP_1_0);
    assert_int_equal(head.header_count, 2);
    assert_int_equal(head.seen, 0);
}

static void test_one_empty_line_may_come_first(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, HG_STR("\r\nGET / HTTP/1.1\r\n\r\n"), 1);
    assert_int_equal(p.result, H1_DONE);
    assert_int_equal(p.head.length, 20);
    free(p.copy);
    BAD("\r\n\r\nGET / HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("\nGET / HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
}

static void test_request_line_is_strict(void **state)
{
    (void)state;
    BAD(" GET / HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET  / HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /  HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET\t/ HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1 \r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("G(T / HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /a b HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /a#b HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /\x7f HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /\xc3\xa9 HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET /\0 HTTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / http/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/11\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.10\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("\x16\x03\x01", HG_FAULT_MALFORMED);
    BAD("GET / FTP/1.1\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("INVALID CONNECTION PREFACE\r\n\r\n", HG_FAULT_NOT_HTTP);
}

static void test_other_versions(void **state)
{
    (void)state;
    BAD("GET / HTTP/2.0\r\n\r\n", HG_FAULT_VERSION);
    BAD("GET / HTTP/0.9\r\n\r\n", HG_FAULT_VERSION);
    BAD("GET / HTTP/1.2\r\n\r\n", HG_FAULT_VERSION);
    BAD("PRI * HTTP/2.0\r\n\r\n", HG_FAULT_VERSION);
}

static void test_line_ends_are_strict(void **state)
{
    (void)state;
    BAD("GET / HTTP/1.1\nHost: a\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\rHost: a\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nHost: a\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nHost: a\r\n\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nHost: a\r\n\rX", HG_FAULT_MALFORMED);
}

static void test_fields_are_strict(void **state)
{
    (void)state;
    BAD("GET / HTTP/1.1\r\nHost : a\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\n Host: a\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\n: b\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA b: c\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA\xe9: c\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA\0: c\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA: b\x01\r\n\r\n", HG_FAULT_MALFORMED);
    BAD("GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n", HG_FAULT_MALFORMED);
}

static void test_bytes_beyond_ascii_are_values(void **state)
{
    struct parsed p;

    (void)state;
    parse(&p, HG_STR("GET / HTTP/1.1\r\nA: \xc3\xa9\r\n\r\n"), 0);
    assert_int_equal(p.result, H1_DONE);
    assert_str(p.headers[0].value, "\xc3\xa9");
    free(p.copy);
}

/* A head of exactly total bytes whose one header is as long as it takes. */
static char *head_of(size_t total)
{
    static const char start[] = "GET / HTTP/1.1\r\nA: ";
    char *text = malloc(total);

    memset(text, 'x', total);
    memcpy(text, start, sizeof(start) - 1);
    memcpy(text + total - 4, "\r\n\r\n", 4);
    return text;
}

static void test_limits(void **state)
{
    char line[MAX_BYTES + 8], *fits = head_of(MAX_BYTES), *large = head_of(MAX_BYTES + 1);
    struct parsed p;

    (void)state;
    parse(&p, hg_str_n(fits, MAX_BYTES), 0);
    assert_int_equal(p.result, H1_DONE);
    free(p.copy);
    parse(&p, hg_str_n(large, MAX_BYTES + 1), 100);
    assert_int_equal(p.result, H1_BAD);
    assert_int_equal(p.head.fault, HG_FAULT_HEADERS_LARGE);
    free(p.copy);
    memset(line, 'x', sizeof(line));
    memcpy(line, "GET /", 5);
    parse(&p, hg_str_n(line, MAX_BYTES), 10);
    assert_int_equal(p.result, H1_MORE);
    free(p.copy);
    parse(&p, hg_str_n(line, MAX_BYTES + 1), 10);
    assert_int_equal(p.result, H1_BAD);
    assert_int_equal(p.head.fault, HG_FAULT_TARGET_LONG);
    free(p.copy);
    parse(&p, HG_STR("GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n"), 0);
    assert_int_equal(p.result, H1_DONE);
    free(p.copy);
    BAD("GET / HTTP/1.1\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n\r\n",
        HG_FAULT_HEADERS_LARGE);
    free(fits);
    free(large);
}

static void test_fields_alone(void **state)
{
    struct hg_header headers[ROOM];
    struct h1_head head = {.headers = headers, .header_room = ROOM};

    (void)state;
    assert_int_equal(h1_parse_fields(&head, HG_STR("a: 1\r\nb: 2\r\n")), H1_DONE);
    assert_int_equal(head.header_count, 2);
    assert_str(headers[1].value, "2");
    assert_int_equal(h1_parse_fields(&head, HG_STR("a: 1\r\nb: 2")), H1_BAD);
    assert_int_equal(h1_parse_fields(&head, HG_STR("a: 1\r\n b: 2\r\n")), H1_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_head_at_every_split),
        cmocka_unit_test(test_incomplete_head_asks_for_more),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_one_empty_line_may_come_first),
        cmocka_unit_test(test_request_line_is_strict),
        cmocka_unit_test(test_other_versions),
        cmocka_unit_test(test_line_ends_are_strict),
        cmocka_unit_test(test_fields_are_strict),
        cmocka_unit_test(test_bytes_beyond_ascii_are_values),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_fields_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
