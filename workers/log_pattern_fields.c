/*
 * Patterns on messages that are fields between blanks: [ip, user, ..., status = 4*, bytes]. A part in quotation marks or brackets is
 * one field, without them.
 */
#include "workers/log_pattern_parts.h"

static const char value_ends[] = " \t\r\n,()&|]\"";

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static struct hg_str take_name(struct log_reader *reader)
{
    struct hg_str name = {reader->rest.p, 0};

    while (name.n < reader->rest.n && is_name_byte(name.p[name.n]))
        name.n++;
    reader->rest = hg_str_skip(reader->rest, name.n);
    return name;
}

/* One comparison of the field that is being read: `name = value`, or without the name. */
static struct log_node *read_test(struct log_reader *reader)
{
    struct hg_log_pattern *pattern = reader->pattern;
    size_t field = pattern->field_count - 1;
    struct log_node *test = log_new_node(reader, LOG_TEST);
    struct hg_str name;

    if (!test)
        return NULL;
    test->field = field;
    name = take_name(reader);
    if (name.n && !hg_str_eq(name, pattern->fields[field].name)) {
        (void)log_pattern_refuse(reader, "a condition names another field than its own");
        return NULL;
    }
    log_skip_blanks(reader);
    return log_read_comparison(reader, value_ends, test) ? test : NULL;
}

static bool read_field(struct log_reader *reader, bool *has_rest)
{
    struct hg_log_pattern *pattern = reader->pattern;
    struct log_field *field = &pattern->fields[pattern->field_count];
    struct hg_str before, look;
    struct log_node *condition, *both;

    if (pattern->field_count++ == HG_LOG_FIELDS_MAX)
        return log_pattern_refuse(reader, "too many fields");
    log_skip_blanks(reader);
    if (log_take(reader, "...")) {
        if (*has_rest)
            return log_pattern_refuse(reader, "only one ... is possible");
        *has_rest = field->is_rest = true;
        return true;
    }
    before = reader->rest;
    while (reader->rest.n && reader->rest.p[0] == '(')
        reader->rest = hg_str_skip(reader->rest, 1);
    field->name = take_name(reader);
    log_skip_blanks(reader);
    look = reader->rest;
    if (look.n && (look.p[0] == ',' || look.p[0] == ']') && field->name.n)
        return true;
    reader->rest = before;
    condition = log_read_condition(reader, read_test);
    if (!condition)
        return false;
    if (!pattern->condition) {
        pattern->condition = condition;
        return true;
    }
    both = log_new_node(reader, LOG_AND);
    if (!both)
        return false;
    both->left = pattern->condition;
    both->right = condition;
    pattern->condition = both;
    return true;
}

bool log_pattern_read_fields(struct log_reader *reader)
{
    bool has_rest = false;

    (void)log_take(reader, "[");
    do {
        if (!read_field(reader, &has_rest))
            return false;
        log_skip_blanks(reader);
    } while (log_take(reader, ","));
    if (!log_take(reader, "]"))
        return log_pattern_refuse(reader, "a comma or ] is expected");
    log_skip_blanks(reader);
    return reader->rest.n == 0 || log_pattern_refuse(reader, "nothing can follow the ]");
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool next_part(struct hg_str *rest, struct hg_str *part)
{
    size_t length = 0;

    while (rest->n && is_blank(rest->p[0]))
        *rest = hg_str_skip(*rest, 1);
    if (rest->n == 0)
        return false;
    if (rest->p[0] == '"' || rest->p[0] == '[') {
        ptrdiff_t end = hg_str_find(hg_str_skip(*rest, 1), rest->p[0] == '"' ? '"' : ']');

        if (end >= 0) {
            *part = hg_str_n(rest->p + 1, (size_t)end);
            *rest = hg_str_skip(*rest, (size_t)end + 2);
            return true;
        }
    }
    while (length < rest->n && !is_blank(rest->p[length]))
        length++;
    *part = hg_str_n(rest->p, length);
    *rest = hg_str_skip(*rest, length);
    return true;
}

static size_t count_parts(struct hg_str message)
{
    struct hg_str part;
    size_t count = 0;

    while (next_part(&message, &part))
        count++;
    return count;
}

/* Gives each field its part of the message; false when their numbers do not fit. */
static bool spread(const struct hg_log_pattern *pattern, struct hg_str message,
                   struct hg_str values[HG_LOG_FIELDS_MAX])
{
    size_t count = count_parts(message), ahead = 0, behind;
    struct hg_str part;

    while (ahead < pattern->field_count && !pattern->fields[ahead].is_rest)
        ahead++;
    behind = ahead < pattern->field_count ? pattern->field_count - ahead - 1 : 0;
    if (ahead == pattern->field_count ? count != ahead : count < ahead + behind)
        return false;
    for (size_t i = 0; next_part(&message, &part); i++) {
        if (i < ahead)
            values[i] = part;
        else if (i >= count - behind)
            values[pattern->field_count - (count - i)] = part;
    }
    return true;
}

static bool holds(const struct log_node *node, const struct hg_str *values)
{
    switch (node->kind) {
    case LOG_AND:
        return holds(node->left, values) && holds(node->right, values);
    case LOG_OR:
        return holds(node->left, values) || holds(node->right, values);
    case LOG_TEST:
        break;
    }
    return log_operand_compare(node, values[node->field]);
}

bool log_pattern_match_fields(const struct hg_log_pattern *pattern, struct hg_str message)
{
    struct hg_str values[HG_LOG_FIELDS_MAX] = {{NULL, 0}};

    return spread(pattern, message, values) &&
           (!pattern->condition || holds(pattern->condition, values));
}
