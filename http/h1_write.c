/*
 * Formatting by hand: this runs for every answer.
 */
#include "http/h1_write.h"

enum {
    STATUS_LINE_MAX = 64,  /* "HTTP/1.1 ", three digits, the longest reason, CRLF */
    OWN_HEADERS_MAX = 160, /* Date, Content-Length, Connection, and the empty line */
};

static char *put(char *to, const char *bytes, size_t length)
{
    memcpy(to, bytes, length);
    return to + length;
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_number(char *to, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    return put(to, digits + at, sizeof(digits) - at);
}

static char *put_value(char *to, struct hg_str value)
{
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];

        *to++ = (c < 0x20 && c != '\t') || c == 0x7f ? ' ' : (char)c;
    }
    return to;
}

bool h1_is_server_header(struct hg_str name)
{
    switch (name.n) {
    case 4:
        return hg_str_is_nocase(name, "date");
    case 7:
        return hg_str_is_nocase(name, "upgrade");
    case 10:
        return hg_str_is_nocase(name, "connection") || hg_str_is_nocase(name, "keep-alive");
    case 14:
        return hg_str_is_nocase(name, "content-length");
    case 16:
        return hg_str_is_nocase(name, "proxy-connection");
    case 17:
        return hg_str_is_nocase(name, "transfer-encoding");
    default:
        return false;
    }
}

static bool status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

bool h1_has_body(const struct h1_answer *answer)
{
    return !answer->is_head && status_has_body(answer->response->status);
}

size_t h1_head_room(const struct h1_answer *answer)
{
    size_t room = STATUS_LINE_MAX + OWN_HEADERS_MAX;

    for (size_t i = 0; i < answer->response->header_count; i++)
        room += answer->response->headers[i].name.n + answer->response->headers[i].value.n + 4;
    return room;
}

static char *put_status_line(char *to, int status)
{
    const char *reason = http_reason(status);

    if (hg_likely(status == 200))
        return PUT(to, "HTTP/1.1 200 OK\r\n");
    to = PUT(to, "HTTP/1.1 ");
    to = put_number(to, (uint64_t)status);
    *to++ = ' ';
    to = put(to, reason, strlen(reason));
    return PUT(to, "\r\n");
}

size_t h1_write_head(char *to, const struct h1_answer *answer)
{
    const struct hg_response *response = answer->response;
    char *start = to;

    to = put_status_line(to, response->status);
    to = PUT(to, "Date: ");
    to = put(to, answer->date.p, answer->date.n);
    to = PUT(to, "\r\n");
    for (size_t i = 0; i < response->header_count; i++) {
        const struct hg_header *h = &response->headers[i];

        if (h1_is_server_header(h->name))
            continue;
        to = put(to, h->name.p, h->name.n);
        to = PUT(to, ": ");
        to = put_value(to, h->value);
        to = PUT(to, "\r\n");
    }
    if (status_has_body(response->status) && answer->length == H1_SIZED) {
        to = PUT(to, "Content-Length: ");
        to = put_number(to, response->body.n);
        to = PUT(to, "\r\n");
    } else if (status_has_body(response->status) && answer->length == H1_CHUNKED) {
        to = PUT(to, "Transfer-Encoding: chunked\r\n");
    }
    if (!answer->is_persistent)
        to = PUT(to, "Connection: close\r\n");
    else if (answer->is_1_0)
        to = PUT(to, "Connection: keep-alive\r\n");
    to = PUT(to, "\r\n");
    return (size_t)(to - start);
}
