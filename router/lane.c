/*
 * Whose turn it is. Lanes that may have something to do stand in a row; each
 * begins what it has room for and leases what it will soon have room for, and
 * leaves the row. One without room waits among the blocked ones, for an end of
 * its own, for one of another lane, or for the next look.
 */
#include "router/lane_credit.h"

#include "core/clock.h"
#include "core/log.h"
#include "router/parts.h"

#include <stdlib.h>

enum {
    AT_HAND_MAX = 8192,           /* leased events in all … */
    AT_HAND_BYTES_MAX = 64 << 20, /* … and their bytes */
    LANE_BYTES_MAX = 4 << 20,     /* what one lane leases ahead */
    DELIVERIES_MAX = 32,          /* of one function to one target at a time */
    POLL_MS = 20,                 /* blocked lanes look for room */
    POLLED_MAX = 64,              /* at so many a time */
    HOLD_US = 500000,             /* after a failed lease */
    WINDOW_US = 20000,            /* of the rate */
    WINDOW_FORGET_US = 1000000,   /* a rate that is older says nothing */
    IDLE_US = 60000000,
    FIRST_LEASE_US = 5000,
};

static void on_pump(struct hg_task *task);
static void on_poll(struct hg_timer *timer);

void lanes_init(struct hg_router *router)
{
    hg_map_init(&router->lanes);
    hg_list_init(&router->turns);
    hg_list_init(&router->blocked);
    hg_task_init(&router->pump, on_pump);
    hg_timer_init(&router->poll, router->loop, on_poll);
}

void lanes_fini(struct hg_router *router)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&router->lanes, &at));)
        free(entry->value);
    hg_map_fini(&router->lanes);
    hg_task_cancel(&router->pump);
    hg_timer_stop(&router->poll);
}

static struct hg_lane *lane_of(struct hg_router *router, const char *function, const char *channel)
{
    char key[HG_EVENT_FUNCTION_MAX + HG_EVENT_TARGET_MAX + 2];
    size_t function_length = strlen(function), channel_length = strlen(channel);
    size_t length = function_length + 1 + channel_length;
    struct hg_lane *lane;
    char *text;

    hg_assert(length < sizeof(key));
    memcpy(key, function, function_length + 1);
    memcpy(key + function_length + 1, channel, channel_length + 1);
    lane = hg_map_get(&router->lanes, hg_str_n(key, length));
    if (lane)
        return lane;
    lane = hg_calloc(1, sizeof(*lane) + length + 1);
    text = (char *)(lane + 1);
    memcpy(text, key, length + 1);
    lane->router = router;
    lane->key = hg_str_n(text, length);
    lane->function = text;
    lane->channel = text + function_length + 1;
    lane->counts = metrics_of(&router->metrics, function);
    lane->lease_us = FIRST_LEASE_US;
    lane->used_us = hg_mono_us();
    hg_list_init(&lane->turn);
    hg_list_init(&lane->buffered);
    (void)hg_map_set(&router->lanes, lane->key, lane);
    return lane;
}

void lane_wake(struct hg_lane *lane)
{
    struct hg_router *router = lane->router;

    hg_list_unlink(&lane->turn);
    hg_list_push_back(&router->turns, &lane->turn);
    hg_loop_defer(router->loop, &router->pump);
}

void lanes_wake_one(struct hg_router *router)
{
    struct hg_list *link = router->blocked.next;

    if (link != &router->blocked)
        lane_wake(hg_container_of(link, struct hg_lane, turn));
}

static void block(struct hg_lane *lane)
{
    hg_list_unlink(&lane->turn);
    hg_list_push_back(&lane->router->blocked, &lane->turn);
    if (!hg_timer_is_running(&lane->router->poll))
        hg_timer_start_ms(&lane->router->poll, POLL_MS);
}

static void on_poll(struct hg_timer *timer)
{
    struct hg_router *router = hg_container_of(timer, struct hg_router, poll);

    for (unsigned i = 0; i < POLLED_MAX; i++)
        lanes_wake_one(router);
}

