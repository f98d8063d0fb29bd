/*
 * Aliases as documents: what the operations of lambda_alias*.c share.
 */
#ifndef HG_API_LAMBDA_ALIAS_H
#define HG_API_LAMBDA_ALIAS_H

#include "config/model.h"
#include "core/json_write.h"

/* As GetAlias answers it (function-api.md §7). */
void alias_write(struct hg_json *json, const struct hg_snapshot *snapshot,
                 const struct hg_alias *alias);

#endif
