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

/* Members that broke a constraint, gathered for one answer. */
struct faults {
    struct hg_buf text;
    unsigned count;
};

static void add_fault(struct faults *faults, struct hg_str value, const char *member,
                      const char *constraint)
{
    hg_buf_printf(&faults->text, "%sValue '%.*s' at '%s' failed to satisfy constraint: %s",
                  faults->count ? "; " : "", HG_STR_ARG(value), member, constraint);
    faults->count++;
}

static bool answer_faults(struct hg_call *call, struct faults *faults)
{
    if (faults->count)
        call_fail(call, HG_API_VALIDATION, "%u validation error%s detected: %.*s", faults->count,
                  faults->count == 1 ? "" : "s", HG_STR_ARG(hg_buf_str(&faults->text)));
    hg_buf_fini(&faults->text);
    return faults->count == 0;
}

static bool fail_content(struct hg_call *call, const char *what)
{
    call_fail(call, HG_API_INVALID_CONTENT, "Could not parse request body into json: %s", what);
    return false;
}

static bool is_given(struct hg_json_value value)
{
    return value.kind != HG_JSON_BAD && value.kind != HG_JSON_NULL;
}

/* False when the member is no whole number. Beyond an int64 it is as wrong as the nearest one. */
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

/* False when answered. */
static bool read_range(struct hg_call *call, struct hg_json_value body, const char *name,
                       const char *member, int min, int max, int *out, struct faults *faults)
{
    struct hg_json_value value = hg_json_member(body, name);
    char constraint[80];
    int64_t number;

    *out = -1;
    if (!is_given(value))
        return true;
    if (!read_number(value, &number))
        return fail_content(call,
                            hg_arena_printf(call->req->arena, "%s must be a whole number", name));
    if (number >= min && number <= max) {
        *out = (int)number;
        return true;
    }
    (void)snprintf(constraint, sizeof(constraint), "Member must have value %s than or equal to %d",
                   number < min ? "greater" : "less", number < min ? min : max);
    add_fault(faults, value.raw, member, constraint);
    return true;
}

static void check_target(struct hg_str target, const char *outcome, struct faults *faults,
                         struct hg_arena *arena)
{
    const char *member = hg_arena_printf(arena, "destinationConfig.%s.destination", outcome);
    bool is_own = target_kind(target) == HG_TARGET_KIND_OWN;
    int max = is_own ? HG_DESTINATION_MAX : ARN_MAX;

    (void)pthread_once(&once, compile);
    if (target.n > (size_t)max)
        add_fault(faults, target, member,
                  hg_arena_printf(arena, "Member must have length less than or equal to %d", max));
    if ((!is_own || hg_str_starts(target, HG_STR("kafka://"))) &&
        (hg_str_find(target, '\0') >= 0 ||
         regexec(&target_regex, hg_arena_strdup(arena, target), 0, NULL, 0) != 0))
        add_fault(faults, target, member,
                  hg_arena_printf(arena, "Member must satisfy regular expression pattern: %s",
                                  target_pattern));
}

/* One outcome's Destination, "" when there is none. False when answered. */
static bool read_target(struct hg_call *call, struct hg_json_value config, const char *name,
                        const char *outcome, struct hg_str *target, struct faults *faults)
{
    struct hg_json_value value = hg_json_member(config, name), destination;
    struct hg_arena *arena = call->req->arena;
    struct hg_buf text;

    *target = HG_STR("");
    if (!is_given(value))
        return true;
    if (value.kind != HG_JSON_OBJECT)
        return fail_content(call, hg_arena_printf(arena, "%s must be an object", name));
    destination = hg_json_member(value, "Destination");
    if (!is_given(destination))
        return true;
    if (destination.kind != HG_JSON_STRING)
        return fail_content(call, hg_arena_printf(arena, "%s.Destination must be a string", name));
    hg_buf_init(&text, HG_REQUEST_HEADERS_MAX);
    if (!hg_json_unescape(destination, &text)) {
        hg_buf_fini(&text);
        return fail_content(call, hg_arena_printf(arena, "%s.Destination is too long", name));
    }
    *target = hg_arena_str(arena, hg_buf_str(&text));
    hg_buf_fini(&text);
    check_target(*target, outcome, faults, arena);
    return true;
}

struct targets {
    struct hg_str success, failure;
};

/* False when answered. */
static bool read_members(struct hg_call *call, struct hg_json_value body,
                         struct hg_event_config *config, bool *has_destinations,
                         struct targets *targets, struct faults *faults)
{
    struct hg_json_value destinations = hg_json_member(body, "DestinationConfig");

