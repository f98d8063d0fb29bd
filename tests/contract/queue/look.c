/* Finding, redriving, purging. */
#include "core/clock.h"
#include "tests/contract/queue/suite.h"

#include <stdlib.h>
#include <string.h>

static const char no_event[] = "018f0000-0001-7abc-8def-0123456789ab";

static void test_unknown_ids(void **state)
{
    struct hg_event *event;
    char why[HG_EVENT_WHY_MAX];

    (void)state;
    assert_int_equal(find_id(no_event, &event), HG_E_NOT_FOUND);
    assert_int_equal(find_id("nonsense", &event), HG_E_NOT_FOUND);
    assert_int_equal(change(no_event, HG_CHANGE_REDRIVE, why), HG_E_NOT_FOUND);
    assert_int_equal(change(no_event, HG_CHANGE_PURGE, why), HG_E_NOT_FOUND);
}

/* All pages of at most max; checks their order. Returns how many events. */
static size_t walk_pages(struct hg_find_op *op, unsigned max, unsigned *pages)
{
    int64_t before_ms = INT64_MAX;
    size_t count = 0;

    *pages = 0;
    op->max = max;
    op->cursor[0] = '\0';
    do {
        struct hg_event *event;

        count += find_page(op);
        (*pages)++;
        while ((event = pop(&op->events))) {
            assert_true(event->accepted_ms <= before_ms);
            assert_null(event->payload);
            assert_null(event->result);
            if (op->function)
                assert_string_equal(event->function, op->function);
            if (op->states)
                assert_true(op->states & 1u << event->state);
            before_ms = event->accepted_ms;
            hg_event_free(event);
        }
        assert_true(*pages < 10000);
    } while (op->cursor[0]);
    return count;
}

/* A function, and how many of its events a page is to have. */
struct expected {
    struct hg_find_op *op;
    size_t count;
};

static bool has_count(void *arg)
{
    struct expected *expected = arg;
    unsigned pages;

    return walk_pages(expected->op, 100, &pages) == expected->count;
}

static void wait_for_count(struct hg_find_op *op, size_t count, const char *what)
{
    struct expected expected = {op, count};

    wait_until(has_count, &expected, what);
}

static void test_pages_by_function_and_state(void **state)
{
    const char *function = fresh_function("pages"), *other = fresh_function("pages-other");
    struct hg_find_op op = {.function = function};
    struct hg_event *events[25], *event;
    unsigned pages;

    (void)state;
    for (size_t i = 0; i < HG_COUNT(events); i++)
        events[i] = new_event(function, "{}");
    put_all(events, HG_COUNT(events));
    put_ok(other, "{}", NULL);
    wait_for_count(&op, 25, "25 events of the function");
    assert_int_equal(walk_pages(&op, 10, &pages), 25);
    assert_true(pages >= 3);

    settle_ok(lease_one(function, ""), HG_FINISH);
    settle_ok(lease_one(function, ""), HG_BURY);
    event = lease_one(function, "");
    op.states = 1u << HG_EVENT_DELIVERED;
    wait_for_count(&op, 1, "one delivered");
    op.states = 1u << HG_EVENT_DEAD;
    wait_for_count(&op, 1, "one dead");
    op.states = 1u << HG_EVENT_RUNNING;
    wait_for_count(&op, 1, "one running");
    op.states = 1u << HG_EVENT_QUEUED;
    wait_for_count(&op, 22, "22 queued");
    op.states = 1u << HG_EVENT_DELIVERED | 1u << HG_EVENT_DEAD;
    wait_for_count(&op, 2, "two that ended");
    settle_ok(event, HG_FINISH);
    drain(function, 22);
    drain(other, 1);
}

static void test_since(void **state)
{
    const char *function = fresh_function("since");
    struct hg_find_op op = {.function = function};
    int64_t between_ms;

    (void)state;
    for (int i = 0; i < 3; i++)
        put_ok(function, "{}", NULL);
    wait_a_little();
    between_ms = hg_steady_ms();
    wait_a_little();
    for (int i = 0; i < 2; i++)
        put_ok(function, "{}", NULL);
    wait_for_count(&op, 5, "five in all");
    op.since_ms = between_ms;
    wait_for_count(&op, 2, "two since then");
    op.since_ms = hg_steady_ms() + 1000;
    wait_for_count(&op, 0, "none in the future");
    drain(function, 5);
}

