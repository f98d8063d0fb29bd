/*
 * Events as people read them, from the JSON of the events pages.
 */
#ifndef HG_CLI_EVENTS_PRINT_H
#define HG_CLI_EVENTS_PRINT_H

#include "core/json_scan.h"

/* The table of a page. False when the document is not one. */
bool events_print_page(struct hg_json_value page);
/* One event's life. */
bool events_print_life(struct hg_json_value event);

/* The sentence of an error document to stderr, or the whole document. */
void events_print_error(int status, struct hg_str body);

/* Member of an object as text: a string without its quotes and escapes, control bytes as blanks; "" for null or absent. Static storage of a few texts. */
const char *events_text(struct hg_json_value object, const char *name);

#endif
