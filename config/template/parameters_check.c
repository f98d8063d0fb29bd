/*
 * The type of a parameter and its constraints. Every constraint that a value
 * breaks is a problem of its own.
 */
#include "config/template/eval_state.h"

#include <stdio.h>
#include <stdlib.h>

enum { VALUE_MAX = 4096 }; /* bytes, as in the service */

struct check {
    struct hg_eval *eval;
    struct hg_str name;
    const struct hg_node *definition, *at;
    bool is_secret; /* NoEcho */
    bool is_bad;
};

struct parameter_type {
    bool is_list, is_number, is_ssm;
};

static void complain(struct check *check, struct hg_str value, const char *rule)
{
    struct hg_str why = node_text(node_get(check->definition, "ConstraintDescription"));

    check->is_bad = true;
    if (check->is_secret)
        value = HG_STR("****");
    eval_problem(check->eval, check->at, "the value '%.*s' of the parameter '%.*s' %s%s%.*s",
                 HG_STR_ARG(value), HG_STR_ARG(check->name), rule, why.n ? ": " : "",
                 HG_STR_ARG(why));
}

/* The text between "before" and ">", or p NULL. */
static struct hg_str inner_type(struct hg_str type, struct hg_str before)
{
    if (type.n <= before.n + 1 || !hg_str_starts(type, before) || type.p[type.n - 1] != '>')
        return hg_str_n(NULL, 0);
    return hg_str_n(type.p + before.n, type.n - before.n - 1);
}

static bool read_type(struct hg_str type, struct parameter_type *out)
{
    struct hg_str inner = inner_type(type, HG_STR("AWS::SSM::Parameter::Value<"));

    *out = (struct parameter_type){.is_ssm = inner.p != NULL};
    if (inner.p)
        type = inner;
    inner = inner_type(type, HG_STR("List<"));
    if (inner.p) {
        out->is_list = true;
        type = inner;
    }
    if (hg_str_is(type, "CommaDelimitedList")) {
        out->is_list = true;
        return inner.p == NULL;
    }
    out->is_number = hg_str_is(type, "Number") && !out->is_ssm;
    return hg_str_is(type, "Number") || hg_str_is(type, "String") ||
           (hg_str_starts(type, HG_STR("AWS::")) && hg_str_find(type, '<') < 0);
}

static bool parse_number(struct hg_str text, double *value)
{
    char copy[64], *end;

    if (!text.n || text.n >= sizeof(copy))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (copy[strspn(copy, "+-.0123456789eE")])
        return false;
    *value = strtod(copy, &end);
    return !*end;
}

static void check_bound(struct check *check, struct hg_str text, double value, const char *key)
{
    const struct hg_node *limit = node_get(check->definition, key);
    bool is_minimum = key[1] == 'i', is_length = hg_str_ends(hg_str_of(key), HG_STR("Length"));
    char rule[128];
    double bound;

    if (!limit)
        return;
    if (!parse_number(hg_str_trim(node_text(limit)), &bound)) {
        eval_problem(check->eval, limit, "%s of the parameter '%.*s' must be a number", key,
                     HG_STR_ARG(check->name));
        check->is_bad = true;
    } else if (is_minimum ? value < bound : value > bound) {
        (void)snprintf(rule, sizeof(rule), "must %s %s %.15g%s", is_length ? "have" : "be",
                       is_minimum ? "at least" : "at most", bound, is_length ? " characters" : "");
        complain(check, text, rule);
    }
}

static size_t count_characters(struct hg_str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.n; i++)
        count += (text.p[i] & 0xc0) != 0x80;
    return count;
}

static void check_allowed_values(struct check *check, struct hg_str text)
{
    const struct hg_node *allowed = node_get(check->definition, "AllowedValues");
    struct hg_buf rule;

    if (!allowed)
        return;
    if (!node_is_list(allowed)) {
        eval_problem(check->eval, allowed, "AllowedValues of the parameter '%.*s' must be a list",
                     HG_STR_ARG(check->name));
        check->is_bad = true;
        return;
    }
    hg_buf_init(&rule, VALUE_MAX);
    (void)hg_buf_append_cstr(&rule, "must be one of: ");
    for (size_t i = 0; i < allowed->count; i++) {
        struct hg_str one = node_text(allowed->items[i]);

        if (hg_str_eq(one, text)) {
            hg_buf_fini(&rule);
            return;
        }
        (void)hg_buf_printf(&rule, "%s%.*s", i ? ", " : "", HG_STR_ARG(one));
    }
    (void)hg_buf_append_byte(&rule, '\0');
    complain(check, text, rule.is_overflown ? "is not one of AllowedValues" : hg_buf_str(&rule).p);
    hg_buf_fini(&rule);
}

