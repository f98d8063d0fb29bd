/*
 * GetMetricData: many metrics and expressions at once. What does not fit into one answer comes in pages; a page's token counts the
 * points that went before it.
 */
#include "api/cloudwatch.h"
#include "api/cloudwatch_math.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    QUERIES_MAX = 500,
    ID_MAX = 255,
    EXPRESSION_MAX = 2048,
    LABEL_MAX = 2048,
    POINTS_MAX = 100800, /* in one answer */
    SLOTS_MAX = 4000000, /* of all queries, gaps included */
    CHAIN_MAX = 20,      /* expressions that are made of one another */
};

struct query {
    struct hg_str id, label;
    struct hg_str expression; /* p NULL: a metric */
    struct hg_metric *metric;
    struct hg_str unit; /* p NULL: whichever there is */
    struct watch_stat stat;
    int64_t period_s; /* of the points */
    bool is_returned;
    struct math_series result;
    const char *trouble; /* why an expression has no result; NULL: none */
    bool is_being_found; /* its expression is being evaluated: one that leads back to itself */
    bool is_found;
};

struct metric_data {
    struct hg_arena *arena;
    struct query *queries;
    size_t count, slots;
    unsigned depth;
    int64_t start_ms, end_ms;
    bool is_ascending;
    int64_t max_points;
    uint64_t skip; /* points of pages before */
};

static void drop(void *user)
{
    struct metric_data *ask = user;

    for (size_t i = 0; i < ask->count; i++)
        math_series_fini(&ask->queries[i].result);
}

/* ---- reading ---- */

static struct query *query_of(const struct metric_data *ask, struct hg_str id)
{
    for (size_t i = 0; i < ask->count; i++)
        if (hg_str_eq(ask->queries[i].id, id))
            return &ask->queries[i];
    return NULL;
}

static bool read_id(const struct watch_node *node, const struct metric_data *ask,
                    struct query *query)
{
    bool is_good;

    if (!watch_need(node, "Id") || !watch_text(node, "Id", ID_MAX, &query->id))
        return false;
    is_good = islower((unsigned char)query->id.p[0]);
    for (size_t i = 0; i < query->id.n; i++)
        is_good = is_good && (isalnum((unsigned char)query->id.p[i]) || query->id.p[i] == '_');
    if (!is_good)
        return watch_refuse(node->watch, WATCH_VALIDATION,
                            "The value for field 'Id' must start with a lowercase letter and "
                            "contain only letters, digits and underscores: %.*s",
                            HG_STR_ARG(query->id));
    return !query_of(ask, query->id) ||
           watch_refuse(
               node->watch, WATCH_VALIDATION,
               "The values for parameter id in parameter MetricDataQueries are not unique: "
               "%.*s",
               HG_STR_ARG(query->id));
}

static bool read_stat(const struct watch_node *node, struct query *query)
{
    struct hg_str name;
    enum hg_rc rc;

    if (!watch_need(node, "Stat") || !watch_text(node, "Stat", ID_MAX, &name))
        return false;
    rc = watch_plain_stat(name, &query->stat);
    if (rc != HG_OK)
        rc = watch_extended_stat(name, &query->stat);
    if (rc == HG_E_UNSUPPORTED)
        return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                            "The statistic %.*s is not available in Headgate; percentiles (p50, "
                            "p99.9) are.",
                            HG_STR_ARG(name));
    return rc == HG_OK || watch_refuse(node->watch, WATCH_VALIDATION,
                                       "The value %.*s for parameter %sStat is not supported.",
                                       HG_STR_ARG(name), node->path);
}

static bool read_metric(const struct watch_node *outer, struct metric_data *ask,
                        struct query *query)
{
    struct watch_node node = {0}, metric = {0};
    int64_t asked_s = 0;

