/*
 * Values of an input: JSON or text to the type that the model wants. Members that the model does not know are passed over, as the
 * service does; null is as if not given.
 */
#include "api/input_parts.h"
#include "core/map.h"

#include <stdlib.h>

enum {
    VALUES_MAX = 200000,    /* of one input: each takes some 100 bytes */
    NUMBER_TEXT_MAX = 63,   /* longer ones are no number of any use */
    STRING_MAX = 128 << 20, /* no limit of its own: the body has one */
};

static cJSON *misfit(const struct input_path *path, struct input_fault *fault, const char *what)
{
    fault->error = HG_API_SERIALIZATION;
    hg_buf_append_cstr(&fault->text, what);
    if (path->name || path->parent) {
        hg_buf_append_cstr(&fault->text, ": member '");
        input_path_write(&fault->text, path);
        hg_buf_append_byte(&fault->text, '\'');
    }
    return NULL;
}

/* Every name, element and value is work and may be memory: false when it is too much of them. */
static bool has_room(const struct input_path *path, struct input_fault *fault)
{
    if (++fault->values <= VALUES_MAX)
        return true;
    (void)misfit(path, fault, "The request has too many values");
    return false;
}

/* How the service calls what it found. */
static const char *kind_found(enum hg_json_kind kind)
{
    switch (kind) {
    case HG_JSON_NUMBER:
        return "NUMBER_VALUE";
    case HG_JSON_STRING:
        return "STRING_VALUE";
    case HG_JSON_TRUE:
        return "TRUE_VALUE";
    case HG_JSON_FALSE:
        return "FALSE_VALUE";
    case HG_JSON_OBJECT:
    case HG_JSON_ARRAY:
    case HG_JSON_NULL:
    case HG_JSON_BAD:
        break;
    }
    return "VALUE";
}

static const char *kind_wanted(enum shape_kind kind)
{
    switch (kind) {
    case HG_SHAPE_STRING:
        return "a String";
    case HG_SHAPE_INTEGER:
        return "an Integer";
    case HG_SHAPE_LONG:
        return "a Long";
    case HG_SHAPE_DOUBLE:
        return "a Double";
    case HG_SHAPE_BOOLEAN:
        return "a Boolean";
    case HG_SHAPE_TIMESTAMP:
        return "a Timestamp";
    case HG_SHAPE_BLOB:
        return "a Blob";
    case HG_SHAPE_LIST:
        return "a List";
    case HG_SHAPE_STRUCTURE:
    case HG_SHAPE_MAP:
        break;
    }
    return "a Map";
}

static cJSON *wrong_kind(const struct shape *shape, enum hg_json_kind found,
                         const struct input_path *path, struct input_fault *fault)
{
    char what[96];
    struct hg_buf text = {.base = what, .cap = sizeof(what), .max = sizeof(what) - 1};

    if (found == HG_JSON_OBJECT)
        return misfit(path, fault, "Start of structure or map found where not expected");
    if (found == HG_JSON_ARRAY)
        return misfit(path, fault, "Start of list found where not expected");
    hg_buf_printf(&text, "%s can not be converted to %s", kind_found(found),
                  kind_wanted(shape->kind));
    what[text.len] = '\0';
    return misfit(path, fault, what);
}

static cJSON *read_number(const struct shape *shape, struct hg_str raw,
                          const struct input_path *path, struct input_fault *fault)
{
    char text[NUMBER_TEXT_MAX + 1];
    double value, limit;
    char *end;

    if (raw.n == 0 || raw.n > NUMBER_TEXT_MAX)
        return misfit(path, fault, "The number is out of range");
    memcpy(text, raw.p, raw.n);
    text[raw.n] = '\0';
    value = strtod(text, &end);
    if (*end || !isfinite(value))
        return misfit(path, fault, "The number is out of range");
    if (shape->kind == HG_SHAPE_INTEGER || shape->kind == HG_SHAPE_LONG) {
        limit = shape->kind == HG_SHAPE_INTEGER ? 2147483648.0 : 9223372036854775808.0;
        if (value != trunc(value))
            return misfit(path, fault,
                          "NUMBER_VALUE with a fraction can not be converted to an Integer");
        if (value < -limit || value >= limit)
            return misfit(path, fault, "The number is out of range");
    }
    return cJSON_CreateNumber(value);
}

