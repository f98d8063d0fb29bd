/*
 * CORS settings as HTTP APIs and function URLs spell them.
 */
#ifndef HG_CONFIG_TEMPLATE_TRANSFORM_CORS_H
#define HG_CONFIG_TEMPLATE_TRANSFORM_CORS_H

#include "config/template/transform.h"

struct hg_cors_names {
    const char *origins, *methods, *headers, *expose, *max_age, *credentials;
};
extern const struct hg_cors_names cors_names_pascal; /* AllowOrigins */
extern const struct hg_cors_names cors_names_camel;  /* allowOrigins, in OpenAPI */

/* Not set when node is NULL. `true` allows every origin. */
struct hg_cors cors_read(struct hg_transform *t, const struct hg_node *node,
                         const struct hg_cors_names *names, const char *what);

#endif
