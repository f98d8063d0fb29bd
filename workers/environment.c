/*
 * The life of an environment: started, initialised, used again and again,
 * reset after a crash or time-out (the process is new, the scratch folder
 * stays), retired. The pool decides who runs when; this file makes it happen.
 */
#include "workers/environment.h"
#include "workers/counting.h"

#include "core/clock.h"
#include "core/log.h"
#include "workers/files.h"
#include "workers/outcome.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    /*
     * A start loads the machine most while programs and modules are read; one that then waits for something else must
     * not hold up further starts.
     */
    LAUNCH_CROWD_US = 150000,
    SECOND_US = 1000000,
};

struct launch_job {
    struct hg_job job;
    struct hg_environment *env;
    const struct hg_launch_ops *launcher;
    const struct hg_plan *plan;
    struct hg_launch_place place;
    char scratch_dir[HG_PATH_MAX];
    struct hg_launched out;
    struct hg_error err;
    enum hg_rc rc;
};

static const char *const state_names[] = {
    [HG_ENV_LAUNCHING] = "launching", [HG_ENV_INIT] = "init",         [HG_ENV_IDLE] = "idle",
    [HG_ENV_RUNNING] = "running",     [HG_ENV_ANSWERED] = "answered", [HG_ENV_KILLING] = "killing",
    [HG_ENV_RESET] = "reset",         [HG_ENV_GONE] = "gone",
};

static void set_state(struct hg_environment *env, enum hg_env_state state)
{
    hg_debug("environment_state", "id=%s function=%s from=%s to=%s", env->id,
             env->vs->version->family->name, state_names[env->state], state_names[state]);
    env->state = state;
}

/* What the runtime is waited for until then. The timer itself is moved only when it would fire too late. */
static void set_deadline(struct hg_environment *env, int64_t deadline_us)
{
    int64_t now = hg_mono_us(), wake_us = deadline_us;

    env->deadline_us = deadline_us;
    if (env->is_launching)
        wake_us = HG_MIN(wake_us, env->started_us + LAUNCH_CROWD_US);
    if (hg_timer_is_running(&env->timer) && env->wake_us <= wake_us)
        return;
    env->wake_us = wake_us;
    hg_timer_start_us(&env->timer, HG_MAX(wake_us - now, (int64_t)0));
}

/* ---- end of a process ---- */

static void close_process(struct hg_environment *env)
{
    (void)event_del(&env->exit_event);
    (void)close(env->launched.exit_fd);
    env->has_process = false;
    env_log_close(&env->log);
}

static void kill_process(struct hg_environment *env)
{
    runtime_api_close(&env->api);
    env->deadline_us = INT64_MAX;
    if (env->has_process)
        env->shard->workers->launcher->kill(&env->launched);
    set_state(env, HG_ENV_KILLING);
}

struct clean_job {
    struct hg_job job;
    char *dir;
};

static void on_clean(struct hg_job *job)
{
    files_remove_tree(hg_container_of(job, struct clean_job, job)->dir);
}

static void on_cleaned(struct hg_job *job)
{
    struct clean_job *clean = hg_container_of(job, struct clean_job, job);

    free(clean->dir);
    free(clean);
}

static void free_environment(struct hg_grave *grave)
{
    free(hg_container_of(grave, struct hg_environment, grave));
}

static void release(struct hg_environment *env)
{
    hg_list_unlink(&env->link);
    hg_list_unlink(&env->idle_link);
    hg_list_unlink(&env->unused_link);
    hg_timer_stop(&env->timer);
    env_log_fini(&env->log);
    env->vs->environments--;
    atomic_fetch_sub(&env->vs->version->environments, 1);
    atomic_fetch_sub(&env->shard->environment_count, 1);
    stats_sub(&env->vs->stats->environments, 1);
}

