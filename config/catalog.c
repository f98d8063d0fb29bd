/*
 * The catalog's loop: what has gathered in its mailbox becomes one transaction,
 * each change a part of it that can fail alone, so that a storm of changes
 * waits for the disk together. Nobody hears of a change before it is on disk.
 */
#include "config/catalog_edit.h"
#include "config/catalog_sweep.h"
#include "core/crash_point.h"
#include "core/log.h"

#include <stdlib.h>

enum { BATCH_MAX = 256 };

struct hg_catalog {
    struct edit_ground ground;
    char *data_dir;
    struct hg_registry *registry;
    void (*on_published)(void *arg);
    void *arg;
    struct hg_loop *loop;
    struct hg_loop_thread *thread;
    struct catalog_cleaner *cleaner;
    struct hg_list waiting; /* struct hg_change */
    struct hg_task work;
};

/* A transaction with the changes in it. */
struct batch {
    struct hg_catalog *catalog;
    struct hg_snapshot *current; /* what the next change starts from: a reference */
    struct hg_list made;         /* changes that are in the transaction */
    bool is_altered, has_written;
};

static void on_answer(struct hg_mail *mail)
{
    struct hg_change *change = hg_container_of(mail, struct hg_change, mail);

    change->done(change);
}

static void answer(struct hg_change *change)
{
    hg_mailbox_post(&change->home->mailbox, &change->mail, on_answer);
}

/* All changes of a transaction, with what became of it. */
static void answer_made(struct batch *batch, enum hg_rc rc, const struct hg_error *err)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&batch->made))) {
        struct hg_change *change = hg_container_of(link, struct hg_change, link);

        change->rc = rc;
        change->err = *err;
        answer(change);
    }
}

/* Takes over what the change made. */
static enum hg_rc keep(struct batch *batch, struct hg_edit *edit, struct hg_error *err)
{
    struct hg_store *store = batch->catalog->ground.store;
    enum hg_rc rc = edit_write(edit, err);

    if (rc == HG_OK)
        rc = store_part_keep(store, err);
    if (rc != HG_OK)
        return rc;
    batch->has_written = batch->has_written || edit->has_written || edit->is_altered;
    if (edit->is_altered) {
        batch->is_altered = true;
        snapshot_unref(batch->current);
        batch->current = edit_take(edit);
    }
    return HG_OK;
}

/* False when the whole transaction is gone with it. */
static bool make_one(struct batch *batch, struct hg_change *change)
{
    struct hg_store *store = batch->catalog->ground.store;
    struct hg_edit edit;
    bool is_alive = true;

    change->rc = store_part_begin(store, &change->err);
    if (change->rc != HG_OK) {
        answer(change);
        return false;
    }
    edit_init(&edit, &batch->catalog->ground, batch->current);
    change->rc = change->work(change, &edit);
    if (change->rc == HG_OK)
        change->rc = keep(batch, &edit, &change->err);
    if (change->rc == HG_OK) {
        hg_list_push_back(&batch->made, &change->link);
    } else {
        is_alive = store_part_undo(store);
        answer(change);
    }
    edit_fini(&edit);
    return is_alive;
}

static void publish(struct batch *batch)
{
    struct hg_catalog *catalog = batch->catalog;

    registry_publish(catalog->registry, snapshot_ref(batch->current));
    hg_crash_point("catalog-after-publish");
    if (catalog->on_published)
        catalog->on_published(catalog->arg);
}

static void commit(struct batch *batch)
{
    struct hg_error err = {""};
    enum hg_rc rc = HG_OK;

    if (batch->has_written) {
        hg_crash_point("catalog-before-commit");
        rc = store_commit(batch->catalog->ground.store, &err);
        hg_crash_point("catalog-after-commit");
    } else {
        store_rollback(batch->catalog->ground.store);
    }
    if (rc == HG_OK) {
        if (batch->is_altered)
            publish(batch);
        answer_made(batch, HG_OK, &err);
    } else {
        hg_error("catalog_not_stored", "%s", err.text);
        answer_made(batch, rc, &err);
    }
}

/* As many of those that wait as one transaction takes. */
static void run_batch(struct hg_catalog *catalog)
{
    struct batch batch = {.catalog = catalog, .current = registry_current(catalog->registry)};
    struct hg_error err = {""};
    enum hg_rc rc = store_begin(catalog->ground.store, &err);
    struct hg_list *link;
    bool is_alive = true;

    hg_list_init(&batch.made);
    for (int i = 0; i < BATCH_MAX && is_alive && (link = hg_list_pop_front(&catalog->waiting));
         i++) {
        struct hg_change *change = hg_container_of(link, struct hg_change, link);

        if (rc == HG_OK) {
            is_alive = make_one(&batch, change);
            continue;
        }
        change->rc = rc;
        change->err = err;
        answer(change);
    }
    if (is_alive && rc == HG_OK) {
        commit(&batch);
    } else {
        store_rollback(catalog->ground.store);
        (void)hg_error_set(&err, HG_E_IO, "the store undid the transaction");
        answer_made(&batch, HG_E_IO, &err);
    }
    snapshot_unref(batch.current);
}