void lanes_on_ready(void *arg, const char *function, const char *channel)
{
    struct hg_router *router = arg;
    struct hg_lane *lane;

    if (router->is_draining)
        return;
    lane = lane_of(router, function, channel);
    lane->is_ready = true;
    lane->was_told = lane->is_leasing;
    lane->used_us = hg_mono_us();
    lane_wake(lane);
}

/* ---- what there is room for ---- */

static unsigned room_of(struct hg_lane *lane)
{
    struct hg_router *router = lane->router;
    const struct hg_function *function;
    struct hg_room room;

    if (lane->channel[0])
        return lane->running < DELIVERIES_MAX ? DELIVERIES_MAX - lane->running : 0;
    function = router_find_function(router, hg_str_of(lane->function), hg_str_n(NULL, 0));
    /* One that does not exist or may not run takes no room: its events end at once. */
    if (!function || function->reserved_concurrency == 0)
        return DELIVERIES_MAX;
    workers_room(router->options.workers, function, &room);
    return credit_runs(&room, router->options.share, load_is_busy(&router->load), lane->running,
                       router->together);
}

void lane_note_end(struct hg_lane *lane)
{
    int64_t now = hg_mono_us(), passed = now - lane->window_us;

    lane->ended++;
    if (passed < WINDOW_US)
        return;
    if (passed < WINDOW_FORGET_US)
        lane->per_second = (lane->per_second + lane->ended * 1e6 / (double)passed) / 2;
    else
        lane->per_second = 0;
    lane->ended = 0;
    lane->window_us = now;
}

/* ---- leases ---- */

static void add_event(struct hg_lane *lane, struct hg_event *event)
{
    struct hg_router *router = lane->router;
    struct hg_charge *charge = hg_malloc(sizeof(*charge));

    charge->lane = lane;
    charge->event = event;
    charge->state = HG_CHARGE_BUFFERED;
    charge->bytes = sizeof(*event) + hg_blob_str(event->payload).n + hg_blob_str(event->result).n;
    charge->is_reserved = false;
    charge->started_ms = 0;
    charge->delivery = NULL;
    charge->inv.running = NULL;
    hg_list_push_back(&router->charges, &charge->all);
    hg_list_push_back(&lane->buffered, &charge->link);
    lane->buffered_count++;
    lane->at_hand++;
    router->at_hand++;
    router->bytes_at_hand += charge->bytes;
    lane->event_bytes = (3 * lane->event_bytes + charge->bytes) / 4;
}

void charge_free(struct hg_charge *charge)
{
    struct hg_lane *lane = charge->lane;
    struct hg_router *router = lane->router;

    if (charge->state == HG_CHARGE_BUFFERED)
        lane->buffered_count--;
    hg_list_unlink(&charge->all);
    hg_list_unlink(&charge->link);
    lane->at_hand--;
    router->at_hand--;
    router->bytes_at_hand -= charge->bytes;
    lane->used_us = hg_mono_us();
    hg_event_free(charge->event);
    free(charge);
    router_look_drained(router);
}

static void take_leased(struct hg_lane *lane)
{
    struct hg_list *link;

    while ((link = hg_list_pop_front(&lane->lease.events)))
        add_event(lane, hg_container_of(link, struct hg_event, link));
}

static void on_leased(struct hg_queue_op *op)
{
    struct hg_lane *lane =
        hg_container_of(hg_container_of(op, struct hg_lease_op, base), struct hg_lane, lease);
    struct hg_router *router = lane->router;
    int64_t now = hg_mono_us();

    lane->is_leasing = false;
    router->leasing--;
    lane->lease_us += (now - lane->leased_us - lane->lease_us) / 4;
    if (op->rc == HG_OK) {
        /* What was told while the lease was under way may be newer than its answer. */
        lane->is_ready = lane->lease.got == lane->lease.max || lane->was_told;
        take_leased(lane);
    } else {
        lane->hold_until_us = now + HOLD_US;
        hg_debug("lease_failed", "function=%s %s", lane->function, op->why);
    }
    if (router->is_draining) {
        lanes_give_back(router);
        router_look_drained(router);
    } else {
        lane_wake(lane);
    }
}

