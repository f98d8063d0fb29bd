/* The node's own picture of the queue: which life stays, what is found, what outlives a restart. */
#include "queue/kafka_index.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW_MS = 1000 };

static char dir[] = "/tmp/headgate-kafka-index-XXXXXX";
static struct hg_loop *loop;
static struct kafka_index *index_;

static void open_index(void)
{
    struct hg_error err = {""};

    if (kafka_index_open(dir, loop, WINDOW_MS, &index_, &err) != HG_OK)
        fail_msg("%s", err.text);
}

static int begin(void **state)
{
    (void)state;
    loop = hg_loop_new(0);
    open_index();
    kafka_index_bind(index_, "a test");
    return 0;
}

/* Each begins with an empty index. */
static int end(void **state)
{
    (void)state;
    kafka_index_bind(index_, "nothing");
    kafka_index_close(index_);
    hg_loop_free(loop);
    return 0;
}

static struct hg_event *event_of(const char *function, int64_t accepted_ms)
{
    struct hg_event *event = hg_event_new(hg_str_of(function), HG_STR(""), NULL);

    event->accepted_ms = accepted_ms;
    return event;
}

static void apply(struct hg_event *event, enum hg_event_state state, uint32_t hop, int64_t offset)
{
    struct hg_kafka_place body = {HG_KAFKA_EVENTS, 0, offset},
                          status = {HG_KAFKA_STATUS, 0, offset};
    struct hg_buf life;

    event->state = state;
    event->finished_ms = state >= HG_EVENT_DELIVERED ? event->accepted_ms + 5 : 0;
    hg_buf_init(&life, 16384);
    assert_true(hg_event_encode(event, &life));
    kafka_index_apply(index_, event, hop, &body, &status, hg_buf_str(&life));
    hg_buf_fini(&life);
}

static enum hg_event_state state_of(const char *id)
{
    struct kafka_index_entry entry;

    assert_true(kafka_index_find(index_, id, &entry));
    return entry.state;
}

/* News and old news in every order give the same. */
static void test_further_life_stays(void **state)
{
    struct hg_event *event = event_of("f", 1000);

    (void)state;
    apply(event, HG_EVENT_RETRYING, 1, 5);
    apply(event, HG_EVENT_QUEUED, 0, 4);
    assert_int_equal(state_of(event->id), HG_EVENT_RETRYING);
    assert_true(kafka_index_is_past(index_, event->id, 0, 0));
    assert_false(kafka_index_is_past(index_, event->id, 0, 1));
    assert_false(kafka_index_is_past(index_, event->id, 0, 2));
    apply(event, HG_EVENT_DELIVERED, 1, 6);
    /* A copy that a dead node left behind does not revive it. */
    apply(event, HG_EVENT_RETRYING, 2, 7);
    assert_int_equal(state_of(event->id), HG_EVENT_DELIVERED);
    assert_true(kafka_index_is_past(index_, event->id, 0, 2));
    /* A redrive does. */
    event->redrives = 1;
    assert_false(kafka_index_is_past(index_, event->id, 1, 2));
    apply(event, HG_EVENT_QUEUED, 2, 8);
    assert_int_equal(state_of(event->id), HG_EVENT_QUEUED);
    assert_int_equal(kafka_index_counts(index_)[HG_EVENT_QUEUED], 1);
    assert_int_equal(kafka_index_counts(index_)[HG_EVENT_DELIVERED], 0);
    hg_event_free(event);
}

static void test_purge(void **state)
{
    struct hg_event *event = event_of("f", 1000);
    struct kafka_index_entry entry;

    (void)state;
    apply(event, HG_EVENT_QUEUED, 0, 4);
    kafka_index_purge(index_, event->id, 0, 2000);
    assert_true(kafka_index_find(index_, event->id, &entry));
    assert_int_equal(entry.rank, KAFKA_PURGED);
    assert_true(kafka_index_is_past(index_, event->id, 0, 0));
    apply(event, HG_EVENT_QUEUED, 0, 4);
    assert_int_equal(kafka_index_counts(index_)[HG_EVENT_QUEUED], 0);
    /* The same id put again. */
    apply(event, HG_EVENT_QUEUED, 1, 9);
    assert_int_equal(state_of(event->id), HG_EVENT_QUEUED);
    hg_event_free(event);
}

static void test_pages(void **state)
{
    struct hg_event *a = event_of("f", 1000), *b = event_of("g", 2000), *c = event_of("f", 3000);
    int64_t accepted_ms = 0;
    char id[HG_UUID_LEN + 1] = "";

    (void)state;
    apply(a, HG_EVENT_QUEUED, 0, 1);
    apply(b, HG_EVENT_QUEUED, 0, 2);
    apply(c, HG_EVENT_QUEUED, 0, 3);
    assert_int_equal(kafka_index_oldest(index_), 1000);
    assert_true(kafka_index_before(index_, "", HG_EVENT_QUEUED, &accepted_ms, id));
    assert_string_equal(id, c->id);
    assert_true(kafka_index_before(index_, "", HG_EVENT_QUEUED, &accepted_ms, id));
    assert_string_equal(id, b->id);
    assert_int_equal(accepted_ms, 2000);
    assert_true(kafka_index_before(index_, "", HG_EVENT_QUEUED, &accepted_ms, id));
    assert_false(kafka_index_before(index_, "", HG_EVENT_QUEUED, &accepted_ms, id));
    id[0] = '\0';
    assert_true(kafka_index_before(index_, "f", HG_EVENT_QUEUED, &accepted_ms, id));
    assert_true(kafka_index_before(index_, "f", HG_EVENT_QUEUED, &accepted_ms, id));
    assert_string_equal(id, a->id);
    assert_false(kafka_index_before(index_, "f", HG_EVENT_QUEUED, &accepted_ms, id));
    id[0] = '\0';
    assert_false(kafka_index_before(index_, "f", HG_EVENT_DEAD, &accepted_ms, id));
    apply(a, HG_EVENT_DELIVERED, 0, 4);
    assert_int_equal(kafka_index_oldest(index_), 2000);
    hg_event_free(a);
    hg_event_free(b);
    hg_event_free(c);
}