static void check_pattern(struct check *check, struct hg_str text)
{
    const struct hg_node *node = node_get(check->definition, "AllowedPattern");
    struct hg_str pattern = node_text(node);
    struct hg_error err = {""};
    bool matches;
    char *rule;

    if (!node)
        return;
    if (!pattern.p || !pattern_matches(pattern, text, &matches, &err)) {
        eval_problem(check->eval, node, "AllowedPattern of the parameter '%.*s' cannot be used: %s",
                     HG_STR_ARG(check->name), pattern.p ? err.text : "it must be a text");
        check->is_bad = true;
    } else if (!matches) {
        rule =
            hg_arena_printf(check->eval->arena, "must match the pattern %.*s", HG_STR_ARG(pattern));
        complain(check, text, rule);
    }
}

static void check_one(struct check *check, struct hg_str text, const struct parameter_type *type)
{
    double number = 0;

    if (type->is_number && !parse_number(text, &number)) {
        complain(check, text, "must be a number");
        return;
    }
    if (type->is_number) {
        check_bound(check, text, number, "MinValue");
        check_bound(check, text, number, "MaxValue");
    } else {
        check_bound(check, text, (double)count_characters(text), "MinLength");
        check_bound(check, text, (double)count_characters(text), "MaxLength");
    }
    check_allowed_values(check, text);
    check_pattern(check, text);
}

static struct hg_node *make_one(struct check *check, struct hg_str text,
                                const struct parameter_type *type)
{
    struct hg_node *value = node_new_text(check->eval->arena, text, check->at);

    if (type->is_number)
        value->scalar =
            hg_str_find(text, '.') < 0 && hg_str_find(text, 'e') < 0 && hg_str_find(text, 'E') < 0
                ? HG_SCALAR_INT
                : HG_SCALAR_FLOAT;
    return value;
}

static struct hg_node *make(struct check *check, struct hg_str text,
                            const struct parameter_type *type)
{
    struct hg_node *list;
    struct hg_str part;

    if (!type->is_list) {
        if (type->is_number)
            text = hg_str_trim(text);
        check_one(check, text, type);
        return make_one(check, text, type);
    }
    list = node_new_list(check->eval->arena, check->at);
    while (hg_str_next(&text, ',', &part)) {
        part = hg_str_trim_ws(part);
        check_one(check, part, type);
        node_push(check->eval->arena, list, make_one(check, part, type));
    }
    return list;
}

static void say_unknown_type(struct check *check, struct hg_str type)
{
    static const char *const types[] = {"String", "Number", "CommaDelimitedList", "List<Number>"};
    struct hg_suggest suggest = {.wanted = type};

    for (size_t i = 0; i < HG_COUNT(types); i++)
        suggest_offer_cstr(&suggest, types[i]);
    if (!type.p)
        eval_problem(check->eval, check->at, "the parameter '%.*s' has no Type",
                     HG_STR_ARG(check->name));
    else
        eval_problem(check->eval, node_get(check->definition, "Type"),
                     "the parameter '%.*s' has an unknown Type '%.*s'%s", HG_STR_ARG(check->name),
                     HG_STR_ARG(type), suggest_text(&suggest));
}

struct hg_node *parameter_make(struct hg_eval *eval, struct hg_str name,
                               const struct hg_node *definition, struct hg_str text,
                               const struct hg_node *at)
{
    struct check check = {.eval = eval, .name = name, .definition = definition, .at = at};
    struct hg_str type_text = node_text(node_get(definition, "Type"));
    struct parameter_type type;
    struct hg_node *value;
    bool ok;

    check.is_secret = node_bool(node_get(definition, "NoEcho"), &ok);
    if (!type_text.p || !read_type(type_text, &type)) {
        say_unknown_type(&check, type_text);
        return NULL;
    }
    if (text.n > VALUE_MAX) {
        eval_problem(eval, at, "the value of the parameter '%.*s' is longer than %d bytes",
                     HG_STR_ARG(name), VALUE_MAX);
        return NULL;
    }
    value = make(&check, text, &type);
    if (type.is_ssm)
        eval_warn(
            eval, at->line,
            "the parameter '%.*s' names a value of Systems Manager, which is not asked: '%.*s' is used as it is; "
            "give the real value with --parameter-overrides",
            HG_STR_ARG(name), HG_STR_ARG(text));
    return check.is_bad ? NULL : value;
}
