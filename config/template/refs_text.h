/*
 * The values of refs.def, filled in for one resource. Used by refs*.c only.
 */
#ifndef HG_CONFIG_TEMPLATE_REFS_TEXT_H
#define HG_CONFIG_TEMPLATE_REFS_TEXT_H

#include "config/template/eval_state.h"

enum refs_name { NAME_NONE, NAME_LOGICAL, NAME_STACK, NAME_LOWER, NAME_FIFO };

/* A row of refs.def: a type, or (name is NULL) an attribute of the type above it. */
struct refs_type {
    const char *name, *name_property;
    enum refs_name kind;
    const char *ref;
    const char *attribute, *value;
};

/* The row of a type; NULL when it has none. */
const struct refs_type *refs_type(struct hg_str name);
/* The value of an attribute of type (may be NULL); NULL after offering the known ones to suggest. */
const char *refs_attribute_value(const struct refs_type *type, struct hg_str attribute,
                                 struct hg_suggest *suggest);

/* The physical name, evaluated on first use. False (said) on a cycle or a fault. */
bool refs_name_of(struct hg_eval *eval, struct eval_resource *resource,
                  const struct refs_type *type, const struct hg_node *at, struct hg_str *name);

/* A value of refs.def as a node; NULL (said) at a fault. */
struct hg_node *refs_fill(struct hg_eval *eval, struct eval_resource *resource,
                          const struct refs_type *type, const char *value,
                          const struct hg_node *at);

#endif
