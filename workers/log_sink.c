/*
 * When little is logged a line goes out at the end of its turn; when much is,
 * one batch per interval.
 */
#include "workers/log_sink.h"

#include "core/clock.h"

#include <stdio.h>

enum {
    INTERVAL_MS = 50, /* between two batches */
    KEPT_BYTES = 65536,
};

static void on_written(struct hg_log_batch *batch)
{
    struct hg_log_sink *sink = hg_container_of(batch, struct hg_log_sink, batch);

    sink->is_writing = false;
    hg_buf_clear(&batch->lines, KEPT_BYTES);
    if (sink->filling.len && !hg_timer_is_running(&sink->timer))
        hg_timer_start_ms(&sink->timer, INTERVAL_MS);
}

static void note_dropped(struct hg_log_sink *sink)
{
    char text[96];
    int length;

    if (!sink->dropped_lines)
        return;
    length = snprintf(text, sizeof(text),
                      "%lld - headgate: %llu log lines dropped: more than can be written\n",
                      (long long)hg_wall_ms(), (unsigned long long)sink->dropped_lines);
    sink->dropped_lines = 0;
    hg_buf_append(&sink->filling, text, (size_t)length);
}

void log_sink_flush(struct hg_log_sink *sink)
{
    if (sink->is_writing || (sink->filling.len == 0 && !sink->dropped_lines))
        return;
    hg_timer_stop(&sink->timer);
    sink->filling.is_overflown = false;
    hg_buf_take(&sink->batch.lines, &sink->filling);
    note_dropped(sink);
    sink->is_writing = true;
    sink->flushed_ms = hg_wall_ms();
    log_files_write(sink->files, sink->loop, &sink->batch);
}

static void on_timer(struct hg_timer *timer)
{
    log_sink_flush(hg_container_of(timer, struct hg_log_sink, timer));
}

static void on_flush(struct hg_task *task)
{
    log_sink_flush(hg_container_of(task, struct hg_log_sink, flush));
}

void log_sink_init(struct hg_log_sink *sink, struct hg_log_files *files, struct hg_loop *loop,
                   struct hg_str group, struct hg_str function_name)
{
    sink->files = files;
    sink->loop = loop;
    sink->is_writing = false;
    sink->flushed_ms = 0;
    sink->dropped_lines = 0;
    hg_buf_init(&sink->filling, HG_LOG_SINK_MAX);
    hg_buf_init(&sink->batch.lines, HG_LOG_SINK_MAX);
    if (!group.n) {
        int length = snprintf(sink->own_group, sizeof(sink->own_group), "/aws/lambda/%.*s",
                              HG_STR_ARG(function_name));

        group = hg_str_n(sink->own_group, HG_MIN((size_t)length, sizeof(sink->own_group) - 1));
    }
    sink->batch.group = group;
    sink->batch.function_name = function_name;
    sink->batch.done = on_written;
    hg_timer_init(&sink->timer, loop, on_timer);
    hg_task_init(&sink->flush, on_flush);
}

void log_sink_fini(struct hg_log_sink *sink)
{
    hg_timer_stop(&sink->timer);
    hg_task_cancel(&sink->flush);
    hg_buf_fini(&sink->filling);
    hg_buf_fini(&sink->batch.lines);
}

bool log_sink_is_quiet(const struct hg_log_sink *sink)
{
    return !sink->is_writing && sink->filling.len == 0 && !sink->dropped_lines;
}

static void schedule(struct hg_log_sink *sink, int64_t wall_ms)
{
    if (sink->is_writing || hg_timer_is_running(&sink->timer))
        return;
    if (wall_ms - sink->flushed_ms >= INTERVAL_MS || wall_ms < sink->flushed_ms)
        hg_loop_defer(sink->loop, &sink->flush);
    else
        hg_timer_start_ms(&sink->timer, INTERVAL_MS - (wall_ms - sink->flushed_ms));
}

static char *put_decimal(char *at, uint64_t value)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count)
        *at++ = digits[--count];
    return at;
}

void log_sink_line(struct hg_log_sink *sink, int64_t wall_ms, struct hg_str stream,
                   struct hg_str text)
{
    char *room, *at;
    bool was_empty = sink->filling.len == 0;

    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    room = hg_buf_reserve(&sink->filling, text.n + stream.n + 24);
    if (!room) {
        sink->filling.is_overflown = false;
        sink->dropped_lines++;
        return;
    }
    at = put_decimal(room, (uint64_t)wall_ms);
    *at++ = ' ';
    memcpy(at, stream.p, stream.n);
    at += stream.n;
    *at++ = ' ';
    if (text.n)
        memcpy(at, text.p, text.n);
    at += text.n;
    *at++ = '\n';
    hg_buf_commit(&sink->filling, (size_t)(at - room));
    if (was_empty)
        schedule(sink, wall_ms);
}
