/*
 * Taking references to functions apart.
 */
#include "config/model.h"

static bool is_account(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n == 12;
}

/* "arn:aws:lambda:" at the front is taken off. False when it is an ARN of something else. */
static bool take_arn(struct hg_str *rest)
{
    struct hg_str part;

    if (!hg_str_starts(*rest, HG_STR("arn:")))
        return true;
    *rest = hg_str_skip(*rest, 4);
    return hg_str_next(rest, ':', &part) && hg_str_starts(part, HG_STR("aws")) &&
           hg_str_next(rest, ':', &part) && hg_str_is(part, "lambda");
}

bool function_parts(struct hg_str ref, struct hg_function_parts *parts)
{
    struct hg_str pieces[5], part, rest = ref;
    size_t count = 0, function;

    *parts = (struct hg_function_parts){.name = {NULL, 0}};
    if (!take_arn(&rest))
        return false;
    while (hg_str_next(&rest, ':', &part)) {
        if (count == HG_COUNT(pieces))
            return false;
        pieces[count++] = part;
    }
    for (function = 0; function < count && !hg_str_is(pieces[function], "function"); function++)
        ;
    if (function == count || (function == 0 && count == 1)) {
        /* "name", "name:qualifier"; a function may be called "function". */
        if (count < 1 || count > 2 || rest.n || hg_str_starts(ref, HG_STR("arn:")))
            return false;
        parts->name = pieces[0];
        parts->qualifier = count == 2 ? pieces[1] : hg_str_n(NULL, 0);
        return true;
    }
    if (function > 2 || count < function + 2 || count > function + 3)
        return false;
    if (function >= 1)
        parts->account = pieces[function - 1];
    if (function == 2)
        parts->region = pieces[0];
    if (function >= 1 && !is_account(parts->account))
        return false;
    parts->name = pieces[function + 1];
    parts->qualifier = count == function + 3 ? pieces[function + 2] : hg_str_n(NULL, 0);
    return true;
}
