/*
 * What the model demands of an input, in the service's words (function-api.md §2): all that is not met at once, in the model's order.
 */
#include "api/input_parts.h"

#include <inttypes.h>

enum { VALUE_TEXT_MAX = 64 << 10 };

/* As Java prints a Double. */
static void write_double(struct hg_buf *out, double value)
{
    if (value == trunc(value) && fabs(value) < 1e7)
        hg_buf_printf(out, "%.1f", value);
    else
        hg_buf_printf(out, "%.15g", value);
}

static void write_number(struct hg_buf *out, const struct shape *shape, double value)
{
    if (shape->kind == HG_SHAPE_DOUBLE || shape->kind == HG_SHAPE_TIMESTAMP)
        write_double(out, value);
    else
        hg_buf_printf(out, "%.0f", value);
}

static void write_value(struct hg_buf *out, const struct shape *shape, const cJSON *item);

static void write_values(struct hg_buf *out, const struct shape *shape, const cJSON *whole)
{
    bool is_map = shape->kind == HG_SHAPE_MAP, is_first = true;
    const cJSON *item;

    hg_buf_append_byte(out, is_map ? '{' : '[');
    cJSON_ArrayForEach(item, whole)
    {
        if (!is_first)
            hg_buf_append_cstr(out, ", ");
        if (is_map)
            hg_buf_printf(out, "%s=", item->string);
        write_value(out, shape_element(shape), item);
        is_first = false;
    }
    hg_buf_append_byte(out, is_map ? '}' : ']');
}

static void write_value(struct hg_buf *out, const struct shape *shape, const cJSON *item)
{
    if (cJSON_IsNull(item))
        hg_buf_append_cstr(out, "null");
    else if (shape->kind == HG_SHAPE_LIST || shape->kind == HG_SHAPE_MAP)
        write_values(out, shape, item);
    else if (cJSON_IsString(item))
        hg_buf_append_cstr(out, item->valuestring);
    else if (cJSON_IsNumber(item))
        write_number(out, shape, item->valuedouble);
    else if (cJSON_IsBool(item))
        hg_buf_append_cstr(out, cJSON_IsTrue(item) ? "true" : "false");
    else
        hg_buf_append_byte(out, '?');
}

/* "; Value 'x' at 'y' failed to satisfy constraint: ", to be followed by the constraint. */
static void begin_fault(struct input_fault *fault, const struct shape *shape,
                        const struct input_path *path, const cJSON *item)
{
    struct hg_buf *out = &fault->text;

    if (fault->count++)
        hg_buf_append_cstr(out, "; ");
    if (!item) {
        hg_buf_append_cstr(out, "Value null at '");
    } else if (shape->is_sensitive) {
        hg_buf_append_cstr(out, "Value at '");
    } else {
        struct hg_buf value;

        hg_buf_init(&value, VALUE_TEXT_MAX);
        write_value(&value, shape, item);
        hg_buf_append_cstr(out, "Value '");
        hg_buf_append_str(out, hg_buf_str(&value));
        hg_buf_append_cstr(out, "' at '");
        hg_buf_fini(&value);
    }
    input_path_write(out, path);
    hg_buf_append_cstr(out, "' failed to satisfy constraint: ");
}

static bool is_length(const struct shape *shape)
{
    return shape->kind == HG_SHAPE_STRING || shape->kind == HG_SHAPE_LIST ||
           shape->kind == HG_SHAPE_MAP || shape->kind == HG_SHAPE_BLOB;
}

static void write_bound(struct hg_buf *out, const struct shape *shape, bool is_max, double value)
{
    hg_buf_printf(out, "Member must have %s %s than or equal to ",
                  is_length(shape) ? "length" : "value", is_max ? "less" : "greater");
    if (is_length(shape))
        hg_buf_printf(out, "%.0f", value);
    else
        write_number(out, shape, value);
}

static void write_values_set(struct hg_buf *out, const struct shape *shape)
{
    hg_buf_printf(out, "Member must satisfy enum value set: [%s]", shape->values);
}

