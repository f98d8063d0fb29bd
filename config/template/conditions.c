/*
 * Conditions: read once, evaluated when somebody asks.
 */
#include "config/template/eval_state.h"

enum truth { TRUTH_FAULT = -1, TRUTH_NO = 0, TRUTH_YES = 1 };

static enum truth truth_of(struct hg_eval *eval, const struct hg_node *raw);

static void say_unknown(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    struct hg_suggest suggest = {.wanted = name};
    const struct hg_map_entry *entry;

    for (size_t i = 0; (entry = hg_map_next(&eval->conditions, &i));)
        suggest_offer(&suggest, entry->key);
    eval_problem(eval, at, "there is no condition '%.*s'%s", HG_STR_ARG(name),
                 suggest_text(&suggest));
}

static enum truth truth_of_name(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    struct eval_condition *condition = name.p ? hg_map_get(&eval->conditions, name) : NULL;
    bool was_in_condition = eval->is_in_condition;
    enum truth truth;

    if (!condition) {
        say_unknown(eval, name, at);
        return TRUTH_FAULT;
    }
    if (condition->progress == EVAL_RUNNING) {
        eval_problem(eval, condition->raw, "the condition '%.*s' depends on itself",
                     HG_STR_ARG(name));
        return TRUTH_FAULT;
    }
    if (condition->progress == EVAL_NEW) {
        if (!eval_enter(eval, at))
            return TRUTH_FAULT;
        condition->progress = EVAL_RUNNING;
        eval->is_in_condition = true;
        truth = truth_of(eval, condition->raw);
        eval->is_in_condition = was_in_condition;
        condition->progress = EVAL_DONE;
        condition->value = truth == TRUTH_YES;
        eval_leave(eval);
    }
    return condition->value ? TRUTH_YES : TRUTH_NO;
}

static void append_comparable(struct hg_buf *buf, const struct hg_node *value)
{
    if (node_is_scalar(value))
        (void)hg_buf_append_str(buf, value->text);
    else
        node_to_json(value, buf);
}

static enum truth truth_of_equals(struct hg_eval *eval, const struct hg_node *argument,
                                  const struct hg_node *at)
{
    const struct hg_node *left, *right;
    struct hg_buf a, b;
    bool is_equal;

    if (!node_is_list(argument) || argument->count != 2) {
        eval_problem(eval, at, "Fn::Equals takes a list of two values");
        return TRUTH_FAULT;
    }
    left = eval_value(eval, argument->items[0]);
    right = eval_value(eval, argument->items[1]);
    if (!left || !right)
        return TRUTH_FAULT;
    hg_buf_init(&a, HG_EVAL_TEXT_MAX);
    hg_buf_init(&b, HG_EVAL_TEXT_MAX);
    append_comparable(&a, left);
    append_comparable(&b, right);
    is_equal = hg_str_eq(hg_buf_str(&a), hg_buf_str(&b));
    hg_buf_fini(&a);
    hg_buf_fini(&b);
    return is_equal ? TRUTH_YES : TRUTH_NO;
}

/* And (stops at the first false) and Or (stops at the first true): 2 to 10 conditions. */
static enum truth truth_of_many(struct hg_eval *eval, const struct hg_node *argument,
                                enum truth stop, const struct hg_node *at)
{
    if (!node_is_list(argument) || argument->count < 2 || argument->count > 10) {
        eval_problem(eval, at, "%s takes a list of 2 to 10 conditions",
                     stop == TRUTH_NO ? "Fn::And" : "Fn::Or");
        return TRUTH_FAULT;
    }
    for (size_t i = 0; i < argument->count; i++) {
        enum truth truth = truth_of(eval, argument->items[i]);

        if (truth == TRUTH_FAULT || truth == stop)
            return truth;
    }
    return stop == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
}

static enum truth truth_of_not(struct hg_eval *eval, const struct hg_node *argument,
                               const struct hg_node *at)
{
    enum truth truth;

    if (!node_is_list(argument) || argument->count != 1) {
        eval_problem(eval, at, "Fn::Not takes a list of one condition");
        return TRUTH_FAULT;
    }
    truth = truth_of(eval, argument->items[0]);
    if (truth == TRUTH_FAULT)
        return truth;
    return truth == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
}

static enum truth truth_inside(struct hg_eval *eval, const struct hg_node *raw)
{
    const struct hg_node *value;
    struct hg_str name;
    bool is_true, ok;

    if (!node_is_map(raw) || raw->count != 1) {
        eval_problem(eval, raw,
                     "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition");
        return TRUTH_FAULT;
    }
    name = raw->members[0].key;
    value = raw->members[0].value;
    if (hg_str_is(name, "Condition"))
        return truth_of_name(eval, node_text(value), raw);
    if (hg_str_is(name, "Fn::Equals"))
        return truth_of_equals(eval, value, raw);
    if (hg_str_is(name, "Fn::And"))
        return truth_of_many(eval, value, TRUTH_NO, raw);
    if (hg_str_is(name, "Fn::Or"))
        return truth_of_many(eval, value, TRUTH_YES, raw);
    if (hg_str_is(name, "Fn::Not"))
        return truth_of_not(eval, value, raw);
    value = eval_value(eval, raw);
    if (!value)
        return TRUTH_FAULT;
    is_true = node_bool(value, &ok);
    if (!ok) {
        eval_problem(eval, raw,
                     "a condition is one of Fn::Equals, Fn::And, Fn::Or, Fn::Not, Condition");
        return TRUTH_FAULT;
    }
    return is_true ? TRUTH_YES : TRUTH_NO;
}

static enum truth truth_of(struct hg_eval *eval, const struct hg_node *raw)
{
    enum truth truth;

    if (!eval_descend(eval, raw))
        return TRUTH_FAULT;
    truth = truth_inside(eval, raw);
    eval_ascend(eval);
    return truth;
}

void conditions_read(struct hg_eval *eval)
{
    const struct hg_node *section = node_get(eval->document, "Conditions");

    if (section && !node_is_map(section) && section->kind != HG_NODE_NULL)
        eval_problem(eval, section, "Conditions must be a map");
    for (size_t i = 0; node_is_map(section) && i < section->count; i++) {
        struct eval_condition *condition = hg_arena_must(eval->arena, sizeof(*condition));

        condition->name = section->members[i].key;
        condition->raw = section->members[i].value;
        (void)hg_map_set(&eval->conditions, condition->name, condition);
    }
    for (size_t i = 0; node_is_map(section) && i < section->count; i++)
        if (!hg_str_starts(section->members[i].key, HG_STR("Fn::ForEach")))
            (void)truth_of_name(eval, section->members[i].key, section->members[i].value);
}

bool eval_condition(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    return truth_of_name(eval, name, at) == TRUTH_YES;
}
