/*
 * Reads this node's partitions of the events and delay topics as a member of
 * the group, holds what is not settled, commits what is. Each partition has a
 * queue of its own in librdkafka, so that one which must wait holds up no other.
 */
#include "queue/kafka.h"

#include "core/clock.h"
#include "core/log.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    READ_MAX = 200,    /* records of a partition in one turn */
    MOVING_MAX = 5000, /* records being written to delay topics; no more are read meanwhile */
    DELAYED_MAX = 512, /* of a delay partition in memory: these come exactly when due */
    HELD_BYTES_MAX = 64 << 20,
    TICK_MS = 200,
    SWEEP_EVERY_TICKS = 25,
    /* One that waits so long for a lease goes to a delay topic, so that its partition's offset moves on. */
    WAITING_MAX_MS = 60000,
    AGAIN_MS = 5000, /* a second copy of one that is running is looked at again */
};

void kafka_source_wake(struct kafka_queue *kq)
{
    if (kq->group)
        kafka_wake(kq->group);
}

static void unlive(struct kafka_queue *kq, struct kafka_held *held)
{
    if (held->is_live)
        (void)hg_map_remove(&kq->live, hg_str_of(held->id));
    held->is_live = false;
}

static void undelay(struct kafka_held *held)
{
    hg_assert(held->partition != NULL);
    hg_list_unlink(&held->turn);
    held->partition->delayed_count--;
    if (held->parked)
        held->parked->parked_here--;
    held->parked = NULL;
    held->state = KAFKA_MOVING;
}

void kafka_held_end(struct kafka_queue *kq, struct kafka_held *held)
{
    bool was_leased = held->state == KAFKA_LEASED;

    if (held->lane)
        kafka_lane_remove(kq, held);
    if (held->state == KAFKA_DELAYED)
        undelay(held);
    hg_list_unlink(&held->turn);
    hg_list_unlink(&held->in_partition);
    unlive(kq, held);
    kq->held_bytes -= held->bytes;
    /* A leased one is the router's, who may have freed it when the queue closes. */
    if (!was_leased)
        hg_event_free(held->event);
    hg_blob_unref(held->payload);
    hg_blob_unref(held->result);
    free(held);
}

static void on_moved(struct kafka_write *write)
{
    struct kafka_held *held = hg_container_of(write, struct kafka_held, write);
    struct kafka_queue *kq = write->kq;

    kq->moving--;
    if (write->rc == HG_OK || !held->partition || kq->is_closing) {
        kafka_held_end(kq, held);
    } else {
        if (write->rc != HG_E_BUSY)
            hg_error("kafka_move", "id=%s %s", held->id, write->why);
        hg_list_push_back(&kq->stuck, &held->turn);
    }
    if (kq->moving == MOVING_MAX - 1)
        kafka_source_wake(kq);
}

void kafka_held_move(struct kafka_queue *kq, struct kafka_held *held, int64_t until_ms)
{
    int64_t wait_ms = until_ms - hg_steady_ms();

    if (held->lane)
        kafka_lane_remove(kq, held);
    hg_list_unlink(&held->turn);
    held->state = KAFKA_MOVING;
    kq->moving++;
    held->write.done = on_moved;
    kafka_write_event(kq, &held->write, held->event, held->hop + 1, kafka_delay_topic(wait_ms));
}

static void arm_delay_timer(struct kafka_queue *kq)
{
    int64_t earliest_ms = INT64_MAX;

    /* A partition that was freed is in no list: clang-tidy does not follow the unlinking. */
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
    HG_LIST_EACH(it, &kq->partitions)
    {
        struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        if (!hg_list_empty(&partition->delayed))
            earliest_ms =
                HG_MIN(earliest_ms,
                       hg_container_of(partition->delayed.next, struct kafka_held, turn)->ready_ms);
    }
    if (earliest_ms == INT64_MAX)
        hg_timer_stop(&kq->delay_timer);
    else
        hg_timer_start_ms(&kq->delay_timer, HG_MAX(earliest_ms - hg_steady_ms(), 1));
}

