/*
 * Events as JSON. Times are ISO 8601 in UTC; what is not there is null, so
 * that every event has the same keys.
 */
#include "api/events.h"
#include "core/clock.h"
#include "core/json_scan.h"
#include "router/dest.h"

enum { SHOWN_MAX = 262144 }; /* bytes of a payload or result */

static const char *const role_names[] = {
    [HG_TARGET_ON_SUCCESS] = "on_success",
    [HG_TARGET_ON_FAILURE] = "on_failure",
    [HG_TARGET_DEAD_LETTER] = "dead_letter",
};

static const char *const target_state_names[] = {
    [HG_TARGET_PENDING] = "pending",
    [HG_TARGET_DONE] = "done",
    [HG_TARGET_FAILED] = "failed",
};

static void write_time(struct hg_json *json, int64_t ms)
{
    char text[HG_TIME_TEXT_MAX];

    hg_json_cstr(json, ms > 0 ? hg_time_iso(ms, text) : NULL);
}

static void write_text(struct hg_json *json, const char *text)
{
    hg_json_cstr(json, text[0] ? text : NULL);
}

/* Of a delivery, else of a run, else why it is dead. */
static const char *last_error(const struct hg_event *event)
{
    for (size_t i = 0; i < event->target_count; i++)
        if (event->targets[i].state != HG_TARGET_DONE && event->targets[i].error[0])
            return event->targets[i].error;
    if (event->attempt_count && event->attempts[event->attempt_count - 1].error[0])
        return event->attempts[event->attempt_count - 1].error;
    return event->state == HG_EVENT_DEAD ? event->why : "";
}

static void write_head(struct hg_json *json, const struct hg_event *event)
{
    bool is_waiting = event->state == HG_EVENT_QUEUED || event->state == HG_EVENT_RETRYING;

    hg_json_field_cstr(json, "request_id", event->id);
    hg_json_field_cstr(json, "function", event->function);
    hg_json_key_lit(json, "qualifier");
    write_text(json, event->qualifier);
    hg_json_field_cstr(json, "state", hg_event_state_name(event->state));
    hg_json_key_lit(json, "condition");
    write_text(json, hg_event_condition_name(event->condition));
    hg_json_key_lit(json, "accepted");
    write_time(json, event->accepted_ms);
    hg_json_key_lit(json, "next_attempt");
    write_time(json, is_waiting ? HG_MAX(event->due_ms, event->accepted_ms) : 0);
    hg_json_key_lit(json, "finished");
    write_time(json, event->finished_ms);
    hg_json_field_i64(json, "tries", event->tries);
    hg_json_field_i64(json, "redrives", event->redrives);
    hg_json_key_lit(json, "last_error");
    write_text(json, last_error(event));
}

void events_write_summary(struct hg_json *json, const struct hg_event *event)
{
    hg_json_begin_object(json);
    write_head(json, event);
    hg_json_end_object(json);
}

static void write_attempts(struct hg_json *json, const struct hg_event *event)
{
    hg_json_key_lit(json, "attempts");
    hg_json_begin_array(json);
    for (size_t i = 0; i < event->attempt_count; i++) {
        const struct hg_event_attempt *attempt = &event->attempts[i];

        hg_json_begin_object(json);
        hg_json_key_lit(json, "started");
        write_time(json, attempt->started_ms);
        hg_json_field_i64(json, "duration_ms", attempt->duration_ms);
        hg_json_field_cstr(json, "outcome", hg_attempt_name(attempt->outcome));
        hg_json_field_i64(json, "count", attempt->count);
        hg_json_key_lit(json, "error");
        write_text(json, attempt->error);
        hg_json_end_object(json);
    }
    hg_json_end_array(json);
}

static void write_targets(struct hg_json *json, const struct hg_event *event)
{
    hg_json_key_lit(json, "targets");
    hg_json_begin_array(json);
    for (size_t i = 0; i < event->target_count; i++) {
        const struct hg_event_target *target = &event->targets[i];
        char shown[HG_EVENT_TARGET_MAX + 1];

        dest_show(target->uri, shown);
        hg_json_begin_object(json);
        hg_json_field_cstr(json, "target", shown);
        hg_json_field_cstr(json, "role", role_names[target->role]);
        hg_json_field_cstr(json, "state", target_state_names[target->state]);
        hg_json_field_i64(json, "tries", target->tries);
        hg_json_key_lit(json, "next_try");
        write_time(json, target->state == HG_TARGET_PENDING ? target->due_ms : 0);
        hg_json_key_lit(json, "finished");
        write_time(json, target->finished_ms);
        hg_json_key_lit(json, "receipt");
        write_text(json, target->receipt);
        hg_json_key_lit(json, "error");
        write_text(json, target->error);
        hg_json_end_object(json);
    }
    hg_json_end_array(json);
}

/* JSON as it is, other bytes as a string; null when there is nothing or too much. */
static void write_document(struct hg_json *json, const struct hg_blob *blob)
{
    struct hg_str text = hg_blob_str(blob);

    if (!blob || text.n > SHOWN_MAX)
        hg_json_null(json);
    else if (hg_json_parse(text, NULL).kind != HG_JSON_BAD)
        hg_json_raw(json, text);
    else
        hg_json_str(json, text);
}

void events_write_life(struct hg_json *json, const struct hg_event *event)
{
    hg_json_begin_object(json);
    write_head(json, event);
    hg_json_key_lit(json, "dedup_id");
    write_text(json, event->dedup);
    hg_json_key_lit(json, "trace_id");
    write_text(json, event->trace_id);
    hg_json_field_i64(json, "redeliveries", event->deliveries);
    hg_json_key_lit(json, "executed_version");
    write_text(json, event->executed_version);
    write_attempts(json, event);
    write_targets(json, event);
    hg_json_key_lit(json, "why");
    write_text(json, event->why);
    hg_json_field_i64(json, "payload_bytes", (int64_t)hg_blob_str(event->payload).n);
    hg_json_key_lit(json, "payload");
    write_document(json, event->payload);
    hg_json_field_bool(json, "function_error", event->has_function_error);
    hg_json_field_i64(json, "result_bytes", (int64_t)hg_blob_str(event->result).n);
    hg_json_key_lit(json, "result");
    write_document(json, event->result);
    hg_json_end_object(json);
}
