/*
 * The fields of the model's structs; see config/fields.h. Used by config/ only.
 */
#ifndef HG_CONFIG_MODEL_FIELDS_H
#define HG_CONFIG_MODEL_FIELDS_H

#include "config/fields.h"
#include "config/model.h"

extern const struct hg_fields function_fields, policy_fields, url_fields, provisioned_fields,
    attached_fields, layer_version_fields, mapping_fields;

/* Aliases in copies: without the versions, which are no texts; config/family_doc.c writes them. */
extern const struct hg_fields alias_fields;

#endif
