/*
 * Any bytes that a runtime may send, in two pieces cut where the first byte
 * says, while events keep being given to it.
 */
#include "workers/runtime_conn.h"

#include <stdlib.h>

static char scratch[HG_RUNTIME_READ_BYTES];
static struct hg_blob *event;
static const struct hg_delivery delivery = {.request_id = "11111111-2222-4333-8444-555555555555",
                                            .invoked_arn = "arn",
                                            .trace_id = "Root=1-2\r\nX: y"};
static struct hg_delivery current;

static void on_next(struct hg_runtime_api *api)
{
    runtime_api_deliver(api, &current);
}

static void on_post(struct hg_runtime_api *api, const struct hg_runtime_post *post)
{
    (void)api;
    hg_assert(hg_blob_str(post->body).n <= 6291556 &&
              strlen(post->error_type) < HG_RUNTIME_ERROR_TYPE_MAX);
}

static void on_fault(struct hg_runtime_api *api, enum hg_runtime_fault fault)
{
    (void)api;
    (void)fault;
}

static void on_lost(struct hg_runtime_api *api)
{
    (void)api;
}

static const struct hg_runtime_events events = {on_next, on_lost, on_post,
                                                on_post, on_post, on_fault};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_loop *loop = hg_loop_new(0);
    struct hg_runtime_api api;
    struct hg_runtime_conn *conn;
    size_t cut;

    event = hg_blob_new("{}", 2);
    current = delivery;
    current.event = event;
    runtime_api_init(&api, loop, &events, scratch);
    runtime_api_open(&api, -1, -1);
    conn = runtime_conn_new(&api, -1);
    if (size) {
        cut = bytes[0] < size ? bytes[0] : size - 1;
        runtime_conn_feed(conn, hg_str_n((const char *)bytes + 1, cut), false);
        if (!conn->is_closed)
            runtime_conn_feed(conn, hg_str_n((const char *)bytes + 1 + cut, size - 1 - cut), true);
    }
    runtime_api_close(&api);
    hg_loop_turn(loop, false);
    hg_loop_free(loop);
    hg_blob_unref(event);
    return 0;
}
