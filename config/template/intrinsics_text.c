/*
 * Intrinsic functions that make text, or lists out of text.
 */
#include "config/template/eval_state.h"
#include "core/crypto.h"

static bool is_variable_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == ':';
}

static bool is_variable(struct hg_str name)
{
    for (size_t i = 0; i < name.n; i++)
        if (!is_variable_char(name.p[i]))
            return false;
    return name.n > 0;
}

/* Appends the value of ${name}. */
static bool append_variable(struct hg_eval *eval, struct hg_buf *out, struct hg_str name,
                            const struct hg_node *locals, const struct hg_node *at)
{
    const struct hg_node *value = node_get_str(locals, name);

    if (!is_variable(name)) {
        eval_problem(
            eval, at,
            "Fn::Sub: '${%.*s}' is not a name: letters, digits, '_', '.' and ':' only; for literal text write ${!…}",
            HG_STR_ARG(name));
        return false;
    }
    if (!value)
        value =
            hg_str_find(name, '.') < 0 ? refs_ref(eval, name, at) : refs_attribute(eval, name, at);
    if (!value)
        return false;
    if (value == &eval_no_value)
        return true;
    if (!node_is_scalar(value)) {
        eval_problem(eval, at, "Fn::Sub: '${%.*s}' is %s, not a text; use Fn::Join",
                     HG_STR_ARG(name), node_is_list(value) ? "a list" : "not a plain value");
        return false;
    }
    (void)hg_buf_append_str(out, value->text);
    return true;
}

static bool substitute(struct hg_eval *eval, struct hg_buf *out, struct hg_str text,
                       const struct hg_node *locals, const struct hg_node *at)
{
    bool is_good = true;
    ptrdiff_t start, length;

    while ((start = hg_str_find_str(text, HG_STR("${"))) >= 0) {
        struct hg_str name;

        (void)hg_buf_append_str(out, hg_str_n(text.p, (size_t)start));
        text = hg_str_skip(text, (size_t)start + 2);
        length = hg_str_find(text, '}');
        if (length < 0) {
            (void)hg_buf_append_cstr(out, "${");
            break;
        }
        name = hg_str_n(text.p, (size_t)length);
        text = hg_str_skip(text, (size_t)length + 1);
        if (name.n && name.p[0] == '!')
            (void)hg_buf_printf(out, "${%.*s}", HG_STR_ARG(hg_str_skip(name, 1)));
        else
            is_good = append_variable(eval, out, name, locals, at) && is_good;
        if (out->is_overflown)
            break;
    }
    (void)hg_buf_append_str(out, text);
    return is_good;
}

/* The buffer's content as a node; the buffer is freed. */
static struct hg_node *finish(struct hg_eval *eval, struct hg_buf *buf, bool is_good,
                              const struct hg_node *at)
{
    struct hg_node *made = NULL;

    if (buf->is_overflown)
        eval_problem(eval, at, "the text made here is longer than %d bytes", HG_EVAL_TEXT_MAX);
    else if (is_good)
        made = eval_new_text(eval, hg_buf_str(buf), at);
    hg_buf_fini(buf);
    return made;
}

struct hg_node *call_sub(struct hg_eval *eval, const struct hg_node *argument,
                         const struct hg_node *at)
{
    const struct hg_node *text = argument, *locals = NULL;
    struct hg_buf out;
    bool is_good;

    if (node_is_list(argument)) {
        if (argument->count != 2 || !node_is_map(argument->items[1])) {
            eval_problem(eval, at, "Fn::Sub takes a text, or a list of a text and a map of names");
            return NULL;
        }
        text = argument->items[0];
        locals = eval_value(eval, argument->items[1]);
        if (!node_is_map(locals))
            return NULL;
    }
    if (!node_is_scalar(text)) {
        eval_problem(eval, at, "Fn::Sub takes a text, or a list of a text and a map of names");
        return NULL;
    }
    hg_buf_init(&out, HG_EVAL_TEXT_MAX);
    is_good = substitute(eval, &out, text->text, locals, at);
    return finish(eval, &out, is_good, at);
}

struct hg_node *call_join(struct hg_eval *eval, const struct hg_node *argument,
                          const struct hg_node *at)
{
    size_t before = eval->problems->count;
    const struct hg_node *list;
    struct hg_str delimiter;
    struct hg_buf out;
    bool is_good = true;

    if (!node_is_list(argument) || argument->count != 2) {
        eval_problem(eval, at, "Fn::Join takes a list of two: a delimiter and a list");
        return NULL;
    }
    list = eval_list(eval, argument->items[1], "Fn::Join: the second value");
    if (!eval_text(eval, argument->items[0], "Fn::Join: the delimiter", &delimiter) || !list)
        return NULL;
    hg_buf_init(&out, HG_EVAL_TEXT_MAX);
    for (size_t i = 0; i < list->count && !out.is_overflown; i++) {
        if (!node_is_scalar(list->items[i])) {
            eval_problem(eval, list->items[i], "Fn::Join: each item must be a text");
            is_good = false;
            continue;
        }
        (void)(i == 0 || hg_buf_append_str(&out, delimiter));
        (void)hg_buf_append_str(&out, list->items[i]->text);
    }
    return finish(eval, &out, is_good && eval->problems->count == before, at);
}

struct hg_node *call_split(struct hg_eval *eval, const struct hg_node *argument,
                           const struct hg_node *at)
{
    struct hg_str delimiter, text;
    struct hg_node *list;

    if (!node_is_list(argument) || argument->count != 2) {
        eval_problem(eval, at, "Fn::Split takes a list of two: a delimiter and a text");
        return NULL;
    }
    if (!eval_text(eval, argument->items[0], "Fn::Split: the delimiter", &delimiter) ||
        !eval_text(eval, argument->items[1], "Fn::Split: the text", &text))
        return NULL;
    if (!delimiter.n) {
        eval_problem(eval, at, "Fn::Split: the delimiter must not be empty");
        return NULL;
    }
    list = node_new_list(eval->arena, at);
    for (;;) {
        ptrdiff_t end = hg_str_find_str(text, delimiter);

        if (end < 0 || eval->nodes >= HG_EVAL_NODES_MAX)
            break;
        eval->nodes++;
        node_push(eval->arena, list, node_new_text(eval->arena, hg_str_n(text.p, (size_t)end), at));
        text = hg_str_skip(text, (size_t)end + delimiter.n);
    }
    node_push(eval->arena, list, node_new_text(eval->arena, text, at));
    return list;
}

struct hg_node *call_base64(struct hg_eval *eval, const struct hg_node *argument,
                            const struct hg_node *at)
{
    struct hg_str text;
    struct hg_buf out;

    if (!eval_text(eval, argument, "Fn::Base64", &text))
        return NULL;
    hg_buf_init(&out, HG_EVAL_TEXT_MAX);
    return finish(eval, &out, hg_base64_encode(&out, text) || out.is_overflown, at);
}

struct hg_node *call_to_json_string(struct hg_eval *eval, const struct hg_node *argument,
                                    const struct hg_node *at)
{
    const struct hg_node *value = eval_value(eval, argument);
    struct hg_buf out;

    if (!value)
        return NULL;
    if (!node_is_map(value) && !node_is_list(value)) {
        eval_problem(eval, at, "Fn::ToJsonString takes a map or a list");
        return NULL;
    }
    hg_buf_init(&out, HG_EVAL_TEXT_MAX);
    node_to_json(value, &out);
    return finish(eval, &out, true, at);
}
