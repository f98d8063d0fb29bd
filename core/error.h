/*
 * A sentence for the person who must act: configuration, start-up, administration.
 */
#ifndef HG_CORE_ERROR_H
#define HG_CORE_ERROR_H

#include "core/rc.h"

enum { HG_ERROR_MAX = 1024 };

/* Owned by the caller, usually on the stack; text is always terminated. */
struct hg_error {
    char text[HG_ERROR_MAX];
};

/* Writes the sentence and returns rc, so that a failing function can end in `return hg_error_set(…)`. err may be NULL. */
enum hg_rc hg_error_set(struct hg_error *err, enum hg_rc rc, const char *format, ...)
    hg_printf_like(3, 4);

/* Puts "prefix: " before the sentence. */
void hg_error_prefix(struct hg_error *err, const char *format, ...) hg_printf_like(2, 3);

#endif
