/*
 * The idempotency key that a request for an asynchronous event may carry:
 * header Idempotency-Key, or X-Headgate-Dedup-Id where something else uses
 * that name already. Any thread.
 */
#ifndef HG_GATEWAY_DEDUP_H
#define HG_GATEWAY_DEDUP_H

#include "core/error.h"
#include "http/request.h"

/* The key, inside the request; p is NULL for none. False with a sentence when it cannot be used. */
bool dedup_key(const struct hg_request *req, struct hg_str *key, struct hg_error *err);

#endif
