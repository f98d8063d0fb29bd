/*
 * Every row of the response contracts (apigw-proxy-integration.md §4, §5).
 */
#include "tests/unit/unit.h"

#include "gateway/binary.h"
#include "gateway/response.h"

struct row {
    const char *document;
    int status; /* 0: malformed; -1: bad base64 */
    const char *body, *content_type;
};

static void check(enum hg_contract contract, bool may_decode, const struct row *row)
{
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    struct hg_answer answer;
    enum hg_answer_verdict verdict =
        response_parse(hg_str_of(row->document), contract, may_decode, arena, &answer);
    enum hg_answer_verdict expected = row->status > 0    ? HG_VERDICT_OK
                                      : row->status == 0 ? HG_VERDICT_MALFORMED
                                                         : HG_VERDICT_BAD_BASE64;

    if (verdict != expected)
        fail_msg("%s: verdict %d", row->document, (int)verdict);
    if (verdict == HG_VERDICT_OK) {
        assert_int_equal(answer.status, row->status);
        assert_str(answer.body, row->body);
        if (row->content_type) {
            assert_true(
                hg_str_is_nocase(answer.headers[answer.header_count - 1].name, "content-type"));
            assert_str(answer.headers[answer.header_count - 1].value, row->content_type);
        }
        hg_blob_unref(answer.holder);
    }
    hg_arena_free(arena);
}

#define JSON "application/json"
#define PLAIN "text/plain; charset=utf-8"

