/*
 * What can be read out of the templates and patterns of a MOCK integration
 * without a template engine.
 */
#ifndef HG_GATEWAY_MOCK_TEMPLATE_H
#define HG_GATEWAY_MOCK_TEMPLATE_H

#include "core/str.h"

/* Whether a template holds references or directives, so that its text is not its result. */
bool mock_template_needs_engine(struct hg_str text);

/*
 * The integer statusCode (100 to 599) of {"statusCode": 200} or {statusCode: 200}; 0 when there is
 * none.
 */
int mock_template_status(struct hg_str text);

/*
 * Sets marks[status] = mark for each status from 100 to max whose text the
 * whole pattern (Java's syntax, as far as statuses need it) matches. False
 * when the pattern cannot be evaluated.
 */
bool mock_pattern_mark(struct hg_str pattern, unsigned char *marks, int max, unsigned char mark);

#endif