static void delay(struct kafka_held *held)
{
    struct kafka_partition *partition = held->partition;
    struct hg_list *after = partition->delayed.prev;

    while (after != &partition->delayed &&
           hg_container_of(after, struct kafka_held, turn)->ready_ms > held->ready_ms)
        after = after->prev;
    hg_list_push_front(after, &held->turn);
    held->state = KAFKA_DELAYED;
    partition->delayed_count++;
}

static void on_twin_ended(struct kafka_write *write)
{
    struct kafka_held *held = hg_container_of(write, struct kafka_held, write);
    struct kafka_queue *kq = write->kq;

    kq->moving--;
    if (write->rc == HG_OK || !held->partition || kq->is_closing)
        kafka_held_end(kq, held);
    else
        hg_list_push_back(&kq->stuck, &held->turn);
}

/*
 * Two nodes were given the same idempotency key at the same time. Both records are in one partition, by the key: the one with
 * the lower offset is the event, the other ends here without having run.
 */
static bool is_twin(struct kafka_queue *kq, struct kafka_held *held)
{
    char first[HG_UUID_LEN + 1];

    return held->event->dedup[0] && held->hop == 0 && held->place.topic == HG_KAFKA_EVENTS &&
           kafka_index_find_first(kq->index, held->event, held->place.offset, first);
}

static void end_twin(struct kafka_queue *kq, struct kafka_held *held)
{
    struct hg_event *event = held->event;
    char first[HG_UUID_LEN + 1];

    (void)kafka_index_find_first(kq->index, event, held->place.offset, first);
    event->state = HG_EVENT_DELIVERED;
    event->finished_ms = hg_steady_ms();
    (void)snprintf(event->why, sizeof(event->why), "has the idempotency key of event %s", first);
    kq->moving++;
    held->state = KAFKA_MOVING;
    held->write.done = on_twin_ended;
    kafka_write_end(kq, &held->write, event, held->hop, &held->place);
}

/* Its time to be looked at has come. */
static void place(struct kafka_queue *kq, struct kafka_held *held, int64_t now_ms)
{
    struct kafka_lane *lane;

    if (is_twin(kq, held)) {
        end_twin(kq, held);
        return;
    }
    if (held->event->due_ms > now_ms) {
        kafka_held_move(kq, held, held->event->due_ms);
        return;
    }
    if (!held->is_live) { /* the copy before it runs still */
        kafka_held_move(kq, held, now_ms + AGAIN_MS);
        return;
    }
    lane = kafka_lane_of(kq, held->event, true);
    if (kafka_lane_has_room(kq, lane))
        kafka_lane_add(kq, lane, held);
    else
        kafka_held_move(kq, held, kafka_lane_next_place(kq, lane, now_ms));
}

void kafka_source_admit(struct kafka_queue *kq, struct kafka_lane *lane)
{
    HG_LIST_EACH(it, &kq->partitions)
    {
        struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        HG_LIST_EACH(at, &partition->delayed)
        {
            struct kafka_held *held = hg_container_of(at, struct kafka_held, turn);

            if (lane->parked_here == 0 || !kafka_lane_has_room(kq, lane))
                return;
            if (held->parked != lane)
                continue;
            undelay(held);
            kafka_lane_add(kq, lane, held);
        }
    }
}

static void on_delay_due(struct hg_timer *timer)
{
    struct kafka_queue *kq = hg_container_of(timer, struct kafka_queue, delay_timer);
    int64_t now_ms = hg_steady_ms();

    HG_LIST_EACH(it, &kq->partitions)
    {
        struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        while (!hg_list_empty(&partition->delayed)) {
            struct kafka_held *held =
                hg_container_of(partition->delayed.next, struct kafka_held, turn);

            if (held->ready_ms > now_ms || !kq->is_up)
                break;
            undelay(held);
            place(kq, held, now_ms);
        }
    }
    if (kq->is_up)
        arm_delay_timer(kq);
    else
        hg_timer_start_ms(&kq->delay_timer, TICK_MS);
    kafka_source_wake(kq);
}

/*
 * Decides between this record and what is known of its event: false when the record is past. A record of the same hop as one
 * that runs here is the same one, read again after its partition came back: the running one takes its place.
 */
