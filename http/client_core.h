/*
 * Between the files of the HTTP client: client.c decides which call goes when,
 * client_curl.c carries it out. Nobody else includes this.
 */
#ifndef HG_HTTP_CLIENT_CORE_H
#define HG_HTTP_CLIENT_CORE_H

#include "core/map.h"
#include "http/client.h"

struct hg_http_client {
    struct hg_loop *loop;
    unsigned parallel_max, waiting_max;
    struct hg_map hosts;   /* of struct http_host; only those that have calls */
    struct hg_list ending; /* calls that failed inside submit */
    struct hg_task end_task;

    /* client_curl.c's. */
    void *multi; /* CURLM */
    char *ca_file;
    struct hg_timer timer;
};

/* Whom calls share connections to. Lives while it has any. */
struct http_host {
    char name[sizeof("https://") + 255 + sizeof(":65535")]; /* its key */
    unsigned running;
    unsigned waiting_count;
    struct hg_list waiting; /* of struct hg_http_call */
};

bool http_curl_open(struct hg_http_client *client, const char *ca_file, struct hg_error *err);
void http_curl_close(struct hg_http_client *client);
/* False, with call->why: the request cannot be made. Otherwise http_call_ended follows, later. */
bool http_curl_start(struct hg_http_call *call);
/* Drops what http_curl_start began. */
void http_curl_stop(struct hg_http_call *call);

/* client.c: the transfer is over and gone; call->why is set when rc is not HG_OK. Runs done. */
void http_call_ended(struct hg_http_call *call, enum hg_rc rc);

#endif
