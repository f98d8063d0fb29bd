/*
 * Cross-origin requests of HTTP APIs (apigw-auth-and-policies.md §8.2). REST
 * APIs have no CORS of their own.
 */
#ifndef HG_GATEWAY_CORS_H
#define HG_GATEWAY_CORS_H

#include "gateway/context.h"

/* NULL when the API has none. */
struct hg_cors_plan *cors_plan_new(struct hg_arena *arena, const struct hg_cors *cors);

/*
 * Whether the gateway itself answers this request: a preflight that no OPTIONS route takes.
 * ctx->route may be NULL.
 */
bool cors_takes(const struct hg_context *ctx);
/* Fills ctx->req->response with the answer to a preflight. */
void cors_fill_preflight(struct hg_context *ctx);

/* Replaces the access-control headers of any other answer by those of the configuration. */
void cors_apply(struct hg_context *ctx);

#endif
