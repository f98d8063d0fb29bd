/*
 * The Runtime API's replies and state machine, over a socket pair: the test
 * plays the runtime on one end, runtime_api serves the other.
 */
#include "tests/unit/unit.h"

#include "workers/runtime_conn.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ID "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
#define NEXT "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: r\r\n\r\n"
#define ACK \
    "HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"OK\"}"
#define EVENT \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: " ID \
    "\r\n" \
    "Lambda-Runtime-Deadline-Ms: 1767322800123\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:f\r\n" \
    "Lambda-Runtime-Trace-Id: Root=1-2;Sampled=0\r\nContent-Length: 7\r\n\r\n{\"a\":1}"
#define REFUSED(from, to) \
    "{\"errorMessage\":\"State transition from " from " to " to \
    " failed for runtime. Error: State transition is not allowed\",\"errorType\":\"InvalidStateTransition\"}"

struct world {
    struct hg_loop *loop;
    struct hg_runtime_api api;
    struct hg_blob *event;
    struct hg_delivery delivery;
    int fd; /* the runtime's end */
    char *scratch;
    char said[16384]; /* what came back */
    unsigned polls, losses, faults;
    enum hg_runtime_fault fault;
    char posted[64], kind[16], error_type[64], content_type[64];
};

static struct world *of(struct hg_runtime_api *api)
{
    return hg_container_of(api, struct world, api);
}

static void on_next(struct hg_runtime_api *api)
{
    of(api)->polls++;
}

static void note(struct hg_runtime_api *api, const struct hg_runtime_post *post, const char *kind)
{
    struct world *w = of(api);

    snprintf(w->posted, sizeof(w->posted), "%.*s", HG_STR_ARG(hg_blob_str(post->body)));
    snprintf(w->kind, sizeof(w->kind), "%s", kind);
    snprintf(w->error_type, sizeof(w->error_type), "%s", post->error_type);
    snprintf(w->content_type, sizeof(w->content_type), "%s", post->content_type);
}

static void on_response(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    note(api, post, "response");
}

static void on_error(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    note(api, post, "error");
}

static void on_init_error(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    note(api, post, "init");
}

static void on_fault(struct hg_runtime_api *api, enum hg_runtime_fault fault)
{
    of(api)->faults++;
    of(api)->fault = fault;
}

static void on_lost(struct hg_runtime_api *api)
{
    of(api)->losses++;
}

static const struct hg_runtime_events events = {on_next,  on_lost,       on_response,
                                                on_error, on_init_error, on_fault};

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) != 0)
        return -1;
    w->loop = hg_loop_new(0);
    w->scratch = malloc(HG_RUNTIME_READ_BYTES);
    w->fd = fds[0];
    w->event = hg_blob_new("{\"a\":1}", 7);
    w->delivery = (struct hg_delivery){.request_id = ID,
                                       .deadline_ms = 1767322800123,
                                       .invoked_arn = "arn:aws:f",
                                       .trace_id = "Root=1-2;Sampled=0",
                                       .event = w->event};
    runtime_api_init(&w->api, w->loop, &events, w->scratch);
    runtime_api_open(&w->api, fds[1], -1);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    runtime_api_close(&w->api);
    hg_loop_turn(w->loop, false);
    hg_loop_free(w->loop);
    hg_blob_unref(w->event);
    (void)close(w->fd);
    free(w->scratch);
    free(w);
    return 0;
}

/* Sends what the runtime says; afterwards w->said holds all that came back. */
static void say(struct world *w, const char *text)
{
    size_t length = strlen(text);

    while (length) {
        ssize_t wrote = write(w->fd, text, length);

        if (wrote > 0) {
            text += wrote;
            length -= (size_t)wrote;
        }
        hg_loop_turn(w->loop, false);
    }
    hg_loop_turn(w->loop, false);
    {
        ssize_t got = read(w->fd, w->said, sizeof(w->said) - 1);

        w->said[got > 0 ? got : 0] = '\0';
    }
}

static void hear(struct world *w)
{
    say(w, "");
}

static void run_event(struct world *w)
{
    say(w, NEXT);
    runtime_api_deliver(&w->api, &w->delivery);
    hear(w);
    assert_string_equal(w->said, EVENT);
}