static void finish(struct hg_environment *env)
{
    struct hg_pool_shard *shard = env->shard;
    struct clean_job *clean = hg_calloc(1, sizeof(*clean));

    set_state(env, HG_ENV_GONE);
    starting_ended(env);
    starting_launch_ended(env);
    clean->job = (struct hg_job){.work = on_clean, .done = on_cleaned};
    clean->dir = env->dir;
    hg_offload_submit(shard->workers->clean_thread, shard->loop, &clean->job);
    release(env);
    hg_loop_bury(shard->loop, &env->grave, free_environment);
    pool_environment_gone(env);
}

/* The process is gone. */
static void become_reset(struct hg_environment *env)
{
    bool was_idle = env->state == HG_ENV_IDLE;

    runtime_api_close(&env->api);
    env->deadline_us = INT64_MAX;
    env->is_out_of_memory = false;
    /* One that is provisioned is replaced by another, unless it is promised to somebody already. */
    if (env->is_retiring || (env->is_provisioned && (!was_idle || idle_take_back(env)))) {
        finish(env);
        return;
    }
    set_state(env, HG_ENV_RESET);
    if (was_idle) {
        idle_put_last(env);
        return;
    }
    starting_ended(env);
    starting_launch_ended(env);
    pool_environment_idle(env);
}

/* ---- what the runtime says ---- */

static struct hg_environment *of_api(struct hg_runtime_api *api)
{
    return hg_container_of(api, struct hg_environment, api);
}

static void on_next(struct hg_runtime_api *api)
{
    struct hg_environment *env = of_api(api);

    /* Said by a process that has ended since: there is nobody to give work to. */
    if (!env->has_process)
        return;
    if (env->state == HG_ENV_INIT && env->running) {
        set_state(env, HG_ENV_RUNNING);
        runtime_api_deliver(api, &env->running->delivery);
        return;
    }
    /* It asks again while it is still listed as idle, because it was promised to somebody. */
    if (env->state == HG_ENV_IDLE)
        return;
    env->deadline_us = INT64_MAX;
    if (env->state == HG_ENV_INIT) {
        env->init_us = hg_mono_us() - env->started_us;
        env->is_fresh = true;
        average_note(&env->vs->version->cold_us, env->init_us);
        stats_add(&env->vs->stats->init_us, (uint64_t)env->init_us);
        if (env->is_provisioned && !env->was_ready)
            provision_note_ready(env->vs);
        env->was_ready = true;
    }
    set_state(env, HG_ENV_IDLE);
    starting_ended(env);
    starting_launch_ended(env);
    pool_environment_idle(env);
}

/* Out of the reach of the next invocation until it asks again; unless one is on its way already: that one waits. */
static void on_lost(struct hg_runtime_api *api)
{
    struct hg_environment *env = of_api(api);

    if (env->state != HG_ENV_IDLE || !idle_take_back(env))
        return;
    set_state(env, HG_ENV_ANSWERED);
    set_deadline(env, hg_mono_us() + (int64_t)env->function->timeout_s * SECOND_US);
}

static void on_response(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    struct hg_environment *env = of_api(api);
    struct hg_outcome outcome = {
        .error = HG_FUNCTION_OK,
        .answer = hg_blob_ref(post->body),
        .content_type = post->content_type,
        .status = HG_REPORT_SUCCESS,
        .error_type = "",
        .duration_us = -1,
    };

    set_state(env, HG_ENV_ANSWERED);
    outcome_complete(env, &outcome);
}

static void on_error(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    struct hg_environment *env = of_api(api);
    struct hg_outcome outcome = {
        .error = HG_FUNCTION_ERROR,
        .answer = hg_blob_ref(post->body),
        .content_type = post->content_type,
        .status = HG_REPORT_FUNCTION_ERROR,
        .error_type = post->error_type,
        .duration_us = -1,
    };

    set_state(env, HG_ENV_ANSWERED);
    outcome_complete(env, &outcome);
}

static void on_init_error(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    struct hg_environment *env = of_api(api);

    outcome_init_failed(env, HG_REPORT_ERROR,
                        post->error_type[0] ? post->error_type : "Runtime.Unknown");
    if (env->running) {
        struct hg_outcome outcome = {
            .error = HG_FUNCTION_ERROR,
            .answer = hg_blob_ref(post->body),
            .content_type = post->content_type,
            .status = HG_REPORT_ERROR,
            .error_type = post->error_type[0] ? post->error_type : "Runtime.Unknown",
            .duration_us = -1,
        };

        outcome_complete(env, &outcome);
    }
    kill_process(env);
}

