/*
 * Lanes: what is here and due, by function and target; leases of it. A lane
 * holds a window, no more: what does not fit waits in a delay topic and comes
 * back about when the lane has room, so that nothing behind it waits for it.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/crash_point.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_EVENTS = 2000,
    WINDOW_BYTES = 16 << 20,
    HELD_BYTES_MAX = 64 << 20, /* of all lanes; beyond it a lane holds one event */
    RATE_OVER_US = 2000000,
    PLACE_FIRST_MS = 1000,
    /* An event that was put aside is back after this, or sooner; longer the more there are, so that a node moves about
     * a thousand of a lane in a second at most. */
    PLACE_LEAST_SPAN_MS = 5000,
    PLACE_MOST_SPAN_MS = 300000,
};

/* Of a lane that was never seen to be slow. */
static const double fast_per_second = 2000;
static const double faster = 1.5; /* they come back sooner than the lane was: it must not run dry */

/* How fast the lane is leased while it has more than is asked for; else it is as fast as need be. */
static void count_lease(struct kafka_lane *lane, unsigned got)
{
    int64_t now_us = hg_mono_us(), passed_us = now_us - lane->counted_since_us;

    lane->counted += got;
    if (lane->waiting_count > 0 && passed_us < RATE_OVER_US)
        return;
    if (lane->waiting_count == 0) {
        lane->per_second = HG_MAX(lane->per_second, fast_per_second);
        lane->counted = 0;
        lane->counted_since_us = now_us;
        return;
    }
    lane->per_second = (double)lane->counted * 1e6 / (double)passed_us;
    lane->counted = 0;
    lane->counted_since_us = now_us;
}

struct kafka_lane *kafka_lane_of(struct kafka_queue *kq, const struct hg_event *event,
                                 bool may_make)
{
    char key[HG_EVENT_FUNCTION_MAX + HG_EVENT_TARGET_MAX + 2];
    const char *channel = hg_event_channel(event);
    size_t function_length = strlen(event->function), channel_length = strlen(channel);
    size_t length = function_length + 1 + channel_length;
    struct kafka_lane *lane;
    char *text;

    memcpy(key, event->function, function_length + 1);
    memcpy(key + function_length + 1, channel, channel_length + 1);
    lane = hg_map_get(&kq->lanes, hg_str_n(key, length));
    if (lane || !may_make)
        return lane;
    lane = hg_calloc(1, sizeof(*lane) + length + 1);
    text = (char *)(lane + 1);
    memcpy(text, key, length + 1);
    lane->key = hg_str_n(text, length);
    lane->function = text;
    lane->channel = text + function_length + 1;
    lane->counted_since_us = hg_mono_us();
    lane->per_second = fast_per_second;
    hg_list_init(&lane->waiting);
    (void)hg_map_set(&kq->lanes, lane->key, lane);
    return lane;
}

bool kafka_lane_has_room(const struct kafka_queue *kq, const struct kafka_lane *lane)
{
    return lane->waiting_count == 0 ||
           (lane->waiting_count < WINDOW_EVENTS && lane->waiting_bytes < WINDOW_BYTES &&
            kq->held_bytes < HELD_BYTES_MAX);
}

int64_t kafka_lane_next_place(struct kafka_queue *kq, struct kafka_lane *lane, int64_t now_ms)
{
    int64_t span_ms, first_ms;
    double per_second;

    (void)atomic_fetch_add(&kq->queue->gauges.parked, 1);
    count_lease(lane, 0);
    per_second = HG_MAX(lane->per_second * faster, 1.0);
    /* Places behind the window's own events. */
    first_ms = now_ms + HG_MAX(PLACE_FIRST_MS,
                               HG_MIN((int64_t)(lane->waiting_count / per_second * 500), 60000));
    if (lane->next_place_ms < first_ms) {
        lane->next_place_ms = first_ms;
        lane->parked = 0;
    }
    lane->parked++;
    span_ms = HG_MIN(HG_MAX((int64_t)lane->parked, PLACE_LEAST_SPAN_MS), PLACE_MOST_SPAN_MS);
    if (lane->next_place_ms < now_ms + span_ms)
        lane->next_place_ms += (int64_t)(1000 / per_second) + (lane->parked % 8 == 0);
    return HG_MIN(lane->next_place_ms, now_ms + span_ms);
}

