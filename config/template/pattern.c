/*
 * Regular expressions that a template gives. Bounded: a hostile one fails
 * instead of running long.
 */
#include "config/template/eval_state.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_STEPS_MAX = 200 * 1000 }; /* a few ms */

static bool run(const pcre2_code *code, struct hg_str text, bool *matches, struct hg_error *err)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    int rc;

    hg_assert(data != NULL && limits != NULL);
    (void)pcre2_set_match_limit(limits, MATCH_STEPS_MAX);
    (void)pcre2_set_heap_limit(limits, 4096); /* KiB */
    rc = pcre2_match(code, (PCRE2_SPTR)text.p, text.n, 0, PCRE2_ANCHORED | PCRE2_ENDANCHORED, data,
                     limits);
    pcre2_match_context_free(limits);
    pcre2_match_data_free(data);
    *matches = rc >= 0;
    if (rc >= 0 || rc == PCRE2_ERROR_NOMATCH)
        return true;
    (void)hg_error_set(err, HG_E_INVALID, "it takes too many steps to match");
    return false;
}

bool pattern_matches(struct hg_str pattern, struct hg_str text, bool *matches, struct hg_error *err)
{
    PCRE2_SIZE offset;
    pcre2_code *code;
    bool ok;
    int rc;

    code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, PCRE2_UTF, &rc, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR why[128] = "";

        (void)pcre2_get_error_message(rc, why, sizeof(why));
        (void)hg_error_set(err, HG_E_INVALID, "%s at character %zu", (const char *)why,
                           (size_t)offset + 1);
        return false;
    }
    ok = run(code, text, matches, err);
    pcre2_code_free(code);
    return ok;
}