static void on_fault(struct hg_runtime_api *api, enum hg_runtime_fault fault)
{
    struct hg_environment *env = of_api(api);
    struct hg_outcome outcome = {
        .error = HG_FUNCTION_ERROR,
        .content_type = "application/json",
        .status = HG_REPORT_ERROR,
        .error_type = "Function.ResponseSizeTooLarge",
        .duration_us = -1,
    };

    set_state(env, HG_ENV_ANSWERED);
    switch (fault) {
    case HG_RUNTIME_TOO_LARGE:
        outcome.answer = error_doc_too_large();
        outcome_complete(env, &outcome);
        return;
    case HG_RUNTIME_TRUNCATED:
        outcome_fail(env, "Runtime.TruncatedResponse", NULL, "Runtime truncated its response");
        return;
    case HG_RUNTIME_BAD_MODE:
        outcome_fail(env, "Runtime.InvalidResponseModeHeader", NULL,
                     "Invalid function response mode");
        return;
    }
}

static const struct hg_runtime_events runtime_events = {
    .on_next = on_next,
    .on_lost = on_lost,
    .on_response = on_response,
    .on_error = on_error,
    .on_init_error = on_init_error,
    .on_fault = on_fault,
};

/* ---- what the process does ---- */

static void on_exit_event(evutil_socket_t fd, short what, void *arg)
{
    struct hg_environment *env = arg;
    struct hg_exit how;

    (void)fd;
    (void)what;
    if (!env->shard->workers->launcher->reap(&env->launched, &how))
        return;
    close_process(env);
    /* It may have answered, or said why, just before. */
    if (env->state != HG_ENV_KILLING)
        runtime_api_drain(&env->api);
    switch (env->state) {
    case HG_ENV_INIT:
        outcome_init_failed(env, HG_REPORT_ERROR, "Runtime.ExitError");
        if (env->running)
            outcome_exited(env, &how);
        break;
    case HG_ENV_RUNNING:
        outcome_exited(env, &how);
        break;
    case HG_ENV_LAUNCHING:
    case HG_ENV_IDLE:
    case HG_ENV_ANSWERED:
    case HG_ENV_KILLING:
    case HG_ENV_RESET:
    case HG_ENV_GONE:
        break;
    }
    become_reset(env);
}

static void on_deadline(struct hg_environment *env)
{
    switch (env->state) {
    case HG_ENV_LAUNCHING:
        if (env->running)
            outcome_time_out(env);
        env->is_retiring = true;
        return;
    case HG_ENV_INIT:
    case HG_ENV_RUNNING:
        if (env->state == HG_ENV_INIT)
            outcome_init_failed(env, HG_REPORT_TIMEOUT, "");
        if (env->running)
            outcome_time_out(env);
        kill_process(env);
        return;
    case HG_ENV_ANSWERED:
        kill_process(env);
        return;
    case HG_ENV_IDLE:
    case HG_ENV_KILLING:
    case HG_ENV_RESET:
    case HG_ENV_GONE:
        return;
    }
}

static void on_timer(struct hg_timer *timer)
{
    struct hg_environment *env = hg_container_of(timer, struct hg_environment, timer);
    int64_t now = hg_mono_us();

    if (env->is_launching && now >= env->started_us + LAUNCH_CROWD_US)
        starting_launch_ended(env);
    if (now >= env->deadline_us)
        on_deadline(env);
    else if (env->deadline_us != INT64_MAX || env->is_launching)
        set_deadline(env, env->deadline_us);
}

/* ---- start ---- */

static void on_launch(struct hg_job *job)
{
    struct launch_job *launch = hg_container_of(job, struct launch_job, job);

    launch->rc = launch->launcher->start(launch->plan, &launch->place, &launch->out, &launch->err);
}

