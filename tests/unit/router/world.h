/*
 * The router with the embedded queue and real environments: functions made by
 * hand, events that are published and looked up from the test's own thread.
 */
#ifndef HG_TESTS_ROUTER_WORLD_H
#define HG_TESTS_ROUTER_WORLD_H

#include "tests/unit/workers/fixture.h"

#include "router/router.h"

enum { WORLD_FUNCTIONS_MAX = 8, WORLD_PATIENCE_MS = 30000 };

struct world {
    struct fixture f;
    struct hg_function functions[WORLD_FUNCTIONS_MAX];
    struct hg_event_setting settings[WORLD_FUNCTIONS_MAX];
    struct hg_registry *registry;
    struct hg_event_configs *configs;
    struct hg_queue *queue;
    struct hg_router *router;
    double retry_scale, share;
    enum hg_durability durability;
    bool is_drained;
};

/* Functions are added before world_start. */
static inline struct hg_function *world_function(struct world *w, const char *name)
{
    size_t at = w->f.stack->function_count;
    struct hg_function *function = &w->functions[at];
    struct hg_arena *arena = w->f.stack->arena;
    char arn[200];

    *function = *w->f.function;
    function->name = hg_arena_str(arena, hg_str_of(name));
    snprintf(arn, sizeof(arn), "arn:aws:lambda:eu-west-1:000000000000:function:%s", name);
    function->arn = hg_arena_str(arena, hg_str_of(arn));
    w->f.stack->functions[w->f.stack->function_count++] = function;
    (void)hg_map_set(&w->f.stack->functions_by_name, function->name, function);
    return function;
}

/* The event invoke config of a function's $LATEST. */
static inline struct hg_event_setting *world_setting(struct world *w, const char *name)
{
    struct hg_event_setting *setting = &w->settings[w->f.stack->event_setting_count++];

    *setting = (struct hg_event_setting){
        .function_name = hg_arena_str(w->f.stack->arena, hg_str_of(name)),
        .qualifier = HG_STR("$LATEST"),
        .max_retries = -1,
        .max_age_s = -1,
        .on_success = HG_STR(""),
        .on_failure = HG_STR(""),
    };
    return setting;
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    fixture_init(&w->f);
    w->f.stack->functions = hg_arena_must(w->f.stack->arena, WORLD_FUNCTIONS_MAX * sizeof(void *));
    w->f.stack->function_count = 0;
    w->f.stack->event_settings = w->settings;
    w->retry_scale = 0.001;
    w->share = 0.5;
    w->durability = HG_DURABLE_OS;
}

static inline void world_die(const char *what, const struct hg_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    abort();
}

struct world_mail {
    struct hg_mail mail;
    struct world *world;
};

static inline void world_post(struct world *w, void (*deliver)(struct hg_mail *mail))
{
    struct world_mail *mail = hg_calloc(1, sizeof(*mail));

    mail->world = w;
    hg_mailbox_post(&w->f.loops->control->mailbox, &mail->mail, deliver);
}

static inline void on_world_start(struct hg_mail *mail)
{
    struct world_mail *start = hg_container_of(mail, struct world_mail, mail);

    workers_apply(start->world->f.workers, start->world->f.snapshot);
    router_start(start->world->router);
    free(start);
}

static inline void world_open(struct world *w)
{
    struct hg_error err = {""};
    struct hg_queue_options queue = {
        .uri = "embedded:",
        .data_dir = w->f.options.data_dir,
        .durability = w->durability,
        .retention_ms = 3600000,
        .history_max = 64 << 20,
        .store_max = 1ull << 30,
        .dedup_window_ms = 3600000,
    };
    struct hg_router_options options = {
        .loops = w->f.loops,
        .registry = w->registry,
        .workers = w->f.workers,
        .configs = w->configs,
        .region = "eu-west-1",
        .account = "000000000000",
        .retry_scale = w->retry_scale,
        .share = w->share,
    };

    if (queue_open(&queue, &w->queue, &err) != HG_OK)
        world_die("queue", &err);
    options.queue = w->queue;
    w->router = router_new(&options, &err);
    if (!w->router)
        world_die("router", &err);
}

static inline void world_start(struct world *w, unsigned threads)
{
    fixture_make(&w->f, threads);
    w->registry = registry_new(snapshot_ref(w->f.snapshot));
    w->configs = event_configs_open(w->registry, NULL);
    world_open(w);
    world_post(w, on_world_start);
    fixture_run(&w->f);
}

/* ---- publishing ---- */

struct world_publish {
    struct hg_publish publish;
    struct hg_mail mail;
    struct world *world;
    bool is_done;
};

