/*
 * Parsing of durations.
 */
#include "core/duration.h"

enum { YEAR_S = 31536000 };

bool hg_duration_parse(struct hg_str text, int64_t *milliseconds)
{
    static const struct {
        const char *unit;
        int64_t milliseconds;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {"", 1000}};
    size_t digits = 0;
    uint64_t number;

    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!hg_str_u64(hg_str_n(text.p, digits), (uint64_t)YEAR_S * 1000, &number))
        return false;
    for (size_t i = 0; i < HG_COUNT(units); i++) {
        if (!hg_str_is(hg_str_skip(text, digits), units[i].unit))
            continue;
        if (number > (uint64_t)YEAR_S * 1000 / (uint64_t)units[i].milliseconds)
            return false;
        *milliseconds = (int64_t)number * units[i].milliseconds;
        return true;
    }
    return false;
}
