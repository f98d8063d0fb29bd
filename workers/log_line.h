/*
 * One event as it stands in a log file:
 *     <epoch_ms> <stream> <text>
 * for a line that a function or the platform wrote, and
 *     <epoch_ms>,<ingested_ms> <stream> <text>
 * for one that came through PutLogEvents: its text may hold line feeds, written as `\n`, with `\\` for a backslash.
 * In a stream's name blanks, control bytes and `%` are percent-encoded, so that it is one word. Any thread.
 */
#ifndef HG_WORKERS_LOG_LINE_H
#define HG_WORKERS_LOG_LINE_H

#include "core/buf.h"

/* Borrowed from the line. */
struct hg_log_line {
    int64_t wall_ms, ingested_ms;
    struct hg_str stream; /* as in the file */
    struct hg_str text;   /* as in the file, without the line feed */
    bool is_put;          /* by PutLogEvents: text is escaped */
};

/* line without its line feed; false for what is no event: a torn or foreign line. */
bool log_line_parse(struct hg_str line, struct hg_log_line *out);
/* Appends the event's message: a line of a function ends with the line feed that it was printed with. */
void log_line_message(const struct hg_log_line *line, struct hg_buf *out);
/* Appends the line of an event that came through PutLogEvents; stream is encoded. */
void log_line_put(struct hg_buf *out, int64_t wall_ms, int64_t ingested_ms, struct hg_str stream,
                  struct hg_str message);

/* Names of streams, to the form in files and back. A name's prefix becomes a prefix. */
void log_stream_encode(struct hg_str name, struct hg_buf *out);
void log_stream_decode(struct hg_str encoded, struct hg_buf *out);

#endif
