/*
 * Layers by name and ARN, and as documents: what the operations of lambda_layer*.c share (function-api.md §11).
 */
#ifndef HG_API_LAMBDA_LAYER_H
#define HG_API_LAMBDA_LAYER_H

#include "api/change.h"

/* A LayerName of a call: a name, or arn:aws:lambda:REGION:ACCOUNT:layer:NAME[:VERSION], whose parts are p NULL in a bare name. */
struct layer_ref {
    struct hg_str region, account, name;
    uint64_t number; /* 0: none given, or no number */
};

struct layer_ref layer_ref_parse(struct hg_str text);
/* Whether it is of this account. */
bool layer_ref_is_own(const struct hg_snapshot *snapshot, const struct layer_ref *ref);

/* arn:aws:lambda:REGION:ACCOUNT:layer:NAME, and with :NUMBER unless it is 0. In arena. */
struct hg_str layer_arn(struct hg_arena *arena, const struct hg_snapshot *snapshot,
                        struct hg_str name, uint64_t number);
/* NULL when there is none; also for a layer of another region. */
const struct hg_layer_version *layer_find_version(const struct hg_snapshot *snapshot,
                                                  const struct layer_ref *ref);

/* As lists show it: without Content and LayerArn. The object is open before and after. */
void layer_version_write(struct hg_json *json, const struct hg_layer_version *version);
/* As GetLayerVersion and PublishLayerVersion answer it; the code's address is on the request's host. */
void layer_version_respond(struct hg_call *call, int status, struct hg_str layer_arn,
                           const struct hg_layer_version *version);

/* LayerName and VersionNumber of a call that only looks. False: answered. */
bool layer_read_ref(struct hg_call *call, struct layer_ref *ref) hg_must_use;
/* For work: the VersionNumber and the layer that a change names. False: it was refused. */
bool layer_change_ref(struct hg_api_change *change, struct hg_edit *edit, struct layer_ref *ref);

#endif
