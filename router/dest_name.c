/*
 * Names made from an event and its outcome.
 */
#include "router/dest_name.h"

#include "core/crypto.h"

#include <inttypes.h>
#include <stdio.h>

int64_t dest_outcome_ms(const struct hg_event *event)
{
    const struct hg_event_attempt *last;

    if (!event->attempt_count)
        return event->accepted_ms;
    last = &event->attempts[event->attempt_count - 1];
    /* A redriven event keeps its attempts: its outcome is a new one also when it never ran again. */
    return HG_MAX(last->started_ms + last->duration_ms, event->accepted_ms);
}

const char *dest_condition(const struct hg_dest_op *op)
{
    return op->role == HG_TARGET_DEAD_LETTER ? "DeadLetter"
                                             : hg_event_condition_name(op->event->condition);
}

void dest_record_uuid(const struct hg_dest_op *op, char out[HG_UUID_LEN + 1])
{
    unsigned char hash[HG_SHA256_LEN];
    char text[128];
    char *p = out;

    (void)snprintf(text, sizeof(text), "%s %s %" PRId64, op->event->id, dest_condition(op),
                   dest_outcome_ms(op->event));
    hg_sha256(hg_str_of(text), hash);
    hash[6] = (unsigned char)((hash[6] & 0x0f) | 0x40);
    hash[8] = (unsigned char)((hash[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < 16; i++)
        p += snprintf(p, 4, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", hash[i]);
}
