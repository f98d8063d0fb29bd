/*
 * One server: reached, greeted, talked to in pipelines, and reached again with
 * growing pauses when it goes. Decides nothing about where commands belong.
 */
#include "core/redis_client.h"

#include "core/clock.h"
#include "core/id.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    READ_SIZE = 16 << 10,    /* hiredis moves what is left of its buffer after each reply */
    READ_TURN_MAX = 1 << 20, /* bytes of one turn, so that other nodes and timers get theirs */
    OUT_KEEP = 256 << 10,
    OUT_EXTRA = 1 << 20, /* above output_max: the client's own commands */
    FRAME_MAX = 16,      /* of the count in front of the arguments */
    RETRY_FIRST_MS = 50,
    RETRY_MAX_MS = 5000,
};

struct resolve_job {
    struct hg_job job;
    struct hg_redis_node *node; /* NULL: not wanted any more */
    char host[HG_REDIS_HOST_MAX + 1];
    char port[8];
    struct addrinfo *found;
    int error;
};

static bool is_connecting(const struct hg_redis_node *node)
{
    return node->state == HG_REDIS_NODE_RESOLVING || node->state == HG_REDIS_NODE_OPENING ||
           node->state == HG_REDIS_NODE_GREETING;
}

static void end_all(struct hg_list *list, bool was_sent, const char *why)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(list))) {
        struct hg_redis_command *command = hg_container_of(link, struct hg_redis_command, link);

        command->was_sent = was_sent;
        hg_redis_end(command, HG_E_BUSY, NULL, why);
    }
}

/* Between half and all of the doubled pause, so that many clients do not come back at once. */
static int64_t retry_pause_ms(unsigned failures)
{
    int64_t pause = RETRY_FIRST_MS;

    while (--failures > 0 && pause < RETRY_MAX_MS)
        pause *= 2;
    pause = HG_MIN(pause, (int64_t)RETRY_MAX_MS);
    return pause / 2 + (int64_t)(hg_random_u64() % (uint64_t)(pause / 2 + 1));
}

static void disconnect(struct hg_redis_node *node)
{
    hg_redis_socket_close(&node->socket);
    hg_redis_reader_free(node->reader);
    node->reader = NULL;
    hg_buf_clear(&node->out, 0);
    hg_task_cancel(&node->flush);
    hg_timer_stop(&node->deadline);
    hg_timer_stop(&node->retry);
    if (node->resolving)
        node->resolving->node = NULL;
    node->resolving = NULL;
    node->unconfirmed = 0;
    node->pending_bytes = 0;
}

void hg_redis_node_fail(struct hg_redis_node *node, enum hg_rc rc, const char *why)
{
    struct hg_list sent, queued;
    char sentence[HG_REDIS_WHY_MAX + sizeof(node->name) + 8];

    (void)snprintf(sentence, sizeof(sentence), "%s: %s", node->name, why);
    disconnect(node);
    hg_list_init(&sent);
    hg_list_init(&queued);
    hg_list_move_all(&node->held, &sent);
    hg_list_move_all(&node->sent, &sent);
    hg_list_move_all(&node->queued, &queued);
    node->state = HG_REDIS_NODE_WAITING;
    node->failures++;
    hg_timer_start_ms(&node->retry, retry_pause_ms(node->failures));
    hg_redis_node_is_lost(node, rc, sentence);
    end_all(&sent, true, sentence);
    end_all(&queued, false, sentence);
}

static void append(struct hg_redis_node *node, struct hg_redis_command *command)
{
    int64_t timeout_ms =
        command->timeout_ms ? command->timeout_ms : node->redis->options.timeout_ms;

    (void)hg_buf_printf(&node->out, "*%u\r\n", command->arg_count);
    (void)hg_buf_append_str(&node->out, hg_buf_str(&command->args));
    command->deadline_us = hg_mono_us() + timeout_ms * 1000;
    hg_list_push_back(&node->sent, &command->link);
    if (!hg_timer_is_running(&node->deadline))
        hg_timer_start_ms(&node->deadline, timeout_ms);
    hg_loop_defer(node->redis->loop, &node->flush);
}

