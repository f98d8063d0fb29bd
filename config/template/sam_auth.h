/*
 * The Auth property of SAM's APIs and of their events: which authorization each route gets.
 */
#ifndef HG_CONFIG_TEMPLATE_SAM_AUTH_H
#define HG_CONFIG_TEMPLATE_SAM_AUTH_H

#include "config/template/transform_api.h"

struct hg_sam_auth {
    const struct hg_node *authorizers; /* by name */
    struct hg_str fallback;            /* DefaultAuthorizer; "" for none */
    bool is_key_required;
    bool is_preflight_protected, is_preflight_keyed;
    bool is_iam_enabled;
};

struct hg_sam_auth sam_auth_read(struct hg_transform *t, const struct hg_api_draft *draft);

/* For a route of an event; who begins messages, event_auth may be NULL. */
void sam_auth_apply(struct hg_transform *t, const struct hg_api_draft *draft,
                    struct hg_route *route, const struct hg_node *event_auth, struct hg_str who);
/* For a route that stands in the API's own definition, or answers preflights. */
void sam_auth_apply_default(struct hg_transform *t, const struct hg_sam_auth *auth,
                            struct hg_route *route, bool is_preflight);

#endif
