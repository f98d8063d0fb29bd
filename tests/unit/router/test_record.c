/*
 * Invocation records and dead-letter attributes, byte by byte (async.md §§4.1 and 5).
 */
#include "tests/unit/unit.h"

#include "router/record.h"

#include <stdio.h>
#include <stdlib.h>

#define ID "7b1c2f6e-7e0e-4e0e-9d0e-0c9a8b7d6e5f"
#define ARN "arn:aws:lambda:eu-west-1:111122223333:function:orders"
#define HEAD(qualifier, condition, count) \
    "{\"version\":\"1.0\",\"timestamp\":\"2026-01-02T03:04:05.678Z\",\"requestContext\":{" \
    "\"requestId\":\"" ID "\",\"functionArn\":\"" ARN ":" qualifier "\"," \
    "\"condition\":\"" condition "\",\"approximateInvokeCount\":" count "},"

static struct hg_blob *blob(const char *text)
{
    return hg_blob_new(text, strlen(text));
}

static struct hg_event *make(enum hg_event_condition condition, unsigned tries, const char *payload)
{
    struct hg_event *event = hg_event_new(HG_STR("orders"), HG_STR(""), blob(payload));

    memcpy(event->id, ID, sizeof(ID));
    event->condition = condition;
    event->tries = tries;
    return event;
}

static void ran(struct hg_event *event, const char *version, const char *result, bool has_failed)
{
    snprintf(event->executed_version, sizeof(event->executed_version), "%s", version);
    event->result = blob(result);
    event->has_function_error = has_failed;
}

static void assert_record(struct hg_event *event, const char *expected)
{
    struct hg_buf out;

    hg_buf_init(&out, HG_RECORD_MAX);
    record_write(event, HG_STR(ARN), 1767323045678, &out);
    assert_false(out.is_overflown);
    assert_str(hg_buf_str(&out), expected);
    hg_buf_fini(&out);
    hg_event_free(event);
}

static void test_failure(void **state)
{
    struct hg_event *event = make(HG_CONDITION_RETRIES_EXHAUSTED, 3, "{\"orderId\":7}");

    (void)state;
    ran(event, "$LATEST",
        "{\"errorMessage\":\"no stock\",\"errorType\":\"StockError\",\"requestId\":\"7b1c\","
        "\"stackTrace\":[\"  File \"]}",
        true);
    assert_record(
        event,
        HEAD(
            "$LATEST", "RetriesExhausted",
            "3") "\"requestPayload\":{\"orderId\":7},"
                 "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\","
                 "\"functionError\":\"Unhandled\"},\"responsePayload\":{\"errorMessage\":\"no stock\","
                 "\"errorType\":\"StockError\",\"requestId\":\"7b1c\",\"stackTrace\":[\"  File \"]}}");
}

static void test_success(void **state)
{
    struct hg_event *event = make(HG_CONDITION_SUCCESS, 1, " { \"a\" : [ 1.50 , \"x  y\" ] }\n");

    (void)state;
    snprintf(event->qualifier, sizeof(event->qualifier), "live");
    ran(event, "7", "{\"ok\": true}", false);
    assert_record(event,
                  HEAD("live", "Success",
                       "1") "\"requestPayload\":{\"a\":[1.50,\"x  y\"]},"
                            "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"7\"},"
                            "\"responsePayload\":{\"ok\":true}}");
}

static void test_nothing_returned(void **state)
{
    struct hg_event *event = make(HG_CONDITION_SUCCESS, 1, "null");

    (void)state;
    ran(event, "$LATEST", "", false);
    assert_record(
        event, HEAD("$LATEST", "Success",
                    "1") "\"requestPayload\":null,"
                         "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\"},"
                         "\"responsePayload\":null}");
}

static void test_result_that_is_no_json(void **state)
{
    struct hg_event *event = make(HG_CONDITION_SUCCESS, 1, "\"caf\xc3\xa9\"");

    (void)state;
    ran(event, "$LATEST", "say \"hi\"\n", false);
    assert_record(
        event, HEAD("$LATEST", "Success",
                    "1") "\"requestPayload\":\"caf\xc3\xa9\","
                         "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"$LATEST\"},"
                         "\"responsePayload\":\"say \\\"hi\\\"\\n\"}");
}

