/*
 * The checks come in the service's order: the document, its members one by one
 * (all that fail in one answer), then what they mean.
 */
#include "api/lambda_event_config.h"
#include "config/target.h"
#include "core/json_scan.h"

#include <pthread.h>
#include <regex.h>
#include <stdio.h>

enum { ARN_MAX = 350, FAULTS_MAX = 1 << 17 };

static const char target_pattern[] =
    "$|kafka://([^.]([a-zA-Z0-9\\-_.]{0,248}))|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:"
    "((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)";
static const char target_posix[] =
    "^(kafka://[^.][a-zA-Z0-9_.-]{0,248}|arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9-])+:"
    "((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-[0-9])?:([0-9]{12})?:.*)?$";

static regex_t target_regex;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void compile(void)
{
    hg_assert(regcomp(&target_regex, target_posix, REG_EXTENDED | REG_NOSUB) == 0);
}

/* One body being read. Members that broke a constraint are gathered for one answer. */
struct reading {
    struct hg_call *call;
    const struct hg_snapshot *snapshot;
    const struct hg_function_ref *ref;
    struct hg_buf faults;
    unsigned fault_count;
    struct hg_str success, failure; /* destinations; "" for none */
};

static void add_fault(struct reading *reading, struct hg_str value, const char *member,
                      const char *constraint)
{
    hg_buf_printf(&reading->faults, "%sValue '%.*s' at '%s' failed to satisfy constraint: %s",
                  reading->fault_count ? "; " : "", HG_STR_ARG(value), member, constraint);
    reading->fault_count++;
}

static bool answer_faults(struct reading *reading)
{
    if (reading->fault_count == 0)
        return true;
    call_fail(reading->call, HG_API_VALIDATION, "%u validation error%s detected: %.*s",
              reading->fault_count, reading->fault_count == 1 ? "" : "s",
              HG_STR_ARG(hg_buf_str(&reading->faults)));
    return false;
}

static bool fail_content(struct reading *reading, const char *what)
{
    call_fail(reading->call, HG_API_INVALID_CONTENT, "Could not parse request body into json: %s",
              what);
    return false;
}

static bool is_given(struct hg_json_value value)
{
    return value.kind != HG_JSON_BAD && value.kind != HG_JSON_NULL;
}

/* False when it is no whole number. One beyond an int64 is as wrong as the nearest one. */
static bool read_number(struct hg_json_value value, int64_t *number)
{
    size_t digits = 0;

    if (value.kind != HG_JSON_NUMBER)
        return false;
    if (hg_str_i64(value.raw, INT64_MIN, INT64_MAX, number))
        return true;
    for (size_t i = value.raw.p[0] == '-'; i < value.raw.n; i++, digits++)
        if (value.raw.p[i] < '0' || value.raw.p[i] > '9')
            return false;
    *number = value.raw.p[0] == '-' ? INT64_MIN : INT64_MAX;
    return digits > 0;
}

/* A number and what it may be. */
struct range {
    const char *name, *member; /* in the body, in messages */
    int min, max;
};

static const struct range retry_range = {"MaximumRetryAttempts", "maximumRetryAttempts", 0,
                                         HG_EVENT_RETRIES_DEFAULT};
static const struct range age_range = {"MaximumEventAgeInSeconds", "maximumEventAgeInSeconds",
                                       HG_EVENT_AGE_MIN_S, HG_EVENT_AGE_DEFAULT_S};

/* -1 when it is not given. False when answered. */
static bool read_range(struct reading *reading, struct hg_json_value body,
                       const struct range *range, int *out)
{
    struct hg_json_value value = hg_json_member(body, range->name);
    struct hg_arena *arena = reading->call->req->arena;
    int64_t number;

    *out = -1;
    if (!is_given(value))
        return true;
    if (!read_number(value, &number))
        return fail_content(reading,
                            hg_arena_printf(arena, "%s must be a whole number", range->name));
    if (number >= range->min && number <= range->max)
        *out = (int)number;
    else
        add_fault(reading, value.raw, range->member,
                  hg_arena_printf(arena, "Member must have value %s than or equal to %d",
                                  number < range->min ? "greater" : "less",
                                  number < range->min ? range->min : range->max));
    return true;
}

