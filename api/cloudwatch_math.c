/*
 * A recursive-descent parser that makes a tree, and its evaluation. A value is a number, a series, or a list of series. Where a
 * series has a gap, what is made from it has one.
 */
#include "api/cloudwatch_math.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum {
    DEPTH_MAX = 40,
    ARGUMENTS_MAX = 100,
    NUMBER_MAX = 64,
    EXPRESSION_MAX = 2048, /* bytes; beyond what the trees have room for */
    TREE_MAX = 8 << 20,    /* arena of nodes and arguments */
    SERIES_MAX = 16 << 20, /* arena of what comes out on the way */
};

enum node_kind { NODE_NUMBER, NODE_ID, NODE_UNARY, NODE_BINARY, NODE_CALL, NODE_LIST };

enum operator{
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_POWER,
    OP_LESS,
    OP_GREATER,
    OP_LESS_EQUAL,
    OP_GREATER_EQUAL,
    OP_EQUAL,
    OP_UNEQUAL,
    OP_AND,
    OP_OR,
};

struct node {
    enum node_kind kind;
    double number;
    struct hg_str name; /* of an identifier or function */
    enum operator op;
    struct node **inner; /* operands, arguments, elements */
    size_t count;
};

struct parser {
    struct hg_arena *arena;
    struct hg_str rest;
    struct hg_error *err;
    unsigned depth;
    enum hg_rc rc;
};

/* ---- parsing ---- */

static struct node *parse_or(struct parser *parser);

static struct node *refuse(struct parser *parser, enum hg_rc rc, const char *what, struct hg_str at)
{
    if (parser->rc == HG_OK)
        parser->rc = hg_error_set(parser->err, rc, "%s%.*s", what,
                                  (int)HG_MIN(at.n, (size_t)NUMBER_MAX), at.p ? at.p : "");
    return NULL;
}

static struct node *unexpected(struct parser *parser)
{
    if (!parser->rest.n)
        return refuse(parser, HG_E_INVALID, "the expression ends too early", HG_STR(""));
    return refuse(parser, HG_E_INVALID, "unexpected: ", parser->rest);
}

static struct node *node_new(struct parser *parser, enum node_kind kind, size_t room)
{
    struct node *node = hg_arena_must(parser->arena, sizeof(*node));

    node->kind = kind;
    node->inner = hg_arena_must(parser->arena, (room + 1) * sizeof(struct node *));
    return node;
}

static void skip_blanks(struct parser *parser)
{
    while (parser->rest.n && isspace((unsigned char)parser->rest.p[0]))
        parser->rest = hg_str_skip(parser->rest, 1);
}

static bool take(struct parser *parser, const char *token)
{
    skip_blanks(parser);
    if (!hg_str_starts(parser->rest, hg_str_of(token)))
        return false;
    parser->rest = hg_str_skip(parser->rest, strlen(token));
    return true;
}

static struct hg_str take_word(struct parser *parser)
{
    size_t length = 0;
    struct hg_str word;

    while (length < parser->rest.n &&
           (isalnum((unsigned char)parser->rest.p[length]) || parser->rest.p[length] == '_'))
        length++;
    word = hg_str_n(parser->rest.p, length);
    parser->rest = hg_str_skip(parser->rest, length);
    return word;
}

static bool take_keyword(struct parser *parser, const char *word)
{
    struct hg_str before;

    skip_blanks(parser);
    before = parser->rest;
    if (hg_str_is(take_word(parser), word))
        return true;
    parser->rest = before;
    return false;
}

static struct node *parse_items(struct parser *parser, struct node *node, const char *end)
{
    if (take(parser, end))
        return node;
    do {
        if (node->count == ARGUMENTS_MAX)
            return refuse(parser, HG_E_INVALID, "too many arguments", HG_STR(""));
        node->inner[node->count] = parse_or(parser);
        if (!node->inner[node->count++])
            return NULL;
    } while (take(parser, ","));
    return take(parser, end) ? node : unexpected(parser);
}

static struct node *parse_number(struct parser *parser)
{
    char text[NUMBER_MAX], *end;
    size_t length = HG_MIN(parser->rest.n, sizeof(text) - 1);
    struct node *node = node_new(parser, NODE_NUMBER, 0);

    memcpy(text, parser->rest.p, length);
    text[length] = '\0';
    node->number = strtod(text, &end);
    if (end == text || !isfinite(node->number))
        return unexpected(parser);
    parser->rest = hg_str_skip(parser->rest, (size_t)(end - text));
    return node;
}

