/*
 * FunctionName and Qualifier of a call: their syntax and what they mean.
 */
#ifndef HG_API_LAMBDA_NAME_H
#define HG_API_LAMBDA_NAME_H

#include "api/call.h"

/* A checked reference; the strings live in the request's arena. */
struct hg_function_ref {
    struct hg_str name;
    struct hg_str qualifier; /* "" for none */
};

/*
 * Checks {FunctionName} (params[0]) and ?Qualifier= as the service does. False
 * when the call was answered with the error. function-api.md §3.
 */
bool lambda_parse_name(struct hg_call *call, const struct hg_snapshot *snapshot,
                       struct hg_function_ref *ref);

/*
 * The same for a name from anywhere, qualifier (p NULL: none) too: for what call_input has checked already. CreateFunction's plain
 * names have at most 64 characters.
 */
bool lambda_read_name(struct hg_call *call, const struct hg_snapshot *snapshot, struct hg_str name,
                      struct hg_str qualifier, struct hg_function_ref *ref);

/*
 * The function meant. NULL when it is missing: the call was answered with 404.
 * says_latest: the text names `:$LATEST` for an unqualified reference, as Invoke's does.
 */
const struct hg_function *lambda_find(struct hg_call *call, const struct hg_snapshot *snapshot,
                                      const struct hg_function_ref *ref, bool says_latest);

/* A call that only looks: respond, with the snapshot in force, unless the input or the name is wrong. */
void lambda_look(struct hg_call *call,
                 void (*respond)(struct hg_call *call, const struct hg_snapshot *snapshot,
                                 const struct hg_function_ref *ref));

#endif
