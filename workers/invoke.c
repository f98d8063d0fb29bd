/*
 * Life of the struct that callers own; what happens between is in pool.c.
 */
#include "workers/invoke.h"

#include <stdlib.h>

void invocation_init(struct hg_invocation *inv, size_t max_payload)
{
    *inv = (struct hg_invocation){.rc = HG_OK};
    hg_buf_init(&inv->payload, max_payload);
    hg_uuid(inv->request_id);
}

void invocation_fini(struct hg_invocation *inv)
{
    hg_assert(!inv->running);
    hg_buf_fini(&inv->payload);
    hg_blob_unref(inv->event);
    hg_blob_unref(inv->answer);
    free(inv->tail_bytes);
    snapshot_unref(inv->snapshot);
    inv->event = inv->answer = NULL;
    inv->tail_bytes = NULL;
    inv->log_tail = (struct hg_str){0};
    inv->snapshot = NULL;
}
