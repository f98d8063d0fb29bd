/*
 * What the files of the Redis client share; for core/redis*.c and their tests.
 *
 * A command belongs to one list at a time: a node's `queued` (not greeted
 * yet), `sent` (its reply is awaited, in order), `held` (answered, replicas
 * not yet), or the client's `failed` (ends after this turn).
 */
#ifndef HG_CORE_REDIS_CLIENT_H
#define HG_CORE_REDIS_CLIENT_H

#include "core/buf.h"
#include "core/offload.h"
#include "core/redis.h"

#include <openssl/types.h>
#include <sys/socket.h>

/* hiredis; opaque here. */
struct redisReader;

enum { HG_REDIS_ADDRESSES_MAX = 8, HG_REDIS_WHY_MAX = 256 };

struct hg_redis_redirect {
    bool is_ask;
    unsigned slot, port;
    char host[HG_REDIS_HOST_MAX + 1];
};

bool hg_redis_redirect_parse(struct hg_str text, struct hg_redis_redirect *redirect);

/* redis_reply.c: the only user of hiredis. */
struct redisReader *hg_redis_reader_new(void);
void hg_redis_reader_free(struct redisReader *reader);
/* False with a sentence in why when the bytes are no reply or it grows over max. */
bool hg_redis_reader_feed(struct redisReader *reader, const char *bytes, size_t length, size_t max,
                          char why[HG_REDIS_WHY_MAX]);
/* False like feed; *reply is NULL when more bytes are needed. */
bool hg_redis_reader_next(struct redisReader *reader, struct redisReply **reply,
                          char why[HG_REDIS_WHY_MAX]);
void hg_redis_reply_free(struct redisReply *reply);
bool hg_redis_is_error(const struct redisReply *reply);

/* What an error reply means for the one who asked. */
enum hg_redis_fault {
    HG_REDIS_FAULT_FINAL,    /* the command is wrong or not allowed */
    HG_REDIS_FAULT_NOT_NOW,  /* OOM, LOADING, MISCONF, CLUSTERDOWN, TRYAGAIN, … */
    HG_REDIS_FAULT_READONLY, /* not the primary any more */
    HG_REDIS_FAULT_DENIED,   /* credentials */
    HG_REDIS_FAULT_NO_SCRIPT,
    HG_REDIS_FAULT_REDIRECT, /* MOVED or ASK */
};
enum hg_redis_fault hg_redis_fault_of(struct hg_str text);

enum hg_redis_kind {
    HG_REDIS_USER,     /* a caller's */
    HG_REDIS_GREETING, /* of the client, while a connection is greeted: any error ends it */
    HG_REDIS_LOAD,     /* SCRIPT LOAD: an error shows at its use */
    HG_REDIS_ASKING,
    HG_REDIS_WAIT, /* for the held ones */
};

struct hg_redis_command {
    struct hg_list link;
    enum hg_redis_kind kind;
    struct hg_redis_op *op; /* NULL: cancelled, or the client's own */
    struct hg_buf args;     /* RESP, without the count in front */
    unsigned arg_count;
    const struct hg_redis_script *script; /* NULL for other commands */
    int slot;                             /* -1: any node */
    unsigned redirects;
    bool wants_replicas;
    int64_t timeout_ms;        /* 0: the client's */
    int64_t deadline_us;       /* once sent */
    struct redisReply *answer; /* of a held one */
    enum hg_rc rc;             /* of a failed one, with why */
    bool was_sent;
    char why[HG_REDIS_WHY_MAX];
};

void hg_redis_command_free(struct hg_redis_command *command);

/* A byte stream to a host, with or without TLS. Its owner embeds it. */
struct hg_redis_socket {
    struct hg_loop *loop;
    SSL_CTX *tls; /* NULL: none */
    int fd;       /* -1: closed */
    SSL *ssl;
    struct event readable, writable;
    enum { HG_REDIS_CLOSED, HG_REDIS_CONNECTING, HG_REDIS_SHAKING, HG_REDIS_OPEN } state;
    char host[HG_REDIS_HOST_MAX + 1];
    struct sockaddr_storage addresses[HG_REDIS_ADDRESSES_MAX];
    socklen_t lengths[HG_REDIS_ADDRESSES_MAX];
    unsigned address_count, next_address;
    bool wants_write; /* TLS cannot go on before the socket is writable */
    char why[HG_REDIS_WHY_MAX];

    void (*on_open)(struct hg_redis_socket *socket);
    void (*on_ready)(struct hg_redis_socket *socket); /* try to read, and to write what waits */
    void (*on_failed)(struct hg_redis_socket *socket, const char *why);
};

