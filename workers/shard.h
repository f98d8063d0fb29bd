/*
 * The pool's own structures: for the files of workers/ that make it up (pool,
 * waiting, room, shard, version, environment, outcome, prepare, check, metrics, workers).
 *
 * struct hg_workers           all of it
 *   struct hg_pool_shard           what one loop has: its environments and who waits there
 *   struct hg_version         one function version, the same for all loops
 *     struct hg_version_shard its idle environments and waiting invocations on one loop
 */
#ifndef HG_WORKERS_SHARD_H
#define HG_WORKERS_SHARD_H

#include "core/crypto.h"
#include "workers/launch.h"
#include "workers/limits.h"
#include "workers/log_sink.h"
#include "workers/pool.h"
#include "workers/runtime_api.h"
#include "workers/stats.h"

struct hg_environment;

/* An invocation on the worker side; made at submit, freed on the loop that submitted, after done. */
struct hg_running {
    struct hg_list link; /* among those that wait */
    struct hg_task task;
    struct hg_mail mail;
    struct hg_invocation *inv; /* touched on the origin loop only; NULL once cancelled */
    struct hg_workers *workers;
    struct hg_loop *origin;
    struct hg_version *version;
    struct hg_snapshot *snapshot; /* a reference */
    const struct hg_function *function;
    struct hg_pool_shard *shard; /* where it waits or runs */
    _Atomic bool is_abandoned;   /* cancelled before it ran: drop it */
    bool is_waiting;             /* on a list of shard */
    bool is_background;
    bool is_at_origin; /* it has not left the loop that submitted it; touched there only */
    bool wants_log_tail;
    int64_t submitted_us;

    char request_id[HG_UUID_LEN + 1];
    char trace_id[HG_TRACE_MAX];
    char invoked_arn[HG_INVOKED_ARN_MAX];
    char *client_context; /* NULL for none */
    size_t client_context_length;
    struct hg_blob *event;
    struct hg_delivery delivery;

    enum hg_rc rc;
    const char *throttle_reason;
    enum hg_function_error error;
    struct hg_blob *answer;
    char content_type[HG_RUNTIME_CONTENT_TYPE_MAX];
    char *tail;
    size_t tail_length;
    int64_t duration_us, init_us;
};

struct hg_version_shard {
    struct hg_version *version;
    struct hg_pool_shard *shard;
    bool is_ready;       /* the rest is set up: on the loop's first use */
    struct hg_list link; /* in shard->versions */
    struct hg_list
        idle; /* environments, the most recently used first; those without a process last */
    /* struct hg_running, first come first served; the background ones after all others. */
    struct hg_list waiting, waiting_behind;
    unsigned waiting_count; /* on both lists */
    unsigned starting;      /* environments on their way that nobody runs in yet */
    bool is_preparing;
    int64_t complained_us; /* when it was last logged that no environment can be made */
    struct hg_timer timer; /* patience and queue_wait_ms, while somebody waits */
    struct hg_log_sink sink;
    struct hg_stats stats;
    /* Read by other loops. */
    _Atomic unsigned idle_free;    /* idle environments that are not promised to anyone */
    _Atomic unsigned waiting_here; /* == waiting_count */
};

struct hg_version {
    struct hg_version *next; /* in workers->versions */
    unsigned char key[HG_SHA256_LEN];
    char *name, *number;     /* function name, version */
    _Atomic bool is_current; /* the newest snapshot has it */
    struct hg_plan *_Atomic plan;
    _Atomic unsigned queued;        /* invocations that wait, on all loops … */
    _Atomic unsigned queued_behind; /* … and those of them that are background ones */
    _Atomic unsigned environments;
    _Atomic int64_t run_us, cold_us; /* estimates, see average_note; 0: no history */
    struct hg_version_shard at[];    /* by loop index */
};

/* "Look again": sent when another loop has something for this one. One node, posted at most once at a time. */
struct hg_poke {
    struct hg_mail mail;
    _Atomic bool is_posted;
};

struct hg_version_slot {
    const struct hg_function *function; /* NULL: free */
    struct hg_version *version;
};

struct hg_pool_shard {
    struct hg_workers *workers;
    struct hg_loop *loop;
    struct hg_list environments;         /* struct hg_environment, all of this loop */
    struct hg_list versions;             /* struct hg_version_shard with is_ready */
    struct hg_snapshot *cached_snapshot; /* a reference */
    struct hg_version_slot *cache;       /* versions of its functions, hashed by address */
    size_t cache_size;                   /* a power of two */
    unsigned launching;                  /* environments that load the machine with their start */
    _Atomic unsigned waiting;            /* invocations that wait here, of all functions */
    _Atomic unsigned busy;               /* invocations here that have not ended */
    struct hg_poke poke;
    struct hg_timer tick; /* memory, idle retirement */
    bool is_tick_slow;    /* nothing runs: only idle ones are looked after */
    bool is_killing;      /* the end: nothing starts, everything goes */
    char *api_scratch, *log_scratch;
    _Atomic unsigned environment_count;
};