    if (!watch_object(outer, "MetricStat", &node) || !watch_need(&node, "Metric") ||
        !watch_object(&node, "Metric", &metric))
        return false;
    query->metric = hg_arena_must(ask->arena, sizeof(*query->metric));
    if (!watch_metric(&metric, query->metric) || !watch_need(&node, "Period") ||
        !watch_period(&node, &asked_s, &query->period_s) || !read_stat(&node, query) ||
        !watch_unit(&node, &query->unit))
        return false;
    query->label = query->metric->name;
    ask->slots += watch_slot_count(ask->start_ms, ask->end_ms, query->period_s);
    return ask->slots <= SLOTS_MAX ||
           watch_refuse(outer->watch, WATCH_COMBINATION,
                        "You have requested more than %d datapoints. You may reduce the datapoints "
                        "requested by increasing Period, or decreasing the time range.",
                        SLOTS_MAX);
}

static bool read_expression(const struct watch_node *node, struct query *query)
{
    int64_t asked_s = 0;

    if (!watch_text(node, "Expression", EXPRESSION_MAX, &query->expression) ||
        !watch_period(node, &asked_s, &query->period_s))
        return false;
    query->label = query->id;
    return true;
}

static bool read_query(const struct watch_node *node, struct metric_data *ask, struct query *query)
{
    bool has_metric = watch_has(node, "MetricStat"), has_expression = watch_has(node, "Expression");
    struct hg_str label, account;

    query->is_returned = true;
    if (!read_id(node, ask, query) || !watch_bool(node, "ReturnData", &query->is_returned) ||
        !watch_text(node, "Label", LABEL_MAX, &label) ||
        !watch_text(node, "AccountId", ID_MAX, &account))
        return false;
    if (account.p)
        return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                            "%sAccountId is not available in Headgate: there is one account.",
                            node->path);
    if (has_metric == has_expression)
        return watch_refuse(node->watch, WATCH_VALIDATION,
                            "%sMetricStat and %sExpression: exactly one of them must be given.",
                            node->path, node->path);
    if (has_metric && watch_has(node, "Period"))
        return watch_refuse(node->watch, WATCH_VALIDATION,
                            "%sPeriod belongs to expressions; a metric's is in MetricStat.",
                            node->path);
    if (has_metric ? !read_metric(node, ask, query) : !read_expression(node, query))
        return false;
    if (label.p && hg_str_find_str(label, HG_STR("${")) >= 0)
        return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                            "%sLabel: dynamic labels (${…}) are not available in Headgate.",
                            node->path);
    if (label.p)
        query->label = label;
    return true;
}

struct checked {
    const struct metric_data *ask;
    struct query *query;
    struct hg_str unknown;
    bool has_metric;
};

static void on_id(struct hg_str id, void *arg)
{
    struct checked *checked = arg;

    checked->has_metric = true;
    if (!query_of(checked->ask, id))
        checked->unknown = id;
}

static bool check_expressions(struct watch_call *watch, struct metric_data *ask)
{
    for (size_t i = 0; i < ask->count; i++) {
        struct query *query = &ask->queries[i];
        struct checked checked = {.ask = ask, .query = query};
        struct hg_error why;
        enum hg_rc rc;

        if (!query->expression.p)
            continue;
        rc = math_check(query->expression, on_id, &checked, &why);
        if (rc != HG_OK)
            return watch_refuse(
                watch, rc == HG_E_UNSUPPORTED ? WATCH_UNSUPPORTED : WATCH_VALIDATION,
                "Error in expression '%.*s': %.512s", HG_STR_ARG(query->id), why.text);
        if (checked.unknown.p)
            return watch_refuse(watch, WATCH_VALIDATION,
                                "Error in expression '%.*s': nothing is known by the id %.*s",
                                HG_STR_ARG(query->id), (int)HG_MIN(checked.unknown.n, 64u),
                                checked.unknown.p);
    }
    return true;
}

static bool read_token(const struct watch_node *node, struct metric_data *ask)
{
    struct hg_str token;

    return watch_text(node, "NextToken", 64, &token) &&
           (!token.p || hg_str_u64(token, INT64_MAX, &ask->skip) ||
            watch_refuse(node->watch, WATCH_BAD_TOKEN, "The next token is not valid."));
}

