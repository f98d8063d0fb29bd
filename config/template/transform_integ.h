/*
 * Integrations: from OpenAPI extensions, CloudFormation properties and events into one model,
 * with a sentence for what the gateway cannot serve yet.
 */
#ifndef HG_CONFIG_TEMPLATE_TRANSFORM_INTEG_H
#define HG_CONFIG_TEMPLATE_TRANSFORM_INTEG_H

#include "config/template/transform.h"

/* How a dialect spells its members; NULL where it has none. */
struct hg_integ_names {
    const char *table; /* row of properties.def */
    const char *type, *http_method, *uri, *request_parameters, *request_templates, *passthrough,
        *responses, *timeout;
    const char *payload_version, *subtype, *transfer_mode;
    const char *response_table, *status, *response_parameters, *response_templates;
    const char *content_handling, *invocation_type;
};
extern const struct hg_integ_names integ_names_openapi, integ_names_method, integ_names_v2;

/*
 * Reads one. who begins messages ("GET /pets"). NULL and a problem when it cannot be an
 * integration at all. What is not served yet is set in `unsupported`; the caller tells it with
 * integ_report once the route is known.
 */
struct hg_integ_model *integ_read(struct hg_transform *t, const struct hg_node *node,
                                  enum hg_api_kind kind, const struct hg_integ_names *names,
                                  struct hg_str who);
/* Proxy integration to a function, as SAM writes it. */
struct hg_integ_model *integ_lambda(struct hg_transform *t, enum hg_api_kind kind,
                                    struct hg_str function_ref, unsigned line);
/* MOCK that answers 200 with these header parameters: what SAM writes for CORS. */
struct hg_integ_model *integ_preflight(struct hg_transform *t, struct hg_kv_list parameters,
                                       unsigned line);
/* For a method without integration. */
struct hg_integ_model *integ_missing(struct hg_transform *t, unsigned line);
bool integ_is_missing(const struct hg_integ_model *integration);
/*
 * Sets the invocation type that the template gives in Headgate's own words: node is its text, NULL changes nothing.
 * A problem when it is none or the integration has no function behind it.
 */
void integ_fix_type(struct hg_transform *t, struct hg_integ_model *integration,
                    const struct hg_node *node, struct hg_str who);
/* The same from `Metadata: {Headgate: {InvocationType: …}}` of a resource. */
void integ_fix_type_of(struct hg_transform *t, struct hg_integ_model *integration,
                       const struct hg_resource *resource, struct hg_str who);
/* Lists the route when its integration is not served. */
void integ_report(struct hg_transform *t, const struct hg_integ_model *integration,
                  struct hg_str who);

/* Where function and qualifier stand in a URI or ARN; false when it names no function. */
bool integ_function_ref(struct hg_str uri, struct hg_str *ref);
/* Whether rendering the text as a mapping template would change it. */
bool integ_is_template(struct hg_str text);
/* Whether the template's result is the body as it came: $input.body, $input.json('$'). */
bool integ_is_passthrough(struct hg_str text);

#endif
