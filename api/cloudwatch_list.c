/*
 * ListMetrics: pages in the order of the keys; a page's token is the last key of the page before.
 */
#include "api/cloudwatch.h"
#include "core/clock.h"
#include "core/crypto.h"

#include <stdlib.h>

enum {
    PAGE = 500,
    FILTERS_MAX = 10,
    NAME_MAX_ = 255,
    VALUE_MAX = 1024,
    TWO_WEEKS = 14 * 24 * 60,
    THREE_HOURS = 180,
    TOKEN_MAX = 65536,
};

struct listing {
    struct hg_str space, name; /* p NULL: any */
    struct hg_dimension filters[FILTERS_MAX];
    size_t filter_count;
    struct hg_str after; /* key without unit */
    int64_t since_minute;
    /* The first PAGE + 1 that fit, in order: keys without their units, owned. */
    struct hg_str *found;
    size_t found_count;
};

static void drop(void *user)
{
    struct listing *listing = user;

    for (size_t i = 0; i < listing->found_count; i++)
        free((void *)(uintptr_t)listing->found[i].p);
    free(listing->found);
}

static bool read_filters(const struct watch_node *node, struct listing *listing)
{
    const cJSON *list, *element;
    size_t count;

    if (!watch_list(node, "Dimensions", FILTERS_MAX, &list, &count))
        return false;
    cJSON_ArrayForEach(element, list)
    {
        struct hg_dimension *filter = &listing->filters[listing->filter_count];
        struct watch_node inner = {0};

        if (!watch_element(node, "Dimensions", element, listing->filter_count, &inner) ||
            !watch_need(&inner, "Name") || !watch_text(&inner, "Name", NAME_MAX_, &filter->name) ||
            !watch_text(&inner, "Value", VALUE_MAX, &filter->value))
            return false;
        listing->filter_count++;
    }
    return true;
}

static bool read_token(const struct watch_node *node, struct listing *listing)
{
    struct hg_str token;
    struct hg_buf key;
    bool is_good;

    if (!watch_text(node, "NextToken", 2 * TOKEN_MAX, &token))
        return false;
    if (!token.p)
        return true;
    hg_buf_init(&key, TOKEN_MAX);
    is_good = hg_base64_decode(&key, token) && key.len;
    if (is_good)
        listing->after = hg_arena_str(node->watch->arena, hg_buf_str(&key));
    hg_buf_fini(&key);
    return is_good || watch_refuse(node->watch, WATCH_INVALID, "The next token is not valid.");
}

static bool read_others(const struct watch_node *node, struct listing *listing)
{
    struct hg_str active, account;
    bool is_linked = false;
    int64_t now = hg_steady_ms() / (MINUTE_S * 1000);

    if (!watch_text(node, "RecentlyActive", NAME_MAX_, &active) ||
        !watch_bool(node, "IncludeLinkedAccounts", &is_linked) ||
        !watch_text(node, "OwningAccount", NAME_MAX_, &account))
        return false;
    if (active.p && !hg_str_is(active, "PT3H"))
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter RecentlyActive must be a value in the set [PT3H].");
    if (is_linked || account.p)
        return watch_refuse(node->watch, WATCH_UNSUPPORTED,
                            "%s is not available in Headgate: there is one account.",
                            account.p ? "OwningAccount" : "IncludeLinkedAccounts");
    listing->since_minute = now - (active.p ? THREE_HOURS : TWO_WEEKS);
    return true;
}

bool list_metrics_prepare(struct watch_call *watch)
{
    struct listing *listing = hg_arena_must(watch->arena, sizeof(*listing));
    struct watch_node node = watch_root(watch);

    watch->user = listing;
    watch->drop = drop;
    return watch_text(&node, "Namespace", NAME_MAX_, &listing->space) &&
           watch_text(&node, "MetricName", NAME_MAX_, &listing->name) &&
           read_filters(&node, listing) && read_others(&node, listing) &&
           read_token(&node, listing);
}

static bool fits_filter(const struct hg_metric *metric, const struct hg_dimension *filter)
{
    for (size_t i = 0; i < metric->dimension_count; i++)
        if (hg_str_eq(metric->dimensions[i].name, filter->name))
            return !filter->value.p || hg_str_eq(metric->dimensions[i].value, filter->value);
    return false;
}

static bool fits(const struct listing *listing, const struct hg_metric *metric)
{
    if ((listing->space.p && !hg_str_eq(listing->space, metric->space)) ||
        (listing->name.p && !hg_str_eq(listing->name, metric->name)))
        return false;
    for (size_t i = 0; i < listing->filter_count; i++)
        if (!fits_filter(metric, &listing->filters[i]))
            return false;
    return true;
}

static void on_key(struct hg_str key, int64_t last_minute, void *arg)
{
    struct listing *listing = arg;
    size_t low = 0, high = listing->found_count;
    struct hg_metric metric;

    if (last_minute < listing->since_minute || !hg_metric_parse(key, &metric) ||
        !fits(listing, &metric))
        return;
    key = hg_str_n(key.p, metric.unit_at);
    if (listing->after.p && hg_str_cmp(key, listing->after) <= 0)
        return;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (hg_str_cmp(listing->found[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > PAGE || (low < listing->found_count && hg_str_eq(listing->found[low], key)))
        return; /* behind this page, or the same metric in another unit */
    if (listing->found_count == PAGE + 1)
        free((void *)(uintptr_t)listing->found[--listing->found_count].p);
    memmove(listing->found + low + 1, listing->found + low,
            (listing->found_count - low) * sizeof(*listing->found));
    listing->found[low] = hg_str_n(hg_strndup(key.p, key.n), key.n);
    listing->found_count++;
}

void list_metrics_work(struct watch_call *watch, struct series_store *store)
{
    struct listing *listing = watch->user;

    listing->found = hg_calloc(PAGE + 1, sizeof(*listing->found));
    series_store_each(store, on_key, listing);
}

static void put_metric(struct watch_writer *out, struct hg_str key)
{
    char whole[TOKEN_MAX];
    struct hg_metric metric;

    /* The parser wants a unit, whichever. */
    if (key.n + 3 > sizeof(whole))
        return;
    memcpy(whole, key.p, key.n);
    memcpy(whole + key.n, "\1-", 3);
    if (!hg_metric_parse(hg_str_n(whole, key.n + 3), &metric))
        return;
    watch_put_object(out, NULL);
    watch_put_text(out, "Namespace", metric.space);
    watch_put_text(out, "MetricName", metric.name);
    watch_put_list(out, "Dimensions");
    for (size_t i = 0; i < metric.dimension_count; i++) {
        watch_put_object(out, NULL);
        watch_put_text(out, "Name", metric.dimensions[i].name);
        watch_put_text(out, "Value", metric.dimensions[i].value);
        watch_end_object(out, NULL);
    }
    watch_end_list(out, "Dimensions");
    watch_end_object(out, NULL);
}

void list_metrics_respond(struct watch_call *watch, struct watch_writer *out)
{
    const struct listing *listing = watch->user;
    struct hg_buf token;

    watch_put_list(out, "Metrics");
    for (size_t i = 0; i < listing->found_count && i < PAGE; i++)
        put_metric(out, listing->found[i]);
    watch_end_list(out, "Metrics");
    if (listing->found_count <= PAGE)
        return;
    hg_buf_init(&token, 2 * TOKEN_MAX);
    (void)hg_base64_encode(&token, listing->found[PAGE - 1]);
    watch_put_text(out, "NextToken", hg_buf_str(&token));
    hg_buf_fini(&token);
}
