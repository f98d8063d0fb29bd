/*
 * What the two halves of the Lambda integration share: a function that is
 * waited for (integ_lambda.c), and an event that is only accepted
 * (integ_lambda_event.c). On the request's loop.
 */
#ifndef HG_GATEWAY_INTEG_LAMBDA_H
#define HG_GATEWAY_INTEG_LAMBDA_H

#include "gateway/integ.h"
#include "gateway/phrase.h"
#include "gateway/response.h"
#include "workers/invoke.h"

struct hg_lambda_custom; /* integ_lambda_custom.c */

/* One integration, worked out once. In the stack's arena. */
struct hg_lambda {
    enum hg_contract contract;
    int64_t timeout_ms;
    struct hg_phrase *ref; /* of the function; may hold stage variables */
    struct hg_str name,
        qualifier; /* when ref is fixed and means a function here; name.p NULL otherwise */
    struct hg_phrase *invocation_type; /* NULL: not given, or by type_header */
    const char *type_header;           /* the client's header that says it; NULL without */
    struct hg_lambda_custom *custom;   /* NULL: a proxy integration */
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

/* Binds what proxy and custom integrations have in common. */
enum hg_rc lambda_bind(struct hg_integ *in, struct hg_stack *stack, struct hg_error *err);
void lambda_begin(struct hg_integ *in, struct hg_context *ctx);
void lambda_end(struct hg_integ *in, struct hg_context *ctx);
void lambda_describe(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                     struct hg_buf *out);

/* Custom integrations: whether the body can be the payload (false: answered), the payload, the answer; status is the service's. */
bool custom_check_body(const struct hg_lambda_custom *custom, struct hg_context *ctx);
bool custom_write_payload(const struct hg_lambda_custom *custom, const struct hg_context *ctx,
                          struct hg_buf *out);
void custom_answer(const struct hg_lambda_custom *custom, struct hg_context *ctx, int status,
                   struct hg_str body);

/* Answers 202 once the event is durable, or with an error, at once or later. */
void lambda_publish(struct hg_lambda_call *call, struct hg_str ref);
/* The request is over: an event that is being stored is stored, and nobody is told. */
void lambda_forget(struct hg_lambda_call *call);

#endif
