/*
 * Each walk has one switch over the kinds of fields. Documents: fields_doc.c.
 */
#include "config/fields_at.h"

enum { ALIGN = _Alignof(max_align_t) };

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

/* Memory */

static void measure_text(struct hg_str text, struct hg_fields_room *room)
{
    room->texts += text.n ? text.n + 1 : 0;
}

static void measure_strs(const struct hg_str *items, size_t count, struct hg_fields_room *room)
{
    if (!items)
        return;
    room->arrays += aligned(count * sizeof(*items));
    for (size_t i = 0; i < count; i++)
        measure_text(items[i], room);
}

static void measure_field(const struct hg_field *field, const void *from,
                          struct hg_fields_room *room)
{
    const char *items;
    size_t count;

    switch (field->kind) {
    case HG_FIELD_STR:
        measure_text(GET(struct hg_str, from, field->offset), room);
        break;
    case HG_FIELD_STRS:
        measure_strs(pointer_at(from, field->offset), GET(size_t, from, field->count_offset), room);
        break;
    case HG_FIELD_PAIRS:
        count = GET(struct hg_kv_list, from, field->offset).count;
        measure_strs((const struct hg_str *)GET(struct hg_kv_list, from, field->offset).items,
                     2 * count, room);
        break;
    case HG_FIELD_PART:
        fields_measure(field->type, at_const(from, field->offset), room);
        break;
    case HG_FIELD_LIST:
        items = pointer_at(from, field->offset);
        count = GET(size_t, from, field->count_offset);
        room->arrays += aligned(count * field->type->size);
        for (size_t i = 0; i < count; i++)
            fields_measure(field->type, items + i * field->type->size, room);
        break;
    case HG_FIELD_BOOL:
    case HG_FIELD_INT:
    case HG_FIELD_UNSIGNED:
    case HG_FIELD_I64:
    case HG_FIELD_U64:
    case HG_FIELD_DOUBLE:
        break;
    }
}

void fields_measure(const struct hg_fields *type, const void *from, struct hg_fields_room *room)
{
    for (size_t i = 0; i < type->count; i++)
        measure_field(&type->items[i], from, room);
}

static void *take_array(struct hg_fields_memory *memory, const void *from, size_t size)
{
    char *array = memory->arrays;

    if (!size)
        return NULL;
    memcpy(array, from, size);
    memory->arrays += aligned(size);
    return array;
}

static void own_text(struct hg_str *text, struct hg_fields_memory *memory)
{
    if (!text->n) {
        *text = HG_STR("");
        return;
    }
    memcpy(memory->texts, text->p, text->n);
    memory->texts[text->n] = '\0';
    text->p = memory->texts;
    memory->texts += text->n + 1;
}

static struct hg_str *own_strs(const struct hg_str *from, size_t count,
                               struct hg_fields_memory *memory)
{
    struct hg_str *items = from ? take_array(memory, from, count * sizeof(*from)) : NULL;

    for (size_t i = 0; items && i < count; i++)
        own_text(&items[i], memory);
    return items;
}

static void own_field(const struct hg_field *field, void *to, struct hg_fields_memory *memory)
{
    struct hg_kv_list *pairs;
    struct hg_str **strs;
    size_t count;
    char *items;

    switch (field->kind) {
    case HG_FIELD_STR:
        own_text(at(to, field->offset), memory);
        break;
    case HG_FIELD_STRS:
        strs = at(to, field->offset);
        *strs = own_strs(*strs, SET(size_t, to, field->count_offset), memory);
        break;
    case HG_FIELD_PAIRS:
        pairs = at(to, field->offset);
        pairs->items =
            (struct hg_kv *)own_strs((const struct hg_str *)pairs->items, 2 * pairs->count, memory);
        break;
    case HG_FIELD_PART:
        fields_own(field->type, at(to, field->offset), memory);
        break;
    case HG_FIELD_LIST:
        count = SET(size_t, to, field->count_offset);
        items = take_array(memory, pointer_at(to, field->offset), count * field->type->size);
        set_pointer(to, field->offset, items);
        for (size_t i = 0; i < count; i++)
            fields_own(field->type, items + i * field->type->size, memory);
        break;
    case HG_FIELD_BOOL:
    case HG_FIELD_INT:
    case HG_FIELD_UNSIGNED:
    case HG_FIELD_I64:
    case HG_FIELD_U64:
    case HG_FIELD_DOUBLE:
        break;
    }
}

