/*
 * arn:…:sqs:… : one message for each record, by SQS's JSON protocol. The
 * queue's URL is asked for once and again when the queue is not there.
 */
#include "core/json_write.h"
#include "router/dest_aws.h"

#include <stdlib.h>

enum { QUEUE_NAME_MAX = 80, QUEUE_URL_MAX = 1024, FRAME_MAX = 16 * 1024 };

static const struct aws_service service = {"SQS", "SQS", "sqs", "sqs"};

struct sqs {
    struct aws_peer peer;
    char url[QUEUE_URL_MAX]; /* "" until it is known */
};

static bool matches(struct hg_str target)
{
    return aws_arn_is_of(target, "sqs");
}

static enum hg_rc bind_queue(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct sqs *sqs = hg_calloc(1, sizeof(*sqs));
    enum hg_rc rc = aws_peer_init(&sqs->peer, dest, &service, err);
    const struct aws_arn *arn = &sqs->peer.arn;

    if (rc == HG_OK && hg_str_ends(arn->resource, HG_STR(".fifo")))
        rc = hg_error_set(err, HG_E_INVALID, "%s: a FIFO queue cannot be a destination", target);
    else if (rc == HG_OK && (!arn->region.n || !aws_is_account(arn->account) ||
                             !aws_is_name(arn->resource, QUEUE_NAME_MAX, "-_")))
        rc = hg_error_set(err, HG_E_INVALID, "%s: a queue's ARN is arn:aws:sqs:REGION:ACCOUNT:NAME",
                          target);
    if (rc != HG_OK) {
        free(sqs);
        return rc;
    }
    dest->state = sqs;
    return HG_OK;
}

static void call(struct aws_send *send, const char *operation)
{
    struct aws_request request = {
        .method = "POST",
        .path = "/",
        .headers = {{HG_STR("Content-Type"), HG_STR("application/x-amz-json-1.0")},
                    {HG_STR("X-Amz-Target"), hg_str_of(operation)}},
        .header_count = 2,
    };

    aws_send_call(send, &request);
}

static void write_attribute(struct hg_json *json, const struct aws_attribute *attribute)
{
    hg_json_key(json, hg_str_of(attribute->name));
    hg_json_begin_object(json);
    hg_json_field_cstr(json, "DataType", attribute->type);
    hg_json_field_cstr(json, "StringValue", attribute->value);
    hg_json_end_object(json);
}

static void write_message(struct hg_buf *out, const struct sqs *sqs, const struct hg_dest_op *op)
{
    struct hg_json json = hg_json_to(out);
    struct aws_attribute attributes[AWS_ATTRIBUTES_MAX];
    struct aws_attribute trace = {"AWSTraceHeader", "String", op->event->trace_id};
    size_t count = aws_attributes(op, attributes);

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "QueueUrl", sqs->url);
    hg_json_field_str(&json, "MessageBody", op->body);
    if (count) {
        hg_json_key_lit(&json, "MessageAttributes");
        hg_json_begin_object(&json);
        for (size_t i = 0; i < count; i++)
            write_attribute(&json, &attributes[i]);
        hg_json_end_object(&json);
    } else if (trace.value[0]) {
        hg_json_key_lit(&json, "MessageSystemAttributes");
        hg_json_begin_object(&json);
        write_attribute(&json, &trace);
        hg_json_end_object(&json);
    }
    hg_json_end_object(&json);
}

static void on_message_answered(struct aws_send *send)
{
    char id[HG_EVENT_WHY_MAX];

    if (aws_answer_member(send, "MessageId", id, sizeof(id)))
        aws_send_accept(send, id);
    else
        aws_send_refuse_answer(send, "a message id");
}

static void ask_for_url(struct aws_send *send);

static bool on_message_refused(struct aws_send *send, const struct aws_fault *fault)
{
    struct sqs *sqs = hg_container_of(send->peer, struct sqs, peer);

    if (!strstr(fault->code, "QueueDoesNotExist") && !strstr(fault->code, "NonExistentQueue"))
        return false;
    /* Deleted and made anew, perhaps: one more look. */
    sqs->url[0] = '\0';
    send->was_mended = true;
    ask_for_url(send);
    return true;
}

static void send_message(struct aws_send *send)
{
    struct sqs *sqs = hg_container_of(send->peer, struct sqs, peer);

    hg_buf_clear(&send->body, 0);
    write_message(&send->body, sqs, send->op);
    hg_assert(!send->body.is_overflown);
    send->on_answer = on_message_answered;
    send->on_refusal = on_message_refused;
    call(send, "AmazonSQS.SendMessage");
}

static void on_url_answered(struct aws_send *send)
{
    struct sqs *sqs = hg_container_of(send->peer, struct sqs, peer);

    if (aws_answer_member(send, "QueueUrl", sqs->url, sizeof(sqs->url)))
        send_message(send);
    else
        aws_send_refuse_answer(send, "a queue's URL");
}

static void ask_for_url(struct aws_send *send)
{
    struct hg_json json;

    hg_buf_clear(&send->body, 0);
    json = hg_json_to(&send->body);
    hg_json_begin_object(&json);
    hg_json_field_str(&json, "QueueName", send->peer->arn.resource);
    hg_json_field_str(&json, "QueueOwnerAWSAccountId", send->peer->arn.account);
    hg_json_end_object(&json);
    send->on_answer = on_url_answered;
    send->on_refusal = NULL;
    call(send, "AmazonSQS.GetQueueUrl");
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct sqs *sqs = dest->state;
    struct aws_send *send = aws_send_new(dest, op, op->body.n * 6 + FRAME_MAX);

    if (!send)
        return;
    if (sqs->url[0])
        send_message(send);
    else
        ask_for_url(send);
}

static void unbind_queue(struct hg_dest *dest)
{
    free(dest->state);
}

const struct hg_dest_ops hg_dest_sqs = {
    .type = "sqs",
    .matches = matches,
    .bind = bind_queue,
    .send = send_record,
    .cancel = aws_cancel,
    .unbind = unbind_queue,
};