static void transmit(struct hg_redis_node *node, struct hg_redis_command *command)
{
    append(node, command);
    if (command->wants_replicas && node->redis->options.replicas > 0)
        node->unconfirmed++;
}

static size_t cost_of(const struct hg_redis_command *command)
{
    return command->args.len + FRAME_MAX;
}

void hg_redis_node_send(struct hg_redis_node *node, struct hg_redis_command *command)
{
    const struct hg_redis_options *options = &node->redis->options;
    bool is_ready = node->state == HG_REDIS_NODE_READY;

    if (!is_ready && (!is_connecting(node) || node->failures > 0)) {
        hg_redis_fail_later(node->redis, command, HG_E_BUSY, false, "the server is not reachable");
    } else if (node->pending_bytes + cost_of(command) > options->output_max) {
        hg_redis_fail_later(node->redis, command, HG_E_BUSY, false,
                            "too much waits for the server");
    } else {
        node->pending_bytes += cost_of(command);
        if (is_ready)
            transmit(node, command);
        else
            hg_list_push_back(&node->queued, &command->link);
    }
}

static void write_out(struct hg_redis_node *node)
{
    while (node->out.len > 0) {
        ssize_t n = hg_redis_socket_write(&node->socket, hg_buf_str(&node->out).p, node->out.len);

        if (n < 0) {
            hg_redis_node_fail(node, HG_E_BUSY, node->socket.why);
            return;
        }
        if (n == 0) {
            hg_redis_socket_want_write(&node->socket, true);
            return;
        }
        hg_buf_consume(&node->out, (size_t)n);
    }
    hg_buf_clear(&node->out, OUT_KEEP);
    hg_redis_socket_want_write(&node->socket, false);
}

/* One WAIT for all of a turn: it blocks what comes behind it until the replicas have what came before. */
static void append_wait(struct hg_redis_node *node)
{
    const struct hg_redis_options *options = &node->redis->options;
    struct hg_redis_command *wait = hg_redis_command("WAIT");

    hg_redis_arg_i64(wait, options->replicas);
    hg_redis_arg_i64(wait, options->replicas_timeout_ms);
    wait->kind = HG_REDIS_WAIT;
    wait->timeout_ms = options->timeout_ms + options->replicas_timeout_ms;
    append(node, wait);
    node->unconfirmed = 0;
}

static void on_flush(struct hg_task *task)
{
    struct hg_redis_node *node = hg_container_of(task, struct hg_redis_node, flush);

    if (node->unconfirmed)
        append_wait(node);
    if (node->out.is_overflown)
        hg_redis_node_fail(node, HG_E_BUSY, "too much waits for the server");
    else
        write_out(node);
}

static void greet_with(struct hg_redis_node *node, struct hg_redis_command *command,
                       enum hg_redis_kind kind)
{
    command->kind = kind;
    node->greetings++;
    append(node, command);
}

static void on_open(struct hg_redis_socket *socket)
{
    struct hg_redis_node *node = hg_container_of(socket, struct hg_redis_node, socket);
    const struct hg_redis_options *options = &node->redis->options;
    struct hg_redis_command *command;

    node->state = HG_REDIS_NODE_GREETING;
    node->reader = hg_redis_reader_new();
    node->greetings = 0;
    if (options->server.password[0]) {
        command = hg_redis_command("AUTH");
        if (options->server.user[0])
            hg_redis_arg_cstr(command, options->server.user);
        hg_redis_arg_cstr(command, options->server.password);
        greet_with(node, command, HG_REDIS_GREETING);
    }
    if (options->server.db) {
        command = hg_redis_command("SELECT");
        hg_redis_arg_i64(command, options->server.db);
        greet_with(node, command, HG_REDIS_GREETING);
    }
    for (size_t i = 0; i < options->script_count; i++) {
        command = hg_redis_command("SCRIPT");
        hg_redis_arg_cstr(command, "LOAD");
        hg_redis_arg_cstr(command, options->scripts[i].text);
        greet_with(node, command, HG_REDIS_LOAD);
    }
    /* Last, because it tells whether the server is loading its data or wants a password. */
    greet_with(node, hg_redis_command("PING"), HG_REDIS_GREETING);
    hg_timer_start_ms(&node->deadline, options->connect_timeout_ms);
}

