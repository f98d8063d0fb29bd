/*
 * GetLogEvents and FilterLogEvents.
 */
#include "api/logs.h"

#include <stdio.h>

enum {
    EVENTS_MAX = 10000,
    PAGE_BYTES = 1048576,
    TOKEN_BYTES = LOGS_EVENT_ID_DIGITS + 8,
};

static bool refuse_token(struct logs_op *op)
{
    return logs_refuse(op, "InvalidParameterException", "The specified nextToken is invalid.");
}

static void begin_query(struct logs_op *op)
{
    struct hg_log_query *query = &op->query;

    op->is_begun = true;
    query->group = op->group_name;
    query->start_ms = logs_input_i64(&op->input, "startTime", 0);
    query->end_ms = INT64_MAX;
    query->limit = (size_t)logs_input_i64(&op->input, "limit", EVENTS_MAX);
    query->max_bytes = PAGE_BYTES;
}

static void write_event(struct logs_op *op, const struct hg_log_found *found)
{
    hg_json_field_i64(&op->json, "timestamp", found->position.wall_ms);
    hg_json_field_str(&op->json, "message",
                      hg_str_n(found->text + found->stream_bytes, found->message_bytes));
    hg_json_field_i64(&op->json, "ingestionTime", found->ingested_ms);
}

/* ---- GetLogEvents: its tokens are places between two events, "f/<id>/s" and "b/<id>/s" ---- */

static void write_place(struct logs_op *op, const struct hg_log_group *group, char direction,
                        struct hg_log_position position)
{
    char id[LOGS_EVENT_ID_DIGITS + 1], token[TOKEN_BYTES];

    logs_event_id(group, position, id);
    (void)snprintf(token, sizeof(token), "%c/%s/s", direction, id);
    hg_json_cstr(&op->json, token);
}

/* False: refused. */
static bool read_place(struct logs_op *op)
{
    struct hg_str token = logs_input_str(&op->input, "nextToken");
    struct hg_log_query *query = &op->query;

    query->is_backward = !logs_input_bool(&op->input, "startFromHead");
    if (!token.p) {
        query->cursor = query->is_backward ? (struct hg_log_position){INT64_MAX, UINT64_MAX}
                                           : (struct hg_log_position){query->start_ms, 0};
        return true;
    }
    query->is_backward = token.p[0] == 'b';
    if (token.n == LOGS_EVENT_ID_DIGITS + 4 && (token.p[0] == 'f' || query->is_backward) &&
        token.p[1] == '/' && hg_str_ends(token, HG_STR("/s")) &&
        logs_position_of(hg_str_n(token.p + 2, LOGS_EVENT_ID_DIGITS), &query->cursor))
        return true;
    return !refuse_token(op);
}

static bool begin_get(struct logs_op *op)
{
    struct hg_str *stream = hg_arena_must(op->arena, sizeof(*stream));
    struct hg_log_group *group = logs_group(op, true);

    if (!group)
        return false;
    *stream = logs_stream_name(op, logs_input_str(&op->input, "logStreamName"));
    if (!log_index_stream(group, *stream)) {
        (void)logs_refuse(op, "ResourceNotFoundException",
                          "The specified log stream does not exist.");
        return false;
    }
    begin_query(op);
    op->query.streams = stream;
    op->query.stream_count = 1;
    op->query.end_ms = logs_input_i64(&op->input, "endTime", INT64_MAX);
    return read_place(op);
}

static void write_places(struct logs_op *op, const struct hg_log_group *group)
{
    const struct hg_log_query *query = &op->query;
    struct hg_log_position before = query->cursor, behind = query->cursor;

    if (query->count) {
        before = query->found[0]->position;
        behind = query->found[query->count - 1]->position;
        behind.at++;
    } else if (before.wall_ms == INT64_MAX) {
        /* Nothing is there yet: whatever comes is ahead. */
        before = behind = (struct hg_log_position){query->start_ms, 0};
    }
    hg_json_key_lit(&op->json, "nextForwardToken");
    write_place(op, group, 'f', behind);
    hg_json_key_lit(&op->json, "nextBackwardToken");
    write_place(op, group, 'b', before);
}

bool logs_get_events(struct logs_op *op)
{
    struct hg_log_group *group;

    if (!op->is_begun && !begin_get(op))
        return op->error != NULL;
    if (!log_query_work(&op->query, op->store))
        return false;
    group = logs_group(op, false);
    if (!group)
        return true;
    hg_json_begin_object(&op->json);
    hg_json_key_lit(&op->json, "events");
    hg_json_begin_array(&op->json);
    for (size_t i = 0; i < op->query.count; i++) {
        hg_json_begin_object(&op->json);
        write_event(op, op->query.found[i]);
        hg_json_end_object(&op->json);
    }
    hg_json_end_array(&op->json);
    write_places(op, group);
    hg_json_end_object(&op->json);
    return true;
}