static bool fits_pattern(struct hg_arena *arena, struct hg_str target)
{
    (void)pthread_once(&once, compile);
    return hg_str_find(target, '\0') < 0 &&
           regexec(&target_regex, hg_arena_strdup(arena, target), 0, NULL, 0) == 0;
}

static void check_form(struct reading *reading, struct hg_str target, const char *outcome)
{
    struct hg_arena *arena = reading->call->req->arena;
    const char *member = hg_arena_printf(arena, "destinationConfig.%s.destination", outcome);
    bool is_own = target_kind(target) == HG_TARGET_KIND_OWN;
    bool is_topic = hg_str_starts(target, HG_STR("kafka://"));
    size_t max = is_own ? HG_DESTINATION_MAX : ARN_MAX;
    ptrdiff_t question;

    if (target.n > max)
        add_fault(reading, target, member,
                  hg_arena_printf(arena, "Member must have length less than or equal to %zu", max));
    /* Brokers behind a topic's name are Headgate's own. */
    question = is_topic ? hg_str_find(target, '?') : -1;
    if ((!is_own || is_topic) &&
        !fits_pattern(arena, question < 0 ? target : hg_str_n(target.p, (size_t)question)))
        add_fault(reading, target, member,
                  hg_arena_printf(arena, "Member must satisfy regular expression pattern: %s",
                                  target_pattern));
}

/* One outcome's Destination, "" when there is none. False when answered. */
static bool read_target(struct reading *reading, struct hg_json_value outcome, const char *name,
                        struct hg_str *target)
{
    struct hg_json_value destination = {.kind = HG_JSON_BAD};
    struct hg_arena *arena = reading->call->req->arena;
    struct hg_buf text;
    bool is_good;

    *target = HG_STR("");
    if (outcome.kind == HG_JSON_OBJECT)
        destination = hg_json_member(outcome, "Destination");
    else if (is_given(outcome))
        return fail_content(reading, hg_arena_printf(arena, "%s must be an object", name));
    if (!is_given(destination))
        return true;
    if (destination.kind != HG_JSON_STRING)
        return fail_content(reading,
                            hg_arena_printf(arena, "%s: Destination must be a string", name));
    hg_buf_init(&text, HG_REQUEST_HEADERS_MAX);
    is_good = hg_json_unescape(destination, &text);
    if (is_good)
        *target = hg_arena_str(arena, hg_buf_str(&text));
    else
        (void)fail_content(reading, hg_arena_printf(arena, "%s: Destination is too long", name));
    hg_buf_fini(&text);
    return is_good;
}

/* False when answered. */
static bool read_members(struct reading *reading, struct hg_json_value body,
                         struct hg_event_config *config, bool *has_destinations)
{
    struct hg_json_value destinations = hg_json_member(body, "DestinationConfig");

    *has_destinations = is_given(destinations);
    if (*has_destinations && destinations.kind != HG_JSON_OBJECT)
        return fail_content(reading, "DestinationConfig must be an object");
    if (!read_range(reading, body, &retry_range, &config->max_retries) ||
        !read_range(reading, body, &age_range, &config->max_age_s))
        return false;
    if (!*has_destinations)
        return true;
    if (!read_target(reading, hg_json_member(destinations, "OnSuccess"), "OnSuccess",
                     &reading->success) ||
        !read_target(reading, hg_json_member(destinations, "OnFailure"), "OnFailure",
                     &reading->failure))
        return false;
    check_form(reading, reading->success, "onSuccess");
    check_form(reading, reading->failure, "onFailure");
    return true;
}

