/*
 * The one way out: every answer of the gateway gets its ids and CORS headers
 * here.
 */
#ifndef HG_GATEWAY_ANSWER_H
#define HG_GATEWAY_ANSWER_H

#include "gateway/context.h"

/* Sends ctx->req->response. */
void answer_send(struct hg_context *ctx);
/* Answers with an error of errors.def, in the form of the API's kind. */
void answer_error(struct hg_context *ctx, enum hg_gateway_error error);
/* 501; the sentence says what is missing and must live until the request is done. */
void answer_unsupported(struct hg_context *ctx, struct hg_str sentence);

#endif
