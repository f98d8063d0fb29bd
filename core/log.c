/*
 * Formats one line and writes it with one system call, so that lines of
 * different threads never mix.
 */
#include "core/log.h"

#include "core/clock.h"
#include "core/json_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

static enum hg_log_level least_level = HG_LOG_INFO;
static enum hg_log_format line_format = HG_LOG_TEXT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void hg_log_setup(enum hg_log_level least, enum hg_log_format format)
{
    least_level = least;
    line_format = format;
}

bool hg_log_wants(enum hg_log_level level)
{
    return level >= least_level;
}

static void append_visible(struct hg_buf *line, const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            hg_buf_printf(line, "\\x%02x", (unsigned)(unsigned char)*text);
        else
            hg_buf_append_byte(line, *text);
    }
}

void hg_log_write(enum hg_log_level level, const char *event, const char *format, ...)
{
    char text[LINE_MAX_BYTES / 2], time[HG_TIME_TEXT_MAX];
    struct hg_buf line;
    struct hg_str out;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hg_buf_init(&line, 2 * LINE_MAX_BYTES);
    hg_time_iso(hg_wall_ms(), time);
    if (line_format == HG_LOG_JSON) {
        struct hg_json json = hg_json_to(&line);

        hg_json_begin_object(&json);
        hg_json_field_cstr(&json, "time", time);
        hg_json_field_cstr(&json, "level", level_names[level]);
        hg_json_field_cstr(&json, "event", event);
        hg_json_field_cstr(&json, "text", text);
        hg_json_end_object(&json);
    } else {
        hg_buf_printf(&line, "%s %-5s %s ", time, level_names[level], event);
        append_visible(&line, text);
    }
    hg_buf_append_byte(&line, '\n');
    out = hg_buf_str(&line);
    /* Nothing can be done when the log itself cannot be written. */
    if (write(STDERR_FILENO, out.p, out.n) < 0) {
    }
    hg_buf_fini(&line);
}
