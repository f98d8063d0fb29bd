/*
 * Intrinsic functions that choose or look up a value. Each takes its raw
 * argument and the place of the call; NULL means that a problem was added.
 */
#include "config/template/eval_state.h"

struct hg_node *call_ref(struct hg_eval *eval, const struct hg_node *argument,
                         const struct hg_node *at)
{
    if (!node_is_scalar(argument) || !argument->text.n) {
        eval_problem(eval, at, "Ref takes the name of a parameter or resource");
        return NULL;
    }
    return refs_ref(eval, argument->text, at);
}

struct hg_node *call_get_att(struct hg_eval *eval, const struct hg_node *argument,
                             const struct hg_node *at)
{
    struct hg_str text = node_text(argument);
    struct hg_node *found = NULL;
    struct hg_buf path;

    hg_buf_init(&path, HG_EVAL_TEXT_MAX);
    if (text.p) {
        (void)hg_buf_append_str(&path, text);
    } else if (node_is_list(argument)) {
        for (size_t i = 0; i < argument->count; i++) {
            if (!eval_text(eval, argument->items[i], "each part of Fn::GetAtt", &text))
                goto out;
            (void)(i == 0 || hg_buf_append_byte(&path, '.'));
            (void)hg_buf_append_str(&path, text);
        }
    }
    if (hg_str_find(hg_buf_str(&path), '.') < 1)
        eval_problem(eval, at,
                     "Fn::GetAtt takes a resource and an attribute: !GetAtt Resource.Attribute");
    else
        found = refs_attribute(eval, hg_buf_str(&path), at);
out:
    hg_buf_fini(&path);
    return found;
}

struct hg_node *call_if(struct hg_eval *eval, const struct hg_node *argument,
                        const struct hg_node *at)
{
    struct hg_str name;

    if (!node_is_list(argument) || argument->count != 3) {
        eval_problem(
            eval, at,
            "Fn::If takes a list of three: the name of a condition, the value if true, the value if false");
        return NULL;
    }
    name = node_text(argument->items[0]);
    if (!name.p) {
        eval_problem(eval, argument->items[0],
                     "Fn::If starts with the name of a condition from Conditions");
        return NULL;
    }
    if (!hg_map_get(&eval->conditions, name)) {
        (void)eval_condition(eval, name, argument->items[0]); /* says which there are */
        return NULL;
    }
    return eval_value(eval,
                      argument->items[eval_condition(eval, name, argument->items[0]) ? 1 : 2]);
}

struct hg_node *call_condition_only(struct hg_eval *eval, const struct hg_node *argument,
                                    const struct hg_node *at)
{
    (void)argument;
    eval_problem(eval, at,
                 "%.*s belongs into Conditions; here, use Fn::If with the name of a condition",
                 HG_STR_ARG(at->members[0].key));
    return NULL;
}

struct hg_node *call_select(struct hg_eval *eval, const struct hg_node *argument,
                            const struct hg_node *at)
{
    size_t before = eval->problems->count;
    const struct hg_node *list;
    struct hg_str text;
    uint64_t index;

    if (!node_is_list(argument) || argument->count != 2) {
        eval_problem(eval, at, "Fn::Select takes a list of two: an index and a list");
        return NULL;
    }
    list = eval_list(eval, argument->items[1], "Fn::Select: the second value");
    if (!eval_text(eval, argument->items[0], "Fn::Select: the index", &text) || !list)
        return NULL;
    if (!hg_str_u64(text, SIZE_MAX, &index)) {
        eval_problem(eval, at, "Fn::Select: the index '%.*s' is not a whole number",
                     HG_STR_ARG(text));
        return NULL;
    }
    if (index < list->count && list->items[index]->kind != HG_NODE_NULL)
        return list->items[index];
    if (eval->problems->count == before) {
        if (index < list->count)
            eval_problem(eval, at, "Fn::Select: the item %llu is null", (unsigned long long)index);
        else
            eval_problem(eval, at,
                         "Fn::Select: there is no item %.*s in a list of %zu (the first one is 0)",
                         HG_STR_ARG(text), list->count);
    }
    return NULL;
}

