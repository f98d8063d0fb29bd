/*
 * Headgate's own pages on the management port: health, routes, metrics.
 */
#include "api/call.h"
#include "core/clock.h"
#include "core/metrics.h"

#include <stdatomic.h>

static void write_queue(struct hg_json *json, const struct hg_queue *queue)
{
    char why[HG_EVENT_WHY_MAX];
    bool is_up = queue_is_up(queue, why);

    hg_json_key_lit(json, "queue");
    hg_json_begin_object(json);
    hg_json_field_cstr(json, "engine", queue_engine_name(queue));
    hg_json_field_bool(json, "up", is_up);
    if (!is_up)
        hg_json_field_cstr(json, "why", why);
    hg_json_end_object(json);
}

void page_health(struct hg_call *call)
{
    static const char *const names[] = {"starting", "ok", "draining"};
    int phase = atomic_load(&call->api->phase);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "status", names[phase]);
    hg_json_field_cstr(&json, "version", HG_VERSION);
    hg_json_field_i64(&json, "uptime_ms", (hg_mono_us() - call->api->started_us) / 1000);
    hg_json_field_i64(&json, "connections", server_connections(call->api->options.server));
    hg_json_key_lit(&json, "workers");
    workers_render_health(call->api->options.workers, &json);
    write_queue(&json, call->api->options.queue);
    hg_json_end_object(&json);
    call_respond_json(call, phase == HG_API_READY ? 200 : 503, buf);
}

void page_routes(struct hg_call *call)
{
    struct hg_snapshot *snapshot = registry_current(call->api->options.registry);
    struct hg_buf *buf = call_buffer(call);
    struct hg_json json = hg_json_to(buf);

    gateway_render_routes(snapshot, &json);
    snapshot_unref(snapshot);
    call_respond_json(call, 200, buf);
}

void page_metrics(struct hg_call *call)
{
    struct hg_buf *buf = call_buffer(call);

    hg_metrics_render(buf);
    workers_render_metrics(call->api->options.workers, buf);
    queue_render_metrics(call->api->options.queue, buf);
    router_render_metrics(call->api->options.router, buf);
    req_respond_with(call->req, 200, "text/plain; version=0.0.4; charset=utf-8", hg_buf_str(buf));
}