static struct node *parse_primary(struct parser *parser)
{
    struct node *node;
    struct hg_str word;

    skip_blanks(parser);
    if (!parser->rest.n)
        return unexpected(parser);
    if (take(parser, "(")) {
        node = parse_or(parser);
        if (node && !take(parser, ")"))
            return unexpected(parser);
        return node;
    }
    if (take(parser, "["))
        return parse_items(parser, node_new(parser, NODE_LIST, ARGUMENTS_MAX), "]");
    if (isdigit((unsigned char)parser->rest.p[0]) || parser->rest.p[0] == '.')
        return parse_number(parser);
    if (!isalpha((unsigned char)parser->rest.p[0]))
        return unexpected(parser);
    word = take_word(parser);
    if (take(parser, "(")) {
        node = node_new(parser, NODE_CALL, ARGUMENTS_MAX);
        node->name = word;
        return parse_items(parser, node, ")");
    }
    node = node_new(parser, NODE_ID, 0);
    node->name = word;
    return node;
}

static struct node *parse_unary(struct parser *parser)
{
    struct node *node;

    if (parser->depth++ > DEPTH_MAX)
        return refuse(parser, HG_E_INVALID, "the expression is nested too deeply", HG_STR(""));
    if (take(parser, "-")) {
        node = node_new(parser, NODE_UNARY, 1);
        node->inner[node->count++] = parse_unary(parser);
        node = node->inner[0] ? node : NULL;
    } else {
        node = parse_primary(parser);
    }
    parser->depth--;
    return node;
}

static struct node *join(struct parser *parser, enum operator op, struct node *left,
                         struct node *right)
{
    struct node *node = node_new(parser, NODE_BINARY, 2);

    node->op = op;
    node->inner[0] = left;
    node->inner[1] = right;
    node->count = 2;
    return right ? node : NULL;
}

static struct node *parse_power(struct parser *parser)
{
    struct node *left = parse_unary(parser);

    while (left && take(parser, "^"))
        left = join(parser, OP_POWER, left, parse_unary(parser));
    return left;
}

static struct node *parse_product(struct parser *parser)
{
    struct node *left = parse_power(parser);

    while (left) {
        if (take(parser, "*"))
            left = join(parser, OP_MULTIPLY, left, parse_power(parser));
        else if (take(parser, "/"))
            left = join(parser, OP_DIVIDE, left, parse_power(parser));
        else
            break;
    }
    return left;
}

static struct node *parse_sum(struct parser *parser)
{
    struct node *left = parse_product(parser);

    while (left) {
        if (take(parser, "+"))
            left = join(parser, OP_ADD, left, parse_product(parser));
        else if (take(parser, "-"))
            left = join(parser, OP_SUBTRACT, left, parse_product(parser));
        else
            break;
    }
    return left;
}

static struct node *parse_comparison(struct parser *parser)
{
    static const struct {
        const char *token;
        enum operator op;
    } tokens[] = {
        {"<=", OP_LESS_EQUAL}, {">=", OP_GREATER_EQUAL}, {"==", OP_EQUAL},
        {"!=", OP_UNEQUAL},    {"<", OP_LESS},           {">", OP_GREATER},
    };
    struct node *left = parse_sum(parser);
    bool has_one = true;

    while (left && has_one) {
        has_one = false;
        for (size_t i = 0; i < HG_COUNT(tokens) && !has_one; i++)
            if (take(parser, tokens[i].token)) {
                left = join(parser, tokens[i].op, left, parse_sum(parser));
                has_one = true;
            }
    }
    return left;
}

static struct node *parse_and(struct parser *parser)
{
    struct node *left = parse_comparison(parser);

    while (left && (take(parser, "&&") || take_keyword(parser, "AND")))
        left = join(parser, OP_AND, left, parse_comparison(parser));
    return left;
}

static struct node *parse_or(struct parser *parser)
{
    struct node *left;

    if (parser->depth++ > DEPTH_MAX)
        return refuse(parser, HG_E_INVALID, "the expression is nested too deeply", HG_STR(""));
    left = parse_and(parser);
    while (left && (take(parser, "||") || take_keyword(parser, "OR")))
        left = join(parser, OP_OR, left, parse_and(parser));
    parser->depth--;
    return left;
}

/* ---- values ---- */

