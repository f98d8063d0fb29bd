/*
 * The kinds of destinations and what they have in common. Router loop, but
 * for dest_kind and dest_show. Knows nothing of any protocol.
 */
#include "router/dest.h"

#include "core/crash_point.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const struct hg_dest_ops *const kinds[] = {
    &hg_dest_function, &hg_dest_sqs,   &hg_dest_sns,     &hg_dest_eventbridge, &hg_dest_s3,
    &hg_dest_redis,    &hg_dest_kafka, &hg_dest_webhook, &hg_dest_directory,
};

const struct hg_dest_ops *dest_kind(struct hg_str target)
{
    for (size_t i = 0; i < HG_COUNT(kinds); i++)
        if (kinds[i]->matches(target))
            return kinds[i];
    return NULL;
}

void dest_show(const char *target, char out[HG_EVENT_TARGET_MAX + 1])
{
    const char *host = strstr(target, "://");
    const char *end, *at = NULL;
    size_t scheme;

    if (host) {
        host += 3;
        end = host + strcspn(host, "/?#");
        for (const char *p = host; p < end; p++)
            if (*p == '@')
                at = p;
    }
    scheme = at ? (size_t)(host - target) : 0;
    (void)snprintf(out, HG_EVENT_TARGET_MAX + 1, "%.*s%s", (int)scheme, target,
                   at ? at + 1 : target);
}

struct hg_dest *dest_new(const struct hg_dest_context *context, const char *target,
                         struct hg_error *err)
{
    struct hg_dest *dest;
    const struct hg_dest_ops *ops = dest_kind(hg_str_of(target));
    char shown[HG_EVENT_TARGET_MAX + 1];

    dest_show(target, shown);
    if (!ops) {
        (void)hg_error_set(err, HG_E_INVALID, "%s is no destination that Headgate knows", shown);
        return NULL;
    }
    if (strlen(target) > HG_EVENT_TARGET_MAX) {
        (void)hg_error_set(err, HG_E_INVALID, "%.64s…: a destination has at most %d bytes", shown,
                           HG_EVENT_TARGET_MAX);
        return NULL;
    }
    dest = hg_calloc(1, sizeof(*dest));
    dest->ops = ops;
    dest->context = context;
    (void)snprintf(dest->target, sizeof(dest->target), "%s", target);
    if (ops->bind(dest, dest->target, err) != HG_OK) {
        free(dest);
        return NULL;
    }
    return dest;
}

void dest_free(struct hg_dest *dest)
{
    if (!dest)
        return;
    dest->ops->unbind(dest);
    free(dest);
}

static void on_refused_late(struct hg_task *task)
{
    struct hg_dest_op *op = hg_container_of(task, struct hg_dest_op, late);

    op->is_late = false;
    op->done(op);
}

void dest_send(struct hg_dest *dest, struct hg_dest_op *op)
{
    op->rc = HG_OK;
    op->is_final = false;
    op->receipt[0] = op->why[0] = '\0';
    op->state = NULL;
    hg_task_init(&op->late, on_refused_late);
    op->is_late = false;
    dest->ops->send(dest, op);
}

void dest_cancel(struct hg_dest *dest, struct hg_dest_op *op)
{
    if (!op->is_late) {
        dest->ops->cancel(dest, op);
        return;
    }
    hg_task_cancel(&op->late);
    op->is_late = false;
}

/* Peers' texts end up in logs and pages: one line, no control bytes, no half UTF-8 character at the cut. */
hg_printf_like(2, 0) static void set_text(char out[HG_EVENT_WHY_MAX], const char *format,
                                          va_list args)
{
    int length = vsnprintf(out, HG_EVENT_WHY_MAX, format, args);

    if (length >= HG_EVENT_WHY_MAX) {
        size_t end = HG_EVENT_WHY_MAX - 1;

        while (end && ((unsigned char)out[end - 1] & 0xc0) == 0x80)
            end--;
        if (end && (unsigned char)out[end - 1] >= 0xc0)
            end--;
        out[end] = '\0';
    }
    for (char *p = out; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
}

void dest_accept(struct hg_dest_op *op, const char *receipt, ...)
{
    va_list args;

    /* The target has it and nobody has noted that: a crash here means a second delivery. */
    hg_crash_point("mid-destination");
    va_start(args, receipt);
    set_text(op->receipt, receipt, args);
    va_end(args);
    op->rc = HG_OK;
    op->state = NULL;
    op->done(op);
}

hg_printf_like(4, 0) static void refuse(struct hg_dest_op *op, enum hg_rc rc, bool is_final,
                                        const char *why, va_list args)
{
    op->rc = rc;
    op->is_final = is_final;
    op->state = NULL;
    set_text(op->why, why, args);
}

void dest_refuse(struct hg_dest_op *op, enum hg_rc rc, bool is_final, const char *why, ...)
{
    va_list args;

    va_start(args, why);
    refuse(op, rc, is_final, why, args);
    va_end(args);
    op->done(op);
}

void dest_refuse_later(struct hg_dest *dest, struct hg_dest_op *op, enum hg_rc rc, bool is_final,
                       const char *why, ...)
{
    va_list args;

    va_start(args, why);
    refuse(op, rc, is_final, why, args);
    va_end(args);
    op->is_late = true;
    hg_loop_defer(dest->context->loop, &op->late);
}
