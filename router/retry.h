/*
 * When an event runs, runs again, or is given up: the schedule of async.md §§2
 * and 9 as arithmetic on the event. No clock, no I/O, no waiting.
 */
#ifndef HG_ROUTER_RETRY_H
#define HG_ROUTER_RETRY_H

#include "config/event_config.h"
#include "queue/event.h"

/* What holds for one step of one event; read anew for each step. */
struct hg_retry_rules {
    unsigned max_retries; /* after function errors */
    int64_t max_age_ms;   /* since acceptance; scaled */
    double scale;         /* of every delay */
};

/* config may be NULL: the defaults hold. */
void retry_rules(const struct hg_event_config *config, double scale, struct hg_retry_rules *rules);

/*
 * Before a run: HG_CONDITION_NONE when it may run. function is what the event is addressed to now; NULL: nothing.
 */
enum hg_event_condition retry_before(const struct hg_event *event,
                                     const struct hg_function *function,
                                     const struct hg_retry_rules *rules, int64_t now_ms);

/*
 * After a try that ended in outcome: counts it in the event. HG_CONDITION_NONE: try again, due_ms and backoff_s are set.
 * random (0 ≤ random < 1) spreads what was throttled together.
 */
enum hg_event_condition retry_after(struct hg_event *event, enum hg_attempt_outcome outcome,
                                    const struct hg_retry_rules *rules, int64_t now_ms,
                                    double random);

/*
 * After a failed delivery of the event's record, the tries-th one: when it is tried again; 0 when it is given up, after
 * about as long as an event may live.
 */
int64_t retry_delivery(unsigned tries, int64_t now_ms, double scale, double random);

#endif
