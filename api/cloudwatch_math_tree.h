/*
 * The tree of an expression of metric math.
 */
#ifndef HG_API_CLOUDWATCH_MATH_TREE_H
#define HG_API_CLOUDWATCH_MATH_TREE_H

#include "api/cloudwatch_math.h"
#include "core/arena.h"

enum {
    MATH_EXPRESSION_MAX = 2048,
    MATH_TREE_MAX = 8 << 20 /* arena that holds any tree, and its arguments */
};

enum math_node_kind { NODE_NUMBER, NODE_ID, NODE_UNARY, NODE_BINARY, NODE_CALL, NODE_LIST };

enum math_operator {
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

struct math_node {
    enum math_node_kind kind;
    double number;
    struct hg_str name; /* of an identifier or function */
    enum math_operator op;
    struct math_node **inner; /* operands, arguments, elements */
    size_t count;
};

/* In the arena. NULL: *rc and a sentence say why. Functions may be unknown, and have any number of arguments. */
const struct math_node *math_parse(struct hg_arena *arena, struct hg_str expression, enum hg_rc *rc,
                                   struct hg_error *err);

#endif
