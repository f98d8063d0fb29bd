#include "config/catalog_sweep.h"

#include "config/package.h"
#include "config/package_sweep.h"
#include "core/log.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { ARENA_MAX = 1 << 20 };

struct catalog_cleaner {
    struct hg_offload *offload;
    struct hg_job job;
    const char *data_dir;
};

/* Every folder and archive that the snapshot names. */
typedef void (*code_fn)(struct hg_str dir, struct hg_str zip, struct hg_str owner, void *arg);

static void each_of_function(const struct hg_function *function, code_fn each, void *arg)
{
    each(function->code_dir, function->code_zip, function->name, arg);
    for (size_t i = 0; i < function->layer_count; i++)
        each(function->layer_dirs[i], HG_STR(""), function->name, arg);
}

static void each_code(const struct hg_snapshot *snapshot, code_fn each, void *arg)
{
    const struct hg_stack *stack = snapshot->stack;
    struct hg_pmap_at at = {0};
    const struct hg_family *family;
    struct hg_counted *counted;

    /* Layers first: they know their archives. */
    while ((counted = hg_pmap_next(&snapshot->layers, &at))) {
        const struct hg_layer *layer = hg_container_of(counted, struct hg_layer, counted);

        for (size_t i = 0; i < layer->version_count; i++)
            each(layer->versions[i].dir, layer->versions[i].zip, layer->name, arg);
    }
    at = (struct hg_pmap_at){0};
    while ((family = snapshot_next_family(snapshot, &at))) {
        each_of_function(family->latest, each, arg);
        for (size_t i = 0; i < family->version_count; i++)
            each_of_function(family->versions[i], each, arg);
    }
    /* A reset puts these in force again. */
    for (size_t i = 0; i < stack->function_count; i++)
        each_of_function(stack->functions[i], each, arg);
    for (size_t i = 0; i < stack->layer_count; i++)
        each(stack->layers[i].version.dir, stack->layers[i].version.zip, stack->layers[i].name,
             arg);
}

struct heal {
    const char *data_dir;
    struct hg_map looked_at; /* folders; the keys are the snapshot's */
};

static void on_heal(struct hg_str dir, struct hg_str zip, struct hg_str owner, void *arg)
{
    struct heal *heal = arg;
    struct hg_arena *arena;
    struct hg_error err = {""};
    struct stat st;

    if (!dir.n || hg_map_set(&heal->looked_at, dir, heal))
        return;
    /* Sealed texts are terminated. */
    if (stat(dir.p, &st) == 0 || errno != ENOENT)
        return;
    arena = hg_arena_new(ARENA_MAX);
    if (!zip.n)
        hg_warn("code_missing", "name=%.*s folder=%.*s", HG_STR_ARG(owner), HG_STR_ARG(dir));
    else if (package_restore(arena, heal->data_dir, dir, zip, &err) == HG_OK)
        hg_info("code_restored", "name=%.*s archive=%.*s", HG_STR_ARG(owner), HG_STR_ARG(zip));
    else
        hg_warn("code_missing", "name=%.*s folder=%.*s: %s", HG_STR_ARG(owner), HG_STR_ARG(dir),
                err.text);
    hg_arena_free(arena);
}

void catalog_heal_code(const struct hg_snapshot *snapshot, const char *data_dir)
{
    struct heal heal = {.data_dir = data_dir};

    hg_map_init(&heal.looked_at);
    each_code(snapshot, on_heal, &heal);
    hg_map_fini(&heal.looked_at);
}

static void on_keep(struct hg_str dir, struct hg_str zip, struct hg_str owner, void *arg)
{
    (void)owner;
    sweep_keep(arg, dir);
    sweep_keep(arg, zip);
}

static void on_remove(struct hg_job *job)
{
    sweep_remove(hg_container_of(job, struct catalog_cleaner, job)->data_dir);
}

static void on_removed(struct hg_job *job)
{
    (void)job;
}

struct catalog_cleaner *
catalog_clean_start(struct hg_loop *loop, const struct hg_snapshot *snapshot, const char *data_dir)
{
    struct catalog_cleaner *cleaner = hg_calloc(1, sizeof(*cleaner));
    struct hg_sweep sweep;
    size_t count;

    sweep_init(&sweep, data_dir);
    each_code(snapshot, on_keep, &sweep);
    count = sweep_rename(&sweep);
    sweep_fini(&sweep);
    if (count)
        hg_info("code_swept", "unused=%zu", count);
    cleaner->data_dir = data_dir;
    cleaner->job.work = on_remove;
    cleaner->job.done = on_removed;
    cleaner->offload = hg_offload_new("sweep", 1);
    hg_offload_submit(cleaner->offload, loop, &cleaner->job);
    return cleaner;
}

void catalog_clean_stop(struct catalog_cleaner *cleaner)
{
    hg_offload_free(cleaner->offload);
}

void catalog_clean_free(struct catalog_cleaner *cleaner)
{
    free(cleaner);
}
