/*
 * The part of the destinations' contract that needs no server: bad targets
 * are refused with a sentence, an unreachable peer is a failure worth another
 * try, done runs once and later, and never after cancel.
 */
#include "http/client.h"
#include "router/dest.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS_MAX = 20000 };

static struct hg_loop *loop;
static struct hg_dest_context context;
static struct hg_event *event;
static unsigned done_count;
static bool is_inside_send;
static char closed[32], closed_url[64]; /* nobody listens there */

static void on_done(struct hg_dest_op *op)
{
    (void)op;
    assert_false(is_inside_send);
    done_count++;
}

static int set_up(void **state)
{
    struct hg_http_client_options options = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(close(fd), 0);
    (void)snprintf(closed, sizeof(closed), "127.0.0.1:%u", ntohs(address.sin_port));
    (void)snprintf(closed_url, sizeof(closed_url), "http://%s", closed);
    (void)setenv("AWS_ENDPOINT_URL", closed_url, 1);
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test", 1);
    loop = hg_loop_new(0);
    options.loop = loop;
    context =
        (struct hg_dest_context){.loop = loop, .region = "us-east-1", .account = "000000000000"};
    context.http = http_client_new(&options, NULL);
    assert_non_null(context.http);
    event = hg_event_new(HG_STR("orders"), HG_STR(""), hg_blob_new("{}", 2));
    event->condition = HG_CONDITION_RETRIES_EXHAUSTED;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hg_event_free(event);
    http_client_free(context.http);
    hg_loop_free(loop);
    return 0;
}

static void turn_until_done(unsigned count)
{
    for (unsigned i = 0; done_count < count; i++) {
        assert_true(i < TURNS_MAX);
        /* What was deferred outside a turn is done by the first, and must not be waited for. */
        hg_loop_turn(loop, i > 0);
    }
}

static struct hg_dest_op operation(enum hg_target_role role)
{
    struct hg_dest_op op = {.event = event, .role = role, .body = HG_STR("{}"), .done = on_done};

    done_count = 0;
    if (role == HG_TARGET_DEAD_LETTER) {
        (void)snprintf(op.error_code, sizeof(op.error_code), "200");
        (void)snprintf(op.error_message, sizeof(op.error_message), "no stock");
    }
    return op;
}

static void send_one(struct hg_dest *dest, struct hg_dest_op *op)
{
    is_inside_send = true;
    dest_send(dest, op);
    is_inside_send = false;
}

/* Targets of every kind that has a peer; %s is closed. */
static const char *const good[] = {
    "arn:aws:sqs:eu-west-1:111122223333:failed",
    "arn:aws:sns:eu-west-1:111122223333:failed",
    "arn:aws:events:eu-west-1:111122223333:event-bus/results",
    "arn:aws:s3:::results",
    "http://%s/hook",
    "redis://%s/0?stream=records",
    "redis://%s/0?list=records",
    "kafka://records?brokers=%s",
};

static struct hg_dest *dest_of(const char *form)
{
    struct hg_dest *dest;
    struct hg_error err = {""};
    char target[256];
    const char *mark = strstr(form, "%s");

    (void)snprintf(target, sizeof(target), "%.*s%s%s", mark ? (int)(mark - form) : 0, form,
                   mark ? closed : "", mark ? mark + 2 : form);
    dest = dest_new(&context, target, &err);
    if (!dest)
        fail_msg("%s: %s", target, err.text);
    return dest;
}

static void expect_unreachable(const struct hg_dest_op *op, const char *target)
{
    assert_int_not_equal(op->rc, HG_OK);
    assert_false(op->is_final);
    if (!strstr(op->why, "onnect") || strstr(op->why, "secret"))
        fail_msg("%s: %s", target, op->why);
}

/* Three are sent, one of them is cancelled: the two others are done, once. */
static void test_unreachable_peer_is_worth_another_try(void **state)
{
    (void)state;
    for (size_t i = 0; i < HG_COUNT(good); i++) {
        struct hg_dest *dest = dest_of(good[i]);
        struct hg_dest_op ops[3];

        done_count = 0;
        for (size_t n = 0; n < HG_COUNT(ops); n++) {
            ops[n] = operation(HG_TARGET_ON_FAILURE);
            send_one(dest, &ops[n]);
        }
        dest_cancel(dest, &ops[1]);
        turn_until_done(2);
        for (unsigned turn = 0; turn < 10; turn++)
            hg_loop_turn(loop, false);
        assert_int_equal(done_count, 2);
        expect_unreachable(&ops[0], good[i]);
        assert_int_equal(ops[1].rc, HG_OK);
        expect_unreachable(&ops[2], good[i]);
        dest_free(dest);
    }
}

static void test_cancel_of_what_send_refused(void **state)
{
    struct hg_dest *dest = dest_of("arn:aws:s3:::results");
    struct hg_dest_op op = operation(HG_TARGET_ON_SUCCESS);

    (void)state;
    send_one(dest, &op);
    dest_cancel(dest, &op);
    hg_loop_turn(loop, false);
    assert_int_equal(done_count, 0);
    dest_free(dest);
}

