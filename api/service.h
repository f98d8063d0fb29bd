/*
 * Tells requests of other services of Amazon, which share the management port, from the Lambda API's.
 */
#ifndef HG_API_SERVICE_H
#define HG_API_SERVICE_H

#include "api/call.h"

/* True when the request was one of another service: its handler has it now, or it was answered that there is none. */
bool service_run(struct hg_call *call);

#endif