enum value_kind { VALUE_NUMBER, VALUE_SERIES, VALUE_LIST };

struct value {
    enum value_kind kind;
    double number;
    struct math_series series;
    struct value *items;
    size_t count;
};

struct evaluation {
    const struct math_context *context;
    struct hg_arena *tree, *series;
    struct hg_error *err;
    enum hg_rc rc;
};

static bool fail(struct evaluation *eval, enum hg_rc rc, const char *what, struct hg_str name)
{
    eval->rc = hg_error_set(eval->err, rc, "%s%.*s", what, (int)HG_MIN(name.n, (size_t)NUMBER_MAX),
                            name.p ? name.p : "");
    return false;
}

static bool evaluate(struct evaluation *eval, const struct node *node, struct value *value);

/* A series of the same periods as like, all gaps. */
static bool series_like(struct evaluation *eval, const struct math_series *like,
                        struct math_series *made)
{
    size_t bytes = like->count * (sizeof(double) + sizeof(bool));
    char *room = hg_arena_alloc(eval->series, bytes + 1);

    if (!room)
        return fail(eval, HG_E_INVALID, "the expression needs too many data points", HG_STR(""));
    memset(room, 0, bytes);
    *made = *like;
    made->values = (double *)(void *)room;
    made->has = (bool *)(room + like->count * sizeof(double));
    return true;
}

static double apply(enum operator op, double a, double b)
{
    switch (op) {
    case OP_ADD:
        return a + b;
    case OP_SUBTRACT:
        return a - b;
    case OP_MULTIPLY:
        return a * b;
    case OP_DIVIDE:
        return a / b;
    case OP_POWER:
        return pow(a, b);
    case OP_LESS:
        return a < b;
    case OP_GREATER:
        return a > b;
    case OP_LESS_EQUAL:
        return a <= b;
    case OP_GREATER_EQUAL:
        return a >= b;
    case OP_EQUAL:
        return a == b;
    case OP_UNEQUAL:
        return a != b;
    case OP_AND:
        return a != 0 && b != 0;
    case OP_OR:
        break;
    }
    return a != 0 || b != 0;
}

static bool is_same_grid(struct evaluation *eval, const struct math_series *a,
                         const struct math_series *b)
{
    return (a->period_s == b->period_s && a->from_s == b->from_s && a->count == b->count) ||
           fail(eval, HG_E_UNSUPPORTED,
                "metrics with different periods in one expression are not available in Headgate",
                HG_STR(""));
}

static bool value_at(const struct value *value, size_t at, double *number)
{
    if (value->kind == VALUE_NUMBER) {
        *number = value->number;
        return true;
    }
    *number = value->series.values[at];
    return value->series.has[at];
}

static bool join_values(struct evaluation *eval, enum operator op, const struct value *a,
                        const struct value *b, struct value *value)
{
    const struct math_series *like = a->kind == VALUE_SERIES ? &a->series : &b->series;

    if (a->kind == VALUE_LIST || b->kind == VALUE_LIST)
        return fail(eval, HG_E_UNSUPPORTED,
                    "operators on arrays of series are not available in Headgate", HG_STR(""));
    if (a->kind == VALUE_NUMBER && b->kind == VALUE_NUMBER) {
        value->kind = VALUE_NUMBER;
        value->number = apply(op, a->number, b->number);
        return isfinite(value->number) ||
               fail(eval, HG_E_INVALID, "a constant has no value", HG_STR(""));
    }
    if (a->kind == VALUE_SERIES && b->kind == VALUE_SERIES &&
        !is_same_grid(eval, &a->series, &b->series))
        return false;
    value->kind = VALUE_SERIES;
    if (!series_like(eval, like, &value->series))
        return false;
    for (size_t i = 0; i < like->count; i++) {
        double left, right;

        if (!value_at(a, i, &left) || !value_at(b, i, &right))
            continue;
        value->series.values[i] = apply(op, left, right);
        value->series.has[i] = isfinite(value->series.values[i]); /* n / 0 is a gap */
    }
    return true;
}

/* ---- functions ---- */

struct sums {
    double count, sum, min, max;
};

static void add_number(struct sums *sums, double number)
{
    sums->min = sums->count > 0 ? fmin(sums->min, number) : number;
    sums->max = sums->count > 0 ? fmax(sums->max, number) : number;
    sums->count++;
    sums->sum += number;
}

