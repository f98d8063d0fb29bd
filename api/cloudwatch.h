/*
 * The CloudWatch metrics API: what its operations share. Three protocols (smithy-rpc-v2-cbor, JSON 1.0, query) carry the same calls: an
 * input becomes one JSON object with the model's member names, an answer is written by one writer.
 *
 * A call is read and checked on the request's loop (prepare), done on the thread of the store (work), answered on the loop (respond).
 */
#ifndef HG_API_CLOUDWATCH_H
#define HG_API_CLOUDWATCH_H

#include "api/call.h"
#include "core/series.h"
#include "core/series_key.h"

#include <cjson/cJSON.h>

enum {
    WATCH_BODY_MAX = 1 << 20,
    WATCH_MESSAGE_MAX = 1024,
    WATCH_PATH_MAX = 128,
    MINUTE_S = 60,
};

enum watch_protocol { WATCH_CBOR, WATCH_JSON, WATCH_QUERY };

enum watch_error {
    WATCH_OK,
    WATCH_INVALID,     /* InvalidParameterValue */
    WATCH_MISSING,     /* MissingParameter */
    WATCH_COMBINATION, /* InvalidParameterCombination */
    WATCH_VALIDATION,  /* ValidationError */
    WATCH_BAD_TOKEN,   /* InvalidNextToken */
    WATCH_MALFORMED,   /* SerializationException */
    WATCH_TOO_LARGE,
    WATCH_UNKNOWN,     /* no such operation */
    WATCH_UNSUPPORTED, /* an operation, or a part of one, that Headgate does not offer */
};

struct watch_writer;
struct watch_call;

struct watch_operation {
    const char *name;
    bool (*prepare)(struct watch_call *watch); /* false: refused */
    void (*work)(struct watch_call *watch, struct series_store *store);
    void (*respond)(struct watch_call *watch,
                    struct watch_writer *out); /* members of the result; NULL: none */
};

/* Outlives a client that leaves. */
struct watch_call {
    struct hg_series_op op;
    struct hg_call *call; /* NULL once the client has left */
    struct hg_minutes *minutes;
    struct hg_loop *home;
    struct hg_arena *arena;
    enum watch_protocol protocol;
    const struct watch_operation *operation;
    cJSON *input;
    enum watch_error error;
    char message[WATCH_MESSAGE_MAX];
    void *user;               /* the operation's own, in arena */
    void (*drop)(void *user); /* frees what user has beside the arena; may be NULL */
};

/* Notes what is wrong; returns false, for `return watch_refuse(…)`. The first one counts. */
bool watch_refuse(struct watch_call *watch, enum watch_error error, const char *format, ...)
    hg_printf_like(3, 4);

/* ---- cloudwatch_input.c: reading members; each is false once refused, with the service's words ---- */

/* A structure of the input, and how the service calls it in its messages ("MetricData.member.1."). */
struct watch_node {
    struct watch_call *watch;
    const cJSON *object;
    char path[WATCH_PATH_MAX];
};

/* The input as one object; NULL when refused. */
cJSON *watch_read_input(struct watch_call *watch, struct hg_str body);
struct watch_node watch_root(struct watch_call *watch);
bool watch_has(const struct watch_node *node, const char *name);
bool watch_need(const struct watch_node *node, const char *name);
/* Absent: p NULL, the fallback, false. */
bool watch_text(const struct watch_node *node, const char *name, size_t max, struct hg_str *text);
bool watch_real(const struct watch_node *node, const char *name, double *value);
bool watch_whole(const struct watch_node *node, const char *name, int64_t min, int64_t max,
                 int64_t *value);
bool watch_bool(const struct watch_node *node, const char *name, bool *value);
/* Milliseconds since 1970. */
bool watch_time(const struct watch_node *node, const char *name, int64_t *time_ms);
/* NULL list when absent. */
bool watch_list(const struct watch_node *node, const char *name, size_t max, const cJSON **list,
                size_t *count);
bool watch_object(const struct watch_node *node, const char *name, struct watch_node *inner);
/* The number-th element (from 0) of a list of structures. */
bool watch_element(const struct watch_node *node, const char *name, const cJSON *element,
                   size_t number, struct watch_node *inner);
bool watch_element_text(const struct watch_node *node, const char *name, const cJSON *element,
                        size_t number, struct hg_str *text);
