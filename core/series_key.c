#include "core/series_key.h"

enum { UNIT_MARK = 1 };

static void put(struct hg_buf *out, struct hg_str text)
{
    hg_buf_append_str(out, text);
    hg_buf_append_byte(out, '\0');
}

static void sort(struct hg_metric *metric)
{
    for (size_t i = 1; i < metric->dimension_count; i++) {
        struct hg_dimension moved = metric->dimensions[i];
        size_t at = i;

        for (; at > 0 && hg_str_cmp(metric->dimensions[at - 1].name, moved.name) > 0; at--)
            metric->dimensions[at] = metric->dimensions[at - 1];
        metric->dimensions[at] = moved;
    }
}

void hg_metric_key(struct hg_metric *metric, struct hg_buf *out)
{
    sort(metric);
    hg_buf_clear(out, out->cap);
    put(out, metric->space);
    put(out, metric->name);
    for (size_t i = 0; i < metric->dimension_count; i++) {
        put(out, metric->dimensions[i].name);
        put(out, metric->dimensions[i].value);
    }
    hg_buf_append_byte(out, UNIT_MARK);
    put(out, metric->unit);
}

static bool take(struct hg_str *rest, struct hg_str *text)
{
    ptrdiff_t end = hg_str_find(*rest, '\0');

    if (end < 0)
        return false;
    *text = hg_str_n(rest->p, (size_t)end);
    *rest = hg_str_skip(*rest, (size_t)end + 1);
    return true;
}

bool hg_metric_parse(struct hg_str key, struct hg_metric *metric)
{
    struct hg_str rest = key;

    metric->dimension_count = 0;
    if (!take(&rest, &metric->space) || !take(&rest, &metric->name))
        return false;
    while (rest.n && rest.p[0] != UNIT_MARK) {
        struct hg_dimension *dimension = &metric->dimensions[metric->dimension_count];

        if (metric->dimension_count == HG_DIMENSIONS_MAX || !take(&rest, &dimension->name) ||
            !take(&rest, &dimension->value))
            return false;
        metric->dimension_count++;
    }
    if (!rest.n)
        return false;
    metric->unit_at = key.n - rest.n;
    rest = hg_str_skip(rest, 1);
    return take(&rest, &metric->unit) && !rest.n;
}
