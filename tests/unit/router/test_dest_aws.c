/*
 * What needs no service: ARNs, refusals in each protocol's form, the shared
 * credentials file, names made of an event.
 */
#include "router/dest_aws.h"
#include "router/dest_name.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

static void test_arns(void **state)
{
    struct aws_arn arn;

    (void)state;
    assert_true(aws_arn_split(HG_STR("arn:aws-cn:sns:cn-north-1:111122223333:a:b"), &arn));
    assert_str(arn.partition, "aws-cn");
    assert_str(arn.service, "sns");
    assert_str(arn.region, "cn-north-1");
    assert_str(arn.account, "111122223333");
    assert_str(arn.resource, "a:b");
    assert_true(aws_arn_split(HG_STR("arn:aws:s3:::bucket"), &arn));
    assert_str(arn.region, "");
    assert_str(arn.account, "");
    assert_str(arn.resource, "bucket");
    assert_false(aws_arn_split(HG_STR("arn:aws:s3:::"), &arn));
    assert_false(aws_arn_split(HG_STR("arn:aws:s3::bucket"), &arn));
    assert_false(aws_arn_split(HG_STR("arn::s3:::bucket"), &arn));
    assert_false(aws_arn_split(HG_STR("aws:s3:::bucket:x"), &arn));
    assert_true(aws_arn_is_of(HG_STR("arn:aws:sqs:eu-west-1:111122223333:q"), "sqs"));
    assert_false(aws_arn_is_of(HG_STR("arn:aws:sqsx:eu-west-1:111122223333:q"), "sqs"));
}

static void expect_base(const char *target, const char *region, const char *base)
{
    struct hg_dest_context context = {.region = "eu-north-1", .account = "000000000000"};
    struct hg_error err = {""};
    struct hg_dest *dest = dest_new(&context, target, &err);
    const struct aws_peer *peer;

    if (!dest)
        fail_msg("%s: %s", target, err.text);
    peer = dest->state;
    assert_string_equal(peer->region, region);
    assert_string_equal(peer->endpoint.base, base);
    dest_free(dest);
}

static void test_real_endpoints(void **state)
{
    (void)state;
    (void)unsetenv("AWS_ENDPOINT_URL");
    (void)unsetenv("AWS_REGION");
    (void)unsetenv("AWS_DEFAULT_REGION");
    expect_base("arn:aws:sqs:eu-west-1:111122223333:q", "eu-west-1",
                "https://sqs.eu-west-1.amazonaws.com");
    expect_base("arn:aws-cn:sns:cn-north-1:111122223333:t", "cn-north-1",
                "https://sns.cn-north-1.amazonaws.com.cn");
    expect_base("arn:aws-us-gov:events:us-gov-west-1:111122223333:event-bus/b", "us-gov-west-1",
                "https://events.us-gov-west-1.amazonaws.com");
    expect_base("arn:aws:s3:::my-bucket", "eu-north-1",
                "https://my-bucket.s3.eu-north-1.amazonaws.com");
    expect_base("arn:aws:s3:::my.bucket", "eu-north-1", "https://s3.eu-north-1.amazonaws.com");
    (void)setenv("AWS_DEFAULT_REGION", "sa-east-1", 1);
    expect_base("arn:aws:s3:::my-bucket", "sa-east-1",
                "https://my-bucket.s3.sa-east-1.amazonaws.com");
    (void)setenv("AWS_REGION", "ap-south-1", 1);
    expect_base("arn:aws:s3:::my-bucket", "ap-south-1",
                "https://my-bucket.s3.ap-south-1.amazonaws.com");
}

static void test_own_endpoints(void **state)
{
    (void)state;
    (void)setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/", 1);
    (void)setenv("AWS_ENDPOINT_URL_SNS", "https://sns.example/base//", 1);
    expect_base("arn:aws:sqs:eu-west-1:111122223333:q", "eu-west-1", "http://127.0.0.1:4566");
    expect_base("arn:aws:sns:eu-west-1:111122223333:t", "eu-west-1", "https://sns.example/base");
    expect_base("arn:aws:s3:::my-bucket", "ap-south-1", "http://127.0.0.1:4566");
    (void)setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true", 1);
    expect_base("arn:aws:sns:eu-west-1:111122223333:t", "eu-west-1",
                "https://sns.eu-west-1.amazonaws.com");
    (void)unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    (void)unsetenv("AWS_ENDPOINT_URL_SNS");
    (void)unsetenv("AWS_ENDPOINT_URL");
}

static void expect_fault(int status, const char *body, const char *code, const char *message,
                         bool is_final)
{
    struct aws_fault fault;

    aws_fault_read(&fault, status, hg_str_of(body));
    assert_string_equal(fault.code, code);
    assert_string_equal(fault.message, message);
    if (fault.is_final != is_final)
        fail_msg("%d %s: final is %d", status, body, fault.is_final);
    assert_int_not_equal(fault.rc, HG_OK);
}

static void test_json_refusals(void **state)
{
    (void)state;
    expect_fault(
        400, "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"no \\\"q\\\"\"}",
        "QueueDoesNotExist", "no \"q\"", true);
    expect_fault(400, "{\"__type\":\"ThrottlingException:http://x/\",\"Message\":\"slow\"}",
                 "ThrottlingException", "slow", false);
    expect_fault(403, "{\"code\":\"OverLimit\"}", "OverLimit", "", false);
    expect_fault(500, "{}", "", "", false);
    expect_fault(400, "{\"__type\":7}", "", "", true);
    expect_fault(501, "{\"__type\":\"NotImplementedException\"}", "NotImplementedException", "",
                 true);
}

