/*
 * The table of fault.def as functions.
 */
#include "http/fault.h"

static const struct {
    int status;
    const char *event, *body;
} rows[] = {
#define HG_FAULT(symbol, status, event, body) {status, event, body},
#include "http/fault.def"
#undef HG_FAULT
};

int fault_status(enum hg_fault fault)
{
    return rows[fault].status;
}

const char *fault_event(enum hg_fault fault)
{
    return rows[fault].event;
}

struct hg_str fault_body(enum hg_fault fault)
{
    return hg_str_of(rows[fault].body);
}

const char *fault_content_type(struct hg_str body)
{
    return body.n && body.p[0] == '{' ? "application/json" : "text/plain";
}

bool fault_may_retry(enum hg_fault fault)
{
    return rows[fault].status == 503;
}