static double result_of(struct hg_str name, const struct sums *sums)
{
    if (hg_str_is(name, "SUM"))
        return sums->sum;
    if (hg_str_is(name, "AVG"))
        return sums->sum / sums->count;
    return hg_str_is(name, "MIN") ? sums->min : sums->max;
}

/* Over a series: one number. Over a list: one series, period by period over those that have a value there. */
static bool call_aggregate(struct evaluation *eval, const struct node *node,
                           const struct value *arguments, struct value *value)
{
    const struct value *over = &arguments[0];
    struct sums sums = {0};

    if (over->kind == VALUE_SERIES) {
        for (size_t i = 0; i < over->series.count; i++)
            if (over->series.has[i])
                add_number(&sums, over->series.values[i]);
        value->kind = VALUE_NUMBER;
        value->number = sums.count > 0 ? result_of(node->name, &sums) : 0;
        return true;
    }
    if (over->kind != VALUE_LIST || !over->count || over->items[0].kind != VALUE_SERIES)
        return fail(eval, HG_E_INVALID, "a series or an array of series is needed by ", node->name);
    value->kind = VALUE_SERIES;
    if (!series_like(eval, &over->items[0].series, &value->series))
        return false;
    for (size_t i = 0; i < value->series.count; i++) {
        sums = (struct sums){0};
        for (size_t item = 0; item < over->count; item++) {
            double number;

            if (over->items[item].kind != VALUE_SERIES ||
                !is_same_grid(eval, &over->items[item].series, &value->series))
                return eval->rc != HG_OK ||
                       fail(eval, HG_E_INVALID, "an array of series is needed by ", node->name);
            if (value_at(&over->items[item], i, &number))
                add_number(&sums, number);
        }
        value->series.has[i] = sums.count > 0;
        value->series.values[i] = sums.count > 0 ? result_of(node->name, &sums) : 0;
    }
    return true;
}

static bool call_plain(struct evaluation *eval, const struct node *node,
                       const struct value *arguments, struct value *value)
{
    double (*function)(double) = hg_str_is(node->name, "ABS")    ? fabs
                                 : hg_str_is(node->name, "CEIL") ? ceil
                                                                 : floor;

    if (arguments[0].kind == VALUE_LIST)
        return fail(eval, HG_E_UNSUPPORTED, "arrays are not available in Headgate for ",
                    node->name);
    value->kind = arguments[0].kind;
    if (value->kind == VALUE_NUMBER) {
        value->number = function(arguments[0].number);
        return true;
    }
    if (!series_like(eval, &arguments[0].series, &value->series))
        return false;
    for (size_t i = 0; i < value->series.count; i++) {
        value->series.has[i] = arguments[0].series.has[i];
        value->series.values[i] = function(arguments[0].series.values[i]);
    }
    return true;
}

/* Gaps between two values, in proportion; those at the ends stay. */
static void fill_linear(struct math_series *series)
{
    size_t before = SIZE_MAX;

    for (size_t i = 0; i < series->count; i++) {
        if (!series->has[i])
            continue;
        for (size_t gap = before == SIZE_MAX ? i : before + 1; gap < i; gap++) {
            double share = (double)(gap - before) / (double)(i - before);

            series->values[gap] =
                series->values[before] + (series->values[i] - series->values[before]) * share;
            series->has[gap] = true;
        }
        before = i;
    }
}

static bool call_fill(struct evaluation *eval, const struct node *node,
                      const struct value *arguments, struct value *value)
{
    const struct value *from = &arguments[0];
    struct hg_str how = node->inner[1]->kind == NODE_ID ? node->inner[1]->name : HG_STR("");
    bool is_repeat = hg_str_is(how, "REPEAT"), has_last = false;
    double last = 0;

    if (from->kind != VALUE_SERIES || arguments[1].kind == VALUE_LIST)
        return fail(eval, HG_E_INVALID, "a series is needed by ", node->name);
    if (arguments[1].kind == VALUE_SERIES &&
        !is_same_grid(eval, &from->series, &arguments[1].series))
        return false;
    value->kind = VALUE_SERIES;
    if (!series_like(eval, &from->series, &value->series))
        return false;
    for (size_t i = 0; i < from->series.count; i++) {
        value->series.has[i] = value_at(from, i, &value->series.values[i]);
        if (value->series.has[i]) {
            last = value->series.values[i];
            has_last = true;
        } else if (is_repeat && has_last) {
            value->series.values[i] = last;
            value->series.has[i] = true;
        } else if (!how.n || arguments[1].kind == VALUE_SERIES) {
            value->series.has[i] = value_at(&arguments[1], i, &value->series.values[i]);
        }
    }
    if (hg_str_is(how, "LINEAR"))
        fill_linear(&value->series);
    return true;
}

