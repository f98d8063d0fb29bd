/*
 * The schedule. Every span of time is multiplied by the scale as late as
 * possible, so that a shortened schedule keeps its proportions.
 */
#include "router/retry.h"

enum {
    FIRST_RETRY_MS = 60000,
    LATER_RETRY_MS = 120000,
    BACKOFF_MAX_S = 300,
    /* What was scheduled within the age limit is dropped for being late only beyond this: of real time, whatever the scale. */
    LATE_MS = 1000,
    DELIVERY_TRIES_MAX = 80, /* 8 in the first minutes, then one every five: six hours */
};

/* A throttled event comes back after 3/4 to all of its back-off. */
#define JITTER 0.25

static int64_t scaled(double span_ms, double scale)
{
    return (int64_t)(span_ms * scale + 0.5);
}

static int64_t with_jitter(double span_ms, double scale, double random)
{
    return scaled(span_ms * (1.0 - JITTER * random), scale);
}

void retry_rules(const struct hg_event_config *config, double scale, struct hg_retry_rules *rules)
{
    int retries = config ? config->max_retries : -1, age_s = config ? config->max_age_s : -1;

    rules->max_retries = (unsigned)(retries < 0 ? HG_EVENT_RETRIES_DEFAULT : retries);
    rules->max_age_ms = scaled((age_s < 0 ? HG_EVENT_AGE_DEFAULT_S : age_s) * 1000.0, scale);
    rules->scale = scale;
}

static bool is_too_old(const struct hg_event *event, const struct hg_retry_rules *rules,
                       int64_t now_ms)
{
    int64_t limit_ms = event->accepted_ms + rules->max_age_ms;
    bool was_scheduled = event->due_ms > event->accepted_ms && event->due_ms < limit_ms;

    return now_ms > limit_ms && !(was_scheduled && now_ms - event->due_ms <= LATE_MS);
}

enum hg_event_condition retry_before(const struct hg_event *event,
                                     const struct hg_function *function,
                                     const struct hg_retry_rules *rules, int64_t now_ms)
{
    if (!function)
        return HG_CONDITION_NO_FUNCTION;
    if (function->reserved_concurrency == 0)
        return HG_CONDITION_ZERO_CONCURRENCY;
    return is_too_old(event, rules, now_ms) ? HG_CONDITION_AGE_EXCEEDED : HG_CONDITION_NONE;
}

/* An attempt takes time, so one that would begin exactly at the limit begins after it. */
static enum hg_event_condition schedule(struct hg_event *event, int64_t due_ms,
                                        const struct hg_retry_rules *rules)
{
    if (due_ms - event->accepted_ms >= rules->max_age_ms)
        return HG_CONDITION_AGE_EXCEEDED;
    event->due_ms = due_ms;
    return HG_CONDITION_NONE;
}

enum hg_event_condition retry_after(struct hg_event *event, enum hg_attempt_outcome outcome,
                                    const struct hg_retry_rules *rules, int64_t now_ms,
                                    double random)
{
    double delay_ms;

    switch (outcome) {
    case HG_ATTEMPT_SUCCESS:
        event->tries++;
        event->backoff_s = 0;
        return HG_CONDITION_SUCCESS;
    case HG_ATTEMPT_FUNCTION_ERROR:
    case HG_ATTEMPT_TIMEOUT:
        event->tries++;
        event->backoff_s = 0;
        if (event->tries > rules->max_retries)
            return HG_CONDITION_RETRIES_EXHAUSTED;
        delay_ms = event->tries == 1 ? FIRST_RETRY_MS : LATER_RETRY_MS;
        return schedule(event, now_ms + scaled(delay_ms, rules->scale), rules);
    case HG_ATTEMPT_THROTTLED:
    case HG_ATTEMPT_SYSTEM_ERROR:
        break;
    }
    event->backoff_s = HG_MIN(HG_MAX(2 * event->backoff_s, 1u), (unsigned)BACKOFF_MAX_S);
    return schedule(event, now_ms + with_jitter(event->backoff_s * 1000.0, rules->scale, random),
                    rules);
}

int64_t retry_delivery(unsigned tries, int64_t now_ms, double scale, double random)
{
    double delay_s = BACKOFF_MAX_S;

    if (tries >= DELIVERY_TRIES_MAX)
        return 0;
    if (tries <= 8)
        delay_s = (double)(1u << (HG_MAX(tries, 1u) - 1));
    return now_ms + with_jitter(delay_s * 1000.0, scale, random);
}
