/*
 * An API while it is put together: routes from OpenAPI bodies, events and CloudFormation
 * resources all come in here.
 */
#ifndef HG_CONFIG_TEMPLATE_TRANSFORM_API_H
#define HG_CONFIG_TEMPLATE_TRANSFORM_API_H

#include "config/template/transform.h"

#define HG_DEFAULT_ROUTE "$default"

/* A draft with id and logical id; its name is the property Name or the logical id. */
struct hg_api_draft *api_new(struct hg_transform *t, const struct hg_resource *resource,
                             enum hg_api_kind kind);
/* By API id; NULL when the template has no such API. */
struct hg_api_draft *api_find(const struct hg_transform *t, struct hg_str id);
/* The draft that a property (RestApiId, ApiId) names; a problem when there is none. */
struct hg_api_draft *api_named(struct hg_transform *t, const struct hg_resource *resource,
                               const char *property);

/* "get" → "GET"; false for what is no method of API Gateway. */
bool api_method(struct hg_str text, struct hg_str *method);
#define HG_METHODS_TEXT "GET, PUT, POST, DELETE, PATCH, OPTIONS, HEAD, ANY"

/*
 * Adds a route (its method upper case, "" for $default) after looking at its path, its siblings
 * and its twins; NULL and a problem at `at` when it cannot be. The draft's other routes may
 * move: hold no pointer to one across this.
 */
struct hg_route *api_add_route(struct hg_transform *t, struct hg_api_draft *draft,
                               const struct hg_route *route, const struct hg_node *at);
struct hg_route *api_find_route(const struct hg_api_draft *draft, struct hg_str method,
                                struct hg_str path);
/* "GET /pets" for messages; "$default". */
struct hg_str api_route_text(struct hg_transform *t, const struct hg_route *route);

/*
 * Gives the route an authorization other than NONE: kept, and the route answers that this is
 * not served yet. what names the authorizer or the key.
 */
void api_protect_route(struct hg_transform *t, struct hg_route *route, struct hg_str authorization,
                       struct hg_str authorizer);
void api_require_key(struct hg_transform *t, struct hg_route *route);

/* What a REST API takes; HG_STAGE_NAME_RULE says so, with the id of the resource. */
bool api_is_stage_name(struct hg_str name);
#define HG_STAGE_NAME_RULE "%.*s: StageName must be letters, digits, hyphens and underscores"

/* A new stage, or the one that has this name. */
struct hg_stage *api_stage(struct hg_transform *t, struct hg_api_draft *draft, struct hg_str name,
                           unsigned line);
/*
 * AccessLogSetting(s), MethodSettings (REST) and DefaultRouteSettings (HTTP) of a stage; absent
 * nodes change nothing.
 */
void stage_read_access_log(struct hg_transform *t, struct hg_stage *stage,
                           const struct hg_node *setting, const char *what);
void stage_read_method_settings(struct hg_transform *t, struct hg_stage *stage,
                                const struct hg_node *settings, const char *what);
void stage_read_route_settings(struct hg_transform *t, struct hg_stage *stage,
                               const struct hg_node *settings, const char *what);

/* binaryMediaTypes, with "~1" as "/". */
void api_read_binary_types(struct hg_transform *t, struct hg_api_draft *draft,
                           const struct hg_node *list, const char *what);
void api_add_gateway_response(struct hg_transform *t, struct hg_api_draft *draft,
                              const struct hg_gateway_response *response, const struct hg_node *at);

/* Moves all drafts into the stack. */
void apis_finish(struct hg_transform *t);

#endif
