/*
 * IAM and STS as far as tools around Lambda call them: roles and policies are kept and given back, and restrict nothing. Query protocol.
 */
#ifndef HG_API_IAM_H
#define HG_API_IAM_H

#include "api/call.h"

void iam_run(struct hg_call *call);
void sts_run(struct hg_call *call);

#endif