static bool parse_body(struct reading *reading, struct hg_json_value *body)
{
    struct hg_str text = reading->call->req->body;
    struct hg_json_fault fault;

    *body = hg_json_parse(text.n ? text : HG_STR("{}"), &fault);
    if (body->kind == HG_JSON_OBJECT)
        return true;
    if (body->kind != HG_JSON_BAD)
        return fail_content(reading, "the document must be an object");
    return fail_content(reading,
                        hg_arena_printf(reading->call->req->arena, "%s; line: %u, column: %u",
                                        fault.text, fault.line, fault.column));
}

static bool takes_records(struct hg_str target, bool is_failure)
{
    enum hg_target_kind kind = target_kind(target);

    return target.n == 0 || (kind != HG_TARGET_KIND_NONE && kind != HG_TARGET_KIND_OTHER &&
                             !target_is_fifo(target) && !target_fault(target) &&
                             (kind != HG_TARGET_KIND_S3 || is_failure));
}

/* A function must be there, and another one. False when answered. */
static bool check_function(struct reading *reading, struct hg_str target)
{
    const struct hg_function *function;

    if (target_kind(target) != HG_TARGET_KIND_LAMBDA)
        return true;
    function = snapshot_find_function(reading->snapshot, target, HG_STR(""));
    if (!function)
        call_fail(reading->call, HG_API_INVALID_PARAMETER, "The destination ARN %.*s is invalid.",
                  HG_STR_ARG(target));
    else if (hg_str_eq(function->name, reading->ref->name))
        call_fail(reading->call, HG_API_INVALID_PARAMETER,
                  "You can't specify the function as a destination for itself.");
    else
        return true;
    return false;
}

static const char *outcome_text(struct hg_arena *arena, const char *name, struct hg_str target)
{
    if (target.n == 0)
        return "null";
    return hg_arena_printf(arena, "%s(destination=%.*s)", name, HG_STR_ARG(target));
}

static bool check_targets(struct reading *reading)
{
    struct hg_arena *arena = reading->call->req->arena;

    if (!check_function(reading, reading->failure) || !check_function(reading, reading->success))
        return false;
    if (takes_records(reading->success, false) && takes_records(reading->failure, true))
        return true;
    call_fail(reading->call, HG_API_INVALID_PARAMETER,
              "The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is "
              "invalid.",
              outcome_text(arena, "OnSuccess", reading->success),
              outcome_text(arena, "OnFailure", reading->failure));
    return false;
}

/* What the values mean together. False when answered. */
static bool check_meaning(struct reading *reading, const struct hg_event_config *config,
                          bool has_destinations)
{
    struct hg_call *call = reading->call;

    if (config->max_retries < 0 && config->max_age_s < 0 && !has_destinations)
        call_fail(call, HG_API_INVALID_PARAMETER,
                  "You must specify at least one of error handling or destination setting.");
    else if (!snapshot_find_function(reading->snapshot, reading->ref->name,
                                     reading->ref->qualifier))
        call_fail(call, HG_API_NOT_FOUND, "The function doesn't exist.");
    else
        return check_targets(reading);
    return false;
}

bool lambda_read_event_config(struct hg_call *call, const struct hg_snapshot *snapshot,
                              const struct hg_function_ref *ref, struct hg_event_config *config,
                              bool *has_destinations)
{
    struct reading reading = {call, snapshot, ref, .success = HG_STR(""), .failure = HG_STR("")};
    struct hg_json_value body;
    bool is_good;

    hg_buf_init(&reading.faults, FAULTS_MAX);
    is_good = parse_body(&reading, &body) &&
              read_members(&reading, body, config, has_destinations) && answer_faults(&reading) &&
              check_meaning(&reading, config, *has_destinations);
    hg_buf_fini(&reading.faults);
    if (!is_good)
        return false;
    (void)snprintf(config->on_success, sizeof(config->on_success), "%.*s",
                   HG_STR_ARG(reading.success));
    (void)snprintf(config->on_failure, sizeof(config->on_failure), "%.*s",
                   HG_STR_ARG(reading.failure));
    return true;
}
