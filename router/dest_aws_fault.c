/*
 * Reads refusals of AWS services and sorts them: what will pass by itself,
 * and what somebody must mend first.
 */
#include "router/dest_aws_fault.h"

#include "core/buf.h"
#include "core/json_scan.h"

#include <stdio.h>

enum { TEXT_MAX = 1024 };

struct entity {
    const char *name;
    char value;
};

static const struct entity entities[] = {
    {"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''},
};

static char next_char(struct hg_str *text)
{
    char c = text->p[0];

    for (size_t i = 0; i < HG_COUNT(entities); i++) {
        struct hg_str name = hg_str_of(entities[i].name);

        if (hg_str_starts(*text, name)) {
            *text = hg_str_skip(*text, name.n);
            return entities[i].value;
        }
    }
    *text = hg_str_skip(*text, 1);
    return c;
}

void aws_xml_text(struct hg_str xml, const char *name, char *out, size_t room)
{
    char tag[64];
    ptrdiff_t at, end;
    size_t n = 0;

    out[0] = '\0';
    (void)snprintf(tag, sizeof(tag), "<%s>", name);
    at = hg_str_find_str(xml, hg_str_of(tag));
    if (at < 0)
        return;
    xml = hg_str_skip(xml, (size_t)at + strlen(tag));
    end = hg_str_find(xml, '<');
    (void)snprintf(tag, sizeof(tag), "</%s>", name);
    if (end < 0 || !hg_str_starts(hg_str_skip(xml, (size_t)end), hg_str_of(tag)))
        return;
    xml.n = (size_t)end;
    while (xml.n && n < room - 1)
        out[n++] = next_char(&xml);
    out[n] = '\0';
}

static void copy(char *out, size_t room, struct hg_str text)
{
    (void)snprintf(out, room, "%.*s", (int)HG_MIN(text.n, room), text.p);
}

static void copy_member(struct hg_json_value object, const char *name, char *out, size_t room)
{
    struct hg_json_value value = hg_json_member(object, name);
    struct hg_buf text;

    if (value.kind != HG_JSON_STRING || out[0])
        return;
    hg_buf_init(&text, TEXT_MAX);
    if (hg_json_unescape(value, &text))
        copy(out, room, hg_buf_str(&text));
    hg_buf_fini(&text);
}

struct verdict {
    const char *code;
    bool is_final, are_keys_stale;
};

/* Codes whose status does not tell what to do; compared as beginnings. */
static const struct verdict verdicts[] = {
    {"Throttl", false, false},
    {"TooManyRequests", false, false},
    {"RequestThrottled", false, false},
    {"RequestLimitExceeded", false, false},
    {"ProvisionedThroughputExceeded", false, false},
    {"LimitExceeded", false, false},
    {"OverLimit", false, false},
    {"SlowDown", false, false},
    {"KMSThrottling", false, false},
    {"KmsThrottled", false, false},
    {"OperationAborted", false, false},
    {"RequestTimeout", false, false},
    {"RequestTimeTooSkewed", false, false},
    {"Internal", false, false},
    {"ServiceUnavailable", false, false},
    {"ExpiredToken", false, true},
    {"RequestExpired", false, true},
    {"TokenRefreshRequired", false, true},
    {"InvalidClientTokenId", true, true},
    {"InvalidAccessKeyId", true, true},
    {"UnrecognizedClient", true, true},
    {"SignatureDoesNotMatch", true, true},
    {"InvalidSignature", true, true},
};

static enum hg_rc rc_of_status(int status)
{
    switch (status) {
    case 404:
        return HG_E_NOT_FOUND;
    case 413:
        return HG_E_TOO_LARGE;
    case 429:
        return HG_E_THROTTLED;
    case 501:
        return HG_E_UNSUPPORTED;
    default:
        return status >= 500 ? HG_E_UNAVAILABLE : HG_E_INVALID;
    }
}

void aws_fault_set(struct aws_fault *fault, int status, struct hg_str code, struct hg_str message)
{
    /* JSON: "com.amazonaws.sqs#QueueDoesNotExist", "Name:http://…"; query: "AWS.SimpleQueueService.NonExistentQueue". */
    ptrdiff_t hash = hg_str_find(code, '#'), colon;

    memset(fault, 0, sizeof(*fault));
    if (hash >= 0)
        code = hg_str_skip(code, (size_t)hash + 1);
    colon = hg_str_find(code, ':');
    if (colon >= 0)
        code.n = (size_t)colon;
    copy(fault->code, sizeof(fault->code), code);
    copy(fault->message, sizeof(fault->message), message);
    fault->rc = rc_of_status(status);
    fault->is_final = status == 501 || (status < 500 && status != 408 && status != 429);
    for (size_t i = 0; i < HG_COUNT(verdicts); i++) {
        if (!hg_str_starts(code, hg_str_of(verdicts[i].code)))
            continue;
        fault->is_final = verdicts[i].is_final;
        fault->are_keys_stale = verdicts[i].are_keys_stale;
        if (!fault->is_final && !hg_rc_again(fault->rc))
            fault->rc = HG_E_BUSY;
        break;
    }
}

void aws_fault_read(struct aws_fault *fault, int status, struct hg_str body)
{
    struct hg_json_value object = hg_json_parse(body, NULL);
    char code[128] = "", message[sizeof(fault->message)] = "";

    if (object.kind == HG_JSON_OBJECT) {
        copy_member(object, "__type", code, sizeof(code));
        copy_member(object, "code", code, sizeof(code));
        copy_member(object, "message", message, sizeof(message));
        copy_member(object, "Message", message, sizeof(message));
    } else {
        aws_xml_text(body, "Code", code, sizeof(code));
        aws_xml_text(body, "Message", message, sizeof(message));
    }
    aws_fault_set(fault, status, hg_str_of(code), hg_str_of(message));
}
