/*
 * Families, layers and mappings: counted, immutable once in a snapshot, changed by copying.
 */
#ifndef HG_CONFIG_FAMILY_H
#define HG_CONFIG_FAMILY_H

#include "config/function.h"

extern const struct hg_pmap_type family_type, layer_type, mapping_type;

/* New and empty but for the name; latest must be set before it goes into a snapshot. */
struct hg_family *family_new(struct hg_str name, enum hg_origin origin);
/* A private copy to change: own arena for all lists and texts; versions are shared references. Change lists by building new ones in
 * family_arena. */
struct hg_family *family_copy(const struct hg_family *from);
struct hg_arena *family_arena(struct hg_family *family);
struct hg_family *family_ref(struct hg_family *family);
void family_unref(struct hg_family *family); /* NULL is allowed */

/* Borrowed; NULL when there is none. "" and "$LATEST" are the latest. */
struct hg_function *family_version(const struct hg_family *family, struct hg_str version);
struct hg_alias *family_alias(const struct hg_family *family, struct hg_str name);
struct hg_policy *family_policy(const struct hg_family *family, struct hg_str qualifier);
struct hg_url *family_url(const struct hg_family *family, struct hg_str qualifier);
struct hg_provisioned *family_provisioned(const struct hg_family *family, struct hg_str qualifier);
struct hg_attached *family_attached(const struct hg_family *family, struct hg_str kind,
                                    struct hg_str qualifier);

/* Changes of a private copy. What is given is copied; an equal name or qualifier is replaced; order is kept. */
void family_set_latest(
    struct hg_family *family,
    const struct hg_function
        *draft); /* sealed here; aliases never name $LATEST by pointer of old: they follow */
void family_add_version(struct hg_family *family, const struct hg_function *draft);
bool family_remove_version(struct hg_family *family, struct hg_str version);
/* function and weighted are looked up by the versions that version and weighted_version name ("" for none). */
enum hg_rc family_put_alias(struct hg_family *family, const struct hg_alias *alias,
                            struct hg_str version, struct hg_str weighted_version) hg_must_use;
bool family_remove_alias(struct hg_family *family, struct hg_str name);
void family_put_policy(struct hg_family *family, const struct hg_policy *policy);
bool family_remove_policy(struct hg_family *family, struct hg_str qualifier);
void family_put_url(struct hg_family *family, const struct hg_url *url);
bool family_remove_url(struct hg_family *family, struct hg_str qualifier);
void family_put_provisioned(struct hg_family *family, const struct hg_provisioned *provisioned);
bool family_remove_provisioned(struct hg_family *family, struct hg_str qualifier);
void family_put_attached(struct hg_family *family, const struct hg_attached *attached);
bool family_remove_attached(struct hg_family *family, struct hg_str kind, struct hg_str qualifier);
/* Family-wide fields, set in every version anew. reserved: -1 for none. */
void family_set_reserved(struct hg_family *family, int reserved);
void family_set_recursion(struct hg_family *family, bool may_recurse);
void family_set_tags(struct hg_family *family, const struct hg_kv_list *tags);

/* Layers and mappings: the same rule, private copies to change. */
struct hg_layer *layer_new(struct hg_str name, enum hg_origin origin);
struct hg_layer *layer_copy(const struct hg_layer *from);
struct hg_layer_version *layer_version(const struct hg_layer *layer, uint64_t number);
/* number must be above last_version, which it becomes. Replaces when the number is there (for its policy). */
void layer_put_version(struct hg_layer *layer, const struct hg_layer_version *version);
bool layer_remove_version(struct hg_layer *layer, uint64_t number);
void layer_unref(struct hg_layer *layer);
struct hg_mapping *mapping_new(struct hg_str uuid, enum hg_origin origin);
struct hg_mapping *mapping_copy(const struct hg_mapping *from); /* set its strings from its arena */
void mapping_unref(struct hg_mapping *mapping);

#endif
