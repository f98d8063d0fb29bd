/*
 * A sealed function is one malloc'd block: the struct, its lists, its texts.
 */
#include "config/function.h"

#include "config/model_fields.h"

#include <stdlib.h>

enum { ARRAYS_AT = (sizeof(struct hg_function) + 15) & ~15U };

void function_copy(struct hg_function *to, const struct hg_function *from)
{
    /* The count is not read: other threads may be changing it. */
    const size_t start = offsetof(struct hg_function, name);

    memcpy((char *)to + start, (const char *)from + start, sizeof(*to) - start);
}

struct hg_function *function_seal(const struct hg_function *draft)
{
    struct hg_fields_room room = {0, 0};
    struct hg_fields_memory memory;
    struct hg_function *function;

    fields_measure(&function_fields, draft, &room);
    function = hg_malloc(ARRAYS_AT + room.arrays + room.texts);
    memory.arrays = (char *)function + ARRAYS_AT;
    memory.texts = memory.arrays + room.arrays;
    function_copy(function, draft);
    fields_own(&function_fields, function, &memory);
    atomic_init(&function->counted.refs, 1);
    return function;
}

struct hg_function *function_ref(struct hg_function *function)
{
    hg_counted_ref(&function->counted);
    return function;
}

void function_unref(struct hg_function *function)
{
    if (function && hg_counted_unref(&function->counted))
        free(function);
}

struct hg_function *function_draft(struct hg_arena *arena, const struct hg_function *from)
{
    struct hg_function *draft = hg_arena_must(arena, sizeof(*draft));

    function_copy(draft, from);
    return draft;
}

bool function_is_same(const struct hg_function *a, const struct hg_function *b)
{
    return fields_are_same(&function_fields, a, b);
}

void function_write(struct hg_json *json, const struct hg_function *function)
{
    fields_write(json, &function_fields, function);
}

enum hg_rc function_read(struct hg_arena *arena, struct hg_str json, struct hg_function **draft)
{
    struct hg_json_value value = hg_json_parse(json, NULL);
    struct hg_function *function = hg_arena_must(arena, sizeof(*function));

    if (!fields_read(arena, &function_fields, value, function))
        return HG_E_INVALID;
    if (function->layer_count && (!function->layer_dirs || !function->layer_arns))
        return HG_E_INVALID;
    if (!function->name.n || !function->arn.n || !function->version.n)
        return HG_E_INVALID;
    *draft = function;
    return HG_OK;
}