static void become_ready(struct hg_redis_node *node)
{
    struct hg_list queued, *link;

    node->state = HG_REDIS_NODE_READY;
    node->failures = 0;
    hg_timer_stop(&node->deadline);
    hg_list_init(&queued);
    hg_list_move_all(&node->queued, &queued);
    while ((link = hg_list_pop_front(&queued)))
        transmit(node, hg_container_of(link, struct hg_redis_command, link));
    hg_redis_node_is_ready(node);
}

static void on_greeting_reply(struct hg_redis_node *node, struct hg_redis_command *command,
                              const struct redisReply *reply)
{
    struct hg_str text = hg_redis_str(reply);
    char why[HG_REDIS_WHY_MAX];

    if (command->kind == HG_REDIS_LOAD || !hg_redis_is_error(reply)) {
        if (--node->greetings == 0)
            become_ready(node);
        return;
    }
    (void)snprintf(why, sizeof(why), "%.*s", (int)HG_MIN(text.n, sizeof(why) - 1), text.p);
    hg_redis_node_fail(
        node, hg_redis_fault_of(text) == HG_REDIS_FAULT_NOT_NOW ? HG_E_BUSY : HG_E_INVALID, why);
}

static void on_wait_reply(struct hg_redis_node *node, const struct redisReply *reply)
{
    int64_t got = hg_redis_is_error(reply) ? 0 : hg_redis_int(reply);
    unsigned wanted = node->redis->options.replicas;
    char why[HG_REDIS_WHY_MAX] = "";
    struct hg_list held, *link;

    if (got < wanted)
        (void)snprintf(why, sizeof(why), "%lld of %u replicas have it", (long long)got, wanted);
    hg_list_init(&held);
    hg_list_move_all(&node->held, &held);
    while ((link = hg_list_pop_front(&held))) {
        struct hg_redis_command *command = hg_container_of(link, struct hg_redis_command, link);

        command->was_sent = true;
        if (got < wanted)
            hg_redis_end(command, HG_E_BUSY, NULL, why);
        else
            hg_redis_end(command, HG_OK, command->answer, "");
    }
}

static void on_user_reply(struct hg_redis_node *node, struct hg_redis_command *command,
                          struct redisReply *reply)
{
    node->pending_bytes -= cost_of(command);
    if (command->wants_replicas && node->redis->options.replicas > 0 && !hg_redis_is_error(reply)) {
        command->answer = reply;
        hg_list_push_back(&node->held, &command->link);
        return;
    }
    hg_redis_answer(node, command, reply);
}

/* Takes the reply. False when the server sent one that nobody asked for. */
static bool take_reply(struct hg_redis_node *node, struct redisReply *reply)
{
    struct hg_list *link = hg_list_pop_front(&node->sent);
    struct hg_redis_command *command;

    if (!link) {
        hg_redis_reply_free(reply);
        return false;
    }
    command = hg_container_of(link, struct hg_redis_command, link);
    switch (command->kind) {
    case HG_REDIS_USER:
        on_user_reply(node, command, reply);
        return true;
    case HG_REDIS_GREETING:
    case HG_REDIS_LOAD:
        on_greeting_reply(node, command, reply);
        break;
    case HG_REDIS_WAIT:
        on_wait_reply(node, reply);
        break;
    case HG_REDIS_ASKING:
        node->pending_bytes -= cost_of(command);
        break;
    }
    hg_redis_command_free(command);
    hg_redis_reply_free(reply);
    return true;
}

