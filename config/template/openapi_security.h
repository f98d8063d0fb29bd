/*
 * security of OpenAPI documents: which authorization an operation asks for.
 */
#ifndef HG_CONFIG_TEMPLATE_OPENAPI_SECURITY_H
#define HG_CONFIG_TEMPLATE_OPENAPI_SECURITY_H

#include "config/template/transform_api.h"

/* Applies the operation's requirements, or else the document's, to the route. */
void openapi_secure(struct hg_transform *t, const struct hg_node *document,
                    const struct hg_node *operation, struct hg_route *route);

#endif
