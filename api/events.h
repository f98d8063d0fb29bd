/*
 * The events pages: looking at asynchronous events, and mending them. Parts
 * shared by events*.c.
 */
#ifndef HG_API_EVENTS_H
#define HG_API_EVENTS_H

#include "api/call.h"
#include "api/events_query.h"

/* An event of a list, and an event with its whole life. */
void events_write_summary(struct hg_json *json, const struct hg_event *event);
void events_write_life(struct hg_json *json, const struct hg_event *event);

/* Answers for an operation of the queue that did not succeed. */
void events_fail(struct hg_call *call, enum hg_rc rc, const char *why);
/* The query, or false when answered. */
bool events_read_query(struct hg_call *call, unsigned takes, struct events_query *query);
/* The id in the path, terminated; NULL when answered. */
const char *events_read_id(struct hg_call *call);

/* Frees the copies of a find. */
void events_free_list(struct hg_list *events);

#endif