static char post_text[512];

static const char *post(const char *path, const char *more, const char *body)
{
    snprintf(post_text, sizeof(post_text),
             "POST /2018-06-01/runtime/%s HTTP/1.1\r\nHost: r\r\n%sContent-Length: %zu\r\n\r\n%s",
             path, more, strlen(body), body);
    return post_text;
}

static void expect_reply(struct world *w, int status, const char *body)
{
    char start[32];
    const char *end = strstr(w->said, "\r\n\r\n");

    snprintf(start, sizeof(start), "HTTP/1.1 %d ", status);
    assert_memory_equal(w->said, start, strlen(start));
    assert_non_null(end);
    assert_string_equal(end + 4, body);
}

static void event_and_answer(void **state)
{
    struct world *w = *state;

    run_event(w);
    assert_int_equal(w->polls, 1);
    say(w, post("invocation/" ID "/response", "Content-Type: application/x\r\n", "42"));
    assert_string_equal(w->said, ACK);
    assert_string_equal(w->kind, "response");
    assert_string_equal(w->posted, "42");
    assert_string_equal(w->content_type, "application/x");
    say(w, NEXT);
    assert_int_equal(w->polls, 2);
    assert_string_equal(w->said, "");
}

static void acknowledgement_travels_with_the_next_event(void **state)
{
    struct world *w = *state;
    char both[1024];

    run_event(w);
    snprintf(both, sizeof(both), "%s" NEXT, post("invocation/" ID "/response", "", "1"));
    say(w, both);
    assert_int_equal(w->polls, 2);
    assert_string_equal(w->said, "");
    runtime_api_deliver(&w->api, &w->delivery);
    hear(w);
    assert_string_equal(w->said, ACK EVENT);
}

static void event_given_before_it_is_asked_for(void **state)
{
    struct world *w = *state;

    runtime_api_deliver(&w->api, &w->delivery);
    say(w, NEXT);
    assert_string_equal(w->said, EVENT);
    assert_int_equal(w->polls, 0);
}

static void asking_again_delivers_again(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, NEXT);
    assert_string_equal(w->said, EVENT);
}

static void header_values_cannot_end_their_line(void **state)
{
    struct world *w = *state;

    w->delivery.client_context = HG_STR("{\r\nX-Evil: 1\n}");
    say(w, NEXT);
    runtime_api_deliver(&w->api, &w->delivery);
    hear(w);
    assert_non_null(
        strstr(w->said, "Lambda-Runtime-Client-Context: {  X-Evil: 1 }\r\nContent-Length: 7\r\n"));
}

static void wrong_request_id(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, post("invocation/00000000-0000-4000-8000-000000000000/response", "", "1"));
    expect_reply(w, 400,
                 "{\"errorMessage\":\"Invalid request ID\",\"errorType\":\"InvalidRequestID\"}");
    assert_string_equal(w->kind, "");
}

static void second_answer_is_refused(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, post("invocation/" ID "/response", "", "1"));
    say(w, post("invocation/" ID "/response", "", "2"));
    expect_reply(w, 403, REFUSED("RuntimeResponseSentState", "InvocationResponse"));
    say(w, post("invocation/" ID "/error", "", "2"));
    expect_reply(w, 403, REFUSED("RuntimeResponseSentState", "InvocationErrorResponse"));
    assert_string_equal(w->posted, "1");
}

static void answer_before_next_is_refused(void **state)
{
    struct world *w = *state;

    say(w, post("invocation/" ID "/response", "", "1"));
    expect_reply(w, 403, REFUSED("Started", "InvocationResponse"));
}

static void init_error_only_before_next(void **state)
{
    struct world *w = *state;

    say(w, post("init/error", "Lambda-Runtime-Function-Error-Type: Function.Own\r\n", "{}"));
    assert_string_equal(w->said, ACK);
    assert_string_equal(w->kind, "init");
    assert_string_equal(w->error_type, "Function.Own");
    say(w, NEXT);
    expect_reply(w, 403, REFUSED("InitError", "Ready"));
}

