/*
 * The client: puts commands together, finds the node that each belongs to,
 * follows a cluster's redirections, and tells its owner whether it is usable.
 */
#include "core/redis_client.h"

#include "core/clock.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    COMMAND_MAX = 64 << 20, /* bytes of one */
    REDIRECTS_MAX = 5,
    NODES_MAX = 1000,
    SLOTS_PAUSE_MS = 200, /* between two looks at the slot map */
    CONNECT_TIMEOUT_MS = 5000,
    TIMEOUT_MS = 5000,
    OUTPUT_MAX = 64 << 20,
    REPLY_MAX = 64 << 20,
};

void hg_redis_options_init(struct hg_redis_options *options, const struct hg_redis_uri *server)
{
    memset(options, 0, sizeof(*options));
    options->server = *server;
    options->server.query = hg_str_n("", 0);
    options->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    options->timeout_ms = TIMEOUT_MS;
    options->output_max = OUTPUT_MAX;
    options->reply_max = REPLY_MAX;
}

void hg_redis_script_init(struct hg_redis_script *script, const char *text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    script->text = text;
    hg_assert(EVP_Digest(text, strlen(text), digest, &length, EVP_sha1(), NULL) == 1);
    hg_assert(length == 20);
    for (unsigned i = 0; i < length; i++)
        (void)snprintf(script->sha + 2 * i, 3, "%02x", digest[i]);
}

/* Putting a command together. */

struct hg_redis_command *hg_redis_command(const char *name)
{
    struct hg_redis_command *command = hg_calloc(1, sizeof(*command));

    hg_list_init(&command->link);
    hg_buf_init(&command->args, COMMAND_MAX);
    command->slot = -1;
    hg_redis_arg_cstr(command, name);
    return command;
}

struct hg_redis_command *hg_redis_eval(const struct hg_redis_script *script, unsigned key_count)
{
    struct hg_redis_command *command = hg_redis_command("EVALSHA");

    command->script = script;
    hg_redis_arg_cstr(command, script->sha);
    hg_redis_arg_i64(command, key_count);
    return command;
}

static void append_arg(struct hg_buf *out, struct hg_str arg)
{
    (void)hg_buf_append_byte(out, '$');
    (void)hg_buf_append_u64(out, arg.n);
    (void)hg_buf_append(out, "\r\n", 2);
    (void)hg_buf_append_str(out, arg);
    (void)hg_buf_append(out, "\r\n", 2);
}

void hg_redis_arg(struct hg_redis_command *command, struct hg_str arg)
{
    append_arg(&command->args, arg);
    command->arg_count++;
}

void hg_redis_arg_cstr(struct hg_redis_command *command, const char *arg)
{
    hg_redis_arg(command, hg_str_of(arg));
}

void hg_redis_arg_i64(struct hg_redis_command *command, int64_t arg)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)arg);
    hg_redis_arg_cstr(command, text);
}

void hg_redis_key(struct hg_redis_command *command, struct hg_str key)
{
    command->slot = (int)hg_redis_slot(key);
    hg_redis_arg(command, key);
}

void hg_redis_command_replicate(struct hg_redis_command *command)
{
    command->wants_replicas = true;
}

void hg_redis_command_timeout(struct hg_redis_command *command, int64_t timeout_ms)
{
    command->timeout_ms = timeout_ms;
}

void hg_redis_command_free(struct hg_redis_command *command)
{
    hg_redis_reply_free(command->answer);
    hg_buf_fini(&command->args);
    free(command);
}

/* The same call by text: name and sha are replaced in front of what follows them. */
static void make_eval(struct hg_redis_command *command)
{
    struct hg_str old = hg_buf_str(&command->args);
    size_t skip = sizeof("$7\r\nEVALSHA\r\n$40\r\n") - 1 + 40 + 2;
    struct hg_buf args;

    hg_buf_init(&args, COMMAND_MAX);
    append_arg(&args, HG_STR("EVAL"));
    append_arg(&args, hg_str_of(command->script->text));
    (void)hg_buf_append_str(&args, hg_str_skip(old, skip));
    hg_buf_fini(&command->args);
    command->args = args;
    command->script = NULL;
}

/* How a command ends. */

void hg_redis_end(struct hg_redis_command *command, enum hg_rc rc, const struct redisReply *reply,
                  const char *why)
{
    struct hg_redis_op *op = command->op;

    if (op) {
        op->command = NULL;
        op->rc = rc;
        op->reply = rc == HG_OK ? reply : NULL;
        op->why = why;
        op->was_sent = command->was_sent;
        op->done(op);
    }
    hg_redis_command_free(command);
}