bool input_is_base64(struct hg_str text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bool is_digit[256] = {false};
    size_t n = text.n;

    if (n % 4)
        return false;
    for (size_t i = 0; i < sizeof(digits) - 1; i++)
        is_digit[(unsigned char)digits[i]] = true;
    for (unsigned pad = 0; pad < 2 && n && text.p[n - 1] == '='; pad++)
        n--;
    for (size_t i = 0; i < n; i++)
        if (!is_digit[(unsigned char)text.p[i]])
            return false;
    return true;
}

static cJSON *read_string(const struct shape *shape, struct hg_json_value value,
                          const struct input_path *path, struct input_fault *fault)
{
    struct hg_buf text;
    cJSON *item;

    hg_buf_init(&text, STRING_MAX);
    (void)hg_json_unescape(value, &text);
    hg_buf_append_byte(&text, '\0');
    if (strlen(text.base + text.off) + 1 != text.len)
        item = misfit(path, fault,
                      "A text with the character U+0000 can not be converted to a String");
    else if (shape->kind == HG_SHAPE_BLOB &&
             !input_is_base64(hg_str_n(text.base + text.off, text.len - 1)))
        item = misfit(path, fault, "The value is not base64 and can not be converted to a Blob");
    else
        item = cJSON_CreateString(text.base + text.off);
    hg_buf_fini(&text);
    return item;
}

static const struct shape_member *find_member(const struct shape *structure, struct hg_str key)
{
    size_t count;
    const struct shape_member *members = shape_members(structure, &count);

    for (size_t i = 0; i < count; i++)
        if (hg_json_key_is(key, members[i].wire_name) && members[i].place == HG_PLACE_BODY)
            return &members[i];
    return NULL;
}

static cJSON *read_structure(const struct shape *shape, struct hg_json_value value,
                             const struct input_path *path, struct input_fault *fault)
{
    struct hg_json_walk walk = hg_json_walk(value);
    struct hg_json_value given;
    struct hg_str key;
    cJSON *object = cJSON_CreateObject();

    while (hg_json_next_member(&walk, &key, &given)) {
        const struct shape_member *member = find_member(shape, key);
        struct input_path inner = {.parent = path};
        cJSON *item = NULL;

        if (has_room(path, fault)) {
            if (!member)
                continue;
            /* The last one of a name counts, as for every JSON reader of the service. */
            cJSON_DeleteItemFromObjectCaseSensitive(object, member->name);
            if (given.kind == HG_JSON_NULL)
                continue;
            inner.name = member->name;
            item = input_from_json(shape_get(member->shape), given, &inner, fault);
        }
        if (!item) {
            cJSON_Delete(object);
            return NULL;
        }
        (void)cJSON_AddItemToObject(object, member->name, item);
    }
    return object;
}

static cJSON *read_list(const struct shape *shape, struct hg_json_value value,
                        const struct input_path *path, struct input_fault *fault)
{
    struct hg_json_walk walk = hg_json_walk(value);
    struct input_path inner = {.parent = path};
    struct hg_json_value given;
    cJSON *list = cJSON_CreateArray();

    while (hg_json_next_element(&walk, &given)) {
        cJSON *item = NULL;

        inner.index++;
        if (has_room(path, fault))
            item = given.kind == HG_JSON_NULL
                       ? cJSON_CreateNull()
                       : input_from_json(shape_element(shape), given, &inner, fault);
        if (!item) {
            cJSON_Delete(list);
            return NULL;
        }
        (void)cJSON_AddItemToArray(list, item);
    }
    return list;
}

/* One map on its way into the tree. */
struct map_reading {
    const struct shape *shape;
    const struct input_path *path;
    struct input_fault *fault;
    cJSON *object;
    struct hg_map seen; /* entries of object by their keys */
};

