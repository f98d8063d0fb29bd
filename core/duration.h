/*
 * Durations as people write them: "500ms", "30s", "10m", "2h", "1d".
 */
#ifndef HG_CORE_DURATION_H
#define HG_CORE_DURATION_H

#include "core/str.h"

/* A whole number and a unit; a bare number counts seconds. False on anything else or beyond a year. */
bool hg_duration_parse(struct hg_str text, int64_t *milliseconds);

#endif