static inline void on_world_published(struct hg_publish *publish)
{
    struct world_publish *p = hg_container_of(publish, struct world_publish, publish);

    pthread_mutex_lock(&p->world->f.lock);
    p->is_done = true;
    pthread_cond_broadcast(&p->world->f.changed);
    pthread_mutex_unlock(&p->world->f.lock);
}

static inline void on_world_publish(struct hg_mail *mail)
{
    struct world_publish *p = hg_container_of(mail, struct world_publish, mail);

    router_publish(p->world->router, &p->publish);
}

/* Waits until it is durable; its id to id. */
static inline void world_publish(struct world *w, const char *function, const char *payload,
                                 char id[HG_UUID_LEN + 1])
{
    struct world_publish p = {.world = w};

    p.publish.event =
        hg_event_new(hg_str_of(function), HG_STR(""), hg_blob_new(payload, strlen(payload)));
    p.publish.done = on_world_published;
    hg_mailbox_post(&w->f.loops->loops[0]->mailbox, &p.mail, on_world_publish);
    pthread_mutex_lock(&w->f.lock);
    while (!p.is_done)
        pthread_cond_wait(&w->f.changed, &w->f.lock);
    pthread_mutex_unlock(&w->f.lock);
    if (p.publish.rc != HG_OK) {
        fprintf(stderr, "publish: %s\n", p.publish.why);
        abort();
    }
    memcpy(id, p.publish.event->id, HG_UUID_LEN + 1);
    hg_event_free(p.publish.event);
}

/* ---- looking ---- */

struct world_find {
    struct hg_find_op op;
    struct hg_mail mail;
    struct world *world;
    bool is_done;
};

static inline void on_world_found(struct hg_queue_op *op)
{
    struct world_find *find =
        hg_container_of(hg_container_of(op, struct hg_find_op, base), struct world_find, op);

    pthread_mutex_lock(&find->world->f.lock);
    find->is_done = true;
    pthread_cond_broadcast(&find->world->f.changed);
    pthread_mutex_unlock(&find->world->f.lock);
}

static inline void on_world_find(struct hg_mail *mail)
{
    struct world_find *find = hg_container_of(mail, struct world_find, mail);

    queue_find(find->world->queue, &find->op);
}

/* The event as it is now; the caller frees it. */
static inline struct hg_event *world_find(struct world *w, const char *id)
{
    struct world_find find = {.world = w};

    find.op.base.done = on_world_found;
    find.op.id = id;
    find.op.max = 1;
    hg_mailbox_post(&w->f.loops->loops[0]->mailbox, &find.mail, on_world_find);
    pthread_mutex_lock(&w->f.lock);
    while (!find.is_done)
        pthread_cond_wait(&w->f.changed, &w->f.lock);
    pthread_mutex_unlock(&w->f.lock);
    if (find.op.base.rc != HG_OK)
        return NULL;
    return hg_container_of(hg_list_pop_front(&find.op.events), struct hg_event, link);
}

/* Once it has that state. */
static inline struct hg_event *world_wait(struct world *w, const char *id,
                                          enum hg_event_state state)
{
    int64_t deadline_us = hg_mono_us() + WORLD_PATIENCE_MS * 1000;

    for (;;) {
        struct hg_event *event = world_find(w, id);

        if (event && event->state == state)
            return event;
        if (hg_mono_us() > deadline_us) {
            fprintf(stderr, "event %s is %s, not %s\n", id,
                    event ? hg_event_state_name(event->state) : "nowhere",
                    hg_event_state_name(state));
            abort();
        }
        hg_event_free(event);
        usleep(2000);
    }
}

/* ---- the end ---- */

static inline void on_world_drained(void *arg)
{
    struct world *w = arg;

    pthread_mutex_lock(&w->f.lock);
    w->is_drained = true;
    pthread_cond_broadcast(&w->f.changed);
    pthread_mutex_unlock(&w->f.lock);
}

static inline void on_world_drain(struct hg_mail *mail)
{
    struct world_mail *drain = hg_container_of(mail, struct world_mail, mail);

    router_drain(drain->world->router, 300, on_world_drained, drain->world);
    free(drain);
}

/* What runs gets 300 ms. */
static inline void world_stop(struct world *w)
{
    world_post(w, on_world_drain);
    pthread_mutex_lock(&w->f.lock);
    while (!w->is_drained)
        pthread_cond_wait(&w->f.changed, &w->f.lock);
    pthread_mutex_unlock(&w->f.lock);
    fixture_halt(&w->f);
    queue_close(w->queue);
    router_free(w->router);
}

static inline void world_fini(struct world *w)
{
    event_configs_close(w->configs);
    registry_free(w->registry);
    fixture_fini(&w->f);
}

#endif
