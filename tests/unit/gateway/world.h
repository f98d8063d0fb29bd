/*
 * A gateway without sockets and without workers: a snapshot made by hand,
 * requests that keep their answer, functions that the test plays itself.
 */
#ifndef HG_TESTS_GATEWAY_WORLD_H
#define HG_TESTS_GATEWAY_WORLD_H

#include "tests/unit/unit.h"

#include "gateway/gateway.h"
#include "gateway/integ.h"

enum { WORLD_APIS_MAX = 4, WORLD_ROUTES_MAX = 16, WORLD_STAGES_MAX = 4, WORLD_HEADERS_MAX = 32 };

struct world {
    struct hg_stack *stack;
    struct hg_snapshot *snapshot; /* of the stack, from world_prepare on */
    struct hg_loops *loops;
    struct hg_registry *registry;
    struct hg_gateway *gateway;
};

/* An empty snapshot, account 111122223333. */
void world_init(struct world *world);
void world_fini(struct world *world);
/* The stack is complete: makes the snapshot. */
void world_prepare(struct world *world);
/* Prepares and publishes the snapshot; the gateway is there afterwards. */
void world_open(struct world *world, const struct hg_gateway_options *options);

struct hg_function *world_function(struct world *world, const char *name);
struct hg_api *world_api(struct world *world, enum hg_api_kind kind, const char *id);
struct hg_stage *world_stage(struct world *world, struct hg_api *api, const char *name);
/* With a Lambda proxy integration to the function "Hello". path "" is $default. */
struct hg_route *world_route(struct world *world, struct hg_api *api, const char *method,
                             const char *path);
/* Adds an entry to a list of the model. */
void world_put(struct world *world, struct hg_kv_list *list, const char *key, const char *value);

/* A request and what became of it. */
struct ask {
    struct hg_request req;
    struct hg_peer peer;
    struct hg_header headers[WORLD_HEADERS_MAX];
    bool is_answered;
};

/* target may have a query. Host is "127.0.0.1:8080", the client 198.51.100.24. */
void ask_init(struct ask *ask, struct world *world, const char *method, const char *target);
void ask_header(struct ask *ask, const char *name, const char *value);
/* Gives it to the gateway; what is answered at once is in ask->req.response. */
void ask_send(struct ask *ask, struct world *world);
/* The connection says that it is over; frees the request. */
void ask_end(struct ask *ask);
/* Value of an answer's header; p is NULL when absent. nth counts from 0. */
struct hg_str ask_answer_header(const struct ask *ask, const char *name, size_t nth);

/* The function's part. NULL when no invocation runs. */
extern struct hg_invocation *world_invocation;
extern unsigned world_cancelled;
/* Ends the invocation with a return value, or with an error. */
void world_return(const char *json);
void world_fail(enum hg_rc rc, enum hg_function_error error);

/* The queue's part. NULL when no event is being stored. */
extern struct hg_publish *world_publish;
void world_publish_done(enum hg_rc rc, const char *why);

/* status, body and x-amzn-ErrorType ("" when there must be none). */
void assert_answer(const struct ask *ask, int status, const char *body, const char *error_type);

#endif
