/*
 * Metrics, units, statistics and periods as the CloudWatch operations read them.
 */
#include "api/cloudwatch.h"

#include <stdlib.h>

enum { NAME_MAX_ = 255, VALUE_MAX = 1024, SECOND_MS = 1000, PERIOD_MAX = 86400 * 365 };

const char *const watch_units[] = {
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
    NULL,
};

static bool has_control(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 127)
            return true;
    return false;
}

static bool metric_text(const struct watch_node *node, const char *name, size_t max,
                        struct hg_str *text)
{
    if (!watch_need(node, name) || !watch_text(node, name, max, text))
        return false;
    return !has_control(*text) ||
           watch_refuse(node->watch, WATCH_INVALID,
                        "The parameter %s%s must not have control characters.", node->path, name);
}

bool watch_dimensions(const struct watch_node *node, struct hg_metric *metric)
{
    const cJSON *list, *element;
    size_t count, at = 0;

    metric->dimension_count = 0;
    if (!watch_list(node, "Dimensions", HG_DIMENSIONS_MAX, &list, &count))
        return false;
    cJSON_ArrayForEach(element, list)
    {
        struct hg_dimension *dimension = &metric->dimensions[at];
        struct watch_node inner = {0};

        if (!watch_element(node, "Dimensions", element, at, &inner) ||
            !metric_text(&inner, "Name", NAME_MAX_, &dimension->name) ||
            !metric_text(&inner, "Value", VALUE_MAX, &dimension->value))
            return false;
        if (dimension->name.p[0] == ':')
            return watch_refuse(node->watch, WATCH_INVALID,
                                "The parameter %sName must not start with ':'.", inner.path);
        for (size_t i = 0; i < at; i++)
            if (hg_str_eq(metric->dimensions[i].name, dimension->name))
                return watch_refuse(node->watch, WATCH_INVALID,
                                    "The parameter %sName appears more than once.", inner.path);
        at++;
    }
    metric->dimension_count = at;
    return true;
}

bool watch_metric(const struct watch_node *node, struct hg_metric *metric)
{
    if (!metric_text(node, "Namespace", NAME_MAX_, &metric->space) ||
        !metric_text(node, "MetricName", NAME_MAX_, &metric->name))
        return false;
    if (metric->space.p[0] == ':')
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %sNamespace must not start with ':'.", node->path);
    return watch_dimensions(node, metric);
}

bool watch_unit(const struct watch_node *node, struct hg_str *unit)
{
    if (!watch_text(node, "Unit", NAME_MAX_, unit))
        return false;
    if (!unit->p)
        return true;
    for (size_t i = 0; watch_units[i]; i++)
        if (hg_str_is(*unit, watch_units[i]))
            return true;
    return watch_refuse(node->watch, WATCH_INVALID,
                        "The parameter %sUnit must be a value in the set [Seconds, Microseconds, "
                        "Milliseconds, Bytes, Kilobytes, Megabytes, Gigabytes, Terabytes, Bits, "
                        "Kilobits, Megabits, Gigabits, Terabits, Percent, Count, Bytes/Second, "
                        "Kilobytes/Second, Megabytes/Second, Gigabytes/Second, Terabytes/Second, "
                        "Bits/Second, Kilobits/Second, Megabits/Second, Gigabits/Second, "
                        "Terabits/Second, Count/Second, None].",
                        node->path);
}

/* ---- statistics ---- */

enum hg_rc watch_plain_stat(struct hg_str name, struct watch_stat *stat)
{
    static const struct {
        const char *name;
        enum watch_stat_kind kind;
    } plain[] = {
        {"SampleCount", WATCH_SAMPLE_COUNT}, {"Average", WATCH_AVERAGE}, {"Sum", WATCH_SUM},
        {"Minimum", WATCH_MINIMUM},          {"Maximum", WATCH_MAXIMUM},
    };

    stat->name = name;
    for (size_t i = 0; i < HG_COUNT(plain); i++)
        if (hg_str_is(name, plain[i].name)) {
            stat->kind = plain[i].kind;
            return HG_OK;
        }
    return HG_E_NOT_FOUND;
}

/* "99", "99.9", up to 100 and ten digits behind the point. */
static bool read_percent(struct hg_str text, double *percent)
{
    char copy[16];
    bool has_point = false;

    if (!text.n || text.n >= sizeof(copy) || text.p[0] == '.' || text.p[text.n - 1] == '.')
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' && !has_point)
            has_point = true;
        else if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        copy[i] = text.p[i];
    }
    copy[text.n] = '\0';
    *percent = strtod(copy, NULL);
    return *percent <= 100;
}

