/*
 * The pool's own structures: for the files of workers/ that make it up (pool, counting, starting, idle, provision, waiting, room, shard,
 * version, pool_family, reclaim, environment, outcome, prepare, check, metrics, workers).
 *
 * struct hg_workers              all of it
 *   struct hg_pool_shard         what one loop has: its environments and who waits there
 *   struct hg_pool_family        one function: its limits, its counters
 *     struct hg_version          one version of it as it was deployed at some time, the same for all loops
 *       struct hg_version_shard  its idle environments and waiting invocations on one loop
 *
 * Families and versions are made, found to be outdated and freed by the control loop; any loop finds them (workers/table.h).
 */
#ifndef HG_WORKERS_SHARD_H
#define HG_WORKERS_SHARD_H

#include "config/function.h"
#include "workers/launch.h"
#include "workers/limits.h"
#include "workers/log_sink.h"
#include "workers/pool.h"
#include "workers/runtime_api.h"
#include "workers/stats.h"
#include "workers/table.h"

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
    struct hg_function *function; /* a reference */
    struct hg_pool_shard *shard;  /* where it waits or runs */
    _Atomic bool is_abandoned;    /* cancelled before it ran: drop it */
    bool is_waiting;              /* on a list of shard */
    bool is_background;
    bool is_at_origin; /* it has not left the loop that submitted it; touched there only */
    bool wants_log_tail;
    unsigned char promised; /* enum hg_idle_kind: what another loop was asked for */
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

    /* For counting.c. */
    const char *qualifier; /* inside invoked_arn; "" for none */
    bool is_weighted;      /* it is an alias that divides its invocations */
    bool is_reserved, is_provisioned;
    unsigned together, together_all, together_unreserved, together_provisioned;
};

/* Environments with nothing to do, by what they were started for. */
enum hg_idle_kind { HG_ON_DEMAND, HG_PROVISIONED, HG_IDLE_KINDS };

struct hg_idle {
    struct hg_list list;   /* the most recently used first; those without a process last */
    _Atomic unsigned free; /* those that are not promised to anyone; read by other loops */
};

/* "Look again": sent by another loop. One node, posted at most once at a time. */
struct hg_poke {
    struct hg_mail mail;
    _Atomic bool is_posted;
};

struct hg_version_shard {
    struct hg_version *version;
    struct hg_pool_shard *shard;
    bool is_ready;               /* the rest is set up: on the loop's first use */
    struct hg_list link;         /* in shard->versions */
    struct hg_list want_link;    /* in shard->wanting */
    struct hg_list release_link; /* in shard->releasing */
    struct hg_idle idle[HG_IDLE_KINDS];
    /* struct hg_running, first come first served; the background ones after all others. */
    struct hg_list waiting, waiting_behind;
    unsigned waiting_count; /* on both lists */
    unsigned starting;      /* environments on their way that nobody runs in yet */
    unsigned environments;  /* all of this loop */
    bool is_preparing;
    int64_t complained_us; /* when it was last logged that no environment can be made */
    struct hg_timer timer; /* patience and queue_wait_ms, while somebody waits */
    struct hg_log_sink sink;
    struct hg_stats *stats;        /* the family's on this loop */
    _Atomic unsigned waiting_here; /* == waiting_count; read by other loops */
    struct hg_poke look;           /* what is allowed or provisioned has changed */
    struct hg_mail release_mail;   /* the version is outdated: see workers/reclaim.c */
    bool is_releasing;
    unsigned provisioned_wanted;     /* environments that this loop keeps initialised … */
    unsigned provisioned;            /* … and those that it has */
    unsigned provision_failures;     /* in a row */
    struct hg_timer provision_timer; /* until it is tried again */
};

