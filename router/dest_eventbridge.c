/*
 * arn:…:events:…:event-bus/… : one event for each record, put by EventBridge's
 * JSON protocol with the envelope of async.md §4.3.
 */
#include "core/clock.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "router/dest_aws.h"

#include <stdlib.h>

enum {
    BUS_NAME_MAX = 256,
    ENTRY_MAX = 256 * 1024, /* what the service takes for one entry */
    TIME_COUNTS_AS = 14,    /* in that sum */
    FRAME_MAX = 16 * 1024,
};

static const struct aws_service service = {"EventBridge", "EVENTBRIDGE", "events", "events"};

struct eventbridge {
    struct aws_peer peer;
};

static bool matches(struct hg_str target)
{
    return aws_arn_is_of(target, "events");
}

static enum hg_rc bind_bus(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct eventbridge *bridge = hg_calloc(1, sizeof(*bridge));
    enum hg_rc rc = aws_peer_init(&bridge->peer, dest, &service, err);
    const struct aws_arn *arn = &bridge->peer.arn;
    struct hg_str prefix = HG_STR("event-bus/");

    if (rc == HG_OK &&
        (!arn->region.n || !aws_is_account(arn->account) || !hg_str_starts(arn->resource, prefix) ||
         !aws_is_name(hg_str_skip(arn->resource, prefix.n), BUS_NAME_MAX, "/.-_")))
        rc =
            hg_error_set(err, HG_E_INVALID,
                         "%s: a bus's ARN is arn:aws:events:REGION:ACCOUNT:event-bus/NAME", target);
    if (rc != HG_OK) {
        free(bridge);
        return rc;
    }
    dest->state = bridge;
    return HG_OK;
}

/* The record names the function as it was addressed; the envelope repeats it. */
static struct hg_str function_arn(struct hg_str record)
{
    struct hg_json_value context = hg_json_parse(record, NULL);

    if (context.kind == HG_JSON_OBJECT)
        context = hg_json_member(context, "requestContext");
    if (context.kind == HG_JSON_OBJECT)
        context = hg_json_member(context, "functionArn");
    if (context.kind != HG_JSON_STRING || !hg_json_plain(context).p)
        return HG_STR("");
    return hg_json_plain(context);
}

/* False: the entry is more than the service takes. */
static bool write_entry(struct hg_buf *out, const char *bus, const struct hg_dest_op *op)
{
    struct hg_json json = hg_json_to(out);
    struct hg_str source = HG_STR("lambda"), function = function_arn(op->body);
    struct hg_str type = op->role == HG_TARGET_ON_SUCCESS
                             ? HG_STR("Lambda Function Invocation Result - Success")
                             : HG_STR("Lambda Function Invocation Result - Failure");

    if (TIME_COUNTS_AS + source.n + type.n + strlen(bus) + function.n + op->body.n > ENTRY_MAX)
        return false;
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "Entries");
    hg_json_begin_array(&json);
    hg_json_begin_object(&json);
    hg_json_field_i64(&json, "Time", hg_wall_ms() / 1000);
    hg_json_field_str(&json, "Source", source);
    hg_json_key_lit(&json, "Resources");
    hg_json_begin_array(&json);
    hg_json_cstr(&json, bus);
    hg_json_str(&json, function);
    hg_json_end_array(&json);
    hg_json_field_str(&json, "DetailType", type);
    hg_json_field_str(&json, "Detail", op->body);
    hg_json_field_cstr(&json, "EventBusName", bus);
    if (op->event->trace_id[0])
        hg_json_field_cstr(&json, "TraceHeader", op->event->trace_id);
    hg_json_end_object(&json);
    hg_json_end_array(&json);
    hg_json_end_object(&json);
    hg_assert(!out->is_overflown);
    return true;
}

/* The text of a member, as it stands, for codes and ids that need no escapes. */
static struct hg_str text_of(struct hg_json_value object, const char *name)
{
    struct hg_json_value value = hg_json_member(object, name);

    return value.kind == HG_JSON_STRING && hg_json_plain(value).p ? hg_json_plain(value)
                                                                  : HG_STR("");
}

/* 200 does not mean accepted: each entry has its own answer. */
static void on_answer(struct aws_send *send)
{
    struct hg_json_value answer = hg_json_parse(hg_buf_str(&send->http.answer), NULL);
    struct hg_json_value entry = {HG_JSON_BAD, HG_STR("")};
    struct hg_str id, code;
    struct aws_fault fault;
    char receipt[64];

    if (answer.kind == HG_JSON_OBJECT)
        entry = hg_json_member(answer, "Entries");
    if (entry.kind == HG_JSON_ARRAY) {
        struct hg_json_walk walk = hg_json_walk(entry);

        if (!hg_json_next_element(&walk, &entry))
            entry.kind = HG_JSON_BAD;
    }
    if (entry.kind != HG_JSON_OBJECT) {
        aws_send_refuse_answer(send, "an entry");
        return;
    }
    code = text_of(entry, "ErrorCode");
    id = text_of(entry, "EventId");
    if (code.n) {
        aws_fault_set(&fault, 400, code, text_of(entry, "ErrorMessage"));
        aws_send_refuse(send, &fault);
    } else if (id.n && id.n < sizeof(receipt)) {
        memcpy(receipt, id.p, id.n);
        receipt[id.n] = '\0';
        aws_send_accept(send, receipt);
    } else {
        aws_send_refuse_answer(send, "an event's id");
    }
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct aws_request request = {
        .method = "POST",
        .path = "/",
        .headers = {{HG_STR("Content-Type"), HG_STR("application/x-amz-json-1.1")},
                    {HG_STR("X-Amz-Target"), HG_STR("AWSEvents.PutEvents")}},
        .header_count = 2,
    };
    struct aws_send *send;

    if (op->role == HG_TARGET_DEAD_LETTER) {
        dest_refuse_later(dest, op, HG_E_INVALID, true,
                          "EventBridge: a bus cannot be a dead-letter queue");
        return;
    }
    send = aws_send_new(dest, op, op->body.n * 6 + FRAME_MAX);
    if (!send)
        return;
    if (!write_entry(&send->body, dest->target, op)) {
        aws_cancel(dest, op);
        dest_refuse_later(
            dest, op, HG_E_TOO_LARGE, true,
            "EventBridge: the record has %zu bytes, and an entry takes at most 256 KB", op->body.n);
        return;
    }
    send->on_answer = on_answer;
    aws_send_call(send, &request);
}

static void unbind_bus(struct hg_dest *dest)
{
    free(dest->state);
}

const struct hg_dest_ops hg_dest_eventbridge = {
    .type = "eventbridge",
    .matches = matches,
    .bind = bind_bus,
    .send = send_record,
    .cancel = aws_cancel,
    .unbind = unbind_bus,
};
