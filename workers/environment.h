/*
 * One execution environment on its home loop: a process at a time, its Runtime
 * API, its log, its scratch folder.
 */
#ifndef HG_WORKERS_ENVIRONMENT_H
#define HG_WORKERS_ENVIRONMENT_H

#include "workers/env_log.h"
#include "workers/report.h"
#include "workers/shard.h"

enum hg_env_state {
    HG_ENV_LAUNCHING, /* a helper thread starts the process */
    HG_ENV_INIT,      /* the process runs, it has not asked for work yet */
    HG_ENV_IDLE,      /* it asked for work */
    HG_ENV_RUNNING,   /* it has an invocation */
    HG_ENV_ANSWERED,  /* it answered, and has not asked again yet */
    HG_ENV_KILLING,   /* the process is being killed */
    HG_ENV_RESET,     /* no process; the next invocation starts one in its own time */
    HG_ENV_GONE,
};

/* Owned by its shard; freed after the turn in which it becomes HG_ENV_GONE. */
struct hg_environment {
    struct hg_list link;        /* in shard->environments */
    struct hg_list idle_link;   /* in vs->idle */
    struct hg_list unused_link; /* in shard->unused */
    struct hg_pool_shard *shard;
    struct hg_version_shard *vs;
    struct hg_limit *place;             /* what its place was taken from */
    const struct hg_function *function; /* the version's */
    const struct hg_plan *plan;
    enum hg_env_state state;
    bool is_retiring; /* ends as soon as its process is gone */
    bool is_provisioned;
    bool was_ready;               /* it asked for work at least once */
    bool is_expired;              /* it ends because it was unused for long */
    bool is_dropped;              /* provisioned, but no longer counted in vs->provisioned */
    struct hg_limit *evicted_for; /* counted in its evicting; NULL: not evicted */
    bool is_starting;             /* counted in vs->starting */
    bool is_launching;            /* counted in shard->launching */
    bool is_fresh;                /* initialised, and nothing ran in it yet */
    bool was_init_by_invocation;

    struct hg_runtime_api api;
    struct hg_launched launched;
    bool has_process;
    struct event exit_event;
    struct hg_timer timer; /* launch crowd, init, invocation; lazily moved */
    int64_t deadline_us;   /* of what the timer guards; INT64_MAX: nothing */
    int64_t wake_us;       /* when the timer fires, if it runs */
    struct hg_env_log log;
    struct launch_job *job;
    struct hg_grave grave;
    char id[17];
    char *dir; /* holds its scratch folder */

    struct hg_running *running;
    int64_t started_us;     /* of the launch */
    int64_t run_started_us; /* of the invocation, or of its suppressed initialisation */
    int64_t init_us;
    int64_t idle_since_us;
    int64_t measured_us;
    uint64_t peak_bytes;
    bool is_out_of_memory;
};

/* Starts a process; the place passes to it. */
struct hg_environment *environment_new(struct hg_version_shard *vs, const struct hg_plan *plan,
                                       struct hg_limit *place, bool is_provisioned);
/* When its process is initialised, if nobody waits for that. */
static inline enum hg_init_phase environment_phase(const struct hg_environment *env)
{
    return env->is_provisioned ? HG_INIT_PROVISIONED : HG_INIT_AHEAD;
}
/* An idle (or reset) environment runs an invocation. */
void environment_run(struct hg_environment *env, struct hg_running *running);
/* Ends it; one that is not idle ends its invocation with an error first. */
void environment_retire(struct hg_environment *env);
/* Looks at its memory; kills what is over its limit. */
void environment_sample(struct hg_environment *env, int64_t now_us);
/* Frees at once, process and all: after the loops have stopped. */
void environment_destroy(struct hg_environment *env);

#endif
