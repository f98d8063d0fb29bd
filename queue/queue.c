/*
 * The queue's front: brings operations from any loop to the queue's own, and
 * their ends back, one wake-up for a burst each way; refuses puts when too
 * many wait or the engine is down. What is stored, and how, is the engine's.
 */
#include "core/clock.h"
#include "core/log.h"
#include "queue/front.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The engine of each URI scheme. */
static const struct {
    const char *scheme;
    const struct hg_queue_ops *ops;
} engines[] = {
    {"embedded", &hg_queue_embedded_ops},
    {"redis", &hg_queue_redis_ops},
    {"rediss", &hg_queue_redis_ops},
    {"kafka", &hg_queue_kafka_ops},
    {NULL, NULL},
};

static const struct hg_queue_ops *find_engine(const char *uri, struct hg_error *err)
{
    ptrdiff_t colon = hg_str_find(hg_str_of(uri), ':');

    hg_assert(uri != NULL);
    for (size_t i = 0; engines[i].scheme; i++)
        if (colon > 0 && hg_str_is(hg_str_n(uri, (size_t)colon), engines[i].scheme))
            return engines[i].ops;
    (void)hg_error_set(err, HG_E_INVALID,
                       "queue: \"%s\" names no engine; there are embedded:, redis://…, rediss://… "
                       "and kafka://…",
                       uri);
    return NULL;
}

enum hg_rc queue_check(const struct hg_queue_options *options, struct hg_error *err)
{
    const struct hg_queue_ops *ops = find_engine(options->uri, err);

    return ops ? ops->check(options, err) : HG_E_INVALID;
}

static void copy_options(struct hg_queue_options *to, const struct hg_queue_options *from)
{
    *to = *from;
    to->uri = hg_strdup(from->uri);
    to->data_dir = hg_strdup(from->data_dir ? from->data_dir : "");
    to->extra.items = hg_calloc(from->extra.count + 1, sizeof(*to->extra.items));
    for (size_t i = 0; i < from->extra.count; i++) {
        const struct hg_kv *kv = &from->extra.items[i];

        to->extra.items[i].key = hg_str_n(hg_strndup(kv->key.p, kv->key.n), kv->key.n);
        to->extra.items[i].value = hg_str_n(hg_strndup(kv->value.p, kv->value.n), kv->value.n);
    }
}

static void free_options(struct hg_queue_options *options)
{
    free((char *)(uintptr_t)options->uri);
    free((char *)(uintptr_t)options->data_dir);
    for (size_t i = 0; i < options->extra.count; i++) {
        free((char *)(uintptr_t)options->extra.items[i].key.p);
        free((char *)(uintptr_t)options->extra.items[i].value.p);
    }
    free(options->extra.items);
}

static void on_ended_arrived(struct hg_mail *mail)
{
    struct hg_queue_op *first = hg_container_of(mail, struct hg_queue_op, mail);
    struct hg_list ops;
    struct hg_list *link;

    /* The first one brings the others, which hang on its link. */
    hg_list_init(&ops);
    hg_list_move_all(&first->link, &ops);
    hg_list_push_front(&ops, &first->link);
    while ((link = hg_list_pop_front(&ops))) {
        struct hg_queue_op *op = hg_container_of(link, struct hg_queue_op, link);

        op->done(op);
    }
}

/* One mail for each loop that has operations among the ended. */
static void send_home(struct hg_task *task)
{
    struct hg_queue_front *front = hg_container_of(task, struct hg_queue_front, send_home);
    struct hg_list *link;

    while ((link = hg_list_pop_front(&front->ended))) {
        struct hg_queue_op *first = hg_container_of(link, struct hg_queue_op, link);

        HG_LIST_EACH(it, &front->ended)
        {
            struct hg_queue_op *op = hg_container_of(it, struct hg_queue_op, link);

            if (op->home != first->home)
                continue;
            hg_list_unlink(&op->link);
            hg_list_push_back(&first->link, &op->link);
        }
        hg_mailbox_post(&first->home->mailbox, &first->mail, on_ended_arrived);
    }
}

static struct hg_queue *new_queue(const struct hg_queue_ops *ops,
                                  const struct hg_queue_options *options)
{
    struct hg_queue *queue = hg_calloc(1, sizeof(*queue));

    queue->ops = ops;
    copy_options(&queue->options, options);
    queue->loop = hg_loop_new(0);
    queue->front = hg_calloc(1, sizeof(*queue->front));
    hg_list_init(&queue->front->ended);
    hg_task_init(&queue->front->send_home, send_home);
    queue_lanes_init(&queue->front->lanes);
    atomic_init(&queue->front->is_up, true);
    return queue;
}

static void free_queue(struct hg_queue *queue)
{
    queue_lanes_fini(&queue->front->lanes);
    hg_loop_free(queue->loop);
    free_options(&queue->options);
    free(queue->front);
    free(queue);
}