static void write_pattern(struct hg_buf *out, const struct shape *shape)
{
    hg_buf_printf(out, "Member must satisfy regular expression pattern: %s", shape->pattern);
}

static void write_separator(struct hg_buf *out, size_t start)
{
    if (out->len > start)
        hg_buf_append_cstr(out, ", ");
}

/* All constraints of an element, key or value, whichever of them is not met. */
static void write_nested(struct hg_buf *out, const struct shape *shape, bool is_key)
{
    size_t start = out->len;

    if (shape->values)
        write_values_set(out, shape);
    if (!isnan(shape->max)) {
        write_separator(out, start);
        write_bound(out, shape, true, shape->max);
    }
    if (!isnan(shape->min)) {
        write_separator(out, start);
        write_bound(out, shape, false, shape->min);
    }
    if (shape->pattern) {
        write_separator(out, start);
        write_pattern(out, shape);
    }
    if (shape->kind == HG_SHAPE_LIST) {
        write_separator(out, start);
        hg_buf_append_cstr(out, "Member must satisfy constraint: [");
        write_nested(out, shape_element(shape), false);
        hg_buf_append_byte(out, ']');
    }
    if (!is_key) {
        write_separator(out, start);
        hg_buf_append_cstr(out, "Member must not be null");
    }
}

/* As Java counts: in UTF-16 units. */
static double text_length(const char *text)
{
    size_t units = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        units += (*p & 0xc0) != 0x80 ? 1 + (*p >= 0xf0) : 0;
    return (double)units;
}

/* What min and max count or compare. */
static double measure(const struct shape *shape, const cJSON *item)
{
    if (shape->kind == HG_SHAPE_STRING)
        return text_length(item->valuestring);
    if (shape->kind == HG_SHAPE_BLOB) {
        size_t n = strlen(item->valuestring), bytes = n / 4 * 3;

        while (n && item->valuestring[n - 1] == '=') {
            n--;
            bytes--;
        }
        return (double)bytes;
    }
    if (shape->kind == HG_SHAPE_LIST || shape->kind == HG_SHAPE_MAP)
        return cJSON_GetArraySize(item);
    return item->valuedouble;
}

static bool is_known(const struct shape *shape, const cJSON *item)
{
    return !shape->values || shape_value_is_known(shape, hg_str_of(item->valuestring));
}

static bool fits_pattern(const struct shape *shape, const char *text)
{
    return !shape->pattern || shape_pattern_matches(shape, hg_str_of(text));
}

static bool is_bounded(const struct shape *shape)
{
    return !isnan(shape->min) || !isnan(shape->max);
}

static bool is_in_bounds(const struct shape *shape, double value)
{
    return (isnan(shape->max) || value <= shape->max) && (isnan(shape->min) || value >= shape->min);
}

static bool elements_are_good(const struct shape *shape, const cJSON *whole);

/* Whether an element or value meets what write_nested lists. */
static bool element_is_good(const struct shape *shape, const cJSON *item)
{
    if (cJSON_IsNull(item))
        return false;
    if (shape->kind == HG_SHAPE_STRUCTURE)
        return true; /* its members are looked at by themselves */
    if (is_bounded(shape) && !is_in_bounds(shape, measure(shape, item)))
        return false;
    if (shape->kind == HG_SHAPE_LIST)
        return elements_are_good(shape_element(shape), item);
    return is_known(shape, item) &&
           (shape->kind != HG_SHAPE_STRING || fits_pattern(shape, item->valuestring));
}

static bool elements_are_good(const struct shape *shape, const cJSON *whole)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, whole)
    {
        if (!element_is_good(shape, item))
            return false;
    }
    return true;
}

static bool key_is_good(const struct shape *shape, const char *key)
{
    return (!is_bounded(shape) || is_in_bounds(shape, text_length(key))) &&
           (!shape->values || shape_value_is_known(shape, hg_str_of(key))) &&
           fits_pattern(shape, key);
}

