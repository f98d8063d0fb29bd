/* queue/event_code: the stored form of events. */
#include "queue/event.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static const char id[] = "018f0000-0001-7abc-8def-0123456789ab";

static struct hg_event *plain_event(void)
{
    struct hg_event *event = hg_event_new(HG_STR("f"), HG_STR(""), NULL);

    memcpy(event->id, id, sizeof(id));
    event->accepted_ms = event->due_ms = 5;
    return event;
}

static void fill(char *text, size_t size)
{
    memset(text, 'x', size - 1);
    text[size - 1] = '\0';
}

/* Every text as long as it may be, every list as full. */
static struct hg_event *longest_event(void)
{
    struct hg_event *event = plain_event();

    fill(event->function, sizeof(event->function));
    fill(event->qualifier, sizeof(event->qualifier));
    fill(event->dedup, sizeof(event->dedup));
    fill(event->trace_id, sizeof(event->trace_id));
    fill(event->executed_version, sizeof(event->executed_version));
    fill(event->why, sizeof(event->why));
    event->accepted_ms = INT64_MIN;
    event->due_ms = event->finished_ms = INT64_MAX;
    event->tries = event->backoff_s = event->redrives = event->deliveries = UINT32_MAX;
    event->state = HG_EVENT_DEAD;
    event->condition = HG_CONDITION_NO_FUNCTION;
    event->has_function_error = true;
    event->attempt_count = HG_EVENT_ATTEMPTS_KEPT;
    event->attempts = calloc(event->attempt_count, sizeof(*event->attempts));
    for (size_t i = 0; i < event->attempt_count; i++) {
        struct hg_event_attempt *attempt = &event->attempts[i];

        attempt->started_ms = INT64_MAX - (int64_t)i;
        attempt->duration_ms = INT64_MIN;
        attempt->outcome = HG_ATTEMPT_SYSTEM_ERROR;
        attempt->count = UINT32_MAX;
        fill(attempt->error, sizeof(attempt->error));
    }
    event->target_count = HG_EVENT_TARGETS_MAX;
    event->targets = calloc(event->target_count, sizeof(*event->targets));
    for (size_t i = 0; i < event->target_count; i++) {
        struct hg_event_target *target = &event->targets[i];

        fill(target->uri, sizeof(target->uri));
        target->role = HG_TARGET_DEAD_LETTER;
        target->state = HG_TARGET_FAILED;
        target->tries = UINT32_MAX;
        target->due_ms = target->finished_ms = INT64_MAX;
        fill(target->receipt, sizeof(target->receipt));
        fill(target->error, sizeof(target->error));
    }
    event->current_target = 1;
    return event;
}

static void assert_same(const struct hg_event *a, const struct hg_event *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->function, b->function);
    assert_string_equal(a->qualifier, b->qualifier);
    assert_string_equal(a->dedup, b->dedup);
    assert_string_equal(a->trace_id, b->trace_id);
    assert_string_equal(a->executed_version, b->executed_version);
    assert_string_equal(a->why, b->why);
    assert_int_equal(a->accepted_ms, b->accepted_ms);
    assert_int_equal(a->due_ms, b->due_ms);
    assert_int_equal(a->finished_ms, b->finished_ms);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->condition, b->condition);
    assert_int_equal(a->tries, b->tries);
    assert_int_equal(a->backoff_s, b->backoff_s);
    assert_int_equal(a->redrives, b->redrives);
    assert_int_equal(a->deliveries, b->deliveries);
    assert_int_equal(a->has_function_error, b->has_function_error);
    assert_int_equal(a->current_target, b->current_target);
    assert_int_equal(a->attempt_count, b->attempt_count);
    assert_int_equal(a->target_count, b->target_count);
    /* calloc'd on both sides, so the bytes between the fields are zero too. */
    if (a->attempt_count)
        assert_memory_equal(a->attempts, b->attempts, a->attempt_count * sizeof(*a->attempts));
    if (a->target_count)
        assert_memory_equal(a->targets, b->targets, a->target_count * sizeof(*a->targets));
}