/* Of those with one key the lower offset is the first, whichever is known first. */
static void test_first_of_a_key(void **state)
{
    struct hg_event *a = event_of("f", 1000), *b = event_of("f", 1001), *late = event_of("f", 2500);
    char id[HG_UUID_LEN + 1];

    (void)state;
    memcpy(a->dedup, "k", 2);
    memcpy(b->dedup, "k", 2);
    memcpy(late->dedup, "k", 2);
    assert_false(kafka_index_find_first(index_, a, -1, id));
    apply(b, HG_EVENT_QUEUED, 0, 9);
    assert_true(kafka_index_find_first(index_, a, -1, id));
    assert_string_equal(id, b->id);
    assert_false(kafka_index_find_first(index_, a, 8, id));
    apply(a, HG_EVENT_QUEUED, 0, 8);
    assert_true(kafka_index_find_first(index_, b, 9, id));
    assert_string_equal(id, a->id);
    assert_false(kafka_index_find_first(index_, a, 8, id));
    /* Behind the window the key is free. */
    assert_false(kafka_index_find_first(index_, late, -1, id));
    hg_event_free(a);
    hg_event_free(b);
    hg_event_free(late);
}

static void test_ended_in_order(void **state)
{
    struct hg_event *a = event_of("f", 2000), *b = event_of("f", 1000), *dead = event_of("f", 500);
    int64_t finished_ms = 0;
    char id[HG_UUID_LEN + 1] = "";

    (void)state;
    apply(a, HG_EVENT_DELIVERED, 0, 1);
    apply(b, HG_EVENT_DELIVERED, 0, 2);
    apply(dead, HG_EVENT_DEAD, 0, 3);
    assert_true(kafka_index_next_ended(index_, &finished_ms, id));
    assert_string_equal(id, b->id);
    assert_int_equal(finished_ms, 1005);
    assert_true(kafka_index_next_ended(index_, &finished_ms, id));
    assert_string_equal(id, a->id);
    assert_false(kafka_index_next_ended(index_, &finished_ms, id));
    kafka_index_forget(index_, a->id);
    kafka_index_forget(index_, b->id);
    assert_int_equal(kafka_index_ended_bytes(index_), 0);
    assert_int_equal(kafka_index_counts(index_)[HG_EVENT_DEAD], 1);
    hg_event_free(a);
    hg_event_free(b);
    hg_event_free(dead);
}

static void test_reopen(void **state)
{
    struct hg_event *event = event_of("f", 1000);
    struct hg_error err = {""};
    struct kafka_index *second;
    char node[HG_UUID_LEN + 1];

    (void)state;
    apply(event, HG_EVENT_QUEUED, 0, 4);
    kafka_index_set_position(index_, 1, 42);
    (void)snprintf(node, sizeof(node), "%s", kafka_index_node(index_));
    assert_int_equal(kafka_index_open(dir, loop, WINDOW_MS, &second, &err), HG_E_CONFLICT);
    kafka_index_close(index_);
    open_index();
    kafka_index_bind(index_, "a test");
    assert_int_equal(state_of(event->id), HG_EVENT_QUEUED);
    assert_int_equal(kafka_index_position(index_, 1), 42);
    assert_int_equal(kafka_index_counts(index_)[HG_EVENT_QUEUED], 1);
    assert_string_equal(kafka_index_node(index_), node);
    /* Another Kafka: nothing of the old one is believed. */
    kafka_index_bind(index_, "another");
    assert_int_equal(kafka_index_position(index_, 1), 0);
    assert_int_equal(kafka_index_counts(index_)[HG_EVENT_QUEUED], 0);
    hg_event_free(event);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const files[] = {"data.mdb", "lock", "lock.mdb", "node", ""};
    char path[128];

    (void)state;
    for (size_t i = 0; i < HG_COUNT(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/kafka-index/%s", dir, files[i]);
        (void)(files[i][0] ? unlink(path) : rmdir(path));
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_further_life_stays, begin, end),
        cmocka_unit_test_setup_teardown(test_purge, begin, end),
        cmocka_unit_test_setup_teardown(test_pages, begin, end),
        cmocka_unit_test_setup_teardown(test_first_of_a_key, begin, end),
        cmocka_unit_test_setup_teardown(test_ended_in_order, begin, end),
        cmocka_unit_test_setup_teardown(test_reopen, begin, end),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
