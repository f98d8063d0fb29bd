/*
 * Cors of AWS::Serverless::Api: an OPTIONS method with a MOCK integration on every path.
 */
#ifndef HG_CONFIG_TEMPLATE_SAM_CORS_H
#define HG_CONFIG_TEMPLATE_SAM_CORS_H

#include "config/template/sam_auth.h"

/* Once all other routes of the API are there. Paths that have OPTIONS already are left alone. */
void sam_cors_apply(struct hg_transform *t, struct hg_api_draft *draft,
                    const struct hg_sam_auth *auth);

#endif