static bool read_options(const struct watch_node *node, struct metric_data *ask)
{
    struct hg_str order, zone;
    struct watch_node options = {0};

    ask->max_points = POINTS_MAX;
    if (!watch_need(node, "StartTime") || !watch_time(node, "StartTime", &ask->start_ms) ||
        !watch_need(node, "EndTime") || !watch_time(node, "EndTime", &ask->end_ms) ||
        !watch_text(node, "ScanBy", 64, &order) ||
        !watch_whole(node, "MaxDatapoints", 1, POINTS_MAX, &ask->max_points))
        return false;
    if (order.p && !hg_str_is(order, "TimestampAscending") &&
        !hg_str_is(order, "TimestampDescending"))
        return watch_refuse(node->watch, WATCH_VALIDATION,
                            "The parameter ScanBy must be a value in the set [TimestampDescending, "
                            "TimestampAscending].");
    ask->is_ascending = order.p && hg_str_is(order, "TimestampAscending");
    if (ask->start_ms >= ask->end_ms)
        return watch_refuse(node->watch, WATCH_VALIDATION,
                            "The parameter StartTime must be less than the parameter EndTime.");
    /* It only moves the times in dynamic labels, which are refused. */
    return !watch_has(node, "LabelOptions") || (watch_object(node, "LabelOptions", &options) &&
                                                watch_text(&options, "Timezone", 16, &zone));
}

bool metric_data_prepare(struct watch_call *watch)
{
    struct metric_data *ask = hg_arena_must(watch->arena, sizeof(*ask));
    struct watch_node node = watch_root(watch), inner = {0};
    const cJSON *list, *element;
    size_t count;

    watch->user = ask;
    watch->drop = drop;
    ask->arena = watch->arena;
    if (!read_options(&node, ask) || !read_token(&node, ask) ||
        !watch_need(&node, "MetricDataQueries") ||
        !watch_list(&node, "MetricDataQueries", QUERIES_MAX, &list, &count))
        return false;
    ask->queries = hg_arena_must(watch->arena, (count + 1) * sizeof(*ask->queries));
    cJSON_ArrayForEach(element, list)
    {
        if (!watch_element(&node, "MetricDataQueries", element, ask->count, &inner) ||
            !read_query(&inner, ask, &ask->queries[ask->count]))
            return false;
        ask->count++;
    }
    return check_expressions(watch, ask);
}

/* ---- finding ---- */

static void take_values(struct query *query, const struct watch_slots *slots)
{
    struct math_series *result = &query->result;

    result->period_s = query->period_s;
    result->from_s = slots->from_minute * MINUTE_S;
    result->count = slots->count;
    result->values = hg_calloc(slots->count + 1, sizeof(*result->values));
    result->has = hg_calloc(slots->count + 1, sizeof(*result->has));
    for (size_t i = 0; i < slots->count; i++)
        result->has[i] = slots->sets[i].count > 0 &&
                         watch_stat_value(&query->stat, &slots->sets[i], &result->values[i]);
}

static void find_metric(const struct metric_data *ask, struct query *query,
                        struct series_store *store)
{
    struct watch_slots slots;
    bool is_known;

    watch_slots_init(&slots, ask->start_ms, ask->end_ms, query->period_s);
    is_known = query->unit.p && watch_slots_read(&slots, store, query->metric, query->unit);
    for (size_t i = 0; !query->unit.p && !is_known && watch_units[i]; i++)
        is_known = watch_slots_read(&slots, store, query->metric, hg_str_of(watch_units[i]));
    take_values(query, &slots);
    watch_slots_fini(&slots);
    query->is_found = true;
}

static void find_expression(struct metric_data *ask, struct query *query);

static const struct math_series *find(struct hg_str id, void *arg)
{
    struct metric_data *ask = arg;
    struct query *query = query_of(ask, id);

    if (!query || query->is_being_found)
        return NULL;
    if (!query->is_found)
        find_expression(ask, query);
    return query->trouble ? NULL : &query->result;
}

