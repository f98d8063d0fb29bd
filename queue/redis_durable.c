/*
 * Whether a server keeps what it acknowledged: read from each node when it is
 * first reached, and said precisely when it may not.
 */
#include "queue/redis_engine.h"

#include "core/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WARNINGS_MAX = 2048 };

static bool is(const char *text, const char *word)
{
    return strcmp(text, word) == 0;
}

static void warn_of_crashes(const struct redis_persistence *p, struct hg_buf *out)
{
    if (is(p->appendonly, "no") && p->save[0])
        (void)hg_buf_printf(out,
                            "appendonly is no: events acknowledged since the last snapshot "
                            "(save \"%s\") are lost when the server crashes; set appendonly yes; ",
                            p->save);
    else if (is(p->appendonly, "no"))
        (void)hg_buf_append_cstr(
            out, "appendonly is no and there are no snapshots: all events are lost when the "
                 "server ends; set appendonly yes; ");
    else if (is(p->appendfsync, "everysec"))
        (void)hg_buf_append_cstr(
            out, "appendfsync is everysec: about the last second of acknowledged events is lost "
                 "when its machine crashes; set appendfsync always; ");
    else if (is(p->appendfsync, "no"))
        (void)hg_buf_append_cstr(
            out, "appendfsync is no: acknowledged events of the last tens of seconds are lost "
                 "when its machine crashes; set appendfsync always; ");
}

void redis_persistence_warn(const struct redis_persistence *p, struct hg_buf *out)
{
    if (!p->appendonly[0])
        (void)hg_buf_append_cstr(out, "it does not tell its settings (CONFIG GET is refused): "
                                      "whether acknowledged events survive a crash is unknown; ");
    warn_of_crashes(p, out);
    if (p->policy[0] && !is(p->policy, "noeviction"))
        (void)hg_buf_printf(
            out,
            "maxmemory-policy is %s%s: events may be evicted; set maxmemory-policy noeviction; ",
            p->policy, is(p->maxmemory, "0") ? " (without effect while maxmemory is 0)" : "");
}

struct check {
    struct redis_request request;
    char node[HG_REDIS_HOST_MAX + 8];
    unsigned left;
    struct redis_persistence found;
    struct hg_redis_op ops[5];
};

static void report(struct check *check)
{
    struct hg_buf text;

    hg_buf_init(&text, WARNINGS_MAX);
    redis_persistence_warn(&check->found, &text);
    if (text.len > 2) {
        struct hg_str said = hg_buf_str(&text);

        hg_warn("redis_may_lose_events", "server=%s %.*s", check->node, (int)said.n - 2, said.p);
    }
    hg_buf_fini(&text);
}

static void on_answer(struct check *check, const struct hg_redis_op *op, char *to, size_t size)
{
    struct hg_str value = hg_redis_str(hg_redis_at(op->reply, 1));

    (void)snprintf(to, size, "%.*s", (int)HG_MIN(value.n, size - 1), value.p);
    if (--check->left > 0)
        return;
    if (op->rc != HG_E_BUSY)
        report(check);
    redis_request_free(&check->request);
}

#define ANSWER(index, field) \
    static void on_##field(struct hg_redis_op *op) \
    { \
        struct check *check = hg_container_of(op, struct check, ops[index]); \
        on_answer(check, op, check->found.field, sizeof(check->found.field)); \
    }
ANSWER(0, appendonly)
ANSWER(1, appendfsync)
ANSWER(2, save)
ANSWER(3, maxmemory)
ANSWER(4, policy)
#undef ANSWER

void redis_check_node(struct redis_engine *engine, struct hg_redis_node *node)
{
    static const struct {
        const char *name;
        void (*done)(struct hg_redis_op *op);
    } settings[] = {{"appendonly", on_appendonly},
                    {"appendfsync", on_appendfsync},
                    {"save", on_save},
                    {"maxmemory", on_maxmemory},
                    {"maxmemory-policy", on_policy}};
    struct check *check = redis_request_new(engine, sizeof(*check), NULL, NULL);

    (void)snprintf(check->node, sizeof(check->node), "%s", hg_redis_node_name(node));
    check->left = HG_COUNT(settings);
    for (size_t i = 0; i < HG_COUNT(settings); i++) {
        struct hg_redis_command *command = hg_redis_command("CONFIG");

        hg_redis_arg_cstr(command, "GET");
        hg_redis_arg_cstr(command, settings[i].name);
        check->ops[i].done = settings[i].done;
        hg_redis_submit_to(engine->redis, node, command, &check->ops[i]);
    }
}
