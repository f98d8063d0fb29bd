/*
 * What a call of the Lambda API was given: path, query, headers and body as one JSON object, checked against the service's own model
 * (api/shapes.def): types, enums, patterns, lengths, ranges, what is required. Members have the model's names
 * ("FunctionName", "MaxItems", "InvocationType"); those that the model does not know are left out.
 */
#ifndef HG_API_INPUT_H
#define HG_API_INPUT_H

#include "api/call.h"

#include <cjson/cJSON.h>

/*
 * The call's input, freed with the request; NULL when the call was answered: ValidationException with the service's texts
 * (function-api.md §2), SerializationException for wrong JSON or types, InvalidParameterValueException for members that Headgate
 * does not offer (api/refused.def). Members that are null count as absent; what the model requires is there.
 */
const cJSON *call_input(struct hg_call *call);
/* The same, owned by the caller: for changes, which outlive a client that leaves. cJSON_Delete. */
cJSON *call_take_input(struct hg_call *call);

/* Members; the texts live as long as the input. Absent: p NULL, fallback, false. input may be NULL or a nested object. */
struct hg_str input_str(const cJSON *input, const char *name);
int64_t input_i64(const cJSON *input, const char *name, int64_t fallback);
bool input_bool(const cJSON *input, const char *name, bool fallback);
bool input_has(const cJSON *input, const char *name);
const cJSON *input_get(const cJSON *input, const char *name);

#endif
