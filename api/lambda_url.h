/*
 * Function URL configs: what reading and changing them share (function-api.md §12).
 */
#ifndef HG_API_LAMBDA_URL_H
#define HG_API_LAMBDA_URL_H

#include "api/change_answer.h"

enum url_form {
    URL_CREATED,           /* without LastModifiedTime and InvokeMode */
    URL_CREATED_WITH_MODE, /* InvokeMode was given */
    URL_WHOLE,
};

/* "http://HOST/_aws/lambda-url/" of the request, in its arena: what FunctionUrl begins with, and so resolves wherever the call came from. */
struct hg_str url_base(struct hg_call *call);

/* One config as answers have it. */
void url_write(struct hg_json *json, struct hg_str base, struct hg_str function_arn,
               const struct hg_url *url, enum url_form form);

#endif
