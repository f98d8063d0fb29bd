/*
 * Asynchronous events a second from acceptance to the end of the handler, with
 * no HTTP in front: publishers on every loop, the embedded queue, a native
 * runtime.   router_rate [events] [parallel] [threads]
 */
#include "tests/unit/router/world.h"

static _Atomic unsigned left, published;
static unsigned threads = 2;
static const char payload[] = "\"hello\"";

struct publisher {
    struct hg_publish publish;
    struct hg_mail mail;
    struct world *world;
};

static void publish_one(struct publisher *p);

static void on_done(struct hg_publish *publish)
{
    struct publisher *p = hg_container_of(publish, struct publisher, publish);

    if (publish->rc == HG_OK)
        (void)atomic_fetch_add(&published, 1);
    else
        fprintf(stderr, "%s\n", publish->why);
    hg_event_free(publish->event);
    publish_one(p);
}

static void publish_one(struct publisher *p)
{
    unsigned before = atomic_load(&left);

    do {
        if (!before)
            return;
    } while (!atomic_compare_exchange_weak(&left, &before, before - 1));
    p->publish.event =
        hg_event_new(HG_STR("probe"), HG_STR(""), hg_blob_new(payload, sizeof(payload) - 1));
    p->publish.done = on_done;
    router_publish(p->world->router, &p->publish);
}

static void on_start(struct hg_mail *mail)
{
    publish_one(hg_container_of(mail, struct publisher, mail));
}

static bool has_finished(const struct world *w, unsigned events)
{
    const struct hg_queue_gauges *gauges = queue_gauges(w->queue);

    return atomic_load(&published) == events &&
           atomic_load(&gauges->states[HG_EVENT_QUEUED]) +
                   atomic_load(&gauges->states[HG_EVENT_RUNNING]) +
                   atomic_load(&gauges->states[HG_EVENT_RETRYING]) ==
               0;
}

int main(int argc, char **argv)
{
    unsigned events = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 100000;
    unsigned parallel = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 256;
    struct publisher *publishers = calloc(parallel, sizeof(*publishers));
    int64_t start_us, put_us = 0;
    struct world w;

    if (argc > 3)
        threads = (unsigned)strtoul(argv[3], NULL, 10);
    world_init(&w);
    w.durability = HG_DURABLE_FLUSH;
    (void)world_function(&w, "probe");
    world_start(&w, threads);
    atomic_store(&left, events);
    start_us = hg_mono_us();
    for (unsigned i = 0; i < parallel; i++) {
        publishers[i].world = &w;
        hg_mailbox_post(&w.f.loops->loops[i % threads]->mailbox, &publishers[i].mail, on_start);
    }
    while (!has_finished(&w, events)) {
        usleep(2000);
        if (!put_us && atomic_load(&published) == events)
            put_us = hg_mono_us();
    }
    put_us = put_us ? put_us : hg_mono_us();
    printf("published %.0f/s, finished %.0f/s\n", events * 1e6 / (double)(put_us - start_us),
           events * 1e6 / (double)(hg_mono_us() - start_us));
    world_stop(&w);
    world_fini(&w);
    free(publishers);
    return 0;
}
