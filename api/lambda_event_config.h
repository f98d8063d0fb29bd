/*
 * The body of PutFunctionEventInvokeConfig and UpdateFunctionEventInvokeConfig.
 */
#ifndef HG_API_LAMBDA_EVENT_CONFIG_H
#define HG_API_LAMBDA_EVENT_CONFIG_H

#include "api/lambda_name.h"

/*
 * Reads and checks values and destinations for the function that ref names; what is not given is -1 or "", and has_destinations says
 * whether DestinationConfig is there. False when the call was answered with the error.
 */
bool lambda_read_event_config(struct hg_call *call, const struct hg_snapshot *snapshot,
                              const struct hg_function_ref *ref, struct hg_event_config *config,
                              bool *has_destinations);

#endif
