/*
 * Signatures as a service looks at them: the examples that Amazon publishes (IAM ListUsers, S3 GetObject, a presigned link, an upload in
 * chunks), and what is refused with which sentence.
 */
#include "core/sigv4_check.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define S3_SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define IAM_SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MISMATCH \
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret " \
    "Access Key and signing method. Consult the service documentation for details."

enum { HEADERS_MAX = 10 };
static const int64_t aug30_2015 = 1440938160000; /* 2015-08-30T12:36:00Z */
static const int64_t may24_2013 = 1369353600000; /* 2013-05-24T00:00:00Z */

struct request {
    struct hg_sigv4_header headers[HEADERS_MAX];
    struct hg_sigv4_received received;
    struct hg_arena *arena;
    struct hg_sigv4_claim claim;
    char why[HG_SIGV4_WHY_MAX];
};

static void add(struct request *request, const char *name, const char *value)
{
    assert_true(request->received.header_count < HEADERS_MAX);
    request->headers[request->received.header_count++] =
        (struct hg_sigv4_header){hg_str_of(name), hg_str_of(value)};
}

static void begin(struct request *request, const char *method, const char *path, const char *query)
{
    memset(request, 0, sizeof(*request));
    request->arena = hg_arena_new(1 << 20);
    request->received = (struct hg_sigv4_received){.method = hg_str_of(method),
                                                   .path = hg_str_of(path),
                                                   .query = hg_str_of(query),
                                                   .headers = request->headers,
                                                   .body = HG_STR("")};
}

static enum hg_sigv4_fault check(struct request *request, const char *secret, int64_t now_ms)
{
    enum hg_sigv4_fault fault =
        hg_sigv4_read(&request->received, request->arena, &request->claim, request->why);

    if (fault == HG_SIGV4_GOOD)
        fault = hg_sigv4_check(&request->received, &request->claim, hg_str_of(secret), now_ms,
                               request->why);
    return fault;
}

static void end(struct request *request)
{
    hg_arena_free(request->arena);
}

#define LIST_USERS \
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " \
    "SignedHeaders=content-type;host;x-amz-date, " \
    "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"

static void list_users(struct request *request, const char *authorization)
{
    begin(request, "GET", "/", "Action=ListUsers&Version=2010-05-08");
    add(request, "Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    add(request, "Host", "iam.amazonaws.com");
    add(request, "X-Amz-Date", "20150830T123600Z");
    if (authorization)
        add(request, "Authorization", authorization);
}

static void test_list_users(void **state)
{
    struct request request;

    (void)state;
    list_users(&request, LIST_USERS);
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015), HG_SIGV4_GOOD);
    assert_str(request.claim.access_key, "AKIDEXAMPLE");
    assert_str(request.claim.region, "us-east-1");
    assert_str(request.claim.service, "iam");
    /* Blanks in and around a value, and the order of the query, do not matter. */
    request.headers[0].value = HG_STR("  application/x-www-form-urlencoded;   charset=utf-8 ");
    request.received.query = HG_STR("Version=2010-05-08&Action=ListUsers");
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015), HG_SIGV4_GOOD);
    /* Fifteen minutes to either side. */
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015 + 15 * 60000), HG_SIGV4_GOOD);
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015 - 15 * 60000), HG_SIGV4_GOOD);
    end(&request);
}

static void expect_wrong(struct request *request, const char *secret)
{
    assert_int_equal(check(request, secret, aug30_2015), HG_SIGV4_WRONG);
    assert_string_equal(request->why, MISMATCH);
}

static void test_what_was_changed_on_the_way(void **state)
{
    struct request request;

    (void)state;
    list_users(&request, LIST_USERS);
    expect_wrong(&request, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEX");
    request.received.method = HG_STR("POST");
    expect_wrong(&request, IAM_SECRET);
    request.received.method = HG_STR("GET");
    request.received.query = HG_STR("Action=ListRoles&Version=2010-05-08");
    expect_wrong(&request, IAM_SECRET);
    request.received.query = HG_STR("Action=ListUsers&Version=2010-05-08");
    request.received.path = HG_STR("/x");
    expect_wrong(&request, IAM_SECRET);
    request.received.path = HG_STR("/");
    request.received.body = HG_STR("x");
    expect_wrong(&request, IAM_SECRET);
    request.received.body = HG_STR("");
    request.headers[1].value = HG_STR("iam.example.com");
    expect_wrong(&request, IAM_SECRET);
    request.headers[1].value = HG_STR("iam.amazonaws.com");
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015), HG_SIGV4_GOOD);
    end(&request);
}

static void test_time(void **state)
{
    struct request request;

    (void)state;
    list_users(&request, LIST_USERS);
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015 + 15 * 60000 + 1000), HG_SIGV4_WRONG);
    assert_string_equal(request.why, "Signature expired: 20150830T123600Z is now earlier than "
                                     "20150830T123601Z (20150830T125101Z - 15 min.)");
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015 - 15 * 60000 - 1000), HG_SIGV4_WRONG);
    assert_string_equal(request.why, "Signature not yet current: 20150830T123600Z is still later "
                                     "than 20150830T123559Z (20150830T122059Z + 15 min.)");
    end(&request);
}

