/* One event: put, leased, settled with each verdict; its bytes, its keys. */
#include "core/clock.h"
#include "tests/contract/queue/suite.h"

#include <stdlib.h>
#include <string.h>

static void test_put_lease_finish(void **state)
{
    const char *function = fresh_function("finish");
    struct hg_list none;
    struct hg_event *event = new_event(function, "{\"n\":1}");
    int64_t accepted_ms = event->accepted_ms;
    char id[HG_UUID_LEN + 1];

    (void)state;
    memcpy(id, event->id, sizeof(id));
    memcpy(event->qualifier, "live", 5);
    memcpy(event->trace_id, "Root=1-2-3", 11);
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);

    event = lease_one(function, "");
    assert_string_equal(event->id, id);
    assert_string_equal(event->function, function);
    assert_string_equal(event->qualifier, "live");
    assert_string_equal(event->trace_id, "Root=1-2-3");
    assert_str(hg_blob_str(event->payload), "{\"n\":1}");
    assert_null(event->result);
    assert_int_equal(event->accepted_ms, accepted_ms);
    assert_int_equal(event->tries, 0);
    assert_int_equal(event->deliveries, 0);
    assert_int_equal(event->current_target, -1);

    /* Hidden while it is leased. */
    hg_list_init(&none);
    assert_int_equal(lease_once(function, "", 10, &none), 0);
    hg_event_free(find_state(id, HG_EVENT_RUNNING));

    event->tries = 1;
    event->condition = HG_CONDITION_SUCCESS;
    memcpy(event->executed_version, "7", 2);
    event->result = hg_blob_new("\"done\"", 6);
    settle_ok(event, HG_FINISH);
    assert_int_equal(lease_once(function, "", 10, &none), 0);

    event = find_state(id, HG_EVENT_DELIVERED);
    assert_int_equal(event->tries, 1);
    assert_int_equal(event->condition, HG_CONDITION_SUCCESS);
    assert_string_equal(event->executed_version, "7");
    assert_true(event->finished_ms >= accepted_ms);
    assert_str(hg_blob_str(event->payload), "{\"n\":1}");
    assert_str(hg_blob_str(event->result), "\"done\"");
    hg_event_free(event);
}

static void test_queued_is_found(void **state)
{
    const char *function = fresh_function("queued");
    char id[HG_UUID_LEN + 1];
    struct hg_event *event;

    (void)state;
    put_ok(function, "[]", id);
    event = find_state(id, HG_EVENT_QUEUED);
    assert_string_equal(event->function, function);
    assert_str(hg_blob_str(event->payload), "[]");
    hg_event_free(event);
    drain(function, 1);
}

static void test_requeue_keeps_its_life(void **state)
{
    const char *function = fresh_function("requeue");
    struct hg_event_attempt attempt = {
        .started_ms = 1000, .duration_ms = 20, .outcome = HG_ATTEMPT_FUNCTION_ERROR};
    struct hg_event *event;
    char id[HG_UUID_LEN + 1];

    (void)state;
    put_ok(function, "{}", id);
    event = lease_one(function, "");
    memcpy(attempt.error, "no stock", 9);
    hg_event_note_attempt(event, &attempt);
    event->tries = 1;
    event->backoff_s = 4;
    event->has_function_error = true;
    event->result = hg_blob_new("{\"errorMessage\":\"no stock\"}", 27);
    event->due_ms = hg_steady_ms();
    settle_ok(event, HG_REQUEUE);

    event = lease_one(function, "");
    assert_string_equal(event->id, id);
    assert_int_equal(event->tries, 1);
    assert_int_equal(event->backoff_s, 4);
    assert_true(event->has_function_error);
    assert_int_equal(event->attempt_count, 1);
    assert_string_equal(event->attempts[0].error, "no stock");
    assert_int_equal(event->attempts[0].duration_ms, 20);
    assert_str(hg_blob_str(event->result), "{\"errorMessage\":\"no stock\"}");
    assert_str(hg_blob_str(event->payload), "{}");

    /* The result of the last run replaces the former one; none removes it. */
    hg_blob_unref(event->result);
    event->result = NULL;
    event->due_ms = hg_steady_ms();
    settle_ok(event, HG_REQUEUE);
    event = lease_one(function, "");
    assert_null(event->result);
    settle_ok(event, HG_FINISH);
}

static void test_delay_is_kept(void **state)
{
    const char *function = fresh_function("delay");
    struct hg_list events;
    struct hg_event *event;
    int64_t due_ms;

    (void)state;
    put_ok(function, "{}", NULL);
    event = lease_one(function, "");
    due_ms = event->due_ms = hg_steady_ms() + 1500;
    settle_ok(event, HG_REQUEUE);
    hg_list_init(&events);
    assert_int_equal(lease_once(function, "", 1, &events), 0);
    event = lease_one(function, "");
    assert_true(hg_steady_ms() >= due_ms);
    assert_int_equal(event->due_ms, due_ms);
    settle_ok(event, HG_FINISH);
}

