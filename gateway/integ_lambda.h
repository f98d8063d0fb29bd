/*
 * What the two halves of the Lambda integration share: a function that is
 * waited for (integ_lambda.c), and an event that is only accepted
 * (integ_lambda_event.c). On the request's loop.
 */
#ifndef HG_GATEWAY_INTEG_LAMBDA_H
#define HG_GATEWAY_INTEG_LAMBDA_H

#include "gateway/phrase.h"
#include "gateway/response.h"
#include "workers/invoke.h"

/* One integration, worked out once. In the snapshot's arena. */
struct hg_lambda {
    enum hg_contract contract;
    int64_t timeout_ms;
    struct hg_phrase *ref; /* of the function; may hold stage variables */
    const struct hg_function
        *function; /* when ref always means this one; NULL: look it up each time */
    struct hg_phrase *invocation_type; /* NULL: not given, or by type_header */
    const char *type_header;           /* the client's header that says it; NULL without */
};

enum hg_lambda_type { HG_LAMBDA_SYNC, HG_LAMBDA_EVENT, HG_LAMBDA_DRY_RUN, HG_LAMBDA_UNKNOWN };

struct hg_lambda_event; /* on its way into the queue */

/* One call. In the request's arena. */
struct hg_lambda_call {
    struct hg_invocation inv;
    struct hg_timer timer;
    struct hg_context *ctx;
    const struct hg_lambda *lambda;
    int64_t start_us;
    bool is_running;               /* with the workers: cancel it before it dies */
    struct hg_lambda_event *event; /* NULL: none is being stored */
};

/* "" is synchronous. */
enum hg_lambda_type lambda_type_of(struct hg_str text);
/* What this request asks for, by the integration's definition. */
enum hg_lambda_type lambda_type_asked(const struct hg_lambda *lambda, struct hg_context *ctx);

/* What stands behind the function's name: alias or version; n is 0 without. */
struct hg_str lambda_qualifier(struct hg_str ref);
/* The event's JSON; false when it is too large. */
bool lambda_write_event(const struct hg_lambda_call *call, struct hg_buf *out);
void lambda_fail(struct hg_lambda_call *call, enum hg_gateway_error error, const char *why);

/* Answers 202 once the event is durable, or with an error, at once or later. */
void lambda_publish(struct hg_lambda_call *call, struct hg_str ref);
/* The request is over: an event that is being stored is stored, and nobody is told. */
void lambda_forget(struct hg_lambda_call *call);

#endif
