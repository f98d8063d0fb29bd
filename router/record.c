/*
 * Writes records and reads error documents.
 */
#include "router/record.h"

#include "core/clock.h"
#include "core/json_scan.h"
#include "core/json_write.h"
#include "core/utf8.h"

#include <stdio.h>

/* As it is, but for the blanks between its tokens; a text that is no JSON becomes a string. */
static void put_value(struct hg_json *json, struct hg_str text, const char *when_empty)
{
    struct hg_json_value value;

    if (!text.n) {
        hg_json_raw(json, hg_str_of(when_empty));
        return;
    }
    value = hg_json_parse(text, NULL);
    if (value.kind == HG_JSON_BAD) {
        hg_json_str(json, text);
        return;
    }
    hg_json_raw(json, hg_str_n("", 0)); /* the comma */
    hg_json_compact(value, json->out);
}

static void put_request_context(struct hg_json *json, const struct hg_event *event,
                                struct hg_str arn)
{
    const char *qualifier = event->qualifier[0] ? event->qualifier : "$LATEST";

    hg_json_key_lit(json, "requestContext");
    hg_json_begin_object(json);
    hg_json_field_cstr(json, "requestId", event->id);
    hg_json_key_lit(json, "functionArn");
    hg_buf_append_byte(json->out, '"');
    hg_json_escape(json->out, arn);
    hg_buf_append_byte(json->out, ':');
    hg_json_escape(json->out, hg_str_of(qualifier));
    hg_buf_append_byte(json->out, '"');
    json->wants_comma = true;
    hg_json_field_cstr(json, "condition", hg_event_condition_name(event->condition));
    hg_json_field_i64(json, "approximateInvokeCount", event->tries);
    hg_json_end_object(json);
}

void record_write(const struct hg_event *event, struct hg_str arn, int64_t wall_ms,
                  struct hg_buf *out)
{
    struct hg_json json = hg_json_to(out);
    char time[HG_TIME_TEXT_MAX];

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "version", "1.0");
    hg_json_field_cstr(&json, "timestamp", hg_time_iso(wall_ms, time));
    put_request_context(&json, event, arn);
    hg_json_key_lit(&json, "requestPayload");
    put_value(&json, hg_blob_str(event->payload), "{}");
    if (event->executed_version[0]) {
        hg_json_key_lit(&json, "responseContext");
        hg_json_begin_object(&json);
        hg_json_field_i64(&json, "statusCode", 200);
        hg_json_field_cstr(&json, "executedVersion", event->executed_version);
        if (event->has_function_error)
            hg_json_field_cstr(&json, "functionError", "Unhandled");
        hg_json_end_object(&json);
        hg_json_key_lit(&json, "responsePayload");
        put_value(&json, hg_blob_str(event->result), "null");
    }
    hg_json_end_object(&json);
}

/* A copy that ends at a character's border. */
static void cut(struct hg_str text, char *out, size_t size)
{
    size_t length = HG_MIN(text.n, size - 1);

    while (length && length < text.n && ((unsigned char)text.p[length] & 0xc0) == 0x80)
        length--;
    memcpy(out, text.p, length);
    out[length] = '\0';
}

/* A text member of an error document, escapes resolved. False when there is none. */
static bool read_member(struct hg_json_value document, const char *name, struct hg_buf *out)
{
    struct hg_json_value value;

    if (document.kind != HG_JSON_OBJECT)
        return false;
    value = hg_json_member(document, name);
    return value.kind == HG_JSON_STRING && hg_json_unescape(value, out);
}

/* Terminated texts are made of it. */
static void clear_nul(struct hg_buf *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->base[text->off + i] == '\0')
            text->base[text->off + i] = ' ';
}

void record_error_text(struct hg_str document, char *out, size_t size)
{
    struct hg_json_value value = hg_json_parse(document, NULL);
    struct hg_buf text;

    hg_buf_init(&text,
                document.n + 3 * size + 3); /* what is no UTF-8 may take three times its room */
    if (read_member(value, "errorType", &text) && text.len)
        hg_buf_append_cstr(&text, ": ");
    if (!read_member(value, "errorMessage", &text) && !text.len)
        hg_utf8_append_clean(&text, hg_str_n(document.p, HG_MIN(document.n, size)));
    clear_nul(&text);
    cut(hg_buf_str(&text), out, size);
    hg_buf_fini(&text);
}

static const struct hg_event_attempt *last_attempt(const struct hg_event *event)
{
    return event->attempt_count ? &event->attempts[event->attempt_count - 1] : NULL;
}

/* An event that never ran has no error of its own. */
static void error_of_unrun(const struct hg_event *event, char code[HG_ERROR_CODE_MAX],
                           struct hg_buf *message)
{
    const struct hg_event_attempt *last = last_attempt(event);
    bool is_throttled = (last && last->outcome == HG_ATTEMPT_THROTTLED) ||
                        event->condition == HG_CONDITION_ZERO_CONCURRENCY;
    const char *status = is_throttled ? "429" : "500";

    if (event->condition == HG_CONDITION_NO_FUNCTION)
        status = "404";
    else if (event->condition == HG_CONDITION_RECURSION)
        status = "400";
    (void)snprintf(code, HG_ERROR_CODE_MAX, "%s", status);
    hg_buf_append_cstr(message, last && last->error[0] ? last->error
                                                       : hg_event_condition_name(event->condition));
}

void record_error(const struct hg_event *event, char code[HG_ERROR_CODE_MAX],
                  char message[HG_ERROR_MESSAGE_MAX])
{
    struct hg_str document = hg_blob_str(event->result);
    struct hg_buf text;

    hg_buf_init(&text, document.n + 3 * HG_ERROR_MESSAGE_MAX);
    if (!event->executed_version[0]) {
        error_of_unrun(event, code, &text);
    } else {
        (void)snprintf(code, HG_ERROR_CODE_MAX, "200");
        if (!read_member(hg_json_parse(document, NULL), "errorMessage", &text))
            hg_utf8_append_clean(&text,
                                 hg_str_n(document.p, HG_MIN(document.n, HG_ERROR_MESSAGE_MAX)));
    }
    clear_nul(&text);
    cut(hg_buf_str(&text), message, HG_ERROR_MESSAGE_MAX);
    hg_buf_fini(&text);
}