/* The member of that name; a problem that names what it is a part of when there is none and no default. */
static const struct hg_node *look_up(struct hg_eval *eval, const struct hg_node *map,
                                     struct hg_str key, const char *what, const struct hg_node *at)
{
    struct hg_suggest suggest = {.wanted = key};
    const struct hg_node *found = node_get_str(map, key);

    if (found || !at)
        return found;
    for (size_t i = 0; node_is_map(map) && i < map->count; i++)
        suggest_offer(&suggest, map->members[i].key);
    eval_problem(eval, at, "Fn::FindInMap: %s '%.*s'%s", what, HG_STR_ARG(key),
                 suggest_text(&suggest));
    return NULL;
}

struct hg_node *call_find_in_map(struct hg_eval *eval, const struct hg_node *argument,
                                 const struct hg_node *at)
{
    static const char *const parts[] = {"Fn::FindInMap: the map's name",
                                        "Fn::FindInMap: the first key",
                                        "Fn::FindInMap: the second key"};
    static const char *const missing[] = {"there is no mapping", "the mapping has no key",
                                          "the mapping has no second key"};
    const struct hg_node *found = node_get(eval->document, "Mappings"), *fallback = NULL;
    struct hg_str keys[3];

    if (!node_is_list(argument) || argument->count < 3 || argument->count > 4) {
        eval_problem(eval, at, "Fn::FindInMap takes a list of three: a mapping and two keys");
        return NULL;
    }
    for (size_t i = 0; i < 3; i++)
        if (!eval_text(eval, argument->items[i], parts[i], &keys[i]))
            return NULL;
    if (argument->count == 4) {
        fallback = node_get(argument->items[3], "DefaultValue");
        if (!fallback || !eval->has_extensions) {
            eval_problem(eval, argument->items[3],
                         "the fourth value of Fn::FindInMap is {DefaultValue: …}, and needs the "
                         "line 'Transform: AWS::LanguageExtensions' in the template");
            return NULL;
        }
    }
    for (size_t i = 0; i < 3; i++) {
        found = look_up(eval, found, keys[i], missing[i], fallback ? NULL : at);
        if (!found)
            return fallback ? eval_value(eval, fallback) : NULL;
    }
    /* Mappings hold literals; eval_value counts them, and says so when they do not. */
    return eval_value(eval, found);
}

struct hg_node *call_import_value(struct hg_eval *eval, const struct hg_node *argument,
                                  const struct hg_node *at)
{
    struct hg_str name;

    if (!eval_text(eval, argument, "Fn::ImportValue", &name))
        return NULL;
    eval_warn(
        eval, at->line,
        "Fn::ImportValue: no other stack is here to export '%.*s'; the name is used as the value",
        HG_STR_ARG(name));
    return eval_new_text(eval, name, at);
}

struct hg_node *call_get_azs(struct hg_eval *eval, const struct hg_node *argument,
                             const struct hg_node *at)
{
    struct hg_node *list = node_new_list(eval->arena, at);
    struct hg_str region = {"", 0};

    if (argument->kind != HG_NODE_NULL && !eval_text(eval, argument, "Fn::GetAZs", &region))
        return NULL;
    if (!region.n)
        region = eval->region;
    for (int zone = 'a'; zone <= 'c'; zone++) {
        const char *name = hg_arena_printf(eval->arena, "%.*s%c", HG_STR_ARG(region), zone);

        node_push(eval->arena, list, node_new_text(eval->arena, hg_str_of(name), at));
    }
    return list;
}

struct hg_node *call_transform(struct hg_eval *eval, const struct hg_node *argument,
                               const struct hg_node *at)
{
    const struct hg_node *document = includes_read(eval, argument, at);
    struct hg_node *value = NULL;

    if (document && eval_enter(eval, at)) {
        value = eval_value(eval, document);
        eval_leave(eval);
    }
    return value;
}

struct hg_node *call_length(struct hg_eval *eval, const struct hg_node *argument,
                            const struct hg_node *at)
{
    const struct hg_node *list = eval_list(eval, argument, "Fn::Length: the value");
    struct hg_node *length;

    if (!list)
        return NULL;
    length =
        node_new_text(eval->arena, hg_str_of(hg_arena_printf(eval->arena, "%zu", list->count)), at);
    length->scalar = HG_SCALAR_INT;
    return length;
}
