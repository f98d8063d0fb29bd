/*
 * PutLogEvents: a batch of events is written as a whole, but for those that are too old or too new.
 */
#include "api/logs.h"

#include "core/clock.h"

enum {
    BATCH_MAX = 1048576,
    EVENT_OVERHEAD = 26,
    SPAN_MAX_MS = 86400000,
    AHEAD_MAX_MS = 7200000,
    LINES_MAX = 8 << 20,
};
#define AGE_MAX_MS (INT64_C(14) * 86400000)
#define SEQUENCE_TOKEN "49039859627029312393216545170837391512234113713139908610"

/* What was found in the batch. */
struct batch {
    int64_t first_ms, last_ms, too_new_from, too_old_to,
        expired_to; /* the last three: -1 for none */
    uint64_t bytes;
    bool is_in_order;
};

static int64_t time_of(struct hg_json_value event)
{
    return logs_input_number(hg_json_member(event, "timestamp"));
}

static void measure(const struct logs_op *op, const struct hg_log_group *group, int64_t now_ms,
                    struct batch *batch)
{
    struct hg_json_walk walk = hg_json_walk(logs_input_get(&op->input, "logEvents"));
    int64_t oldest_ms = log_group_oldest_ms(group, now_ms);
    struct hg_json_value event;

    *batch =
        (struct batch){.too_new_from = -1, .too_old_to = -1, .expired_to = -1, .is_in_order = true};
    for (int64_t index = 0; hg_json_next_element(&walk, &event); index++) {
        int64_t wall_ms = time_of(event);

        batch->bytes +=
            logs_input_text(&op->input, hg_json_member(event, "message")).n + EVENT_OVERHEAD;
        if (index == 0)
            batch->first_ms = wall_ms;
        else if (wall_ms < batch->last_ms)
            batch->is_in_order = false;
        batch->last_ms = wall_ms;
        if (wall_ms < oldest_ms)
            batch->expired_to = index + 1;
        else if (wall_ms < now_ms - AGE_MAX_MS)
            batch->too_old_to = index + 1;
        else if (wall_ms > now_ms + AHEAD_MAX_MS && batch->too_new_from < 0)
            batch->too_new_from = index;
    }
}

/* False: refused. */
static bool check(struct logs_op *op, const struct batch *batch)
{
    if (batch->bytes > BATCH_MAX)
        (void)logs_refuse(op, "InvalidParameterException",
                          "Upload too large: %llu bytes exceeds limit of %d",
                          (unsigned long long)batch->bytes, BATCH_MAX);
    else if (!batch->is_in_order)
        (void)logs_refuse(
            op, "InvalidParameterException",
            "Log events in a single PutLogEvents request must be in chronological order.");
    else if (batch->last_ms - batch->first_ms > SPAN_MAX_MS)
        (void)logs_refuse(op, "InvalidParameterException",
                          "The batch of log events in a single PutLogEvents request cannot span "
                          "more than 24 hours.");
    return !op->error;
}

/* The events that are neither too old nor too new. */
static bool write_events(struct logs_op *op, struct hg_log_group *group, struct hg_str stream,
                         int64_t now_ms, const struct batch *batch)
{
    struct hg_json_walk walk = hg_json_walk(logs_input_get(&op->input, "logEvents"));
    int64_t first = HG_MAX(HG_MAX(batch->too_old_to, batch->expired_to), (int64_t)0);
    struct hg_json_value event;
    struct hg_buf lines;
    bool is_written;

    hg_buf_init(&lines, LINES_MAX);
    for (int64_t index = 0; hg_json_next_element(&walk, &event); index++) {
        if (index < first || (batch->too_new_from >= 0 && index >= batch->too_new_from))
            continue;
        log_line_put(&lines, time_of(event), now_ms, stream,
                     logs_input_text(&op->input, hg_json_member(event, "message")));
    }
    is_written =
        !lines.is_overflown && (lines.len == 0 || log_group_append(group, hg_buf_str(&lines)) == 0);
    hg_buf_fini(&lines);
    return is_written;
}

static void write_answer(struct logs_op *op, const struct batch *batch)
{
    struct hg_json *json = &op->json;

    hg_json_begin_object(json);
    hg_json_field_cstr(json, "nextSequenceToken", SEQUENCE_TOKEN);
    if (batch->too_new_from >= 0 || batch->too_old_to >= 0 || batch->expired_to >= 0) {
        hg_json_key_lit(json, "rejectedLogEventsInfo");
        hg_json_begin_object(json);
        if (batch->too_new_from >= 0)
            hg_json_field_i64(json, "tooNewLogEventStartIndex", batch->too_new_from);
        if (batch->too_old_to >= 0)
            hg_json_field_i64(json, "tooOldLogEventEndIndex", batch->too_old_to);
        if (batch->expired_to >= 0)
            hg_json_field_i64(json, "expiredLogEventEndIndex", batch->expired_to);
        hg_json_end_object(json);
    }
    if (logs_input_get(&op->input, "entity").kind != HG_JSON_BAD) {
        /* Entities are not kept: the service has this form for telling so. */
        hg_json_key_lit(json, "rejectedEntityInfo");
        hg_json_begin_object(json);
        hg_json_field_cstr(json, "errorType", "UnsupportedLogGroupType");
        hg_json_end_object(json);
    }
    hg_json_end_object(json);
}

bool logs_put_events(struct logs_op *op)
{
    struct hg_str stream = logs_stream_name(op, logs_input_str(&op->input, "logStreamName"));
    struct hg_log_group *group = logs_group(op, true);
    int64_t now_ms = hg_wall_ms();
    struct batch batch;

    if (!group)
        return op->error != NULL;
    if (!log_index_stream(group, stream))
        return logs_refuse(op, "ResourceNotFoundException",
                           "The specified log stream does not exist.");
    measure(op, group, now_ms, &batch);
    if (!check(op, &batch))
        return true;
    if (!write_events(op, group, stream, now_ms, &batch))
        return logs_refuse(op, "ServiceUnavailableException", "The events cannot be written.");
    write_answer(op, &batch);
    return true;
}
