/*
 * Regular expressions of filter patterns, with a bound on the steps of each match.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "workers/log_pattern_parts.h"

#include <pcre2.h>

enum { STEPS_MAX = 200000, DEPTH_MAX = 2000, HEAP_KIB = 4096 };

bool log_regex_compile(struct log_regex *regex, struct hg_str text, struct hg_error *err)
{
    PCRE2_SIZE at = 0;
    int code = 0;

    regex->code =
        pcre2_compile((PCRE2_SPTR)text.p, text.n, PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (!regex->code) {
        char why[128] = "";

        (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
        (void)hg_error_set(err, HG_E_INVALID, "Invalid filter pattern: %%%.*s%%: %s",
                           HG_STR_ARG(text), why);
        return false;
    }
    regex->data = pcre2_match_data_create(1, NULL);
    regex->limits = pcre2_match_context_create(NULL);
    (void)pcre2_set_match_limit(regex->limits, STEPS_MAX);
    (void)pcre2_set_depth_limit(regex->limits, DEPTH_MAX);
    (void)pcre2_set_heap_limit(regex->limits, HEAP_KIB);
    return true;
}

void log_regex_fini(struct log_regex *regex)
{
    pcre2_match_context_free(regex->limits);
    pcre2_match_data_free(regex->data);
    pcre2_code_free(regex->code);
}

bool log_regex_finds(const struct log_regex *regex, struct hg_str text)
{
    return pcre2_match(regex->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, 0, regex->data,
                       regex->limits) >= 0;
}
