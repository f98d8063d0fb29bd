/*
 * The query of the events pages: what to look for, from bytes of the network.
 * Any thread.
 */
#ifndef HG_API_EVENTS_QUERY_H
#define HG_API_EVENTS_QUERY_H

#include "core/error.h"
#include "queue/queue.h"

enum { EVENTS_PAGE_MAX = 1000, EVENTS_PAGE_DEFAULT = 100, EVENTS_CURSOR_MAX = 127 };

struct events_query {
    char function[HG_EVENT_FUNCTION_MAX + 1]; /* "" for all */
    unsigned states;                          /* bits 1 << enum hg_event_state; 0: not given */
    int64_t since_ms;                         /* 0: not given */
    unsigned limit;                           /* 0: not given */
    char cursor[EVENTS_CURSOR_MAX + 1];       /* "" for none */
};

/* The parameters, for a page to say which it takes. */
enum {
    EVENTS_TAKES_FUNCTION = 1,
    EVENTS_TAKES_STATE = 2,
    EVENTS_TAKES_SINCE = 4,
    EVENTS_TAKES_LIMIT = 8,
    EVENTS_TAKES_CURSOR = 16,
};

/*
 * Reads a query string (behind the '?', still encoded; p may be NULL). now_ms is what durations count back from. False
 * with a sentence that names the parameter and what it may be.
 */
bool events_query_parse(struct hg_str query, unsigned takes, int64_t now_ms,
                        struct events_query *out, struct hg_error *err);

/* Whether text has the form of an event's id. */
bool events_is_id(struct hg_str text);

#endif
