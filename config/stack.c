/*
 * A stack's life and its look-ups.
 */
#include "config/model.h"

enum { STACK_BYTES_MAX = 1 << 30 }; /* the loader's own limits come first */

static void free_map(void *ptr)
{
    hg_map_fini(ptr);
}

struct hg_stack *stack_new(struct hg_str region, struct hg_str account)
{
    struct hg_arena *arena = hg_arena_new(STACK_BYTES_MAX);
    struct hg_stack *stack = hg_arena_must(arena, sizeof(*stack));

    atomic_init(&stack->counted.refs, 1);
    stack->arena = arena;
    stack->region = hg_arena_str(arena, region);
    stack->account = hg_arena_str(arena, account);
    hg_map_init(&stack->functions_by_name);
    hg_arena_defer(arena, free_map, &stack->functions_by_name);
    return stack;
}

struct hg_stack *stack_ref(struct hg_stack *stack)
{
    hg_counted_ref(&stack->counted);
    return stack;
}

void stack_unref(struct hg_stack *stack)
{
    if (stack && hg_counted_unref(&stack->counted))
        hg_arena_free(stack->arena);
}

static const struct hg_function *find_exact(const struct hg_stack *stack, struct hg_str name,
                                            struct hg_str qualifier)
{
    for (size_t i = 0; i < stack->alias_count; i++)
        if (hg_str_eq(stack->aliases[i].name, qualifier) &&
            hg_str_eq(stack->aliases[i].function_name, name))
            return stack->aliases[i].function;
    for (size_t i = 0; i < stack->function_count; i++)
        if (hg_str_eq(stack->functions[i]->name, name) &&
            hg_str_eq(stack->functions[i]->version, qualifier))
            return stack->functions[i];
    return NULL;
}

const struct hg_function *stack_find_function(const struct hg_stack *stack, struct hg_str ref,
                                              struct hg_str qualifier)
{
    struct hg_function_parts parts;

    if (!function_parts(ref, &parts) ||
        (parts.region.p && !hg_str_eq(parts.region, stack->region)) ||
        (parts.account.p && !hg_str_eq(parts.account, stack->account)))
        return NULL;
    if (qualifier.n && parts.qualifier.n && !hg_str_eq(qualifier, parts.qualifier))
        return NULL;
    if (!qualifier.n)
        qualifier = parts.qualifier.n ? parts.qualifier : HG_STR("$LATEST");
    return find_exact(stack, parts.name, qualifier);
}

struct hg_str kv_get(const struct hg_kv_list *list, struct hg_str key)
{
    for (size_t i = 0; i < list->count; i++)
        if (hg_str_eq(list->items[i].key, key))
            return list->items[i].value;
    return hg_str_n(NULL, 0);
}
