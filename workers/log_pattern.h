/*
 * Filter patterns of CloudWatch Logs: terms, JSON conditions, space-delimited fields. A pattern is compiled once and then matched
 * against many messages; one thread at a time.
 *     ERROR "two words" -debug ?A ?B %re+gex%
 *     { ($.level = "ERROR" || $.n >= 3) && $.user.id[0] != "x*" && $.gone NOT EXISTS }
 *     [ip, user, ..., status = 4*, bytes > 1000]
 */
#ifndef HG_WORKERS_LOG_PATTERN_H
#define HG_WORKERS_LOG_PATTERN_H

#include "core/error.h"
#include "core/str.h"

enum { HG_LOG_PATTERN_MAX = 1024 };

struct hg_log_pattern;

/* NULL with a sentence for what is no pattern. The empty one matches everything. */
struct hg_log_pattern *log_pattern_new(struct hg_str text, struct hg_error *err);
void log_pattern_free(struct hg_log_pattern *pattern);

bool log_pattern_matches(struct hg_log_pattern *pattern, struct hg_str message);

#endif
