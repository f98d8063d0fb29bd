/*
 * A recursive-descent parser of metric math.
 */
#include "api/cloudwatch_math_tree.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { DEPTH_MAX = 40, ARGUMENTS_MAX = 100, NUMBER_MAX = 64 };

struct parser {
    struct hg_arena *arena;
    struct hg_str rest;
    struct hg_error *err;
    unsigned depth;
    enum hg_rc rc;
};

static struct math_node *parse_or(struct parser *parser);

static struct math_node *refuse(struct parser *parser, enum hg_rc rc, const char *what,
                                struct hg_str at)
{
    if (parser->rc == HG_OK)
        parser->rc = hg_error_set(parser->err, rc, "%s%.*s", what,
                                  (int)HG_MIN(at.n, (size_t)NUMBER_MAX), at.p ? at.p : "");
    return NULL;
}

static struct math_node *unexpected(struct parser *parser)
{
    if (!parser->rest.n)
        return refuse(parser, HG_E_INVALID, "the expression ends too early", HG_STR(""));
    return refuse(parser, HG_E_INVALID, "unexpected: ", parser->rest);
}

static struct math_node *node_new(struct parser *parser, enum math_node_kind kind, size_t room)
{
    struct math_node *node = hg_arena_must(parser->arena, sizeof(*node));

    node->kind = kind;
    node->inner = hg_arena_must(parser->arena, (room + 1) * sizeof(struct math_node *));
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

static struct math_node *parse_items(struct parser *parser, struct math_node *node, const char *end)
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

static struct math_node *parse_number(struct parser *parser)
{
    char text[NUMBER_MAX], *end;
    size_t length = HG_MIN(parser->rest.n, sizeof(text) - 1);
    struct math_node *node = node_new(parser, NODE_NUMBER, 0);

    memcpy(text, parser->rest.p, length);
    text[length] = '\0';
    node->number = strtod(text, &end);
    if (end == text || !isfinite(node->number))
        return unexpected(parser);
    parser->rest = hg_str_skip(parser->rest, (size_t)(end - text));
    return node;
}

static struct math_node *parse_primary(struct parser *parser)
{
    struct math_node *node;
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

static struct math_node *parse_unary(struct parser *parser)
{
    struct math_node *node;

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

static struct math_node *join(struct parser *parser, enum math_operator op, struct math_node *left,
                              struct math_node *right)
{
    struct math_node *node = node_new(parser, NODE_BINARY, 2);

    node->op = op;
    node->inner[0] = left;
    node->inner[1] = right;
    node->count = 2;
    return right ? node : NULL;
}

static struct math_node *parse_power(struct parser *parser)
{
    struct math_node *left = parse_unary(parser);

    while (left && take(parser, "^"))
        left = join(parser, OP_POWER, left, parse_unary(parser));
    return left;
}

static struct math_node *parse_product(struct parser *parser)
{
    struct math_node *left = parse_power(parser);

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

static struct math_node *parse_sum(struct parser *parser)
{
    struct math_node *left = parse_product(parser);

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

static struct math_node *parse_comparison(struct parser *parser)
{
    static const struct {
        const char *token;
        enum math_operator op;
    } tokens[] = {
        {"<=", OP_LESS_EQUAL}, {">=", OP_GREATER_EQUAL}, {"==", OP_EQUAL},
        {"!=", OP_UNEQUAL},    {"<", OP_LESS},           {">", OP_GREATER},
    };
    struct math_node *left = parse_sum(parser);
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

static struct math_node *parse_and(struct parser *parser)
{
    struct math_node *left = parse_comparison(parser);

    while (left && (take(parser, "&&") || take_keyword(parser, "AND")))
        left = join(parser, OP_AND, left, parse_comparison(parser));
    return left;
}

static struct math_node *parse_or(struct parser *parser)
{
    struct math_node *left;

    if (parser->depth++ > DEPTH_MAX)
        return refuse(parser, HG_E_INVALID, "the expression is nested too deeply", HG_STR(""));
    left = parse_and(parser);
    while (left && (take(parser, "||") || take_keyword(parser, "OR")))
        left = join(parser, OP_OR, left, parse_and(parser));
    parser->depth--;
    return left;
}

static const struct math_node *parse(struct parser *parser)
{
    struct math_node *root;

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

const struct math_node *math_parse(struct hg_arena *arena, struct hg_str expression, enum hg_rc *rc,
                                   struct hg_error *err)
{
    struct parser parser = {.arena = arena, .rest = expression, .err = err};
    const struct math_node *root;

    if (expression.n > MATH_EXPRESSION_MAX) {
        *rc = hg_error_set(err, HG_E_INVALID, "the expression is too long");
        return NULL;
    }
    root = parse(&parser);
    *rc = parser.rc;
    return root;
}
