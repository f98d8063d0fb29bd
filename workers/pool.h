/*
 * Execution environments: started, re-used, replaced and retired.
 */
#ifndef HG_WORKERS_POOL_H
#define HG_WORKERS_POOL_H

#include "core/json_write.h"
#include "core/offload.h"
#include "workers/invoke.h"
#include "workers/log_files.h"

struct hg_minutes;

struct hg_runtime_override {
    const char *runtime; /* "python3.12" */
    const char *path;    /* absolute path of the interpreter */
};

struct hg_workers_options {
    const char *data_dir; /* environments and logs live below; absolute */
    const char *region, *account;
    struct hg_registry *registry; /* what is deployed; NULL: only workers_apply tells */
    unsigned max_concurrency;     /* environments in all */
    unsigned max_queued;   /* invocations waiting for an environment, per function; 0: none waits */
    int64_t queue_wait_ms; /* how long one waits at most before it is throttled */
    int64_t idle_timeout_ms; /* an idle environment is retired */
    int64_t init_timeout_ms; /* longest start of an environment */
    bool has_no_isolation;   /* functions get neither limits nor no_new_privs */
    const struct hg_runtime_override *overrides;
    size_t override_count;
    bool logs_to_terminal; /* function logs also go to standard output */
    const char *
        api_endpoint; /* "http://127.0.0.1:4566": given to functions as AWS_ENDPOINT_URL; NULL for none */
    /* Keys for that endpoint, borrowed for good; NULL: it asks for none, and functions get the server's own. */
    const char *access_key, *secret_key, *session_token;
    struct hg_minutes *minutes; /* where invocations are counted for CloudWatch; NULL: nowhere */
};

/* Binds one shard to every loop of loops. NULL with a sentence when data_dir cannot be used. */
struct hg_workers *workers_new(struct hg_loops *loops, const struct hg_workers_options *options,
                               struct hg_error *err);

/*
 * Checks what can be checked without running the function: runtime known and
 * interpreter present, code folder there, handler well formed, bootstrap
 * executable. HG_OK, or a sentence. A usable but different interpreter version gives HG_OK and *warning.
 * Of the options only the overrides count; code_dir "" (an archive that is not unpacked) is not looked into.
 */
enum hg_rc function_check(const struct hg_workers_options *options,
                          const struct hg_function *function, struct hg_error *err,
                          struct hg_error *warning);
/* The same at start-up: interpreters that functions need are looked at ahead of the first invocation. */
enum hg_rc workers_check_function(struct hg_workers *workers, const struct hg_function *function,
                                  struct hg_error *err, struct hg_error *warning);

/*
 * Takes over what is deployed now: reserved and provisioned concurrency; environments of versions that are not deployed any more are
 * retired once idle. Costs as much as what changed since the last time. Control loop, or before it runs.
 */
void workers_apply(struct hg_workers *workers, struct hg_snapshot *next);

/* How far the environments of a provisioned concurrency configuration have come. */
struct hg_provision_state {
    unsigned ready;         /* initialised, busy or not; at most what is requested */
    bool has_failed;        /* the last one that was started did not come up; it is tried again */
    bool is_beyond_machine; /* more is requested than may ever exist here */
};

/* Any loop; config is one of family, which is of any snapshot. */
void workers_provisioned(struct hg_workers *workers, const struct hg_family *family,
                         const struct hg_provisioned *config, struct hg_provision_state *state);

/* What a submitter of background invocations should know of a function's environments; gone by when it is read. */
struct hg_room {
    bool is_reserved;      /* max is the function's own, not shared with others */
    unsigned max;          /* environments that may exist */
    unsigned environments; /* of this function that serve or have nothing to do … */
    unsigned starting;     /* … and those that do not serve yet */
    unsigned idle;
    unsigned queued_ahead; /* invocations that wait and are no background ones */
    bool is_full;          /* no more environments may be started */
    int64_t run_us;        /* what a run takes, estimated; 0: unknown */
};

/* Control loop. Walks the function's versions that are in use. */
void workers_room(struct hg_workers *workers, const struct hg_function *function,
                  struct hg_room *room);

/* Lets running invocations finish (until timeout_ms), then kills every environment; then done on the control loop. */
void workers_drain(struct hg_workers *workers, int64_t timeout_ms, void (*done)(void *arg),
                   void *arg);
/* Loops must be stopped. */
void workers_free(struct hg_workers *workers);

/* workers/minute.h; NULL when nothing is recorded. */
struct hg_minutes *workers_minutes(const struct hg_workers *workers);

/* The isolation that is in force: "process" or "none"; static. */
const char *workers_isolation(const struct hg_workers *workers);

/* Prometheus text: invocations, errors, throttles, cold starts, durations, environments per function. Any loop. */
void workers_render_metrics(struct hg_workers *workers, struct hg_buf *out);
/* {"environments":…,"idle":…,"starting":…,"queued":…} for the health page; also what isolation is in force. */
void workers_render_health(struct hg_workers *workers, struct hg_json *json);

/* The logs of all functions; for those who read them. */
struct hg_log_files *workers_log_files(const struct hg_workers *workers);

#endif
