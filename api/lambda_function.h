/*
 * Functions and their versions in the management API: what the operations of
 * api/lambda_function_*.c share.
 */
#ifndef HG_API_LAMBDA_FUNCTION_H
#define HG_API_LAMBDA_FUNCTION_H

#include "api/change.h"
#include "api/lambda_code.h"
#include "core/json_write.h"

/* RuntimeVersionArn: the same for a runtime on every machine. */
struct hg_str lambda_runtime_arn(struct hg_arena *arena, struct hg_str region,
                                 struct hg_str runtime);

/*
 * FunctionConfiguration (function-api.md §4.2). qualifier is what the caller asked for; it ends the ARN. has_state: with the members that
 * tell of the function's life, which lists leave out.
 */
void function_write_configuration(struct hg_json *json, struct hg_str region,
                                  const struct hg_function *function, struct hg_str qualifier,
                                  bool has_state);

/* For work: what function_respond then answers; draft is copied. HG_OK. */
enum hg_rc function_answer(struct hg_api_change *change, int status,
                           const struct hg_function *draft, struct hg_str qualifier);
void function_respond(struct hg_api_change *change);

/*
 * Sets what the input of CreateFunction or UpdateFunctionConfiguration gives, but for code and publishing. Texts of draft then belong to
 * the input, to snapshot and to change->arena. HG_E_INVALID: change_refuse has noted why.
 */
enum hg_rc function_take_input(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                               struct hg_function *draft) hg_must_use;
/* Layers, as a step of that: unknown, too many, of two versions, too large together. */
enum hg_rc function_take_layers(struct hg_api_change *change, const struct hg_snapshot *snapshot,
                                const cJSON *arns, struct hg_function *draft) hg_must_use;
/* Whether code and layers together are small enough; blocks a little: looks at every file. */
enum hg_rc function_check_size(struct hg_api_change *change,
                               const struct hg_function *draft) hg_must_use;

/* The RevisionId that the caller knows, when it gives one, must be the present one. */
enum hg_rc function_check_revision(struct hg_api_change *change,
                                   const struct hg_function *latest) hg_must_use;
/* A new RevisionId and time; Active and, as far as the store is concerned, Successful. */
void function_renew(struct hg_api_change *change, struct hg_function *draft);
/* What the call that makes or changes a function says of it: it is being made, or updated. */
void function_say_pending(struct hg_api_change *change, struct hg_function *draft);
void function_say_updating(struct hg_api_change *change, struct hg_function *draft);

/*
 * Publishes $LATEST of family: the last version when nothing has changed since, else a new one. code_dir and description: p NULL for
 * $LATEST's own. Borrowed from the family.
 */
const struct hg_function *function_publish(struct hg_api_change *change, struct hg_edit *edit,
                                           struct hg_family *family, struct hg_str code_dir,
                                           struct hg_str description);

/* The call names a function, not one of its versions or aliases. */
enum hg_rc function_check_unqualified(struct hg_api_change *change) hg_must_use;
/* False, and the change abandoned: the call names a version or an alias, or the function is busy with another update. On the loop. */
bool function_may_change(struct hg_api_change *change) hg_must_use;
/* Abandons the change: the function is busy with another one. */
void function_refuse_busy(struct hg_api_change *change);

#endif