static void init_error_after_next_is_refused(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, post("init/error", "", "{}"));
    expect_reply(w, 403, REFUSED("Running", "InitError"));
}

static void error_types_are_made_harmless(void **state)
{
    static const struct {
        const char *sent, *seen;
    } cases[] = {
        {"Runtime.Own", "Runtime.Own"},       {"Function.Own", "Function.Own"},
        {"Function.own", "Function.Unknown"}, {"Function.O", "Function.Unknown"},
        {"Own", "Runtime.Unknown"},           {"Runtime.Own1", "Runtime.Unknown"},
    };
    struct world *w = *state;

    for (size_t i = 0; i < HG_COUNT(cases); i++) {
        char header[100];

        run_event(w);
        snprintf(header, sizeof(header), "Lambda-Runtime-Function-Error-Type: %s\r\n",
                 cases[i].sent);
        say(w, post("invocation/" ID "/error", header, "no json"));
        assert_string_equal(w->kind, "error");
        assert_string_equal(w->posted, "no json");
        assert_string_equal(w->error_type, cases[i].seen);
    }
}

static void chunked_answer(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: r\r\n"
           "Transfer-Encoding: chunked\r\n\r\n3\r\n{\"b\r\n4;x=y\r\n\":2}\r\n0\r\n\r\n");
    assert_string_equal(w->said, ACK);
    assert_string_equal(w->posted, "{\"b\":2}");
}

static void broken_stream_is_an_error(void **state)
{
    struct world *w = *state;

    run_event(w);
    /* e30= is {} */
    say(w, "POST /2018-06-01/runtime/invocation/" ID "/response HTTP/1.1\r\nHost: r\r\n"
           "Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n0\r\nLambda-Runtime-Function-Error-Type: Function.Own\r\n"
           "Lambda-Runtime-Function-Error-Body: e30=\r\n\r\n");
    assert_string_equal(w->kind, "error");
    assert_string_equal(w->posted, "{}");
    assert_string_equal(w->error_type, "Function.Own");
}

static void bad_response_mode(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, post("invocation/" ID "/response",
                "Lambda-Runtime-Function-Response-Mode: Streaming\r\n", "1"));
    expect_reply(w, 400,
                 "{\"errorMessage\":\"Invalid function response mode\","
                 "\"errorType\":\"InvalidFunctionResponseMode\"}");
    assert_int_equal(w->faults, 1);
    assert_int_equal(w->fault, HG_RUNTIME_BAD_MODE);
}

static void too_large_answer_by_length(void **state)
{
    struct world *w = *state;
    char *body = malloc(6291558);

    memset(body, 'x', 6291557);
    body[6291557] = '\0';
    run_event(w);
    say(w, "POST /2018-06-01/runtime/invocation/" ID
           "/response HTTP/1.1\r\nHost: r\r\nContent-Length: 6291557\r\n\r\n");
    /* The invocation fails at once; the reply waits for the body. */
    assert_int_equal(w->faults, 1);
    assert_int_equal(w->fault, HG_RUNTIME_TOO_LARGE);
    assert_string_equal(w->said, "");
    say(w, body);
    expect_reply(w, 413,
                 "{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
                 "\"errorType\":\"RequestEntityTooLarge\"}");
    say(w, NEXT);
    assert_int_equal(w->polls, 2);
    free(body);
}

static void truncated_answer(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, "POST /2018-06-01/runtime/invocation/" ID
           "/response HTTP/1.1\r\nHost: r\r\nContent-Length: 10\r\n\r\n{");
    (void)shutdown(w->fd, SHUT_WR);
    hear(w);
    assert_int_equal(w->faults, 1);
    assert_int_equal(w->fault, HG_RUNTIME_TRUNCATED);
    expect_reply(w, 400,
                 "{\"errorMessage\":\"HTTP request detected as truncated\","
                 "\"errorType\":\"TruncatedHTTPRequest\"}");
}