/* False when the connection ended meanwhile. */
static bool take_replies(struct hg_redis_node *node)
{
    struct redisReader *reader = node->reader;
    char why[HG_REDIS_WHY_MAX];
    struct redisReply *reply;

    /* Another reader, or none: a callback made the connection end. */
    while (node->reader == reader) {
        if (!hg_redis_reader_next(reader, &reply, why)) {
            hg_redis_node_fail(node, HG_E_BUSY, why);
            return false;
        }
        if (!reply)
            return true;
        if (!take_reply(node, reply)) {
            hg_redis_node_fail(node, HG_E_BUSY, "it sent an answer to no question");
            return false;
        }
    }
    return false;
}

static void on_ready(struct hg_redis_socket *socket)
{
    struct hg_redis_node *node = hg_container_of(socket, struct hg_redis_node, socket);
    char bytes[READ_SIZE], why[HG_REDIS_WHY_MAX];
    size_t total = 0;
    ssize_t n;

    while ((n = hg_redis_socket_read(socket, bytes, sizeof(bytes))) != 0) {
        if (n < 0) {
            hg_redis_node_fail(node, HG_E_BUSY, socket->why);
            return;
        }
        total += (size_t)n;
        if (!hg_redis_reader_feed(node->reader, bytes, (size_t)n, node->redis->options.reply_max,
                                  why)) {
            hg_redis_node_fail(node, HG_E_BUSY, why);
            return;
        }
        if (!take_replies(node))
            return;
        if ((size_t)n < sizeof(bytes) && !socket->ssl)
            break;
        if (total >= READ_TURN_MAX) {
            hg_redis_socket_read_again(socket);
            break;
        }
    }
    write_out(node);
}

static void on_socket_failed(struct hg_redis_socket *socket, const char *why)
{
    char copy[HG_REDIS_WHY_MAX];

    (void)snprintf(copy, sizeof(copy), "%s", why);
    hg_redis_node_fail(hg_container_of(socket, struct hg_redis_node, socket), HG_E_BUSY, copy);
}

static void on_deadline(struct hg_timer *timer)
{
    struct hg_redis_node *node = hg_container_of(timer, struct hg_redis_node, deadline);
    struct hg_redis_command *oldest;
    int64_t left_us;

    if (is_connecting(node)) {
        hg_redis_node_fail(node, HG_E_BUSY, "no connection within the time allowed");
        return;
    }
    if (hg_list_empty(&node->sent))
        return;
    oldest = hg_container_of(node->sent.next, struct hg_redis_command, link);
    left_us = oldest->deadline_us - hg_mono_us();
    if (left_us <= 0)
        hg_redis_node_fail(node, HG_E_BUSY, "no answer within the time allowed");
    else
        hg_timer_start_us(timer, left_us);
}

static void connect_to(struct hg_redis_node *node, const struct addrinfo *found)
{
    struct hg_redis_socket *socket = &node->socket;

    socket->address_count = 0;
    for (; found && socket->address_count < HG_REDIS_ADDRESSES_MAX; found = found->ai_next) {
        memcpy(&socket->addresses[socket->address_count], found->ai_addr, found->ai_addrlen);
        socket->lengths[socket->address_count++] = found->ai_addrlen;
    }
    node->state = HG_REDIS_NODE_OPENING;
    hg_redis_socket_connect(socket);
}

static int look_up(const char *host, const char *port, int flags, struct addrinfo **found)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};

    return getaddrinfo(host, port, &hints, found);
}

static void resolve(struct hg_job *job)
{
    struct resolve_job *resolving = hg_container_of(job, struct resolve_job, job);

    resolving->error = look_up(resolving->host, resolving->port, AI_ADDRCONFIG, &resolving->found);
}

static void on_resolved(struct hg_job *job)
{
    struct resolve_job *resolving = hg_container_of(job, struct resolve_job, job);
    struct hg_redis_node *node = resolving->node;

    if (node) {
        node->resolving = NULL;
        if (resolving->error)
            hg_redis_node_fail(node, HG_E_BUSY, gai_strerror(resolving->error));
        else
            connect_to(node, resolving->found);
    }
    if (resolving->found)
        freeaddrinfo(resolving->found);
    free(resolving);
}

