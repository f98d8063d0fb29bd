/*
 * arn:…:s3:::bucket : one object for each record of a failure, with the key of
 * async.md §4.4.
 */
#include "core/clock.h"
#include "core/uri.h"
#include "http/client_url.h"
#include "router/dest_aws.h"
#include "router/dest_name.h"

#include <stdio.h>
#include <stdlib.h>

enum { BUCKET_MIN = 3, BUCKET_MAX = 63, KEY_MAX = 512, PATH_MAX_BYTES = 2048 };

static const struct aws_service service = {"S3", "S3", "s3", "s3"};

struct s3 {
    struct aws_peer peer;
    bool is_path_style; /* the bucket is in the path, not in the host's name */
};

static bool matches(struct hg_str target)
{
    return aws_arn_is_of(target, "s3");
}

static bool is_bucket(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] >= 'A' && text.p[i] <= 'Z')
            return false;
    return aws_is_name(text, BUCKET_MAX, ".-") && text.n >= BUCKET_MIN && text.p[0] != '.' &&
           text.p[0] != '-' && hg_str_find_str(text, HG_STR("..")) < 0;
}

/* The endpoint for the bucket in peer.region. */
static enum hg_rc locate(struct s3 *s3, struct hg_error *err)
{
    struct aws_peer *peer = &s3->peer;
    struct hg_str bucket = peer->arn.resource;
    enum hg_rc rc = aws_peer_locate(peer, err);
    char plain[AWS_BASE_MAX];

    /* A dot in the bucket's name would match no certificate; own endpoints seldom have names for buckets. */
    s3->is_path_style = peer->endpoint.source[0] || hg_str_find(bucket, '.') >= 0;
    if (rc != HG_OK || s3->is_path_style)
        return rc;
    memcpy(plain, peer->endpoint.base, sizeof(plain));
    (void)snprintf(peer->endpoint.base, sizeof(peer->endpoint.base), "https://%.*s.%.400s",
                   HG_STR_ARG(bucket), plain + strlen("https://"));
    return HG_OK;
}

static enum hg_rc bind_bucket(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct s3 *s3 = hg_calloc(1, sizeof(*s3));
    enum hg_rc rc = aws_peer_init(&s3->peer, dest, &service, err);

    if (rc == HG_OK && !is_bucket(s3->peer.arn.resource))
        rc = hg_error_set(err, HG_E_INVALID, "%s: a bucket's ARN is arn:aws:s3:::BUCKET", target);
    if (rc == HG_OK)
        rc = locate(s3, err);
    if (rc != HG_OK) {
        free(s3);
        return rc;
    }
    dest->state = s3;
    return HG_OK;
}

/* aws/lambda/async/NAME/2026/01/02/2026-01-02T03.04.05-UUID */
static void write_key(const struct hg_dest_op *op, char out[KEY_MAX])
{
    char time[HG_TIME_TEXT_MAX], uuid[HG_UUID_LEN + 1];

    hg_time_iso(dest_outcome_ms(op->event), time);
    dest_record_uuid(op, uuid);
    (void)snprintf(out, KEY_MAX, "aws/lambda/async/%s/%.4s/%.2s/%.2s/%.13s.%.2s.%.2s-%s",
                   op->event->function, time, time + 5, time + 8, time, time + 14, time + 17, uuid);
}

static void put_object(struct aws_send *send)
{
    const struct s3 *s3 = hg_container_of(send->peer, struct s3, peer);
    struct aws_request request = {
        .method = "PUT",
        .headers = {{HG_STR("Content-Type"), HG_STR("application/json")}},
        .header_count = 1,
        .is_s3 = true,
    };
    char key[KEY_MAX];
    struct hg_str rest, segment;
    struct hg_buf path;

    write_key(send->op, key);
    (void)snprintf(send->receipt, sizeof(send->receipt), "s3://%.*s/%.*s",
                   HG_STR_ARG(s3->peer.arn.resource), HG_EVENT_WHY_MAX - BUCKET_MAX - 8, key);
    hg_buf_init(&path, PATH_MAX_BYTES);
    if (s3->is_path_style) {
        hg_buf_append_byte(&path, '/');
        hg_buf_append_str(&path, s3->peer.arn.resource);
    }
    for (rest = hg_str_of(key); hg_str_next(&rest, '/', &segment);) {
        hg_buf_append_byte(&path, '/');
        hg_uri_encode(&path, segment);
    }
    hg_buf_append_byte(&path, '\0');
    hg_assert(!path.is_overflown);
    request.path = hg_buf_str(&path).p;
    aws_send_call(send, &request);
    hg_buf_fini(&path);
}

static void on_answer(struct aws_send *send)
{
    if (http_call_header(&send->http, "ETag").p)
        aws_send_accept(send, send->receipt);
    else
        aws_send_refuse_answer(send, "an ETag");
}

/* A bucket's ARN does not tell its region; the service does. */
static bool on_refusal(struct aws_send *send, const struct aws_fault *fault)
{
    struct s3 *s3 = hg_container_of(send->peer, struct s3, peer);
    struct hg_str region = http_call_header(&send->http, "x-amz-bucket-region");

    (void)fault;
    if (!aws_is_name(region, AWS_REGION_MAX, "-") || hg_str_eq(region, hg_str_of(s3->peer.region)))
        return false;
    (void)snprintf(s3->peer.region, sizeof(s3->peer.region), "%.*s", HG_STR_ARG(region));
    if (locate(s3, NULL) != HG_OK)
        return false;
    send->was_mended = true;
    put_object(send);
    return true;
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct aws_send *send;

    if (op->role != HG_TARGET_ON_FAILURE) {
        dest_refuse_later(dest, op, HG_E_INVALID, true,
                          "S3: a bucket takes records of failures only, not %s",
                          op->role == HG_TARGET_ON_SUCCESS ? "of successes" : "dead letters");
        return;
    }
    send = aws_send_new(dest, op, op->body.n);
    if (!send)
        return;
    hg_buf_append_str(&send->body, op->body);
    send->on_answer = on_answer;
    send->on_refusal = on_refusal;
    put_object(send);
}

static void unbind_bucket(struct hg_dest *dest)
{
    free(dest->state);
}

const struct hg_dest_ops hg_dest_s3 = {
    .type = "s3",
    .matches = matches,
    .bind = bind_bucket,
    .send = send_record,
    .cancel = aws_cancel,
    .unbind = unbind_bucket,
};
