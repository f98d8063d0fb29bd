/*
 * The Runtime API as one environment sees it: GET next, POST response, error,
 * init/error. Owns the environment's connections and the runtime's state; knows
 * nothing of processes, limits or logs. Everything on the environment's home loop.
 */
#ifndef HG_WORKERS_RUNTIME_API_H
#define HG_WORKERS_RUNTIME_API_H

#include "core/blob.h"
#include "core/id.h"
#include "core/loop.h"

enum {
    HG_RUNTIME_CONNS_MAX = 16,     /* connections of one environment; more are closed at once */
    HG_RUNTIME_HEAD_MAX = 1114112, /* the X-Ray cause header alone may have 1 MiB */
    HG_RUNTIME_ERROR_TYPE_MAX = 128,
    HG_RUNTIME_CONTENT_TYPE_MAX = 64,
    HG_RUNTIME_READ_BYTES = 65536,
};

enum hg_runtime_state {
    HG_RUNTIME_STARTED,
    HG_RUNTIME_READY,
    HG_RUNTIME_RUNNING,
    HG_RUNTIME_RESPONSE_SENT,
    HG_RUNTIME_INIT_ERROR,
};

/* What goes out with an event. Borrowed from runtime_api_deliver until the answer or runtime_api_forget. */
struct hg_delivery {
    const char *request_id;
    int64_t deadline_ms;
    const char *invoked_arn;
    const char *trace_id;         /* "" for none */
    struct hg_str client_context; /* n 0 for none */
    struct hg_blob *event;
};

/* What the runtime posted. Valid during the callback; it takes a reference to body if it keeps it. */
struct hg_runtime_post {
    struct hg_blob *body;
    const char *content_type; /* "" for none */
    const char *error_type;   /* of the header, made harmless; "" for none */
};

/* Why an invocation failed by the way it was answered. */
enum hg_runtime_fault { HG_RUNTIME_TOO_LARGE, HG_RUNTIME_TRUNCATED, HG_RUNTIME_BAD_MODE };

struct hg_runtime_api;

/* Each may call runtime_api_close and runtime_api_deliver. */
struct hg_runtime_events {
    void (*on_next)(
        struct hg_runtime_api *api); /* asks for work; the first time ends the initialisation */
    void (*on_lost)(
        struct hg_runtime_api
            *api); /* the connection that asked is gone; on_next comes again if it asks again */
    void (*on_response)(struct hg_runtime_api *api, const struct hg_runtime_post *post);
    void (*on_error)(struct hg_runtime_api *api, const struct hg_runtime_post *post);
    void (*on_init_error)(struct hg_runtime_api *api, const struct hg_runtime_post *post);
    void (*on_fault)(struct hg_runtime_api *api, enum hg_runtime_fault fault);
};

struct hg_runtime_conn;

struct hg_runtime_api {
    struct hg_loop *loop;
    const struct hg_runtime_events *events;
    char *scratch; /* HG_RUNTIME_READ_BYTES, shared by all environments of the loop */
    enum hg_runtime_state state;
    struct hg_list conns;
    unsigned conn_count;
    int listen_fd; /* -1: none */
    struct event listen_event;
    struct hg_runtime_conn *waiting; /* whose GET next is not answered yet */
    bool is_closing;
    const struct hg_delivery *delivery; /* of the invocation in flight */
    char request_id[HG_UUID_LEN + 1];   /* of the invocation in flight or the last one */
};

/* scratch must outlive the API. */
void runtime_api_init(struct hg_runtime_api *api, struct hg_loop *loop,
                      const struct hg_runtime_events *events, char *scratch);
/* Starts over with a new process: state Started, these descriptors (owned from now on; -1 for none). */
void runtime_api_open(struct hg_runtime_api *api, int stream_fd, int listen_fd);
/* Closes all descriptors; no callback comes afterwards. */
void runtime_api_close(struct hg_runtime_api *api);

/*
 * Gives the runtime an event: at once when it waits for one, else as soon as it
 * asks. Not while another one is in flight.
 */
void runtime_api_deliver(struct hg_runtime_api *api, const struct hg_delivery *delivery);
/* The invocation has ended without the runtime's doing: the delivery may go away. */
void runtime_api_forget(struct hg_runtime_api *api);

/* Reads what has arrived but was not looked at yet: what a process said before it ended. */
void runtime_api_drain(struct hg_runtime_api *api);

#endif
