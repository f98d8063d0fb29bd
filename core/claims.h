/*
 * Names that somebody is at work on: one claim for each name, taken on one
 * thread and given back on any. For what takes long and must not be done twice at once.
 */
#ifndef HG_CORE_CLAIMS_H
#define HG_CORE_CLAIMS_H

#include "core/str.h"

struct hg_claims;

struct hg_claims *hg_claims_new(void);
/* Claims that are left are forgotten. NULL is allowed. */
void hg_claims_free(struct hg_claims *claims);

/* False: somebody else has it. Any thread, as all that follow. */
bool hg_claims_take(struct hg_claims *claims, struct hg_str name) hg_must_use;
/* The name was taken. */
void hg_claims_drop(struct hg_claims *claims, struct hg_str name);
bool hg_claims_has(struct hg_claims *claims, struct hg_str name);

#endif
