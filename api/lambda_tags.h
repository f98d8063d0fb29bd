/*
 * ARNs of what can have tags, and how many: steps of lambda_tags.c.
 */
#ifndef HG_API_LAMBDA_TAGS_H
#define HG_API_LAMBDA_TAGS_H

#include "api/change.h"

enum tagged_kind { TAGGED_FUNCTION, TAGGED_MAPPING, TAGGED_CODE_SIGNING, TAGGED_OTHER };

/* arn:partition:lambda:REGION:ACCOUNT:kind:name[:qualifier]. Borrowed from arn; what is not there is "" or p NULL. */
struct tagged_resource {
    struct hg_str arn, region, account, name, qualifier;
    enum tagged_kind kind;
};

/* The model's pattern has been checked; anything else gives TAGGED_OTHER. */
struct tagged_resource tagged_resource_parse(struct hg_str arn);

/* For work: whether a resource may have so many tags; otherwise change_refuse has noted it. */
enum hg_rc tags_check_count(struct hg_api_change *change, size_t count) hg_must_use;

#endif
