/*
 * Signatures of Amazon's published test suite for Signature Version 4, and of
 * botocore for what the suite does not hold (paths with escapes, S3).
 */
#include "tests/unit/unit.h"

#include "core/crypto.h"
#include "core/sigv4.h"

#include <stdio.h>

static const struct hg_sigv4_credentials example = {
    .access_key = {"AKIDEXAMPLE", 11},
    .secret_key = {"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", 40},
};

static const struct hg_sigv4_header host_only[] = {{{"Host", 4}, {"example.amazonaws.com", 21}}};

static struct hg_sigv4_request vanilla(const char *method, const char *path, const char *query)
{
    return (struct hg_sigv4_request){
        .method = hg_str_of(method),
        .path = hg_str_of(path),
        .query = hg_str_of(query),
        .headers = host_only,
        .header_count = 1,
        .body = HG_STR(""),
        .region = HG_STR("us-east-1"),
        .service = HG_STR("service"),
        .time_ms = 1440938160000, /* 2015-08-30T12:36:00Z */
    };
}

static void expect(const struct hg_sigv4_request *request,
                   const struct hg_sigv4_credentials *credentials, const char *scope,
                   const char *names, const char *signature)
{
    struct hg_sigv4_signed made;
    char line[512];

    assert_true(hg_sigv4_sign(request, credentials, &made));
    assert_string_equal(made.date, "20150830T123600Z");
    (void)snprintf(line, sizeof(line),
                   "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/%s/aws4_request, "
                   "SignedHeaders=%s, Signature=%s",
                   scope, names, signature);
    assert_str(hg_buf_str(&made.authorization), line);
    hg_sigv4_signed_fini(&made);
}

static void expect_vanilla(struct hg_sigv4_request request, const char *signature)
{
    expect(&request, &example, "us-east-1/service", "host;x-amz-date", signature);
}

