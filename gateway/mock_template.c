/*
 * Fixed texts and status patterns. Runs when a snapshot is prepared, and per
 * request only for a client's body that stands in for a template.
 */
#include "gateway/mock_template.h"

#include "core/json_scan.h"

#include <regex.h>
#include <stdio.h>

enum { STATUS_MIN = 100, STATUS_MAX = 599, PATTERN_MAX = 256 };

static bool begins_reference(char mark, char next)
{
    bool is_letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') || next == '_';

    if (is_letter || next == '{')
        return true;
    return mark == '$' ? next == '!' : next == '#' || next == '*' || next == '[' || next == '@';
}

bool mock_template_needs_engine(struct hg_str text)
{
    for (size_t i = 0; i + 1 < text.n; i++) {
        if ((text.p[i] == '$' || text.p[i] == '#') && begins_reference(text.p[i], text.p[i + 1]))
            return true;
    }
    return false;
}

static int checked_status(struct hg_str digits)
{
    uint64_t status;

    if (!hg_str_u64(digits, STATUS_MAX, &status) || status < STATUS_MIN)
        return 0;
    return (int)status;
}

/* {statusCode: 200}: no JSON, but the real service takes it. */
static int lenient_status(struct hg_str text)
{
    static const struct hg_str name = {"statusCode", 10};
    ptrdiff_t at = hg_str_find_str(text, name);
    size_t digits = 0;

    if (!text.n || text.p[0] != '{' || text.p[text.n - 1] != '}' || at < 0)
        return 0;
    text = hg_str_trim_ws(hg_str_skip(text, (size_t)at + name.n));
    if (text.n && (text.p[0] == '"' || text.p[0] == '\''))
        text = hg_str_trim_ws(hg_str_skip(text, 1));
    if (!text.n || text.p[0] != ':')
        return 0;
    text = hg_str_trim_ws(hg_str_skip(text, 1));
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (digits == text.n || !strchr(",} \t\r\n", text.p[digits]))
        return 0;
    return checked_status(hg_str_n(text.p, digits));
}

int mock_template_status(struct hg_str text)
{
    struct hg_json_value value = hg_json_parse(text, NULL);

    if (value.kind == HG_JSON_OBJECT) {
        value = hg_json_member(value, "statusCode");
        return value.kind == HG_JSON_NUMBER ? checked_status(value.raw) : 0;
    }
    return value.kind == HG_JSON_BAD ? lenient_status(hg_str_trim_ws(text)) : 0;
}

/* POSIX has no \d; the rest of what people write for statuses is the same in both syntaxes. */
static bool translate(struct hg_str pattern, char out[PATTERN_MAX])
{
    bool is_in_brackets = false;
    size_t at = 0;

    out[at++] = '^';
    out[at++] = '(';
    for (size_t i = 0; i < pattern.n; i++) {
        const char *piece = (char[]){pattern.p[i], '\0'};
        size_t length;

        if (pattern.p[i] == '\\' && i + 1 < pattern.n && pattern.p[i + 1] == 'd') {
            piece = is_in_brackets ? "0-9" : "[0-9]";
            i++;
        } else if (pattern.p[i] == '[') {
            is_in_brackets = true;
        } else if (pattern.p[i] == ']') {
            is_in_brackets = false;
        }
        length = strlen(piece);
        if (!length || at + length + sizeof(")$") > PATTERN_MAX)
            return false;
        memcpy(out + at, piece, length);
        at += length;
    }
    memcpy(out + at, ")$", sizeof(")$"));
    return true;
}

bool mock_pattern_mark(struct hg_str pattern, unsigned char *marks, int max, unsigned char mark)
{
    char text[PATTERN_MAX];
    regex_t regex;

    if (!translate(pattern, text) || regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    for (int status = STATUS_MIN; status <= max; status++) {
        char digits[16];

        (void)snprintf(digits, sizeof(digits), "%d", status);
        if (regexec(&regex, digits, 0, NULL, 0) == 0)
            marks[status] = mark;
    }
    regfree(&regex);
    return true;
}
