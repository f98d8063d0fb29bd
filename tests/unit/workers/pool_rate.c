/*
 * Invocations a second of the pool alone: submitters on every loop, a native
 * runtime, no HTTP in front.   pool_rate [threads] [concurrency] [seconds]
 */
#include "tests/unit/workers/fixture.h"

#include "config/model.h"

struct client {
    struct hg_invocation inv;
    struct hg_mail mail;
    struct hg_task again;
    struct fixture *fixture;
    struct hg_loop *loop;
};

static _Atomic uint64_t finished, failed;
static _Atomic bool is_over;
static _Atomic unsigned live;
static const char *event_text = "\"hello\"";

static void submit(struct client *client)
{
    invocation_init(&client->inv, HG_INVOKE_REQUEST_MAX);
    hg_buf_append_cstr(&client->inv.payload, event_text);
    client->inv.snapshot = snapshot_ref(client->fixture->snapshot);
    client->inv.function = client->fixture->function;
    client->inv.done = NULL;
    memcpy(client->inv.invoked_arn, client->fixture->function->arn.p,
           client->fixture->function->arn.n + 1);
}

static void on_done(struct hg_invocation *inv)
{
    struct client *client = hg_container_of(inv, struct client, inv);

    atomic_fetch_add_explicit(inv->rc == HG_OK && inv->error == HG_FUNCTION_OK ? &finished
                                                                               : &failed,
                              1, memory_order_relaxed);
    invocation_fini(inv);
    if (atomic_load_explicit(&is_over, memory_order_relaxed)) {
        atomic_fetch_sub(&live, 1);
        return;
    }
    submit(client);
    client->inv.done = on_done;
    invoke_submit(client->fixture->workers, &client->inv);
}

static void on_start(struct hg_mail *mail)
{
    struct client *client = hg_container_of(mail, struct client, mail);

    submit(client);
    client->inv.done = on_done;
    invoke_submit(client->fixture->workers, &client->inv);
}

int main(int argc, char **argv)
{
    unsigned threads = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2;
    unsigned concurrency = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 32;
    unsigned seconds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 3;
    struct client *clients = calloc(concurrency, sizeof(*clients));
    struct fixture f;
    struct hg_buf health;
    struct hg_json json;
    uint64_t before;

    if (argc > 4)
        event_text = argv[4];
    fixture_init(&f);
    if (getenv("RATE_RUNTIME")) {
        f.function->runtime = hg_str_of(getenv("RATE_RUNTIME"));
        f.function->handler = HG_STR("app.handler");
        f.function->code_dir = hg_str_of(getenv("RATE_CODE"));
    }
    fixture_start(&f, threads);
    atomic_store(&live, concurrency);
    for (unsigned i = 0; i < concurrency; i++) {
        clients[i].fixture = &f;
        clients[i].loop = f.loops->loops[i % threads];
        hg_mailbox_post(&clients[i].loop->mailbox, &clients[i].mail, on_start);
    }
    sleep(1);
    before = atomic_load(&finished);
    sleep(seconds);
    printf("%llu/s, %llu failed ",
           (unsigned long long)((atomic_load(&finished) - before) / seconds),
           (unsigned long long)atomic_load(&failed));
    hg_buf_init(&health, 10000);
    json = hg_json_to(&health);
    workers_render_health(f.workers, &json);
    printf("%.*s\n", HG_STR_ARG(hg_buf_str(&health)));
    hg_buf_fini(&health);
    atomic_store(&is_over, true);
    while (atomic_load(&live))
        usleep(1000);
    fixture_stop(&f);
    free(clients);
    return 0;
}