static bool call_if(struct evaluation *eval, const struct node *node, const struct value *arguments,
                    struct value *value)
{
    const struct math_series *like = NULL;

    for (size_t i = 0; i < node->count; i++) {
        if (arguments[i].kind == VALUE_LIST)
            return fail(eval, HG_E_UNSUPPORTED, "arrays are not available in Headgate for ",
                        node->name);
        if (arguments[i].kind == VALUE_SERIES) {
            if (like && !is_same_grid(eval, like, &arguments[i].series))
                return false;
            like = &arguments[i].series;
        }
    }
    if (!like)
        return fail(eval, HG_E_INVALID, "a series is needed by ", node->name);
    value->kind = VALUE_SERIES;
    if (!series_like(eval, like, &value->series))
        return false;
    for (size_t i = 0; i < like->count; i++) {
        double condition;
        bool is_known = value_at(&arguments[0], i, &condition);
        const struct value *taken = is_known && condition != 0 ? &arguments[1]
                                    : node->count == 3         ? &arguments[2]
                                                               : NULL;

        if (is_known && taken)
            value->series.has[i] = value_at(taken, i, &value->series.values[i]);
    }
    return true;
}

static bool call_period(struct evaluation *eval, const struct node *node,
                        const struct value *arguments, struct value *value)
{
    if (arguments[0].kind != VALUE_SERIES)
        return fail(eval, HG_E_INVALID, "a series is needed by ", node->name);
    value->kind = VALUE_NUMBER;
    value->number = (double)arguments[0].series.period_s;
    return true;
}

static const struct {
    const char *name;
    size_t min, max; /* arguments */
    bool (*call)(struct evaluation *eval, const struct node *node, const struct value *arguments,
                 struct value *value);
} functions[] = {
    {"ABS", 1, 1, call_plain},     {"AVG", 1, 1, call_aggregate}, {"CEIL", 1, 1, call_plain},
    {"FILL", 2, 2, call_fill},     {"FLOOR", 1, 1, call_plain},   {"IF", 2, 3, call_if},
    {"MAX", 1, 1, call_aggregate}, {"MIN", 1, 1, call_aggregate}, {"PERIOD", 1, 1, call_period},
    {"SUM", 1, 1, call_aggregate},
};

static size_t function_of(struct hg_str name)
{
    size_t at = 0;

    while (at < HG_COUNT(functions) && !hg_str_is(name, functions[at].name))
        at++;
    return at;
}

static bool is_fill_word(const struct node *call, size_t argument)
{
    const struct node *node = call->inner[argument];

    return argument == 1 && hg_str_is(call->name, "FILL") && node->kind == NODE_ID &&
           (hg_str_is(node->name, "REPEAT") || hg_str_is(node->name, "LINEAR"));
}

static bool evaluate_call(struct evaluation *eval, const struct node *node, struct value *value)
{
    struct value *arguments = hg_arena_must(eval->tree, (node->count + 1) * sizeof(*arguments));

    for (size_t i = 0; i < node->count; i++)
        if (!is_fill_word(node, i) && !evaluate(eval, node->inner[i], &arguments[i]))
            return false;
    return functions[function_of(node->name)].call(eval, node, arguments, value);
}

static bool evaluate_list(struct evaluation *eval, const struct node *node, struct value *value)
{
    value->kind = VALUE_LIST;
    value->count = node->count;
    value->items = hg_arena_must(eval->tree, (node->count + 1) * sizeof(*value->items));
    for (size_t i = 0; i < node->count; i++)
        if (!evaluate(eval, node->inner[i], &value->items[i]))
            return false;
    return true;
}

