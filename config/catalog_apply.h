/*
 * Steps of config/catalog_apply.c in files of their own.
 */
#ifndef HG_CONFIG_CATALOG_APPLY_H
#define HG_CONFIG_CATALOG_APPLY_H

#include "config/catalog_edit.h"
#include "config/model_fields.h"
#include "core/crypto.h"

/* Kinds of what was applied; the name of all but functions and layers is "function:part". */
#define APPLIED_FUNCTION "function"
#define APPLIED_VERSION "version"
#define APPLIED_ALIAS "alias"
#define APPLIED_URL "url"
#define APPLIED_PROVISIONED "provisioned"
#define APPLIED_EVENT_CONFIG "event-invoke-config"
#define APPLIED_PERMISSION "permission" /* "function:qualifier:Sid" */
#define APPLIED_LAYER "layer"

/* A value of the template that was applied. */
struct applied {
    struct applied *next;
    const char *kind;
    struct hg_str name;
    unsigned char hash[HG_APPLIED_HASH_LEN];
    bool is_in_template;
};

struct apply {
    struct hg_edit *edit;
    const struct hg_stack *stack;
    struct applied *first;
    struct hg_map by_key; /* "kind name" → struct applied */
    struct hg_map fresh;  /* functions that were not there: nothing of them counts as applied */
    struct hg_map
        again; /* those of them that were applied once, and deleted by the API since then */
    struct hg_map numbers; /* "function:template's version" → its number here, terminated */
    struct hg_error *err;
};

/* Whether some value was applied before; then, whether this very one was; the latter marks the thing as one that the template has. */
bool apply_was_there(struct apply *apply, const char *kind, struct hg_str name);
bool apply_is_known(struct apply *apply, const char *kind, struct hg_str name,
                    const unsigned char *hash);
enum hg_rc apply_note(struct apply *apply, const char *kind, struct hg_str name,
                      const unsigned char *hash) hg_must_use;
/* "function:part" */
struct hg_str apply_name(struct apply *apply, struct hg_str function, struct hg_str part);
struct hg_str apply_new_revision(struct apply *apply);
/* Of code and configuration, without times and revisions. */
void apply_hash_function(struct apply *apply, const struct hg_function *function,
                         unsigned char hash[HG_APPLIED_HASH_LEN]);
void apply_hash_fields(const struct hg_fields *type, const void *item,
                       unsigned char hash[HG_APPLIED_HASH_LEN]);
void apply_set_active(struct hg_function *draft);

/* config/catalog_apply_parts.c: in this order, after the functions. */
enum hg_rc apply_read_numbers(struct apply *apply) hg_must_use;
enum hg_rc apply_version(struct apply *apply, const struct hg_function *wanted) hg_must_use;
enum hg_rc apply_alias(struct apply *apply, const struct hg_alias *wanted) hg_must_use;
enum hg_rc apply_url(struct apply *apply, const struct hg_url *wanted) hg_must_use;
enum hg_rc apply_provisioned(struct apply *apply,
                             const struct hg_stack_provisioned *wanted) hg_must_use;
enum hg_rc apply_permission(struct apply *apply,
                            const struct hg_stack_permission *wanted) hg_must_use;
enum hg_rc apply_event_setting(struct apply *apply,
                               const struct hg_event_setting *wanted) hg_must_use;
/* The template no longer has it. */
void apply_drop_part(struct apply *apply, const char *kind, struct hg_str function,
                     struct hg_str part);

#endif