static void check_bounds(const struct shape *shape, const struct input_path *path,
                         const cJSON *item, struct input_fault *fault)
{
    double value;

    if (!is_bounded(shape))
        return;
    value = measure(shape, item);
    if (!isnan(shape->max) && value > shape->max) {
        begin_fault(fault, shape, path, item);
        write_bound(&fault->text, shape, true, shape->max);
    }
    if (!isnan(shape->min) && value < shape->min) {
        begin_fault(fault, shape, path, item);
        write_bound(&fault->text, shape, false, shape->min);
    }
}

static void check_structure(const struct shape *shape, const struct input_path *path,
                            const cJSON *object, struct input_fault *fault);

static void check_elements(const struct shape *shape, const struct input_path *path,
                           const cJSON *whole, struct input_fault *fault)
{
    const struct shape *element = shape_element(shape);
    bool is_map = shape->kind == HG_SHAPE_MAP;
    struct input_path inner = {.parent = path};
    const cJSON *item;

    if (!elements_are_good(element, whole)) {
        begin_fault(fault, shape, path, whole);
        hg_buf_append_cstr(&fault->text, is_map ? "Map value must satisfy constraint: ["
                                                : "Member must satisfy constraint: [");
        write_nested(&fault->text, element, false);
        hg_buf_append_byte(&fault->text, ']');
    }
    cJSON_ArrayForEach(item, whole)
    {
        inner.index++;
        if (element->kind == HG_SHAPE_STRUCTURE && !cJSON_IsNull(item))
            check_structure(element, &inner, item, fault);
    }
}

static void check_keys(const struct shape *shape, const struct input_path *path, const cJSON *map,
                       struct input_fault *fault)
{
    const struct shape *key = shape_key(shape);
    const cJSON *item;

    cJSON_ArrayForEach(item, map)
    {
        if (key_is_good(key, item->string))
            continue;
        begin_fault(fault, shape, path, map);
        hg_buf_append_cstr(&fault->text, "Map keys must satisfy constraint: [");
        write_nested(&fault->text, key, true);
        hg_buf_append_byte(&fault->text, ']');
        return;
    }
}

static void check_value(const struct shape *shape, const struct input_path *path, const cJSON *item,
                        struct input_fault *fault)
{
    if (shape->kind == HG_SHAPE_STRUCTURE) {
        check_structure(shape, path, item, fault);
        return;
    }
    if (!is_known(shape, item)) {
        begin_fault(fault, shape, path, item);
        write_values_set(&fault->text, shape);
    }
    if (shape->kind == HG_SHAPE_STRING && !fits_pattern(shape, item->valuestring)) {
        begin_fault(fault, shape, path, item);
        write_pattern(&fault->text, shape);
    }
    check_bounds(shape, path, item, fault);
    if (shape->kind == HG_SHAPE_MAP)
        check_keys(shape, path, item, fault);
    if (shape->kind == HG_SHAPE_MAP || shape->kind == HG_SHAPE_LIST)
        check_elements(shape, path, item, fault);
}

static void check_structure(const struct shape *shape, const struct input_path *path,
                            const cJSON *object, struct input_fault *fault)
{
    size_t count;
    const struct shape_member *members = shape_members(shape, &count);

    for (size_t i = 0; i < count; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, members[i].name);
        struct input_path inner = {.parent = path, .name = members[i].name};

        if (members[i].place == HG_PLACE_PAYLOAD)
            continue;
        if (item) {
            check_value(shape_get(members[i].shape), &inner, item, fault);
        } else if (members[i].is_required) {
            begin_fault(fault, shape, &inner, NULL);
            hg_buf_append_cstr(&fault->text, "Member must not be null");
        }
    }
}

bool input_check(const struct model_op *op, const cJSON *input, struct input_fault *fault)
{
    struct input_path root = {0};
    struct hg_buf all;

    if (op->input == 0)
        return true;
    check_structure(shape_get(op->input), &root, input, fault);
    if (fault->count == 0)
        return true;
    fault->error = HG_API_VALIDATION;
    hg_buf_init(&all, fault->text.max + 64);
    hg_buf_printf(&all, "%u validation error%s detected: ", fault->count,
                  fault->count == 1 ? "" : "s");
    hg_buf_append_str(&all, hg_buf_str(&fault->text));
    hg_buf_fini(&fault->text);
    fault->text = all;
    return false;
}
