/*
 * A process that stores and settles is killed again and again; what it was
 * told is durable must be there afterwards, and what it settled must be over.
 *   queue_crash ROUNDS URI DATA_DIR [KEY=VALUE]...
 */
#include "core/clock.h"
#include "core/map.h"
#include "tests/contract/queue/harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    IN_FLIGHT = 64,
    LEASES = 16,
    LEAST_MS = 10, /* from the first acknowledgement to the kill */
    MOST_MS = 120,
    RECORD = 1 + HG_UUID_LEN, /* 'P' or 'F', and the id */
};

static const char *function;
static unsigned rounds;

/* In the process that dies. */
static struct {
    struct hg_task more;
    size_t puts;
    bool is_leasing;
    struct hg_lease_op lease;
    int tell_fd;
} writer;

/* The pipe takes a record whole, or the writer is dead. */
static void tell(char what, const char *id)
{
    char record[RECORD];

    record[0] = what;
    memcpy(record + 1, id, HG_UUID_LEN);
    if (write(writer.tell_fd, record, sizeof(record)) != sizeof(record))
        _exit(1);
}

static void on_put_done(struct hg_queue_op *op)
{
    struct hg_put_op *put_op = hg_container_of(op, struct hg_put_op, base);

    if (op->rc == HG_OK)
        tell('P', put_op->event->id);
    hg_event_free(put_op->event);
    free(put_op);
    writer.puts--;
    hg_loop_defer(world.loop, &writer.more);
}

static void on_settled(struct hg_queue_op *op)
{
    struct hg_settle_op *settle_op = hg_container_of(op, struct hg_settle_op, base);

    if (op->rc == HG_OK && settle_op->verdict == HG_FINISH)
        tell('F', settle_op->event->id);
    hg_event_free(settle_op->event);
    free(settle_op);
    hg_loop_defer(world.loop, &writer.more);
}

static void on_leased(struct hg_queue_op *base)
{
    struct hg_lease_op *op = hg_container_of(base, struct hg_lease_op, base);
    struct hg_event *event;

    writer.is_leasing = false;
    while ((event = pop(&op->events))) {
        struct hg_settle_op *settle_op = hg_calloc(1, sizeof(*settle_op));

        /* Every third one is tried again first. */
        event->tries++;
        event->due_ms = 0;
        event->result = event->result ? event->result : pattern_blob(3000, 1);
        settle_op->verdict = event->tries == 1 && event->id[35] % 3 == 0 ? HG_REQUEUE : HG_FINISH;
        event->state = settle_op->verdict == HG_FINISH ? HG_EVENT_DELIVERED : HG_EVENT_RETRYING;
        event->finished_ms = settle_op->verdict == HG_FINISH ? hg_steady_ms() : 0;
        settle_op->event = event;
        settle_op->base.done = on_settled;
        queue_settle(world.queue, settle_op);
    }
}

static void write_more(struct hg_task *task)
{
    (void)task;
    while (writer.puts < IN_FLIGHT) {
        struct hg_put_op *op = hg_calloc(1, sizeof(*op));

        op->event =
            hg_event_new(hg_str_of(function), HG_STR(""), pattern_blob(hg_random_u64() % 5000, 2));
        op->base.done = on_put_done;
        writer.puts++;
        queue_put(world.queue, op);
    }
    if (!writer.is_leasing) {
        writer.is_leasing = true;
        writer.lease = (struct hg_lease_op){
            .base.done = on_leased, .function = function, .channel = "", .max = LEASES};
        queue_lease(world.queue, &writer.lease);
    }
}

static void write_until_killed(int tell_fd)
{
    writer.tell_fd = tell_fd;
    world_open();
    hg_task_init(&writer.more, write_more);
    hg_loop_defer(world.loop, &writer.more);
    hg_loop_run(world.loop);
}

/* What was acknowledged: id → "P" or "F". */
static struct hg_map told;

static void note(const char *record)
{
    char *id = hg_strndup(record + 1, HG_UUID_LEN);
    struct hg_str key = hg_str_n(id, HG_UUID_LEN);
    char *known = hg_map_get(&told, key);

    if (known) {
        *known = *known == 'F' ? 'F' : record[0];
        free(id);
        return;
    }
    known = hg_malloc(1);
    *known = record[0];
    (void)hg_map_set(&told, key, known);
}

