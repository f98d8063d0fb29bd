/*
 * What answers a route. One table of functions per kind; a new kind is a new
 * file and a row in integ.c.
 */
#ifndef HG_GATEWAY_INTEG_H
#define HG_GATEWAY_INTEG_H

#include "gateway/context.h"

struct hg_integ {
    const struct hg_integ_ops *ops;
    const struct hg_integ_model *model;
    const struct hg_api *api;
    struct hg_str problem; /* why it cannot be served or reached; p is NULL when it can */
    struct hg_str warning; /* what may go wrong with it; p is NULL for nothing */
    void *state;           /* made by bind, in the stack's arena */
};

struct hg_integ_ops {
    const char *type; /* "AWS_PROXY", "MOCK", … */
    /*
     * Works out once what every request would. HG_E_UNSUPPORTED: requests get
     * 501 with err's sentence; HG_E_INVALID: they get 500, as on the real
     * service, which accepts the definition and fails later.
     */
    enum hg_rc (*bind)(struct hg_integ *in, struct hg_stack *stack, struct hg_error *err);
    /* Leads to exactly one answer_send or answer_error, at once or later. */
    void (*begin)(struct hg_integ *in, struct hg_context *ctx);
    /*
     * The request is over, answered or abandoned: stop what still runs, give
     * back what is held, do not answer. Runs only if begin set ctx->integ_state.
     */
    void (*end)(struct hg_integ *in, struct hg_context *ctx);
    /* What the list of routes says behind the arrow. */
    void (*describe)(const struct hg_integ *in, const struct hg_snapshot *snapshot,
                     struct hg_buf *out);
};

/* Never NULL. An integration that cannot be served is bound to one that says so. */
struct hg_integ *integ_new(struct hg_stack *stack, const struct hg_api *api,
                           const struct hg_route *route);

extern const struct hg_integ_ops integ_lambda_ops, integ_lambda_custom_ops, integ_mock_ops,
    integ_unsupported_ops, integ_broken_ops;

/*
 * The function of a Lambda integration for the list of routes; NULL when it is not one or depends
 * on the request.
 */
const struct hg_function *integ_lambda_function(const struct hg_integ *in,
                                                const struct hg_snapshot *snapshot);

#endif
