/*
 * The walk over a tree: copies what is literal and calls what is not.
 */
#include "config/template/eval_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

struct hg_node eval_no_value = {.kind = HG_NODE_NULL};

static const struct intrinsic {
    const char *name;
    eval_call_fn *call;
    bool is_extension;
} intrinsics[] = {
#define HG_INTRINSIC(short_tag, name, fn, is_extension) {name, fn, is_extension},
#include "config/template/intrinsics.def"
#undef HG_INTRINSIC
};

void eval_problem(struct hg_eval *eval, const struct hg_node *at, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    hg_assert(vasprintf(&text, format, args) >= 0);
    va_end(args);
    problems_add(eval->problems, at ? at->line : 0, at ? at->column : 0, "%s", text);
    free(text);
}

void eval_warn(struct hg_eval *eval, unsigned line, const char *format, ...)
{
    enum { NOTICES_MAX = 1000 }; /* beyond, nobody reads on */
    struct hg_notice *notices;
    va_list args;
    char *text;

    if (eval->notice_count >= NOTICES_MAX)
        return;
    va_start(args, format);
    hg_assert(vasprintf(&text, format, args) >= 0);
    va_end(args);
    for (size_t i = 0; i < eval->notice_count; i++)
        if (eval->notices[i].line == line && hg_str_is(eval->notices[i].text, text)) {
            free(text);
            return;
        }
    if ((eval->notice_count & (eval->notice_count - 1)) == 0) {
        notices = hg_arena_must(eval->arena, (eval->notice_count ? eval->notice_count * 2 : 1) *
                                                 sizeof(*notices));
        if (eval->notice_count)
            memcpy(notices, eval->notices, eval->notice_count * sizeof(*notices));
        eval->notices = notices;
    }
    eval->notices[eval->notice_count++] =
        (struct hg_notice){.kind = HG_NOTICE_WARNING,
                           .line = line,
                           .text = hg_arena_str(eval->arena, hg_str_of(text))};
    free(text);
}

const struct hg_notice *eval_notices(const struct hg_eval *eval, size_t *count)
{
    *count = eval->notice_count;
    return eval->notices;
}

struct hg_node *eval_new_text(struct hg_eval *eval, struct hg_str text, const struct hg_node *at)
{
    if (text.n > HG_EVAL_TEXT_MAX) {
        eval_problem(eval, at, "the text made here is longer than %d bytes", HG_EVAL_TEXT_MAX);
        return NULL;
    }
    if (text.n > HG_EVAL_TEXTS_MAX - eval->texts) {
        eval_problem(eval, NULL, "the functions of this template make more than %d bytes of text",
                     HG_EVAL_TEXTS_MAX);
        return NULL;
    }
    eval->texts += text.n;
    return node_new_text(eval->arena, text, at);
}

bool eval_enter(struct hg_eval *eval, const struct hg_node *at)
{
    if (eval->depth >= HG_EVAL_DEPTH_MAX) {
        eval_problem(eval, at, "names or conditions lead to one another more than %d deep",
                     HG_EVAL_DEPTH_MAX);
        return false;
    }
    eval->depth++;
    return true;
}

void eval_leave(struct hg_eval *eval)
{
    eval->depth--;
}

bool eval_descend(struct hg_eval *eval, const struct hg_node *at)
{
    if (eval->levels >= HG_EVAL_LEVELS_MAX) {
        eval_problem(eval, at, "values are nested more than %d deep, through names and files",
                     HG_EVAL_LEVELS_MAX);
        return false;
    }
    eval->levels++;
    return true;
}

void eval_ascend(struct hg_eval *eval)
{
    eval->levels--;
}

const struct hg_node_member *eval_call_of(const struct hg_node *node)
{
    if (!node_is_map(node) || node->count != 1)
        return NULL;
    if (hg_str_is(node->members[0].key, "Ref") ||
        hg_str_starts(node->members[0].key, HG_STR("Fn::")))
        return &node->members[0];
    return NULL;
}

static const struct intrinsic *find_intrinsic(struct hg_str name)
{
    for (size_t i = 0; i < HG_COUNT(intrinsics); i++)
        if (hg_str_is(name, intrinsics[i].name))
            return &intrinsics[i];
    return NULL;
}