/* ---- FilterLogEvents: its tokens are "f" or "b" and the id of the place to go on from ---- */

/* False: refused. */
static bool read_streams(struct logs_op *op, const struct hg_log_group *group)
{
    struct hg_log_query *query = &op->query;
    struct hg_str prefix = logs_input_str(&op->input, "logStreamNamePrefix"), *names;
    size_t count;

    names = logs_input_list(&op->input, "logStreamNames", &count);
    if (count && prefix.p) {
        (void)logs_refuse(op, "InvalidParameterException",
                          "logStreamNames and logStreamNamePrefix are mutually exclusive "
                          "parameters.");
        return false;
    }
    if (prefix.p)
        query->prefix = logs_stream_name(op, prefix);
    for (size_t i = 0; names && i < count; i++) {
        names[i] = logs_stream_name(op, names[i]);
        if (log_index_stream(group, names[i]))
            continue;
        (void)logs_refuse(op, "ResourceNotFoundException",
                          "The specified log stream does not exist.");
        return false;
    }
    query->streams = names;
    query->stream_count = count;
    return true;
}

/* False: refused. */
static bool read_filter(struct logs_op *op)
{
    struct hg_str pattern = logs_input_str(&op->input, "filterPattern");
    struct hg_error err = {""};

    if (!hg_str_trim_ws(pattern).n)
        return true;
    op->query.pattern = log_pattern_new(pattern, &err);
    if (!op->query.pattern)
        (void)logs_refuse(op, "InvalidParameterException", "%s", err.text);
    return op->query.pattern != NULL;
}

/* False: refused. The end is included. */
static bool read_range(struct logs_op *op)
{
    struct hg_log_query *query = &op->query;
    struct hg_json_value head = logs_input_get(&op->input, "startFromHead");
    int64_t end_ms = logs_input_i64(&op->input, "endTime", INT64_MAX);
    struct hg_str token;

    query->end_ms = end_ms < INT64_MAX ? end_ms + 1 : end_ms;
    query->is_backward = head.kind == HG_JSON_FALSE;
    if (!logs_read_token(op, &token))
        return false;
    if (token.p) {
        query->is_backward = token.p[0] == 'b';
        return ((token.p[0] == 'f' || query->is_backward) &&
                logs_position_of(hg_str_skip(token, 1), &query->cursor)) ||
               !refuse_token(op);
    }
    query->cursor = query->is_backward ? (struct hg_log_position){INT64_MAX, UINT64_MAX}
                                       : (struct hg_log_position){query->start_ms, 0};
    return true;
}

static bool begin_filter(struct logs_op *op)
{
    struct hg_log_group *group = logs_group(op, true);

    if (!group)
        return false;
    begin_query(op);
    return read_streams(op, group) && read_filter(op) && read_range(op);
}

static void write_found(struct logs_op *op, const struct hg_log_group *group,
                        const struct hg_log_found *found)
{
    char id[LOGS_EVENT_ID_DIGITS + 1];

    logs_event_id(group, found->position, id);
    hg_json_begin_object(&op->json);
    hg_json_field_str(&op->json, "logStreamName", hg_str_n(found->text, found->stream_bytes));
    write_event(op, found);
    hg_json_field_cstr(&op->json, "eventId", id);
    hg_json_end_object(&op->json);
}

bool logs_filter_events(struct logs_op *op)
{
    struct hg_log_query *query = &op->query;
    struct hg_log_group *group;

    if (!op->is_begun && !begin_filter(op))
        return op->error != NULL;
    if (!log_query_work(query, op->store))
        return false;
    group = logs_group(op, false);
    if (!group)
        return true;
    hg_json_begin_object(&op->json);
    hg_json_key_lit(&op->json, "events");
    hg_json_begin_array(&op->json);
    for (size_t i = 0; i < query->count; i++)
        write_found(op, group, query->found[query->is_backward ? query->count - 1 - i : i]);
    hg_json_end_array(&op->json);
    hg_json_key_lit(&op->json, "searchedLogStreams");
    hg_json_begin_array(&op->json);
    hg_json_end_array(&op->json);
    if (query->has_more) {
        char token[TOKEN_BYTES] = {query->is_backward ? 'b' : 'f'};

        logs_event_id(group, query->next, token + 1);
        logs_write_token(op, hg_str_of(token));
    }
    hg_json_end_object(&op->json);
    return true;
}
