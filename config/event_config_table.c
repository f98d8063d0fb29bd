#include "config/event_config_table.h"

#include <stdlib.h>

struct event_table *event_table_new(void)
{
    struct event_table *table = hg_calloc(1, sizeof(*table));

    atomic_init(&table->counted.refs, 1);
    return table;
}

struct event_table *event_table_copy(const struct event_table *table)
{
    struct event_table *copy = event_table_new();

    if (!table->count)
        return copy;
    copy->count = table->count;
    copy->rows = hg_malloc(table->count * sizeof(*table->rows));
    memcpy(copy->rows, table->rows, table->count * sizeof(*table->rows));
    return copy;
}

void event_table_unref(struct event_table *table)
{
    if (!hg_counted_unref(&table->counted))
        return;
    free(table->rows);
    free(table);
}

static bool is_version(struct hg_str qualifier)
{
    return qualifier.n && qualifier.p[0] >= '0' && qualifier.p[0] <= '9' &&
           hg_str_u64(qualifier, UINT64_MAX, &(uint64_t){0});
}

/* "$LATEST", versions, aliases. */
static int rank(struct hg_str qualifier)
{
    if (qualifier.n == 0)
        return 0;
    if (qualifier.p[0] == '$')
        return 1;
    return is_version(qualifier) ? 2 : 3;
}

static int compare_qualifiers(struct hg_str a, struct hg_str b)
{
    if (rank(a) != rank(b))
        return rank(a) - rank(b);
    if (rank(a) == 2 && a.n != b.n) /* of two numbers the longer one is larger */
        return a.n < b.n ? -1 : 1;
    return hg_str_cmp(a, b);
}

static int compare(const struct event_row *row, struct hg_str function, struct hg_str qualifier)
{
    int order = hg_str_cmp(hg_str_of(row->config.function), function);

    return order ? order : compare_qualifiers(hg_str_of(row->config.qualifier), qualifier);
}

/* Place of the first row that is not before the pair. */
static size_t place_of(const struct event_table *table, struct hg_str function,
                       struct hg_str qualifier)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&table->rows[middle], function, qualifier) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct event_row *event_table_find(const struct event_table *table, struct hg_str function,
                                         struct hg_str qualifier)
{
    size_t at = place_of(table, function, qualifier);

    return at < table->count && compare(&table->rows[at], function, qualifier) == 0
               ? &table->rows[at]
               : NULL;
}

size_t event_table_after(const struct event_table *table, struct hg_str function,
                         struct hg_str qualifier)
{
    size_t at = place_of(table, function, qualifier);

    return at < table->count && compare(&table->rows[at], function, qualifier) == 0 ? at + 1 : at;
}

void event_table_put(struct event_table *table, const struct event_row *row)
{
    struct hg_str function = hg_str_of(row->config.function),
                  qualifier = hg_str_of(row->config.qualifier);
    size_t at = place_of(table, function, qualifier);

    if (at == table->count || compare(&table->rows[at], function, qualifier) != 0) {
        table->rows = hg_realloc(table->rows, (table->count + 1) * sizeof(*table->rows));
        memmove(&table->rows[at + 1], &table->rows[at], (table->count - at) * sizeof(*table->rows));
        table->count++;
    }
    table->rows[at] = *row;
}

void event_table_remove(struct event_table *table, struct hg_str function, struct hg_str qualifier)
{
    size_t at = place_of(table, function, qualifier);

    if (at == table->count || compare(&table->rows[at], function, qualifier) != 0)
        return;
    table->count--;
    memmove(&table->rows[at], &table->rows[at + 1], (table->count - at) * sizeof(*table->rows));
}
