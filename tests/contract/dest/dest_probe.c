/*
 * dest_probe TARGET ROLE [COUNT [cancel]] < BODY
 *
 * Sends BODY to TARGET as a record (ROLE: success, failure) or as a dead
 * letter (dead-letter), COUNT times side by side, and prints one line of JSON
 * for each: how it ended. With "cancel" every one is cancelled at once, and
 * what was done all the same is printed after a while. Exit code 1: the
 * target was refused, the sentence is on standard output.
 */
#include "core/json_write.h"
#include "http/client.h"
#include "router/dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 64, BODY_MAX = 8 << 20, CANCEL_WAIT_MS = 500 };

struct probe {
    struct hg_dest_op op;
    unsigned done;
};

static struct probe probes[COUNT_MAX];
static unsigned left;
static bool is_inside_send;
static struct hg_loop *loop;

static void print_result(const struct hg_dest_op *op)
{
    struct hg_buf out;
    struct hg_json json;

    hg_buf_init(&out, 16 * 1024);
    json = hg_json_to(&out);
    hg_json_begin_object(&json);
    hg_json_field_bool(&json, "ok", op->rc == HG_OK);
    hg_json_field_bool(&json, "again", hg_rc_again(op->rc));
    hg_json_field_bool(&json, "final", op->is_final);
    hg_json_field_cstr(&json, "receipt", op->receipt);
    hg_json_field_cstr(&json, "why", op->why);
    hg_json_end_object(&json);
    (void)printf("%.*s\n", HG_STR_ARG(hg_buf_str(&out)));
    hg_buf_fini(&out);
}

static void on_sent(struct hg_dest_op *op)
{
    struct probe *probe = hg_container_of(op, struct probe, op);

    hg_assert(!is_inside_send && !probe->done);
    probe->done++;
    print_result(op);
    if (--left == 0)
        hg_loop_stop(loop);
}

static void read_body(struct hg_buf *body)
{
    size_t got;

    hg_buf_init(body, BODY_MAX);
    do {
        char *room = hg_buf_reserve(body, 4096);

        hg_assert(room != NULL);
        got = fread(room, 1, 4096, stdin);
        hg_buf_commit(body, got);
    } while (got);
}

/* An event whose every text is known to the tests. */
static struct hg_event *make_event(enum hg_target_role role)
{
    struct hg_event *event =
        hg_event_new(HG_STR("orders"), HG_STR("live"), hg_blob_new("{\"n\":1}", 7));
    struct hg_event_attempt attempt = {
        .started_ms = 1767323045000, /* 2026-01-02T03:04:05Z */
        .duration_ms = 678,
        .count = 1,
    };

    (void)snprintf(event->id, sizeof(event->id), "7b1c2f6e-7e0e-4e0e-9d0e-0c9a8b7d6e5f");
    (void)snprintf(event->trace_id, sizeof(event->trace_id),
                   "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=3995c3f42cd8ad8d;Sampled=0");
    event->accepted_ms = attempt.started_ms - 1000;
    event->condition =
        role == HG_TARGET_ON_SUCCESS ? HG_CONDITION_SUCCESS : HG_CONDITION_RETRIES_EXHAUSTED;
    hg_event_note_attempt(event, &attempt);
    return event;
}

static enum hg_target_role role_of(const char *text)
{
    if (strcmp(text, "success") == 0)
        return HG_TARGET_ON_SUCCESS;
    return strcmp(text, "failure") == 0 ? HG_TARGET_ON_FAILURE : HG_TARGET_DEAD_LETTER;
}

static void send_all(struct hg_dest *dest, unsigned count, enum hg_target_role role,
                     const struct hg_event *event, struct hg_str body)
{
    left = count;
    is_inside_send = true;
    for (unsigned i = 0; i < count; i++) {
        struct hg_dest_op *op = &probes[i].op;

        op->event = event;
        op->role = role;
        op->body = body;
        op->done = on_sent;
        if (role == HG_TARGET_DEAD_LETTER) {
            (void)snprintf(op->error_code, sizeof(op->error_code), "200");
            (void)snprintf(op->error_message, sizeof(op->error_message), "no stock");
        }
        dest_send(dest, op);
    }
    is_inside_send = false;
}

static void on_wait_over(struct hg_timer *timer)
{
    (void)timer;
    hg_loop_stop(loop);
}

static void cancel_all(struct hg_dest *dest, unsigned count)
{
    struct hg_timer timer;

    for (unsigned i = 0; i < count; i++)
        dest_cancel(dest, &probes[i].op);
    hg_timer_init(&timer, loop, on_wait_over);
    hg_timer_start_ms(&timer, CANCEL_WAIT_MS);
    hg_loop_run(loop);
}

int main(int argc, char **argv)
{
    struct hg_http_client_options options = {0};
    struct hg_dest_context context = {.region = "us-east-1", .account = "000000000000"};
    unsigned count = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 1;
    struct hg_error err = {""};
    struct hg_event *event;
    struct hg_dest *dest;
    struct hg_buf body;

    if (argc < 3 || !count || count > COUNT_MAX)
        return 2;
    loop = hg_loop_new(0);
    options.loop = context.loop = loop;
    context.http = http_client_new(&options, &err);
    if (!context.http) {
        (void)printf("%s\n", err.text);
        return 1;
    }
    dest = dest_new(&context, argv[1], &err);
    if (!dest) {
        (void)printf("%s\n", err.text);
        return 1;
    }
    read_body(&body);
    event = make_event(role_of(argv[2]));
    send_all(dest, count, role_of(argv[2]), event, hg_buf_str(&body));
    if (argc > 4)
        cancel_all(dest, count);
    else
        hg_loop_run(loop);
    dest_free(dest);
    http_client_free(context.http);
    hg_event_free(event);
    hg_buf_fini(&body);
    hg_loop_free(loop);
    return 0;
}
