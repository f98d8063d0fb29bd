/*
 * The translation, part by part, in the order in which template.c calls them. Each looks at the
 * resources of its types that are on.
 */
#ifndef HG_CONFIG_TEMPLATE_SAM_PARTS_H
#define HG_CONFIG_TEMPLATE_SAM_PARTS_H

#include "config/template/transform.h"

/* cfn_layer.c: both kinds of LayerVersion. */
void layers_translate(struct hg_transform *t);
/* sam_function.c, cfn_lambda.c */
void sam_functions_translate(struct hg_transform *t);
void lambda_functions_translate(struct hg_transform *t);
/* cfn_lambda.c: versions, aliases, URLs, also the generated ones. */
void lambda_versions_translate(struct hg_transform *t);
/* cfn_permission.c: statements of policies, once all functions, versions and aliases are known. */
void permissions_translate(struct hg_transform *t);
/* transform_async.c: event invoke configs, once all functions, versions and aliases are known. */
void event_settings_translate(struct hg_transform *t);
/* sam_api.c, sam_http_api.c, cfn_rest.c, cfn_http.c: APIs and what their bodies hold. */
void sam_apis_translate(struct hg_transform *t);
void sam_http_apis_translate(struct hg_transform *t);
void rest_apis_translate(struct hg_transform *t);
void http_apis_translate(struct hg_transform *t);
/* sam_events.c: events of functions; those of APIs become routes. */
void sam_events_translate(struct hg_transform *t);
/* sam_api.c, sam_http_api.c: what goes over all routes of an API: Auth, Cors. */
void sam_apis_finish(struct hg_transform *t);
void sam_http_apis_finish(struct hg_transform *t);

#endif