static bool is_wanted(struct kafka_queue *kq, struct kafka_partition *partition,
                      const struct hg_kafka_record *record, const struct hg_kafka_place *at,
                      const struct hg_event *event)
{
    struct kafka_held *other = hg_map_get(&kq->live, hg_str_of(event->id));

    if (kafka_index_is_past(kq->index, event->id, event->redrives, record->hop))
        return false;
    if (!other)
        return true;
    if (other->hop > record->hop)
        return false;
    if (other->hop == record->hop) {
        if (!other->partition) {
            other->partition = partition;
            other->place = *at;
            hg_list_push_back(&partition->held, &other->in_partition);
        }
        return false;
    }
    if (other->state == KAFKA_WAITING || other->state == KAFKA_DELAYED)
        kafka_held_end(kq, other);
    else if (other->state == KAFKA_MOVING || other->settle)
        unlive(kq, other); /* this is what it is being written as */
    return true;
}

/* A record written in the future, as this clock has it, counts as written now. */
static int64_t ready_at(const struct hg_kafka_record *record, struct hg_event *event,
                        enum hg_kafka_topic_id topic, int64_t now_ms)
{
    int64_t ready_ms = HG_MIN(record->written_ms, now_ms) + kafka_delay_of(topic);

    if (record->written_ms > now_ms)
        event->due_ms = HG_MIN(event->due_ms, now_ms + event->due_ms - record->written_ms);
    return event->due_ms > now_ms ? HG_MIN(event->due_ms, ready_ms) : ready_ms;
}

static void hold(struct kafka_queue *kq, struct kafka_partition *partition,
                 const struct hg_kafka_record *record, const struct hg_kafka_place *at,
                 struct hg_event *event)
{
    struct kafka_held *held = hg_calloc(1, sizeof(*held));
    int64_t now_ms = hg_steady_ms();
    struct kafka_lane *lane;

    (void)snprintf(held->id, sizeof(held->id), "%s", event->id);
    held->partition = partition;
    held->hop = record->hop;
    held->redrives = event->redrives;
    held->place = *at;
    held->event = event;
    held->accepted_ms = event->accepted_ms;
    if (record->has_payload)
        event->payload = hg_blob_new(record->payload.p, record->payload.n);
    if (record->has_result)
        event->result = hg_blob_new(record->result.p, record->result.n);
    held->payload = event->payload ? hg_blob_ref(event->payload) : NULL;
    held->result = event->result ? hg_blob_ref(event->result) : NULL;
    held->bytes = sizeof(*held) + sizeof(*event) + record->payload.n + record->result.n;
    kq->held_bytes += held->bytes;
    hg_list_init(&held->turn);
    hg_list_push_back(&partition->held, &held->in_partition);
    if (!hg_map_get(&kq->live, hg_str_of(held->id))) {
        held->is_live = true;
        (void)hg_map_set(&kq->live, hg_str_of(held->id), held);
    }
    held->state = KAFKA_MOVING;
    held->ready_ms = ready_at(record, event, partition->topic, now_ms);
    lane = event->due_ms <= now_ms && held->is_live ? kafka_lane_of(kq, event, true) : NULL;
    /* One that was only out of others' way need not wait once there is room. */
    if (held->ready_ms > now_ms && !(lane && kafka_lane_has_room(kq, lane))) {
        delay(held);
        held->parked = lane;
        if (lane)
            lane->parked_here++;
        if (partition->delayed.next == &held->turn)
            arm_delay_timer(kq);
    } else {
        place(kq, held, now_ms);
    }
}

