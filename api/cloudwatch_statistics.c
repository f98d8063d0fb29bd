/*
 * GetMetricStatistics.
 */
#include "api/cloudwatch.h"

enum { POINTS_MAX = 1440, PLAIN_MAX = 5, EXTENDED_MAX = 10 };

struct answer {
    struct hg_str unit;
    struct watch_slots slots;
};

struct statistics {
    struct hg_metric metric;
    struct hg_str unit; /* p NULL: all */
    int64_t start_ms, end_ms, period_s, grid_s;
    struct watch_stat plain[PLAIN_MAX], extended[EXTENDED_MAX];
    size_t plain_count, extended_count;
    struct answer *answers; /* one for each unit there is */
    size_t answer_count;
};

static void drop(void *user)
{
    struct statistics *ask = user;

    for (size_t i = 0; i < ask->answer_count; i++)
        watch_slots_fini(&ask->answers[i].slots);
}

static bool read_statistics(const struct watch_node *node, struct statistics *ask)
{
    const cJSON *list, *element;
    size_t count;

    if (!watch_list(node, "Statistics", PLAIN_MAX, &list, &count))
        return false;
    cJSON_ArrayForEach(element, list)
    {
        struct watch_stat *stat = &ask->plain[ask->plain_count];
        struct hg_str name;

        if (!watch_element_text(node, "Statistics", element, ask->plain_count, &name))
            return false;
        if (watch_plain_stat(name, stat) != HG_OK)
            return watch_refuse(node->watch, WATCH_INVALID,
                                "The parameter Statistics.member.%zu must be a value in the set "
                                "[Average, Sum, SampleCount, Maximum, Minimum].",
                                ask->plain_count + 1);
        ask->plain_count++;
    }
    return true;
}

static bool read_extended(const struct watch_node *node, struct statistics *ask)
{
    const cJSON *list, *element;
    size_t count;

    if (!watch_list(node, "ExtendedStatistics", EXTENDED_MAX, &list, &count))
        return false;
    cJSON_ArrayForEach(element, list)
    {
        struct watch_stat *stat = &ask->extended[ask->extended_count];
        struct hg_str name;
        enum hg_rc rc;

        if (!watch_element_text(node, "ExtendedStatistics", element, ask->extended_count, &name))
            return false;
        rc = watch_extended_stat(name, stat);
        if (rc == HG_E_UNSUPPORTED)
            return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                                "The statistic %.*s is not available in Headgate; percentiles "
                                "(p50, p99.9) are.",
                                HG_STR_ARG(name));
        if (rc != HG_OK)
            return watch_refuse(node->watch, WATCH_INVALID,
                                "The value %.*s for parameter ExtendedStatistics is not supported.",
                                HG_STR_ARG(name));
        ask->extended_count++;
    }
    return true;
}

static bool check_range(const struct watch_node *node, const struct statistics *ask)
{
    size_t points;

    if (ask->start_ms >= ask->end_ms)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter StartTime must be less than the parameter EndTime.");
    points = watch_slot_count(ask->start_ms, ask->end_ms, ask->period_s);
    /* A start inside a period does not make one period more. */
    points = HG_MIN(points, (size_t)((ask->end_ms - ask->start_ms + ask->period_s * 1000 - 1) /
                                     (ask->period_s * 1000)));
    if (points > POINTS_MAX)
        return watch_refuse(node->watch, WATCH_COMBINATION,
                            "You have requested up to %zu datapoints, which exceeds the limit of "
                            "%d. You may reduce the datapoints requested by increasing Period, or "
                            "decreasing the time range.",
                            points, POINTS_MAX);
    return true;
}

bool statistics_prepare(struct watch_call *watch)
{
    struct statistics *ask = hg_arena_must(watch->arena, sizeof(*ask));
    struct watch_node node = watch_root(watch);

    watch->user = ask;
    watch->drop = drop;
    if (!watch_metric(&node, &ask->metric) || !watch_need(&node, "StartTime") ||
        !watch_time(&node, "StartTime", &ask->start_ms) || !watch_need(&node, "EndTime") ||
        !watch_time(&node, "EndTime", &ask->end_ms) || !watch_need(&node, "Period") ||
        !watch_period(&node, &ask->period_s, &ask->grid_s) || !watch_unit(&node, &ask->unit) ||
        !read_statistics(&node, ask) || !read_extended(&node, ask))
        return false;
    if (!ask->plain_count && !ask->extended_count)
        return watch_refuse(watch, WATCH_COMBINATION,
                            "At least one of the parameters Statistics and ExtendedStatistics must "
                            "be specified.");
    return check_range(&node, ask);
}

static void read_unit(struct statistics *ask, struct series_store *store, struct hg_str unit)
{
    struct answer *answer = &ask->answers[ask->answer_count];

    watch_slots_init(&answer->slots, ask->start_ms, ask->end_ms, ask->grid_s);
    answer->unit = unit;
    if (watch_slots_read(&answer->slots, store, &ask->metric, unit))
        ask->answer_count++;
    else
        watch_slots_fini(&answer->slots);
}

void statistics_work(struct watch_call *watch, struct series_store *store)
{
    struct statistics *ask = watch->user;
    size_t units = 0;

    while (watch_units[units])
        units++;
    ask->answers = hg_arena_must(watch->arena, units * sizeof(*ask->answers));
    if (ask->unit.p)
        read_unit(ask, store, ask->unit);
    for (size_t i = 0; !ask->unit.p && i < units; i++)
        read_unit(ask, store, hg_str_of(watch_units[i]));
}

static bool has_value(const struct statistics *ask, const struct hg_statset *set)
{
    double value;

    if (set->count <= 0)
        return false;
    for (size_t i = 0; i < ask->extended_count; i++)
        if (watch_stat_value(&ask->extended[i], set, &value))
            return true;
    return ask->plain_count > 0;
}

static void put_point(struct watch_writer *out, const struct statistics *ask,
                      const struct answer *answer, size_t at)
{
    const struct hg_statset *set = &answer->slots.sets[at];
    double value;

    watch_put_object(out, NULL);
    watch_put_time(out, "Timestamp", watch_slot_time_s(&answer->slots, at));
    for (size_t i = 0; i < ask->plain_count; i++)
        if (watch_stat_value(&ask->plain[i], set, &value)) {
            char name[32];

            memcpy(name, ask->plain[i].name.p, ask->plain[i].name.n);
            name[ask->plain[i].name.n] = '\0';
            watch_put_real(out, name, value);
        }
    watch_put_text(out, "Unit", answer->unit);
    if (ask->extended_count) {
        watch_put_map(out, "ExtendedStatistics");
        for (size_t i = 0; i < ask->extended_count; i++)
            if (watch_stat_value(&ask->extended[i], set, &value))
                watch_put_entry(out, ask->extended[i].name, value);
        watch_end_map(out, "ExtendedStatistics");
    }
    watch_end_object(out, NULL);
}

void statistics_respond(struct watch_call *watch, struct watch_writer *out)
{
    const struct statistics *ask = watch->user;

    watch_put_list(out, "Datapoints");
    for (size_t i = 0; i < ask->answer_count; i++)
        for (size_t at = 0; at < ask->answers[i].slots.count; at++)
            if (has_value(ask, &ask->answers[i].slots.sets[at]))
                put_point(out, ask, &ask->answers[i], at);
    watch_end_list(out, "Datapoints");
    watch_put_text(out, "Label", ask->metric.name);
}
