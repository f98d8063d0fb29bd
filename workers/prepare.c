/*
 * What must be ready before the first environment of a version: interpreter
 * found, bootstraps written, layers merged, plan made. One thread does it all,
 * one thing after the other, so it needs no locks.
 */
#include "core/clock.h"
#include "core/log.h"
#include "workers/bootstraps.h"
#include "workers/counting.h"
#include "workers/environment.h"
#include "workers/layers.h"
#include "workers/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COMPLAIN_EVERY_US = 10000000 };

/* An interpreter that was looked for, found or not is asked again. */
struct hg_known_interpreter {
    struct hg_known_interpreter *next;
    char *runtime;
    struct hg_interpreter interpreter;
};

static const struct hg_interpreter *know_interpreter(struct hg_workers *workers,
                                                     struct hg_str runtime, enum hg_rc *rc,
                                                     struct hg_error *err)
{
    struct hg_known_interpreter *known;
    bool had_warning;

    *rc = HG_OK;
    for (known = workers->interpreters; known; known = known->next) {
        if (hg_str_is(runtime, known->runtime))
            return &known->interpreter;
    }
    known = hg_calloc(1, sizeof(*known));
    *rc = runtime_find(runtime, workers->options.overrides, workers->options.override_count,
                       &known->interpreter, err);
    if (*rc != HG_OK) {
        free(known);
        return NULL;
    }
    had_warning = known->interpreter.warning[0] != '\0';
    runtime_probe(runtime, &known->interpreter);
    /* What could be seen without running it was said when the function was checked. */
    if (!had_warning && known->interpreter.warning[0])
        hg_warn("runtime_replaced", "%s", known->interpreter.warning);
    known->runtime = hg_strndup(runtime.p, runtime.n);
    known->next = workers->interpreters;
    workers->interpreters = known;
    return &known->interpreter;
}

static struct hg_plan *make_plan(struct hg_workers *workers, const struct hg_function *function,
                                 enum hg_rc *rc, struct hg_error *err)
{
    char bootstraps_dir[HG_PATH_MAX], opt_dir[HG_PATH_MAX];
    struct hg_runtime_id runtime;
    struct hg_plan_inputs inputs = {.options = &workers->options,
                                    .runtime = &runtime,
                                    .bootstraps_dir = bootstraps_dir,
                                    .opt_dir = opt_dir};
    struct hg_plan *plan;

    if (access(function->code_dir.p, F_OK) != 0) {
        *rc = hg_error_set(err, HG_E_NOT_FOUND,
                           "The function's code is missing: cannot open %.*s: %s",
                           HG_STR_ARG(function->code_dir), strerror(errno));
        return NULL;
    }
    *rc = runtime_parse(function->runtime, &runtime, err);
    if (*rc == HG_OK)
        *rc = bootstraps_write(workers->data_dir, err);
    if (*rc == HG_OK && runtime_is_managed(runtime.family))
        inputs.interpreter = know_interpreter(workers, function->runtime, rc, err);
    if (*rc == HG_OK)
        *rc = layers_merge(workers->data_dir, function->layer_dirs, function->layer_count, opt_dir,
                           err);
    if (*rc != HG_OK) {
        /* HG_E_NOT_FOUND is left for a missing entry point. */
        *rc = HG_E_UNAVAILABLE;
        return NULL;
    }
    bootstraps_path(workers->data_dir, bootstraps_dir);
    plan = plan_new(function, &inputs, rc);
    if (!plan)
        (void)hg_error_set(
            err, *rc, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]");
    return plan;
}

struct prepare_job {
    struct hg_job job;
    struct hg_version_shard *vs;
    enum hg_rc rc;
    struct hg_error err;
};

static void on_prepare(struct hg_job *job)
{
    struct prepare_job *prepare = hg_container_of(job, struct prepare_job, job);
    struct hg_version *version = prepare->vs->version;
    struct hg_plan *plan;

    /* Another loop may have asked first; only this thread makes plans. */
    if (atomic_load(&version->plan))
        return;
    plan = make_plan(version->workers, version->function, &prepare->rc, &prepare->err);
    if (plan)
        atomic_store_explicit(&version->plan, plan, memory_order_release);
}

void prepare_complain(struct hg_version_shard *vs, const char *reason)
{
    int64_t now = hg_mono_us();

    if (vs->complained_us && now - vs->complained_us < COMPLAIN_EVERY_US)
        return;
    vs->complained_us = now;
    hg_error("environment_not_made", "function=%s reason=\"%s\"", vs->version->family->name,
             reason);
}

static void fail_waiting(struct prepare_job *prepare)
{
    struct hg_version_shard *vs = prepare->vs;
    struct hg_running *running;

    prepare_complain(vs, prepare->err.text);
    while ((running = waiting_take(vs))) {
        stats_note_run(vs->stats, 0);
        stats_add(&vs->stats->errors, 1);
        running->rc = prepare->rc == HG_E_NOT_FOUND ? HG_OK : HG_E_UNAVAILABLE;
        if (running->rc == HG_OK) {
            counting_fail(running);
            running->error = HG_FUNCTION_ERROR;
            running->answer =
                error_doc_new("Runtime.InvalidEntrypoint", running->request_id, prepare->err.text);
            (void)snprintf(running->content_type, sizeof(running->content_type),
                           "application/json");
        } else {
            running->answer = hg_blob_new(prepare->err.text, strlen(prepare->err.text));
        }
        pool_finish(running);
    }
}

