/*
 * PutMetricData.
 */
#include "api/cloudwatch.h"
#include "core/clock.h"

#include <math.h>

enum { DATA_MAX = 1000, VALUES_MAX = 150, MINUTE_MS = 60000 };
#define TWO_WEEKS_MS (14LL * 86400 * 1000)
#define TWO_HOURS_MS (2LL * 3600 * 1000)
#define VALUE_LIMIT 0x1p360 /* the service takes -2^360 to 2^360 */

struct datum {
    struct hg_metric metric;
    int64_t minute;
    struct hg_statset set;
};

struct put {
    struct hg_str space;
    struct datum **data;
    size_t count;
};

static void drop(void *user)
{
    struct put *put = user;

    for (size_t i = 0; i < put->count; i++)
        hg_statset_fini(&put->data[i]->set);
}

static bool check_value(const struct watch_node *node, const char *name, double value)
{
    if (isnan(value) || isinf(value))
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The value %s for parameter %s%s is invalid.",
                            isnan(value) ? "NaN" : "Infinity", node->path, name);
    if (fabs(value) > VALUE_LIMIT)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The value for parameter %s%s is out of range.", node->path, name);
    return true;
}

static bool read_value(const struct watch_node *node, struct datum *datum)
{
    double value = 0;

    if (!watch_real(node, "Value", &value) || !check_value(node, "Value", value))
        return false;
    hg_statset_add(&datum->set, value, 1);
    return true;
}

static bool read_summary(const struct watch_node *node, struct datum *datum)
{
    static const char *const names[] = {"SampleCount", "Sum", "Minimum", "Maximum"};
    struct hg_statset *set = &datum->set;
    double values[HG_COUNT(names)] = {0};
    struct watch_node inner = {0};

    if (!watch_object(node, "StatisticValues", &inner))
        return false;
    for (size_t i = 0; i < HG_COUNT(names); i++)
        if (!watch_need(&inner, names[i]) || !watch_real(&inner, names[i], &values[i]) ||
            !check_value(&inner, names[i], values[i]))
            return false;
    if (values[0] <= 0)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %sSampleCount must be greater than 0.", inner.path);
    if (values[2] > values[3])
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %sMinimum must be less than or equal to %sMaximum.",
                            inner.path, inner.path);
    set->count = values[0];
    set->sum = values[1];
    set->min = values[2];
    set->max = values[3];
    set->is_opaque = values[2] != values[3];
    return true;
}

static bool read_values(const struct watch_node *node, struct datum *datum)
{
    const cJSON *values, *counts, *element, *times;
    size_t value_count, count_count, at = 0;

    if (!watch_list(node, "Values", VALUES_MAX, &values, &value_count) ||
        !watch_list(node, "Counts", VALUES_MAX, &counts, &count_count))
        return false;
    if (counts && count_count != value_count)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameters %sValues and %sCounts must be of the same size.",
                            node->path, node->path);
    times = counts ? counts->child : NULL;
    cJSON_ArrayForEach(element, values)
    {
        double value, count = 1;

        if (!watch_element_real(node, "Values", element, at, &value) ||
            (times && !watch_element_real(node, "Counts", times, at, &count)) ||
            !check_value(node, "Values", value) || !check_value(node, "Counts", count))
            return false;
        if (count < 0)
            return watch_refuse(node->watch, WATCH_INVALID,
                                "The parameter %sCounts.member.%zu must not be negative.",
                                node->path, at + 1);
        if (count > 0)
            hg_statset_add(&datum->set, value, count);
        times = times ? times->next : NULL;
        at++;
    }
    return true;
}

/* Exactly one of the three ways to give values. */
static bool read_numbers(const struct watch_node *node, struct datum *datum)
{
    static const char *const names[] = {"Value", "StatisticValues", "Values"};
    const char *found = NULL;

    for (size_t i = 0; i < HG_COUNT(names); i++) {
        if (!watch_has(node, names[i]))
            continue;
        if (found)
            return watch_refuse(node->watch, WATCH_COMBINATION,
                                "The parameters %s%s and %s%s are mutually exclusive and you have "
                                "specified both.",
                                node->path, found, node->path, names[i]);
        found = names[i];
    }
    if (!found)
        return watch_refuse(node->watch, WATCH_MISSING,
                            "At least one of the parameters %sValue, %sValues and "
                            "%sStatisticValues must be specified.",
                            node->path, node->path, node->path);
    if (watch_has(node, "Counts") && strcmp(found, "Values") != 0)
        return watch_refuse(node->watch, WATCH_COMBINATION,
                            "The parameter %sCounts needs the parameter %sValues.", node->path,
                            node->path);
    if (strcmp(found, "Value") == 0)
        return read_value(node, datum);
    return strcmp(found, "Values") == 0 ? read_values(node, datum) : read_summary(node, datum);
}

