/*
 * The router as a whole: made, started, drained, freed; what its parts look
 * up. What happens to an event is in router_run.c, router_settle.c and
 * delivery.c; which one is next, in lane.c.
 */
#include "core/clock.h"
#include "core/log.h"
#include "http/client.h"
#include "router/parts.h"

#include <stdlib.h>

enum {
    SWEEP_MS = 10000,
    DEST_IDLE_US = 60000000,
    /* After what runs was taken back: for the queue to store that. */
    LAST_SETTLES_US = 5000000,
};

static void on_sweep(struct hg_timer *timer);
static void on_drain_timer(struct hg_timer *timer);

struct hg_router *router_new(const struct hg_router_options *options, struct hg_error *err)
{
    struct hg_router *router;
    struct hg_http_client_options http = {.loop = options->loops->control};
    struct hg_http_client *client = http_client_new(&http, err);

    if (!client)
        return NULL;
    router = hg_calloc(1, sizeof(*router));
    router->options = *options;
    router->loop = options->loops->control;
    router->context = (struct hg_dest_context){
        .loop = router->loop,
        .http = client,
        .region = options->region,
        .account = options->account,
        .extra = options->extra,
        .router = router,
    };
    hg_map_init(&router->dests);
    metrics_init(&router->metrics);
    lanes_init(router);
    settles_init(router);
    hg_list_init(&router->charges);
    hg_timer_init(&router->sweep, router->loop, on_sweep);
    hg_timer_init(&router->drain_timer, router->loop, on_drain_timer);
    return router;
}

void router_start(struct hg_router *router)
{
    const struct hg_queue_listener listener = {router->loop, lanes_on_ready, router};

    hg_assert(!router->is_started);
    router->is_started = true;
    hg_timer_start_ms(&router->sweep, SWEEP_MS);
    queue_listen(router->options.queue, &listener);
}

static void on_sweep(struct hg_timer *timer)
{
    struct hg_router *router = hg_container_of(timer, struct hg_router, sweep);

    lanes_sweep(router);
    dests_sweep(router, hg_mono_us() - DEST_IDLE_US);
    hg_timer_start_ms(&router->sweep, SWEEP_MS);
}

/* ---- look-ups ---- */

const struct hg_function *router_find_function(struct hg_router *router, struct hg_str name,
                                               struct hg_str qualifier)
{
    uint64_t version = registry_version(router->options.registry);

    if (!router->snapshot || version != router->snapshot_version) {
        snapshot_unref(router->snapshot);
        router->snapshot = registry_current(router->options.registry);
        router->snapshot_version = version;
    }
    return snapshot_find_function(router->snapshot, name, qualifier);
}

bool router_find_config(struct hg_router *router, const struct hg_event *event,
                        struct hg_event_config *config)
{
    return event_configs_find(router->options.configs, hg_str_of(event->function),
                              hg_str_of(event->qualifier), config);
}

void router_note(const struct hg_router *router, enum hg_minute_metric metric,
                 const struct hg_event *event, double value)
{
    const struct hg_minute_subject subject = {.function = hg_str_of(event->function),
                                              .qualifier = hg_str_of(event->qualifier)};

    minutes_note(workers_minutes(router->options.workers), metric, &subject, hg_steady_ms(), value);
}

double router_random(void)
{
    return (double)(hg_random_u64() >> 11) * 0x1p-53;
}

/* ---- the end ---- */

void router_look_drained(struct hg_router *router)
{
    if (!router->is_draining || router->is_drained)
        return;
    if (hg_list_empty(&router->charges) && !router->leasing && !router->publishing)
        hg_timer_start_us(&router->drain_timer, 0);
}

static void end_drain(struct hg_router *router)
{
    router->is_drained = true;
    hg_timer_stop(&router->poll);
    hg_timer_stop(&router->sweep);
    hg_timer_stop(&router->settle_again);
    router->drained(router->drained_arg);
}

static void cancel_all(struct hg_router *router)
{
    HG_LIST_EACH(link, &router->charges)
    {
        struct hg_charge *charge = hg_container_of(link, struct hg_charge, all);

        if (charge->state == HG_CHARGE_RUNNING)
            run_cancel(charge);
        else if (charge->state == HG_CHARGE_DELIVERING)
            delivery_cancel(charge);
    }
}

static void on_drain_timer(struct hg_timer *timer)
{
    struct hg_router *router = hg_container_of(timer, struct hg_router, drain_timer);
    int64_t now = hg_mono_us();

    if (hg_list_empty(&router->charges) && !router->leasing && !router->publishing) {
        end_drain(router);
        return;
    }
    if (now >= router->abandon_at_us) {
        hg_warn("events_left_leased", "count=%u the queue did not take them back; they run again",
                router->at_hand);
        end_drain(router);
        return;
    }
    if (now >= router->cancel_at_us) {
        router->cancel_at_us = INT64_MAX;
        cancel_all(router);
    }
    hg_timer_start_us(timer, HG_MIN(router->cancel_at_us, router->abandon_at_us) - now);
}

void router_drain(struct hg_router *router, int64_t timeout_ms, void (*done)(void *arg), void *arg)
{
    hg_assert(!router->is_draining);
    router->is_draining = true;
    router->drained = done;
    router->drained_arg = arg;
    router->cancel_at_us = hg_mono_us() + timeout_ms * 1000;
    router->abandon_at_us = router->cancel_at_us + LAST_SETTLES_US;
    lanes_give_back(router);
    hg_timer_start_us(&router->drain_timer, 0);
}

static void abandon_all(struct hg_router *router)
{
    HG_LIST_EACH(link, &router->charges)
    {
        struct hg_charge *charge = hg_container_of(link, struct hg_charge, all);

        if (charge->state == HG_CHARGE_RUNNING)
            run_abandon(charge);
        else if (charge->state == HG_CHARGE_DELIVERING)
            delivery_abandon(charge);
        charge_free(charge);
    }
}

void router_free(struct hg_router *router)
{
    if (!router)
        return;
    router->is_closed = router->is_draining = router->is_drained = true;
    /* What the queue ended when it was closed. */
    hg_mailbox_deliver(&router->loop->mailbox);
    abandon_all(router);
    lanes_fini(router);
    dests_sweep(router, INT64_MAX);
    hg_map_fini(&router->dests);
    hg_timer_stop(&router->sweep);
    hg_timer_stop(&router->drain_timer);
    hg_timer_stop(&router->settle_again);
    http_client_free(router->context.http);
    snapshot_unref(router->snapshot);
    metrics_fini(&router->metrics);
    free(router);
}

void router_render_metrics(struct hg_router *router, struct hg_buf *out)
{
    metrics_render(&router->metrics, out);
}