enum hg_rc queue_open(const struct hg_queue_options *options, struct hg_queue **out,
                      struct hg_error *err)
{
    enum hg_rc rc = queue_check(options, err);
    struct hg_queue *queue;

    *out = NULL;
    if (rc != HG_OK)
        return rc;
    queue = new_queue(find_engine(options->uri, err), options);
    rc = queue->ops->open(queue, err);
    if (rc != HG_OK) {
        free_queue(queue);
        return rc;
    }
    queue->front->thread = hg_loop_thread_start(queue->loop, "queue");
    *out = queue;
    return HG_OK;
}

void queue_close(struct hg_queue *queue)
{
    if (!queue)
        return;
    /* Operations that were mailed before reach the engine first. */
    hg_loop_thread_stop(queue->front->thread);
    queue->ops->close(queue);
    send_home(&queue->front->send_home);
    free_queue(queue);
}

struct listen_mail {
    struct hg_mail mail;
    struct hg_queue *queue;
    struct hg_queue_listener listener;
};

static void on_listen_arrived(struct hg_mail *mail)
{
    struct listen_mail *listen = hg_container_of(mail, struct listen_mail, mail);

    queue_lanes_listen(&listen->queue->front->lanes, &listen->listener);
    free(listen);
}

void queue_listen(struct hg_queue *queue, const struct hg_queue_listener *listener)
{
    struct listen_mail *listen = hg_malloc(sizeof(*listen));

    listen->queue = queue;
    listen->listener = *listener;
    hg_mailbox_post(&queue->loop->mailbox, &listen->mail, on_listen_arrived);
}

void queue_lane_ready(struct hg_queue *queue, const char *function, const char *channel)
{
    queue_lanes_tell(&queue->front->lanes, function, channel);
}

static void write_note(struct hg_queue_note *note, const char *text)
{
    uint64_t words[HG_COUNT(note->words)] = {0};

    memcpy(words, text, strnlen(text, sizeof(words) - 1));
    (void)atomic_fetch_add(&note->turn, 1);
    for (size_t i = 0; i < HG_COUNT(words); i++)
        atomic_store(&note->words[i], words[i]);
    (void)atomic_fetch_add(&note->turn, 1);
}

static void read_note(struct hg_queue_note *note, char text[HG_EVENT_WHY_MAX])
{
    uint64_t words[HG_COUNT(note->words)] = {0}, turn;

    do {
        turn = atomic_load(&note->turn);
        for (size_t i = 0; i < HG_COUNT(words); i++)
            words[i] = atomic_load(&note->words[i]);
    } while (turn % 2 || turn != atomic_load(&note->turn));
    memcpy(text, words, HG_EVENT_WHY_MAX);
}

void queue_set_down(struct hg_queue *queue, const char *why, ...)
{
    char text[HG_EVENT_WHY_MAX];
    va_list args;

    va_start(args, why);
    (void)vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    write_note(&queue->front->why, text);
    if (atomic_exchange(&queue->front->is_up, false))
        hg_error("queue_down", "engine=%s new events are refused: %s", queue->ops->scheme, text);
}

void queue_set_up(struct hg_queue *queue)
{
    if (!atomic_exchange(&queue->front->is_up, true))
        hg_info("queue_up", "engine=%s", queue->ops->scheme);
}

bool queue_is_up(const struct hg_queue *queue, char why[HG_EVENT_WHY_MAX])
{
    why[0] = '\0';
    if (atomic_load(&queue->front->is_up))
        return true;
    read_note(&queue->front->why, why);
    return false;
}

const char *queue_engine_name(const struct hg_queue *queue)
{
    return queue->ops->scheme;
}

const struct hg_queue_gauges *queue_gauges(const struct hg_queue *queue)
{
    return &queue->gauges;
}

static uint64_t put_bytes(const struct hg_queue_op *base)
{
    const struct hg_put_op *op = hg_container_of(base, struct hg_put_op, base);

    return sizeof(*op->event) + hg_blob_str(op->event->payload).n;
}

static void on_op_arrived(struct hg_mail *mail)
{
    struct hg_queue_op *op = hg_container_of(mail, struct hg_queue_op, mail);

    op->run(op->queue, op);
}

static void prepare(struct hg_queue *queue, struct hg_queue_op *op,
                    void (*run)(struct hg_queue *queue, struct hg_queue_op *op))
{
    op->queue = queue;
    op->home = hg_loop_current();
    hg_assert(op->home != NULL);
    op->rc = HG_OK;
    op->why[0] = '\0';
    op->engine = NULL;
    op->run = run;
    hg_list_init(&op->link);
}

static void submit(struct hg_queue_op *op)
{
    hg_mailbox_post(&op->queue->loop->mailbox, &op->mail, on_op_arrived);
}