static void on_work(struct hg_task *task)
{
    struct hg_catalog *catalog = hg_container_of(task, struct hg_catalog, work);

    while (!hg_list_empty(&catalog->waiting))
        run_batch(catalog);
}

static void on_arrived(struct hg_mail *mail)
{
    struct hg_change *change = hg_container_of(mail, struct hg_change, mail);
    struct hg_catalog *catalog = change->catalog;

    hg_list_push_back(&catalog->waiting, &change->link);
    hg_loop_defer(catalog->loop, &catalog->work);
}

void catalog_submit(struct hg_catalog *catalog, struct hg_loop *home, struct hg_change *change)
{
    change->catalog = catalog;
    change->home = home;
    change->rc = HG_OK;
    change->err.text[0] = '\0';
    hg_mailbox_post(&catalog->loop->mailbox, &change->mail, on_arrived);
}

/* Start and end */

/* Nothing of the template is in it yet. */
static struct hg_snapshot *bare_snapshot(const struct hg_catalog_options *options)
{
    struct hg_snapshot *snapshot = snapshot_of_stack(options->stack);
    struct hg_pmap *const maps[] = {&snapshot->families, &snapshot->layers, &snapshot->mappings,
                                    &snapshot->urls};

    for (size_t i = 0; i < HG_COUNT(maps); i++) {
        const struct hg_pmap_type *type = maps[i]->type;

        hg_pmap_fini(maps[i]);
        hg_pmap_init(maps[i], type);
    }
    snapshot->prepare = options->prepare;
    return snapshot;
}

static enum hg_rc apply_template(struct hg_catalog *catalog, const struct hg_orphans *orphans,
                                 struct hg_snapshot **snapshot, struct hg_error *err)
{
    struct hg_store *store = catalog->ground.store;
    struct hg_edit edit;
    enum hg_rc rc = store_begin(store, err);

    if (rc != HG_OK)
        return rc;
    edit_init(&edit, &catalog->ground, *snapshot);
    rc = catalog_apply(&edit, orphans, err);
    if (rc == HG_OK)
        rc = edit_write(&edit, err);
    if (rc == HG_OK)
        rc = store_commit(store, err);
    else
        store_rollback(store);
    if (rc == HG_OK) {
        snapshot_unref(*snapshot);
        *snapshot = edit_take(&edit);
    }
    edit_fini(&edit);
    return rc;
}

static enum hg_rc load(struct hg_catalog *catalog, struct hg_snapshot **snapshot,
                       struct hg_error *err)
{
    struct hg_orphans orphans = {NULL, 0};
    enum hg_rc rc = rows_load(catalog->ground.store, *snapshot, &orphans, err);

    if (rc == HG_OK && catalog->ground.has_template)
        rc = apply_template(catalog, &orphans, snapshot, err);
    orphans_fini(&orphans);
    return rc;
}

static void start(struct hg_catalog *catalog, struct hg_snapshot *snapshot)
{
    catalog_heal_code(snapshot, catalog->data_dir);
    catalog->registry = registry_new(snapshot_ref(snapshot));
    catalog->loop = hg_loop_new(0);
    hg_list_init(&catalog->waiting);
    hg_task_init(&catalog->work, on_work);
    catalog->cleaner = catalog_clean_start(catalog->loop, snapshot, catalog->data_dir);
    catalog->thread = hg_loop_thread_start(catalog->loop, "catalog");
}

struct hg_catalog *catalog_open(const struct hg_catalog_options *options, struct hg_error *err)
{
    struct hg_catalog *catalog = hg_calloc(1, sizeof(*catalog));
    struct hg_snapshot *snapshot = bare_snapshot(options);
    enum hg_rc rc;

    catalog->data_dir = hg_strdup(options->data_dir);
    catalog->on_published = options->on_published;
    catalog->arg = options->arg;
    catalog->ground = (struct edit_ground){.data_dir = catalog->data_dir,
                                           .stack = stack_ref(options->stack),
                                           .has_template = options->has_template};
    rc = store_open(options->data_dir, &catalog->ground.store, err);
    if (rc == HG_OK)
        rc = load(catalog, &snapshot, err);
    if (rc == HG_OK)
        start(catalog, snapshot);
    snapshot_unref(snapshot);
    if (rc == HG_OK)
        return catalog;
    catalog_close(catalog);
    return NULL;
}

void catalog_close(struct hg_catalog *catalog)
{
    if (!catalog)
        return;
    if (catalog->thread) {
        catalog_clean_stop(catalog->cleaner);
        hg_loop_thread_stop(catalog->thread);
        hg_loop_free(catalog->loop); /* what is in its mailbox is done before */
    }
    catalog_clean_free(catalog->cleaner);
    registry_free(catalog->registry);
    store_close(catalog->ground.store);
    stack_unref(catalog->ground.stack);
    free(catalog->data_dir);
    free(catalog);
}

struct hg_registry *catalog_registry(struct hg_catalog *catalog)
{
    return catalog->registry;
}
