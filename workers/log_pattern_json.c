/*
 * Patterns on messages that are JSON: { $.a.b[0] = "x*" && … }.
 */
#include "core/json_scan.h"
#include "workers/log_pattern_parts.h"

enum { VALUE_MAX = 2 << 20 };

static const char name_ends[] = " \t\r\n.[]=!<>()&|{},\"'";
static const char value_ends[] = " \t\r\n()&|{}\"";

static struct log_step *read_name(struct log_reader *reader)
{
    struct log_step *step = hg_arena_must(reader->pattern->arena, sizeof(*step));
    size_t length = 0;

    while (length < reader->rest.n && !strchr(name_ends, reader->rest.p[length]))
        length++;
    if (length == 0) {
        (void)log_pattern_refuse(reader, "the name of a property is expected");
        return NULL;
    }
    step->name =
        hg_str_n(hg_arena_strdup(reader->pattern->arena, hg_str_n(reader->rest.p, length)), length);
    step->is_any = hg_str_is(step->name, "*");
    reader->rest = hg_str_skip(reader->rest, length);
    return step;
}

/* Behind the bracket: a number, an asterisk, or a name in quotation marks. */
static struct log_step *read_index(struct log_reader *reader)
{
    struct log_step *step = hg_arena_must(reader->pattern->arena, sizeof(*step));
    size_t length = 0;
    uint64_t index = 0;

    log_skip_blanks(reader);
    if (reader->rest.n && (reader->rest.p[0] == '\'' || reader->rest.p[0] == '"')) {
        struct hg_str name;

        if (!log_read_quoted(reader, &name))
            return NULL;
        step->name = hg_str_n(hg_arena_strdup(reader->pattern->arena, name), name.n);
    } else if (log_take(reader, "*")) {
        step->is_index = step->is_any = true;
    } else {
        while (length < reader->rest.n && reader->rest.p[length] >= '0' &&
               reader->rest.p[length] <= '9')
            length++;
        step->is_index = true;
        if (!hg_str_u64(hg_str_n(reader->rest.p, length), 1000000, &index)) {
            (void)log_pattern_refuse(reader, "an index is expected");
            return NULL;
        }
        step->index = (size_t)index;
        reader->rest = hg_str_skip(reader->rest, length);
    }
    log_skip_blanks(reader);
    if (log_take(reader, "]"))
        return step;
    (void)log_pattern_refuse(reader, "a bracket is not closed");
    return NULL;
}

static bool read_path(struct log_reader *reader, struct log_step **path)
{
    if (!log_take(reader, "$"))
        return log_pattern_refuse(reader, "a property that starts with $ is expected");
    for (;;) {
        bool has_dot = log_take(reader, ".");

        if (log_take(reader, "["))
            *path = read_index(reader);
        else if (has_dot)
            *path = read_name(reader);
        else
            return true;
        if (!*path)
            return false;
        path = &(*path)->next;
    }
}

static bool read_is(struct log_reader *reader, struct log_node *test)
{
    log_skip_blanks(reader);
    if (log_take(reader, "NULL"))
        test->op = LOG_IS_NULL;
    else if (log_take(reader, "TRUE"))
        test->op = LOG_IS_TRUE;
    else if (log_take(reader, "FALSE"))
        test->op = LOG_IS_FALSE;
    else
        return log_pattern_refuse(reader, "IS wants NULL, TRUE or FALSE");
    return true;
}

static struct log_node *read_test(struct log_reader *reader)
{
    struct log_node *test = log_new_node(reader, LOG_TEST);

    if (!test || !read_path(reader, &test->path))
        return NULL;
    log_skip_blanks(reader);
    if (log_take(reader, "IS"))
        return read_is(reader, test) ? test : NULL;
    if (log_take(reader, "NOT")) {
        log_skip_blanks(reader);
        test->op = LOG_NOT_EXISTS;
        if (log_take(reader, "EXISTS"))
            return test;
        (void)log_pattern_refuse(reader, "NOT wants EXISTS");
        return NULL;
    }
    return log_read_comparison(reader, value_ends, test) ? test : NULL;
}