/* False: only a newer version can go on with this partition. */
static bool take(struct kafka_queue *kq, struct kafka_partition *partition,
                 const rd_kafka_message_t *message)
{
    struct hg_kafka_place at = {partition->topic, partition->number, message->offset};
    struct hg_kafka_record record;
    struct hg_error err = {{0}};
    struct hg_event *event = NULL;
    enum hg_rc rc = kafka_record_read(hg_str_n(message->payload, message->len), &record, &err);

    if (rc == HG_OK && record.kind == HG_KAFKA_RECORD_EVENT)
        event = hg_event_decode(record.life, &err);
    if (!event)
        hg_error("kafka_record", "topic=%s partition=%d offset=%lld %s",
                 kq->options.topics[partition->topic], partition->number,
                 (long long)message->offset, err.text[0] ? err.text : "no event");
    if (!event && (rc == HG_OK || rc == HG_E_UNSUPPORTED))
        return false;
    partition->next = message->offset + 1;
    if (!event)
        return true; /* somebody else's */
    if (is_wanted(kq, partition, &record, &at, event))
        hold(kq, partition, &record, &at, event);
    else
        hg_event_free(event);
    return true;
}

static bool may_read(const struct kafka_queue *kq, const struct kafka_partition *partition)
{
    return kq->is_up && kafka_status_is_fresh(kq) && !kq->is_closing && !partition->is_stuck &&
           kq->moving < MOVING_MAX &&
           (partition->delayed_count == 0 ||
            (partition->delayed_count < DELAYED_MAX && kq->held_bytes < HELD_BYTES_MAX));
}

/* True when there is more at once. */
static bool read_partition(struct kafka_queue *kq, struct kafka_partition *partition)
{
    for (unsigned i = 0; i < READ_MAX; i++) {
        rd_kafka_message_t *message;

        if (!may_read(kq, partition))
            return false;
        message = rd_kafka_consume_queue(partition->queue, 0);
        if (!message)
            return false;
        if (message->err)
            hg_debug("kafka_group", "%s", rd_kafka_message_errstr(message));
        else
            partition->is_stuck = !take(kq, partition, message);
        rd_kafka_message_destroy(message);
    }
    return true;
}

static void on_wake(void *arg)
{
    struct kafka_queue *kq = arg;
    bool is_more = false;

    HG_LIST_EACH(it, &kq->partitions)
    is_more |= read_partition(kq, hg_container_of(it, struct kafka_partition, link));
    if (is_more)
        kafka_source_wake(kq);
}

/* Before its queue was taken aside a record may have gone to the common one. */
static void on_message(void *arg, const rd_kafka_message_t *message)
{
    struct kafka_queue *kq = arg;

    HG_LIST_EACH(it, &kq->partitions)
    {
        struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        if (partition->number == message->partition &&
            strcmp(kq->options.topics[partition->topic], rd_kafka_topic_name(message->rkt)) == 0)
            partition->is_stuck |= !take(kq, partition, message);
    }
}

static void on_trouble(void *arg, enum hg_kafka_trouble trouble, const char *sentence)
{
    struct kafka_queue *kq = arg;

    /* Not at once: the handle is being served. */
    if (trouble == HG_KAFKA_FATAL)
        kq->must_rejoin = true;
    if (trouble == HG_KAFKA_ODD)
        hg_debug("kafka_group", "%s", sentence);
    else if (trouble != HG_KAFKA_DOWN)
        hg_warn("kafka_group", "%s", sentence);
}

static int64_t settled_up_to(const struct kafka_partition *partition)
{
    return hg_list_empty(&partition->held)
               ? partition->next
               : hg_container_of(partition->held.next, struct kafka_held, in_partition)
                     ->place.offset;
}

static void add_commit(struct kafka_queue *kq, struct kafka_partition *partition,
                       rd_kafka_topic_partition_list_t *list)
{
    int64_t offset = settled_up_to(partition);

    if (offset < 0 || offset == partition->committed)
        return;
    rd_kafka_topic_partition_list_add(list, kq->options.topics[partition->topic], partition->number)
        ->offset = offset;
    partition->committed = offset;
}

/* An answer that does not come is as good as a commit that was never tried: the next one says more. */
static void commit_all(struct kafka_queue *kq, bool may_wait)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);

    HG_LIST_EACH(it, &kq->partitions)
    add_commit(kq, hg_container_of(it, struct kafka_partition, link), list);
    if (list->cnt > 0)
        (void)rd_kafka_commit(kafka_raw(kq->group), list, !may_wait);
    rd_kafka_topic_partition_list_destroy(list);
}