struct hg_workers {
    struct hg_loops *loops;
    struct hg_workers_options options;
    char *data_dir, *region, *account, *api_endpoint;
    struct hg_runtime_override *overrides;
    const struct hg_launch_ops *launcher;
    struct hg_offload *launch_threads, *prepare_thread, *clean_thread;
    struct hg_log_files *log_files;
    struct hg_limits limits;
    struct hg_version *_Atomic versions;
    struct hg_pool_shard *shards; /* by loop index */
    unsigned shard_count;
    unsigned cores;
    _Atomic unsigned next_loop;                /* for what the control loop submits */
    struct hg_drain *drain;                    /* workers.c */
    struct hg_known_interpreter *interpreters; /* prepare.c; its thread only */
};

/* ---- pool.c ---- */

/* An environment of the loop has nothing to do (again): gives it to whoever waits, or lists it as idle. */
void pool_environment_idle(struct hg_environment *env);
/* An idle environment leaves the list; false when it is promised to somebody. */
bool pool_take_back(struct hg_environment *env);
/* It no longer counts as starting; is_gone: because it failed for good. */
void pool_start_ended(struct hg_environment *env);
/* Its start does not load the machine any more: the next may begin. */
void pool_launch_ended(struct hg_environment *env);
/* It is gone and its place is free. */
void pool_environment_gone(struct hg_pool_shard *shard, struct hg_limit *limit, bool was_evicted);
/* The invocation has its outcome. */
void pool_finish(struct hg_running *running);
/* Frees it without telling anyone: after the loops have stopped. */
void pool_discard(struct hg_running *running);
/* Serves who waits on this loop as far as possible. */
void pool_look(struct hg_pool_shard *shard);
void pool_serve(struct hg_version_shard *vs);
/* Fails every waiting invocation of the loop. */
void pool_fail_waiting(struct hg_pool_shard *shard, enum hg_rc rc);
void pool_on_timer(struct hg_timer *timer);
/* Takes an unpromised idle environment out of the list for good, the one unused longest; NULL when none. */
struct hg_environment *pool_take_oldest_idle(struct hg_version_shard *vs);
/* Fails with HG_E_THROTTLED. */
void pool_throttle(struct hg_version_shard *vs, struct hg_running *running, const char *reason);

/* ---- waiting.c ---- */

/* The first who waits and has not left, no longer waiting; NULL when there is none. */
struct hg_running *waiting_take(struct hg_version_shard *vs);
void waiting_add(struct hg_version_shard *vs, struct hg_running *running);
void waiting_remove(struct hg_version_shard *vs, struct hg_running *running);
/* Who is served first; there must be one. */
struct hg_running *waiting_first(const struct hg_version_shard *vs);
/* Those that wait on all loops and are no background ones. */
unsigned waiting_ahead(const struct hg_version *version);
/* Whether who waits here may have what is idle: background ones leave it to the others, wherever they wait. */
bool waiting_may_take(const struct hg_version_shard *vs);
/* Throttles who has waited too long. */
void waiting_expire(struct hg_version_shard *vs);

/* ---- shard.c ---- */

void shard_init(struct hg_pool_shard *shard, struct hg_workers *workers, struct hg_loop *loop);
void shard_fini(struct hg_pool_shard *shard);
struct hg_version_shard *shard_version(struct hg_pool_shard *shard, struct hg_version *version);
/* The version that a function of a snapshot is; remembers it. */
struct hg_version *shard_find_version(struct hg_pool_shard *shard, struct hg_snapshot *snapshot,
                                      const struct hg_function *function);
/* Any thread. */
void shard_poke(struct hg_pool_shard *shard);
/* Starts the tick if it does not run. */
void shard_need_tick(struct hg_pool_shard *shard);
/* Retires the environment of the limit that was idle longest and nobody waits for; false when there is none. */
bool shard_evict(struct hg_pool_shard *shard, const struct hg_limit *limit);

/* ---- version.c: any thread ---- */

void version_key(const struct hg_function *function, unsigned char key[HG_SHA256_LEN]);
struct hg_version *version_get(struct hg_workers *workers, const struct hg_function *function);
void version_free(struct hg_version *version);
/*
 * Moves an estimate of how long something takes towards value: down fast, up slowly, because a crowded machine
 * makes single runs look long, and never short.
 */
void average_note(_Atomic int64_t *average, int64_t value);

/* ---- prepare.c ---- */

/* Logs that no environment can be made; seldom, however often it is called. */
void prepare_complain(struct hg_version_shard *vs, const char *reason);
/* Makes the version's plan on the preparing thread, then pool_serve; or fails who waits. */
void prepare_start(struct hg_version_shard *vs, const struct hg_running *for_whom);
/* Finds out ahead of time, on that thread, which interpreter serves the runtime. */
void prepare_runtime(struct hg_workers *workers, struct hg_str runtime);
/* Writes the bootstraps and removes what a former run left, on helper threads. */
void prepare_data_dir(struct hg_workers *workers);
void prepare_fini(struct hg_workers *workers);

#endif
