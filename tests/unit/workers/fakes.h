/*
 * Environments without processes: a launcher that starts nothing, and runtimes that the test itself plays.
 */
#ifndef HG_TESTS_WORKERS_FAKES_H
#define HG_TESTS_WORKERS_FAKES_H

#include "tests/unit/unit.h"

#include "tests/unit/workers/fixture.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { FAKES_MAX = 256, PATIENCE_MS = 20000 };

static struct fake {
    int fd;                                      /* the runtime's end of its connection */
    int exit_fd;                                 /* written: it has ended */
    bool is_killed, is_provisioned, is_of_other; /* of the function "other" */
} fakes[FAKES_MAX];
static int fake_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static inline enum hg_rc fake_start(const struct hg_plan *plan, const struct hg_launch_place *place,
                                    struct hg_launched *out, struct hg_error *err)
{
    int stream[2], log[2];

    bool is_of_other = false;

    for (char **item = plan->environ; *item; item++)
        is_of_other = is_of_other || strcmp(*item, "AWS_LAMBDA_FUNCTION_NAME=other") == 0;
    (void)err;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, stream) != 0 || pipe(log) != 0)
        abort();
    (void)close(log[1]);
    pthread_mutex_lock(&lock);
    fakes[fake_count] = (struct fake){
        .fd = stream[0],
        .exit_fd = eventfd(0, EFD_NONBLOCK),
        .is_of_other = is_of_other,
        .is_provisioned = strcmp(place->initialization_type, "provisioned-concurrency") == 0};
    *out = (struct hg_launched){fake_count, dup(fakes[fake_count].exit_fd), stream[1], -1, log[0]};
    fake_count++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return HG_OK;
}

static inline void end_fake(int index)
{
    uint64_t one = 1;

    pthread_mutex_lock(&lock);
    fakes[index].is_killed = true;
    if (write(fakes[index].exit_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
        abort();
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static inline void fake_kill(const struct hg_launched *launched)
{
    end_fake(launched->pid);
}

static inline bool fake_reap(const struct hg_launched *launched, struct hg_exit *how)
{
    uint64_t count;

    *how = (struct hg_exit){.status = -1, .signal = 9};
    return read(launched->exit_fd, &count, sizeof(count)) == (ssize_t)sizeof(count);
}

static inline bool fake_measure(const struct hg_launched *launched, uint64_t *now_bytes,
                                uint64_t *peak_bytes)
{
    (void)launched;
    *now_bytes = *peak_bytes = 1 << 20;
    return true;
}

static const struct hg_launch_ops fake_ops = {"none", fake_start, fake_kill, fake_reap,
                                              fake_measure};

/* ---- the runtimes ---- */

static inline void send_text(int index, const char *text)
{
    size_t length = strlen(text);

    assert_int_equal(send(fakes[index].fd, text, length, MSG_NOSIGNAL), (ssize_t)length);
}

/* The runtimes that were started, once there are at least so many. */
static inline void wait_started(int count)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&lock);
    while (fake_count < count) {
        if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("only %d environments were started, not %d", fake_count, count);
        }
    }
    pthread_mutex_unlock(&lock);
}

static inline void wait_killed(int index)
{
    struct timespec deadline;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&lock);
    while (!fakes[index].is_killed) {
        if (pthread_cond_timedwait(&changed, &lock, &deadline) != 0) {
            pthread_mutex_unlock(&lock);
            fail_msg("environment %d was not ended", index);
        }
    }
    pthread_mutex_unlock(&lock);
}

static inline unsigned count_killed(void)
{
    unsigned count = 0;

    pthread_mutex_lock(&lock);
    for (int i = 0; i < fake_count; i++)
        count += fakes[i].is_killed;
    pthread_mutex_unlock(&lock);
    return count;
}

static inline void ask(int index)
{
    send_text(index, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n");
}

/* Whether an event arrives within the time; its request id to id. */
static inline bool get_event(int index, char id[64], int timeout_ms)
{
    struct pollfd poll_fd = {.fd = fakes[index].fd, .events = POLLIN};
    char text[4096];
    const char *field;
    ssize_t got;

    if (poll(&poll_fd, 1, timeout_ms) != 1)
        return false;
    got = recv(fakes[index].fd, text, sizeof(text) - 1, 0);
    if (got <= 0)
        return false;
    text[got] = '\0';
    field = strstr(text, "Lambda-Runtime-Aws-Request-Id: ");
    return field && sscanf(field, "Lambda-Runtime-Aws-Request-Id: %63[^\r]", id) == 1;
}

static inline void take_event(int index, char id[64])
{
    if (!get_event(index, id, PATIENCE_MS))
        fail_msg("environment %d got no event", index);
}

/* Answers, and asks for the next event in the same breath. */
static inline void answer(int index, const char *id)
{
    char text[1024];

    snprintf(
        text, sizeof(text),
        "POST /2018-06-01/runtime/invocation/%.63s/response HTTP/1.1\r\nHost: r\r\nContent-Length: 1\r\n\r\n1"
        "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n",
        id);
    send_text(index, text);
}

/* ---- set-up ---- */

static inline int set_up(void **state)
{
    struct fixture *f = malloc(sizeof(*f));

    fake_count = 0;
    fixture_init(f);
    f->launcher = &fake_ops;
    f->function->timeout_s = 60;
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;

    fixture_stop(f);
    for (int i = 0; i < fake_count; i++) {
        (void)close(fakes[i].fd);
        (void)close(fakes[i].exit_fd);
    }
    free(f);
    return 0;
}

static inline void end_well(struct call *c)
{
    call_wait(c);
    assert_int_equal(c->inv.rc, HG_OK);
    assert_int_equal(c->inv.error, HG_FUNCTION_OK);
    invocation_fini(&c->inv);
}

static inline void end_throttled(struct call *c, const char *reason)
{
    call_wait(c);
    assert_int_equal(c->inv.rc, HG_E_THROTTLED);
    assert_string_equal(c->inv.throttle_reason, reason);
    invocation_fini(&c->inv);
}

/* One environment, on loop 0, used once and idle. */
static inline void warm_up(struct fixture *f)
{
    struct call c;
    char id[64];

    call_start(f, &c, 0, "1", false);
    wait_started(1);
    ask(0);
    take_event(0, id);
    assert_string_equal(id, c.inv.request_id);
    answer(0, id);
    end_well(&c);
}

#endif
