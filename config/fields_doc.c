/*
 * Fields as JSON, without a tree in between.
 */
#include "config/fields_at.h"

#include <stdio.h>
#include <stdlib.h>

enum { DOUBLE_TEXT = 32 };

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
