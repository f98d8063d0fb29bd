/*
 * Errors of REST APIs: built-in gateway responses and those that the API
 * customises (apigw-routing.md §2).
 */
#ifndef HG_GATEWAY_GATEWAY_RESPONSE_H
#define HG_GATEWAY_GATEWAY_RESPONSE_H

#include "gateway/context.h"

/* The customised ones, ready for use. warning gets a sentence for an unknown type. */
struct hg_gateway_response_plan *
gateway_responses_new(struct hg_arena *arena, const struct hg_api *api, struct hg_error *warning);

/* Fills ctx->req->response for ctx->error. ctx->plan may be NULL: built-in ones only. */
void gateway_response_fill(struct hg_context *ctx);

#endif
