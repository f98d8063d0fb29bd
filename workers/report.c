/*
 * Text lines are put together by hand: there are three of them in every invocation.
 */
#include "workers/report.h"

#include "core/clock.h"
#include "core/json_write.h"

#include <stdio.h>

enum { LINE_MAX_BYTES = 1024 };

static const char *const status_names[] = {
    [HG_REPORT_SUCCESS] = "success",
    [HG_REPORT_FUNCTION_ERROR] = "error",
    [HG_REPORT_ERROR] = "error",
    [HG_REPORT_TIMEOUT] = "timeout",
};

enum event_level { EVENT_DEBUG, EVENT_INFO, EVENT_WARN };

static bool is_json(const struct hg_function *function)
{
    return hg_str_is(function->log_format, "JSON");
}

/* SystemLogLevel DEBUG, INFO or WARN; INFO unless set. */
static bool passes(const struct hg_function *function, enum event_level level)
{
    enum event_level least = EVENT_INFO;

    if (hg_str_is_nocase(function->system_log_level, "DEBUG"))
        least = EVENT_DEBUG;
    else if (hg_str_is_nocase(function->system_log_level, "WARN"))
        least = EVENT_WARN;
    return level >= least;
}

/* A line under construction on the stack; too long a text is cut. */
struct line {
    char text[LINE_MAX_BYTES];
    size_t length;
};

static void put(struct line *line, struct hg_str text)
{
    size_t length = HG_MIN(text.n, sizeof(line->text) - line->length);

    memcpy(line->text + line->length, text.p, length);
    line->length += length;
}

static void put_number(struct line *line, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    put(line, hg_str_n(digits + at, sizeof(digits) - at));
}

/* Durations are told in hundredths of a millisecond, and billed from what is told. */
static uint64_t hundredths(int64_t microseconds)
{
    return (uint64_t)(microseconds + 5) / 10;
}

static void put_ms(struct line *line, int64_t microseconds)
{
    uint64_t value = hundredths(microseconds);
    char fraction[3] = {'.', (char)('0' + value / 10 % 10), (char)('0' + value % 10)};

    put_number(line, value / 100);
    put(line, hg_str_n(fraction, sizeof(fraction)));
    put(line, HG_STR(" ms"));
}

static uint64_t billed_ms(const struct hg_report *report)
{
    return (hundredths(report->duration_us) + hundredths(report->init_us) + 99) / 100;
}

static uint64_t peak_mb(const struct hg_report *report)
{
    return (report->peak_bytes + (1 << 20) - 1) >> 20;
}

static void emit(struct hg_env_log *log, const struct line *line)
{
    env_log_line(log, hg_wall_ms(), hg_str_n(line->text, line->length));
}

/* ---- JSON ---- */

static struct hg_json begin_event(struct hg_buf *buf, const char *type)
{
    char time[HG_TIME_TEXT_MAX];
    struct hg_json json;

    hg_buf_init(buf, 8 * LINE_MAX_BYTES);
    json = hg_json_to(buf);
    hg_json_begin_object(&json);
    hg_json_field_cstr(&json, "time", hg_time_iso(hg_wall_ms(), time));
    hg_json_field_cstr(&json, "type", type);
    hg_json_key_lit(&json, "record");
    hg_json_begin_object(&json);
    return json;
}

static void end_event(struct hg_env_log *log, struct hg_json *json, struct hg_buf *buf)
{
    hg_json_end_object(json);
    hg_json_end_object(json);
    env_log_line(log, hg_wall_ms(), hg_buf_str(buf));
    hg_buf_fini(buf);
}

static void put_json_ms(struct hg_json *json, int64_t microseconds)
{
    char text[32];
    uint64_t value = hundredths(microseconds);
    int length = snprintf(text, sizeof(text), "%llu.%02llu", (unsigned long long)(value / 100),
                          (unsigned long long)(value % 100));

    hg_json_raw(json, hg_str_n(text, (size_t)length));
}

static void put_phase(struct hg_json *json, enum hg_init_phase phase)
{
    hg_json_field_cstr(json, "initializationType",
                       phase == HG_INIT_PROVISIONED ? "provisioned-concurrency" : "on-demand");
    hg_json_field_cstr(json, "phase", phase == HG_INIT_INVOKE ? "invoke" : "init");
}

