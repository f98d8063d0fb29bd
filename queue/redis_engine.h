/*
 * What the files of the Redis engine share; for queue/redis*.c and their tests.
 *
 * Keys. All of a function's lie under one hash tag, T = {prefix:function}, so
 * that each script touches one slot of a cluster:
 *
 *   T:e:<id>       hash of an event: l life (hg_event_encode), p payload, r result, s stored state (q, r, f, x),
 *                  c channel, n leases lost since the last settle, t when it finished
 *   T:s:<channel>  stream of a lane: what is due, in order; group "g", one consumer for each node
 *   T:lanes        set of the channels, other than "", that have entries
 *   T:due          sorted set: what is not due yet, by due time
 *   T:q r l f x    sorted sets of ids by acceptance: queued, retrying, leased, finished, dead; each event is in one
 *   T:fin, T:finb  list of the finished in order of their end, and their bytes
 *   T:k:<key>      the id that an idempotency key stands for
 *
 * and under {prefix}: :functions (set), :nodes (hash: beats of each), :clock, :wake (stream).
 *
 * An event's lease is its entry in the stream's pending list. Whoever takes a
 * lease away removes the entry, so that a late settle finds nothing and changes nothing.
 *
 * Time. All times in Redis are queue time: a clock that the nodes share. A
 * node that starts takes it from {prefix}:clock, then lets its own boot clock
 * carry it on and writes it back with every beat. So neither a stepped clock
 * (of a node or of the server) nor nodes that disagree hurry or delay an
 * event; the server's clock is asked only for how long all nodes were gone.
 */
#ifndef HG_QUEUE_REDIS_ENGINE_H
#define HG_QUEUE_REDIS_ENGINE_H

#include "core/map.h"
#include "core/redis.h"
#include "queue/backend.h"

enum {
    HG_REDIS_PREFIX_MAX = 64,
    HG_REDIS_TAG_MAX = HG_REDIS_PREFIX_MAX + HG_EVENT_FUNCTION_MAX + 8,
    HG_REDIS_ENTRY_MAX = 48, /* "milliseconds-number" */
    HG_REDIS_RECENT = 4096,
};

/* The URI and the options redis.*. */
struct redis_settings {
    struct hg_redis_uri server;
    char prefix[HG_REDIS_PREFIX_MAX + 1];
    char tls_ca[4096]; /* "" for the system's */
    int64_t lease_timeout_ms, timeout_ms, wait_timeout_ms;
    unsigned wait; /* replicas */
};

enum hg_rc redis_settings_read(const struct hg_queue_options *options,
                               struct redis_settings *settings, struct hg_error *err);

/* What a server says of its persistence; "" for what it does not tell. */
struct redis_persistence {
    char appendonly[16], appendfsync[16], save[128], maxmemory[24], policy[32];
};

/* Appends a sentence for each way in which acknowledged events can be lost; nothing when there is none. */
void redis_persistence_warn(const struct redis_persistence *persistence, struct hg_buf *out);

enum redis_script {
    REDIS_PUT,
    REDIS_LEASE,
    REDIS_SETTLE,
    REDIS_TEND,
    REDIS_RECLAIM,
    REDIS_FIND,
    REDIS_PAGE,
    REDIS_REDRIVE,
    REDIS_PURGE,
    REDIS_BEAT,
    REDIS_SCRIPT_COUNT
};

/* may_allow_oom: the server is version 7 or later. Free with redis_scripts_free. */
void redis_scripts_make(struct hg_redis_script scripts[REDIS_SCRIPT_COUNT], bool may_allow_oom);
void redis_scripts_free(struct hg_redis_script scripts[REDIS_SCRIPT_COUNT]);

struct redis_lane {
    struct hg_list link; /* redis_function.lanes */
    struct redis_function *function;
    struct hg_list held;  /* struct redis_lease */
    struct hg_list wakes; /* redis_engine.wakes, while others are to be told */
    unsigned leasing;     /* lease commands under way */
    bool
        has_unknown; /* a lease was asked for and the answer lost: this node may hold what it does not know */
    char channel[];
};

/* Of this node; event->lease. */
struct redis_lease {
    struct hg_list link;
    struct redis_lane *lane;
    char entry[HG_REDIS_ENTRY_MAX];
    bool may_be_settled;    /* a settle was sent and its answer lost */
    struct hg_blob *result; /* as it is stored: a reference or NULL */
};

enum redis_announced { REDIS_UNKNOWN, REDIS_ANNOUNCING, REDIS_ANNOUNCED };

struct redis_function {
    struct hg_list link; /* redis_engine.functions */
    struct redis_engine *engine;
    struct hg_list lanes;
    enum redis_announced announced;
    struct hg_list unannounced; /* puts, by hg_queue_op.link */
    bool is_tending, tends_again;
    int64_t next_due_ms; /* queue time; 0: nothing waits, as far as is known */
    uint64_t states[HG_EVENT_STATE_COUNT];
    int64_t oldest_ms;
    uint64_t finished_bytes;
    char tag[HG_REDIS_TAG_MAX];
    char name[HG_EVENT_FUNCTION_MAX + 1];
};

/* A consumer that holds something, or a node that beats. */
struct redis_peer {
    struct hg_list link;
    int64_t beats;    /* -1: never */
    int64_t since_us; /* beats is that since then */
    char name[HG_UUID_LEN + 1];
};