bool log_pattern_read_json(struct log_reader *reader)
{
    (void)log_take(reader, "{");
    reader->pattern->condition = log_read_condition(reader, read_test);
    if (!reader->pattern->condition)
        return false;
    log_skip_blanks(reader);
    if (!log_take(reader, "}"))
        return log_pattern_refuse(reader, "&&, || or } is expected");
    log_skip_blanks(reader);
    return reader->rest.n == 0 || log_pattern_refuse(reader, "nothing can follow the }");
}

static bool compare_text(const struct log_node *test, struct hg_json_value value)
{
    struct hg_str plain = hg_json_plain(value);
    struct hg_buf text;
    bool is_match;

    if (plain.p)
        return log_operand_compare(test, plain);
    hg_buf_init(&text, VALUE_MAX);
    is_match = hg_json_unescape(value, &text) && log_operand_compare(test, hg_buf_str(&text));
    hg_buf_fini(&text);
    return is_match;
}

static bool test_value(const struct log_node *test, struct hg_json_value value)
{
    switch (test->op) {
    case LOG_IS_NULL:
        return value.kind == HG_JSON_NULL;
    case LOG_IS_TRUE:
        return value.kind == HG_JSON_TRUE;
    case LOG_IS_FALSE:
        return value.kind == HG_JSON_FALSE;
    case LOG_NOT_EXISTS:
        return true;
    case LOG_EQ:
    case LOG_NE:
        break;
    case LOG_LT:
    case LOG_LE:
    case LOG_GT:
    case LOG_GE:
        if (value.kind != HG_JSON_NUMBER)
            return false;
        break;
    }
    return value.kind == HG_JSON_STRING ? compare_text(test, value)
                                        : log_operand_compare(test, value.raw);
}

/* Whether some value at the path passes; for NOT EXISTS: whether there is one. */
static bool test_at(const struct log_node *test, const struct log_step *step,
                    struct hg_json_value value)
{
    struct hg_json_walk walk;
    struct hg_json_value inner;
    struct hg_str key;

    if (!step)
        return test_value(test, value);
    if (!step->is_index && value.kind == HG_JSON_OBJECT) {
        if (!step->is_any) {
            inner = hg_json_member(value, step->name.p);
            return inner.kind != HG_JSON_BAD && test_at(test, step->next, inner);
        }
        walk = hg_json_walk(value);
        while (hg_json_next_member(&walk, &key, &inner)) {
            if (test_at(test, step->next, inner))
                return true;
        }
    } else if (step->is_index && value.kind == HG_JSON_ARRAY) {
        walk = hg_json_walk(value);
        for (size_t i = 0; hg_json_next_element(&walk, &inner); i++) {
            if ((step->is_any || i == step->index) && test_at(test, step->next, inner))
                return true;
        }
    }
    return false;
}

static bool holds(const struct log_node *node, struct hg_json_value document)
{
    switch (node->kind) {
    case LOG_AND:
        return holds(node->left, document) && holds(node->right, document);
    case LOG_OR:
        return holds(node->left, document) || holds(node->right, document);
    case LOG_TEST:
        break;
    }
    return test_at(node, node->path, document) != (node->op == LOG_NOT_EXISTS);
}

bool log_pattern_match_json(const struct hg_log_pattern *pattern, struct hg_str message)
{
    struct hg_str text = hg_str_trim_ws(message);
    struct hg_json_value document;

    /* Most lines of a function that logs JSON are either that or the platform's. */
    if (text.n < 2 || (text.p[0] != '{' && text.p[0] != '['))
        return false;
    document = hg_json_parse(text, NULL);
    return document.kind != HG_JSON_BAD && holds(pattern->condition, document);
}
