/*
 * One connection of a runtime: bytes in, requests out, replies back. For
 * runtime_conn.c and runtime_api.c, and for tests that feed bytes.
 */
#ifndef HG_WORKERS_RUNTIME_CONN_H
#define HG_WORKERS_RUNTIME_CONN_H

#include "workers/runtime_api.h"

#include "http/h1_chunked.h"

enum hg_runtime_route {
    HG_ROUTE_NEXT,
    HG_ROUTE_RESPONSE,
    HG_ROUTE_ERROR,
    HG_ROUTE_INIT_ERROR,
    HG_ROUTE_RESTORE,   /* restore/next and restore/error */
    HG_ROUTE_EXTENSION, /* extensions, telemetry and logs */
    HG_ROUTE_WRONG_METHOD,
    HG_ROUTE_UNKNOWN,
};

enum hg_response_mode { HG_MODE_NONE, HG_MODE_STREAMING, HG_MODE_BAD };

/* A request whose head is read; kept while its body arrives. */
struct hg_runtime_request {
    enum hg_runtime_route route;
    enum hg_response_mode mode;
    char request_id[HG_UUID_LEN + 1]; /* of the path; "" when longer than any id */
    char content_type[HG_RUNTIME_CONTENT_TYPE_MAX];
    char error_type[HG_RUNTIME_ERROR_TYPE_MAX];
    bool is_large; /* the body is over the limit and thrown away */
};

/* (Runtime|Function)\.[A-Z][a-zA-Z]+ is taken as it is; of anything else only the kind remains. */
void runtime_request_set_error_type(struct hg_runtime_request *request, struct hg_str value);

enum hg_body_part { HG_BODY_NONE, HG_BODY_LENGTH, HG_BODY_CHUNKED };

struct hg_runtime_conn {
    struct hg_list link;
    struct hg_runtime_api *api;
    int fd;
    struct event read_event, write_event;
    struct hg_grave grave;
    struct hg_task resume; /* looks at kept bytes again */

    struct hg_buf kept; /* input not used yet */
    size_t head_seen;
    enum hg_body_part part;
    struct hg_runtime_request request;
    struct hg_buf body;
    uint64_t body_left;
    struct h1_chunked chunked;
    char *trailers; /* NULL unless the request streams */

    struct hg_buf out;        /* what the socket did not take */
    struct hg_blob *out_blob; /* the event that follows it */
    size_t out_blob_sent;
    bool has_held_ack; /* a 202 that goes out with the next event */
    bool is_persistent, is_closing, is_closed;
};

/* fd may be -1 for tests: output is thrown away. Joins api's list. */
struct hg_runtime_conn *runtime_conn_new(struct hg_runtime_api *api, int fd);
/* Leaves the list; freed after the turn. */
void runtime_conn_close(struct hg_runtime_conn *conn);
/* Closes it once everything queued is sent. */
void runtime_conn_close_after_reply(struct hg_runtime_conn *conn);
/* Works on bytes that arrived; is_eof: nothing follows. */
void runtime_conn_feed(struct hg_runtime_conn *conn, struct hg_str bytes, bool is_eof);
/* Reads until the socket has no more. */
void runtime_conn_read(struct hg_runtime_conn *conn);

/* Sends head, then the event (NULL for none) without copying it. */
void runtime_conn_send(struct hg_runtime_conn *conn, struct hg_str head, struct hg_blob *event);
/* 202 {"status":"OK"}: held back if the runtime asks for the next event in the same breath. */
void runtime_conn_send_ack(struct hg_runtime_conn *conn);
/* An error reply of the Runtime API. */
void runtime_conn_send_error(struct hg_runtime_conn *conn, int status, const char *error_type,
                             const char *message);

/* runtime_api.c: what a request means. body is borrowed; trailers are those of a streamed body. */
void runtime_api_on_request(struct hg_runtime_api *api, struct hg_runtime_conn *conn,
                            struct hg_blob *body, const struct hg_header *trailers,
                            size_t trailer_count);
/* The connection has been closed, by whomever. */
void runtime_api_on_closed(struct hg_runtime_api *api, struct hg_runtime_conn *conn);
/* The body of the request at hand turned out too large, or ended too early. */
void runtime_api_on_large_body(struct hg_runtime_api *api, struct hg_runtime_conn *conn);
void runtime_api_on_truncated(struct hg_runtime_api *api, struct hg_runtime_conn *conn);

extern const struct hg_str runtime_ack;

#endif
