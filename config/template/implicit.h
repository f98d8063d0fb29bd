/*
 * What SAM adds to a template: implicit APIs, roles, versions, aliases, URLs, stages, the
 * resources behind events.
 */
#ifndef HG_CONFIG_TEMPLATE_IMPLICIT_H
#define HG_CONFIG_TEMPLATE_IMPLICIT_H

#include "config/template/transform.h"

#define HG_IMPLICIT_REST_API "ServerlessRestApi"
#define HG_IMPLICIT_HTTP_API "ServerlessHttpApi"

/*
 * Adds the generated resources, so that references to them have a meaning. After the explicit
 * ones are declared.
 */
void implicit_generate(struct hg_transform *t);
/* `Fn.Alias`, `Api.Stage` and their like. After all resources are declared. */
void implicit_declare_aliases(struct hg_transform *t);

/* `{Fn}Alias{name}`: "-" is written D, "_" U. */
struct hg_str implicit_alias_id(struct hg_transform *t, struct hg_str function_id,
                                struct hg_str alias);
/* `{Api}{Name}Stage`, `{Api}ApiGatewayDefaultStage`. */
struct hg_str implicit_stage_id(struct hg_transform *t, struct hg_str api_id, struct hg_str stage);

#endif
