/*
 * Who gets which environment, with a launcher that starts nothing: the test
 * itself plays every runtime.
 */
#include "tests/unit/workers/fakes.h"

#include "workers/shard.h"

/* ---- tests ---- */

static void idle_environment_of_another_loop_is_not_passed_over(void **state)
{
    struct fixture *f = *state;
    struct call c;
    char id[64];

    fixture_start(f, 3);
    warm_up(f);
    for (unsigned loop = 0; loop < 4; loop++) {
        call_start(f, &c, loop, "1", false);
        take_event(0, id);
        answer(0, id);
        end_well(&c);
    }
    assert_int_equal(fake_count, 1);
}

static void whoever_waits_gets_what_becomes_idle_on_another_loop(void **state)
{
    struct fixture *f = *state;
    struct call first, second;
    char id[64];

    f->options.max_concurrency = 1;
    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 2);
    warm_up(f);
    call_start(f, &first, 0, "1", false);
    take_event(0, id);
    call_start(f, &second, 1, "1", false);
    answer(0, id);
    end_well(&first);
    take_event(0, id);
    assert_string_equal(id, second.inv.request_id);
    answer(0, id);
    end_well(&second);
    assert_int_equal(fake_count, 1);
}

static void first_come_first_served(void **state)
{
    struct fixture *f = *state;
    struct call calls[6];
    char id[64];

    f->options.max_concurrency = 1;
    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 1);
    for (int i = 0; i < 6; i++)
        call_start(f, &calls[i], 0, "1", false);
    wait_started(1);
    ask(0);
    for (int i = 0; i < 6; i++) {
        take_event(0, id);
        assert_string_equal(id, calls[i].inv.request_id);
        answer(0, id);
        end_well(&calls[i]);
    }
    assert_int_equal(fake_count, 1);
}

/* The queue of this many, whoever they are, waits. */
static void wait_queued(struct fixture *f, unsigned count)
{
    struct hg_room room;
    int64_t deadline_us = hg_mono_us() + PATIENCE_MS * 1000;

    do {
        if (hg_mono_us() > deadline_us)
            fail_msg("%u invocations do not wait", count);
        usleep(1000);
        workers_room(f->workers, f->function, &room);
    } while (room.queued_ahead < count);
}

static void background_waits_behind(void **state)
{
    struct fixture *f = *state;
    struct call behind[3], ahead;
    char id[64];

    f->options.max_concurrency = 1;
    f->options.max_queued = 1;
    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 2);
    warm_up(f);
    call_start_behind(f, &behind[0], 0, "1");
    take_event(0, id);
    call_start_behind(f, &behind[1], 0, "1");
    call_start_behind(f, &behind[2], 0, "1");
    /* The environment's own loop has background ones only; those of the other loop come first all the same. */
    call_start(f, &ahead, 1, "1", false);
    wait_queued(f, 1);
    answer(0, id);
    end_well(&behind[0]);
    take_event(0, id);
    assert_string_equal(id, ahead.inv.request_id);
    answer(0, id);
    end_well(&ahead);
    for (int i = 1; i < 3; i++) {
        take_event(0, id);
        assert_string_equal(id, behind[i].inv.request_id);
        answer(0, id);
        end_well(&behind[i]);
    }
    assert_int_equal(fake_count, 1);
}

static void background_is_throttled_when_it_waited_too_long(void **state)
{
    struct fixture *f = *state;
    struct call busy, behind;
    char id[64];

    f->function->reserved_concurrency = 1;
    f->options.queue_wait_ms = 30;
    fixture_start(f, 2);
    warm_up(f);
    call_start(f, &busy, 0, "1", false);
    take_event(0, id);
    call_start_behind(f, &behind, 2, "1");
    end_throttled(&behind, "ReservedFunctionConcurrentInvocationLimitExceeded");
    answer(0, id);
    end_well(&busy);
}

static void room_is_told(void **state)
{
    struct fixture *f = *state;
    struct hg_room room;
    struct call c;
    char id[64];

    f->options.max_concurrency = 1;
    fixture_start(f, 2);
    workers_room(f->workers, f->function, &room);
    assert_int_equal(room.max, 1);
    assert_int_equal(room.environments, 0);
    assert_false(room.is_full || room.is_reserved);
    warm_up(f);
    call_start(f, &c, 0, "1", false);
    take_event(0, id);
    workers_room(f->workers, f->function, &room);
    assert_int_equal(room.environments, 1);
    assert_int_equal(room.idle, 0);
    assert_int_equal(room.queued_ahead, 0);
    assert_true(room.is_full);
    assert_true(room.run_us > 0);
    answer(0, id);
    end_well(&c);
}