static bool evaluate(struct evaluation *eval, const struct node *node, struct value *value)
{
    const struct math_series *found;
    struct value left, right;

    *value = (struct value){.kind = VALUE_NUMBER};
    switch (node->kind) {
    case NODE_NUMBER:
        value->number = node->number;
        return true;
    case NODE_ID:
        found = eval->context->find(node->name, eval->context->arg);
        if (!found)
            return fail(eval, HG_E_INVALID, "nothing is known by the id ", node->name);
        value->kind = VALUE_SERIES;
        value->series = *found;
        return true;
    case NODE_UNARY:
        left = (struct value){.kind = VALUE_NUMBER, .number = 0};
        return evaluate(eval, node->inner[0], &right) &&
               join_values(eval, OP_SUBTRACT, &left, &right, value);
    case NODE_BINARY:
        return evaluate(eval, node->inner[0], &left) && evaluate(eval, node->inner[1], &right) &&
               join_values(eval, node->op, &left, &right, value);
    case NODE_LIST:
        return evaluate_list(eval, node, value);
    case NODE_CALL:
        break;
    }
    return evaluate_call(eval, node, value);
}

/* ---- checking ---- */

/* Functions that exist, with as many arguments as they take. */
static bool check_node(struct parser *parser, const struct node *node,
                       void (*each)(struct hg_str id, void *arg), void *arg)
{
    if (node->kind == NODE_ID)
        each(node->name, arg);
    if (node->kind == NODE_CALL) {
        size_t at = function_of(node->name);

        if (at == HG_COUNT(functions))
            return refuse(parser, HG_E_UNSUPPORTED,
                          "of metric math Headgate has ABS, AVG, CEIL, FILL, FLOOR, IF, MAX, MIN, "
                          "PERIOD, SUM and operators; not available: ",
                          node->name) != NULL;
        if (node->count < functions[at].min || node->count > functions[at].max)
            return refuse(parser, HG_E_INVALID, "wrong number of arguments of ", node->name) !=
                   NULL;
    }
    for (size_t i = 0; i < node->count; i++)
        if (!(node->kind == NODE_CALL && is_fill_word(node, i)) &&
            !check_node(parser, node->inner[i], each, arg))
            return false;
    return true;
}

static const struct node *parse(struct parser *parser)
{
    struct node *root;

    if (hg_str_starts(parser->rest, HG_STR("SELECT ")))
        return refuse(parser, HG_E_UNSUPPORTED,
                      "queries of Metrics Insights (SELECT) are not available in Headgate",
                      HG_STR(""));
    if (hg_str_starts(parser->rest, HG_STR("SEARCH(")))
        return refuse(parser, HG_E_UNSUPPORTED, "SEARCH expressions are not available in Headgate",
                      HG_STR(""));
    root = parse_or(parser);
    skip_blanks(parser);
    if (root && parser->rest.n)
        return unexpected(parser);
    return root;
}

enum hg_rc math_check(struct hg_str expression, void (*each)(struct hg_str id, void *arg),
                      void *arg, struct hg_error *err)
{
    struct parser parser = {.rest = expression, .err = err};
    const struct node *root;

    if (expression.n > EXPRESSION_MAX)
        return hg_error_set(err, HG_E_INVALID, "the expression is too long");
    parser.arena = hg_arena_new(TREE_MAX);
    root = parse(&parser);
    if (root)
        (void)check_node(&parser, root, each, arg);
    hg_arena_free(parser.arena);
    return parser.rc;
}

static void keep(const struct math_series *made, struct math_series *result)
{
    *result = *made;
    result->values = hg_calloc(made->count + 1, sizeof(*result->values));
    result->has = hg_calloc(made->count + 1, sizeof(*result->has));
    memcpy(result->values, made->values, made->count * sizeof(*result->values));
    memcpy(result->has, made->has, made->count * sizeof(*result->has));
}

void math_series_fini(struct math_series *series)
{
    free(series->values);
    free(series->has);
    series->values = NULL;
    series->has = NULL;
}

enum hg_rc math_evaluate(const struct math_context *context, struct hg_str expression,
                         struct math_series *result, struct hg_error *err)
{
    struct parser parser = {.rest = expression, .err = err, .arena = hg_arena_new(TREE_MAX)};
    struct evaluation eval = {
        .context = context, .tree = parser.arena, .series = hg_arena_new(SERIES_MAX), .err = err};
    const struct node *root = parse(&parser);
    struct value value;

    if (!root)
        eval.rc = parser.rc;
    else if (evaluate(&eval, root, &value) && value.kind != VALUE_SERIES)
        (void)fail(&eval, HG_E_INVALID, "the expression does not give a time series", HG_STR(""));
    else if (eval.rc == HG_OK)
        keep(&value.series, result);
    hg_arena_free(eval.series);
    hg_arena_free(parser.arena);
    return eval.rc;
}
