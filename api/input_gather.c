/*
 * Puts an input together: members of path, query and headers by the model's names, and the body's JSON.
 */
#include "api/input_parts.h"
#include "core/uri.h"

#include <stdlib.h>

enum { FAULT_TEXT_MAX = 512 << 10, TEXT_VALUE_MAX = 64 << 10 };

void input_fault_init(struct input_fault *fault)
{
    *fault = (struct input_fault){.error = HG_API_VALIDATION};
    hg_buf_init(&fault->text, FAULT_TEXT_MAX);
}

void input_fault_fini(struct input_fault *fault)
{
    hg_buf_fini(&fault->text);
}

void input_path_write(struct hg_buf *out, const struct input_path *path)
{
    if (path->parent && (path->parent->name || path->parent->parent)) {
        input_path_write(out, path->parent);
        hg_buf_append_byte(out, '.');
    }
    if (!path->name) {
        hg_buf_printf(out, "%zu.member", path->index);
        return;
    }
    /* Only the first letter: the service writes kMSKeyArn and s3Bucket. */
    hg_buf_append_byte(out, (char)(path->name[0] >= 'A' && path->name[0] <= 'Z'
                                       ? path->name[0] - 'A' + 'a'
                                       : path->name[0]));
    hg_buf_append_cstr(out, path->name + 1);
}

/* The text of {name} in the path of the operation; p NULL when it has none. */
static struct hg_str path_param(const struct model_op *op, const struct input_source *source,
                                const char *name)
{
    struct hg_str rest = hg_str_of(op->path), part;
    size_t at = 0;

    while (hg_str_next(&rest, '/', &part)) {
        if (part.n < 2 || part.p[0] != '{')
            continue;
        if (hg_str_is(hg_str_n(part.p + 1, part.n - 2), name))
            return source->params[at];
        at++;
    }
    return hg_str_n(NULL, 0);
}

static struct hg_str header_value(const struct input_source *source, const char *name)
{
    for (size_t i = 0; i < source->header_count; i++)
        if (hg_str_is_nocase(source->headers[i].name, name))
            return source->headers[i].value;
    return hg_str_n(NULL, 0);
}

static bool add_text(cJSON *input, const struct shape_member *member, struct hg_str text,
                     struct input_fault *fault)
{
    struct input_path root = {0}, path = {.parent = &root, .name = member->name};
    cJSON *item = input_from_text(shape_get(member->shape), text, &path, fault);

    if (item)
        (void)cJSON_AddItemToObject(input, member->name, item);
    return item != NULL;
}

/* Values of one name of the query: the first for a scalar, all for a list. */
static bool add_query(cJSON *input, const struct shape_member *member, struct hg_str query,
                      struct input_fault *fault)
{
    const struct shape *shape = shape_get(member->shape);
    struct hg_str rest = query, pair;
    cJSON *list = NULL;
    struct hg_buf text;
    bool is_good = true;

    hg_buf_init(&text, TEXT_VALUE_MAX);
    while (is_good && hg_str_next(&rest, '&', &pair)) {
        ptrdiff_t equals = hg_str_find(pair, '=');
        struct hg_str name = equals < 0 ? pair : hg_str_n(pair.p, (size_t)equals);

        hg_buf_clear(&text, TEXT_VALUE_MAX);
        hg_uri_decode_form(&text, name);
        if (!hg_str_is(hg_buf_str(&text), member->wire_name))
            continue;
        hg_buf_clear(&text, TEXT_VALUE_MAX);
        if (equals >= 0)
            hg_uri_decode_form(&text, hg_str_skip(pair, (size_t)equals + 1));
        if (shape->kind != HG_SHAPE_LIST) {
            is_good = add_text(input, member, hg_buf_str(&text), fault);
            break;
        }
        if (!list)
            list = cJSON_AddArrayToObject(input, member->name);
        hg_buf_append_byte(&text, '\0');
        (void)cJSON_AddItemToArray(list, cJSON_CreateString(text.base + text.off));
    }
    hg_buf_fini(&text);
    return is_good;
}

static bool add_outside(cJSON *input, const struct model_op *op, const struct shape_member *member,
                        const struct input_source *source, struct input_fault *fault)
{
    struct hg_str text = {NULL, 0};

    switch (member->place) {
    case HG_PLACE_PATH:
        text = path_param(op, source, member->wire_name);
        break;
    case HG_PLACE_HEADER:
        text = header_value(source, member->wire_name);
        break;
    case HG_PLACE_QUERY:
        return add_query(input, member, source->query, fault);
    case HG_PLACE_BODY:
    case HG_PLACE_PAYLOAD:
        break;
    }
    return !text.p || add_text(input, member, text, fault);
}

/* The body's object; an empty object without a body. */
static cJSON *read_body(const struct shape *shape, struct hg_str body, struct input_fault *fault)
{
    struct input_path root = {0};
    struct hg_json_fault bad;
    struct hg_json_value value;

    if (hg_str_trim_ws(body).n == 0)
        return cJSON_CreateObject();
    value = hg_json_parse(body, &bad);
    if (value.kind == HG_JSON_BAD) {
        fault->error = HG_API_SERIALIZATION;
        hg_buf_printf(&fault->text,
                      "Could not parse request body into json: %s (line %u, column %u)", bad.text,
                      bad.line, bad.column);
        return NULL;
    }
    if (value.kind != HG_JSON_OBJECT) {
        fault->error = HG_API_SERIALIZATION;
        hg_buf_append_cstr(&fault->text, "The request body must be a JSON object");
        return NULL;
    }
    return input_from_json(shape, value, &root, fault);
}

static bool has_body(const struct shape_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (members[i].place == HG_PLACE_BODY)
            return true;
    return false;
}

cJSON *input_gather(const struct model_op *op, const struct input_source *source,
                    struct input_fault *fault)
{
    const struct shape *shape;
    const struct shape_member *members;
    size_t count;
    cJSON *input;

    if (op->input == 0)
        return cJSON_CreateObject();
    shape = shape_get(op->input);
    members = shape_members(shape, &count);
    input = has_body(members, count) ? read_body(shape, source->body, fault) : cJSON_CreateObject();
    for (size_t i = 0; input && i < count; i++) {
        if (!add_outside(input, op, &members[i], source, fault)) {
            cJSON_Delete(input);
            input = NULL;
        }
    }
    return input;
}
