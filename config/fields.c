/*
 * Each walk has one switch over the kinds of fields.
 */
#include "config/fields.h"

#include "config/model.h"

#include <stdio.h>
#include <stdlib.h>

enum { ALIGN = _Alignof(max_align_t), DOUBLE_TEXT = 32 };

static size_t aligned(size_t size)
{
    return (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static const void *at_const(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static void *at(void *base, size_t offset)
{
    return (char *)base + offset;
}

#define GET(c_type, base, offset) (*(const c_type *)at_const(base, offset))
#define SET(c_type, base, offset) (*(c_type *)at(base, offset))

/* By bytes: the pointer's own type is known to the table only. */
static const void *pointer_at(const void *base, size_t offset)
{
    const void *pointer;

    memcpy(&pointer, at_const(base, offset), sizeof(pointer));
    return pointer;
}

static void set_pointer(void *base, size_t offset, const void *pointer)
{
    memcpy(at(base, offset), &pointer, sizeof(pointer));
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

/* Documents */

static void write_strs(struct hg_json *json, const struct hg_str *items, size_t count)
{
    hg_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        hg_json_str(json, items[i]);
    hg_json_end_array(json);
}

/* Of the field; 0 for kinds that are no numbers. */
static int64_t number_of(const struct hg_field *field, const void *from)
{
    switch (field->kind) {
    case HG_FIELD_BOOL:
        return GET(bool, from, field->offset);
    case HG_FIELD_INT:
        return GET(int, from, field->offset);
    case HG_FIELD_UNSIGNED:
        return GET(unsigned, from, field->offset);
    case HG_FIELD_I64:
        return GET(int64_t, from, field->offset);
    case HG_FIELD_U64:
        return (int64_t)GET(uint64_t, from, field->offset);
    case HG_FIELD_STR:
    case HG_FIELD_STRS:
    case HG_FIELD_PAIRS:
    case HG_FIELD_DOUBLE:
    case HG_FIELD_PART:
    case HG_FIELD_LIST:
        break;
    }
    return 0;
}

static bool is_left_out(const struct hg_field *field, const void *from)
{
    switch (field->kind) {
    case HG_FIELD_STR:
        return GET(struct hg_str, from, field->offset).n == 0;
    case HG_FIELD_STRS:
        return !pointer_at(from, field->offset) || GET(size_t, from, field->count_offset) == 0;
    case HG_FIELD_PAIRS:
        return GET(struct hg_kv_list, from, field->offset).count == 0;
    case HG_FIELD_LIST:
        return GET(size_t, from, field->count_offset) == 0;
    case HG_FIELD_DOUBLE:
        return !(GET(double, from, field->offset) > 0);
    case HG_FIELD_PART:
        return false;
    case HG_FIELD_BOOL:
    case HG_FIELD_INT:
    case HG_FIELD_UNSIGNED:
    case HG_FIELD_I64:
    case HG_FIELD_U64:
        break;
    }
    return number_of(field, from) == field->fallback;
}

static void write_double(struct hg_json *json, double value)
{
    char text[DOUBLE_TEXT];

    (void)snprintf(text, sizeof(text), "%.17g", value);
    hg_json_raw(json, hg_str_of(text));
}

static void write_list(struct hg_json *json, const struct hg_field *field, const void *from)
{
    const char *items = pointer_at(from, field->offset);
    size_t count = GET(size_t, from, field->count_offset);

    hg_json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        fields_write(json, field->type, items + i * field->type->size);
    hg_json_end_array(json);
}

static void write_field(struct hg_json *json, const struct hg_field *field, const void *from)
{
    struct hg_kv_list pairs;

    switch (field->kind) {
    case HG_FIELD_STR:
        hg_json_str(json, GET(struct hg_str, from, field->offset));
        break;
    case HG_FIELD_STRS:
        write_strs(json, pointer_at(from, field->offset), GET(size_t, from, field->count_offset));
        break;
    case HG_FIELD_PAIRS:
        pairs = GET(struct hg_kv_list, from, field->offset);
        write_strs(json, (const struct hg_str *)pairs.items, 2 * pairs.count);
        break;
    case HG_FIELD_BOOL:
        hg_json_bool(json, GET(bool, from, field->offset));
        break;
    case HG_FIELD_U64:
        hg_json_u64(json, GET(uint64_t, from, field->offset));
        break;
    case HG_FIELD_INT:
    case HG_FIELD_UNSIGNED:
    case HG_FIELD_I64:
        hg_json_i64(json, number_of(field, from));
        break;
    case HG_FIELD_DOUBLE:
        write_double(json, GET(double, from, field->offset));
        break;
    case HG_FIELD_PART:
        fields_write(json, field->type, at_const(from, field->offset));
        break;
    case HG_FIELD_LIST:
        write_list(json, field, from);
        break;
    }
}

void fields_write(struct hg_json *json, const struct hg_fields *type, const void *from)
{
    hg_json_begin_object(json);
    for (size_t i = 0; i < type->count; i++) {
        const struct hg_field *field = &type->items[i];

        if (is_left_out(field, from))
            continue;
        hg_json_key_raw(json, field->key);
        write_field(json, field, from);
    }
    hg_json_end_object(json);
}

static bool read_text(struct hg_arena *arena, struct hg_json_value value, struct hg_str *text)
{
    struct hg_buf buf;

    if (value.kind != HG_JSON_STRING)
        return false;
    *text = hg_json_plain(value);
    if (text->p) {
        *text = hg_arena_str(arena, *text);
        return true;
    }
    hg_buf_init(&buf, value.raw.n);
    (void)hg_json_unescape(value, &buf);
    *text = hg_arena_str(arena, hg_buf_str(&buf));
    hg_buf_fini(&buf);
    return true;
}

static size_t count_elements(struct hg_json_value array)
{
    struct hg_json_walk walk = hg_json_walk(array);
    struct hg_json_value element;
    size_t count = 0;

    while (hg_json_next_element(&walk, &element))
        count++;
    return count;
}

/* count is the length of what was read before into a field that shares it, or 0. */
static bool read_strs(struct hg_arena *arena, struct hg_json_value value, struct hg_str **items,
                      size_t *count)
{
    struct hg_json_value element;
    struct hg_json_walk walk;
    size_t length, i = 0;

    if (value.kind != HG_JSON_ARRAY)
        return false;
    length = count_elements(value);
    if (!length || (*count && *count != length))
        return false;
    *count = length;
    *items = hg_arena_must(arena, length * sizeof(**items));
    walk = hg_json_walk(value);
    while (hg_json_next_element(&walk, &element))
        if (!read_text(arena, element, &(*items)[i++]))
            return false;
    return true;
}

static bool read_pairs(struct hg_arena *arena, struct hg_json_value value, struct hg_kv_list *pairs)
{
    struct hg_str *items = NULL;
    size_t count = 0;

    if (!read_strs(arena, value, &items, &count) || count % 2)
        return false;
    pairs->items = (struct hg_kv *)items;
    pairs->count = count / 2;
    return true;
}

static bool read_list(struct hg_arena *arena, const struct hg_field *field,
                      struct hg_json_value value, void *to)
{
    struct hg_json_value element;
    struct hg_json_walk walk;
    size_t length, i = 0;
    char *items;

    if (value.kind != HG_JSON_ARRAY || SET(size_t, to, field->count_offset))
        return false;
    length = count_elements(value);
    if (!length)
        return false;
    items = hg_arena_must(arena, length * field->type->size);
    walk = hg_json_walk(value);
    while (hg_json_next_element(&walk, &element))
        if (!fields_read(arena, field->type, element, items + i++ * field->type->size))
            return false;
    set_pointer(to, field->offset, items);
    SET(size_t, to, field->count_offset) = length;
    return true;
}

static bool read_number(const struct hg_field *field, struct hg_json_value value, void *to)
{
    int64_t least = field->kind == HG_FIELD_I64   ? INT64_MIN
                    : field->kind == HG_FIELD_INT ? INT32_MIN
                                                  : 0,
            most = field->kind == HG_FIELD_I64   ? INT64_MAX
                   : field->kind == HG_FIELD_INT ? INT32_MAX
                                                 : UINT32_MAX;
    int64_t number;

    if (value.kind != HG_JSON_NUMBER)
        return false;
    if (field->kind == HG_FIELD_U64)
        return hg_str_u64(value.raw, UINT64_MAX, at(to, field->offset));
    if (!hg_str_i64(value.raw, least, most, &number))
        return false;
    if (field->kind == HG_FIELD_I64)
        SET(int64_t, to, field->offset) = number;
    else if (field->kind == HG_FIELD_INT)
        SET(int, to, field->offset) = (int)number;
    else
        SET(unsigned, to, field->offset) = (unsigned)number;
    return true;
}

static bool read_double(struct hg_json_value value, double *number)
{
    char text[DOUBLE_TEXT], *end;

    if (value.kind != HG_JSON_NUMBER || value.raw.n >= sizeof(text))
        return false;
    memcpy(text, value.raw.p, value.raw.n);
    text[value.raw.n] = '\0';
    *number = strtod(text, &end);
    return *end == '\0';
}

static bool read_field(struct hg_arena *arena, const struct hg_field *field,
                       struct hg_json_value value, void *to)
{
    switch (field->kind) {
    case HG_FIELD_STR:
        return read_text(arena, value, at(to, field->offset));
    case HG_FIELD_STRS:
        return read_strs(arena, value, at(to, field->offset), at(to, field->count_offset));
    case HG_FIELD_PAIRS:
        return read_pairs(arena, value, at(to, field->offset));
    case HG_FIELD_BOOL:
        SET(bool, to, field->offset) = value.kind == HG_JSON_TRUE;
        return value.kind == HG_JSON_TRUE || value.kind == HG_JSON_FALSE;
    case HG_FIELD_INT:
    case HG_FIELD_UNSIGNED:
    case HG_FIELD_I64:
    case HG_FIELD_U64:
        return read_number(field, value, to);
    case HG_FIELD_DOUBLE:
        return read_double(value, at(to, field->offset));
    case HG_FIELD_PART:
        return fields_read(arena, field->type, value, at(to, field->offset));
    case HG_FIELD_LIST:
        return read_list(arena, field, value, to);
    }
    return false;
}

static void set_fallback(const struct hg_field *field, void *to)
{
    switch (field->kind) {
    case HG_FIELD_STR:
        SET(struct hg_str, to, field->offset) = HG_STR("");
        break;
    case HG_FIELD_INT:
        SET(int, to, field->offset) = (int)field->fallback;
        break;
    case HG_FIELD_UNSIGNED:
        SET(unsigned, to, field->offset) = (unsigned)field->fallback;
        break;
    case HG_FIELD_I64:
    case HG_FIELD_U64:
        SET(int64_t, to, field->offset) = field->fallback;
        break;
    case HG_FIELD_BOOL:
        SET(bool, to, field->offset) = field->fallback != 0;
        break;
    case HG_FIELD_PART:
        for (size_t i = 0; i < field->type->count; i++)
            set_fallback(&field->type->items[i], at(to, field->offset));
        break;
    case HG_FIELD_STRS:
    case HG_FIELD_PAIRS:
    case HG_FIELD_DOUBLE:
    case HG_FIELD_LIST:
        break; /* the struct was zeroed */
    }
}

/* key is without quotes, a field's key is "\"key\":". */
static bool is_key(const struct hg_field *field, struct hg_str key)
{
    return field->key.n == key.n + 3 && memcmp(field->key.p + 1, key.p, key.n) == 0;
}

bool fields_read(struct hg_arena *arena, const struct hg_fields *type, struct hg_json_value value,
                 void *to)
{
    struct hg_json_walk walk;
    struct hg_json_value member;
    struct hg_str key;
    size_t next = 0;

    if (value.kind != HG_JSON_OBJECT)
        return false;
    memset(to, 0, type->size);
    for (size_t i = 0; i < type->count; i++)
        set_fallback(&type->items[i], to);
    walk = hg_json_walk(value);
    /* Documents have their members in the order of the table, so that one pass over both is enough. */
    while (hg_json_next_member(&walk, &key, &member)) {
        while (next < type->count && !is_key(&type->items[next], key))
            next++;
        if (next == type->count || !read_field(arena, &type->items[next++], member, to))
            return false;
    }
    return true;
}