static bool read_minute(const struct watch_node *node, struct datum *datum)
{
    int64_t now_ms = hg_steady_ms(), time_ms = now_ms;

    if (!watch_time(node, "Timestamp", &time_ms))
        return false;
    if (time_ms < now_ms - TWO_WEEKS_MS)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %sTimestamp must specify a time no more than two weeks "
                            "in the past.",
                            node->path);
    if (time_ms > now_ms + TWO_HOURS_MS)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %sTimestamp must specify a time no more than two hours "
                            "in the future.",
                            node->path);
    datum->minute = time_ms / MINUTE_MS;
    return true;
}

static bool read_datum(const struct watch_node *node, struct put *put, struct datum *datum)
{
    int64_t resolution = MINUTE_S;

    datum->metric.space = put->space;
    if (!watch_need(node, "MetricName") ||
        !watch_text(node, "MetricName", 255, &datum->metric.name) ||
        !watch_dimensions(node, &datum->metric) || !watch_unit(node, &datum->metric.unit) ||
        !watch_whole(node, "StorageResolution", 1, MINUTE_S, &resolution) ||
        !read_minute(node, datum) || !read_numbers(node, datum))
        return false;
    if (!datum->metric.unit.p)
        datum->metric.unit = HG_STR("None");
    if (resolution == MINUTE_S)
        return true;
    if (resolution == 1)
        return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                            "%sStorageResolution 1 is not available in Headgate: metrics are kept "
                            "with a resolution of one minute.",
                            node->path);
    return watch_refuse(node->watch, WATCH_INVALID,
                        "The parameter %sStorageResolution must be 1 or 60.", node->path);
}

static bool read_space(const struct watch_node *node, struct put *put)
{
    if (!watch_need(node, "Namespace") || !watch_text(node, "Namespace", 255, &put->space))
        return false;
    if (hg_str_starts(put->space, HG_STR("AWS/")))
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The value AWS/ for parameter Namespace is invalid.");
    for (size_t i = 0; i < put->space.n; i++)
        if ((unsigned char)put->space.p[i] < ' ' || put->space.p[0] == ':')
            return watch_refuse(node->watch, WATCH_INVALID,
                                "The parameter Namespace has characters that it must not have.");
    if (watch_has(node, "EntityMetricData") || watch_has(node, "StrictEntityValidation"))
        return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                            "%s is not available in Headgate: metrics have no entities.",
                            watch_has(node, "EntityMetricData") ? "EntityMetricData"
                                                                : "StrictEntityValidation");
    return watch_need(node, "MetricData");
}

bool put_metrics_prepare(struct watch_call *watch)
{
    struct put *put = hg_arena_must(watch->arena, sizeof(*put));
    struct watch_node node = watch_root(watch), inner = {0};
    const cJSON *list, *element;
    size_t count;

    watch->user = put;
    watch->drop = drop;
    if (!read_space(&node, put) || !watch_list(&node, "MetricData", DATA_MAX, &list, &count))
        return false;
    put->data = hg_arena_must(watch->arena, (count + 1) * sizeof(struct datum *));
    cJSON_ArrayForEach(element, list)
    {
        put->data[put->count] = hg_arena_must(watch->arena, sizeof(struct datum));
        if (!watch_element(&node, "MetricData", element, put->count, &inner))
            return false;
        put->count++;
        if (!read_datum(&inner, put, put->data[put->count - 1]))
            return false;
    }
    return true;
}

void put_metrics_work(struct watch_call *watch, struct series_store *store)
{
    struct put *put = watch->user;
    struct hg_buf key;

    hg_buf_init(&key, HG_SERIES_KEY_MAX);
    for (size_t i = 0; i < put->count; i++) {
        hg_metric_key(&put->data[i]->metric, &key);
        series_store_add(store, hg_buf_str(&key), put->data[i]->minute, &put->data[i]->set);
    }
    hg_buf_fini(&key);
}