struct hg_version {
    struct hg_list link;  /* in family->versions, or in workers->outdated */
    struct hg_list slots; /* struct hg_version_slot; control loop */
    struct hg_retired retired;
    struct hg_mail mail;
    struct hg_poke unused; /* to the control loop: see version_note_unused */
    struct hg_workers *workers;
    struct hg_pool_family *family;
    struct hg_function *function; /* a reference: what its environments are started from */
    bool is_marked;               /* control loop, while a snapshot is applied */
    unsigned provision_next;      /* likewise */
    _Atomic bool is_current;      /* deployed, as far as the pool knows */
    _Atomic unsigned holding;     /* loops that have not let go of it */
    struct hg_plan *_Atomic plan;
    _Atomic unsigned queued;        /* invocations that wait, on all loops … */
    _Atomic unsigned queued_behind; /* … and those of them that are background ones */
    _Atomic unsigned environments;
    _Atomic int64_t run_us, cold_us;       /* estimates, see average_note; 0: no history */
    _Atomic unsigned provisioned;          /* environments that are to be kept initialised */
    _Atomic unsigned provisioned_ready;    /* those that are */
    _Atomic unsigned provisioned_running;  /* and have an invocation */
    _Atomic bool has_provision_failed;     /* at the last attempt */
    struct hg_version_shard *_Atomic at[]; /* by loop index; NULL: never used there */
};

/* A function of a snapshot, which is that version. Several may be: not everything of a function matters to its environments. */
struct hg_version_slot {
    struct hg_table_link link; /* in workers->slots, by address */
    struct hg_retired retired;
    struct hg_list in_version;
    struct hg_function *function; /* a reference, so that no other one has this address */
    struct hg_version *version;
    bool is_marked;
};

struct hg_pool_family {
    struct hg_table_link link; /* in workers->families, by name */
    struct hg_retired retired;
    struct hg_pool_family *_Atomic next; /* in workers->first_family */
    struct hg_pool_family *_Atomic *before;
    struct hg_workers *workers;
    char *name;
    struct hg_list versions; /* those that are not outdated; control loop */
    unsigned version_count;  /* outdated ones too; control loop */
    bool is_deployed;        /* in the snapshot that was applied last; control loop */
    struct hg_quota quota;
    _Atomic unsigned running;         /* invocations, of all versions on all loops */
    struct hg_stats *_Atomic stats[]; /* by loop index; NULL: nothing happened there */
};

struct hg_pool_shard {
    struct hg_workers *workers;
    struct hg_loop *loop;
    struct hg_list environments; /* struct hg_environment, all of this loop */
    struct hg_list versions;     /* struct hg_version_shard with is_ready */
    struct hg_list wanting;      /* those of them that want an environment, in turns */
    struct hg_list
        unused; /* on-demand environments with nothing to do, the one unused longest first */
    struct hg_list releasing; /* hg_version_shard that are still in use */
    unsigned asking;          /* invocations that are at the control loop for their version */
    unsigned launching;       /* environments that load the machine with their start */
    _Atomic unsigned wanting_count;
    _Atomic unsigned busy;       /* invocations here that have not ended */
    _Atomic bool wants_eviction; /* some limit asks for a place */
    struct hg_poke poke;
    struct hg_timer tick;          /* memory of what runs */
    struct hg_timer retire_timer;  /* the end of what is idle */
    struct hg_timer release_timer; /* looks at releasing */
    struct hg_task release_task;
    bool is_killing; /* the end: nothing starts, everything goes */
    char *api_scratch, *log_scratch;
    _Atomic unsigned environment_count;
};

/* What is freed once every loop has ended a turn; see workers/reclaim.c. */
struct hg_reclaim {
    struct hg_mail mail;
    unsigned at; /* the loop that the mail is at */
    bool is_under_way;
    struct hg_retired *waiting, *coming; /* until the mail is back; and for its next round */
};

/* Invocations that run now; see workers/counting.c. */
struct hg_running_now {
    _Atomic unsigned all, unreserved;
    _Atomic unsigned claimed; /* reserved and provisioned concurrency, used or not */
    struct hg_timer sample;   /* control loop */
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
    struct hg_running_now running_now;
    struct hg_table slots, families;
    struct hg_pool_family *_Atomic first_family;
    struct hg_list outdated; /* struct hg_version */
    struct hg_reclaim reclaim;
    struct hg_snapshot *applied; /* a reference; NULL: none was; control loop */
    uint64_t applied_version;
    _Atomic uint64_t version_count, slot_count; /* for tests and measures */
    struct hg_pool_shard *shards;               /* by loop index */
    unsigned shard_count;
    unsigned cores;
    _Atomic unsigned next_loop; /* for what the control loop submits */
    _Atomic bool is_ending;
    struct hg_drain *drain;                    /* workers.c */
    struct hg_known_interpreter *interpreters; /* prepare.c; its thread only */
    struct hg_asked_runtime *asked_runtimes;   /* prepare.c; control loop */
};

