/*
 * What the synchronous and the asynchronous half of Invoke share.
 */
#ifndef HG_API_LAMBDA_INVOKE_H
#define HG_API_LAMBDA_INVOKE_H

#include "api/lambda_name.h"
#include "workers/invoke.h"

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

/* What an invocation asks for, checked. */
enum invocation_type { HG_INVOKE_SYNC, HG_INVOKE_EVENT, HG_INVOKE_DRY_RUN };
struct invoke_wish {
    enum invocation_type type;
    bool wants_tail;
    struct hg_str client_context; /* p NULL: none */
    struct hg_function_ref ref;
    struct hg_snapshot *snapshot; /* a reference */
    const struct hg_function *function;
};

/*
 * Everything that Invoke checks before it runs something (invoke-api.md §1, §3). False: answered, and there is nothing to drop.
 * streams: it is InvokeWithResponseStream, which takes no events.
 */
bool lambda_read_wish(struct hg_call *call, bool streams, struct invoke_wish *wish);
/* Runs it; the wish's reference goes along. respond gets what came of it, rc HG_OK, when the client is still there. */
void lambda_run(struct hg_call *call, struct invoke_wish *wish,
                void (*respond)(struct hg_call *call, struct hg_invocation *inv));
/* The answer of DryRun. Drops the reference. */
void lambda_answer_dry_run(struct hg_call *call, struct invoke_wish *wish);
/* The type that the answer is given: the runtime's word counts only for what is not JSON. In the request's arena or static. */
const char *lambda_answer_type(struct hg_call *call, const struct hg_invocation *inv);

#endif
