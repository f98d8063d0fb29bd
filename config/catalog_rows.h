/*
 * Families, layers and mappings as rows of the store: a row for each version of
 * a function and for each attached thing, one for the rest of the family.
 * Used by config/catalog*.c only.
 */
#ifndef HG_CONFIG_CATALOG_ROWS_H
#define HG_CONFIG_CATALOG_ROWS_H

#include "config/family.h"
#include "config/store.h"

/* Kinds of rows. What is attached has its own kind behind the slash, so do documents. */
#define HG_ROW_FAMILY "family"
#define HG_ROW_FUNCTION "function"
#define HG_ROW_ATTACHED "attached/"
#define HG_ROW_LAYER "layer"
#define HG_ROW_MAPPING "mapping"
#define HG_ROW_DOCUMENT "document/"
/* Which number a version of the template got: name is the function's, sub the template's number, doc the real one. */
#define HG_ROW_TEMPLATE_VERSION "template-version"

/*
 * Paths in the data directory are stored without it, so that it may be moved: those begin with no slash.
 */
struct hg_str rows_path(const struct hg_store *store, struct hg_str path);
/* The way back; new texts in arena. */
struct hg_str rows_full_path(const struct hg_store *store, struct hg_arena *arena,
                             struct hg_str path);

/* The document of a version's row. */
void rows_write_function(const struct hg_store *store, const struct hg_function *function,
                         struct hg_buf *out);

/*
 * Writes what differs between the two; before is what the store has, after what it shall have; each may be NULL. What both share by
 * pointer is not looked at.
 */
enum hg_rc rows_put_family(struct hg_store *store, const struct hg_family *before,
                           const struct hg_family *after, struct hg_error *err) hg_must_use;
enum hg_rc rows_put_layer(struct hg_store *store, const struct hg_layer *before,
                          const struct hg_layer *after, struct hg_error *err) hg_must_use;
enum hg_rc rows_put_mapping(struct hg_store *store, const struct hg_mapping *before,
                            const struct hg_mapping *after, struct hg_error *err) hg_must_use;

/* Removes the rows of what is attached to the family, and no other. */
enum hg_rc rows_drop_attached(struct hg_store *store, const struct hg_family *family,
                              struct hg_error *err) hg_must_use;

/* What was attached to a function that the store does not have: it waits for the template's. */
struct hg_orphans {
    struct hg_family **families; /* owned; nothing but attached things */
    size_t count;
};
void orphans_fini(struct hg_orphans *orphans);

/* Fills an empty snapshot, private to its maker, with all that the store has. */
enum hg_rc rows_load(struct hg_store *store, struct hg_snapshot *snapshot,
                     struct hg_orphans *orphans, struct hg_error *err) hg_must_use;

/* The document of a family's row, read into arena; parts of config/catalog_rows.c and catalog_load.c. */
struct hg_alias_doc {
    struct hg_alias alias;
    struct hg_str to, also; /* versions; also is "" for none */
};
struct hg_family_doc {
    uint64_t last_version;
    struct hg_alias_doc *aliases;
    size_t alias_count;
    struct hg_policy *policies;
    size_t policy_count;
    struct hg_url *urls;
    size_t url_count;
    struct hg_provisioned *provisioned;
    size_t provisioned_count;
};
struct hg_fields;
extern const struct hg_fields family_doc_fields, layer_doc_fields;

#endif
