/*
 * Terms, and the choice between the three kinds of patterns.
 */
#include "workers/log_pattern_parts.h"

#include <stdlib.h>

/* Each quoted text takes room for all that follows it: half a million bytes for the longest pattern of empty ones. */
enum { ARENA_MAX = HG_LOG_PATTERN_MAX * HG_LOG_PATTERN_MAX };

bool log_pattern_refuse(struct log_reader *reader, const char *what)
{
    (void)hg_error_set(reader->err, HG_E_INVALID, "Invalid filter pattern: %s%s%.*s", what,
                       reader->rest.n ? " at " : "", (int)HG_MIN(reader->rest.n, (size_t)40),
                       reader->rest.n ? reader->rest.p : "");
    return false;
}

void log_skip_blanks(struct log_reader *reader)
{
    while (reader->rest.n && strchr(" \t\r\n", reader->rest.p[0]) && reader->rest.p[0])
        reader->rest = hg_str_skip(reader->rest, 1);
}

bool log_take(struct log_reader *reader, const char *word)
{
    struct hg_str want = hg_str_of(word);

    if (reader->rest.n < want.n || !hg_str_eq_nocase(hg_str_n(reader->rest.p, want.n), want))
        return false;
    reader->rest = hg_str_skip(reader->rest, want.n);
    return true;
}

bool log_read_quoted(struct log_reader *reader, struct hg_str *text)
{
    char mark = reader->rest.p[0];
    char *copy = hg_arena_must(reader->pattern->arena, reader->rest.n);
    size_t length = 0;

    for (size_t i = 1; i < reader->rest.n; i++) {
        char c = reader->rest.p[i];

        if (c == mark) {
            *text = hg_str_n(copy, length);
            reader->rest = hg_str_skip(reader->rest, i + 1);
            return true;
        }
        if (c == '\\' && i + 1 < reader->rest.n &&
            (reader->rest.p[i + 1] == mark || reader->rest.p[i + 1] == '\\'))
            c = reader->rest.p[++i];
        copy[length++] = c;
    }
    return log_pattern_refuse(reader, "a quotation mark is not closed");
}

struct log_regex *log_read_regex(struct log_reader *reader)
{
    struct hg_log_pattern *pattern = reader->pattern;
    struct log_regex *regex;
    size_t end = 1;

    while (end < reader->rest.n && reader->rest.p[end] != '%')
        end += reader->rest.p[end] == '\\' ? 2 : 1;
    if (end >= reader->rest.n) {
        (void)log_pattern_refuse(reader, "a regular expression is not closed by %");
        return NULL;
    }
    if (pattern->regex_count == HG_LOG_PATTERN_REGEX_MAX) {
        (void)log_pattern_refuse(reader, "too many regular expressions");
        return NULL;
    }
    regex = hg_arena_must(pattern->arena, sizeof(*regex));
    if (!log_regex_compile(regex, hg_str_n(reader->rest.p + 1, end - 1), reader->err))
        return NULL;
    regex->next = pattern->regexes;
    pattern->regexes = regex;
    pattern->regex_count++;
    reader->rest = hg_str_skip(reader->rest, end + 1);
    return regex;
}

static bool read_word(struct log_reader *reader, struct hg_str *text)
{
    size_t length = 0;

    while (length < reader->rest.n && !strchr(" \t\r\n\"{}[]()", reader->rest.p[length]))
        length++;
    if (length == 0)
        return log_pattern_refuse(reader, "a term with such characters wants quotation marks");
    *text = hg_str_n(reader->rest.p, length);
    reader->rest = hg_str_skip(reader->rest, length);
    return true;
}

static bool read_term(struct log_reader *reader, struct log_term *term)
{
    char first = reader->rest.p[0];

    if (first == '?' || first == '-') {
        term->kind = first == '?' ? LOG_TERM_MAY : LOG_TERM_NOT;
        reader->rest = hg_str_skip(reader->rest, 1);
        if (reader->rest.n == 0)
            return log_pattern_refuse(reader, "a term is missing");
    }
    if (reader->rest.p[0] == '"')
        return log_read_quoted(reader, &term->text);
    if (reader->rest.p[0] == '%')
        return (term->regex = log_read_regex(reader)) != NULL;
    return read_word(reader, &term->text);
}

static bool read_terms(struct log_reader *reader)
{
    struct log_term **end = &reader->pattern->terms;

    for (log_skip_blanks(reader); reader->rest.n; log_skip_blanks(reader)) {
        struct log_term *term = hg_arena_must(reader->pattern->arena, sizeof(*term));

        if (!read_term(reader, term))
            return false;
        *end = term;
        end = &term->next;
    }
    return true;
}

static bool read_pattern(struct log_reader *reader)
{
    struct hg_log_pattern *pattern = reader->pattern;

    log_skip_blanks(reader);
    if (reader->rest.n == 0) {
        pattern->kind = LOG_PATTERN_ALL;
        return true;
    }
    if (reader->rest.p[0] == '{') {
        pattern->kind = LOG_PATTERN_JSON;
        return log_pattern_read_json(reader);
    }
    if (reader->rest.p[0] == '[') {
        pattern->kind = LOG_PATTERN_FIELDS;
        return log_pattern_read_fields(reader);
    }
    pattern->kind = LOG_PATTERN_TERMS;
    return read_terms(reader);
}

struct hg_log_pattern *log_pattern_new(struct hg_str text, struct hg_error *err)
{
    struct hg_log_pattern *pattern = hg_calloc(1, sizeof(*pattern));
    struct log_reader reader = {.pattern = pattern, .err = err};

    pattern->arena = hg_arena_new(ARENA_MAX);
    if (text.n > HG_LOG_PATTERN_MAX) {
        (void)hg_error_set(err, HG_E_INVALID, "Invalid filter pattern: longer than %d bytes",
                           HG_LOG_PATTERN_MAX);
        log_pattern_free(pattern);
        return NULL;
    }
    reader.rest = hg_arena_str(pattern->arena, text);
    if (!read_pattern(&reader)) {
        log_pattern_free(pattern);
        return NULL;
    }
    return pattern;
}

void log_pattern_free(struct hg_log_pattern *pattern)
{
    if (!pattern)
        return;
    for (struct log_regex *regex = pattern->regexes; regex; regex = regex->next)
        log_regex_fini(regex);
    hg_arena_free(pattern->arena);
    free(pattern);
}

/* Optional terms count only where all are optional: the service ignores them beside others. */
static bool match_terms(const struct log_term *term, struct hg_str message)
{
    bool has_others = false, has_optional = false, is_any_there = false;

    for (; term; term = term->next) {
        bool is_there = term->regex ? log_regex_finds(term->regex, message)
                                    : hg_str_find_str(message, term->text) >= 0;

        has_others = has_others || term->kind != LOG_TERM_MAY;
        has_optional = has_optional || term->kind == LOG_TERM_MAY;
        if (term->kind == LOG_TERM_MAY)
            is_any_there = is_any_there || is_there;
        else if (is_there != (term->kind == LOG_TERM_MUST))
            return false;
    }
    return has_others || !has_optional || is_any_there;
}

bool log_pattern_matches(struct hg_log_pattern *pattern, struct hg_str message)
{
    switch (pattern->kind) {
    case LOG_PATTERN_ALL:
        return true;
    case LOG_PATTERN_TERMS:
        return match_terms(pattern->terms, message);
    case LOG_PATTERN_JSON:
        return log_pattern_match_json(pattern, message);
    case LOG_PATTERN_FIELDS:
        return log_pattern_match_fields(pattern, message);
    }
    return false;
}