static void read_told(int fd, pid_t writer_pid)
{
    char buffer[RECORD * 64];
    size_t held = 0;
    ssize_t got;
    bool is_killed = false;

    while ((got = read(fd, buffer + held, sizeof(buffer) - held)) > 0) {
        size_t at = 0;

        for (held += (size_t)got; held - at >= RECORD; at += RECORD)
            note(buffer + at);
        memmove(buffer, buffer + at, held - at);
        held -= at;
        if (!is_killed) {
            unsigned wait_ms = LEAST_MS + (unsigned)(hg_random_u64() % (MOST_MS - LEAST_MS));

            is_killed = true;
            /* Another process kills, so that this one goes on emptying the pipe. */
            if (fork() == 0) {
                (void)usleep(wait_ms * 1000);
                (void)kill(writer_pid, SIGKILL);
                _exit(0);
            }
        }
    }
}

/* point: where the writer dies by itself, if nobody kills it earlier; NULL: nowhere. */
static void run_round(const char *point)
{
    int fds[2], status;
    pid_t pid;

    assert_int_equal(pipe(fds), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(fds[0]);
        if (point)
            (void)setenv("HEADGATE_CRASH_AT", point, 1);
        write_until_killed(fds[1]);
        _exit(1);
    }
    (void)close(fds[1]);
    read_told(fds[0], pid);
    (void)close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the writer ended by itself: status %d", status);
    while (waitpid(-1, &status, WNOHANG) > 0)
        ;
}

static void check_told(void)
{
    const struct hg_map_entry *entry;
    size_t finished = 0;

    for (size_t at = 0; (entry = hg_map_next(&told, &at));) {
        struct hg_event *event;
        char id[HG_UUID_LEN + 1];

        memcpy(id, entry->key.p, HG_UUID_LEN + 1);
        if (*(char *)entry->value == 'F') {
            hg_event_free(find_state(id, HG_EVENT_DELIVERED));
            finished++;
        } else if (find_id(id, &event) == HG_OK) {
            hg_event_free(event);
        } else {
            fail_msg("event %s was acknowledged and is gone", id);
        }
    }
    print_message("%zu acknowledged, %zu of them settled\n", told.count, finished);
}

/* What is left comes again; what was settled does not. */
static void drain_rest(void)
{
    size_t rest = 0, deliveries = 0;

    for (unsigned dry = 0; dry < 20;) {
        struct hg_list events;

        hg_list_init(&events);
        if (!lease_once(function, "", 200, &events)) {
            wait_a_little();
            dry++;
            continue;
        }
        dry = 0;
        HG_LIST_EACH(link, &events)
        {
            const struct hg_event *event = hg_container_of(link, struct hg_event, link);
            const char *known = hg_map_get(&told, hg_str_of(event->id));

            if (known && *known == 'F')
                fail_msg("event %s was settled and came again", event->id);
            rest++;
            deliveries += event->deliveries;
        }
        settle_all(&events);
    }
    print_message("%zu came again, after %zu deliveries that a kill had cut short\n", rest,
                  deliveries);
}

static void test_kills(void **state)
{
    static const char *const points[] = {"after-commit:1", "after-commit:7", "after-lease:2",
                                         "after-lease:5",  "mid-settle:1",   "mid-settle:40"};
    const struct hg_map_entry *entry;

    (void)state;
    function = fresh_function("crash");
    for (unsigned i = 0; i < rounds; i++)
        run_round(i < HG_COUNT(points) ? points[i] : NULL);
    world_open();
    check_told();
    drain_rest();
    check_told();
    world_close();
    for (size_t at = 0; (entry = hg_map_next(&told, &at));) {
        free((char *)(uintptr_t)entry->key.p);
        free(entry->value);
    }
    hg_map_fini(&told);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills)};
    int failed;

    if (argc < 4) {
        (void)fprintf(stderr, "usage: %s ROUNDS URI DATA_DIR [KEY=VALUE]...\n", argv[0]);
        return 2;
    }
    rounds = (unsigned)strtoul(argv[1], NULL, 10);
    world_init(argc - 1, argv + 1);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    world_fini();
    return failed ? 1 : 0;
}