static void test_never_attempted(void **state)
{
    (void)state;
    assert_record(make(HG_CONDITION_ZERO_CONCURRENCY, 0, "{\"n\":0}"),
                  HEAD("$LATEST", "ZeroReservedConcurrency", "0") "\"requestPayload\":{\"n\":0}}");
    assert_record(make(HG_CONDITION_AGE_EXCEEDED, 0, ""),
                  HEAD("$LATEST", "EventAgeExceeded", "0") "\"requestPayload\":{}}");
}

static void test_expired_with_a_last_answer(void **state)
{
    struct hg_event *event = make(HG_CONDITION_AGE_EXCEEDED, 2, "1");

    (void)state;
    ran(event, "3", "{\"errorMessage\":\"x\"}", true);
    assert_record(
        event,
        HEAD("$LATEST", "EventAgeExceeded",
             "2") "\"requestPayload\":1,"
                  "\"responseContext\":{\"statusCode\":200,\"executedVersion\":\"3\","
                  "\"functionError\":\"Unhandled\"},\"responsePayload\":{\"errorMessage\":\"x\"}}");
}

static void assert_error(struct hg_event *event, const char *code, const char *message)
{
    char got_code[HG_ERROR_CODE_MAX], got_message[HG_ERROR_MESSAGE_MAX];

    record_error(event, got_code, got_message);
    assert_string_equal(got_code, code);
    assert_string_equal(got_message, message);
    hg_event_free(event);
}

static void test_dead_letter_attributes(void **state)
{
    struct hg_event *event = make(HG_CONDITION_RETRIES_EXHAUSTED, 3, "{}");

    (void)state;
    ran(event, "$LATEST", "{\"errorMessage\":\"no \\u0073tock\",\"errorType\":\"StockError\"}",
        true);
    assert_error(event, "200", "no stock");
    assert_error(make(HG_CONDITION_ZERO_CONCURRENCY, 0, "{}"), "429", "ZeroReservedConcurrency");
    event = make(HG_CONDITION_AGE_EXCEEDED, 0, "{}");
    hg_event_note_attempt(event, &(struct hg_event_attempt){.outcome = HG_ATTEMPT_THROTTLED,
                                                            .error = "Rate exceeded"});
    assert_error(event, "429", "Rate exceeded");
}

/* 1024 bytes fall into the middle of the two bytes of é. */
static void test_error_message_ends_at_a_character(void **state)
{
    struct hg_event *event = make(HG_CONDITION_RETRIES_EXHAUSTED, 3, "{}");
    char document[2048], expected[1024];
    int at = snprintf(document, sizeof(document), "{\"errorMessage\":\"");

    (void)state;
    memset(document + at, 'a', 1023);
    snprintf(document + at + 1023, sizeof(document) - (size_t)at - 1023, "\xc3\xa9zz\"}");
    memset(expected, 'a', 1023);
    expected[1023] = '\0';
    ran(event, "$LATEST", document, true);
    assert_error(event, "200", expected);
}

static void assert_text(const char *document, size_t size, const char *expected)
{
    char out[64];

    record_error_text(hg_str_of(document), out, size);
    assert_string_equal(out, expected);
}

static void test_error_text(void **state)
{
    (void)state;
    assert_text("{\"errorType\":\"StockError\",\"errorMessage\":\"no stock\"}", 64,
                "StockError: no stock");
    assert_text("{\"errorMessage\":\"no stock\"}", 64, "no stock");
    assert_text("{\"errorType\":\"StockError\"}", 64, "StockError: ");
    assert_text("{\"errorMessage\":\"a\\u0000b\"}", 64, "a b");
    assert_text("{\"errorMessage\":\"caf\xc3\xa9\"}", 5, "caf");
    assert_text("oops", 64, "oops");
    assert_text("{\"errorMessage\":5}", 64, "{\"errorMessage\":5}");
    assert_text("", 64, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_success),
        cmocka_unit_test(test_nothing_returned),
        cmocka_unit_test(test_result_that_is_no_json),
        cmocka_unit_test(test_never_attempted),
        cmocka_unit_test(test_expired_with_a_last_answer),
        cmocka_unit_test(test_dead_letter_attributes),
        cmocka_unit_test(test_error_message_ends_at_a_character),
        cmocka_unit_test(test_error_text),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
