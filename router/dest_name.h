/*
 * What the kinds of destinations say of an event in names, headers and keys.
 * The same event and outcome give the same names, so that a second delivery
 * of one record overwrites the first where a target keeps things by name.
 */
#ifndef HG_ROUTER_DEST_NAME_H
#define HG_ROUTER_DEST_NAME_H

#include "router/dest.h"

/* When the outcome came to be: the end of the last attempt, or acceptance when there was none since. */
int64_t dest_outcome_ms(const struct hg_event *event);

/* "Success", "RetriesExhausted", …; "DeadLetter" for a dead-letter queue; static. */
const char *dest_condition(const struct hg_dest_op *op);

/* A UUID (RFC 9562 version 4 by its form) made from event, role and outcome, terminated. */
void dest_record_uuid(const struct hg_dest_op *op, char out[HG_UUID_LEN + 1]);

#endif
