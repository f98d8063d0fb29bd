/*
 * What the server answers by itself, made from fault.def; both HTTP versions use it.
 */
#ifndef HG_HTTP_FAULT_H
#define HG_HTTP_FAULT_H

#include "core/str.h"

enum hg_fault {
#define HG_FAULT(symbol, status, event, body) symbol,
#include "http/fault.def"
#undef HG_FAULT
    HG_FAULT_COUNT
};

int fault_status(enum hg_fault fault);
/* Event name for the log. */
const char *fault_event(enum hg_fault fault);
struct hg_str fault_body(enum hg_fault fault);
/* Of such a body: JSON or plain text, told by its first byte. */
const char *fault_content_type(struct hg_str body);
/* Whether the answer says Retry-After: 1. */
bool fault_may_retry(enum hg_fault fault);

#endif