static void begin(struct hg_redis_node *node)
{
    struct hg_redis *redis = node->redis;
    struct addrinfo *found = NULL;
    struct resolve_job *resolving;
    char port[8];

    (void)snprintf(port, sizeof(port), "%u", node->port % 65536);
    hg_timer_start_ms(&node->deadline, redis->options.connect_timeout_ms);
    if (look_up(node->socket.host, port, AI_NUMERICHOST, &found) == 0) {
        connect_to(node, found);
        freeaddrinfo(found);
        return;
    }
    node->state = HG_REDIS_NODE_RESOLVING;
    if (!redis->resolver)
        redis->resolver = hg_offload_new("redis-names", 1);
    node->resolving = resolving = hg_calloc(1, sizeof(*resolving));
    resolving->node = node;
    resolving->job.work = resolve;
    resolving->job.done = on_resolved;
    memcpy(resolving->host, node->socket.host, sizeof(resolving->host));
    memcpy(resolving->port, port, sizeof(port));
    hg_offload_submit(redis->resolver, redis->loop, &resolving->job);
}

static void on_retry(struct hg_timer *timer)
{
    begin(hg_container_of(timer, struct hg_redis_node, retry));
}

struct hg_redis_node *hg_redis_node_new(struct hg_redis *redis, const char *host, unsigned port)
{
    struct hg_redis_node *node = hg_calloc(1, sizeof(*node));

    node->redis = redis;
    node->port = port;
    hg_redis_socket_init(&node->socket, redis->loop, redis->tls);
    (void)snprintf(node->socket.host, sizeof(node->socket.host), "%s", host);
    (void)snprintf(node->name, sizeof(node->name), "%s:%u", host, port % 65536);
    node->socket.on_open = on_open;
    node->socket.on_ready = on_ready;
    node->socket.on_failed = on_socket_failed;
    hg_buf_init(&node->out, redis->options.output_max + OUT_EXTRA);
    hg_list_init(&node->queued);
    hg_list_init(&node->sent);
    hg_list_init(&node->held);
    hg_task_init(&node->flush, on_flush);
    hg_timer_init(&node->deadline, redis->loop, on_deadline);
    hg_timer_init(&node->retry, redis->loop, on_retry);
    hg_list_push_back(&redis->nodes, &node->link);
    /* Not inside this call: a refused connection would be told before the caller has the client. */
    node->state = HG_REDIS_NODE_OPENING;
    hg_timer_start_ms(&node->retry, 0);
    return node;
}

static void free_list(struct hg_list *list)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(list)))
        hg_redis_command_free(hg_container_of(link, struct hg_redis_command, link));
}

void hg_redis_node_free(struct hg_redis_node *node)
{
    disconnect(node);
    hg_list_unlink(&node->link);
    free_list(&node->queued);
    free_list(&node->sent);
    free_list(&node->held);
    hg_buf_fini(&node->out);
    free(node);
}

static void on_buried(struct hg_grave *grave)
{
    hg_redis_node_free(hg_container_of(grave, struct hg_redis_node, grave));
}

void hg_redis_node_drop(struct hg_redis_node *node, const char *why)
{
    struct hg_list dropped, *link;

    disconnect(node);
    node->state = HG_REDIS_NODE_DEAD;
    hg_list_unlink(&node->link);
    hg_list_init(&dropped);
    hg_list_move_all(&node->held, &dropped);
    hg_list_move_all(&node->sent, &dropped);
    hg_list_move_all(&node->queued, &dropped);
    while ((link = hg_list_pop_front(&dropped)))
        hg_redis_fail_later(node->redis, hg_container_of(link, struct hg_redis_command, link),
                            HG_E_BUSY, true, why);
    hg_loop_bury(node->redis->loop, &node->grave, on_buried);
}