static void refuse(struct hg_queue_op *op, enum hg_rc rc, const char *why)
{
    op->rc = rc;
    (void)snprintf(op->why, sizeof(op->why), "%s", why);
    (void)atomic_fetch_add(&op->queue->front->counts.refused, 1);
    hg_mailbox_post(&op->home->mailbox, &op->mail, on_ended_arrived);
}

static void leave_flight(struct hg_queue_front *front, uint64_t bytes)
{
    (void)atomic_fetch_sub(&front->puts_in_flight, 1);
    (void)atomic_fetch_sub(&front->put_bytes_in_flight, bytes);
}

/* False, and nothing counted, when too much waits already. A single put of any size gets through. */
static bool enter_flight(struct hg_queue_front *front, uint64_t bytes)
{
    uint64_t puts = atomic_fetch_add(&front->puts_in_flight, 1);
    uint64_t before = atomic_fetch_add(&front->put_bytes_in_flight, bytes);

    if (puts < HG_PUTS_IN_FLIGHT_MAX && (puts == 0 || before + bytes <= HG_PUT_BYTES_IN_FLIGHT_MAX))
        return true;
    leave_flight(front, bytes);
    return false;
}

void queue_put(struct hg_queue *queue, struct hg_put_op *op)
{
    char why[HG_EVENT_WHY_MAX];

    prepare(queue, &op->base, queue_run_put);
    op->was_known = false;
    if (!hg_uuid_is_valid(hg_str_of(op->event->id)) || !op->event->function[0])
        refuse(&op->base, HG_E_INVALID, "an event needs a UUID as its id, and a function");
    else if (!queue_is_up(queue, why))
        refuse(&op->base, HG_E_BUSY, why);
    else if (!enter_flight(queue->front, put_bytes(&op->base)))
        refuse(&op->base, HG_E_BUSY, "too many events wait to be stored");
    else
        submit(&op->base);
}

void queue_lease(struct hg_queue *queue, struct hg_lease_op *op)
{
    prepare(queue, &op->base, queue_run_lease);
    hg_list_init(&op->events);
    op->got = 0;
    submit(&op->base);
}

/* The same for all engines. */
static void write_verdict(struct hg_event *event, enum hg_verdict verdict)
{
    switch (verdict) {
    case HG_FINISH:
        event->state = HG_EVENT_DELIVERED;
        break;
    case HG_BURY:
        event->state = HG_EVENT_DEAD;
        break;
    case HG_REQUEUE:
        if (event->state != HG_EVENT_QUEUED)
            event->state = HG_EVENT_RETRYING;
        event->finished_ms = 0;
        return;
    }
    if (!event->finished_ms)
        event->finished_ms = hg_steady_ms();
}

void queue_settle(struct hg_queue *queue, struct hg_settle_op *op)
{
    write_verdict(op->event, op->verdict);
    prepare(queue, &op->base, queue_run_settle);
    submit(&op->base);
}

void queue_find(struct hg_queue *queue, struct hg_find_op *op)
{
    prepare(queue, &op->base, queue_run_find);
    hg_list_init(&op->events);
    submit(&op->base);
}

void queue_change(struct hg_queue *queue, struct hg_change_op *op)
{
    prepare(queue, &op->base, queue_run_change);
    submit(&op->base);
}

void queue_run_put(struct hg_queue *queue, struct hg_queue_op *op)
{
    queue->ops->put(queue, hg_container_of(op, struct hg_put_op, base));
}

void queue_run_lease(struct hg_queue *queue, struct hg_queue_op *op)
{
    queue->ops->lease(queue, hg_container_of(op, struct hg_lease_op, base));
}

void queue_run_settle(struct hg_queue *queue, struct hg_queue_op *op)
{
    queue->ops->settle(queue, hg_container_of(op, struct hg_settle_op, base));
}

void queue_run_find(struct hg_queue *queue, struct hg_queue_op *op)
{
    queue->ops->find(queue, hg_container_of(op, struct hg_find_op, base));
}

void queue_run_change(struct hg_queue *queue, struct hg_queue_op *op)
{
    queue->ops->change(queue, hg_container_of(op, struct hg_change_op, base));
}

void queue_op_end(struct hg_queue_op *op, enum hg_rc rc, const char *why, ...)
{
    struct hg_queue_front *front = op->queue->front;
    va_list args;

    op->rc = rc;
    op->why[0] = '\0';
    if (why) {
        va_start(args, why);
        (void)vsnprintf(op->why, sizeof(op->why), why, args);
        va_end(args);
    }
    queue_counts_note(op->queue, op);
    if (op->run == queue_run_put)
        leave_flight(front, put_bytes(op));
    hg_list_unlink(&op->link);
    hg_list_push_back(&front->ended, &op->link);
    hg_loop_defer(op->queue->loop, &front->send_home);
}
