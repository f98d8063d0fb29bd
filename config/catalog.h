/*
 * The one writer of what is deployed. A change is a function that runs on the catalog's thread, sees everything as it is, alters private
 * copies, and then is stored in one transaction (config/store.h) and published, or has no effect at all. What was reported as made
 * survives a power cut. Changes happen one after the other.
 *
 * At start the template is applied as a difference: what it made before and no longer has goes; what changed in it since the last time
 * is set anew; what it says unchanged keeps what the management API did to it; what only the API made is left alone. A function of the
 * template that the API deleted comes back.
 */
#ifndef HG_CONFIG_CATALOG_H
#define HG_CONFIG_CATALOG_H

#include "config/family.h"
#include "core/loop.h"

struct hg_catalog;

struct hg_catalog_options {
    const char *data_dir; /* absolute */
    struct hg_stack
        *stack; /* the template's, or an empty one; its reference is taken, also on failure */
    bool has_template; /* false: nothing is applied, and what a template made before stays */
    /* What makes URLs servable (gateway/gateway.h: gateway_prepare); NULL: they are kept but not served. */
    stack_prepare_fn prepare;
    /* After every publish, on the catalog's thread: must be quick and only post mail. NULL for none. */
    void (*on_published)(void *arg);
    void *arg;
};

/*
 * Blocks: reads the store, applies the template, and has unused code removed in the background. NULL and a sentence when the store
 * refuses.
 */
struct hg_catalog *catalog_open(const struct hg_catalog_options *options, struct hg_error *err);
/* Finishes what was submitted; done may still be in the mail of its loop. NULL is allowed. */
void catalog_close(struct hg_catalog *catalog);
struct hg_registry *catalog_registry(struct hg_catalog *catalog);

/* What a change sees and alters; lives while `work` runs, on the catalog's thread. */
struct hg_edit;

/* As it is with this change's own alterations; valid until the next alteration. */
const struct hg_snapshot *edit_snapshot(struct hg_edit *edit);
/* For drafts and texts of this change. */
struct hg_arena *edit_arena(struct hg_edit *edit);
/* A private copy to alter, in force and stored when the change ends well; the same one at each call. NULL: there is none. */
struct hg_family *edit_family(struct hg_edit *edit, struct hg_str name);
/* Takes the reference (from family_new). One with that name must not be there. */
void edit_add_family(struct hg_edit *edit, struct hg_family *family);
void edit_remove_family(struct hg_edit *edit, struct hg_str name);
struct hg_layer *edit_layer(struct hg_edit *edit, struct hg_str name);
void edit_add_layer(struct hg_edit *edit, struct hg_layer *layer);
struct hg_mapping *edit_mapping(struct hg_edit *edit, struct hg_str uuid);
void edit_add_mapping(struct hg_edit *edit, struct hg_mapping *mapping);
void edit_remove_mapping(struct hg_edit *edit, struct hg_str uuid);
/*
 * Documents that are no part of snapshots: kind ("iam-role", …), name, JSON. Read in the order of names, from `after` on; the
 * callback's false ends the walk.
 */
enum hg_rc edit_document_put(struct hg_edit *edit, const char *kind, struct hg_str name,
                             struct hg_str json, struct hg_error *err) hg_must_use;
enum hg_rc edit_document_delete(struct hg_edit *edit, const char *kind, struct hg_str name,
                                struct hg_error *err) hg_must_use;
/* *json in the edit's arena; p NULL when there is none. */
enum hg_rc edit_document_get(struct hg_edit *edit, const char *kind, struct hg_str name,
                             struct hg_str *json, struct hg_error *err) hg_must_use;
typedef bool (*edit_document_fn)(struct hg_str name, struct hg_str json, void *arg);
enum hg_rc edit_document_each(struct hg_edit *edit, const char *kind, struct hg_str after,
                              edit_document_fn each, void *arg, struct hg_error *err) hg_must_use;
/* Everything that the API made goes, and what the template made is as the template says: for reset. */
enum hg_rc edit_reset(struct hg_edit *edit, struct hg_error *err) hg_must_use;

/* One change: embedded by its owner, lent until done has run. */
struct hg_change {
    /* On the catalog's thread. HG_OK: store and publish. Anything else: nothing happens (the owner notes why). */
    enum hg_rc (*work)(struct hg_change *change, struct hg_edit *edit);
    void (*done)(struct hg_change *change); /* on the loop that submitted */
    /* HG_OK: stored and visible to everyone. What work returned, or what the store said (HG_E_IO) with its sentence. */
    enum hg_rc rc;
    struct hg_error err;

    struct hg_catalog *catalog;
    struct hg_loop *home;
    struct hg_mail mail;
    struct hg_list link;
};

/* Any loop's thread. */
void catalog_submit(struct hg_catalog *catalog, struct hg_loop *home, struct hg_change *change);

#endif