static void cold_starts_run_in_parallel(void **state)
{
    struct fixture *f = *state;
    struct call calls[12];
    char ids[12][64];

    fixture_start(f, 2);
    for (unsigned i = 0; i < 12; i++)
        call_start(f, &calls[i], i % 2, "1", false);
    /* None of them is ready, and yet all are started. */
    wait_started(12);
    for (int i = 0; i < 12; i++)
        ask(i);
    for (int i = 0; i < 12; i++)
        take_event(i, ids[i]);
    for (int i = 0; i < 12; i++)
        answer(i, ids[i]);
    for (int i = 0; i < 12; i++)
        end_well(&calls[i]);
    assert_int_equal(fake_count, 12);
}

static void last_used_environment_is_used_first(void **state)
{
    struct fixture *f = *state;
    struct call calls[2], c;
    char id[64], other[64];

    fixture_start(f, 1);
    for (int i = 0; i < 2; i++)
        call_start(f, &calls[i], 0, "1", false);
    wait_started(2);
    ask(0);
    take_event(0, id);
    ask(1);
    take_event(1, other);
    answer(0, id);
    end_well(&calls[0]);
    answer(1, other);
    end_well(&calls[1]);
    for (int i = 0; i < 5; i++) {
        call_start(f, &c, 0, "1", false);
        take_event(1, id);
        answer(1, id);
        end_well(&c);
    }
}

static void full_queue_throttles_at_once(void **state)
{
    struct fixture *f = *state;
    struct call calls[4];
    char id[64];

    f->options.max_concurrency = 1;
    f->options.max_queued = 2;
    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 1);
    warm_up(f);
    call_start(f, &calls[0], 0, "1", false);
    take_event(0, id);
    for (int i = 1; i < 4; i++)
        call_start(f, &calls[i], 0, "1", false);
    end_throttled(&calls[3], "ConcurrentInvocationLimitExceeded");
    for (int i = 0; i < 3; i++) {
        answer(0, id);
        end_well(&calls[i]);
        if (i < 2)
            take_event(0, id);
    }
}

static void reserved_concurrency_is_a_ceiling(void **state)
{
    struct fixture *f = *state;
    struct call calls[2];
    char id[64];

    f->function->reserved_concurrency = 1;
    f->options.queue_wait_ms = 30;
    fixture_start(f, 2);
    warm_up(f);
    call_start(f, &calls[0], 0, "1", false);
    take_event(0, id);
    call_start(f, &calls[1], 1, "1", false);
    end_throttled(&calls[1], "ReservedFunctionConcurrentInvocationLimitExceeded");
    answer(0, id);
    end_well(&calls[0]);
    assert_int_equal(fake_count, 1);
}

static struct hg_function *make_other(const struct fixture *f)
{
    struct hg_function draft = *f->function;

    draft.name = HG_STR("other");
    draft.arn = HG_STR("arn:aws:lambda:eu-west-1:000000000000:function:other");
    return function_seal(&draft);
}

static void functions_take_turns_when_many_are_started(void **state)
{
    struct fixture *f = *state;
    struct hg_function *other = make_other(f);
    struct call calls[200];
    int crowd, count, place = -1;
    char ids[200][64];

    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 1);
    crowd = 2 * (int)f->workers->cores;
    count = 6 * crowd + 1;
    if (count > (int)HG_COUNT(calls))
        skip();
    for (int i = 0; i < count - 1; i++)
        call_start(f, &calls[i], 0, "1", false);
    wait_started(crowd);
    call_start_of(f, other, &calls[count - 1], 0, "1", false);
    while (atomic_load(&f->workers->shards[0].wanting_count) < 2)
        usleep(1000);
    for (int i = 0; i < count; i++) {
        wait_started(i + 1);
        ask(i);
        place = fakes[i].is_of_other ? i : place;
    }
    /* It came later than all the others, but need not wait for them all. */
    assert_in_range(place, crowd, count - 1 - crowd);
    for (int i = 0; i < count; i++)
        take_event(i, ids[i]);
    for (int i = 0; i < count; i++)
        answer(i, ids[i]);
    for (int i = 0; i < count; i++)
        end_well(&calls[i]);
    function_unref(other);
}

static void idle_environment_makes_room_for_another_function(void **state)
{
    struct fixture *f = *state;
    struct hg_function *other = make_other(f);
    struct call c;
    char id[64];

    f->options.max_concurrency = 1;
    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 2);
    warm_up(f);
    call_start_of(f, other, &c, 1, "1", false);
    wait_killed(0);
    wait_started(2);
    ask(1);
    take_event(1, id);
    answer(1, id);
    end_well(&c);
    assert_int_equal(fake_count, 2);
    function_unref(other);
}