static void test_suite_paths_and_queries(void **state)
{
    (void)state;
    expect_vanilla(vanilla("GET", "/", ""),
                   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    expect_vanilla(vanilla("GET", "", ""),
                   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    expect_vanilla(vanilla("GET", "/./", ""),
                   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    expect_vanilla(vanilla("GET", "/example/..", ""),
                   "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    expect_vanilla(vanilla("POST", "/", ""),
                   "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    expect_vanilla(vanilla("GET", "/", "Param2=value2&Param1=value1"),
                   "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
    expect_vanilla(vanilla("GET", "/", "Param1=value2&Param1=Value1"),
                   "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1");
    expect_vanilla(vanilla("GET", "/\xe1\x88\xb4", ""),
                   "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
}

static void test_escaped_paths_are_encoded_twice(void **state)
{
    (void)state;
    expect_vanilla(vanilla("GET", "/%E1%88%B4", ""),
                   "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d");
    expect_vanilla(vanilla("GET", "/example1/./../a//b%20c/", ""),
                   "1705f9c9907cc9336c028fd14042434fd8a548f537f7119dc71e9f859bd507f9");
}

static void test_suite_headers_and_bodies(void **state)
{
    const struct hg_sigv4_header form[] = {
        host_only[0], {HG_STR("Content-Type"), HG_STR("application/x-www-form-urlencoded")}};
    const struct hg_sigv4_header trim[] = {host_only[0],
                                           {HG_STR("My-Header1"), HG_STR(" value1")},
                                           {HG_STR("My-Header2"), HG_STR(" \"a   b   c\"")}};
    const struct hg_sigv4_header same[] = {host_only[0],
                                           {HG_STR("My-Header1"), HG_STR("value4")},
                                           {HG_STR("My-Header1"), HG_STR("value1")},
                                           {HG_STR("My-Header1"), HG_STR("value3")},
                                           {HG_STR("My-Header1"), HG_STR("value2")}};
    struct hg_sigv4_request request = vanilla("POST", "/", "");

    (void)state;
    request.headers = form;
    request.header_count = HG_COUNT(form);
    request.body = HG_STR("Param1=value1");
    expect(&request, &example, "us-east-1/service", "content-type;host;x-amz-date",
           "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");

    request = vanilla("GET", "/", "");
    request.headers = trim;
    request.header_count = HG_COUNT(trim);
    expect(&request, &example, "us-east-1/service", "host;my-header1;my-header2;x-amz-date",
           "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");

    request.headers = same;
    request.header_count = HG_COUNT(same);
    expect(&request, &example, "us-east-1/service", "host;my-header1;x-amz-date",
           "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01");
}

static void test_session_token_is_signed(void **state)
{
    const struct hg_sigv4_request request = vanilla("POST", "/", "");
    struct hg_sigv4_credentials temporary = example;

    (void)state;
    temporary.session_token = HG_STR(
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMic"
        "RXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKs"
        "burEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0"
        "iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==");
    expect(&request, &temporary, "us-east-1/service", "host;x-amz-date;x-amz-security-token",
           "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

static void test_s3_takes_the_path_as_it_is(void **state)
{
    const struct hg_sigv4_header headers[] = {
        {HG_STR("host"), HG_STR("bucket.s3.eu-west-1.amazonaws.com")},
        {HG_STR("content-type"), HG_STR("application/json")}};
    struct hg_sigv4_request request = vanilla("PUT", "/a%20b//c/../d~e%2Bf", "");
    struct hg_sigv4_signed made;

    (void)state;
    request.headers = headers;
    request.header_count = HG_COUNT(headers);
    request.body = HG_STR("{\"x\":1}");
    request.region = HG_STR("eu-west-1");
    request.service = HG_STR("s3");
    request.is_s3 = true;
    expect(&request, &example, "eu-west-1/s3", "content-type;host;x-amz-content-sha256;x-amz-date",
           "a6d69e148ca3c980b9b4d50d4bd7b347ee0ff3f3e17c6f1b577a092d1721479f");
    assert_true(hg_sigv4_sign(&request, &example, &made));
    assert_string_equal(made.content_sha256,
                        "5041bf1f713df204784353e82f6a4a535931cb64f1f4b4a5aeaffcb720918b22");
    hg_sigv4_signed_fini(&made);
}

static void test_steps_of_the_published_example(void **state)
{
    const struct hg_sigv4_request request = vanilla("GET", "/", "Param2=value2&Param1=value1");
    struct hg_buf out;

    (void)state;
    hg_buf_init(&out, 4096);
    assert_true(hg_sigv4_canonical(&request, &example, &out));
    assert_str(hg_buf_str(&out),
               "GET\n/\nParam1=value1&Param2=value2\nhost:example.amazonaws.com\n"
               "x-amz-date:20150830T123600Z\n\nhost;x-amz-date\n"
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    hg_buf_clear(&out, 0);
    assert_true(hg_sigv4_string_to_sign(&request, &example, &out));
    assert_str(hg_buf_str(&out),
               "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n"
               "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0");
    hg_buf_fini(&out);
}

static void test_too_much_is_refused(void **state)
{
    struct hg_sigv4_header headers[HG_SIGV4_HEADERS_MAX + 1];
    struct hg_sigv4_request request = vanilla("GET", "/", "");
    struct hg_sigv4_signed made;
    char query[HG_SIGV4_PARAMETERS_MAX * 2 + 3];

    (void)state;
    for (size_t i = 0; i < HG_COUNT(headers); i++)
        headers[i] = host_only[0];
    request.headers = headers;
    request.header_count = HG_COUNT(headers);
    assert_false(hg_sigv4_sign(&request, &example, &made));
    hg_sigv4_signed_fini(&made);

    for (size_t i = 0; i < sizeof(query) - 1; i++)
        query[i] = i % 2 ? '&' : 'a';
    query[sizeof(query) - 1] = '\0';
    request = vanilla("GET", "/", query);
    assert_false(hg_sigv4_sign(&request, &example, &made));
    hg_sigv4_signed_fini(&made);
}

/* RFC 4231, cases 1, 2 and 6. */
static void test_hmac(void **state)
{
    char long_key[131];
    const struct {
        struct hg_str key, text;
        const char *mac;
    } cases[] = {
        {HG_STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
         HG_STR("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {HG_STR("Jefe"), HG_STR("what do ya want for nothing?"),
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {hg_str_n(long_key, sizeof(long_key)),
         HG_STR("Test Using Larger Than Block-Size Key - Hash Key First"),
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };

    (void)state;
    memset(long_key, 0xaa, sizeof(long_key));
    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        unsigned char mac[HG_SHA256_LEN];
        struct hg_buf hex;

        hg_hmac_sha256(cases[i].key, cases[i].text, mac);
        hg_buf_init(&hex, 64);
        assert_true(hg_hex_encode(&hex, mac, sizeof(mac)));
        assert_str(hg_buf_str(&hex), cases[i].mac);
        hg_buf_fini(&hex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suite_paths_and_queries),
        cmocka_unit_test(test_escaped_paths_are_encoded_twice),
        cmocka_unit_test(test_suite_headers_and_bodies),
        cmocka_unit_test(test_session_token_is_signed),
        cmocka_unit_test(test_s3_takes_the_path_as_it_is),
        cmocka_unit_test(test_steps_of_the_published_example),
        cmocka_unit_test(test_too_much_is_refused),
        cmocka_unit_test(test_hmac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