void hg_redis_fail_later(struct hg_redis *redis, struct hg_redis_command *command, enum hg_rc rc,
                         bool was_sent, const char *why)
{
    command->rc = rc;
    command->was_sent = was_sent;
    (void)snprintf(command->why, sizeof(command->why), "%s", why);
    hg_list_push_back(&redis->failed, &command->link);
    hg_loop_defer(redis->loop, &redis->fail_task);
}

static void on_failed(struct hg_task *task)
{
    struct hg_redis *redis = hg_container_of(task, struct hg_redis, fail_task);
    struct hg_list failed, *link;

    hg_list_init(&failed);
    hg_list_move_all(&redis->failed, &failed);
    while ((link = hg_list_pop_front(&failed))) {
        struct hg_redis_command *command = hg_container_of(link, struct hg_redis_command, link);
        char why[HG_REDIS_WHY_MAX];

        memcpy(why, command->why, sizeof(why));
        hg_redis_end(command, command->rc, NULL, why);
    }
}

void hg_redis_cancel(struct hg_redis_op *op)
{
    if (op->command)
        op->command->op = NULL;
    op->command = NULL;
}

/* Which node. */

static struct hg_redis_node *any_ready(struct hg_redis *redis)
{
    HG_LIST_EACH(link, &redis->nodes)
    {
        struct hg_redis_node *node = hg_container_of(link, struct hg_redis_node, link);

        if (node->state == HG_REDIS_NODE_READY)
            return node;
    }
    return NULL;
}

static struct hg_redis_node *find_node(struct hg_redis *redis, const char *host, unsigned port)
{
    size_t count = 0;

    HG_LIST_EACH(link, &redis->nodes)
    {
        struct hg_redis_node *node = hg_container_of(link, struct hg_redis_node, link);

        count++;
        if (node->port == port && strcmp(node->socket.host, host) == 0)
            return node;
    }
    return count < NODES_MAX ? hg_redis_node_new(redis, host, port) : NULL;
}

static void route(struct hg_redis *redis, struct hg_redis_command *command)
{
    struct hg_redis_node *node = redis->seed;

    if (!redis->is_known) {
        if (redis->seed->failures > 0) {
            hg_redis_fail_later(redis, command, HG_E_BUSY, false, "the server is not reachable");
        } else if (redis->waiting_bytes + command->args.len > redis->options.output_max) {
            hg_redis_fail_later(redis, command, HG_E_BUSY, false, "too much waits for the server");
        } else {
            redis->waiting_bytes += command->args.len;
            hg_list_push_back(&redis->waiting, &command->link);
        }
        return;
    }
    if (redis->slots)
        node = command->slot < 0 ? any_ready(redis) : redis->slots[command->slot];
    if (node)
        hg_redis_node_send(node, command);
    else
        hg_redis_fail_later(redis, command, HG_E_BUSY, false,
                            "no node of the cluster serves its slot");
}

static void route_waiting(struct hg_redis *redis)
{
    struct hg_list waiting, *link;

    hg_list_init(&waiting);
    hg_list_move_all(&redis->waiting, &waiting);
    redis->waiting_bytes = 0;
    while ((link = hg_list_pop_front(&waiting)))
        route(redis, hg_container_of(link, struct hg_redis_command, link));
}

static void submit(struct hg_redis *redis, struct hg_redis_node *node,
                   struct hg_redis_command *command, struct hg_redis_op *op)
{
    command->op = op;
    op->command = command;
    if (command->args.is_overflown)
        hg_redis_fail_later(redis, command, HG_E_TOO_LARGE, false, "the command is too large");
    else if (node)
        hg_redis_node_send(node, command);
    else
        route(redis, command);
}

void hg_redis_submit(struct hg_redis *redis, struct hg_redis_command *command,
                     struct hg_redis_op *op)
{
    submit(redis, NULL, command, op);
}

void hg_redis_submit_to(struct hg_redis *redis, struct hg_redis_node *node,
                        struct hg_redis_command *command, struct hg_redis_op *op)
{
    submit(redis, node, command, op);
}

/* The slot map. */