/* The machine refused, or the program cannot be executed: nothing to try again in this environment. */
static void fail_launch(struct hg_environment *env, const struct launch_job *launch)
{
    struct hg_running *running = env->running;

    prepare_complain(env->vs, launch->err.text);
    env->is_retiring = true;
    if (!running && (running = waiting_take(env->vs))) {
        env->running = running;
        env->run_started_us = hg_mono_us();
        counting_begin(env);
    }
    if (running && launch->rc == HG_E_INVALID) {
        outcome_fail(env, "Runtime.InvalidEntrypoint", launch->err.text, launch->err.text);
    } else if (running) {
        counting_leave(env);
        env->running = NULL;
        running->rc = HG_E_UNAVAILABLE;
        pool_finish(running);
    }
    finish(env);
}

static void on_launched(struct hg_job *job)
{
    struct launch_job *launch = hg_container_of(job, struct launch_job, job);
    struct hg_environment *env = launch->env;

    env->job = NULL;
    if (launch->rc != HG_OK) {
        fail_launch(env, launch);
        free(launch);
        return;
    }
    env->launched = launch->out;
    env->has_process = true;
    free(launch);
    set_state(env, HG_ENV_INIT);
    runtime_api_open(&env->api, env->launched.stream_fd, env->launched.listen_fd);
    env_log_open(&env->log, env->shard->loop, env->launched.log_fd);
    (void)event_assign(&env->exit_event, env->shard->loop->base, env->launched.exit_fd,
                       EV_READ | EV_PERSIST, on_exit_event, env);
    (void)event_add(&env->exit_event, NULL);
    if (env->is_retiring)
        kill_process(env);
}

static void launch(struct hg_environment *env)
{
    struct hg_workers *workers = env->shard->workers;
    struct launch_job *job = hg_calloc(1, sizeof(*job));

    set_state(env, HG_ENV_LAUNCHING);
    env->started_us = hg_mono_us();
    job->job.work = on_launch;
    job->job.done = on_launched;
    job->env = env;
    job->launcher = workers->launcher;
    job->plan = env->plan;
    (void)files_path(job->scratch_dir, sizeof(job->scratch_dir), "%s/tmp", env->dir);
    job->place =
        (struct hg_launch_place){job->scratch_dir, env->log.stream,
                                 env->is_provisioned ? "provisioned-concurrency" : "on-demand"};
    env->job = job;
    hg_offload_submit(workers->launch_threads, env->shard->loop, &job->job);
}

struct hg_environment *environment_new(struct hg_version_shard *vs, const struct hg_plan *plan,
                                       struct hg_limit *place, bool is_provisioned)
{
    struct hg_environment *env = hg_calloc(1, sizeof(*env));
    struct hg_workers *workers = vs->shard->workers;
    const struct hg_function *function = vs->version->function;
    char dir[HG_PATH_MAX];

    env->shard = vs->shard;
    env->vs = vs;
    env->place = place;
    env->is_provisioned = is_provisioned;
    env->function = function;
    env->plan = plan;
    env->deadline_us = INT64_MAX;
    env->is_starting = env->is_launching = true;
    hg_hex_id(env->id, sizeof(env->id) - 1);
    (void)files_path(dir, sizeof(dir), "%s/envs/%s", workers->data_dir, env->id);
    env->dir = hg_strdup(dir);
    hg_list_push_back(&vs->shard->environments, &env->link);
    hg_list_init(&env->idle_link);
    hg_list_init(&env->unused_link);
    hg_timer_init(&env->timer, vs->shard->loop, on_timer);
    runtime_api_init(&env->api, vs->shard->loop, &runtime_events, vs->shard->api_scratch);
    env_log_init(&env->log, &vs->sink, vs->shard->log_scratch, function->name, function->version);
    vs->environments++;
    atomic_fetch_add(&vs->version->environments, 1);
    atomic_fetch_add(&vs->shard->environment_count, 1);
    stats_add(&vs->stats->environments, 1);
    stats_add(&vs->stats->cold_starts, 1);
    report_init_start(&env->log, function, plan, environment_phase(env));
    launch(env);
    set_deadline(env, env->started_us + workers->options.init_timeout_ms * 1000);
    shard_need_tick(vs->shard);
    return env;
}