struct cancel_mail {
    struct hg_mail mail;
    struct call *call;
    struct fixture *fixture;
};

static void on_cancel(struct hg_mail *mail)
{
    struct cancel_mail *cancel = hg_container_of(mail, struct cancel_mail, mail);
    struct call *call = cancel->call;

    invoke_cancel(call->fixture->workers, &call->inv);
    invocation_fini(&call->inv);
    on_call_done(&call->inv); /* only tells the test that it is over */
}

static void cancel(struct fixture *f, struct call *call)
{
    struct cancel_mail mail = {.call = call, .fixture = f};

    hg_mailbox_post(&call->loop->mailbox, &mail.mail, on_cancel);
    call_wait(call);
}

static void cancelled_while_waiting_never_runs(void **state)
{
    struct fixture *f = *state;
    struct call calls[3];
    char id[64];

    f->options.max_concurrency = 1;
    f->options.queue_wait_ms = PATIENCE_MS;
    fixture_start(f, 2);
    warm_up(f);
    call_start(f, &calls[0], 0, "1", false);
    take_event(0, id);
    call_start(f, &calls[1], 1, "1", false);
    call_start(f, &calls[2], 1, "1", false);
    cancel(f, &calls[1]);
    answer(0, id);
    end_well(&calls[0]);
    take_event(0, id);
    assert_string_equal(id, calls[2].inv.request_id);
    answer(0, id);
    end_well(&calls[2]);
}

static void cancelled_while_running_goes_on(void **state)
{
    struct fixture *f = *state;
    struct call c;
    char id[64];

    fixture_start(f, 2);
    warm_up(f);
    for (unsigned loop = 0; loop < 3; loop++) {
        call_start(f, &c, loop, "1", false);
        take_event(0, id);
        cancel(f, &c);
        answer(0, id);
        call_start(f, &c, 0, "1", false);
        take_event(0, id);
        answer(0, id);
        end_well(&c);
    }
    assert_int_equal(fake_count, 1);
}

static void idle_environments_are_retired(void **state)
{
    struct fixture *f = *state;

    f->options.idle_timeout_ms = 50;
    fixture_start(f, 1);
    warm_up(f);
    wait_killed(0);
}

static void fast_function_does_not_start_one_for_each(void **state)
{
    struct fixture *f = *state;
    struct call first, calls[8];
    char id[64];

    fixture_start(f, 1);
    /* A start that is known to be slow … */
    call_start(f, &first, 0, "1", false);
    wait_started(1);
    usleep(1000000);
    ask(0);
    /* … and a handler that is known to be fast. */
    for (int i = 0; i < 30; i++) {
        take_event(0, id);
        answer(0, id);
        end_well(&first);
        if (i < 29)
            call_start(f, &first, 0, "1", false);
    }
    for (int i = 0; i < 8; i++)
        call_start(f, &calls[i], 0, "1", false);
    for (int i = 0; i < 8; i++) {
        take_event(0, id);
        answer(0, id);
    }
    for (int i = 0; i < 8; i++)
        end_well(&calls[i]);
    assert_int_equal(fake_count, 1);
}

static void slow_function_starts_more_at_once(void **state)
{
    struct fixture *f = *state;
    struct call calls[3];
    char id[64], ids[3][64];

    fixture_start(f, 1);
    warm_up(f);
    call_start(f, &calls[0], 0, "1", false);
    take_event(0, id);
    usleep(300000);
    answer(0, id);
    end_well(&calls[0]);
    for (int i = 0; i < 3; i++)
        call_start(f, &calls[i], 0, "1", false);
    wait_started(3);
    ask(1);
    ask(2);
    for (int i = 0; i < 3; i++)
        take_event(i, ids[i]);
    for (int i = 0; i < 3; i++)
        answer(i, ids[i]);
    for (int i = 0; i < 3; i++)
        end_well(&calls[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(idle_environment_of_another_loop_is_not_passed_over),
        TEST(whoever_waits_gets_what_becomes_idle_on_another_loop),
        TEST(first_come_first_served),
        TEST(background_waits_behind),
        TEST(background_is_throttled_when_it_waited_too_long),
        TEST(room_is_told),
        TEST(cold_starts_run_in_parallel),
        TEST(last_used_environment_is_used_first),
        TEST(full_queue_throttles_at_once),
        TEST(reserved_concurrency_is_a_ceiling),
        TEST(functions_take_turns_when_many_are_started),
        TEST(idle_environment_makes_room_for_another_function),
        TEST(cancelled_while_waiting_never_runs),
        TEST(cancelled_while_running_goes_on),
        TEST(idle_environments_are_retired),
        TEST(fast_function_does_not_start_one_for_each),
        TEST(slow_function_starts_more_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
