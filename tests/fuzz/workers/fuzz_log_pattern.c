/*
 * A filter pattern up to the first line feed, then a message: whatever they hold, the pattern is understood or refused with a sentence,
 * and matching comes to an end.
 */
#include "workers/log_pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct hg_str rest = {(const char *)bytes, size}, text = {"", 0};
    struct hg_error err = {""};
    struct hg_log_pattern *pattern;

    (void)hg_str_next(&rest, '\n', &text);
    pattern = log_pattern_new(text, &err);
    if (pattern)
        (void)log_pattern_matches(pattern, rest);
    else
        hg_assert(err.text[0]);
    log_pattern_free(pattern);
    return 0;
}
