/*
 * redis[s]://[[user]:password@]host[:port][/db]?stream=NAME or ?list=NAME: the
 * record is added to a stream (XADD, field "record") or to the end of a list
 * (RPUSH). A stream's entry says the condition as well; a dead letter's has
 * RequestID, ErrorCode and ErrorMessage, for which a list has no place.
 * Destinations of the same server share one client. redis.tls-ca and
 * redis.timeout of the engine's options apply.
 */
#include "core/duration.h"
#include "core/redis.h"
#include "core/uri.h"
#include "router/dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A server that destinations on one loop use; goes with the last of them. */
struct server {
    struct hg_list link; /* of servers */
    struct hg_loop *loop;
    struct hg_redis_uri uri;
    struct hg_redis *redis;
    unsigned users;
    struct hg_task end;
    bool is_denied;                 /* it refuses the credentials */
    char trouble[HG_EVENT_WHY_MAX]; /* why it cannot be used; "" when it can */
};

/* The router's loop alone uses it. */
static struct hg_list servers = {&servers, &servers};

struct destination {
    struct server *server;
    bool is_list;
    char key[HG_EVENT_TARGET_MAX + 1];
};

struct sending {
    struct hg_redis_op op;
    struct hg_dest_op *dest_op;
    const struct destination *destination;
};

static bool matches(struct hg_str target)
{
    return hg_str_starts(target, HG_STR("redis:")) || hg_str_starts(target, HG_STR("rediss:"));
}

static bool read_key(struct hg_str encoded, char key[HG_EVENT_TARGET_MAX + 1])
{
    struct hg_buf name;
    bool is_good;

    hg_buf_init(&name, HG_EVENT_TARGET_MAX);
    hg_uri_decode_form(&name, encoded);
    is_good = name.len > 0 && !name.is_overflown && hg_str_find(hg_buf_str(&name), '\0') < 0;
    if (is_good)
        (void)snprintf(key, HG_EVENT_TARGET_MAX + 1, "%.*s", HG_STR_ARG(hg_buf_str(&name)));
    hg_buf_fini(&name);
    return is_good;
}

static enum hg_rc read_target(const char *target, struct hg_redis_uri *uri,
                              struct destination *destination, struct hg_error *err)
{
    static const struct hg_str stream = {"stream=", 7}, list = {"list=", 5};
    char shown[HG_EVENT_TARGET_MAX + 1];
    enum hg_rc rc = hg_redis_uri_parse(hg_str_of(target), uri, err);

    dest_show(target, shown);
    if (rc != HG_OK) {
        hg_error_prefix(err, "%s", shown);
        return rc;
    }
    destination->is_list = hg_str_starts(uri->query, list);
    if ((!destination->is_list && !hg_str_starts(uri->query, stream)) ||
        hg_str_find(uri->query, '&') >= 0)
        return hg_error_set(err, HG_E_INVALID,
                            "%s: a Redis destination ends in ?stream=NAME or ?list=NAME", shown);
    if (!read_key(hg_str_skip(uri->query, destination->is_list ? list.n : stream.n),
                  destination->key))
        return hg_error_set(err, HG_E_INVALID, "%s: the name of the %s is empty or holds a NUL",
                            shown, destination->is_list ? "list" : "stream");
    uri->query = hg_str_n("", 0);
    return HG_OK;
}

static void on_state(void *arg, bool is_up, enum hg_rc rc, const char *why)
{
    struct server *server = arg;

    server->is_denied = !is_up && rc == HG_E_INVALID;
    (void)snprintf(server->trouble, sizeof(server->trouble), "%s", is_up ? "" : why);
}

static enum hg_rc connect_server(const struct hg_dest_context *context, struct server *server,
                                 struct hg_error *err)
{
    struct hg_redis_options options;
    char ca[4096] = "";

    hg_redis_options_init(&options, &server->uri);
    for (size_t i = 0; i < context->extra.count; i++) {
        const struct hg_kv *kv = &context->extra.items[i];

        if (hg_str_is(kv->key, "redis.tls-ca"))
            (void)snprintf(ca, sizeof(ca), "%.*s", HG_STR_ARG(kv->value));
        else if (hg_str_is(kv->key, "redis.timeout") &&
                 !hg_duration_parse(kv->value, &options.timeout_ms))
            return hg_error_set(err, HG_E_INVALID, "redis.timeout: '%.*s' is not a duration",
                                HG_STR_ARG(kv->value));
    }
    options.tls_ca = ca[0] ? ca : NULL;
    options.on_state = on_state;
    options.arg = server;
    server->redis = hg_redis_new(context->loop, &options, err);
    return server->redis ? HG_OK : HG_E_INVALID;
}

static bool is_same(const struct hg_redis_uri *a, const struct hg_redis_uri *b)
{
    return a->uses_tls == b->uses_tls && a->port == b->port && a->db == b->db &&
           strcmp(a->host, b->host) == 0 && strcmp(a->user, b->user) == 0 &&
           strcmp(a->password, b->password) == 0;
}