static void test_xml_refusals(void **state)
{
    (void)state;
    expect_fault(403,
                 "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>"
                 "Sender</Type><Code>AuthorizationError</Code><Message>User: x is &quot;not&quot; "
                 "&lt;ok&gt; &amp;lt; &apos;</Message></Error></ErrorResponse>",
                 "AuthorizationError", "User: x is \"not\" <ok> &lt; '", true);
    expect_fault(503, "<Error><Code>SlowDown</Code></Error>", "SlowDown", "", false);
    expect_fault(404, "<Error><Code>NoSuchBucket</Code><Message/></Error>", "NoSuchBucket", "",
                 true);
    expect_fault(429, "busy", "", "", false);
    expect_fault(400, "<Error><Code>Unended", "", "", true);
    expect_fault(400, "<Code><b>x</b></Code>", "", "", true);
    expect_fault(400, "<Code>RequestTimeTooSkewed</Code>", "RequestTimeTooSkewed", "", false);
}

/* A status below 500 with a code that asks for another try is one that callers try again. */
static void test_codes_of_refusals(void **state)
{
    struct aws_fault fault;

    (void)state;
    aws_fault_set(&fault, 403, HG_STR("ExpiredToken"), HG_STR(""));
    assert_true(fault.are_keys_stale && hg_rc_again(fault.rc));
    aws_fault_set(&fault, 404, HG_STR("NotFound"), HG_STR(""));
    assert_int_equal(fault.rc, HG_E_NOT_FOUND);
    aws_fault_set(&fault, 413, HG_STR(""), HG_STR(""));
    assert_true(fault.is_final && fault.rc == HG_E_TOO_LARGE);
}

static void test_long_texts_are_cut(void **state)
{
    struct aws_fault fault;
    char body[2000], text[300];

    (void)state;
    memset(text, 'x', sizeof(text));
    (void)snprintf(body, sizeof(body), "<Code>%.*s</Code><Message>%.*s</Message>", 300, text, 300,
                   text);
    aws_fault_read(&fault, 400, hg_str_of(body));
    assert_int_equal(strlen(fault.code), sizeof(fault.code) - 1);
    assert_int_equal(strlen(fault.message), sizeof(fault.message) - 1);
}

static void test_credentials_file(void **state)
{
    const struct hg_str file = HG_STR("# a comment = x\n"
                                      "[default]\n"
                                      "aws_access_key_id = A\n"
                                      "aws_secret_access_key=s=/+\r\n"
                                      "region = eu-west-1\n"
                                      "\n"
                                      "[ half ]\n"
                                      "aws_access_key_id = B\n"
                                      "[third]\n"
                                      "aws_session_token = t\n"
                                      "aws_secret_access_key = u\n"
                                      "aws_access_key_id = C");
    struct aws_keys keys;

    (void)state;
    assert_true(aws_keys_of_profile(file, "default", &keys));
    assert_string_equal(keys.access_key, "A");
    assert_string_equal(keys.secret_key, "s=/+");
    assert_string_equal(keys.session_token, "");
    assert_true(aws_keys_of_profile(file, "third", &keys));
    assert_string_equal(keys.access_key, "C");
    assert_string_equal(keys.session_token, "t");
    assert_false(aws_keys_of_profile(file, "half", &keys));
    assert_false(aws_keys_of_profile(file, "none", &keys));
    assert_false(aws_keys_of_profile(HG_STR(""), "default", &keys));
    assert_false(aws_keys_of_profile(HG_STR("[]\n[\n]\n=\n= x\n"), "", &keys));
}

static void test_names_of_an_outcome(void **state)
{
    struct hg_event *event = hg_event_new(HG_STR("f"), HG_STR(""), hg_blob_new("{}", 2));
    struct hg_dest_op op = {.event = event, .role = HG_TARGET_ON_FAILURE};
    struct hg_event_attempt attempt = {.started_ms = 1000, .duration_ms = 20, .count = 1};
    char one[HG_UUID_LEN + 1], two[HG_UUID_LEN + 1];

    (void)state;
    event->condition = HG_CONDITION_AGE_EXCEEDED;
    event->accepted_ms = 77;
    assert_int_equal(dest_outcome_ms(event), 77);
    hg_event_note_attempt(event, &attempt);
    assert_int_equal(dest_outcome_ms(event), 1020);
    event->accepted_ms = 5000; /* redriven, and too old at once */
    assert_int_equal(dest_outcome_ms(event), 5000);
    assert_string_equal(dest_condition(&op), "EventAgeExceeded");
    dest_record_uuid(&op, one);
    assert_true(hg_uuid_is_valid(hg_str_of(one)));
    assert_int_equal(one[14], '4');
    dest_record_uuid(&op, two);
    assert_string_equal(one, two);
    op.role = HG_TARGET_DEAD_LETTER;
    assert_string_equal(dest_condition(&op), "DeadLetter");
    dest_record_uuid(&op, two);
    assert_string_not_equal(one, two);
    hg_event_free(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arns),
        cmocka_unit_test(test_real_endpoints),
        cmocka_unit_test(test_own_endpoints),
        cmocka_unit_test(test_json_refusals),
        cmocka_unit_test(test_xml_refusals),
        cmocka_unit_test(test_codes_of_refusals),
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_credentials_file),
        cmocka_unit_test(test_names_of_an_outcome),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