static void tell(struct kafka_queue *kq, struct kafka_lane *lane)
{
    if (lane->is_told || lane->waiting_count == 0)
        return;
    lane->is_told = true;
    queue_lane_ready(kq->queue, lane->function, lane->channel);
}

void kafka_lane_add(struct kafka_queue *kq, struct kafka_lane *lane, struct kafka_held *held)
{
    struct hg_list *after = lane->waiting.prev;

    while (after != &lane->waiting &&
           hg_container_of(after, struct kafka_held, turn)->event->due_ms > held->event->due_ms)
        after = after->prev;
    hg_list_push_front(after, &held->turn);
    held->state = KAFKA_WAITING;
    held->lane = lane;
    held->since_ms = hg_boot_ms();
    lane->waiting_count++;
    lane->waiting_bytes += held->bytes;
    tell(kq, lane);
}

void kafka_lane_remove(struct kafka_queue *kq, struct kafka_held *held)
{
    struct kafka_lane *lane = held->lane;

    hg_list_unlink(&held->turn);
    held->lane = NULL;
    if (held->state == KAFKA_LEASED) {
        lane->leased_count--;
        kq->leased_from[held->leased_from]--;
        return;
    }
    lane->waiting_count--;
    lane->waiting_bytes -= held->bytes;
}

static void hand_out(struct kafka_queue *kq, struct kafka_lane *lane, struct kafka_held *held,
                     struct hg_lease_op *op)
{
    kafka_lane_remove(kq, held);
    held->leased_from = held->event->state;
    held->state = KAFKA_LEASED;
    held->lane = lane;
    lane->leased_count++;
    kq->leased_from[held->leased_from]++;
    hg_list_push_back(&kq->leased, &held->turn);
    held->event->state = HG_EVENT_RUNNING;
    held->event->lease = held;
    hg_list_push_back(&op->events, &held->event->link);
    op->got++;
}

void kafka_lease(struct hg_queue *queue, struct hg_lease_op *op)
{
    struct kafka_queue *kq = queue->engine;
    char key[HG_EVENT_FUNCTION_MAX + HG_EVENT_TARGET_MAX + 2];
    size_t function_length = strlen(op->function), channel_length = strlen(op->channel);
    struct kafka_lane *lane = NULL;

    if (function_length <= HG_EVENT_FUNCTION_MAX && channel_length <= HG_EVENT_TARGET_MAX) {
        memcpy(key, op->function, function_length + 1);
        memcpy(key + function_length + 1, op->channel, channel_length + 1);
        lane = hg_map_get(&kq->lanes, hg_str_n(key, function_length + 1 + channel_length));
    }
    while (lane && op->got < op->max && lane->waiting_count > 0) {
        struct kafka_held *held = hg_container_of(lane->waiting.next, struct kafka_held, turn);

        /* Another node may have settled or purged it meanwhile. */
        if (kafka_index_is_past(kq->index, held->id, held->redrives, held->hop))
            kafka_held_end(kq, held);
        else
            hand_out(kq, lane, held, op);
    }
    if (lane) {
        if (lane->parked_here > 0 && lane->waiting_count < WINDOW_EVENTS / 2) {
            kafka_source_admit(kq, lane);
            kafka_source_wake(kq);
        }
        count_lease(lane, op->got);
        if (op->got < op->max) {
            lane->is_told = false;
            tell(kq, lane);
        }
    }
    kafka_gauges(kq);
    hg_crash_point("after-lease");
    queue_op_end(&op->base, HG_OK, NULL);
}

void kafka_lane_sweep(struct kafka_queue *kq, int64_t now_ms)
{
    struct hg_map kept;
    const struct hg_map_entry *entry;

    hg_map_init(&kept);
    for (size_t at = 0; (entry = hg_map_next(&kq->lanes, &at));) {
        struct kafka_lane *lane = entry->value;

        if (lane->waiting_count || lane->leased_count || lane->parked_here ||
            lane->next_place_ms > now_ms)
            (void)hg_map_set(&kept, lane->key, lane);
        else
            free(lane);
    }
    hg_map_fini(&kq->lanes);
    kq->lanes = kept;
}

void kafka_lane_fini(struct kafka_queue *kq)
{
    const struct hg_map_entry *entry;

    for (size_t at = 0; (entry = hg_map_next(&kq->lanes, &at));)
        free(entry->value);
    hg_map_fini(&kq->lanes);
}