static void free_partition(struct kafka_queue *kq, struct kafka_partition *partition)
{
    HG_LIST_EACH(it, &partition->held)
    {
        struct kafka_held *held = hg_container_of(it, struct kafka_held, in_partition);

        if (held->state == KAFKA_LEASED || held->settle ||
            (held->state == KAFKA_MOVING && hg_list_empty(&held->turn))) {
            /* What runs, or is being written, ends here; nothing of it is committed. */
            hg_list_unlink(&held->in_partition);
            held->partition = NULL;
        } else {
            kafka_held_end(kq, held);
        }
    }
    rd_kafka_queue_io_event_enable(partition->queue, -1, NULL, 0);
    rd_kafka_queue_destroy(partition->queue);
    hg_list_unlink(&partition->link);
    free(partition);
}

static void add_partition(struct kafka_queue *kq, const char *topic, int32_t number)
{
    for (int i = HG_KAFKA_EVENTS; i <= HG_KAFKA_DELAY_LAST; i++) {
        struct kafka_partition *partition;

        if (strcmp(kq->options.topics[i], topic) != 0)
            continue;
        partition = hg_calloc(1, sizeof(*partition));
        partition->topic = (enum hg_kafka_topic_id)i;
        partition->number = number;
        partition->next = partition->committed = -1;
        hg_list_init(&partition->held);
        hg_list_init(&partition->delayed);
        partition->queue = rd_kafka_queue_get_partition(kafka_raw(kq->group), topic, number);
        rd_kafka_queue_forward(partition->queue, NULL);
        kafka_watch(kq->group, partition->queue);
        hg_list_push_back(&kq->partitions, &partition->link);
        return;
    }
}

static void remove_partition(struct kafka_queue *kq, const char *topic, int32_t number)
{
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): as in arm_delay_timer */
    HG_LIST_EACH(it, &kq->partitions)
    {
        struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        if (partition->number == number && strcmp(kq->options.topics[partition->topic], topic) == 0)
            free_partition(kq, partition);
    }
}

static void on_rebalance(void *arg, bool is_assigned, bool is_lost,
                         rd_kafka_topic_partition_list_t *partitions)
{
    struct kafka_queue *kq = arg;

    if (kq->is_leaving)
        return;
    hg_info("kafka_group", "node=%s %s partitions=%d", kafka_index_node(kq->index),
            is_assigned ? "assigned"
            : is_lost   ? "lost"
                        : "revoked",
            partitions->cnt);
    if (!is_assigned && !is_lost)
        commit_all(kq, kq->is_reachable);
    for (int i = 0; i < partitions->cnt; i++) {
        if (is_assigned)
            add_partition(kq, partitions->elems[i].topic, partitions->elems[i].partition);
        else
            remove_partition(kq, partitions->elems[i].topic, partitions->elems[i].partition);
    }
    /* Their last holder's settles are known here before anything of them is handed out. */
    if (is_assigned)
        kafka_status_mark(kq);
    arm_delay_timer(kq);
}

static void move_stuck(struct kafka_queue *kq)
{
    struct hg_list again;
    struct hg_list *link;

    if (!kq->is_up)
        return;
    hg_list_init(&again);
    hg_list_move_all(&kq->stuck, &again);
    while ((link = hg_list_pop_front(&again))) {
        struct kafka_held *held = hg_container_of(link, struct kafka_held, turn);

        if (held->event->state == HG_EVENT_DELIVERED)
            end_twin(kq, held);
        else
            kafka_held_move(kq, held, held->event->due_ms);
    }
}

/* The oldest of a partition that nobody leases holds its offset back. */
static void move_long_waiting(struct kafka_queue *kq, int64_t now_ms)
{
    int64_t boot_ms = hg_boot_ms();

    if (!kq->is_up)
        return;
    HG_LIST_EACH(it, &kq->partitions)
    {
        struct kafka_partition *partition = hg_container_of(it, struct kafka_partition, link);

        HG_LIST_EACH(at, &partition->held)
        {
            struct kafka_held *held = hg_container_of(at, struct kafka_held, in_partition);

            if (kq->moving >= MOVING_MAX)
                return;
            if (held->state == KAFKA_WAITING && boot_ms - held->since_ms > WAITING_MAX_MS)
                kafka_held_move(kq, held, kafka_lane_next_place(kq, held->lane, now_ms));
        }
    }
}

