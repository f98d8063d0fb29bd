/*
 * OpenAPI 2 and 3 documents as definitions of REST and HTTP APIs.
 */
#ifndef HG_CONFIG_TEMPLATE_OPENAPI_H
#define HG_CONFIG_TEMPLATE_OPENAPI_H

#include "config/template/transform_api.h"

/*
 * Adds what the document defines to the draft. at names the place in the template for faults of
 * the whole.
 */
void openapi_import(struct hg_transform *t, struct hg_api_draft *draft,
                    const struct hg_node *document);

/*
 * Imports the definition that the draft's resource gives in one of two properties: the document
 * itself, or the path of a file (evaluated, too). Neither: nothing happens. S3 is refused.
 */
void openapi_import_of(struct hg_transform *t, struct hg_api_draft *draft, const char *body,
                       const char *uri);

#endif