/* ---- pool.c ---- */

/* An environment of the loop has nothing to do (again): gives it to whoever waits, or lists it as idle. */
void pool_environment_idle(struct hg_environment *env);
/* It is gone and its place is free. */
void pool_environment_gone(const struct hg_environment *env);
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
/* Fails with HG_E_THROTTLED. */
void pool_throttle(struct hg_version_shard *vs, struct hg_running *running);
/* The control loop has found its version: it goes on on its own loop. */
void pool_enter(struct hg_running *running);

/* ---- idle.c: environments with nothing to do ---- */

/* Lists it and tells other loops. */
void idle_add(struct hg_environment *env);
/* One that is listed stays listed, but behind all that have a process. */
void idle_put_last(struct hg_environment *env);
/* An unpromised one becomes promised. */
bool idle_promise(struct hg_idle *idle);
/* Whoever calls it holds a promise, so there is one; only the end of everything breaks promises, with NULL. */
struct hg_environment *idle_pop(struct hg_version_shard *vs, enum hg_idle_kind kind);
/* Takes it out of the list, if one of its list is not promised. */
bool idle_take_back(struct hg_environment *env);
/* Takes out for good the one unused longest, if one is unpromised; NULL otherwise. */
struct hg_environment *idle_take_oldest(struct hg_version_shard *vs, enum hg_idle_kind kind);
/* Ends all that are not promised. */
void idle_retire_all(struct hg_version_shard *vs);
/* Ends on-demand ones as long as their function has more than it may. */
void idle_trim(struct hg_version_shard *vs);
/* Ends the on-demand one unused longest that nobody waits for and whose end makes room; false when there is none. */
bool idle_evict(struct hg_pool_shard *shard, struct hg_limit *full, const struct hg_quota *quota);
void idle_evict_if_wanted(struct hg_pool_shard *shard);
void idle_on_retire_timer(struct hg_timer *timer);

/* ---- starting.c ---- */

/* Starts environments for who waits, as far as that helps and limits allow. */
void starting_more(struct hg_version_shard *vs);
/* A place for an environment; NULL when there is none now: whoever is idle may be ending to make one. */
struct hg_limit *starting_take_place(struct hg_version_shard *vs, bool is_provisioned);
/* Whether the machine is busy enough with starting environments. */
bool starting_is_crowded(const struct hg_pool_shard *shard);
struct hg_environment *starting_new(struct hg_version_shard *vs, const struct hg_plan *plan,
                                    struct hg_limit *place, bool is_provisioned);
/* It no longer counts as starting. */
void starting_ended(struct hg_environment *env);
/* Its start does not load the machine any more: the next may begin. */
void starting_launch_ended(struct hg_environment *env);
/* It wants an environment, or does so no longer. */
void starting_want(struct hg_version_shard *vs);

/* ---- provision.c: environments that are kept initialised ---- */

/* What a configuration means for one version. */
struct hg_provision_share {
    const struct hg_function *function;
    unsigned wanted;
};

/* Of an alias with weights in proportion to them; the count, 0 when the qualifier leads nowhere. */
size_t provision_shares(const struct hg_family *family, const struct hg_provisioned *config,
                        struct hg_provision_share shares[2]);
/* What the version shall have, on all loops together. Control loop. */
void provision_set(struct hg_version *version, unsigned wanted);
/* Starts or ends environments of this loop, as is wanted. */
void provision_serve(struct hg_version_shard *vs);
bool provision_is_wanting(const struct hg_version_shard *vs);
/* Ends one with nothing to do, if there are more than are wanted. */
bool provision_drop(struct hg_environment *env);
/* An environment became ready; or it is gone: ready before or not, dropped or not. */
void provision_note_ready(struct hg_version_shard *vs);
void provision_note_end(struct hg_version_shard *vs, bool was_ready, bool was_dropped);
/* No environment can be made. */
void provision_note_failure(struct hg_version_shard *vs);
void provision_on_timer(struct hg_timer *timer);

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
/* Throttles everybody. */
void waiting_throttle_all(struct hg_version_shard *vs);