static void test_put_with_delay(void **state)
{
    const char *function = fresh_function("later");
    struct hg_event *event = new_event(function, "{}");
    int64_t due_ms = event->due_ms = hg_steady_ms() + 1200;
    struct hg_list events;

    (void)state;
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);
    hg_list_init(&events);
    assert_int_equal(lease_once(function, "", 1, &events), 0);
    event = lease_one(function, "");
    assert_true(hg_steady_ms() >= due_ms);
    settle_ok(event, HG_FINISH);
}

/* Those that are due sooner come first, whatever was settled first. */
static void test_retry_order(void **state)
{
    const char *function = fresh_function("order");
    struct hg_list events;
    struct hg_event *event, *three[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        put_ok(function, i == 0 ? "0" : i == 1 ? "1" : "2", NULL);
    hg_list_init(&events);
    lease_count(function, "", 3, &events);
    for (int i = 0; i < 3; i++) {
        event = pop(&events);
        three[hg_blob_str(event->payload).p[0] - '0'] = event;
    }
    for (int i = 0; i < 3; i++) {
        /* Delays of 3, 2 and 1 seconds. */
        three[i]->due_ms = hg_steady_ms() + 1000 * (3 - i);
        settle_ok(three[i], HG_REQUEUE);
    }
    for (int i = 2; i >= 0; i--) {
        event = lease_one(function, "");
        assert_int_equal(hg_blob_str(event->payload).p[0] - '0', i);
        settle_ok(event, HG_FINISH);
    }
}

static void test_bury(void **state)
{
    const char *function = fresh_function("bury");
    struct hg_list none;
    struct hg_event *event;
    char id[HG_UUID_LEN + 1];

    (void)state;
    put_ok(function, "{}", id);
    event = lease_one(function, "");
    event->condition = HG_CONDITION_RETRIES_EXHAUSTED;
    memcpy(event->why, "the queue is gone", 18);
    settle_ok(event, HG_BURY);
    hg_list_init(&none);
    assert_int_equal(lease_once(function, "", 1, &none), 0);
    event = find_state(id, HG_EVENT_DEAD);
    assert_string_equal(event->why, "the queue is gone");
    assert_int_equal(event->condition, HG_CONDITION_RETRIES_EXHAUSTED);
    hg_event_free(event);
}

static void test_record_lane(void **state)
{
    const char *function = fresh_function("record"), *uri = "arn:aws:sqs:us-east-1:000:failed";
    struct hg_list none;
    struct hg_event *event;
    char id[HG_UUID_LEN + 1];

    (void)state;
    put_ok(function, "{}", id);
    event = lease_one(function, "");
    event->targets = calloc(1, sizeof(*event->targets));
    event->target_count = 1;
    memcpy(event->targets[0].uri, uri, strlen(uri) + 1);
    event->targets[0].role = HG_TARGET_ON_FAILURE;
    event->current_target = 0;
    event->condition = HG_CONDITION_RETRIES_EXHAUSTED;
    event->due_ms = hg_steady_ms();
    settle_ok(event, HG_REQUEUE);

    /* It waits for its target now, and no longer to run. */
    event = lease_one(function, uri);
    assert_string_equal(event->id, id);
    assert_int_equal(event->target_count, 1);
    assert_string_equal(hg_event_channel(event), uri);
    hg_list_init(&none);
    assert_int_equal(lease_once(function, "", 1, &none), 0);
    event->targets[0].state = HG_TARGET_DONE;
    memcpy(event->targets[0].receipt, "message-1", 10);
    settle_ok(event, HG_FINISH);
    event = find_state(id, HG_EVENT_DELIVERED);
    assert_int_equal(event->targets[0].state, HG_TARGET_DONE);
    assert_string_equal(event->targets[0].receipt, "message-1");
    hg_event_free(event);
}

static void test_same_id_is_stored_once(void **state)
{
    const char *function = fresh_function("same-id");
    struct hg_event *event = new_event(function, "{}");
    struct hg_list none;

    (void)state;
    assert_int_equal(put(event), HG_OK);
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);
    event = lease_one(function, "");
    hg_list_init(&none);
    assert_int_equal(lease_once(function, "", 5, &none), 0);
    settle_ok(event, HG_FINISH);
    wait_a_little();
    assert_int_equal(lease_once(function, "", 5, &none), 0);
}

