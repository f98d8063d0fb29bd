/*
 * What a metric is called, as the key of its series: namespace, name, dimensions in the order of their names, unit: so that in the
 * order of keys the same metric in several units stands together. No text begins with a control byte or holds a NUL.
 */
#ifndef HG_CORE_SERIES_KEY_H
#define HG_CORE_SERIES_KEY_H

#include "core/buf.h"

enum { HG_DIMENSIONS_MAX = 30 };

struct hg_dimension {
    struct hg_str name, value;
};

struct hg_metric {
    struct hg_str space, name, unit;
    size_t
        unit_at; /* of a parsed one: where in the key the unit begins; before it all is the metric */
    struct hg_dimension dimensions[HG_DIMENSIONS_MAX];
    size_t dimension_count;
};

/* Replaces what out holds. Puts the dimensions in order. */
void hg_metric_key(struct hg_metric *metric, struct hg_buf *out);
/* Points into key. False when it is none. */
bool hg_metric_parse(struct hg_str key, struct hg_metric *metric);

#endif
