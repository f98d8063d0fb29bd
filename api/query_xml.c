/*
 * Writes answers of the query protocol.
 */
#include "api/query_xml.h"

#include "core/clock.h"
#include "core/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { MESSAGE_MAX = 4096 };

const struct query_service query_iam = {"2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/"};
const struct query_service query_sts = {"2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/"};
const struct query_service query_cloudwatch = {"2010-08-01",
                                               "http://monitoring.amazonaws.com/doc/2010-08-01/"};

/* What XML 1.0 has no way to write, and bytes that are no UTF-8, become U+FFFD. */
void xml_escape(struct hg_buf *out, struct hg_str text)
{
    while (text.n) {
        size_t length = hg_utf8_next(text);
        char c = text.p[0];

        if (c == '&')
            hg_buf_append_cstr(out, "&amp;");
        else if (c == '<')
            hg_buf_append_cstr(out, "&lt;");
        else if (c == '>')
            hg_buf_append_cstr(out, "&gt;");
        else if (c == '"')
            hg_buf_append_cstr(out, "&quot;");
        else if (c == '\r')
            hg_buf_append_cstr(out, "&#xD;");
        else if (!length || ((unsigned char)c < ' ' && c != '\t' && c != '\n'))
            hg_buf_append_cstr(out, "\xef\xbf\xbd");
        else
            hg_buf_append(out, text.p, length);
        text = hg_str_skip(text, HG_MAX(length, (size_t)1));
    }
}

void xml_open(struct hg_buf *out, const char *name)
{
    hg_buf_printf(out, "<%s>", name);
}

void xml_close(struct hg_buf *out, const char *name)
{
    hg_buf_printf(out, "</%s>", name);
}

void xml_text(struct hg_buf *out, const char *name, struct hg_str text)
{
    xml_open(out, name);
    xml_escape(out, text);
    xml_close(out, name);
}

void xml_u64(struct hg_buf *out, const char *name, uint64_t value)
{
    xml_open(out, name);
    hg_buf_append_u64(out, value);
    xml_close(out, name);
}

void xml_bool(struct hg_buf *out, const char *name, bool value)
{
    xml_text(out, name, value ? HG_STR("true") : HG_STR("false"));
}

void xml_time(struct hg_buf *out, const char *name, int64_t wall_ms)
{
    char text[HG_TIME_TEXT_MAX];

    (void)hg_time_iso(wall_ms, text);
    hg_buf_printf(out, "<%s>%.19sZ</%s>", name, text, name);
}

void query_begin(struct hg_buf *out, const struct query_service *service, const char *operation,
                 bool has_result)
{
    hg_buf_printf(out, "<%sResponse xmlns=\"%s\">", operation, service->space);
    if (has_result)
        hg_buf_printf(out, "<%sResult>", operation);
}

void query_end(struct hg_buf *out, const char *operation, bool has_result, const char *request_id)
{
    if (has_result)
        hg_buf_printf(out, "</%sResult>", operation);
    hg_buf_printf(out,
                  "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>",
                  request_id, operation);
}

void query_write_error(struct hg_buf *out, const struct query_service *service, int status,
                       const char *code, const char *message, const char *request_id)
{
    hg_buf_printf(out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", service->space,
                  status < 500 ? "Sender" : "Receiver");
    xml_text(out, "Code", hg_str_of(code));
    xml_text(out, "Message", hg_str_of(message));
    hg_buf_printf(out, "</Error><RequestId>%s</RequestId></ErrorResponse>", request_id);
}

void query_respond(struct hg_call *call, int status, const struct hg_buf *out)
{
    req_add_header(call->req, HG_STR("x-amzn-RequestId"), hg_str_of(call->request_id));
    req_respond_with(call->req, status, "text/xml", hg_buf_str(out));
}

void query_fail(struct hg_call *call, const struct query_service *service, int status,
                const char *code, const char *format, ...)
{
    struct hg_buf *out = call_buffer(call);
    char message[MESSAGE_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    query_write_error(out, service, status, code, message, call->request_id);
    query_respond(call, status, out);
}
