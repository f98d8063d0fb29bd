/*
 * Accounts of both HTTP versions: requests, faults, and the memory that bodies take.
 */
#include "http/server_core.h"

#include "core/metrics.h"

static void count_status(int status)
{
    static const enum hg_counter classes[] = {HG_M_HTTP_REQUESTS_1XX, HG_M_HTTP_REQUESTS_2XX,
                                              HG_M_HTTP_REQUESTS_3XX, HG_M_HTTP_REQUESTS_4XX,
                                              HG_M_HTTP_REQUESTS_5XX};

    if (status >= 100 && status < 600)
        hg_count(classes[status / 100 - 1], 1);
}

bool conn_buffer_take(struct hg_conn *conn, size_t bytes)
{
    struct hg_server *server = conn->server;
    size_t before = atomic_fetch_add_explicit(&server->buffered_bytes, bytes, memory_order_relaxed);

    if (before + bytes <= server->limits.max_buffered_bytes)
        return true;
    conn_buffer_give(conn, bytes);
    return false;
}

void conn_buffer_give(struct hg_conn *conn, size_t bytes)
{
    atomic_fetch_sub_explicit(&conn->server->buffered_bytes, bytes, memory_order_relaxed);
}

void conn_note_fault(struct hg_conn *conn, enum hg_fault fault, const char *detail)
{
    hg_count(HG_M_HTTP_PROTOCOL_ERRORS, 1);
    count_status(fault_status(fault));
    shard_log_fault(conn->shard, &conn->peer, fault, detail);
}

struct hg_str conn_fault_body(const struct hg_conn *conn, enum hg_fault fault,
                              const struct hg_request *req)
{
    struct hg_str body = {NULL, 0};

    if (fault != HG_FAULT_BODY_LARGE)
        return fault_body(fault);
    if (req && conn->handler.on_large_body)
        body = conn->handler.on_large_body(req, conn->handler.arg);
    return body.p ? body : hg_str_of(conn->server->large_body_text);
}

void conn_finish_request(struct hg_request *req, uint64_t bytes_sent)
{
    count_status(req->response.status);
    hg_observe_us(HG_M_REQUEST_SECONDS, hg_mono_us() - req->start_us);
    if (req->on_done)
        req->on_done(req, bytes_sent);
    hg_blob_unref(req->response.holder);
    req->response.holder = NULL;
}

void conn_abort_request(struct hg_request *req)
{
    hg_count(HG_M_HTTP_REQUESTS_ABORTED, 1);
    if (req->on_abort)
        req->on_abort(req);
    hg_blob_unref(req->response.holder);
    req->response.holder = NULL;
}