static void take_range(struct hg_redis *redis, const struct hg_redis_node *asked,
                       const struct redisReply *range)
{
    int64_t first = hg_redis_int(hg_redis_at(range, 0)), last = hg_redis_int(hg_redis_at(range, 1));
    const struct redisReply *address = hg_redis_at(range, 2);
    struct hg_str host = hg_redis_str(hg_redis_at(address, 0));
    int64_t port = hg_redis_int(hg_redis_at(address, 1));
    char name[HG_REDIS_HOST_MAX + 1];
    struct hg_redis_node *node;

    if (first < 0 || last >= HG_REDIS_SLOTS || port <= 0 || port > 65535 ||
        host.n > HG_REDIS_HOST_MAX)
        return;
    /* A node that does not know its own address means the one it was asked at. */
    if (!host.n)
        host = hg_str_of(asked->socket.host);
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    node = find_node(redis, name, (unsigned)port);
    if (!node)
        return;
    node->is_current = true;
    for (int64_t slot = first; slot <= last; slot++)
        redis->slots[slot] = node;
}

static void take_slots(struct hg_redis *redis, const struct hg_redis_node *asked,
                       const struct redisReply *reply)
{
    if (!redis->slots)
        redis->slots = hg_calloc(HG_REDIS_SLOTS, sizeof(struct hg_redis_node *));
    memset(redis->slots, 0, HG_REDIS_SLOTS * sizeof(struct hg_redis_node *));
    HG_LIST_EACH(link, &redis->nodes)
    hg_container_of(link, struct hg_redis_node, link)->is_current = false;
    for (size_t i = 0; i < hg_redis_count(reply); i++)
        take_range(redis, asked, hg_redis_at(reply, i));
    HG_LIST_EACH(link, &redis->nodes)
    {
        struct hg_redis_node *node = hg_container_of(link, struct hg_redis_node, link);

        if (!node->is_current && node != redis->seed)
            hg_redis_node_drop(node, "the node left the cluster");
    }
}

static void set_up(struct hg_redis *redis)
{
    if (redis->is_up)
        return;
    redis->is_up = true;
    redis->options.on_state(redis->options.arg, true, HG_OK, "");
}

static void on_slots(struct hg_redis_op *op)
{
    struct hg_redis *redis = hg_container_of(op, struct hg_redis, slots_op);

    redis->is_asking_slots = false;
    if (op->rc == HG_E_BUSY) {
        if (any_ready(redis))
            hg_timer_start_ms(&redis->slots_timer, SLOTS_PAUSE_MS);
        return;
    }
    /* Every other refusal means: no cluster, or one that a proxy hides. */
    if (op->rc == HG_OK && hg_redis_count(op->reply) > 0)
        take_slots(redis, redis->slots_asked, op->reply);
    if (!redis->is_known) {
        redis->is_known = true;
        set_up(redis);
        route_waiting(redis);
    }
}

static void ask_slots(struct hg_redis *redis)
{
    struct hg_redis_node *node =
        redis->seed->state == HG_REDIS_NODE_READY ? redis->seed : any_ready(redis);
    struct hg_redis_command *command;

    if (!node || redis->is_asking_slots)
        return;
    command = hg_redis_command("CLUSTER");
    hg_redis_arg_cstr(command, "SLOTS");
    redis->is_asking_slots = true;
    redis->slots_asked = node;
    redis->slots_op.done = on_slots;
    hg_redis_submit_to(redis, node, command, &redis->slots_op);
}

static void on_slots_timer(struct hg_timer *timer)
{
    ask_slots(hg_container_of(timer, struct hg_redis, slots_timer));
}

static void ask_slots_soon(struct hg_redis *redis)
{
    if (!hg_timer_is_running(&redis->slots_timer))
        hg_timer_start_ms(&redis->slots_timer, SLOTS_PAUSE_MS);
}

void hg_redis_node_is_ready(struct hg_redis_node *node)
{
    struct hg_redis *redis = node->redis;

    if (!node->was_reached && redis->options.on_node)
        redis->options.on_node(redis->options.arg, node);
    node->was_reached = true;
    if (!redis->is_known) {
        ask_slots(redis);
        return;
    }
    if (redis->slots)
        ask_slots_soon(redis);
    set_up(redis);
}

void hg_redis_node_is_lost(struct hg_redis_node *node, enum hg_rc rc, const char *why)
{
    struct hg_redis *redis = node->redis;
    struct hg_list waiting, *link;

    if (redis->slots && any_ready(redis)) {
        ask_slots_soon(redis);
        return;
    }
    redis->is_up = false;
    redis->options.on_state(redis->options.arg, false, rc, why);
    hg_list_init(&waiting);
    hg_list_move_all(&redis->waiting, &waiting);
    redis->waiting_bytes = 0;
    while ((link = hg_list_pop_front(&waiting)))
        hg_redis_fail_later(redis, hg_container_of(link, struct hg_redis_command, link), HG_E_BUSY,
                            false, why);
}

