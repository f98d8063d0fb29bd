/*
 * The head of an HTTP/1.1 answer as bytes. Writes into memory that the caller
 * has made large enough; knows no connection.
 */
#ifndef HG_HTTP_H1_WRITE_H
#define HG_HTTP_H1_WRITE_H

#include "http/request.h"

/* How the client learns where the body ends. */
enum h1_length { H1_SIZED, H1_CHUNKED, H1_UNTIL_CLOSE };

struct h1_answer {
    const struct hg_response *response;
    struct hg_str date;
    enum h1_length length;
    bool is_head;       /* answers HEAD: the body's length is told, the body not sent */
    bool is_persistent; /* false: Connection: close */
    bool is_1_0;        /* the client speaks HTTP/1.0: persistence must be said */
};

/* Room that h1_write_head needs at most. */
size_t h1_head_room(const struct h1_answer *answer);
/*
 * Returns the bytes written. Of the handler's headers, those that only the
 * server can know (Connection, Content-Length, Date, …) are left out, and
 * control bytes in a value become blanks: a value cannot end its line.
 */
size_t h1_write_head(char *to, const struct h1_answer *answer);

/* Whether an answer of that status to that request carries a body (RFC 9110 §6.4.1). */
bool h1_has_body(const struct h1_answer *answer);

/* The headers that the server itself sets, in either HTTP version. */
bool h1_is_server_header(struct hg_str name);

#endif
