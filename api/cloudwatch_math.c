/*
 * Evaluation of metric math. A value is a number, a series, or a list of series. Where a series has a gap, what is made from it
 * has one.
 */
#include "api/cloudwatch_math.h"

#include "api/cloudwatch_math_tree.h"

#include <math.h>
#include <stdlib.h>

enum { NAME_SHOWN = 64, SERIES_MAX = 16 << 20 /* arena of what comes out on the way */ };

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
    eval->rc = hg_error_set(eval->err, rc, "%s%.*s", what, (int)HG_MIN(name.n, (size_t)NAME_SHOWN),
                            name.p ? name.p : "");
    return false;
}

static bool evaluate(struct evaluation *eval, const struct math_node *node, struct value *value);

/* A series of the same periods as like, all gaps. */
static bool series_like(struct evaluation *eval, const struct math_series *like,
                        struct math_series *made)
{
    size_t bytes = like->count * (sizeof(double) + sizeof(bool));
    char *room = hg_arena_alloc(eval->series, bytes + 1);

    if (!room) {
        (void)fail(eval, HG_E_INVALID, "the expression needs too many data points", HG_STR(""));
        return false;
    }
    memset(room, 0, bytes);
    *made = *like;
    made->values = (double *)(void *)room;
    made->has = (bool *)(room + like->count * sizeof(double));
    return true;
}

static double apply(enum math_operator op, double a, double b)
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

static bool join_values(struct evaluation *eval, enum math_operator op, const struct value *a,
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
static bool call_aggregate(struct evaluation *eval, const struct math_node *node,
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

            if (over->items[item].kind != VALUE_SERIES)
                return fail(eval, HG_E_INVALID, "an array of series is needed by ", node->name);
            if (!is_same_grid(eval, &over->items[item].series, &value->series))
                return false;
            if (value_at(&over->items[item], i, &number))
                add_number(&sums, number);
        }
        value->series.has[i] = sums.count > 0;
        value->series.values[i] = sums.count > 0 ? result_of(node->name, &sums) : 0;
    }
    return true;
}

static bool call_plain(struct evaluation *eval, const struct math_node *node,
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

static bool call_fill(struct evaluation *eval, const struct math_node *node,
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

static bool call_if(struct evaluation *eval, const struct math_node *node,
                    const struct value *arguments, struct value *value)
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

static bool call_period(struct evaluation *eval, const struct math_node *node,
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
    bool (*call)(struct evaluation *eval, const struct math_node *node,
                 const struct value *arguments, struct value *value);
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

static bool is_fill_word(const struct math_node *call, size_t argument)
{
    const struct math_node *node = call->inner[argument];

    return argument == 1 && hg_str_is(call->name, "FILL") && node->kind == NODE_ID &&
           (hg_str_is(node->name, "REPEAT") || hg_str_is(node->name, "LINEAR"));
}

static bool evaluate_call(struct evaluation *eval, const struct math_node *node,
                          struct value *value)
{
    struct value *arguments = hg_arena_must(eval->tree, (node->count + 1) * sizeof(*arguments));

    for (size_t i = 0; i < node->count; i++)
        if (!is_fill_word(node, i) && !evaluate(eval, node->inner[i], &arguments[i]))
            return false;
    return functions[function_of(node->name)].call(eval, node, arguments, value);
}

static bool evaluate_list(struct evaluation *eval, const struct math_node *node,
                          struct value *value)
{
    value->kind = VALUE_LIST;
    value->count = node->count;
    value->items = hg_arena_must(eval->tree, (node->count + 1) * sizeof(*value->items));
    for (size_t i = 0; i < node->count; i++)
        if (!evaluate(eval, node->inner[i], &value->items[i]))
            return false;
    return true;
}

static bool evaluate(struct evaluation *eval, const struct math_node *node, struct value *value)
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
static bool check_node(struct evaluation *eval, const struct math_node *node,
                       void (*each)(struct hg_str id, void *arg), void *arg)
{
    if (node->kind == NODE_ID)
        each(node->name, arg);
    if (node->kind == NODE_CALL) {
        size_t at = function_of(node->name);

        if (at == HG_COUNT(functions))
            return fail(eval, HG_E_UNSUPPORTED,
                        "of metric math Headgate has ABS, AVG, CEIL, FILL, FLOOR, IF, MAX, MIN, "
                        "PERIOD, SUM and operators; not available: ",
                        node->name);
        if (node->count < functions[at].min || node->count > functions[at].max)
            return fail(eval, HG_E_INVALID, "wrong number of arguments of ", node->name);
    }
    for (size_t i = 0; i < node->count; i++)
        if (!(node->kind == NODE_CALL && is_fill_word(node, i)) &&
            !check_node(eval, node->inner[i], each, arg))
            return false;
    return true;
}

enum hg_rc math_check(struct hg_str expression, void (*each)(struct hg_str id, void *arg),
                      void *arg, struct hg_error *err)
{
    struct evaluation eval = {.tree = hg_arena_new(MATH_TREE_MAX), .err = err};
    const struct math_node *root = math_parse(eval.tree, expression, &eval.rc, err);

    if (root)
        (void)check_node(&eval, root, each, arg);
    hg_arena_free(eval.tree);
    return eval.rc;
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
    struct evaluation eval = {.context = context,
                              .tree = hg_arena_new(MATH_TREE_MAX),
                              .series = hg_arena_new(SERIES_MAX),
                              .err = err};
    const struct math_node *root = math_parse(eval.tree, expression, &eval.rc, err);
    struct value value;

    if (root && evaluate(&eval, root, &value)) {
        if (value.kind == VALUE_SERIES)
            keep(&value.series, result);
        else
            (void)fail(&eval, HG_E_INVALID, "the expression does not give a time series",
                       HG_STR(""));
    }
    hg_arena_free(eval.series);
    hg_arena_free(eval.tree);
    return eval.rc;
}