static void expect_refused(const char *authorization, enum hg_sigv4_fault fault, const char *why)
{
    struct request request;

    list_users(&request, authorization);
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015), fault);
    assert_string_equal(request.why, why);
    end(&request);
}

static void test_incomplete_headers(void **state)
{
    (void)state;
    expect_refused(NULL, HG_SIGV4_ABSENT, "Missing Authentication Token");
    expect_refused("Basic dXNlcjpwdw==", HG_SIGV4_INCOMPLETE,
                   "Unsupported AWS 'algorithm': 'Basic'.");
    expect_refused("AWS4-HMAC-SHA256 Credential", HG_SIGV4_INCOMPLETE,
                   "'Credential' not a valid key=value pair (missing equal-sign) in Authorization "
                   "header.");
    /* The hash was computed with openssl. */
    expect_refused("AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request", HG_SIGV4_INCOMPLETE,
                   "Authorization header requires 'Signature' parameter. Authorization header "
                   "requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with "
                   "Base64) Authorization=W0/JXZAEXzFVsLSP0Yfkq8kuYp8PiNyEeOwNf4qHz0I=");
    expect_refused("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1, SignedHeaders=host, "
                   "Signature=00",
                   HG_SIGV4_INCOMPLETE,
                   "Credential must have exactly 5 slash-delimited elements, e.g. "
                   "keyid/date/region/service/term, got 'AKID/20150830/us-east-1'");
    expect_refused("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/iam/aws3_request, "
                   "SignedHeaders=host, Signature=00",
                   HG_SIGV4_WRONG,
                   "Credential should be scoped with a valid terminator: 'aws4_request', not "
                   "'aws3_request'.");
    expect_refused("AWS4-HMAC-SHA256 Credential=AKID/20150829/us-east-1/iam/aws4_request, "
                   "SignedHeaders=host, Signature=00",
                   HG_SIGV4_WRONG,
                   "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                   "from HTTP: '20150829' != '20150830', from '20150830T123600Z'.");
    expect_refused("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/iam/aws4_request, "
                   "SignedHeaders=x-amz-date, Signature=00",
                   HG_SIGV4_WRONG,
                   "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
    expect_refused("AWS4-HMAC-SHA256 Credential=AKID/20150830/us-east-1/iam/aws4_request, "
                   "SignedHeaders=host, Signature=00",
                   HG_SIGV4_WRONG, MISMATCH);
}

static void test_dates(void **state)
{
    struct request request;

    (void)state;
    list_users(&request, LIST_USERS);
    request.headers[2].value = HG_STR("2015-08-30");
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015), HG_SIGV4_INCOMPLETE);
    assert_string_equal(request.why, "Date must be in ISO-8601 'basic format'. Got '2015-08-30'. "
                                     "See http://en.wikipedia.org/wiki/ISO_8601");
    end(&request);
    /* Date instead of X-Amz-Date; the signature is botocore's way with that string to sign. */
    begin(&request, "GET", "/", "");
    add(&request, "Host", "example.amazonaws.com");
    add(&request, "Date", "Sun, 30 Aug 2015 12:36:00 GMT");
    add(&request, "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host, Signature=00");
    assert_int_equal(check(&request, IAM_SECRET, aug30_2015), HG_SIGV4_WRONG);
    assert_string_equal(request.claim.stamp, "20150830T123600Z");
    end(&request);
}

static void get_object(struct request *request)
{
    begin(request, "GET", "/test.txt", "");
    add(request, "Host", "examplebucket.s3.amazonaws.com");
    add(request, "Range", "bytes=0-9");
    add(request, "x-amz-content-sha256", EMPTY_HASH);
    add(request, "x-amz-date", "20130524T000000Z");
    add(request, "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void test_get_object(void **state)
{
    struct request request;

    (void)state;
    get_object(&request);
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_GOOD);
    request.received.body = HG_STR("x");
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_WRONG_BODY);
    request.headers[2].value = HG_STR("STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_INCOMPLETE);
    end(&request);
}

#define LINK_QUERY \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F" \
    "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
#define LINK_SIGNATURE \
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"

static void test_presigned(void **state)
{
    struct request request;

    (void)state;
    begin(&request, "GET", "/test.txt", LINK_QUERY LINK_SIGNATURE);
    add(&request, "Host", "examplebucket.s3.amazonaws.com");
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_GOOD);
    assert_int_equal(check(&request, S3_SECRET, may24_2013 + 86400000), HG_SIGV4_GOOD);
    assert_int_equal(check(&request, S3_SECRET, may24_2013 + 86401000), HG_SIGV4_WRONG);
    assert_string_equal(request.why, "Signature expired: 20130524T000000Z is now earlier than "
                                     "20130524T000001Z (20130525T000001Z - 1440 min.)");
    request.received.path = HG_STR("/other.txt");
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_WRONG);
    request.received.path = HG_STR("/test.txt");
    request.received.query = HG_STR(LINK_QUERY "&x=1" LINK_SIGNATURE);
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_WRONG);
    request.received.query = HG_STR(LINK_QUERY);
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_INCOMPLETE);
    assert_string_equal(request.why, "AWS query-string parameters must include 'X-Amz-Signature'. "
                                     "Re-examine the query-string parameters.");
    request.received.query = HG_STR("X-Amz-Expires=604801&" LINK_QUERY LINK_SIGNATURE);
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_INCOMPLETE);
    end(&request);
}