static void json_init_start(struct hg_env_log *log, const struct hg_function *function,
                            const struct hg_plan *plan, enum hg_init_phase phase)
{
    struct hg_buf buf;
    struct hg_json json;

    if (!passes(function, EVENT_INFO))
        return;
    json = begin_event(&buf, "platform.initStart");
    put_phase(&json, phase);
    hg_json_field_cstr(&json, "runtimeVersion", plan->runtime_version);
    hg_json_field_cstr(&json, "runtimeVersionArn", plan->runtime_version_arn);
    hg_json_field_str(&json, "functionName", function->name);
    hg_json_field_str(&json, "functionVersion", function->version);
    hg_json_field_str(&json, "instanceId", hg_str_n(log->stream, log->stream_length));
    hg_json_field_i64(&json, "instanceMaxMemory", (int64_t)function->memory_mb << 20);
    end_event(log, &json, &buf);
}

static void json_start(struct hg_env_log *log, const struct hg_function *function,
                       const char *request_id)
{
    struct hg_buf buf;
    struct hg_json json;

    if (!passes(function, EVENT_INFO))
        return;
    json = begin_event(&buf, "platform.start");
    hg_json_field_cstr(&json, "requestId", request_id);
    hg_json_field_str(&json, "version", function->version);
    end_event(log, &json, &buf);
}

static void put_outcome(struct hg_json *json, const struct hg_report *report)
{
    hg_json_field_cstr(json, "status", status_names[report->status]);
    if (report->error_type[0])
        hg_json_field_cstr(json, "errorType", report->error_type);
}

static void json_end(struct hg_env_log *log, const struct hg_function *function,
                     const struct hg_report *report)
{
    struct hg_buf buf;
    struct hg_json json;

    if (passes(function, report->status == HG_REPORT_SUCCESS ? EVENT_DEBUG : EVENT_WARN)) {
        json = begin_event(&buf, "platform.runtimeDone");
        hg_json_field_cstr(&json, "requestId", report->request_id);
        put_outcome(&json, report);
        hg_json_key_lit(&json, "metrics");
        hg_json_begin_object(&json);
        hg_json_key_lit(&json, "durationMs");
        put_json_ms(&json, report->duration_us);
        hg_json_field_i64(&json, "producedBytes", (int64_t)report->produced_bytes);
        hg_json_end_object(&json);
        end_event(log, &json, &buf);
    }
    if (!passes(function, report->status == HG_REPORT_SUCCESS ? EVENT_INFO : EVENT_WARN))
        return;
    json = begin_event(&buf, "platform.report");
    hg_json_field_cstr(&json, "requestId", report->request_id);
    put_outcome(&json, report);
    hg_json_key_lit(&json, "metrics");
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "durationMs");
    put_json_ms(&json, report->duration_us);
    hg_json_field_i64(&json, "billedDurationMs", (int64_t)billed_ms(report));
    hg_json_field_i64(&json, "memorySizeMB", function->memory_mb);
    hg_json_field_i64(&json, "maxMemoryUsedMB", (int64_t)peak_mb(report));
    if (report->init_us) {
        hg_json_key_lit(&json, "initDurationMs");
        put_json_ms(&json, report->init_us);
    }
    hg_json_end_object(&json);
    end_event(log, &json, &buf);
}

static void json_init_failed(struct hg_env_log *log, const struct hg_function *function,
                             enum hg_init_phase phase, enum hg_report_status status,
                             const char *error_type, int64_t init_us)
{
    struct hg_buf buf;
    struct hg_json json;

    if (!passes(function, EVENT_WARN))
        return;
    json = begin_event(&buf, "platform.initReport");
    put_phase(&json, phase);
    hg_json_field_cstr(&json, "status", status_names[status]);
    if (error_type[0])
        hg_json_field_cstr(&json, "errorType", error_type);
    hg_json_key_lit(&json, "metrics");
    hg_json_begin_object(&json);
    hg_json_key_lit(&json, "durationMs");
    put_json_ms(&json, init_us);
    hg_json_end_object(&json);
    end_event(log, &json, &buf);
}

/* ---- either ---- */

