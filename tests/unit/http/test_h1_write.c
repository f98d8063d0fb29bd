/* http/h1_write and http/request: heads of answers, and the helpers that fill them. */
#include "http/h1_write.h"
#include "tests/unit/unit.h"

static char out[4096];

static struct hg_str written(const struct h1_answer *answer)
{
    size_t room = h1_head_room(answer), length;

    assert_true(room <= sizeof(out));
    length = h1_write_head(out, answer);
    assert_true(length <= room);
    return hg_str_n(out, length);
}

static struct h1_answer answer_of(const struct hg_response *response)
{
    return (struct h1_answer){.response = response,
                              .date = HG_STR("Sun, 06 Nov 1994 08:49:37 GMT"),
                              .is_persistent = true};
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void test_usual_answer(void **state)
{
    struct hg_header headers[] = {{HG_STR("Content-Type"), HG_STR("text/plain")},
                                  {HG_STR("X"), HG_STR("")}};
    struct hg_response response = {
        .status = 200, .headers = headers, .header_count = 2, .body = HG_STR("hello")};
    struct h1_answer answer = answer_of(&response);

    (void)state;
    assert_str(written(&answer), "HTTP/1.1 200 OK\r\n" DATE
                                 "Content-Type: text/plain\r\nX: \r\nContent-Length: 5\r\n\r\n");
    assert_true(h1_has_body(&answer));
    answer.is_head = true;
    assert_str(written(&answer), "HTTP/1.1 200 OK\r\n" DATE
                                 "Content-Type: text/plain\r\nX: \r\nContent-Length: 5\r\n\r\n");
    assert_false(h1_has_body(&answer));
}

static void test_persistence_is_said(void **state)
{
    struct hg_response response = {.status = 404};
    struct h1_answer answer = answer_of(&response);

    (void)state;
    answer.is_1_0 = true;
    assert_str(written(&answer), "HTTP/1.1 404 Not Found\r\n" DATE
                                 "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n");
    answer.is_persistent = false;
    assert_str(written(&answer),
               "HTTP/1.1 404 Not Found\r\n" DATE "Content-Length: 0\r\nConnection: close\r\n\r\n");
}

static void test_answers_without_body(void **state)
{
    struct hg_response response = {.status = 204, .body = HG_STR("not sent")};
    struct h1_answer answer = answer_of(&response);

    (void)state;
    assert_str(written(&answer), "HTTP/1.1 204 No Content\r\n" DATE "\r\n");
    assert_false(h1_has_body(&answer));
    response.status = 304;
    assert_str(written(&answer), "HTTP/1.1 304 Not Modified\r\n" DATE "\r\n");
    assert_false(h1_has_body(&answer));
}

static void test_unknown_status_has_no_reason(void **state)
{
    struct hg_response response = {.status = 299};
    struct h1_answer answer = answer_of(&response);

    (void)state;
    assert_str(written(&answer), "HTTP/1.1 299 \r\n" DATE "Content-Length: 0\r\n\r\n");
}

static void test_handlers_cannot_break_the_head(void **state)
{
    struct hg_header headers[] = {
        {HG_STR("X"), HG_STR("a\r\nEvil: 1\tb\0c")},
        {HG_STR("content-length"), HG_STR("7")},
        {HG_STR("Transfer-Encoding"), HG_STR("chunked")},
        {HG_STR("CONNECTION"), HG_STR("close")},
        {HG_STR("Keep-Alive"), HG_STR("1")},
        {HG_STR("Date"), HG_STR("now")},
        {HG_STR("Upgrade"), HG_STR("x")},
        {HG_STR("Proxy-Connection"), HG_STR("x")},
    };
    struct hg_response response = {
        .status = 200, .headers = headers, .header_count = HG_COUNT(headers)};
    struct h1_answer answer = answer_of(&response);

    (void)state;
    assert_str(written(&answer),
               "HTTP/1.1 200 OK\r\n" DATE "X: a  Evil: 1\tb c\r\nContent-Length: 0\r\n\r\n");
}

static void test_headers_grow(void **state)
{
    struct hg_request req = {.arena = hg_arena_new(1 << 16)};

    (void)state;
    for (int i = 0; i < 20; i++)
        req_add_header(&req, HG_STR("a"), hg_str_of(hg_arena_printf(req.arena, "%d", i)));
    assert_int_equal(req.response.header_count, 20);
    assert_str(req.response.headers[0].value, "0");
    assert_str(req.response.headers[19].value, "19");
    hg_arena_free(req.arena);
}

static void test_header_lookup(void **state)
{
    struct hg_header headers[] = {
        {HG_STR("A"), HG_STR("1")}, {HG_STR("b"), HG_STR("")}, {HG_STR("a"), HG_STR("2")}};
    struct hg_request req = {.headers = headers, .header_count = 3};

    (void)state;
    assert_str(req_header(&req, "a"), "1");
    assert_non_null(req_header(&req, "B").p);
    assert_null(req_header(&req, "c").p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usual_answer),
        cmocka_unit_test(test_persistence_is_said),
        cmocka_unit_test(test_answers_without_body),
        cmocka_unit_test(test_unknown_status_has_no_reason),
        cmocka_unit_test(test_handlers_cannot_break_the_head),
        cmocka_unit_test(test_headers_grow),
        cmocka_unit_test(test_header_lookup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
