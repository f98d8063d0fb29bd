/*
 * One request on its way through the gateway: what is known about it, and the
 * $context variables made of that. Lives and dies with the request.
 */
#ifndef HG_GATEWAY_CONTEXT_H
#define HG_GATEWAY_CONTEXT_H

#include "core/id.h"
#include "gateway/api_plan.h"
#include "http/request.h"

enum hg_variable {
#define HG_VARIABLE(symbol, name) HG_VAR_##symbol,
#include "gateway/variables.def"
#undef HG_VARIABLE
    HG_VAR_COUNT
};

enum hg_gateway_error {
#define HG_GATEWAY_ERROR(symbol, type, rest_status, error_type, rest_text, http_status, http_text) \
    HG_GATEWAY_##symbol,
#include "gateway/errors.def"
#undef HG_GATEWAY_ERROR
    HG_GATEWAY_NO_ERROR
};

/*
 * The request headers that the gateway itself looks at; p is NULL when absent. Of a repeated one
 * the last counts.
 */
struct hg_noted {
    struct hg_str accept, content_type, content_encoding, user_agent, origin, request_method;
    struct hg_str method_override, request_id, trace_id;
};

struct hg_workers; /* workers/pool.h */
struct hg_router;  /* router/router.h */

struct hg_context {
    struct hg_request *req;
    struct hg_snapshot *snapshot; /* pinned by the gateway until the request is done */
    struct hg_workers *workers;
    struct hg_router *router;
    bool is_function_url;              /* by its address; api may still be NULL */
    const struct hg_api *api;          /* NULL: the address names none */
    const struct hg_api_plan *plan;    /* of api */
    struct hg_stage_plan *stage;       /* NULL: none of the API's */
    const struct hg_route_plan *route; /* NULL: none matched */
    struct hg_str method;              /* after X-HTTP-Method-Override */
    struct hg_str stage_path;          /* with the stage, as sent */
    struct hg_str path;                /* behind the stage, one slash at its front */
    struct hg_noted noted;
    struct hg_param *params; /* route->pattern.param_count of them; NULL until context_params */
    int64_t wall_ms;         /* 0 until context_wall_ms */
    struct hg_str trace;     /* n is 0 until context_trace */
    char request_id[HG_UUID_LEN + 1], extended_id[HG_EXTENDED_ID_LEN + 1]; /* "" until asked for */

    void *integ_state; /* of the integration that is answering; NULL when none is */

    /* How it ended. */
    enum hg_gateway_error error;  /* HG_GATEWAY_NO_ERROR: the integration answered */
    struct hg_str error_text;     /* instead of the message in errors.def; p is NULL for none */
    const char *integ_error;      /* static; NULL: none */
    const char *integ_request_id; /* NULL: none */
    int integ_status;             /* what the integration's answer said; 0: none */
    int integ_service_status;     /* what the service in front of it said; 0: none */
    int64_t integ_us;             /* -1: not called */
    int64_t total_us;             /* set when the request is done */
    uint64_t bytes_sent;          /* set when the request is done */
};

/* Starts a context: no address, no route yet. */
void context_init(struct hg_context *ctx, struct hg_request *req, struct hg_snapshot *snapshot);

/* Fills noted in one pass over the headers. */
void context_note_headers(struct hg_context *ctx);

/* Each is made when first asked for. */
struct hg_str context_request_id(struct hg_context *ctx);
struct hg_str context_extended_id(struct hg_context *ctx);
int64_t context_wall_ms(struct hg_context *ctx);
/*
 * Value of X-Amzn-Trace-Id as integrations see it: what the client sent, with a root of our own
 * when it sent none.
 */
struct hg_str context_trace(struct hg_context *ctx);
/* The path parameters, as sent. NULL when there are none or the arena is full. */
struct hg_param *context_params(struct hg_context *ctx);

/* Host without port; and its first label. */
struct hg_str context_domain(const struct hg_context *ctx);
struct hg_str context_domain_prefix(const struct hg_context *ctx);

/*
 * The message of ctx->error, which must be one; and the body that carries it, builtin unless the
 * request has a text of its own.
 */
struct hg_str context_error_message(const struct hg_context *ctx);
struct hg_str context_error_body(struct hg_context *ctx, struct hg_str builtin);

/* Moves text into the request's arena and frees buf. p is NULL when there is no text or no room. */
struct hg_str context_keep(struct hg_context *ctx, struct hg_buf *buf);

/* Value of a stage variable; p is NULL when there is none. */
struct hg_str context_stage_variable(const struct hg_context *ctx, struct hg_str name);

/* HG_VAR_COUNT when there is no such variable. name is without "$context.". */
enum hg_variable variable_find(struct hg_str name);
/* Appends the value; false, with nothing appended, when it is undefined for this request. */
bool context_append(struct hg_context *ctx, enum hg_variable variable, struct hg_buf *out);

#endif