static void round_trip(struct hg_event *event)
{
    struct hg_event *back;
    struct hg_error err;
    struct hg_buf bytes;

    hg_buf_init(&bytes, 16384);
    assert_true(hg_event_encode(event, &bytes));
    back = hg_event_decode(hg_buf_str(&bytes), &err);
    assert_non_null(back);
    assert_same(event, back);
    /* Whatever is cut off at the end is noticed, and so is a byte too many. */
    for (size_t n = 0; n < bytes.len; n++)
        assert_null(hg_event_decode(hg_str_n(bytes.base, n), &err));
    assert_true(hg_buf_append_byte(&bytes, 0));
    assert_null(hg_event_decode(hg_buf_str(&bytes), &err));
    hg_buf_fini(&bytes);
    hg_event_free(back);
    hg_event_free(event);
}

static void test_round_trip(void **state)
{
    (void)state;
    round_trip(plain_event());
    round_trip(longest_event());
}

/* Stores outlive programs: these bytes mean this event for ever. */
static void test_fixed_bytes(void **state)
{
    static const unsigned char expected[] = {
        1, /* format */
        0x01, 0x8f, 0,    0,    0,    1, 0x7a, 0xbc, 0x8d, 0xef, 0x01,
        0x23, 0x45, 0x67, 0x89, 0xab, 1, 'f',  0,    0,    0, /* function, qualifier, dedup, trace_id */
        10,                                                   /* accepted_ms 5 */
        0,    0,                                              /* state, condition */
        1,    0,                                              /* due_ms: as accepted */
        0,                                                    /* finished_ms: none */
        0,    0,    0,    0, /* tries, backoff_s, redrives, deliveries */
        0,    0,    0,       /* executed_version, has_function_error, why */
        0,    0,             /* attempts, targets */
        1,                   /* current_target -1 */
    };
    struct hg_event *event = plain_event(), *back;
    struct hg_error err;
    struct hg_buf bytes;

    (void)state;
    hg_buf_init(&bytes, 1024);
    assert_true(hg_event_encode(event, &bytes));
    assert_int_equal(bytes.len, sizeof(expected));
    assert_memory_equal(bytes.base, expected, sizeof(expected));
    back = hg_event_decode(hg_str_n((const char *)expected, sizeof(expected)), &err);
    assert_non_null(back);
    assert_same(event, back);
    hg_event_free(event);
    hg_event_free(back);
    hg_buf_fini(&bytes);
}

static void test_newer_version_is_named(void **state)
{
    static const char newer[] = "\x07 whatever";
    struct hg_error err;

    (void)state;
    assert_null(hg_event_decode(HG_STR(newer), &err));
    assert_non_null(strstr(err.text, "format 7"));
    assert_non_null(strstr(err.text, "newer"));
    assert_null(hg_event_decode(HG_STR(""), &err));
    assert_null(hg_event_decode(hg_str_n("\0", 1), &err));
}

/* Byte by byte, each value: never more than a refusal. */
static void test_changed_bytes(void **state)
{
    struct hg_event *event = plain_event();
    struct hg_buf bytes;

    (void)state;
    hg_buf_init(&bytes, 1024);
    assert_true(hg_event_encode(event, &bytes));
    for (size_t i = 0; i < bytes.len; i++) {
        char kept = bytes.base[i];

        for (int value = 0; value < 256; value++) {
            bytes.base[i] = (char)value;
            hg_event_free(hg_event_decode(hg_buf_str(&bytes), NULL));
        }
        bytes.base[i] = kept;
    }
    /* A current target that is none of the event's. */
    bytes.base[bytes.len - 1] = 0;
    assert_null(hg_event_decode(hg_buf_str(&bytes), NULL));
    hg_buf_fini(&bytes);
    hg_event_free(event);
}

static void test_refuses_to_encode(void **state)
{
    struct hg_event *event = plain_event();
    struct hg_buf bytes;

    (void)state;
    hg_buf_init(&bytes, 20);
    assert_false(hg_event_encode(event, &bytes));
    hg_buf_fini(&bytes);
    hg_buf_init(&bytes, 1024);
    event->id[3] = 'g';
    assert_false(hg_event_encode(event, &bytes));
    assert_int_equal(bytes.len, 0);
    hg_buf_fini(&bytes);
    hg_event_free(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_fixed_bytes),
        cmocka_unit_test(test_newer_version_is_named),
        cmocka_unit_test(test_changed_bytes),
        cmocka_unit_test(test_refuses_to_encode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