void fields_own(const struct hg_fields *type, void *to, struct hg_fields_memory *memory)
{
    for (size_t i = 0; i < type->count; i++)
        own_field(&type->items[i], to, memory);
}

void *fields_copy_all(const struct hg_fields *type, const void *items, size_t count,
                      struct hg_arena *arena)
{
    struct hg_fields_room room = {aligned(count * type->size), 0};
    struct hg_fields_memory memory;
    char *copies;

    if (!count)
        return NULL;
    for (size_t i = 0; i < count; i++)
        fields_measure(type, (const char *)items + i * type->size, &room);
    memory.arrays = hg_arena_must(arena, room.arrays + room.texts);
    memory.texts = memory.arrays + room.arrays;
    copies = take_array(&memory, items, count * type->size);
    for (size_t i = 0; i < count; i++)
        fields_own(type, copies + i * type->size, &memory);
    return copies;
}

/* Comparison */

static bool are_strs_same(const struct hg_str *a, const struct hg_str *b, size_t count)
{
    if (!a || !b)
        return a == b || count == 0;
    for (size_t i = 0; i < count; i++)
        if (!hg_str_eq(a[i], b[i]))
            return false;
    return true;
}

static bool are_lists_same(const struct hg_field *field, const void *a, const void *b)
{
    const char *a_items = pointer_at(a, field->offset), *b_items = pointer_at(b, field->offset);
    size_t count = GET(size_t, a, field->count_offset);

    if (count != GET(size_t, b, field->count_offset))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!fields_are_same(field->type, a_items + i * field->type->size,
                             b_items + i * field->type->size))
            return false;
    return true;
}

static bool is_field_same(const struct hg_field *field, const void *a, const void *b)
{
    struct hg_kv_list a_pairs, b_pairs;
    size_t count;

    switch (field->kind) {
    case HG_FIELD_STR:
        return hg_str_eq(GET(struct hg_str, a, field->offset),
                         GET(struct hg_str, b, field->offset));
    case HG_FIELD_STRS:
        count = GET(size_t, a, field->count_offset);
        return count == GET(size_t, b, field->count_offset) &&
               are_strs_same(pointer_at(a, field->offset), pointer_at(b, field->offset), count);
    case HG_FIELD_PAIRS:
        a_pairs = GET(struct hg_kv_list, a, field->offset);
        b_pairs = GET(struct hg_kv_list, b, field->offset);
        return a_pairs.count == b_pairs.count &&
               are_strs_same((const struct hg_str *)a_pairs.items,
                             (const struct hg_str *)b_pairs.items, 2 * a_pairs.count);
    case HG_FIELD_BOOL:
        return GET(bool, a, field->offset) == GET(bool, b, field->offset);
    case HG_FIELD_INT:
    case HG_FIELD_UNSIGNED:
        return GET(int, a, field->offset) == GET(int, b, field->offset);
    case HG_FIELD_I64:
    case HG_FIELD_U64:
        return GET(int64_t, a, field->offset) == GET(int64_t, b, field->offset);
    case HG_FIELD_DOUBLE:
        return memcmp(at_const(a, field->offset), at_const(b, field->offset), sizeof(double)) == 0;
    case HG_FIELD_PART:
        return fields_are_same(field->type, at_const(a, field->offset), at_const(b, field->offset));
    case HG_FIELD_LIST:
        return are_lists_same(field, a, b);
    }
    return false;
}

bool fields_are_same(const struct hg_fields *type, const void *a, const void *b)
{
    for (size_t i = 0; i < type->count; i++)
        if (type->items[i].is_same && !is_field_same(&type->items[i], a, b))
            return false;
    return true;
}