bool watch_element_real(const struct watch_node *node, const char *name, const cJSON *element,
                        size_t number, double *value);

/* ---- cloudwatch_metric.c ---- */

/* Namespace and MetricName (both needed) and Dimensions. */
bool watch_metric(const struct watch_node *node, struct hg_metric *metric);
bool watch_dimensions(const struct watch_node *node, struct hg_metric *metric);
/* Unit: one of the model's, p NULL when absent. */
bool watch_unit(const struct watch_node *node, struct hg_str *unit);
/* Units, ended by NULL. */
extern const char *const watch_units[];

enum watch_stat_kind {
    WATCH_SAMPLE_COUNT,
    WATCH_AVERAGE,
    WATCH_SUM,
    WATCH_MINIMUM,
    WATCH_MAXIMUM,
    WATCH_PERCENTILE,
};
struct watch_stat {
    struct hg_str name; /* as given */
    enum watch_stat_kind kind;
    double percent;
};
/* Of the five plain ones; HG_E_NOT_FOUND otherwise. */
enum hg_rc watch_plain_stat(struct hg_str name, struct watch_stat *stat);
/* pNN; HG_E_UNSUPPORTED for those of the service that Headgate does not offer, HG_E_INVALID for what is no statistic. */
enum hg_rc watch_extended_stat(struct hg_str name, struct watch_stat *stat);
/* False when it is not known. */
bool watch_stat_value(const struct watch_stat *stat, const struct hg_statset *set, double *value);

/*
 * Period, when it is there: a multiple of 60, or 1, 5, 10, 20 or 30. No point is finer than a minute, so the latter find the points
 * of each minute: grid_s, the period of the points, is at least 60.
 */
bool watch_period(const struct watch_node *node, int64_t *period_s, int64_t *grid_s);

/* Periods of a range of time; empty where nothing was. */
struct watch_slots {
    int64_t from_minute, to_minute;
    int64_t period_minutes;
    size_t count;
    struct hg_statset *sets;
};
/* Start is rounded down to the period. */
void watch_slots_init(struct watch_slots *slots, int64_t start_ms, int64_t end_ms,
                      int64_t period_s);
void watch_slots_fini(struct watch_slots *slots);
size_t watch_slot_count(int64_t start_ms, int64_t end_ms, int64_t period_s);
/* Fills it from the store with the metric in that unit; false: there is no such series. */
bool watch_slots_read(struct watch_slots *slots, struct series_store *store,
                      struct hg_metric *metric, struct hg_str unit);
int64_t watch_slot_time_s(const struct watch_slots *slots, size_t at);

/* ---- cloudwatch_write.c ---- */

/* name is NULL inside lists. */
void watch_put_object(struct watch_writer *out, const char *name);
void watch_end_object(struct watch_writer *out, const char *name);
void watch_put_list(struct watch_writer *out, const char *name);
void watch_end_list(struct watch_writer *out, const char *name);
void watch_put_text(struct watch_writer *out, const char *name, struct hg_str text);
void watch_put_real(struct watch_writer *out, const char *name, double value);
void watch_put_time(struct watch_writer *out, const char *name, int64_t time_s);
/* A map from text to numbers, entry by entry. */
void watch_put_map(struct watch_writer *out, const char *name);
void watch_put_entry(struct watch_writer *out, struct hg_str key, double value);
void watch_end_map(struct watch_writer *out, const char *name);

/* Both answer. */
void watch_respond(struct watch_call *watch);
void watch_respond_error(struct hg_call *call, enum watch_protocol protocol, enum watch_error error,
                         const char *message);

/* ---- the operations ---- */

bool statistics_prepare(struct watch_call *watch);
void statistics_work(struct watch_call *watch, struct series_store *store);
void statistics_respond(struct watch_call *watch, struct watch_writer *out);
bool metric_data_prepare(struct watch_call *watch);
void metric_data_work(struct watch_call *watch, struct series_store *store);
void metric_data_respond(struct watch_call *watch, struct watch_writer *out);
bool list_metrics_prepare(struct watch_call *watch);
void list_metrics_work(struct watch_call *watch, struct series_store *store);
void list_metrics_respond(struct watch_call *watch, struct watch_writer *out);
bool put_metrics_prepare(struct watch_call *watch);
void put_metrics_work(struct watch_call *watch, struct series_store *store);

#endif