    *has_destinations = is_given(destinations);
    *targets = (struct targets){HG_STR(""), HG_STR("")};
    if (*has_destinations && destinations.kind != HG_JSON_OBJECT)
        return fail_content(call, "DestinationConfig must be an object");
    return read_range(call, body, "MaximumRetryAttempts", "maximumRetryAttempts", 0,
                      HG_EVENT_RETRIES_DEFAULT, &config->max_retries, faults) &&
           read_range(call, body, "MaximumEventAgeInSeconds", "maximumEventAgeInSeconds",
                      HG_EVENT_AGE_MIN_S, HG_EVENT_AGE_DEFAULT_S, &config->max_age_s, faults) &&
           (!*has_destinations ||
            (read_target(call, destinations, "OnSuccess", "onSuccess", &targets->success, faults) &&
             read_target(call, destinations, "OnFailure", "onFailure", &targets->failure, faults)));
}

static bool parse_body(struct hg_call *call, struct hg_json_value *body)
{
    struct hg_str text = call->req->body;
    struct hg_json_fault fault;

    *body = hg_json_parse(text.n ? text : HG_STR("{}"), &fault);
    if (body->kind == HG_JSON_OBJECT)
        return true;
    if (body->kind != HG_JSON_BAD)
        return fail_content(call, "the document must be an object");
    return fail_content(call, hg_arena_printf(call->req->arena, "%s; line: %u, column: %u",
                                              fault.text, fault.line, fault.column));
}

/* False when answered, or when the service takes no records: *is_supported says which. */
static bool check_kind(struct hg_call *call, const struct hg_snapshot *snapshot,
                       const struct hg_function_ref *ref, struct hg_str target, bool is_failure,
                       bool *is_supported)
{
    enum hg_target_kind kind = target_kind(target);
    const struct hg_function *function;

    if (target.n == 0 || kind == HG_TARGET_KIND_OWN)
        return true;
    if (kind == HG_TARGET_KIND_NONE || kind == HG_TARGET_KIND_OTHER || target_is_fifo(target) ||
        (kind == HG_TARGET_KIND_S3 && !is_failure)) {
        *is_supported = false;
        return true;
    }
    if (kind != HG_TARGET_KIND_LAMBDA)
        return true;
    function = snapshot_find_function(snapshot, target, HG_STR(""));
    if (!function)
        call_fail(call, HG_API_INVALID_PARAMETER, "The destination ARN %.*s is invalid.",
                  HG_STR_ARG(target));
    else if (hg_str_eq(function->name, ref->name))
        call_fail(call, HG_API_INVALID_PARAMETER,
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

static bool check_targets(struct hg_call *call, const struct hg_snapshot *snapshot,
                          const struct hg_function_ref *ref, const struct targets *targets)
{
    struct hg_arena *arena = call->req->arena;
    bool is_supported = true;

    if (!check_kind(call, snapshot, ref, targets->failure, true, &is_supported) ||
        !check_kind(call, snapshot, ref, targets->success, false, &is_supported))
        return false;
    if (!is_supported)
        call_fail(
            call, HG_API_INVALID_PARAMETER,
            "The provided destination config DestinationConfig(onSuccess=%s, onFailure=%s) is "
            "invalid.",
            outcome_text(arena, "OnSuccess", targets->success),
            outcome_text(arena, "OnFailure", targets->failure));
    return is_supported;
}

bool event_config_read(struct hg_call *call, const struct hg_snapshot *snapshot,
                       const struct hg_function_ref *ref, struct hg_event_config *config,
                       bool *has_destinations)
{
    struct faults faults = {.count = 0};
    struct hg_json_value body;
    struct targets targets;

    if (!parse_body(call, &body))
        return false;
    hg_buf_init(&faults.text, FAULTS_MAX);
    if (!read_members(call, body, config, has_destinations, &targets, &faults)) {
        hg_buf_fini(&faults.text);
        return false;
    }
    if (!answer_faults(call, &faults))
        return false;
    if (config->max_retries < 0 && config->max_age_s < 0 && !*has_destinations) {
        call_fail(call, HG_API_INVALID_PARAMETER,
                  "You must specify at least one of error handling or destination setting.");
        return false;
    }
    if (!snapshot_find_function(snapshot, ref->name, ref->qualifier)) {
        call_fail(call, HG_API_NOT_FOUND, "The function doesn't exist.");
        return false;
    }
    if (!check_targets(call, snapshot, ref, &targets))
        return false;
    (void)snprintf(config->on_success, sizeof(config->on_success), "%.*s",
                   HG_STR_ARG(targets.success));
    (void)snprintf(config->on_failure, sizeof(config->on_failure), "%.*s",
                   HG_STR_ARG(targets.failure));
    return true;
}