/* Adds one entry; a later one with the same key takes its place. False: the fault says why. */
static bool read_entry(struct map_reading *map, struct hg_str raw_key, struct hg_json_value given)
{
    struct hg_json_value quoted = {HG_JSON_STRING, hg_str_n(raw_key.p - 1, raw_key.n + 2)};
    static const struct shape key_shape = {.kind = HG_SHAPE_STRING};
    cJSON *key = read_string(&key_shape, quoted, map->path, map->fault), *item = NULL, *former;

    if (key)
        item = given.kind == HG_JSON_NULL
                   ? cJSON_CreateNull()
                   : input_from_json(shape_element(map->shape), given, map->path, map->fault);
    if (item) {
        former = hg_map_get(&map->seen, hg_str_of(key->valuestring));
        if (former) {
            (void)hg_map_remove(&map->seen, hg_str_of(key->valuestring));
            cJSON_Delete(cJSON_DetachItemViaPointer(map->object, former));
        }
        (void)cJSON_AddItemToObject(map->object, key->valuestring, item);
        (void)hg_map_set(&map->seen, hg_str_of(item->string), item);
    }
    cJSON_Delete(key);
    return item != NULL;
}

static cJSON *read_map(const struct shape *shape, struct hg_json_value value,
                       const struct input_path *path, struct input_fault *fault)
{
    struct map_reading map = {shape, path, fault, .object = cJSON_CreateObject()};
    struct hg_json_walk walk = hg_json_walk(value);
    struct hg_json_value given;
    struct hg_str key;
    bool is_good = true;

    hg_map_init(&map.seen);
    while (is_good && hg_json_next_member(&walk, &key, &given))
        is_good = has_room(path, fault) && read_entry(&map, key, given);
    hg_map_fini(&map.seen);
    if (is_good)
        return map.object;
    cJSON_Delete(map.object);
    return NULL;
}

cJSON *input_from_json(const struct shape *shape, struct hg_json_value value,
                       const struct input_path *path, struct input_fault *fault)
{
    enum hg_json_kind kind = value.kind;

    switch (shape->kind) {
    case HG_SHAPE_STRUCTURE:
        if (kind == HG_JSON_OBJECT)
            return read_structure(shape, value, path, fault);
        break;
    case HG_SHAPE_MAP:
        if (kind == HG_JSON_OBJECT)
            return read_map(shape, value, path, fault);
        break;
    case HG_SHAPE_LIST:
        if (kind == HG_JSON_ARRAY)
            return read_list(shape, value, path, fault);
        break;
    case HG_SHAPE_STRING:
    case HG_SHAPE_BLOB:
        if (kind == HG_JSON_STRING)
            return read_string(shape, value, path, fault);
        break;
    case HG_SHAPE_INTEGER:
    case HG_SHAPE_LONG:
    case HG_SHAPE_DOUBLE:
    case HG_SHAPE_TIMESTAMP:
        if (kind == HG_JSON_NUMBER)
            return read_number(shape, value.raw, path, fault);
        break;
    case HG_SHAPE_BOOLEAN:
        if (kind == HG_JSON_TRUE || kind == HG_JSON_FALSE)
            return cJSON_CreateBool(kind == HG_JSON_TRUE);
        break;
    }
    return wrong_kind(shape, kind, path, fault);
}

cJSON *input_from_text(const struct shape *shape, struct hg_str text, const struct input_path *path,
                       struct input_fault *fault)
{
    int64_t whole;

    switch (shape->kind) {
    case HG_SHAPE_INTEGER:
    case HG_SHAPE_LONG:
        if (!hg_str_i64(text, INT64_MIN, INT64_MAX, &whole))
            return wrong_kind(shape, HG_JSON_STRING, path, fault);
        return read_number(shape, text, path, fault);
    case HG_SHAPE_DOUBLE:
    case HG_SHAPE_TIMESTAMP:
        return read_number(shape, text, path, fault);
    case HG_SHAPE_BOOLEAN:
        if (!hg_str_is(text, "true") && !hg_str_is(text, "false"))
            return wrong_kind(shape, HG_JSON_STRING, path, fault);
        return cJSON_CreateBool(hg_str_is(text, "true"));
    case HG_SHAPE_STRING:
    case HG_SHAPE_BLOB: {
        char *copy;
        cJSON *item;

        if (text.n && memchr(text.p, '\0', text.n))
            return misfit(path, fault,
                          "A text with the character U+0000 can not be converted to a String");
        copy = hg_strndup(text.n ? text.p : "", text.n);
        item = cJSON_CreateString(copy);
        free(copy);
        return item;
    }
    case HG_SHAPE_STRUCTURE:
    case HG_SHAPE_LIST:
    case HG_SHAPE_MAP:
        break;
    }
    return wrong_kind(shape, HG_JSON_STRING, path, fault);
}