static void test_redrive(void **state)
{
    const char *function = fresh_function("redrive");
    struct hg_event_attempt attempt = {.started_ms = 1, .outcome = HG_ATTEMPT_TIMEOUT};
    char id[HG_UUID_LEN + 1], why[HG_EVENT_WHY_MAX];
    struct hg_event *event;
    int64_t accepted_ms;

    (void)state;
    put_ok(function, "{\"k\":1}", id);
    hg_event_free(find_state(id, HG_EVENT_QUEUED));
    assert_int_equal(change(id, HG_CHANGE_REDRIVE, why), HG_E_CONFLICT);
    assert_true(why[0] != '\0');
    event = lease_one(function, "");
    assert_int_equal(change(id, HG_CHANGE_REDRIVE, why), HG_E_CONFLICT);
    accepted_ms = event->accepted_ms;
    hg_event_note_attempt(event, &attempt);
    event->tries = 3;
    event->condition = HG_CONDITION_RETRIES_EXHAUSTED;
    event->result = hg_blob_new("{}", 2);
    memcpy(event->why, "no destination", 15);
    settle_ok(event, HG_BURY);
    hg_event_free(find_state(id, HG_EVENT_DEAD));

    assert_int_equal(change(id, HG_CHANGE_REDRIVE, why), HG_OK);
    event = lease_one(function, "");
    assert_string_equal(event->id, id);
    assert_str(hg_blob_str(event->payload), "{\"k\":1}");
    assert_int_equal(event->tries, 0);
    assert_int_equal(event->redrives, 1);
    assert_int_equal(event->condition, HG_CONDITION_NONE);
    assert_int_equal(event->attempt_count, 1);
    assert_string_equal(event->why, "");
    assert_null(event->result);
    assert_true(event->accepted_ms >= accepted_ms);
    settle_ok(event, HG_FINISH);

    /* A finished one too. */
    hg_event_free(find_state(id, HG_EVENT_DELIVERED));
    assert_int_equal(change(id, HG_CHANGE_REDRIVE, why), HG_OK);
    event = lease_one(function, "");
    assert_int_equal(event->redrives, 2);
    settle_ok(event, HG_FINISH);
}

static bool is_forgotten(void *arg)
{
    struct hg_event *event;
    bool is_gone = find_id(arg, &event) == HG_E_NOT_FOUND;

    hg_event_free(event);
    return is_gone;
}

static void test_purge(void **state)
{
    const char *function = fresh_function("purge");
    char queued[HG_UUID_LEN + 1], dead[HG_UUID_LEN + 1], finished[HG_UUID_LEN + 1];
    char why[HG_EVENT_WHY_MAX];
    struct hg_list none;
    struct hg_event *event;

    (void)state;
    put_ok(function, "{}", finished);
    settle_ok(lease_one(function, ""), HG_FINISH);
    put_ok(function, "{}", dead);
    settle_ok(lease_one(function, ""), HG_BURY);
    put_ok(function, "{}", queued);
    event = lease_one(function, "");
    assert_int_equal(change(queued, HG_CHANGE_PURGE, why), HG_E_CONFLICT);
    event->due_ms = hg_steady_ms() + 500;
    settle_ok(event, HG_REQUEUE);
    hg_event_free(find_state(queued, HG_EVENT_RETRYING));
    hg_event_free(find_state(dead, HG_EVENT_DEAD));
    hg_event_free(find_state(finished, HG_EVENT_DELIVERED));
    assert_int_equal(change(queued, HG_CHANGE_PURGE, why), HG_OK);
    assert_int_equal(change(dead, HG_CHANGE_PURGE, why), HG_OK);
    assert_int_equal(change(finished, HG_CHANGE_PURGE, why), HG_OK);
    wait_until(is_forgotten, queued, "the queued one to be forgotten");
    wait_until(is_forgotten, dead, "the dead one to be forgotten");
    wait_until(is_forgotten, finished, "the finished one to be forgotten");
    /* Beyond its due time: it does not come back. */
    hg_list_init(&none);
    for (int64_t until_ms = hg_steady_ms() + 700; hg_steady_ms() < until_ms;) {
        assert_int_equal(lease_once(function, "", 1, &none), 0);
        wait_a_little();
    }
}

/* The newest first, also when many of them are looked at for a few. */
static void test_few_among_many(void **state)
{
    enum { MANY = 3000 };
    const char *function = fresh_function("haystack"), *needle = fresh_function("needle");
    struct hg_event **events = calloc(MANY, sizeof(*events));
    struct hg_find_op op = {.function = needle};
    unsigned pages;

    (void)state;
    put_ok(needle, "1", NULL);
    for (size_t i = 0; i < MANY; i++)
        events[i] = new_event(function, "{}");
    put_all(events, MANY);
    put_ok(needle, "2", NULL);
    wait_for_count(&op, 2, "two needles");
    assert_int_equal(walk_pages(&op, 1, &pages), 2);
    drain(function, MANY);
    drain(needle, 2);
    free(events);
}

const struct CMUnitTest look_tests[LOOK_TESTS] = {
    cmocka_unit_test(test_unknown_ids), cmocka_unit_test(test_pages_by_function_and_state),
    cmocka_unit_test(test_since),       cmocka_unit_test(test_redrive),
    cmocka_unit_test(test_purge),       cmocka_unit_test(test_few_among_many),
};