static void source_tick(struct kafka_queue *kq, int64_t now_ms)
{
    static const int64_t sweep_ms = (int64_t)SWEEP_EVERY_TICKS * TICK_MS;

    if (kq->group && kq->is_reachable)
        commit_all(kq, false);
    move_stuck(kq);
    if (now_ms / sweep_ms != (now_ms - TICK_MS) / sweep_ms) {
        move_long_waiting(kq, now_ms);
        kafka_lane_sweep(kq, now_ms);
    }
}

static void leave(struct kafka_queue *kq)
{
    HG_LIST_EACH(it, &kq->partitions)
    free_partition(kq, hg_container_of(it, struct kafka_partition, link));
    kq->is_leaving = true; /* what the group still says on the way out is of no interest */
    kafka_close(kq->group, 0);
    kq->is_leaving = false;
    kq->group = NULL;
}

/* Another node has this one's name, its data folder copied perhaps, or the group was deleted. */
static void rejoin(struct kafka_queue *kq)
{
    kq->must_rejoin = false;
    leave(kq);
    kq->is_up = false;
    kafka_link_look(kq);
}

static void on_tick(struct hg_timer *timer)
{
    struct kafka_queue *kq = hg_container_of(timer, struct kafka_queue, tick_timer);
    int64_t now_ms = hg_steady_ms();

    hg_timer_start_ms(timer, TICK_MS);
    if (kq->must_rejoin && kq->group)
        rejoin(kq);
    source_tick(kq, now_ms);
    kafka_status_tick(kq, now_ms);
    kafka_trim_tick(kq);
    kafka_gauges(kq);
}

void kafka_source_start(struct kafka_queue *kq)
{
    hg_timer_init(&kq->delay_timer, kq->queue->loop, on_delay_due);
    hg_timer_init(&kq->tick_timer, kq->queue->loop, on_tick);
    hg_timer_start_ms(&kq->tick_timer, TICK_MS);
}

enum hg_rc kafka_source_open(struct kafka_queue *kq, struct hg_error *err)
{
    struct hg_kafka_user user = {.on_trouble = on_trouble,
                                 .on_message = on_message,
                                 .on_rebalance = on_rebalance,
                                 .on_wake = on_wake,
                                 .arg = kq};
    /* A static member: a node that is killed and comes back has its partitions at once; one that stays away loses them when
     * the session times out. */
    struct kafka_consumer consumer = {.name = "group",
                                      .group = kq->options.prefix,
                                      .instance = kafka_index_node(kq->index),
                                      .fetch_wait_ms = "100"};
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    rd_kafka_resp_err_t code;

    kq->group = kafka_link_consumer(kq, &consumer, &user, err);
    if (!kq->group) {
        rd_kafka_topic_partition_list_destroy(list);
        return HG_E_INVALID;
    }
    for (int i = HG_KAFKA_EVENTS; i <= HG_KAFKA_DELAY_LAST; i++)
        rd_kafka_topic_partition_list_add(list, kq->options.topics[i], RD_KAFKA_PARTITION_UA);
    code = rd_kafka_subscribe(kafka_raw(kq->group), list);
    rd_kafka_topic_partition_list_destroy(list);
    if (code)
        return hg_error_set(err, HG_E_IO, "%s", rd_kafka_err2str(code));
    return HG_OK;
}

static void free_left(struct kafka_queue *kq, struct hg_list *list)
{
    HG_LIST_EACH(it, list)
    kafka_held_end(kq, hg_container_of(it, struct kafka_held, turn));
}

void kafka_source_close(struct kafka_queue *kq)
{
    hg_timer_stop(&kq->delay_timer);
    hg_timer_stop(&kq->tick_timer);
    if (kq->group && kq->is_reachable)
        commit_all(kq, true);
    leave(kq);
    free_left(kq, &kq->leased);
    free_left(kq, &kq->stuck);
}