struct redis_engine {
    struct hg_queue *queue;
    struct redis_settings settings;
    struct hg_redis_script scripts[REDIS_SCRIPT_COUNT];
    struct hg_redis *redis;
    struct hg_redis *waker; /* blocking reads */
    char node[HG_UUID_LEN + 1];
    char former[HG_UUID_LEN +
                1]; /* of the process that had this data directory before; "" for none */
    int node_fd;    /* locks the file that names the node; -1 */
    char tag[HG_REDIS_TAG_MAX]; /* {prefix} */
    struct hg_map by_name;      /* struct redis_function */
    struct hg_list functions;
    struct hg_list requests; /* all that runs */
    struct hg_list peers;
    unsigned node_count;    /* that beat, with this one */
    uint64_t history_bytes; /* of the finished events of all functions */

    bool is_connected;
    bool is_live; /* connected and the clock known: operations are taken */
    bool has_clock, is_beating;
    enum hg_rc refused; /* HG_E_INVALID: the server refused this client for good, with why */
    char why[HG_EVENT_WHY_MAX];
    int64_t skew_ms; /* queue time minus hg_steady_ms */
    int64_t beat_us; /* the last one that was answered */
    struct hg_timer beat_timer, poll_timer, due_timer, wake_timer;
    struct hg_list wakes;

    struct hg_task commit_task; /* tells of the puts and settles of this turn */
    size_t committed;
    int64_t commit_us; /* of the slowest of them */

    struct hg_redis_op wake_op;
    struct hg_timer wake_retry;
    bool is_waking, has_wake_position;
    char wake_position[HG_REDIS_ENTRY_MAX];

    /* Where ids were seen lately: a change of what was just listed asks one function, not all. */
    struct {
        char id[HG_UUID_LEN + 1];
        struct redis_function *function;
    } * recent;
};

/* A command, or several, under way. First member of what redis_request_new makes. */
struct redis_request {
    struct hg_redis_op op;
    struct hg_list link; /* redis_engine.requests */
    struct redis_engine *engine;
    struct redis_function *function;
    struct redis_lane *lane;
    struct hg_queue_op *queue_op;                  /* NULL: the engine's own */
    void (*finish)(struct redis_request *request); /* the command has ended: see op */
    void (*drop)(struct redis_request *request);   /* frees what it holds besides itself; or NULL */
};

/* redis.c */
/* Server, time-outs and TLS as the settings say. */
void redis_client_options(const struct redis_engine *engine, struct hg_redis_options *options);
struct redis_function *redis_function_of(struct redis_engine *engine, struct hg_str name);
struct redis_lane *redis_lane_of(struct redis_function *function, struct hg_str channel);
int64_t redis_now_ms(const struct redis_engine *engine);
/* Script on a function's keys (on the prefix's own for NULL). */
struct hg_redis_command *redis_command(struct redis_engine *engine, enum redis_script script,
                                       const struct redis_function *function);
/* A zeroed request of size bytes; its first member is a struct redis_request. */
void *redis_request_new(struct redis_engine *engine, size_t size, struct hg_queue_op *queue_op,
                        void (*finish)(struct redis_request *request));
void redis_submit(struct redis_request *request, struct hg_redis_command *command);
void redis_request_free(struct redis_request *request);
/* How a command's failure ends its operation (if it has one); notes that the server takes no writes. Frees the request. */
void redis_end_failed(struct redis_request *request);
/* False, and the operation ended, while the server is not there. */
bool redis_is_there(struct redis_engine *engine, struct hg_queue_op *op);
/* Times of a life from this node's clock to queue time (by_ms: skew) and back (its negative). */
void redis_shift_times(struct hg_event *event, int64_t by_ms);
void redis_encode(struct redis_engine *engine, struct hg_event *event, struct hg_buf *out);
struct hg_event *redis_decode(struct redis_engine *engine, struct hg_str life);
/* Names of {prefix}:functions; new ones become known. */
void redis_learn_functions(struct redis_engine *engine, const struct redisReply *names);

/* redis_beat.c */
void redis_beat_init(struct redis_engine *engine);
/* Connected: the first beat makes the engine live. */
void redis_beat(struct redis_engine *engine);
/* An operation was refused for now: new events wait until a write gets through. */
void redis_note_refusal(struct redis_engine *engine, const struct hg_redis_op *op);

/* redis_events.c */
void redis_events_init(struct redis_engine *engine);
void redis_put(struct hg_queue *queue, struct hg_put_op *op);
void redis_lease(struct hg_queue *queue, struct hg_lease_op *op);
void redis_settle(struct hg_queue *queue, struct hg_settle_op *op);
/* Two arguments: what ended before is forgotten, and so is what is over so many bytes. */
void redis_add_history(struct hg_redis_command *command, const struct redis_function *function);

/* redis_find.c */
void redis_find(struct hg_queue *queue, struct hg_find_op *op);
void redis_change(struct hg_queue *queue, struct hg_change_op *op);

/* redis_tend.c */
void redis_tend_init(struct redis_engine *engine);
void redis_tend_start(struct redis_engine *engine);
void redis_tend_stop(struct redis_engine *engine);
void redis_tend(struct redis_function *function);
/* Something of the function is due at due_ms (queue time). */
void redis_note_due(struct redis_function *function, int64_t due_ms);
/* Something is due in the lane now: tells this node, and soon the others. */
void redis_note_ready(struct redis_lane *lane);
/* The peer's beats as just read. */
void redis_note_beats(struct redis_engine *engine, const struct redisReply *nodes);
/* Gives back what the lane's consumer holds, but for what this node knows of. */
void redis_reclaim(struct redis_lane *lane, const char *consumer);

/* redis_wake.c */
void redis_wake_init(struct redis_engine *engine);
void redis_wake_start(struct redis_engine *engine);
void redis_wake_stop(struct redis_engine *engine);
/* Others hear of the lane within a few milliseconds. */
void redis_wake_others(struct redis_lane *lane);

/* redis_durable.c */
void redis_check_node(struct redis_engine *engine, struct hg_redis_node *node);

#endif