void hg_redis_socket_init(struct hg_redis_socket *socket, struct hg_loop *loop, SSL_CTX *tls);
/* on_open or on_failed follows, perhaps inside the call. addresses must be filled; host is for the certificate. */
void hg_redis_socket_connect(struct hg_redis_socket *socket);
/* Bytes read or written; 0: not now; -1: it is over, socket->why says why. */
ssize_t hg_redis_socket_read(struct hg_redis_socket *socket, void *to, size_t size);
ssize_t hg_redis_socket_write(struct hg_redis_socket *socket, const void *from, size_t size);
/* on_ready comes once more: not all was read, and TLS may hold bytes that the socket no longer shows. */
void hg_redis_socket_read_again(struct hg_redis_socket *socket);
void hg_redis_socket_want_write(struct hg_redis_socket *socket, bool wants);
void hg_redis_socket_close(struct hg_redis_socket *socket);

/* A client's TLS settings: NULL with a sentence. */
SSL_CTX *hg_redis_tls_new(const char *ca_file, struct hg_error *err);
void hg_redis_tls_free(SSL_CTX *tls);

enum hg_redis_node_state {
    HG_REDIS_NODE_RESOLVING,
    HG_REDIS_NODE_OPENING,
    HG_REDIS_NODE_GREETING,
    HG_REDIS_NODE_READY,
    HG_REDIS_NODE_WAITING, /* for the next try */
    HG_REDIS_NODE_DEAD,    /* dropped by the client */
};

struct hg_redis_node {
    struct hg_list link; /* hg_redis.nodes */
    struct hg_grave grave;
    struct hg_redis *redis;
    enum hg_redis_node_state state;
    struct hg_redis_socket socket;
    struct redisReader *reader; /* NULL unless connected */
    struct hg_buf out;
    struct hg_list queued, sent, held;
    size_t pending_bytes; /* of commands without an answer */
    unsigned greetings;   /* replies that the greeting still awaits */
    unsigned failures;    /* tries in a row */
    unsigned unconfirmed; /* sent ones that want replicas since the last WAIT */
    bool was_reached;     /* on_node was told */
    bool is_current;      /* in the slot map that is being read */
    unsigned port;
    char name[HG_REDIS_HOST_MAX + 8];
    struct hg_task flush;
    struct hg_timer deadline, retry;
    struct resolve_job *resolving;
};

struct hg_redis_node *hg_redis_node_new(struct hg_redis *redis, const char *host, unsigned port);
/* Ends what waits with HG_E_BUSY; freed after the turn. */
void hg_redis_node_drop(struct hg_redis_node *node, const char *why);
/* Same at once, nothing is ended: for hg_redis_free. */
void hg_redis_node_free(struct hg_redis_node *node);
/* Sends the command, or queues it while the node is being reached, or fails it. */
void hg_redis_node_send(struct hg_redis_node *node, struct hg_redis_command *command);
/* The connection is of no more use. */
void hg_redis_node_fail(struct hg_redis_node *node, enum hg_rc rc, const char *why);

struct hg_redis {
    struct hg_loop *loop;
    struct hg_redis_options options;
    SSL_CTX *tls;
    struct hg_offload *resolver; /* made for the first name */
    struct hg_list nodes;
    struct hg_list waiting; /* commands before it is known whether this is a cluster */
    struct hg_list failed;
    size_t waiting_bytes;
    struct hg_task fail_task;
    struct hg_redis_node *seed;
    struct hg_redis_node **slots; /* HG_REDIS_SLOTS of them in a cluster, else NULL */
    bool is_known;                /* whether it is a cluster */
    bool is_up, is_asking_slots;
    const struct hg_redis_node *slots_asked;
    struct hg_redis_op slots_op;
    struct hg_timer slots_timer;
};

/* Told by nodes. */
void hg_redis_node_is_ready(struct hg_redis_node *node);
void hg_redis_node_is_lost(struct hg_redis_node *node, enum hg_rc rc, const char *why);
/* A reply to a caller's command; takes both. */
void hg_redis_answer(struct hg_redis_node *node, struct hg_redis_command *command,
                     struct redisReply *reply);
/* Ends it after this turn. */
void hg_redis_fail_later(struct hg_redis *redis, struct hg_redis_command *command, enum hg_rc rc,
                         bool was_sent, const char *why);
/* Ends it now and frees it. */
void hg_redis_end(struct hg_redis_command *command, enum hg_rc rc, const struct redisReply *reply,
                  const char *why);

#endif
