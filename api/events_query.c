/*
 * Parameters of the events pages.
 */
#include "api/events_query.h"

#include "core/duration.h"
#include "core/uri.h"

#include <stdio.h>
#include <time.h>

enum {
    VALUE_MAX = 2048,        /* bytes of a decoded value */
    EPOCH_S_MAX_DIGITS = 11, /* a longer number counts milliseconds */
    EPOCH_MS_MAX_DIGITS = 15,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool events_is_id(struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool is_hex = is_digit(text.p[i]) || (text.p[i] >= 'a' && text.p[i] <= 'f');

        if (is_dash ? text.p[i] != '-' : !is_hex)
            return false;
    }
    return text.n == HG_UUID_LEN;
}

/* NAME, NAME:QUALIFIER or an ARN of the function; events are listed by its name. */
static bool read_function(struct hg_str text, int64_t now_ms, struct events_query *out,
                          struct hg_error *err)
{
    static const struct hg_str marker = {"function:", 9};
    ptrdiff_t at = hg_str_find_str(text, marker);
    struct hg_str name = at < 0 ? text : hg_str_skip(text, (size_t)at + marker.n);
    bool is_good;

    (void)now_ms;
    at = hg_str_find(name, ':');
    if (at >= 0)
        name.n = (size_t)at;
    is_good = name.n >= 1 && name.n <= HG_EVENT_FUNCTION_MAX;
    for (size_t i = 0; is_good && i < name.n; i++) {
        char c = name.p[i];

        is_good = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_' || c == '.';
    }
    if (!is_good) {
        (void)hg_error_set(err, HG_E_INVALID,
                           "function: '%.*s' is not a function's name or ARN (1 to %d letters, "
                           "digits, '-', '_', '.')",
                           HG_STR_ARG(text), HG_EVENT_FUNCTION_MAX);
        return false;
    }
    (void)snprintf(out->function, sizeof(out->function), "%.*s", HG_STR_ARG(name));
    return true;
}

static bool read_states(struct hg_str text, int64_t now_ms, struct events_query *out,
                        struct hg_error *err)
{
    struct hg_str rest = text, part;

    (void)now_ms;
    while (hg_str_next(&rest, ',', &part)) {
        enum hg_event_state state;

        if (!hg_event_state_of(hg_str_trim(part), &state)) {
            (void)hg_error_set(err, HG_E_INVALID,
                               "state: '%.*s' is not one of queued, running, retrying, delivered, "
                               "dead",
                               HG_STR_ARG(part));
            return false;
        }
        out->states |= 1u << state;
    }
    if (text.n)
        return true;
    (void)hg_error_set(err, HG_E_INVALID,
                       "state: is empty; give some of queued, running, retrying, delivered, dead");
    return false;
}

/* Exactly count digits at the front of *text, moved behind. */
static bool take_digits(struct hg_str *text, size_t count, int *value)
{
    *value = 0;
    if (text->n < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_digit(text->p[i]))
            return false;
        *value = *value * 10 + (text->p[i] - '0');
    }
    *text = hg_str_skip(*text, count);
    return true;
}

static bool take_byte(struct hg_str *text, char c)
{
    if (!text->n || text->p[0] != c)
        return false;
    *text = hg_str_skip(*text, 1);
    return true;
}

/* "", "Z", "+02:00", "+0200"; in a query an unescaped + has become a blank. */
static bool take_zone(struct hg_str *text, int *minutes)
{
    int hours, rest, sign = 1;

    *minutes = 0;
    if (!text->n || take_byte(text, 'Z'))
        return true;
    if (take_byte(text, '-'))
        sign = -1;
    else if (!take_byte(text, '+') && !take_byte(text, ' '))
        return false;
    if (!take_digits(text, 2, &hours) || (take_byte(text, ':'), !take_digits(text, 2, &rest)))
        return false;
    *minutes = sign * (hours * 60 + rest);
    return hours <= 23 && rest <= 59;
}

/* 03:04, 03:04:05, 03:04:05.678, and a zone. */
static bool take_time(struct hg_str *text, struct tm *tm, int *milliseconds, int *zone)
{
    int digit, scale = 100;

    if (!take_digits(text, 2, &tm->tm_hour) || !take_byte(text, ':') ||
        !take_digits(text, 2, &tm->tm_min))
        return false;
    if (take_byte(text, ':') && !take_digits(text, 2, &tm->tm_sec))
        return false;
    if (take_byte(text, '.')) {
        if (!text->n || !is_digit(text->p[0]))
            return false;
        for (; take_digits(text, 1, &digit); scale /= 10)
            *milliseconds += digit * scale;
    }
    return take_zone(text, zone) && tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* 2026-01-02, or that and a time behind a T; in UTC unless it has a zone. */
static bool parse_iso(struct hg_str text, int64_t *wall_ms)
{
    struct tm tm = {0}, back;
    int zone = 0, milliseconds = 0;
    time_t seconds;

    if (!take_digits(&text, 4, &tm.tm_year) || !take_byte(&text, '-') ||
        !take_digits(&text, 2, &tm.tm_mon) || !take_byte(&text, '-') ||
        !take_digits(&text, 2, &tm.tm_mday))
        return false;
    if (text.n && ((!take_byte(&text, 'T') && !take_byte(&text, ' ')) ||
                   !take_time(&text, &tm, &milliseconds, &zone) || text.n))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    back = tm;
    seconds = timegm(&back);
    /* The 30th of February has become a day of March. */
    if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon)
        return false;
    *wall_ms = ((int64_t)seconds - zone * 60) * 1000 + milliseconds;
    return *wall_ms > 0;
}

