/*
 * Comparisons and conditions, as JSON patterns and space-delimited ones have them.
 */
#include "workers/log_pattern_parts.h"

#include <stdlib.h>

enum { NUMBER_MAX = 64 };

struct log_node *log_new_node(struct log_reader *reader, enum log_node_kind kind)
{
    struct log_node *node;

    if (reader->pattern->node_count++ == HG_LOG_PATTERN_NODES_MAX) {
        (void)log_pattern_refuse(reader, "too many conditions");
        return NULL;
    }
    node = hg_arena_must(reader->pattern->arena, sizeof(*node));
    node->kind = kind;
    return node;
}

/* The decimal number that text is as a whole. */
static bool to_number(struct hg_str text, double *number)
{
    char copy[NUMBER_MAX];
    char *end;

    if (text.n == 0 || text.n >= sizeof(copy) || !strchr("+-.0123456789", text.p[0]))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    /* strtod also takes hexadecimal, infinities and NaN. */
    if (strspn(copy, "+-.0123456789eE") != text.n)
        return false;
    *number = strtod(copy, &end);
    return end == copy + text.n;
}

static bool read_operator(struct log_reader *reader, enum log_operator *op)
{
    static const struct {
        const char *text;
        enum log_operator op;
    } operators[] = {{"!=", LOG_NE}, {"<=", LOG_LE}, {">=", LOG_GE},
                     {"=", LOG_EQ},  {"<", LOG_LT},  {">", LOG_GT}};

    for (size_t i = 0; i < HG_COUNT(operators); i++) {
        if (log_take(reader, operators[i].text)) {
            *op = operators[i].op;
            return true;
        }
    }
    return log_pattern_refuse(reader, "a comparison is expected");
}

static bool read_operand(struct log_reader *reader, const char *ends, struct log_operand *operand)
{
    size_t length = 0;

    if (reader->rest.n && reader->rest.p[0] == '%')
        return (operand->regex = log_read_regex(reader)) != NULL;
    if (reader->rest.n && (reader->rest.p[0] == '"' || reader->rest.p[0] == '\'')) {
        if (!log_read_quoted(reader, &operand->text))
            return false;
    } else {
        while (length < reader->rest.n && !strchr(ends, reader->rest.p[length]))
            length++;
        if (length == 0)
            return log_pattern_refuse(reader, "a value is expected");
        operand->text = hg_str_n(reader->rest.p, length);
        operand->is_number = to_number(operand->text, &operand->number);
        reader->rest = hg_str_skip(reader->rest, length);
    }
    operand->has_wildcard = hg_str_find(operand->text, '*') >= 0;
    return true;
}

bool log_read_comparison(struct log_reader *reader, const char *ends, struct log_node *test)
{
    if (!read_operator(reader, &test->op))
        return false;
    log_skip_blanks(reader);
    if (!read_operand(reader, ends, &test->operand))
        return false;
    if (test->op != LOG_EQ && test->op != LOG_NE && !test->operand.is_number)
        return log_pattern_refuse(reader, "only numbers can be greater or less");
    return true;
}

static struct log_node *read_both(struct log_reader *reader,
                                  struct log_node *(*read_test)(struct log_reader *reader))
{
    struct log_node *inner;

    log_skip_blanks(reader);
    if (!log_take(reader, "("))
        return read_test(reader);
    if (++reader->depth > HG_LOG_PATTERN_DEPTH_MAX) {
        (void)log_pattern_refuse(reader, "too many parentheses");
        return NULL;
    }
    inner = log_read_condition(reader, read_test);
    if (!inner)
        return NULL;
    log_skip_blanks(reader);
    if (!log_take(reader, ")")) {
        (void)log_pattern_refuse(reader, "a parenthesis is not closed");
        return NULL;
    }
    reader->depth--;
    return inner;
}

static struct log_node *join(struct log_reader *reader, enum log_node_kind kind,
                             struct log_node *left, struct log_node *right)
{
    struct log_node *node = right ? log_new_node(reader, kind) : NULL;

    if (node) {
        node->left = left;
        node->right = right;
    }
    return node;
}

static struct log_node *read_and(struct log_reader *reader,
                                 struct log_node *(*read_test)(struct log_reader *reader))
{
    struct log_node *node = read_both(reader, read_test);

    while (node) {
        log_skip_blanks(reader);
        if (!log_take(reader, "&&"))
            break;
        node = join(reader, LOG_AND, node, read_both(reader, read_test));
    }
    return node;
}

struct log_node *log_read_condition(struct log_reader *reader,
                                    struct log_node *(*read_test)(struct log_reader *reader))
{
    struct log_node *node = read_and(reader, read_test);

    while (node) {
        log_skip_blanks(reader);
        if (!log_take(reader, "||"))
            break;
        node = join(reader, LOG_OR, node, read_and(reader, read_test));
    }
    return node;
}

/* Asterisks stand for any run of bytes. */
static bool glob_matches(struct hg_str pattern, struct hg_str text)
{
    size_t at = 0, i = 0, star = SIZE_MAX, resume = 0;

    while (i < text.n) {
        if (at < pattern.n && pattern.p[at] == '*') {
            star = at++;
            resume = i;
        } else if (at < pattern.n && pattern.p[at] == text.p[i]) {
            at++;
            i++;
        } else if (star != SIZE_MAX) {
            at = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (at < pattern.n && pattern.p[at] == '*')
        at++;
    return at == pattern.n;
}

static bool is_equal(const struct log_operand *operand, struct hg_str value)
{
    double number;

    if (operand->regex)
        return log_regex_finds(operand->regex, value);
    if (operand->is_number && to_number(value, &number))
        return !(number < operand->number) && !(number > operand->number);
    return operand->has_wildcard ? glob_matches(operand->text, value)
                                 : hg_str_eq(operand->text, value);
}

bool log_operand_compare(const struct log_node *test, struct hg_str value)
{
    double number;

    if (test->op == LOG_EQ || test->op == LOG_NE)
        return is_equal(&test->operand, value) == (test->op == LOG_EQ);
    if (!to_number(value, &number))
        return false;
    switch (test->op) {
    case LOG_LT:
        return number < test->operand.number;
    case LOG_LE:
        return number <= test->operand.number;
    case LOG_GT:
        return number > test->operand.number;
    case LOG_GE:
        return number >= test->operand.number;
    case LOG_EQ:
    case LOG_NE:
    case LOG_IS_NULL:
    case LOG_IS_TRUE:
    case LOG_IS_FALSE:
    case LOG_NOT_EXISTS:
        break;
    }
    return false;
}