enum hg_rc watch_extended_stat(struct hg_str name, struct watch_stat *stat)
{
    static const char *const others[] = {"tm", "wm", "tc", "ts", "TM(", "WM(", "TC(", "TS(", "PR("};

    stat->name = name;
    stat->kind = WATCH_PERCENTILE;
    if (name.n && name.p[0] == 'p' && read_percent(hg_str_skip(name, 1), &stat->percent))
        return HG_OK;
    if (hg_str_is(name, "IQM"))
        return HG_E_UNSUPPORTED;
    for (size_t i = 0; i < HG_COUNT(others); i++) {
        struct hg_str prefix = hg_str_of(others[i]);
        double percent;

        if (hg_str_starts(name, prefix) &&
            (prefix.p[prefix.n - 1] == '(' || read_percent(hg_str_skip(name, prefix.n), &percent)))
            return HG_E_UNSUPPORTED;
    }
    return HG_E_INVALID;
}

bool watch_stat_value(const struct watch_stat *stat, const struct hg_statset *set, double *value)
{
    switch (stat->kind) {
    case WATCH_SAMPLE_COUNT:
        *value = set->count;
        break;
    case WATCH_AVERAGE:
        *value = set->sum / set->count;
        break;
    case WATCH_SUM:
        *value = set->sum;
        break;
    case WATCH_MINIMUM:
        *value = set->min;
        break;
    case WATCH_MAXIMUM:
        *value = set->max;
        break;
    case WATCH_PERCENTILE:
        return hg_statset_percentile(set, stat->percent, value);
    }
    return set->count > 0;
}

/* ---- periods ---- */

bool watch_period(const struct watch_node *node, int64_t *period_s, int64_t *grid_s)
{
    static const int64_t fine[] = {1, 5, 10, 20, 30};
    bool is_good;

    if (!watch_whole(node, "Period", 1, PERIOD_MAX, period_s))
        return false;
    *grid_s = HG_MAX(*period_s, (int64_t)MINUTE_S);
    is_good = *period_s % MINUTE_S == 0;
    for (size_t i = 0; i < HG_COUNT(fine); i++)
        is_good = is_good || *period_s == fine[i];
    if (!is_good)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %sPeriod must be 1, 5, 10, 20, 30 or a multiple of 60.",
                            node->path);
    if (!*period_s)
        *grid_s = 0;
    return true;
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0 ? 1 : 0);
}

static int64_t period_of(int64_t time_ms, int64_t period_s)
{
    return floor_div(time_ms, period_s * SECOND_MS);
}

size_t watch_slot_count(int64_t start_ms, int64_t end_ms, int64_t period_s)
{
    int64_t first = period_of(start_ms, period_s);

    return end_ms > start_ms ? (size_t)(period_of(end_ms - 1, period_s) + 1 - first) : 0;
}

void watch_slots_init(struct watch_slots *slots, int64_t start_ms, int64_t end_ms, int64_t period_s)
{
    slots->period_minutes = period_s / MINUTE_S;
    slots->from_minute = period_of(start_ms, period_s) * slots->period_minutes;
    slots->to_minute = floor_div(end_ms - 1, MINUTE_S * SECOND_MS) + 1;
    slots->count = watch_slot_count(start_ms, end_ms, period_s);
    slots->sets = hg_calloc(slots->count + 1, sizeof(*slots->sets));
}

void watch_slots_fini(struct watch_slots *slots)
{
    for (size_t i = 0; slots->sets && i < slots->count; i++)
        hg_statset_fini(&slots->sets[i]);
    free(slots->sets);
    slots->sets = NULL;
}

static void on_point(int64_t minute, const struct hg_statset *set, void *arg)
{
    struct watch_slots *slots = arg;
    size_t at = (size_t)((minute - slots->from_minute) / slots->period_minutes);

    if (minute >= slots->from_minute && at < slots->count)
        hg_statset_merge(&slots->sets[at], set);
}

bool watch_slots_read(struct watch_slots *slots, struct series_store *store,
                      struct hg_metric *metric, struct hg_str unit)
{
    struct hg_buf key;
    bool is_known;

    metric->unit = unit;
    hg_buf_init(&key, HG_SERIES_KEY_MAX);
    hg_metric_key(metric, &key);
    is_known = series_store_read(store, hg_buf_str(&key), slots->from_minute, slots->to_minute,
                                 on_point, slots);
    hg_buf_fini(&key);
    return is_known;
}

int64_t watch_slot_time_s(const struct watch_slots *slots, size_t at)
{
    return (slots->from_minute + (int64_t)at * slots->period_minutes) * MINUTE_S;
}
