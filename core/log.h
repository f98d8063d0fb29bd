/*
 * The program's own log: one line an event, to standard error. A fixed event
 * name comes first, key=value pairs after it. No body, token or header value
 * above debug. Any thread.
 */
#ifndef HG_CORE_LOG_H
#define HG_CORE_LOG_H

#include "core/base.h"

enum hg_log_level { HG_LOG_DEBUG, HG_LOG_INFO, HG_LOG_WARN, HG_LOG_ERROR };
enum hg_log_format { HG_LOG_TEXT, HG_LOG_JSON };

/* Before the first thread starts. */
void hg_log_setup(enum hg_log_level least, enum hg_log_format format);
bool hg_log_wants(enum hg_log_level level);

/* Control bytes in the formatted text are escaped. */
void hg_log_write(enum hg_log_level level, const char *event, const char *format, ...)
    hg_printf_like(3, 4);

#define hg_log_at(level, event, ...) \
    do { \
        if (hg_log_wants(level)) \
            hg_log_write(level, event, __VA_ARGS__); \
    } while (0)

#define hg_debug(event, ...) hg_log_at(HG_LOG_DEBUG, event, __VA_ARGS__)
#define hg_info(event, ...) hg_log_at(HG_LOG_INFO, event, __VA_ARGS__)
#define hg_warn(event, ...) hg_log_at(HG_LOG_WARN, event, __VA_ARGS__)   /* someone may act */
#define hg_error(event, ...) hg_log_at(HG_LOG_ERROR, event, __VA_ARGS__) /* someone must */

#endif