/* Answers. */

static void follow(struct hg_redis_node *from, struct hg_redis_command *command,
                   const struct hg_redis_redirect *redirect)
{
    struct hg_redis *redis = from->redis;
    const char *host = redirect->host[0] ? redirect->host : from->socket.host;
    struct hg_redis_node *node = find_node(redis, host, redirect->port);
    struct hg_redis_command *asking;

    if (!node) {
        hg_redis_end(command, HG_E_BUSY, NULL, "the cluster has too many nodes");
        return;
    }
    if (!redirect->is_ask) {
        if (redis->slots)
            redis->slots[redirect->slot] = node;
        ask_slots_soon(redis);
    } else {
        asking = hg_redis_command("ASKING");
        asking->kind = HG_REDIS_ASKING;
        hg_redis_node_send(node, asking);
    }
    hg_redis_node_send(node, command);
}

static void answer_error(struct hg_redis_node *node, struct hg_redis_command *command,
                         struct hg_str text)
{
    enum hg_redis_fault fault = hg_redis_fault_of(text);
    struct hg_redis_redirect redirect;
    char why[HG_REDIS_WHY_MAX];

    if (fault == HG_REDIS_FAULT_NO_SCRIPT && command->script) {
        make_eval(command);
        hg_redis_node_send(node, command);
        return;
    }
    if (fault == HG_REDIS_FAULT_REDIRECT && command->redirects++ < REDIRECTS_MAX &&
        hg_redis_redirect_parse(text, &redirect)) {
        follow(node, command, &redirect);
        return;
    }
    (void)snprintf(why, sizeof(why), "%.*s", (int)HG_MIN(text.n, sizeof(why) - 1), text.p);
    hg_redis_end(command,
                 fault == HG_REDIS_FAULT_FINAL || fault == HG_REDIS_FAULT_DENIED ? HG_E_INVALID
                                                                                 : HG_E_BUSY,
                 NULL, why);
    /* Behind the same name may be another primary by now. */
    if (fault == HG_REDIS_FAULT_READONLY && node->state == HG_REDIS_NODE_READY)
        hg_redis_node_fail(node, HG_E_BUSY, why);
}

void hg_redis_answer(struct hg_redis_node *node, struct hg_redis_command *command,
                     struct redisReply *reply)
{
    if (hg_redis_is_error(reply))
        answer_error(node, command, hg_redis_str(reply));
    else
        hg_redis_end(command, HG_OK, reply, "");
    hg_redis_reply_free(reply);
}

/* Life. */

struct hg_redis *hg_redis_new(struct hg_loop *loop, const struct hg_redis_options *options,
                              struct hg_error *err)
{
    struct hg_redis *redis = hg_calloc(1, sizeof(*redis));

    redis->loop = loop;
    redis->options = *options;
    if (options->server.uses_tls) {
        redis->tls = hg_redis_tls_new(options->tls_ca, err);
        if (!redis->tls) {
            free(redis);
            return NULL;
        }
    }
    hg_list_init(&redis->nodes);
    hg_list_init(&redis->waiting);
    hg_list_init(&redis->failed);
    hg_task_init(&redis->fail_task, on_failed);
    hg_timer_init(&redis->slots_timer, loop, on_slots_timer);
    redis->seed = hg_redis_node_new(redis, options->server.host, options->server.port);
    return redis;
}

static void free_commands(struct hg_list *list)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(list)))
        hg_redis_command_free(hg_container_of(link, struct hg_redis_command, link));
}

void hg_redis_free(struct hg_redis *redis)
{
    if (!redis)
        return;
    hg_task_cancel(&redis->fail_task);
    hg_timer_stop(&redis->slots_timer);
    HG_LIST_EACH(link, &redis->nodes)
    hg_redis_node_free(hg_container_of(link, struct hg_redis_node, link));
    free_commands(&redis->waiting);
    free_commands(&redis->failed);
    hg_offload_free(redis->resolver);
    hg_redis_tls_free(redis->tls);
    free(redis->slots);
    free(redis);
}

bool hg_redis_is_up(const struct hg_redis *redis)
{
    return redis->is_up;
}

bool hg_redis_is_cluster(const struct hg_redis *redis)
{
    return redis->slots != NULL;
}

const char *hg_redis_node_name(const struct hg_redis_node *node)
{
    return node->name;
}