void report_init_start(struct hg_env_log *log, const struct hg_function *function,
                       const struct hg_plan *plan, enum hg_init_phase phase)
{
    struct line line = {.length = 0};

    if (!plan->runtime_version)
        return;
    if (is_json(function)) {
        json_init_start(log, function, plan, phase);
        return;
    }
    put(&line, HG_STR("INIT_START Runtime Version: "));
    put(&line, hg_str_of(plan->runtime_version));
    put(&line, HG_STR("\tRuntime Version ARN: "));
    put(&line, hg_str_of(plan->runtime_version_arn));
    emit(log, &line);
}

void report_start(struct hg_env_log *log, const struct hg_function *function,
                  const char *request_id)
{
    struct line line;

    if (is_json(function)) {
        json_start(log, function, request_id);
        return;
    }
    line.length = 0;
    put(&line, HG_STR("START RequestId: "));
    put(&line, hg_str_of(request_id));
    put(&line, HG_STR(" Version: "));
    put(&line, function->version);
    emit(log, &line);
}

static void put_failure(struct line *line, const struct hg_report *report)
{
    switch (report->status) {
    case HG_REPORT_SUCCESS:
    case HG_REPORT_FUNCTION_ERROR:
        return;
    case HG_REPORT_TIMEOUT:
        put(line, HG_STR("Status: timeout\t"));
        return;
    case HG_REPORT_ERROR:
        put(line, HG_STR("Status: error\tError Type: "));
        put(line, hg_str_of(report->error_type));
        put(line, HG_STR("\t"));
        return;
    }
}

static void text_extra(struct hg_env_log *log, const struct hg_report *report)
{
    struct line line = {.length = 0};
    char time[HG_TIME_TEXT_MAX];

    if (report->status == HG_REPORT_TIMEOUT) {
        put(&line, hg_str_of(hg_time_iso(hg_wall_ms(), time)));
        put(&line, HG_STR(" "));
        put(&line, hg_str_of(report->request_id));
        put(&line, HG_STR(" "));
        put(&line, hg_str_of(report->extra_message));
        emit(log, &line);
        return;
    }
    put(&line, HG_STR("RequestId: "));
    put(&line, hg_str_of(report->request_id));
    put(&line, HG_STR(" Error: "));
    put(&line, hg_str_of(report->extra_message));
    emit(log, &line);
    line.length = 0;
    put(&line, hg_str_of(report->error_type));
    emit(log, &line);
}

void report_end(struct hg_env_log *log, const struct hg_function *function,
                const struct hg_report *report)
{
    struct line line;

    if (is_json(function)) {
        json_end(log, function, report);
        return;
    }
    if (report->extra_message)
        text_extra(log, report);
    line.length = 0;
    put(&line, HG_STR("END RequestId: "));
    put(&line, hg_str_of(report->request_id));
    emit(log, &line);
    line.length = 0;
    put(&line, HG_STR("REPORT RequestId: "));
    put(&line, hg_str_of(report->request_id));
    put(&line, HG_STR("\tDuration: "));
    put_ms(&line, report->duration_us);
    put(&line, HG_STR("\tBilled Duration: "));
    put_number(&line, billed_ms(report));
    put(&line, HG_STR(" ms\tMemory Size: "));
    put_number(&line, function->memory_mb);
    put(&line, HG_STR(" MB\tMax Memory Used: "));
    put_number(&line, peak_mb(report));
    put(&line, HG_STR(" MB\t"));
    if (report->init_us) {
        put(&line, HG_STR("Init Duration: "));
        put_ms(&line, report->init_us);
        put(&line, HG_STR("\t"));
    }
    put_failure(&line, report);
    emit(log, &line);
}

void report_init_failed(struct hg_env_log *log, const struct hg_function *function,
                        enum hg_init_phase phase, enum hg_report_status status,
                        const char *error_type, int64_t init_us)
{
    struct line line = {.length = 0};

    if (is_json(function)) {
        json_init_failed(log, function, phase, status, error_type, init_us);
        return;
    }
    put(&line, HG_STR("INIT_REPORT Init Duration: "));
    put_ms(&line, init_us);
    put(&line, phase == HG_INIT_INVOKE ? HG_STR("\tPhase: invoke\tStatus: ")
                                       : HG_STR("\tPhase: init\tStatus: "));
    put(&line, hg_str_of(status_names[status]));
    if (error_type[0]) {
        put(&line, HG_STR("\tError Type: "));
        put(&line, hg_str_of(error_type));
    }
    emit(log, &line);
}
