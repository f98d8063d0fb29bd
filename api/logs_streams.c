/*
 * Log streams: list, make, delete.
 */
#include "api/logs.h"

#include "core/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { PAGE_MAX = 50, KEY_MAX = 3 * HG_LOG_STREAM_NAME_MAX + 32 };

/* Any token does: the service has not looked at them since 2023, but clients still expect one. */
#define SEQUENCE_TOKEN "49039859627029312393216545170837391512234113713139908610"

/* What DescribeLogStreams wants. */
struct wish {
    struct hg_str prefix; /* encoded */
    bool by_time, is_descending;
    bool has_after;
    int64_t after_ms;
    struct hg_str after; /* the last stream of the page before */
};

static int64_t last_ms(const struct hg_log_stream *stream)
{
    return stream->has_events ? stream->last_ms : 0;
}

static int by_name(const void *a, const void *b)
{
    const struct hg_log_stream *const *left = a, *const *right = b;

    return hg_str_cmp((*left)->name, (*right)->name);
}

static int by_time(const void *a, const void *b)
{
    const struct hg_log_stream *const *left = a, *const *right = b;

    if (last_ms(*left) != last_ms(*right))
        return last_ms(*left) < last_ms(*right) ? -1 : 1;
    return hg_str_cmp((*left)->name, (*right)->name);
}

static bool is_behind(const struct wish *wish, const struct hg_log_stream *stream)
{
    int order = 0;

    if (!wish->has_after)
        return true;
    if (wish->by_time && last_ms(stream) != wish->after_ms)
        order = last_ms(stream) < wish->after_ms ? -1 : 1;
    if (order == 0)
        order = hg_str_cmp(stream->name, wish->after);
    return wish->is_descending ? order < 0 : order > 0;
}

/* False: refused. A token is "<last_ms> <stream>". */
static bool read_wish(struct logs_op *op, struct wish *wish)
{
    struct hg_str prefix = logs_input_str(&op->input, "logStreamNamePrefix"), token, part;

    *wish = (struct wish){
        .prefix = prefix.p ? logs_stream_name(op, prefix) : prefix,
        .by_time = hg_str_is(logs_input_str(&op->input, "orderBy"), "LastEventTime"),
        .is_descending = logs_input_bool(&op->input, "descending"),
    };
    if (wish->by_time && prefix.p) {
        (void)logs_refuse(op, "InvalidParameterException",
                          "Cannot order by LastEventTime with a logStreamNamePrefix.");
        return false;
    }
    if (!logs_read_token(op, &token))
        return false;
    wish->has_after = token.p != NULL;
    if (!wish->has_after)
        return true;
    if (hg_str_next(&token, ' ', &part) && hg_str_i64(part, 0, INT64_MAX, &wish->after_ms)) {
        wish->after = token;
        return true;
    }
    (void)logs_refuse(op, "InvalidParameterException", "The specified nextToken is invalid.");
    return false;
}

static void write_stream(struct logs_op *op, const struct hg_log_group *group,
                         const struct hg_log_stream *stream)
{
    struct hg_json *json = &op->json;
    struct hg_buf name;

    hg_buf_init(&name, KEY_MAX);
    log_stream_decode(stream->name, &name);
    hg_json_begin_object(json);
    hg_json_field_str(json, "logStreamName", hg_buf_str(&name));
    hg_json_field_i64(json, "creationTime", stream->created_ms);
    if (stream->has_events) {
        hg_json_field_i64(json, "firstEventTimestamp", stream->first_ms);
        hg_json_field_i64(json, "lastEventTimestamp", stream->last_ms);
        hg_json_field_i64(json, "lastIngestionTime", stream->last_ingested_ms);
    }
    hg_json_field_cstr(json, "uploadSequenceToken", SEQUENCE_TOKEN);
    hg_json_key_lit(json, "arn");
    logs_write_arn(op, hg_str_of(group->name), ":log-stream:", hg_buf_str(&name));
    hg_json_field_i64(json, "storedBytes", 0);
    hg_json_end_object(json);
    hg_buf_fini(&name);
}

/* Those that are wanted, in order; the caller frees. */
static const struct hg_log_stream **choose(const struct hg_log_group *group,
                                           const struct wish *wish, size_t *count)
{
    const struct hg_log_stream **chosen =
        hg_malloc((group->streams.count + 1) * sizeof(const struct hg_log_stream *));
    const struct hg_map_entry *entry;

    *count = 0;
    for (size_t at = 0; (entry = hg_map_next(&group->streams, &at));) {
        const struct hg_log_stream *stream = entry->value;

        if (log_stream_exists(stream) && hg_str_starts(stream->name, wish->prefix) &&
            is_behind(wish, stream))
            chosen[(*count)++] = stream;
    }
    qsort(chosen, *count, sizeof(const struct hg_log_stream *), wish->by_time ? by_time : by_name);
    return chosen;
}

static void write_token(struct logs_op *op, const struct hg_log_stream *last)
{
    char text[KEY_MAX];
    int length =
        snprintf(text, sizeof(text), "%lld %.*s", (long long)last_ms(last), HG_STR_ARG(last->name));

    logs_write_token(op, hg_str_n(text, HG_MIN((size_t)length, sizeof(text) - 1)));
}

bool logs_describe_streams(struct logs_op *op)
{
    struct hg_log_group *group = logs_group(op, true);
    size_t limit = (size_t)logs_input_i64(&op->input, "limit", PAGE_MAX), count, shown;
    const struct hg_log_stream **streams;
    struct wish wish;

    if (!group)
        return op->error != NULL;
    if (!read_wish(op, &wish))
        return true;
    streams = choose(group, &wish, &count);
    shown = HG_MIN(count, limit);
    hg_json_begin_object(&op->json);
    hg_json_key_lit(&op->json, "logStreams");
    hg_json_begin_array(&op->json);
    for (size_t i = 0; i < shown; i++)
        write_stream(op, group, streams[wish.is_descending ? count - 1 - i : i]);
    hg_json_end_array(&op->json);
    if (shown < count)
        write_token(op, streams[wish.is_descending ? count - shown : shown - 1]);
    hg_json_end_object(&op->json);
    free(streams);
    return true;
}

bool logs_create_stream(struct logs_op *op)
{
    struct hg_str name = logs_stream_name(op, logs_input_str(&op->input, "logStreamName"));
    struct hg_log_group *group = logs_group(op, true);

    if (!group)
        return op->error != NULL;
    if (log_index_stream(group, name))
        return logs_refuse(op, "ResourceAlreadyExistsException",
                           "The specified log stream already exists");
    if (group->made_count >= HG_LOG_STREAMS_MADE_MAX)
        return logs_refuse(op, "LimitExceededException", "Resource limit exceeded.");
    return log_index_make_stream(group, name, hg_wall_ms()) == 0 ||
           logs_refuse(op, "ServiceUnavailableException", "The log stream cannot be written.");
}

bool logs_delete_stream(struct logs_op *op)
{
    struct hg_str name = logs_stream_name(op, logs_input_str(&op->input, "logStreamName"));
    struct hg_log_group *group = logs_group(op, true);

    if (!group)
        return op->error != NULL;
    if (!log_index_stream(group, name))
        return logs_refuse(op, "ResourceNotFoundException",
                           "The specified log stream does not exist.");
    return log_index_delete_stream(group, name) == 0 ||
           logs_refuse(op, "ServiceUnavailableException", "The log stream cannot be written.");
}
