/*
 * POST /_headgate/reset: everything that was made through the APIs goes, for the next run of a test suite.
 */
#ifndef HG_API_RESET_H
#define HG_API_RESET_H

#include "api/call.h"

void page_reset(struct hg_call *call);

#endif