/*
 * As many as the bounds allow: half of what is left, so that something is left for the next lane; one for a lane that
 * has nothing at all, whatever the others hold.
 */
static unsigned bounded(const struct hg_lane *lane, unsigned wanted)
{
    const struct hg_router *router = lane->router;
    uint64_t each = HG_MAX(lane->event_bytes, sizeof(struct hg_event));
    uint64_t events = AT_HAND_MAX - HG_MIN(router->at_hand, (unsigned)AT_HAND_MAX);
    uint64_t bytes = AT_HAND_BYTES_MAX - HG_MIN(router->bytes_at_hand, (uint64_t)AT_HAND_BYTES_MAX);
    uint64_t left = HG_MIN(events / 2, HG_MIN(bytes / 2, (uint64_t)LANE_BYTES_MAX) / each);

    if (!left && !lane->at_hand)
        left = 1;
    return (unsigned)HG_MIN(wanted, left);
}

/* False when it has to wait for room. */
static bool lease_more(struct hg_lane *lane, unsigned room)
{
    struct hg_router *router = lane->router;
    unsigned ahead = credit_ahead(lane->per_second, lane->lease_us), wanted = room + ahead;
    int64_t now;

    if (!lane->is_ready || lane->is_leasing)
        return true;
    /* Not for a few only, while there is enough. */
    if (lane->buffered_count >= wanted ||
        (lane->buffered_count && wanted - lane->buffered_count < ahead / 4))
        return room > 0;
    wanted = bounded(lane, wanted - lane->buffered_count);
    now = hg_mono_us();
    if (!wanted || now < lane->hold_until_us || !hg_list_empty(&router->unsettled))
        return false;
    lane->lease.base.done = on_leased;
    lane->lease.function = lane->function;
    lane->lease.channel = lane->channel;
    lane->lease.max = wanted;
    lane->is_leasing = true;
    lane->was_told = false;
    lane->leased_us = now;
    router->leasing++;
    queue_lease(router->options.queue, &lane->lease);
    return true;
}

/* ---- turns ---- */

static void take_turn(struct hg_lane *lane)
{
    unsigned room = room_of(lane);

    hg_list_unlink(&lane->turn);
    while (room && lane->buffered_count) {
        struct hg_charge *charge =
            hg_container_of(hg_list_pop_front(&lane->buffered), struct hg_charge, link);

        lane->buffered_count--;
        if (lane->channel[0])
            delivery_begin(charge);
        else if (!run_begin(charge))
            continue;
        room--;
    }
    if (!lease_more(lane, room) || (!room && lane->buffered_count))
        block(lane);
}

static void on_pump(struct hg_task *task)
{
    struct hg_router *router = hg_container_of(task, struct hg_router, pump);
    struct hg_list *link;

    if (router->is_draining)
        return;
    while ((link = hg_list_pop_front(&router->turns)))
        take_turn(hg_container_of(link, struct hg_lane, turn));
    if (!hg_list_empty(&router->blocked) && !hg_timer_is_running(&router->poll))
        hg_timer_start_ms(&router->poll, POLL_MS);
}

void lanes_give_back(struct hg_router *router)
{
    HG_LIST_EACH(link, &router->charges)
    {
        struct hg_charge *charge = hg_container_of(link, struct hg_charge, all);

        if (charge->state != HG_CHARGE_BUFFERED)
            continue;
        hg_list_unlink(&charge->link);
        charge->lane->buffered_count--;
        settle_unchanged(charge);
    }
}

void lanes_sweep(struct hg_router *router)
{
    int64_t old_us = hg_mono_us() - IDLE_US;
    struct hg_map kept;
    const struct hg_map_entry *entry;

    hg_map_init(&kept);
    for (size_t at = 0; (entry = hg_map_next(&router->lanes, &at));) {
        struct hg_lane *lane = entry->value;

        if (lane->is_ready || lane->is_leasing || lane->at_hand || lane->used_us > old_us) {
            (void)hg_map_set(&kept, lane->key, lane);
            continue;
        }
        hg_list_unlink(&lane->turn);
        free(lane);
    }
    hg_map_fini(&router->lanes);
    router->lanes = kept;
}