/* ---- use ---- */

void environment_run(struct hg_environment *env, struct hg_running *running)
{
    unsigned timeout_s = env->function->timeout_s;
    bool has_process = env->state == HG_ENV_IDLE;

    env->running = running;
    env->run_started_us = hg_mono_us();
    env->was_init_by_invocation = !has_process;
    counting_begin(env);
    if (env->is_provisioned)
        stats_add(&env->vs->stats->provisioned, 1);
    else if (atomic_load_explicit(&env->vs->version->provisioned, memory_order_relaxed))
        stats_add(&env->vs->stats->spillovers, 1);
    running->delivery = (struct hg_delivery){
        .request_id = running->request_id,
        .deadline_ms = hg_wall_ms() + (int64_t)timeout_s * 1000,
        .invoked_arn = running->invoked_arn,
        .trace_id = running->trace_id,
        .client_context = {running->client_context, running->client_context_length},
        .event = running->event,
    };
    if (running->wants_log_tail)
        env_log_start_tail(&env->log);
    if (!has_process)
        report_init_start(&env->log, env->function, env->plan, HG_INIT_INVOKE);
    report_start(&env->log, env->function, running->request_id);
    if (has_process) {
        set_state(env, HG_ENV_RUNNING);
        runtime_api_deliver(&env->api, &running->delivery);
    } else {
        launch(env);
    }
    set_deadline(env, env->run_started_us + (int64_t)timeout_s * SECOND_US);
    shard_need_tick(env->shard);
}

void environment_sample(struct hg_environment *env, int64_t now_us)
{
    uint64_t now_bytes, peak_bytes;

    if (!env->has_process || env->state == HG_ENV_IDLE || env->state == HG_ENV_KILLING)
        return;
    env->measured_us = now_us;
    if (!env->shard->workers->launcher->measure(&env->launched, &now_bytes, &peak_bytes))
        return;
    env->peak_bytes = HG_MAX(env->peak_bytes, peak_bytes);
    if (now_bytes <= (uint64_t)env->function->memory_mb << 20)
        return;
    env->peak_bytes = (uint64_t)env->function->memory_mb << 20;
    hg_info("environment_out_of_memory", "function=%s bytes=%llu limit_mb=%u",
            env->vs->version->family->name, (unsigned long long)now_bytes,
            env->function->memory_mb);
    if (env->state == HG_ENV_INIT)
        outcome_init_failed(env, HG_REPORT_ERROR, "Runtime.OutOfMemory");
    env->is_out_of_memory = true;
    if (env->running)
        outcome_exited(env, &(struct hg_exit){.status = -1, .signal = SIGKILL});
    kill_process(env);
}

/* ---- end ---- */

void environment_retire(struct hg_environment *env)
{
    struct hg_running *running = env->running;

    env->is_retiring = true;
    if (running) {
        counting_leave(env);
        env->running = NULL;
        runtime_api_forget(&env->api);
        running->rc = HG_E_UNAVAILABLE;
        pool_finish(running);
    }
    switch (env->state) {
    case HG_ENV_LAUNCHING:
    case HG_ENV_KILLING:
    case HG_ENV_GONE:
        return;
    case HG_ENV_INIT:
    case HG_ENV_IDLE:
    case HG_ENV_RUNNING:
    case HG_ENV_ANSWERED:
        kill_process(env);
        return;
    case HG_ENV_RESET:
        finish(env);
        return;
    }
}

void environment_destroy(struct hg_environment *env)
{
    struct hg_exit how;

    if (env->running) {
        env->running->rc = HG_E_UNAVAILABLE;
        env->running = NULL;
    }
    runtime_api_close(&env->api);
    if (env->has_process) {
        env->shard->workers->launcher->kill(&env->launched);
        (void)env->shard->workers->launcher->reap(&env->launched, &how);
        close_process(env);
    }
    files_remove_tree(env->dir);
    free(env->dir);
    release(env);
    free(env);
}