static void test_dedup_key(void **state)
{
    const char *function = fresh_function("dedup"), *other = fresh_function("dedup-other");
    struct hg_event *first = new_event(function, "1"), *second = new_event(function, "2"),
                    *elsewhere = new_event(other, "3"), *leased;
    struct hg_list none;
    char id[HG_UUID_LEN + 1];

    (void)state;
    memcpy(first->dedup, "order-7", 8);
    memcpy(second->dedup, "order-7", 8);
    memcpy(elsewhere->dedup, "order-7", 8);
    memcpy(id, first->id, sizeof(id));
    assert_int_equal(put(first), HG_OK);
    assert_int_equal(put(second), HG_OK);
    assert_string_equal(second->id, id);
    /* Keys are a function's own. */
    assert_int_equal(put(elsewhere), HG_OK);
    assert_true(strcmp(elsewhere->id, id) != 0);
    leased = lease_one(function, "");
    assert_str(hg_blob_str(leased->payload), "1");
    settle_ok(leased, HG_FINISH);
    /* Also when the first is through. */
    hg_event_free(second);
    second = new_event(function, "4");
    memcpy(second->dedup, "order-7", 8);
    assert_int_equal(put(second), HG_OK);
    assert_string_equal(second->id, id);
    hg_list_init(&none);
    assert_int_equal(lease_once(function, "", 5, &none), 0);
    drain(other, 1);
    hg_event_free(first);
    hg_event_free(second);
    hg_event_free(elsewhere);
}

static void test_large_payload_and_result(void **state)
{
    const char *function = fresh_function("large");
    struct hg_event *event =
        hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(HG_EVENT_PAYLOAD_MAX, 1));
    char id[HG_UUID_LEN + 1];

    (void)state;
    memcpy(id, event->id, sizeof(id));
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);
    event = lease_one(function, "");
    assert_pattern(event->payload, HG_EVENT_PAYLOAD_MAX, 1);
    event->result = pattern_blob(HG_EVENT_RESULT_MAX, 2);
    event->due_ms = hg_steady_ms();
    settle_ok(event, HG_REQUEUE);
    event = lease_one(function, "");
    assert_pattern(event->payload, HG_EVENT_PAYLOAD_MAX, 1);
    assert_pattern(event->result, HG_EVENT_RESULT_MAX, 2);
    settle_ok(event, HG_FINISH);
    event = find_state(id, HG_EVENT_DELIVERED);
    assert_pattern(event->result, HG_EVENT_RESULT_MAX, 2);
    hg_event_free(event);
}

static void test_odd_sizes(void **state)
{
    static const size_t sizes[] = {0, 1, 2019, 2020, 2021, 4040, 4041, 65535, 65536};
    const char *function = fresh_function("sizes");
    struct hg_list events;
    struct hg_event *event;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(sizes); i++) {
        event = hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(sizes[i], 3));
        event->tries = (unsigned)i;
        assert_int_equal(put(event), HG_OK);
        hg_event_free(event);
    }
    hg_list_init(&events);
    lease_count(function, "", HG_COUNT(sizes), &events);
    while ((event = pop(&events))) {
        assert_pattern(event->payload, sizes[event->tries], 3);
        settle_ok(event, HG_FINISH);
    }
}

static void test_longest_names(void **state)
{
    struct hg_event *event = new_event(fresh_function("names"), "{}");
    char function[HG_EVENT_FUNCTION_MAX + 1], uri[HG_EVENT_TARGET_MAX + 1];
    char id[HG_UUID_LEN + 1];

    (void)state;
    memset(function, 'f', sizeof(function) - 1);
    memcpy(function, event->function, strlen(event->function));
    function[HG_EVENT_FUNCTION_MAX] = '\0';
    memset(uri, 'u', sizeof(uri) - 1);
    uri[HG_EVENT_TARGET_MAX] = '\0';
    memcpy(event->function, function, sizeof(function));
    memset(event->dedup, 'd', HG_EVENT_DEDUP_MAX);
    memcpy(id, event->id, sizeof(id));
    assert_int_equal(put(event), HG_OK);
    hg_event_free(event);
    event = lease_one(function, "");
    event->targets = calloc(1, sizeof(*event->targets));
    event->target_count = 1;
    memcpy(event->targets[0].uri, uri, sizeof(uri));
    event->current_target = 0;
    event->due_ms = hg_steady_ms();
    settle_ok(event, HG_REQUEUE);
    event = lease_one(function, uri);
    assert_string_equal(event->id, id);
    assert_int_equal(strlen(event->dedup), HG_EVENT_DEDUP_MAX);
    settle_ok(event, HG_FINISH);
}

const struct CMUnitTest life_tests[LIFE_TESTS] = {
    cmocka_unit_test(test_put_lease_finish),
    cmocka_unit_test(test_queued_is_found),
    cmocka_unit_test(test_requeue_keeps_its_life),
    cmocka_unit_test(test_delay_is_kept),
    cmocka_unit_test(test_put_with_delay),
    cmocka_unit_test(test_retry_order),
    cmocka_unit_test(test_bury),
    cmocka_unit_test(test_record_lane),
    cmocka_unit_test(test_same_id_is_stored_once),
    cmocka_unit_test(test_dedup_key),
    cmocka_unit_test(test_large_payload_and_result),
    cmocka_unit_test(test_odd_sizes),
    cmocka_unit_test(test_longest_names),
};
