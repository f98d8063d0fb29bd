/*
 * The event as a value: made, changed, freed. Its stored form is event_code.c's.
 */
#include "queue/event.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const states[HG_EVENT_STATE_COUNT] = {"queued", "running", "retrying",
                                                         "delivered", "dead"};
static const char *const conditions[HG_CONDITION_COUNT] = {
    "",
    "Success",
    "RetriesExhausted",
    "EventAgeExceeded",
    "ZeroReservedConcurrency",
    "RecursionDetected",
    "FunctionNotFound",
};
static const char *const outcomes[] = {"Success", "FunctionError", "TimedOut", "Throttled",
                                       "SystemError"};

const char *hg_event_state_name(enum hg_event_state state)
{
    return states[state];
}

bool hg_event_state_of(struct hg_str text, enum hg_event_state *state)
{
    for (size_t i = 0; i < HG_COUNT(states); i++) {
        if (hg_str_is(text, states[i])) {
            *state = (enum hg_event_state)i;
            return true;
        }
    }
    return false;
}

const char *hg_event_condition_name(enum hg_event_condition condition)
{
    return conditions[condition];
}

const char *hg_attempt_name(enum hg_attempt_outcome outcome)
{
    return outcomes[outcome];
}

struct hg_event *hg_event_new(struct hg_str function, struct hg_str qualifier,
                              struct hg_blob *payload)
{
    struct hg_event *event = hg_calloc(1, sizeof(*event));

    hg_assert(function.n <= HG_EVENT_FUNCTION_MAX && qualifier.n <= HG_EVENT_QUALIFIER_MAX);
    hg_uuid_ordered(event->id);
    memcpy(event->function, function.p, function.n);
    if (qualifier.n)
        memcpy(event->qualifier, qualifier.p, qualifier.n);
    event->payload = payload;
    event->accepted_ms = event->due_ms = hg_steady_ms();
    event->current_target = -1;
    return event;
}

void hg_event_free(struct hg_event *event)
{
    if (!event)
        return;
    hg_blob_unref(event->payload);
    hg_blob_unref(event->result);
    free(event->attempts);
    free(event->targets);
    free(event);
}

const char *hg_event_channel(const struct hg_event *event)
{
    return event->current_target < 0 ? "" : event->targets[event->current_target].uri;
}

static bool counts_together(const struct hg_event_attempt *a, const struct hg_event_attempt *b)
{
    return a->outcome == b->outcome &&
           (a->outcome == HG_ATTEMPT_THROTTLED || a->outcome == HG_ATTEMPT_SYSTEM_ERROR);
}

void hg_event_note_attempt(struct hg_event *event, const struct hg_event_attempt *attempt)
{
    struct hg_event_attempt *last =
        event->attempt_count ? &event->attempts[event->attempt_count - 1] : NULL;

    if (last && counts_together(last, attempt)) {
        unsigned count = last->count + 1;

        *last = *attempt;
        last->count = count;
        return;
    }
    if (last && event->attempt_count == HG_EVENT_ATTEMPTS_KEPT) {
        event->attempt_count--;
        memmove(event->attempts, event->attempts + 1,
                event->attempt_count * sizeof(*event->attempts));
    } else {
        event->attempts =
            hg_realloc(event->attempts, (event->attempt_count + 1) * sizeof(*event->attempts));
    }
    event->attempts[event->attempt_count] = *attempt;
    event->attempts[event->attempt_count++].count = 1;
}

void hg_event_reset(struct hg_event *event, int64_t now_ms)
{
    event->accepted_ms = event->due_ms = now_ms;
    event->state = HG_EVENT_QUEUED;
    event->condition = HG_CONDITION_NONE;
    event->finished_ms = 0;
    event->tries = event->backoff_s = 0;
    event->redrives++;
    event->executed_version[0] = '\0';
    event->has_function_error = false;
    hg_blob_unref(event->result);
    event->result = NULL;
    free(event->targets);
    event->targets = NULL;
    event->target_count = 0;
    event->current_target = -1;
    event->why[0] = '\0';
}