static void rest_rows(void **state)
{
    static const struct row rows[] = {
        {"{}", 200, "", JSON},
        {"{\"headers\":{\"a\":\"b\"}}", 200, "", JSON},
        {"{\"statusCode\":200}", 200, "", JSON},
        {"{\"statusCode\":200,\"headers\":null}", 200, "", JSON},
        {"{\"statusCode\":200,\"multiValueHeaders\":null,\"body\":null}", 200, "", JSON},
        {"{\"statusCode\":200,\"headers\":{\"x\":true}}", 200, "", JSON},
        {"{\"statusCode\":200,\"wrongValue\":\"v\"}", 0, NULL, NULL},
        {"{\"statusCode\":\"201\"}", 201, "", JSON},
        {"{\"statusCode\":\"test\"}", 0, NULL, NULL},
        {"\"just a string\"", 0, NULL, NULL},
        {"{\"multiValueHeaders\":{\"x\":\"v\"}}", 0, NULL, NULL},
        {"null", 0, NULL, NULL},
        {"[]", 0, NULL, NULL},
        {"3", 0, NULL, NULL},
        {"true", 0, NULL, NULL},
        {"{\"errorMessage\":\"x\",\"errorType\":\"E\"}", 0, NULL, NULL},
        {"{\"headers\":{\"a\":1}}", 0, NULL, NULL},
        {"{\"headers\":{\"a\":{}}}", 0, NULL, NULL},
        {"{\"headers\":{\"a\":[\"b\"]}}", 0, NULL, NULL},
        {"{\"headers\":\"a\"}", 0, NULL, NULL},
        {"{\"body\":{\"a\":1}}", 0, NULL, NULL},
        {"{\"body\":3}", 0, NULL, NULL},
        {"{\"statusCode\":99}", 0, NULL, NULL},
        {"{\"statusCode\":600}", 0, NULL, NULL},
        {"{\"statusCode\":599}", 599, "", JSON},
        {"{\"statusCode\":101}", 0, NULL, NULL},
        {"{\"statusCode\":200.5}", 0, NULL, NULL},
        {"{\"cookies\":[\"a=1\"]}", 0, NULL, NULL},
        {"{\"body\":\"gr\xc3\xbcn\"}", 200, "gr\xc3\xbcn", JSON},
        {"{\"body\":\"a\\u00e4\\ud83d\\ude00\\n\\/\"}", 200, "a\xc3\xa4\xf0\x9f\x98\x80\n/", JSON},
        {"{\"headers\":{\"bad name\":\"v\"}}", 0, NULL, NULL},
        {"{\"headers\":{\"\":\"v\"}}", 0, NULL, NULL},
        {"{\"headers\":{\"a\":\"v\\r\\nSet-Cookie: evil=1\"}}", 0, NULL, NULL},
        {"{\"headers\":{\"a\":\"v\\nb\"}}", 0, NULL, NULL},
        {"{\"headers\":{\"a\":\"\\u0000\"}}", 0, NULL, NULL},
        {"", 0, NULL, NULL},
        {"{", 0, NULL, NULL},
        {"{}x", 0, NULL, NULL},
        {"\xff\xfe", 0, NULL, NULL},
        {"{\"statusCode\":200,}", 0, NULL, NULL},
        {"{\"body\":\"AAH/\",\"isBase64Encoded\":true}", 200, "AAH/", JSON},
        {"{\"body\":\"AAH/\",\"isBase64Encoded\":false}", 200, "AAH/", JSON},
        {"{\"body\":\"***\",\"isBase64Encoded\":true}", 200, "***", JSON},
        {"{\"isBase64Encoded\":1}", 0, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        check(HG_CONTRACT_REST, false, &rows[i]);
}

static void rest_rows_with_binary_accept(void **state)
{
    static const struct row rows[] = {
        {"{\"body\":\"aGk=\",\"isBase64Encoded\":true}", 200, "hi", JSON},
        {"{\"body\":\"aGk\\u003d\",\"isBase64Encoded\":true}", 200, "hi", JSON},
        {"{\"body\":\"aGk=\",\"isBase64Encoded\":false}", 200, "aGk=", JSON},
        {"{\"body\":\"aGk=\"}", 200, "aGk=", JSON},
        {"{\"body\":\"***\",\"isBase64Encoded\":true}", -1, NULL, NULL},
        {"{\"body\":null,\"isBase64Encoded\":true}", 200, "", JSON},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        check(HG_CONTRACT_REST, true, &rows[i]);
}

static void http_v2_rows(void **state)
{
    static const struct row rows[] = {
        {"\"hello\"", 200, "hello", JSON},
        {" { \"hello\" : \"wo rld\" } ", 200, "{\"hello\":\"wo rld\"}", JSON},
        {"[\"hello\", 3, true]", 200, "[\"hello\",3,true]", JSON},
        {"3", 200, "3", JSON},
        {"3.1", 200, "3.1", JSON},
        {"true", 200, "true", JSON},
        {"null", 200, "null", JSON},
        {"{\"body\":\"x\",\"headers\":{\"a\":\"b\"}}", 200,
         "{\"body\":\"x\",\"headers\":{\"a\":\"b\"}}", JSON},
        {"{\"statusCode\":201,\"body\":\"hello\"}", 201, "hello", PLAIN},
        {"{\"statusCode\":\"202\"}", 202, "", PLAIN},
        {"{\"statusCode\":200,\"body\":\"{\\\"hello\\\": \\\"world\\\"}\"}", 200,
         "{\"hello\": \"world\"}", PLAIN},
        {"{\"statusCode\":200,\"other\":1,\"body\":\"x\"}", 200, "x", PLAIN},
        {"{\"statusCode\":200,\"body\":{\"a\": 1}}", 200, "{\"a\":1}", PLAIN},
        {"{\"statusCode\":200,\"body\":\"aGk=\",\"isBase64Encoded\":true}", 200, "hi", PLAIN},
        {"{\"statusCode\":200,\"body\":\"***\",\"isBase64Encoded\":true}", -1, NULL, NULL},
        {"{\"statusCode\":200,\"headers\":{\"x\":3}}", 200, "", PLAIN},
        {"{\"statusCode\":200,\"multiValueHeaders\":5}", 200, "", PLAIN},
        {"{\"statusCode\":\"test\"}", 0, NULL, NULL},
        {"{\"statusCode\":99}", 0, NULL, NULL},
        {"{\"statusCode\":1000}", 0, NULL, NULL},
        {"{\"statusCode\":null}", 0, NULL, NULL},
        {"{\"statusCode\":200,\"headers\":{\"a\":\"x\\r\\ny: z\"}}", 0, NULL, NULL},
        {"{\"statusCode\":200,\"cookies\":\"a=1\"}", 0, NULL, NULL},
        {"{\"statusCode\":200,\"cookies\":[\"a=1\\nb\"]}", 0, NULL, NULL},
        {"{", 0, NULL, NULL},
        {"", 0, NULL, NULL},
        {"\xff", 0, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        check(HG_CONTRACT_HTTP_V2, false, &rows[i]);
}

static void http_v1_rows(void **state)
{
    static const struct row rows[] = {
        {"{\"statusCode\":201,\"body\":\"x\"}", 201, "x", PLAIN},
        {"{\"body\":\"x\"}", 0, NULL, NULL},
        {"\"x\"", 0, NULL, NULL},
        {"{\"statusCode\":200,\"body\":\"aGk=\",\"isBase64Encoded\":true}", 200, "hi", PLAIN},
        {"{\"statusCode\":200,\"other\":1}", 200, "", PLAIN},
        {"{\"statusCode\":200,\"body\":{}}", 0, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        check(HG_CONTRACT_HTTP_V1, false, &rows[i]);
}

/* The headers of an answer as "name: value" lines. */
static void assert_headers(enum hg_contract contract, const char *document, const char *expected)
{
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    struct hg_answer answer;
    struct hg_buf lines;

    hg_buf_init(&lines, 1 << 16);
    assert_int_equal(response_parse(hg_str_of(document), contract, false, arena, &answer),
                     HG_VERDICT_OK);
    for (size_t i = 0; i < answer.header_count; i++)
        hg_buf_printf(&lines, "%.*s: %.*s\n", HG_STR_ARG(answer.headers[i].name),
                      HG_STR_ARG(answer.headers[i].value));
    assert_str(hg_buf_str(&lines), expected);
    hg_buf_fini(&lines);
    hg_blob_unref(answer.holder);
    hg_arena_free(arena);
}

static void headers_are_merged(void **state)
{
    (void)state;
    assert_headers(
        HG_CONTRACT_REST,
        "{\"multiValueHeaders\":{\"tesT-Multi\":[\"value-multi\"],\"Set-Cookie\":[\"a=1\",\"b=2\"]},"
        "\"headers\":{\"x\":\"1\",\"test-multi\":\"value-solo\",\"content-type\":\"text/html\"}}",
        "tesT-Multi: value-multi\ntesT-Multi: value-solo\nSet-Cookie: a=1\nSet-Cookie: b=2\nx: 1\n"
        "content-type: text/html\n");
    assert_headers(
        HG_CONTRACT_HTTP_V1,
        "{\"statusCode\":200,\"multiValueHeaders\":{\"x-m\":[\"1\",\"2\"]},\"headers\":{\"X-M\":\"3\"}}",
        "x-m: 1\nx-m: 2\nx-m: 3\nContent-Type: text/plain; charset=utf-8\n");
    assert_headers(
        HG_CONTRACT_HTTP_V2,
        "{\"statusCode\":200,\"headers\":{\"x-n\":3,\"x-b\":false},\"cookies\":[\"a=1; HttpOnly\",\"b=2\"],"
        "\"multiValueHeaders\":{\"x-n\":[\"4\"]}}",
        "x-n: 3\nx-b: false\nset-cookie: a=1; HttpOnly\nset-cookie: b=2\n"
        "Content-Type: text/plain; charset=utf-8\n");
}

static void protected_headers_are_renamed(void **state)
{
    static const char *const renamed[] = {"Connection",
                                          "Content-Length",
                                          "Date",
                                          "Server",
                                          "Host",
                                          "Authorization",
                                          "User-Agent",
                                          "WWW-Authenticate",
                                          "Content-MD5",
                                          "Max-Forwards",
                                          "x-amzn-RequestId"};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(renamed); i++) {
        char document[128], expected[128];

        (void)snprintf(document, sizeof(document), "{\"headers\":{\"%s\":\"17\"}}", renamed[i]);
        (void)snprintf(expected, sizeof(expected),
                       "x-amzn-Remapped-%s: 17\nContent-Type: application/json\n", renamed[i]);
        assert_headers(HG_CONTRACT_REST, document, expected);
    }
    assert_headers(HG_CONTRACT_REST,
                   "{\"headers\":{\"transfer-encoding\":\"chunked\",\"Accept\":\"a\"}}",
                   "Accept: a\nContent-Type: application/json\n");
    assert_headers(
        HG_CONTRACT_HTTP_V2,
        "{\"statusCode\":200,\"headers\":{\"Transfer-Encoding\":\"chunked\",\"Connection\":\"close\","
        "\"Keep-Alive\":\"x\",\"Content-Length\":\"99\",\"WWW-Authenticate\":\"w\"}}",
        "WWW-Authenticate: w\nContent-Type: text/plain; charset=utf-8\n");
}

static void too_many_headers_are_malformed(void **state)
{
    struct hg_arena *arena = hg_arena_new(HG_REQUEST_ARENA_MAX);
    struct hg_answer answer;
    struct hg_buf document;

    (void)state;
    hg_buf_init(&document, 1 << 20);
    hg_buf_append_cstr(&document, "{\"headers\":{");
    for (int i = 0; i <= HG_ANSWER_HEADERS_MAX; i++)
        hg_buf_printf(&document, "%s\"h%d\":\"v\"", i ? "," : "", i);
    hg_buf_append_cstr(&document, "}}");
    assert_int_equal(response_parse(hg_buf_str(&document), HG_CONTRACT_REST, false, arena, &answer),
                     HG_VERDICT_MALFORMED);
    hg_buf_fini(&document);
    hg_arena_free(arena);
}

/* §4.2: the recorded matrix of Accept values. */
static void accept_matrix(void **state)
{
    static const struct hg_str types[] = {{"image/png", 9}, {"application/*", 13}, {"*/test", 6}};
    static const struct hg_str all[] = {{"*/*", 3}};
    static const struct {
        const char *accept;
        bool is_binary;
    } rows[] = {
        {"image/png", true},
        {"image/png; q=1", true},
        {"image/png,text/html", true},
        {"text/html,image/png", false},
        {"*/*", false},
        {"image/*", false},
        {"application/test", true},
        {"application/*", true},
        {"other/test", false},
        {"", false},
        {"application", false},
        {"application/", false},
        {"IMAGE/PNG", true},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(rows); i++)
        assert_int_equal(binary_matches(types, HG_COUNT(types), hg_str_of(rows[i].accept)),
                         rows[i].is_binary);
    assert_true(binary_matches(all, 1, HG_STR("x/y")));
    assert_true(binary_matches(all, 1, HG_STR("*/*")));
    assert_false(binary_matches(NULL, 0, HG_STR("x/y")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rest_rows),
        cmocka_unit_test(rest_rows_with_binary_accept),
        cmocka_unit_test(http_v2_rows),
        cmocka_unit_test(http_v1_rows),
        cmocka_unit_test(headers_are_merged),
        cmocka_unit_test(protected_headers_are_renamed),
        cmocka_unit_test(too_many_headers_are_malformed),
        cmocka_unit_test(accept_matrix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
