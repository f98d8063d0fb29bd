/* core/loop, core/mailbox, core/offload: order within a turn and across threads. */
#include "core/loop.h"
#include "core/offload.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static char trace[16];
static size_t trace_length;

static void note(char what)
{
    trace[trace_length++] = what;
    trace[trace_length] = '\0';
}

struct thing {
    struct hg_task task;
    struct hg_grave grave;
    struct hg_loop *loop;
};

static void free_thing(struct hg_grave *grave)
{
    note('g');
    free(hg_container_of(grave, struct thing, grave));
}

static void run_thing(struct hg_task *task)
{
    struct thing *thing = hg_container_of(task, struct thing, task);

    note('t');
    hg_loop_bury(thing->loop, &thing->grave, free_thing);
    note('b');
}

static void test_tasks_before_graves(void **state)
{
    struct hg_loop *loop = hg_loop_new(0);
    struct thing *thing = calloc(1, sizeof(*thing));

    (void)state;
    trace_length = 0;
    thing->loop = loop;
    hg_task_init(&thing->task, run_thing);
    hg_loop_defer(loop, &thing->task);
    hg_loop_defer(loop, &thing->task);
    assert_int_equal(trace_length, 0);
    hg_loop_turn(loop, false);
    assert_string_equal(trace, "tbg");
    hg_loop_free(loop);
}

static struct hg_loop *timer_loop;

static void on_fire(struct hg_timer *timer)
{
    (void)timer;
    hg_loop_stop(timer_loop);
}

static void test_timer_ends_loop(void **state)
{
    struct hg_timer timer;

    (void)state;
    timer_loop = hg_loop_new(0);
    hg_timer_init(&timer, timer_loop, on_fire);
    hg_timer_start_us(&timer, 500);
    assert_true(hg_timer_is_running(&timer));
    hg_loop_run(timer_loop);
    assert_false(hg_timer_is_running(&timer));
    hg_loop_free(timer_loop);
}

/* Ping-pong between the two loops, then stop the control loop. */
struct ball {
    struct hg_mail mail;
    struct hg_loops *loops;
    unsigned hops;
};

static void on_ball(struct hg_mail *mail)
{
    struct ball *ball = hg_container_of(mail, struct ball, mail);

    if (++ball->hops == 1000) {
        hg_loop_stop(ball->loops->control);
        return;
    }
    hg_mailbox_post(&ball->loops->loops[ball->hops % 2]->mailbox, &ball->mail, on_ball);
}

static void test_mail_crosses_threads(void **state)
{
    struct hg_loops *loops = hg_loops_new(2);
    struct ball ball = {.loops = loops};

    (void)state;
    hg_loops_start(loops);
    hg_mailbox_post(&loops->loops[0]->mailbox, &ball.mail, on_ball);
    hg_loop_run(loops->control);
    assert_int_equal(ball.hops, 1000);
    hg_loops_stop(loops);
    hg_loops_free(loops);
}

struct sum {
    struct hg_job job;
    int value;
    struct hg_loop *loop;
};

static void work(struct hg_job *job)
{
    hg_container_of(job, struct sum, job)->value = 42;
}

static void on_work_done(struct hg_job *job)
{
    struct sum *sum = hg_container_of(job, struct sum, job);

    assert_int_equal(sum->value, 42);
    assert_ptr_equal(hg_loop_current(), sum->loop);
    hg_loop_stop(sum->loop);
}

static void test_job_comes_home(void **state)
{
    struct hg_loop *loop = hg_loop_new(0);
    struct hg_offload *offload = hg_offload_new("helper", 2);
    struct sum sum = {.job = {.work = work, .done = on_work_done}, .loop = loop};

    (void)state;
    hg_offload_submit(offload, loop, &sum.job);
    hg_loop_run(loop);
    hg_offload_free(offload);
    hg_loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tasks_before_graves),
        cmocka_unit_test(test_timer_ends_loop),
        cmocka_unit_test(test_mail_crosses_threads),
        cmocka_unit_test(test_job_comes_home),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