static struct hg_str chunked_body(struct hg_buf *out, const char *first_signature)
{
    static const struct {
        size_t size;
        const char *signature;
    } chunks[] = {
        {65536, NULL},
        {1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"},
        {0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
    };

    hg_buf_init(out, 1 << 20);
    for (size_t i = 0; i < HG_COUNT(chunks); i++) {
        hg_buf_printf(out, "%zx;chunk-signature=%s\r\n", chunks[i].size,
                      chunks[i].signature ? chunks[i].signature : first_signature);
        for (size_t at = 0; at < chunks[i].size; at++)
            hg_buf_append_byte(out, 'a');
        hg_buf_append_cstr(out, "\r\n");
    }
    return hg_buf_str(out);
}

static void put_chunks(struct request *request)
{
    begin(request, "PUT", "/examplebucket/chunkObject.txt", "");
    add(request, "Host", "s3.amazonaws.com");
    add(request, "x-amz-date", "20130524T000000Z");
    add(request, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    add(request, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    add(request, "Content-Encoding", "aws-chunked");
    add(request, "x-amz-decoded-content-length", "66560");
    add(request, "Content-Length", "66824");
    add(request, "Authorization",
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
        "x-amz-decoded-content-length;x-amz-storage-class,"
        "Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
}

static void test_chunks(void **state)
{
    const char *first = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    const char *wrong = "bd80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    struct hg_buf body, out;
    struct request request;
    struct hg_str text;

    (void)state;
    put_chunks(&request);
    assert_int_equal(check(&request, S3_SECRET, may24_2013), HG_SIGV4_GOOD);
    text = chunked_body(&body, first);
    assert_int_equal(text.n, 66824);
    hg_buf_init(&out, text.n);
    assert_int_equal(hg_sigv4_unchunk(&request.claim, text, &out, request.why), HG_SIGV4_GOOD);
    assert_int_equal(out.len, 66560);
    hg_buf_clear(&out, SIZE_MAX);
    text.n--; /* without the end of the last chunk */
    assert_int_equal(hg_sigv4_unchunk(&request.claim, text, &out, request.why),
                     HG_SIGV4_INCOMPLETE);
    hg_buf_fini(&body);
    hg_buf_clear(&out, SIZE_MAX);
    text = chunked_body(&body, wrong);
    assert_int_equal(hg_sigv4_unchunk(&request.claim, text, &out, request.why), HG_SIGV4_WRONG);
    hg_buf_clear(&out, SIZE_MAX);
    assert_int_equal(hg_sigv4_unchunk(NULL, text, &out, request.why), HG_SIGV4_GOOD);
    assert_int_equal(out.len, 66560);
    hg_buf_fini(&out);
    hg_buf_fini(&body);
    end(&request);
}

static void expect_no_chunks(const char *text)
{
    char why[HG_SIGV4_WHY_MAX];
    struct hg_buf out;

    hg_buf_init(&out, 1 << 10);
    assert_int_equal(hg_sigv4_unchunk(NULL, hg_str_of(text), &out, why), HG_SIGV4_INCOMPLETE);
    hg_buf_fini(&out);
}

static void test_no_chunks(void **state)
{
#define SIGNATURE ";chunk-signature=" EMPTY_HASH
    (void)state;
    expect_no_chunks("");
    expect_no_chunks("5\r\nhello\r\n0\r\n\r\n");
    expect_no_chunks(";chunk-signature=" EMPTY_HASH "\r\n\r\n");
    expect_no_chunks("5;chunk-signature=00\r\nhello\r\n");
    expect_no_chunks("6" SIGNATURE "\r\nhello\r\n");
    expect_no_chunks("4" SIGNATURE "\r\nhello\r\n");
    expect_no_chunks("5" SIGNATURE "\r\nhello\r\n");                           /* no last one */
    expect_no_chunks("0" SIGNATURE "\r\n\r\nx");                               /* more behind it */
    expect_no_chunks("1" SIGNATURE "\r\nx\r\n123456789" SIGNATURE "\r\n\r\n"); /* nine digits */
    expect_no_chunks("ffffffff" SIGNATURE "\r\nx\r\n");
}

static void test_unsigned_payload(void **state)
{
    struct request request;

    (void)state;
    /* The marker takes the hash's place: another signature than that of the body, which then may be any. */
    list_users(&request, LIST_USERS);
    add(&request, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
    expect_wrong(&request, IAM_SECRET);
    end(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_users), cmocka_unit_test(test_what_was_changed_on_the_way),
        cmocka_unit_test(test_time),       cmocka_unit_test(test_incomplete_headers),
        cmocka_unit_test(test_dates),      cmocka_unit_test(test_get_object),
        cmocka_unit_test(test_presigned),  cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_no_chunks),  cmocka_unit_test(test_unsigned_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