/* Only what has a period of its own is put together: others have the one of what they are made of. */
static void find_expression(struct metric_data *ask, struct query *query)
{
    struct math_context context = {.find = find, .arg = ask};
    struct hg_error why;

    query->is_being_found = true;
    if (ask->depth++ >= CHAIN_MAX)
        query->trouble = "it is made of too many expressions that are made of one another";
    else if (math_evaluate(&context, query->expression, &query->result, &why) != HG_OK)
        query->trouble = hg_arena_printf(ask->arena, "%.512s", why.text);
    else if (query->period_s && query->result.period_s != query->period_s)
        query->trouble = "a Period other than that of its metrics is not available in Headgate";
    ask->depth--;
    query->is_being_found = false;
    query->is_found = true;
}

void metric_data_work(struct watch_call *watch, struct series_store *store)
{
    struct metric_data *ask = watch->user;

    for (size_t i = 0; i < ask->count; i++)
        if (!ask->queries[i].expression.p)
            find_metric(ask, &ask->queries[i], store);
    for (size_t i = 0; i < ask->count; i++) {
        struct query *query = &ask->queries[i];

        if (!query->is_found)
            find_expression(ask, query);
        if (query->trouble)
            (void)watch_refuse(watch, WATCH_VALIDATION, "Error in expression '%.*s': %s",
                               HG_STR_ARG(query->id), query->trouble);
    }
}

/* ---- answering ---- */

struct page {
    uint64_t skip; /* points that went before */
    int64_t left;  /* that this answer still takes */
    bool is_cut;
};

static size_t slot_at(const struct metric_data *ask, const struct query *query, size_t i)
{
    return ask->is_ascending ? i : query->result.count - 1 - i;
}

struct span {
    size_t begin, end; /* in the order of the answer */
};

/* Which of the query's slots this page has. */
static struct span take_span(const struct metric_data *ask, const struct query *query,
                             struct page *page)
{
    struct span span = {.begin = SIZE_MAX, .end = 0};

    for (size_t i = 0; i < query->result.count; i++) {
        if (!query->result.has[slot_at(ask, query, i)])
            continue;
        if (page->skip) {
            page->skip--;
            continue;
        }
        if (!page->left) {
            page->is_cut = true;
            break;
        }
        page->left--;
        span.begin = HG_MIN(span.begin, i);
        span.end = i + 1;
    }
    span.begin = HG_MIN(span.begin, span.end);
    return span;
}

static void put_result(struct watch_writer *out, const struct metric_data *ask,
                       const struct query *query, struct page *page)
{
    bool was_cut = page->is_cut;
    struct span span = take_span(ask, query, page);
    const struct math_series *result = &query->result;

    watch_put_object(out, NULL);
    watch_put_text(out, "Id", query->id);
    watch_put_text(out, "Label", query->label);
    watch_put_list(out, "Timestamps");
    for (size_t i = span.begin; i < span.end; i++) {
        size_t at = slot_at(ask, query, i);

        if (result->has[at])
            watch_put_time(out, NULL, result->from_s + (int64_t)at * result->period_s);
    }
    watch_end_list(out, "Timestamps");
    watch_put_list(out, "Values");
    for (size_t i = span.begin; i < span.end; i++)
        if (result->has[slot_at(ask, query, i)])
            watch_put_real(out, NULL, result->values[slot_at(ask, query, i)]);
    watch_end_list(out, "Values");
    watch_put_text(out, "StatusCode",
                   page->is_cut && !was_cut ? HG_STR("PartialData") : HG_STR("Complete"));
    watch_end_object(out, NULL);
}

void metric_data_respond(struct watch_call *watch, struct watch_writer *out)
{
    const struct metric_data *ask = watch->user;
    struct page page = {.skip = ask->skip, .left = ask->max_points};
    char token[32];

    watch_put_list(out, "MetricDataResults");
    for (size_t i = 0; i < ask->count; i++)
        if (ask->queries[i].is_returned && !page.is_cut)
            put_result(out, ask, &ask->queries[i], &page);
    watch_end_list(out, "MetricDataResults");
    watch_put_list(out, "Messages");
    watch_end_list(out, "Messages");
    if (!page.is_cut)
        return;
    (void)snprintf(token, sizeof(token), "%" PRIu64, ask->skip + (uint64_t)ask->max_points);
    watch_put_text(out, "NextToken", hg_str_of(token));
}
