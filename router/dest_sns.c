/*
 * arn:…:sns:… : one notification for each record, by SNS's query protocol.
 */
#include "core/uri.h"
#include "router/dest_aws.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOPIC_NAME_MAX = 256, FRAME_MAX = 16 * 1024 };

static const struct aws_service service = {"SNS", "SNS", "sns", "sns"};

struct sns {
    struct aws_peer peer;
};

static bool matches(struct hg_str target)
{
    return aws_arn_is_of(target, "sns");
}

static enum hg_rc bind_topic(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct sns *sns = hg_calloc(1, sizeof(*sns));
    enum hg_rc rc = aws_peer_init(&sns->peer, dest, &service, err);
    const struct aws_arn *arn = &sns->peer.arn;

    if (rc == HG_OK && hg_str_ends(arn->resource, HG_STR(".fifo")))
        rc = hg_error_set(err, HG_E_INVALID, "%s: a FIFO topic cannot be a destination", target);
    else if (rc == HG_OK && (!arn->region.n || !aws_is_account(arn->account) ||
                             !aws_is_name(arn->resource, TOPIC_NAME_MAX, "-_")))
        rc = hg_error_set(err, HG_E_INVALID, "%s: a topic's ARN is arn:aws:sns:REGION:ACCOUNT:NAME",
                          target);
    if (rc != HG_OK) {
        free(sns);
        return rc;
    }
    dest->state = sns;
    return HG_OK;
}

static void add(struct hg_buf *out, const char *name, struct hg_str value)
{
    if (out->len)
        hg_buf_append_byte(out, '&');
    hg_buf_append_cstr(out, name);
    hg_buf_append_byte(out, '=');
    hg_uri_encode(out, value);
}

static void add_attribute(struct hg_buf *out, size_t number, const struct aws_attribute *attribute)
{
    const struct {
        const char *part, *value;
    } parts[] = {
        {"Name", attribute->name},
        {"Value.DataType", attribute->type},
        {"Value.StringValue", attribute->value},
    };
    char name[64];

    for (size_t i = 0; i < HG_COUNT(parts); i++) {
        (void)snprintf(name, sizeof(name), "MessageAttributes.entry.%zu.%s", number, parts[i].part);
        add(out, name, hg_str_of(parts[i].value));
    }
}

static void write_publish(struct hg_buf *out, const char *topic, const struct hg_dest_op *op)
{
    struct aws_attribute attributes[AWS_ATTRIBUTES_MAX] = {0};
    size_t count = aws_attributes(op, attributes);

    add(out, "Action", HG_STR("Publish"));
    add(out, "Version", HG_STR("2010-03-31"));
    add(out, "TopicArn", hg_str_of(topic));
    add(out, "Message", op->body);
    for (size_t i = 0; i < count; i++)
        add_attribute(out, i + 1, &attributes[i]);
}

static void on_answer(struct aws_send *send)
{
    char id[128];

    aws_xml_text(hg_buf_str(&send->http.answer), "MessageId", id, sizeof(id));
    if (id[0])
        aws_send_accept(send, id);
    else
        aws_send_refuse_answer(send, "a message id");
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct aws_send *send = aws_send_new(dest, op, op->body.n * 3 + FRAME_MAX);
    struct aws_request request = {
        .method = "POST",
        .path = "/",
        .headers = {{HG_STR("Content-Type"),
                     HG_STR("application/x-www-form-urlencoded; charset=utf-8")}},
        .header_count = 1,
    };

    if (!send)
        return;
    write_publish(&send->body, dest->target, op);
    hg_assert(!send->body.is_overflown);
    send->on_answer = on_answer;
    aws_send_call(send, &request);
}

static void unbind_topic(struct hg_dest *dest)
{
    free(dest->state);
}

const struct hg_dest_ops hg_dest_sns = {
    .type = "sns",
    .matches = matches,
    .bind = bind_topic,
    .send = send_record,
    .cancel = aws_cancel,
    .unbind = unbind_topic,
};