static struct server *join_server(const struct hg_dest_context *context,
                                  const struct hg_redis_uri *uri, struct hg_error *err)
{
    struct server *server;

    HG_LIST_EACH(link, &servers)
    {
        server = hg_container_of(link, struct server, link);
        if (server->loop == context->loop && is_same(&server->uri, uri)) {
            server->users++;
            return server;
        }
    }
    server = hg_calloc(1, sizeof(*server));
    server->loop = context->loop;
    server->uri = *uri;
    server->users = 1;
    if (connect_server(context, server, err) != HG_OK) {
        free(server);
        return NULL;
    }
    hg_list_push_back(&servers, &server->link);
    return server;
}

static void end_server(struct hg_task *task)
{
    struct server *server = hg_container_of(task, struct server, end);

    hg_redis_free(server->redis);
    free(server);
}

/* Not at once: this may be called by one of its answers. */
static void leave_server(struct server *server)
{
    if (--server->users > 0)
        return;
    hg_list_unlink(&server->link);
    hg_task_init(&server->end, end_server);
    hg_loop_defer(server->loop, &server->end);
}

static enum hg_rc bind_key(struct hg_dest *dest, const char *target, struct hg_error *err)
{
    struct destination *destination = hg_calloc(1, sizeof(*destination));
    struct hg_redis_uri uri;
    enum hg_rc rc = read_target(target, &uri, destination, err);

    if (rc == HG_OK) {
        destination->server = join_server(dest->context, &uri, err);
        rc = destination->server ? HG_OK : HG_E_INVALID;
    }
    if (rc != HG_OK) {
        free(destination);
        return rc;
    }
    dest->state = destination;
    return HG_OK;
}

static void on_sent(struct hg_redis_op *redis_op)
{
    struct sending *sending = hg_container_of(redis_op, struct sending, op);
    const struct destination *destination = sending->destination;
    const struct server *server = destination->server;
    struct hg_dest_op *op = sending->dest_op;
    struct hg_str entry = hg_redis_str(redis_op->reply);
    const char *kind = destination->is_list ? "list" : "stream";
    enum hg_rc rc = redis_op->rc;

    if (rc != HG_OK)
        dest_refuse(op, rc, rc != HG_E_BUSY || server->is_denied, "Redis %s %s: %s", kind,
                    destination->key, server->trouble[0] ? server->trouble : redis_op->why);
    else if (destination->is_list)
        dest_accept(op, "list %s length %lld", destination->key,
                    (long long)hg_redis_int(redis_op->reply));
    else
        dest_accept(op, "stream %s entry %.*s", destination->key, HG_STR_ARG(entry));
    free(sending);
}

static void add_field(struct hg_redis_command *command, const char *name, struct hg_str value)
{
    hg_redis_arg_cstr(command, name);
    hg_redis_arg(command, value.p ? value : HG_STR(""));
}

static struct hg_redis_command *command_for(const struct destination *destination,
                                            const struct hg_dest_op *op)
{
    struct hg_redis_command *command = hg_redis_command(destination->is_list ? "RPUSH" : "XADD");

    hg_redis_key(command, hg_str_of(destination->key));
    if (destination->is_list) {
        hg_redis_arg(command, op->body.p ? op->body : HG_STR(""));
        return command;
    }
    hg_redis_arg_cstr(command, "*");
    add_field(command, "record", op->body);
    if (op->role == HG_TARGET_DEAD_LETTER) {
        add_field(command, "RequestID", hg_str_of(op->event->id));
        add_field(command, "ErrorCode", hg_str_of(op->error_code));
        add_field(command, "ErrorMessage", hg_str_of(op->error_message));
    } else {
        add_field(command, "condition", hg_str_of(hg_event_condition_name(op->event->condition)));
    }
    return command;
}

static void send_record(struct hg_dest *dest, struct hg_dest_op *op)
{
    const struct destination *destination = dest->state;
    struct sending *sending = hg_calloc(1, sizeof(*sending));

    sending->op.done = on_sent;
    sending->dest_op = op;
    sending->destination = destination;
    op->state = sending;
    hg_redis_submit(destination->server->redis, command_for(destination, op), &sending->op);
}

static void cancel(struct hg_dest *dest, struct hg_dest_op *op)
{
    struct sending *sending = op->state;

    (void)dest;
    hg_redis_cancel(&sending->op);
    free(sending);
}

static void unbind_key(struct hg_dest *dest)
{
    struct destination *destination = dest->state;

    leave_server(destination->server);
    free(destination);
}

const struct hg_dest_ops hg_dest_redis = {
    .type = "redis",
    .matches = matches,
    .bind = bind_key,
    .send = send_record,
    .cancel = cancel,
    .unbind = unbind_key,
};