static void on_prepared(struct hg_job *job)
{
    struct prepare_job *prepare = hg_container_of(job, struct prepare_job, job);
    struct hg_version_shard *vs = prepare->vs;

    vs->is_preparing = false;
    if (atomic_load_explicit(&vs->version->plan, memory_order_acquire)) {
        pool_serve(vs);
    } else {
        fail_waiting(prepare);
        if (provision_is_wanting(vs))
            provision_note_failure(vs);
    }
    reclaim_look(vs);
    free(prepare);
}

void prepare_start(struct hg_version_shard *vs)
{
    struct prepare_job *prepare;

    if (vs->is_preparing)
        return;
    vs->is_preparing = true;
    prepare = hg_calloc(1, sizeof(*prepare));
    prepare->job.work = on_prepare;
    prepare->job.done = on_prepared;
    prepare->vs = vs;
    hg_offload_submit(vs->shard->workers->prepare_thread, vs->shard->loop, &prepare->job);
}

/* ---- ahead of time ---- */

struct ahead_job {
    struct hg_job job;
    struct hg_workers *workers;
    char *runtime; /* or, for cleaning, the folder */
};

static void on_ahead_done(struct hg_job *job)
{
    struct ahead_job *ahead = hg_container_of(job, struct ahead_job, job);

    free(ahead->runtime);
    free(ahead);
}

static struct ahead_job *new_ahead(struct hg_workers *workers, void (*work)(struct hg_job *job))
{
    struct ahead_job *ahead = hg_calloc(1, sizeof(*ahead));

    ahead->job.work = work;
    ahead->job.done = on_ahead_done;
    ahead->workers = workers;
    return ahead;
}

static void on_runtime(struct hg_job *job)
{
    struct ahead_job *ahead = hg_container_of(job, struct ahead_job, job);
    enum hg_rc rc;

    /* What is wrong is said when a function is checked or run. */
    (void)know_interpreter(ahead->workers, hg_str_of(ahead->runtime), &rc, NULL);
}

/* Runtimes that were asked for: each is looked for once. */
struct hg_asked_runtime {
    struct hg_asked_runtime *next;
    char *name;
};

static bool was_asked(struct hg_workers *workers, struct hg_str runtime)
{
    struct hg_asked_runtime *asked;

    for (asked = workers->asked_runtimes; asked; asked = asked->next) {
        if (hg_str_is(runtime, asked->name))
            return true;
    }
    asked = hg_calloc(1, sizeof(*asked));
    asked->name = hg_strndup(runtime.p, runtime.n);
    asked->next = workers->asked_runtimes;
    workers->asked_runtimes = asked;
    return false;
}

void prepare_runtime(struct hg_workers *workers, struct hg_str runtime)
{
    struct ahead_job *ahead;

    if (was_asked(workers, runtime))
        return;
    ahead = new_ahead(workers, on_runtime);
    ahead->runtime = hg_strndup(runtime.p, runtime.n);
    hg_offload_submit(workers->prepare_thread, workers->loops->control, &ahead->job);
}

static void on_bootstraps(struct hg_job *job)
{
    struct ahead_job *ahead = hg_container_of(job, struct ahead_job, job);
    struct hg_error err;

    if (bootstraps_write(ahead->workers->data_dir, &err) != HG_OK)
        hg_error("bootstraps_failed", "%s", err.text);
}

static void on_clean(struct hg_job *job)
{
    files_remove_tree(hg_container_of(job, struct ahead_job, job)->runtime);
}

void prepare_data_dir(struct hg_workers *workers)
{
    struct ahead_job *bootstraps = new_ahead(workers, on_bootstraps), *clean;
    char dir[HG_PATH_MAX + 16], old[HG_PATH_MAX + 16];

    hg_offload_submit(workers->prepare_thread, workers->loops->control, &bootstraps->job);
    /* Scratch folders of a server that was killed: moved aside at once, removed at leisure. */
    (void)files_path(dir, sizeof(dir), "%s/envs", workers->data_dir);
    (void)files_path(old, sizeof(old), "%s/envs.old", workers->data_dir);
    if (rename(dir, old) == 0 || files_is_dir(old)) {
        clean = new_ahead(workers, on_clean);
        clean->runtime = hg_strdup(old);
        hg_offload_submit(workers->clean_thread, workers->loops->control, &clean->job);
    }
}

void prepare_fini(struct hg_workers *workers)
{
    while (workers->interpreters) {
        struct hg_known_interpreter *known = workers->interpreters;

        workers->interpreters = known->next;
        free(known->runtime);
        free(known);
    }
    while (workers->asked_runtimes) {
        struct hg_asked_runtime *asked = workers->asked_runtimes;

        workers->asked_runtimes = asked->next;
        free(asked->name);
        free(asked);
    }
}