static void ambiguous_framing_closes(void **state)
{
    struct world *w = *state;
    char byte;

    run_event(w);
    say(w, "POST /2018-06-01/runtime/invocation/" ID
           "/response HTTP/1.1\r\nHost: r\r\nContent-Length: 2\r\n"
           "Transfer-Encoding: chunked\r\n\r\n{}");
    expect_reply(
        w, 400,
        "{\"errorMessage\":\"The HTTP request is malformed\",\"errorType\":\"InvalidRequestFormat\"}");
    assert_int_equal(read(w->fd, &byte, 1), 0);
    assert_int_equal(w->api.conn_count, 0);
    assert_string_equal(w->kind, "");
}

static void what_is_not_there_says_so(void **state)
{
    struct world *w = *state;

    say(w, "GET /2018-06-01/runtime/restore/next HTTP/1.1\r\nHost: r\r\n\r\n");
    expect_reply(
        w, 501,
        "{\"errorMessage\":\"SnapStart is not available yet\",\"errorType\":\"NotImplemented\"}");
    say(w,
        "POST /2020-01-01/extension/register HTTP/1.1\r\nHost: r\r\nContent-Length: 2\r\n\r\n{}");
    expect_reply(
        w, 501,
        "{\"errorMessage\":\"The Extensions, Telemetry and Logs APIs are not available yet\","
        "\"errorType\":\"NotImplemented\"}");
    say(w, "GET /2018-06-01/runtime/nothing HTTP/1.1\r\nHost: r\r\n\r\n");
    expect_reply(
        w, 404,
        "{\"errorMessage\":\"No such path in the Runtime API\",\"errorType\":\"NotFound\"}");
    say(w, "GET /2018-06-01/runtime/init/error HTTP/1.1\r\nHost: r\r\n\r\n");
    expect_reply(w, 405,
                 "{\"errorMessage\":\"Method not allowed\",\"errorType\":\"MethodNotAllowed\"}");
}

static void bytes_may_come_one_by_one(void **state)
{
    struct world *w = *state;
    const char *text;

    run_event(w);
    text = post("invocation/" ID "/response", "", "{\"slow\":true}");
    for (; text[1]; text++) {
        char one[2] = {text[0], '\0'};

        say(w, one);
        assert_string_equal(w->said, "");
    }
    say(w, text);
    assert_string_equal(w->said, ACK);
    assert_string_equal(w->posted, "{\"slow\":true}");
}

static void lost_poll_is_told(void **state)
{
    struct world *w = *state;
    int fds[2];

    say(w, NEXT);
    assert_int_equal(w->polls, 1);
    assert_int_equal(close(w->fd), 0);
    hg_loop_turn(w->loop, false);
    assert_int_equal(w->losses, 1);
    /* It may come back on another connection, and asks anew. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    (void)runtime_conn_new(&w->api, fds[1]);
    w->fd = fds[0];
    say(w, NEXT);
    assert_int_equal(w->polls, 2);
    runtime_api_deliver(&w->api, &w->delivery);
    hear(w);
    assert_string_equal(w->said, EVENT);
}

static void large_body_after_expect_continue(void **state)
{
    struct world *w = *state;

    run_event(w);
    say(w, "POST /2018-06-01/runtime/invocation/" ID
           "/response HTTP/1.1\r\nHost: r\r\nContent-Length: 3\r\n"
           "Expect: 100-continue\r\n\r\n");
    assert_string_equal(w->said, "HTTP/1.1 100 Continue\r\n\r\n");
    say(w, "123");
    assert_string_equal(w->said, ACK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(event_and_answer),
        TEST(acknowledgement_travels_with_the_next_event),
        TEST(event_given_before_it_is_asked_for),
        TEST(asking_again_delivers_again),
        TEST(header_values_cannot_end_their_line),
        TEST(wrong_request_id),
        TEST(second_answer_is_refused),
        TEST(answer_before_next_is_refused),
        TEST(init_error_only_before_next),
        TEST(init_error_after_next_is_refused),
        TEST(error_types_are_made_harmless),
        TEST(chunked_answer),
        TEST(broken_stream_is_an_error),
        TEST(bad_response_mode),
        TEST(too_large_answer_by_length),
        TEST(truncated_answer),
        TEST(ambiguous_framing_closes),
        TEST(what_is_not_there_says_so),
        TEST(bytes_may_come_one_by_one),
        TEST(large_body_after_expect_continue),
        TEST(lost_poll_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
