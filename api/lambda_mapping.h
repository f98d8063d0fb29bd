/*
 * Event source mappings: what their operations share (event-source-mappings.md §1).
 */
#ifndef HG_API_LAMBDA_MAPPING_H
#define HG_API_LAMBDA_MAPPING_H

#include "api/change_answer.h"

/* Kinds of sources; each is a bit, for sets of them. */
enum mapping_kind {
    MAPPING_UNKNOWN = 0,
    MAPPING_SQS = 1,
    MAPPING_KINESIS = 2,
    MAPPING_DYNAMODB = 4,
    MAPPING_MSK = 8,
    MAPPING_KAFKA = 16, /* self-managed */
    MAPPING_MQ = 32,
    MAPPING_DOCUMENTDB = 64,
};

/* By EventSourceArn; without one ("" or p NULL) by whether there is a SelfManagedEventSource. */
enum mapping_kind mapping_kind_of(struct hg_str source, bool is_self_managed);
/* What StateTransitionReason says of what the user wanted. */
const char *mapping_user_reason(enum mapping_kind kind);

/*
 * Takes over into settings (as GetEventSourceMapping shows them) what the input has of them; is_new: with the defaults of the kind and
 * all that only a creation may give. HG_E_INVALID: the change was refused.
 */
enum hg_rc mapping_apply(struct hg_api_change *change, enum mapping_kind kind, struct hg_str source,
                         bool is_new, cJSON *settings);

/* A state on the way to the stored one, as answers of changes tell it. */
struct mapping_passage {
    const char *state, *reason;
};
/* The whole document; passage is NULL for the stored state. For lists encrypted filters are left out. */
void mapping_write(struct hg_json *json, const struct hg_snapshot *snapshot,
                   const struct hg_mapping *mapping, const struct mapping_passage *passage,
                   bool is_listed);

#endif