static bool read_since(struct hg_str text, int64_t now_ms, struct events_query *out,
                       struct hg_error *err)
{
    uint64_t number;
    int64_t back_ms;

    if (text.n <= EPOCH_MS_MAX_DIGITS && hg_str_u64(text, INT64_MAX, &number) && number > 0) {
        out->since_ms = (int64_t)(text.n <= EPOCH_S_MAX_DIGITS ? number * 1000 : number);
        return true;
    }
    /* A bare number would be a duration in seconds to the parser. */
    if (text.n && !is_digit(text.p[text.n - 1]) && hg_duration_parse(text, &back_ms)) {
        out->since_ms = HG_MAX(now_ms - back_ms, 1);
        return true;
    }
    if (parse_iso(text, &out->since_ms))
        return true;
    (void)hg_error_set(err, HG_E_INVALID,
                       "since: '%.*s' is no time: a duration like 10m, seconds or milliseconds "
                       "since 1970, or 2026-01-02T03:04:05Z",
                       HG_STR_ARG(text));
    return false;
}

static bool read_limit(struct hg_str text, int64_t now_ms, struct events_query *out,
                       struct hg_error *err)
{
    uint64_t number;

    (void)now_ms;
    if (hg_str_u64(text, EVENTS_PAGE_MAX, &number) && number > 0) {
        out->limit = (unsigned)number;
        return true;
    }
    (void)hg_error_set(err, HG_E_INVALID, "limit: '%.*s' is not a whole number from 1 to %d",
                       HG_STR_ARG(text), EVENTS_PAGE_MAX);
    return false;
}

static bool read_cursor(struct hg_str text, int64_t now_ms, struct events_query *out,
                        struct hg_error *err)
{
    (void)now_ms;
    if (text.n <= EVENTS_CURSOR_MAX && !memchr(text.p, '\0', text.n)) {
        (void)snprintf(out->cursor, sizeof(out->cursor), "%.*s", HG_STR_ARG(text));
        return true;
    }
    (void)hg_error_set(err, HG_E_INVALID, "cursor: is not one that a page gave");
    return false;
}

/* In the order of the EVENTS_TAKES_… bits. */
static const struct {
    const char *name;
    bool (*read)(struct hg_str text, int64_t now_ms, struct events_query *out,
                 struct hg_error *err);
} parameters[] = {
    {"function", read_function}, {"state", read_states},  {"since", read_since},
    {"limit", read_limit},       {"cursor", read_cursor},
};

static bool refuse_parameter(struct hg_str name, unsigned takes, struct hg_error *err)
{
    char allowed[64] = "";
    size_t length = 0;

    for (size_t i = 0; i < HG_COUNT(parameters); i++)
        if (takes & (1u << i))
            length += (size_t)snprintf(allowed + length, sizeof(allowed) - length, "%s%s",
                                       length ? ", " : "", parameters[i].name);
    (void)hg_error_set(err, HG_E_INVALID, "there is no parameter '%.*s' here; allowed: %s",
                       HG_STR_ARG(name), length ? allowed : "none");
    return false;
}

bool events_query_parse(struct hg_str query, unsigned takes, int64_t now_ms,
                        struct events_query *out, struct hg_error *err)
{
    struct hg_str pair;
    bool is_good = true;

    *out = (struct events_query){.function = ""};
    while (is_good && hg_str_next(&query, '&', &pair)) {
        ptrdiff_t equals = hg_str_find(pair, '=');
        struct hg_str name = equals < 0 ? pair : hg_str_n(pair.p, (size_t)equals);
        struct hg_buf value;
        size_t i = 0;

        if (!pair.n)
            continue;
        while (i < HG_COUNT(parameters) &&
               (!(takes & (1u << i)) || !hg_str_is(name, parameters[i].name)))
            i++;
        if (i == HG_COUNT(parameters))
            return refuse_parameter(name, takes, err);
        hg_buf_init(&value, VALUE_MAX);
        if (equals >= 0)
            hg_uri_decode_form(&value, hg_str_skip(pair, (size_t)equals + 1));
        if (value.is_overflown)
            is_good = hg_error_set(err, HG_E_INVALID, "%s: longer than %d bytes",
                                   parameters[i].name, VALUE_MAX) == HG_OK;
        else
            is_good = parameters[i].read(hg_buf_str(&value), now_ms, out, err);
        hg_buf_fini(&value);
    }
    return is_good;
}
