/*
 * Formatting of error sentences.
 */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>

enum hg_rc hg_error_set(struct hg_error *err, enum hg_rc rc, const char *format, ...)
{
    va_list args;

    if (err) {
        va_start(args, format);
        (void)vsnprintf(err->text, sizeof(err->text), format, args);
        va_end(args);
    }
    return rc;
}

void hg_error_prefix(struct hg_error *err, const char *format, ...)
{
    char prefix[HG_ERROR_MAX / 2];
    struct hg_error old = *err;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(prefix, sizeof(prefix), format, args);
    va_end(args);
    (void)snprintf(err->text, sizeof(err->text), "%s: %.*s", prefix, HG_ERROR_MAX / 2 - 4,
                   old.text);
}