static void say_unknown(struct hg_eval *eval, struct hg_str name, const struct hg_node *at)
{
    struct hg_suggest suggest = {.wanted = name};

    if (hg_str_starts(name, HG_STR("Fn::ForEach"))) {
        eval_problem(eval, at, "Fn::ForEach is not supported; write out what the loop makes");
        return;
    }
    for (size_t i = 0; i < HG_COUNT(intrinsics); i++)
        suggest_offer_cstr(&suggest, intrinsics[i].name);
    eval_problem(eval, at, "unknown function %.*s%s", HG_STR_ARG(name), suggest_text(&suggest));
}

static struct hg_node *call(struct hg_eval *eval, const struct hg_node_member *member,
                            const struct hg_node *at)
{
    const struct intrinsic *intrinsic = find_intrinsic(member->key);

    if (!intrinsic) {
        say_unknown(eval, member->key, at);
        return NULL;
    }
    if (intrinsic->is_extension && !eval->has_extensions) {
        eval_problem(eval, at,
                     "%s needs the line 'Transform: AWS::LanguageExtensions' in the template",
                     intrinsic->name);
        return NULL;
    }
    return intrinsic->call(eval, member->value, at);
}

/* A function among other keys: nobody means that, and it would be ignored. */
static bool has_stray_call(struct hg_eval *eval, const struct hg_node *map)
{
    for (size_t i = 0; i < map->count; i++) {
        struct hg_str key = map->members[i].key;
        struct hg_node at = {.line = map->members[i].line, .column = map->members[i].column};

        if (!hg_str_starts(key, HG_STR("Fn::")))
            continue;
        if (find_intrinsic(key))
            eval_problem(eval, &at,
                         "%.*s must be the only key of its map; is the indentation right?",
                         HG_STR_ARG(key));
        else
            say_unknown(eval, key, &at);
        return true;
    }
    return false;
}

static struct hg_node *value_of_map(struct hg_eval *eval, const struct hg_node *raw)
{
    const struct hg_node_member *member = eval_call_of(raw);
    struct hg_node *map;

    if (member)
        return call(eval, member, raw);
    if (has_stray_call(eval, raw))
        return NULL;
    map = node_new_map(eval->arena, raw);
    for (size_t i = 0; i < raw->count; i++) {
        struct hg_node_member copy = raw->members[i];

        copy.value = eval_value(eval, raw->members[i].value);
        if (copy.value && copy.value != &eval_no_value)
            node_append(eval->arena, map, &copy);
    }
    return map;
}

static struct hg_node *value_of_list(struct hg_eval *eval, const struct hg_node *raw)
{
    struct hg_node *list = node_new_list(eval->arena, raw);

    for (size_t i = 0; i < raw->count; i++) {
        struct hg_node *item = eval_value(eval, raw->items[i]);

        if (item && item != &eval_no_value)
            node_push(eval->arena, list, item);
    }
    return list;
}

struct hg_node *eval_value(struct hg_eval *eval, const struct hg_node *raw)
{
    struct hg_node *value;

    if (!raw)
        return NULL;
    if (eval->nodes >= HG_EVAL_NODES_MAX) {
        eval_problem(eval, NULL, "evaluating this template takes more than %d steps",
                     HG_EVAL_NODES_MAX);
        return NULL;
    }
    eval->nodes++;
    if (raw->kind != HG_NODE_MAP && raw->kind != HG_NODE_LIST)
        return (struct hg_node *)(uintptr_t)raw; /* literals are shared: nobody changes them */
    if (!eval_descend(eval, raw))
        return NULL;
    value = raw->kind == HG_NODE_MAP ? value_of_map(eval, raw) : value_of_list(eval, raw);
    eval_ascend(eval);
    return value;
}

struct hg_node *eval_resolve(struct hg_eval *eval, const struct hg_node *raw)
{
    struct hg_node *value = eval_value(eval, raw);

    return value == &eval_no_value ? NULL : value;
}

bool eval_text(struct hg_eval *eval, const struct hg_node *raw, const char *what,
               struct hg_str *text)
{
    const struct hg_node *value = eval_value(eval, raw);

    if (!value)
        return false;
    if (!node_is_scalar(value)) {
        eval_problem(eval, raw, "%s must be a text, not %s", what,
                     node_is_map(value)    ? "a map"
                     : node_is_list(value) ? "a list"
                                           : "nothing");
        return false;
    }
    *text = value->text;
    return true;
}

struct hg_node *eval_list(struct hg_eval *eval, const struct hg_node *raw, const char *what)
{
    struct hg_node *value = eval_value(eval, raw);

    if (value && !node_is_list(value)) {
        eval_problem(eval, raw, "%s must be a list", what);
        return NULL;
    }
    return value;
}
