/*
 * Which CloudWatch operation a request is, in which protocol, and its way through.
 */
#include "api/cloudwatch.h"
#include "api/query_form.h"
#include "core/gzip.h"
#include "workers/minute.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX = 64 << 20, NAME_MAX_ = 64 /* bytes of a client's text that an error repeats */ };

static const struct watch_operation operations[] = {
    {"GetMetricStatistics", statistics_prepare, statistics_work, statistics_respond},
    {"GetMetricData", metric_data_prepare, metric_data_work, metric_data_respond},
    {"ListMetrics", list_metrics_prepare, list_metrics_work, list_metrics_respond},
    {"PutMetricData", put_metrics_prepare, put_metrics_work, NULL},
};

/* The service's others: alarms, dashboards, streams, insights, tags. */
static const char *const other_operations[] = {
#define WATCH_OTHER(name) #name,
#include "api/cloudwatch_others.def"
#undef WATCH_OTHER
};

bool watch_refuse(struct watch_call *watch, enum watch_error error, const char *format, ...)
{
    va_list args;

    if (watch->error != WATCH_OK)
        return false;
    watch->error = error;
    va_start(args, format);
    (void)vsnprintf(watch->message, sizeof(watch->message), format, args);
    va_end(args);
    return false;
}

static void drop(struct watch_call *watch)
{
    if (watch->drop && watch->user)
        watch->drop(watch->user);
    cJSON_Delete(watch->input);
    hg_arena_free(watch->arena);
    free(watch);
}

static void on_abort(struct hg_request *req)
{
    ((struct watch_call *)req->user)->call = NULL;
}

static void on_work(struct hg_series_op *op, struct series_store *store)
{
    struct watch_call *watch = hg_container_of(op, struct watch_call, op);

    watch->operation->work(watch, store);
}

static void answer(struct watch_call *watch)
{
    struct hg_call *call = watch->call;

    if (!call)
        return;
    call->req->on_abort = NULL;
    call->req->user = NULL;
    if (watch->error == WATCH_OK)
        watch_respond(watch);
    else
        watch_respond_error(call, watch->protocol, watch->error, watch->message);
}

static void on_done(struct hg_series_op *op)
{
    struct watch_call *watch = hg_container_of(op, struct watch_call, op);

    answer(watch);
    drop(watch);
}

static void submit(void *arg)
{
    struct watch_call *watch = arg;

    series_submit(minutes_store(watch->minutes), watch->home, &watch->op);
}

static void begin(struct watch_call *watch)
{
    struct hg_request *req = watch->call->req;

    watch->op.work = on_work;
    watch->op.done = on_done;
    watch->home = req->loop;
    req->user = watch;
    req->on_abort = on_abort;
    /* A question counts in what the loops have gathered until now. */
    minutes_flush(watch->minutes, watch->home, submit, watch);
}

/* ---- which call it is ---- */

static const struct watch_operation *find_operation(struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(operations); i++)
        if (hg_str_is(name, operations[i].name))
            return &operations[i];
    return NULL;
}

static bool is_other(struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(other_operations); i++)
        if (hg_str_is(name, other_operations[i]))
            return true;
    return false;
}

static struct hg_str after(struct hg_str text, const char *prefix)
{
    struct hg_str start = hg_str_of(prefix);

    return hg_str_starts(text, start) ? hg_str_skip(text, start.n) : hg_str_n(NULL, 0);
}

/* The operation's name; p NULL when the request names none. */
static struct hg_str read_target(struct watch_call *watch, const struct hg_request *req,
                                 struct hg_str body)
{
    struct hg_str name = after(req->path, "/service/GraniteServiceVersion20100801/operation/");
    struct query_form form;

    watch->protocol = WATCH_CBOR;
    if (name.p)
        return name;
    watch->protocol = WATCH_JSON;
    name = after(req_header(req, "x-amz-target"), "GraniteServiceVersion20100801.");
    if (name.p)
        return name;
    watch->protocol = WATCH_QUERY;
    return form_parse(watch->arena, body, &form) ? form_get(&form, "Action") : hg_str_n(NULL, 0);
}

/* The body as the operation reads it: unpacked; for forms also what a GET has behind the '?'. */
static bool read_body(struct watch_call *watch, const struct hg_request *req, struct hg_str *body)
{
    struct hg_str encoding = req_header(req, "content-encoding");
    struct hg_buf *plain;
    enum hg_rc rc;

    *body = req->body.n || !req->query.p ? req->body : req->query;
    if (encoding.p && hg_str_is_nocase(encoding, "gzip")) {
        plain = call_buffer(watch->call);
        plain->max = WATCH_BODY_MAX;
        rc = hg_gunzip(plain, req->body);
        if (rc == HG_E_TOO_LARGE)
            return watch_refuse(watch, WATCH_TOO_LARGE,
                                "The request is larger than %d bytes when it is unpacked.",
                                WATCH_BODY_MAX);
        if (rc != HG_OK)
            return watch_refuse(watch, WATCH_MALFORMED, "the request's body is not valid gzip");
        *body = hg_buf_str(plain);
    } else if (encoding.p && encoding.n && !hg_str_is_nocase(encoding, "identity") &&
               !hg_str_starts(encoding, HG_STR("aws-chunked"))) {
        return watch_refuse(watch, WATCH_MALFORMED, "Content-Encoding %.*s is not known; gzip is",
                            (int)HG_MIN(encoding.n, (size_t)NAME_MAX_), encoding.p);
    }
    return body->n <= WATCH_BODY_MAX ||
           watch_refuse(watch, WATCH_TOO_LARGE, "The request is larger than %d bytes.",
                        WATCH_BODY_MAX);
}

static bool read_call(struct watch_call *watch)
{
    const struct hg_request *req = watch->call->req;
    struct hg_str body, name;
    bool is_readable = read_body(watch, req, &body);

    name = read_target(watch, req, is_readable ? body : hg_str_n("", 0));
    if (!is_readable)
        return false;
    watch->operation = find_operation(name);
    if (watch->operation) {
        watch->input = watch_read_input(watch, body);
        return watch->input && watch->operation->prepare(watch);
    }
    if (is_other(name))
        return watch_refuse(watch, WATCH_UNSUPPORTED,
                            "%.*s is not available in Headgate: of CloudWatch it serves "
                            "ListMetrics, GetMetricStatistics, GetMetricData and PutMetricData.",
                            HG_STR_ARG(name));
    return watch_refuse(watch, WATCH_UNKNOWN, "Could not find operation %.*s.",
                        (int)HG_MIN(name.n, (size_t)NAME_MAX_), name.p ? name.p : "");
}

void cloudwatch_run(struct hg_call *call)
{
    struct watch_call *watch = hg_calloc(1, sizeof(*watch));

    watch->call = call;
    watch->arena = hg_arena_new(ARENA_MAX);
    watch->minutes = workers_minutes(call->api->options.workers);
    if (read_call(watch) && !watch->minutes)
        (void)watch_refuse(watch, WATCH_UNSUPPORTED, "metrics are not recorded here");
    if (watch->error == WATCH_OK) {
        begin(watch);
        return;
    }
    answer(watch);
    drop(watch);
}