static void test_bad_targets_are_refused(void **state)
{
    static const struct {
        const char *target, *sentence;
    } bad[] = {
        {"", "no destination"},
        {"ftp://example.org/", "no destination"},
        {"arn:aws:sqs:eu-west-1:111122223333:a.fifo", "FIFO"},
        {"arn:aws:sqs:eu-west-1:111122223333:", "no destination"},
        {"arn:aws:sqs:eu-west-1:1111:a", "arn:aws:sqs:REGION:ACCOUNT:NAME"},
        {"arn:aws:sqs::111122223333:a", "arn:aws:sqs:REGION:ACCOUNT:NAME"},
        {"arn:aws:sqs:evil.example/:111122223333:a", "no region"},
        {"arn:aws:sns:eu-west-1:111122223333:a.fifo", "FIFO"},
        {"arn:aws:sns:eu-west-1:111122223333:a:2b7c", "arn:aws:sns:REGION:ACCOUNT:NAME"},
        {"arn:aws:events:eu-west-1:111122223333:rule/a", "event-bus/NAME"},
        {"arn:aws:s3:::bucket/folder", "arn:aws:s3:::BUCKET"},
        {"arn:aws:s3:::UPPER", "arn:aws:s3:::BUCKET"},
        {"arn:aws:dynamodb:eu-west-1:111122223333:table/a", "no destination"},
        {"http://", "names no host"},
        {"https://user:secret@example.org:99999/", "port"},
        {"https://example.org/a#b", "fragment"},
        {"https://example.org/a b", "percent-encoded"},
        {"redis://127.0.0.1:1/0", "stream=NAME"},
        {"redis://user:secret@127.0.0.1:x/0?stream=a", "port"},
        {"kafka://", "topic"},
        {"kafka://a b", "topic"},
        {"file://host/dir/", "file:///path/"},
        {"file:dir", "file:///path/"},
        {"file:///dir?x", "%3F"},
        {"file:///dir%00", "no path"},
    };

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        struct hg_error err = {""};
        struct hg_dest *dest = dest_new(&context, bad[i].target, &err);

        assert_null(dest);
        if (!strstr(err.text, bad[i].sentence) || strstr(err.text, "secret"))
            fail_msg("%s: %s", bad[i].target, err.text);
    }
}

static void test_endpoints(void **state)
{
    static const char *const bad[] = {"nowhere", "http://user:secret@127.0.0.1/", "http://h/?q"};
    struct hg_error err = {""};

    (void)state;
    for (size_t i = 0; i < HG_COUNT(bad); i++) {
        (void)setenv("AWS_ENDPOINT_URL_SQS", bad[i], 1);
        assert_null(dest_new(&context, good[0], &err));
        assert_non_null(strstr(err.text, "AWS_ENDPOINT_URL_SQS"));
        assert_null(strstr(err.text, "secret"));
    }
    (void)unsetenv("AWS_ENDPOINT_URL_SQS");
    (void)unsetenv("AWS_ENDPOINT_URL");
    assert_null(dest_new(&context, "arn:aws-moon:sqs:sea-1:111122223333:q", &err));
    assert_non_null(strstr(err.text, "aws-moon"));
    (void)setenv("AWS_ENDPOINT_URL", closed_url, 1);
}

static void test_no_keys(void **state)
{
    struct hg_dest *dest = dest_of(good[0]);
    struct hg_dest_op op = operation(HG_TARGET_ON_FAILURE);

    (void)state;
    (void)unsetenv("AWS_ACCESS_KEY_ID");
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent/credentials", 1);
    send_one(dest, &op);
    turn_until_done(1);
    assert_false(op.is_final);
    assert_non_null(strstr(op.why, "AWS_ACCESS_KEY_ID"));
    assert_non_null(strstr(op.why, "/nonexistent/credentials"));
    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)unsetenv("AWS_SHARED_CREDENTIALS_FILE");
    dest_free(dest);
}

static void expect_refusal(const char *target, enum hg_target_role role, const char *sentence)
{
    struct hg_dest *dest = dest_of(target);
    struct hg_dest_op op = operation(role);

    send_one(dest, &op);
    turn_until_done(1);
    assert_int_not_equal(op.rc, HG_OK);
    assert_true(op.is_final);
    if (!strstr(op.why, sentence))
        fail_msg("%s: %s", target, op.why);
    dest_free(dest);
}

static void test_roles(void **state)
{
    (void)state;
    expect_refusal("arn:aws:s3:::results", HG_TARGET_ON_SUCCESS, "failures only");
    expect_refusal("arn:aws:s3:::results", HG_TARGET_DEAD_LETTER, "failures only");
    expect_refusal(good[2], HG_TARGET_DEAD_LETTER, "dead-letter");
    expect_refusal("file:///nonexistent-directory/", HG_TARGET_ON_FAILURE, "No such file");
}

static void test_show_hides_user_information(void **state)
{
    char shown[HG_EVENT_TARGET_MAX + 1];

    (void)state;
    dest_show("https://user:p@ss@example.org/a@b", shown);
    assert_string_equal(shown, "https://example.org/a@b");
    dest_show("redis://:secret@127.0.0.1:6379/0?stream=a", shown);
    assert_string_equal(shown, "redis://127.0.0.1:6379/0?stream=a");
    dest_show("arn:aws:s3:::results", shown);
    assert_string_equal(shown, "arn:aws:s3:::results");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unreachable_peer_is_worth_another_try),
        cmocka_unit_test(test_cancel_of_what_send_refused),
        cmocka_unit_test(test_bad_targets_are_refused),
        cmocka_unit_test(test_endpoints),
        cmocka_unit_test(test_no_keys),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_show_hides_user_information),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
