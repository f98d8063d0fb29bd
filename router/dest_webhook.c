/*
 * http(s)://… : the record is posted, signed when HEADGATE_WEBHOOK_SECRET is
 * set. Redirects are not followed: the answer to the record itself counts.
 */
#include "core/clock.h"
#include "core/crypto.h"
#include "http/client.h"
#include "http/client_url.h"
#include "router/dest_name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADERS_MAX = 7, SIGNATURE_MAX = 80, STAMP_MAX = 24, ANSWER_MAX = 64 * 1024 };

struct webhook {
    struct hg_str secret; /* of the environment; empty: no signature */
};

struct posting {
    struct hg_http_call http;
    struct hg_dest_op *op;
    struct hg_header headers[HEADERS_MAX];
    char stamp[STAMP_MAX], signature[SIGNATURE_MAX],
        message[sizeof(((struct hg_dest_op *)0)->error_message)];
};

static bool matches(struct hg_str target)
{
    return hg_str_starts(target, HG_STR("http://")) || hg_str_starts(target, HG_STR("https://"));
}

static enum hg_rc bind_webhook(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct hg_http_url url;
    const char *fault = http_url_split(hg_str_of(target), &url);
    const char *secret = getenv("HEADGATE_WEBHOOK_SECRET");
    struct webhook *webhook;
    char shown[HG_EVENT_TARGET_MAX + 1];

    if (fault) {
        dest_show(target, shown);
        return hg_error_set(err, HG_E_INVALID, "%s: %s", shown, fault);
    }
    webhook = hg_calloc(1, sizeof(*webhook));
    webhook->secret = hg_str_of(secret ? secret : "");
    dest->state = webhook;
    return HG_OK;
}

/* sha256=HEX of HMAC-SHA256 over "STAMP.BODY". */
static void sign(struct posting *posting, struct hg_str secret, struct hg_str body)
{
    unsigned char mac[HG_SHA256_LEN];
    struct hg_buf text, out;

    hg_buf_init(&text, STAMP_MAX + 1 + body.n);
    hg_buf_append_cstr(&text, posting->stamp);
    hg_buf_append_byte(&text, '.');
    hg_buf_append_str(&text, body);
    hg_hmac_sha256(secret, hg_buf_str(&text), mac);
    hg_buf_fini(&text);
    hg_buf_init(&out, SIGNATURE_MAX);
    hg_buf_append_cstr(&out, "sha256=");
    hg_hex_encode(&out, mac, sizeof(mac));
    (void)snprintf(posting->signature, sizeof(posting->signature), "%.*s",
                   HG_STR_ARG(hg_buf_str(&out)));
    hg_buf_fini(&out);
}

static void add(struct posting *posting, const char *name, const char *value)
{
    if (value[0])
        posting->headers[posting->http.header_count++] =
            (struct hg_header){hg_str_of(name), hg_str_of(value)};
}

static void write_headers(struct posting *posting, const struct webhook *webhook)
{
    const struct hg_dest_op *op = posting->op;

    (void)snprintf(posting->stamp, sizeof(posting->stamp), "%" PRId64, hg_wall_ms() / 1000);
    add(posting, "Content-Type", "application/json");
    add(posting, "X-Headgate-Request-Id", op->event->id);
    add(posting, "X-Headgate-Condition", dest_condition(op));
    add(posting, "X-Headgate-Timestamp", posting->stamp);
    if (webhook->secret.n) {
        sign(posting, webhook->secret, op->body);
        add(posting, "X-Headgate-Signature", posting->signature);
    }
    if (op->role != HG_TARGET_DEAD_LETTER)
        return;
    /* A header is one line. */
    memcpy(posting->message, op->error_message, sizeof(posting->message));
    for (char *p = posting->message; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    add(posting, "X-Headgate-Error-Code", op->error_code);
    add(posting, "X-Headgate-Error-Message", posting->message);
}

static void posting_free(struct posting *posting)
{
    http_call_fini(&posting->http);
    free(posting);
}

static void refuse(struct hg_dest_op *op, int status, struct hg_str retry_after)
{
    bool is_final = status < 500 && status != 408 && status != 425 && status != 429;
    enum hg_rc rc = is_final ? (status == 404 ? HG_E_NOT_FOUND : HG_E_INVALID)
                             : (status == 429 ? HG_E_THROTTLED : HG_E_UNAVAILABLE);

    if (status / 100 == 3)
        dest_refuse(op, rc, true, "the webhook answered %d: redirects are not followed", status);
    else if (!is_final && retry_after.n)
        dest_refuse(op, rc, false, "the webhook answered %d, Retry-After: %.*s", status,
                    (int)HG_MIN(retry_after.n, (size_t)40), retry_after.p);
    else
        dest_refuse(op, rc, is_final, "the webhook answered %d", status);
}

static void on_answer(struct hg_http_call *call)
{
    struct posting *posting = hg_container_of(call, struct posting, http);
    struct hg_dest_op *op = posting->op;

    /* A long page behind a 2xx does not make it less of a 2xx. */
    if ((call->rc == HG_OK || call->rc == HG_E_TOO_LARGE) && call->status / 100 == 2)
        dest_accept(op, "%d", call->status);
    else if (call->rc == HG_OK || (call->rc == HG_E_TOO_LARGE && call->status))
        refuse(op, call->status, http_call_header(call, "Retry-After"));
    else
        dest_refuse(op, call->rc, call->rc == HG_E_INVALID, "the webhook: %s", call->why);
    posting_free(posting);
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct posting *posting = hg_calloc(1, sizeof(*posting));

    posting->op = op;
    posting->http.method = "POST";
    posting->http.url = dest->target;
    posting->http.headers = posting->headers;
    posting->http.body = op->body;
    posting->http.answer_max = ANSWER_MAX;
    posting->http.done = on_answer;
    write_headers(posting, dest->state);
    op->state = posting;
    http_call_submit(dest->context->http, &posting->http);
}

static void cancel_posting(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct posting *posting = op->state;

    (void)dest;
    http_call_cancel(&posting->http);
    posting_free(posting);
}

static void unbind_webhook(struct hg_dest *dest)
{
    free(dest->state);
}

const struct hg_dest_ops hg_dest_webhook = {
    .type = "webhook",
    .matches = matches,
    .bind = bind_webhook,
    .send = send_record,
    .cancel = cancel_posting,
    .unbind = unbind_webhook,
};
