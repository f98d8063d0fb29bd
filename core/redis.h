/*
 * A Redis client on one loop: pipelined commands, scripts, reconnects, TLS,
 * and Redis Cluster behind the same calls. RESP2 only. Everything runs on the
 * loop's thread; names are resolved on a helper thread.
 *
 * A command goes out at the end of the turn, together with all others of that
 * turn. It ends with a reply, or with HG_E_BUSY when the connection is not
 * there or breaks: nothing is sent twice without the caller's will.
 */
#ifndef HG_CORE_REDIS_H
#define HG_CORE_REDIS_H

#include "core/error.h"
#include "core/loop.h"
#include "core/str.h"

enum { HG_REDIS_HOST_MAX = 255, HG_REDIS_SLOTS = 16384 };

struct hg_redis;
struct hg_redis_node;    /* one server that the client talks to */
struct hg_redis_command; /* being put together, then the client's */
struct redisReply;

/* redis[s]://[[user]:password@]host[:port][/db][?query] */
struct hg_redis_uri {
    bool uses_tls;
    char host[HG_REDIS_HOST_MAX + 1];
    unsigned port;
    char user[129], password[513]; /* "" for none */
    unsigned db;
    struct hg_str query; /* behind '?', points into the text; n is 0 for none */
};

/* HG_E_INVALID with a sentence; the sentence never holds the password. */
enum hg_rc hg_redis_uri_parse(struct hg_str text, struct hg_redis_uri *uri,
                              struct hg_error *err) hg_must_use;

/* A Lua script; sha is filled by hg_redis_script_init. text must outlive its users. */
struct hg_redis_script {
    const char *text;
    char sha[41];
};

void hg_redis_script_init(struct hg_redis_script *script, const char *text);

struct hg_redis_options {
    struct hg_redis_uri server; /* of a cluster: any of its nodes */
    const char *tls_ca; /* PEM file, read by hg_redis_new; NULL: the system's certificates */
    int64_t connect_timeout_ms; /* until the connection is greeted */
    int64_t timeout_ms; /* of a command, from its sending; then the connection is given up */
    unsigned replicas;  /* that must have what hg_redis_command_replicate marked; 0: none */
    int64_t replicas_timeout_ms;
    size_t output_max; /* bytes that may wait to be sent to one node; beyond, HG_E_BUSY */
    size_t reply_max;  /* bytes of one reply; beyond, the connection is closed */
    const struct hg_redis_script *scripts; /* loaded on each connection; outlive the client */
    size_t script_count;
    /* The client can take commands now, or cannot (told at each failed try; HG_E_INVALID: credentials refused). */
    void (*on_state)(void *arg, bool is_up, enum hg_rc rc, const char *why);
    /* A server was reached for the first time. May be NULL. */
    void (*on_node)(void *arg, struct hg_redis_node *node);
    void *arg;
};

/* Sensible limits and time-outs around a server. */
void hg_redis_options_init(struct hg_redis_options *options, const struct hg_redis_uri *server);

/* Begins to connect. NULL with a sentence when the TLS settings cannot work. */
struct hg_redis *hg_redis_new(struct hg_loop *loop, const struct hg_redis_options *options,
                              struct hg_error *err);
/* What still waits is dropped: its done never runs. Not inside a callback of the client. NULL is allowed. */
void hg_redis_free(struct hg_redis *redis);

/* Commands are taken. */
bool hg_redis_is_up(const struct hg_redis *redis);
bool hg_redis_is_cluster(const struct hg_redis *redis);
/* "host:port" */
const char *hg_redis_node_name(const struct hg_redis_node *node);

/* Embedded by the caller, who keeps it until done or cancel. */
struct hg_redis_op {
    void (*done)(struct hg_redis_op *op); /* never inside submit */
    /*
     * HG_OK: reply is there and no error. HG_E_BUSY: not now (connection, LOADING, OOM, READONLY, …).
     * HG_E_INVALID: the server refused it for good.
     */
    enum hg_rc rc;
    const struct redisReply *reply; /* while done runs */
    const char *why;                /* "" or a sentence; while done runs */
    bool was_sent;                  /* with HG_E_BUSY and no answer: it may have been done */
    struct hg_redis_command *command;
};

struct hg_redis_command *hg_redis_command(const char *name);
/* EVALSHA of script with key_count keys, which come next; EVAL when the server does not know it. */
struct hg_redis_command *hg_redis_eval(const struct hg_redis_script *script, unsigned key_count);
void hg_redis_arg(struct hg_redis_command *command, struct hg_str arg);
void hg_redis_arg_cstr(struct hg_redis_command *command, const char *arg);
void hg_redis_arg_i64(struct hg_redis_command *command, int64_t arg);
/* An argument that says which node of a cluster it is for; the last one counts. */
void hg_redis_key(struct hg_redis_command *command, struct hg_str key);
/* Done only when options.replicas have it; fewer is HG_E_BUSY with was_sent. */
void hg_redis_command_replicate(struct hg_redis_command *command);
/* Instead of options.timeout_ms: for blocking reads, which want a client of their own. */
void hg_redis_command_timeout(struct hg_redis_command *command, int64_t timeout_ms);

/* Takes the command. */
void hg_redis_submit(struct hg_redis *redis, struct hg_redis_command *command,
                     struct hg_redis_op *op);
/* Same, for a certain server; only while it is one of the client's (inside on_node it is). */
void hg_redis_submit_to(struct hg_redis *redis, struct hg_redis_node *node,
                        struct hg_redis_command *command, struct hg_redis_op *op);
/* done never runs after it; the server may do it all the same. Idempotent. */
void hg_redis_cancel(struct hg_redis_op *op);

/*
 * Looking into replies: every function takes every reply, also NULL, and
 * answers with nothing for what it is not.
 */
bool hg_redis_is_nil(const struct redisReply *reply);
struct hg_str hg_redis_str(const struct redisReply *reply);
/* Also of a string of digits; otherwise 0. */
int64_t hg_redis_int(const struct redisReply *reply);
size_t hg_redis_count(const struct redisReply *reply);
const struct redisReply *hg_redis_at(const struct redisReply *reply, size_t index);

/* Slot of a key: CRC16 of the part in the first braces, or of all. */
unsigned hg_redis_slot(struct hg_str key);

#endif
