/*
 * What the synchronous and the asynchronous half of Invoke share.
 */
#ifndef HG_API_LAMBDA_INVOKE_H
#define HG_API_LAMBDA_INVOKE_H

#include "api/lambda_name.h"

/*
 * Whether the body is JSON and within limit bytes; type is the invocation type that the sentence
 * names. False when the call was answered with the error.
 */
bool lambda_check_payload(struct hg_call *call, const char *type, size_t limit);

/* The caller's trace header; "" when there is none or it is too long. */
void lambda_trace(const struct hg_call *call, char out[HG_TRACE_MAX]);

/*
 * An Event invocation of what ref names, which exists: answered with 202 once the event is durable. body_202 may
 * be empty.
 */
void lambda_accept_event(struct hg_call *call, const struct hg_function *function,
                         const struct hg_function_ref *ref, struct hg_str body_202);

#endif