/* ---- shard.c ---- */

void shard_init(struct hg_pool_shard *shard, struct hg_workers *workers, struct hg_loop *loop);
void shard_fini(struct hg_pool_shard *shard);
struct hg_version_shard *shard_version(struct hg_pool_shard *shard, struct hg_version *version);
/* Undoes it: nothing may be in use. */
void shard_forget_version(struct hg_version_shard *vs);
/* Any thread. */
void shard_poke(struct hg_pool_shard *shard);
/* Posts "look again" to the version's part of that loop. Control loop. */
void shard_look(struct hg_version *version, unsigned index);
/* Starts the tick if it does not run. */
void shard_need_tick(struct hg_pool_shard *shard);

/* ---- version.c ---- */

/* The version that a function is, if the pool knows it. Any loop. */
struct hg_version *version_find(const struct hg_workers *workers,
                                const struct hg_function *function);
/* Its part on that loop, made if it is not there; not set up. Any thread. */
struct hg_version_shard *version_part(struct hg_version *version, unsigned index);
/* Finds or makes it on the control loop, then pool_enter on the invocation's loop. Any loop. */
void version_ask(struct hg_running *running);
/* The same, at once. Control loop. */
struct hg_version *version_get(struct hg_workers *workers, struct hg_function *function);
/* Its last environment ended unused: the pool forgets the version until it is asked for again. Any loop that uses it. */
void version_note_unused(struct hg_version *version);
/* Takes over what is deployed of the function now; NULL: it is not any more. Control loop. */
void version_apply(struct hg_pool_family *family, const struct hg_family *deployed);
/* Applies what was published last, unless that was done. Control loop. */
void version_catch_up(struct hg_workers *workers);
void version_free(struct hg_version *version);
/*
 * Moves an estimate of how long something takes towards value: down fast, up slowly, because a crowded machine
 * makes single runs look long, and never short.
 */
void average_note(_Atomic int64_t *average, int64_t value);

/* ---- pool_family.c ---- */

/* Any loop; NULL when the pool does not know it. */
struct hg_pool_family *pool_family_find(const struct hg_workers *workers, struct hg_str name);
/* Control loop. */
struct hg_pool_family *pool_family_get(struct hg_workers *workers, struct hg_str name);
/* Frees it when there is no reason to keep it. Control loop. */
void pool_family_put(struct hg_pool_family *family);
/* Its counters on the loop. */
struct hg_stats *pool_family_stats(struct hg_pool_family *family, unsigned index);
void pool_family_free(struct hg_pool_family *family);

/* ---- reclaim.c ---- */

/* Runs `run` on the control loop once every loop has ended a turn. Control loop; NULL is allowed. */
void reclaim_later(struct hg_workers *workers, struct hg_retired *retired,
                   void (*run)(struct hg_retired *retired));
/* The version is taken from all tables; it ends when nobody uses it any more. Control loop. */
void reclaim_version(struct hg_version *version);
/* Something of the version has come to its end on this loop: lets go of it, if it waits for that. */
void reclaim_look(struct hg_version_shard *vs);
void reclaim_on_timer(struct hg_timer *timer);
void reclaim_on_task(struct hg_task *task);
/* Loops have stopped. */
void reclaim_fini(struct hg_workers *workers);

/* ---- prepare.c ---- */

/* Logs that no environment can be made; seldom, however often it is called. */
void prepare_complain(struct hg_version_shard *vs, const char *reason);
/* Makes the version's plan on the preparing thread, then pool_serve; or fails who waits. */
void prepare_start(struct hg_version_shard *vs);
/* Finds out ahead of time, on that thread, which interpreter serves the runtime. */
void prepare_runtime(struct hg_workers *workers, struct hg_str runtime);
/* Writes the bootstraps and removes what a former run left, on helper threads. */
void prepare_data_dir(struct hg_workers *workers);
void prepare_fini(struct hg_workers *workers);

#endif
