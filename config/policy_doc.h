/*
 * Resource policies as documents: the statements that AddPermission and AddLayerVersionPermission make, and the policy around them
 * (function-api.md §10, §11). Pure: texts in, texts out.
 */
#ifndef HG_CONFIG_POLICY_DOC_H
#define HG_CONFIG_POLICY_DOC_H

#include "config/model.h"

enum { HG_POLICY_BYTES_MAX = 20480 };

/* What a statement says. Conditions that were not given have p NULL. */
struct policy_terms {
    struct hg_str sid, principal, action, resource;
    struct hg_str source_account, url_auth_type, org_id, event_token; /* StringEquals */
    struct hg_str source_arn;                                         /* ArnLike */
    bool is_via_url; /* Bool lambda:InvokedViaFunctionUrl */
};

/* A service's name, an account, an ARN of IAM or STS, or "*". */
bool policy_principal_is_valid(struct hg_str principal);

/* The statement as compact JSON, in arena. */
struct hg_str policy_statement_json(struct hg_arena *arena, const struct policy_terms *terms);

/* The whole document as compact JSON, in arena. */
struct hg_str policy_json(struct hg_arena *arena, const struct hg_policy *policy);

/* NULL when there is none. */
const struct hg_statement *policy_find(const struct hg_policy *policy, struct hg_str sid);

/*
 * A policy like `from` (NULL: empty) with a statement more at the end, or without the one of that Sid, under a new RevisionId.
 * Its lists are in arena; the texts of `from` are borrowed.
 */
struct hg_policy policy_with(struct hg_arena *arena, const struct hg_policy *from,
                             struct hg_str qualifier, const struct hg_statement *statement,
                             struct hg_str revision);
struct hg_policy policy_without(struct hg_arena *arena, const struct hg_policy *from,
                                struct hg_str sid, struct hg_str revision);

#endif
