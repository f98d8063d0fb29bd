/*
 * Where an outcome goes: one table of functions for each kind of target.
 * Router loop only, but for dest_check. A new kind: a file dest_<type>.c with its ops, one line
 * in dest.c's array, a row in the shared contract test.
 */
#ifndef HG_ROUTER_DEST_H
#define HG_ROUTER_DEST_H

#include "config/model.h"
#include "core/loop.h"
#include "queue/event.h"

struct hg_dest;
struct hg_http_client;
struct hg_router;

/* What every destination may use; lives as long as the router. */
struct hg_dest_context {
    struct hg_loop *loop;
    struct hg_http_client *http;
    const char *region, *account; /* of this installation */
    struct hg_kv_list
        extra; /* engine options ("kafka.…"), which Kafka and Redis destinations share */
    /* Function destinations: publishes payload (lent) as an event under the given id, once however often it is asked. */
    struct hg_router *router;
};

/* One delivery: made and owned by the router, lent until done or cancel. */
struct hg_dest_op {
    const struct hg_event *event;
    enum hg_target_role role;
    struct hg_str body; /* the invocation record; dead-letter queue: the event's payload */
    /* Dead-letter attributes (async.md §5); "" otherwise. */
    char error_code[8];
    char error_message[1025];

    void (*done)(struct hg_dest_op *op); /* later, on the router loop, never inside send */
    enum hg_rc rc;                       /* HG_OK: accepted by the target */
    bool is_final; /* trying again is of no use: denied, no such target, too large */
    char receipt[HG_EVENT_WHY_MAX], why[HG_EVENT_WHY_MAX];

    void *state; /* the destination's, while it is being sent */

    /* dest.c's. */
    struct hg_task late;
    bool is_late;
};

struct hg_dest_ops {
    const char *type; /* "sqs", "function", "kafka", "webhook", … */
    /* Whether target (a URI or ARN) is one of this kind, by its form alone. Any thread. */
    bool (*matches)(struct hg_str target);
    /* Sets up dest->state; HG_E_INVALID with a sentence for a target that can never work. */
    enum hg_rc (*bind)(struct hg_dest *dest, const char *target, struct hg_error *err);
    /* Ends, at any later time and once, with dest_accept, dest_refuse or dest_refuse_later. */
    void (*send)(struct hg_dest *dest, struct hg_dest_op *op);
    /* After it returns done never runs; the target may have got it. */
    void (*cancel)(struct hg_dest *dest, struct hg_dest_op *op);
    void (*unbind)(struct hg_dest *dest);
};

struct hg_dest {
    const struct hg_dest_ops *ops;
    const struct hg_dest_context *context;
    char target[HG_EVENT_TARGET_MAX + 1];
    void *state;
};

extern const struct hg_dest_ops hg_dest_function, hg_dest_sqs, hg_dest_sns, hg_dest_eventbridge,
    hg_dest_s3, hg_dest_redis, hg_dest_kafka, hg_dest_webhook, hg_dest_directory;

/* The kind that target is, or NULL. Any thread. */
const struct hg_dest_ops *dest_kind(struct hg_str target);

/* NULL and a sentence when target is of no kind or its bind refuses. */
struct hg_dest *dest_new(const struct hg_dest_context *context, const char *target,
                         struct hg_error *err);
void dest_send(struct hg_dest *dest, struct hg_dest_op *op);
void dest_cancel(struct hg_dest *dest, struct hg_dest_op *op);
/* Nothing may be being sent. NULL is allowed. */
void dest_free(struct hg_dest *dest);

/* The target as it may be shown: without user information (user:password@). */
void dest_show(const char *target, char out[HG_EVENT_TARGET_MAX + 1]);

/*
 * For the kinds: how a send ends. Texts are cut to fit and made printable. accept and refuse run op->done, so they are
 * never called inside send; refuse_later is for what send itself finds out, and needs no cancel of the kind.
 */
void dest_accept(struct hg_dest_op *op, const char *receipt, ...) hg_printf_like(2, 3);
void dest_refuse(struct hg_dest_op *op, enum hg_rc rc, bool is_final, const char *why, ...)
    hg_printf_like(4, 5);
void dest_refuse_later(struct hg_dest *dest, struct hg_dest_op *op, enum hg_rc rc, bool is_final,
                       const char *why, ...) hg_printf_like(5, 6);

#endif
