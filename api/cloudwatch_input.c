/*
 * Inputs of the three protocols as one JSON object, and reading its members with the service's messages. Numbers of the query protocol
 * stay texts in the object; their readers know it.
 */
#include "api/cloudwatch.h"
#include "api/query_form.h"
#include "core/cbor.h"
#include "core/json_scan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    DEPTH_MAX = 16,
    NODES_MAX = 400000,
    /* In forms, whose fields look for their place one after the other. */
    NUMBER_MAX = 2000, /* of list elements */
    MEMBERS_MAX = 64,  /* of an object: no operation knows as many */
};

/* ---- CBOR ---- */

struct cbor_reader {
    struct hg_str rest;
    unsigned depth, nodes;
};

static cJSON *read_value(struct cbor_reader *reader, const struct hg_cbor_item *item);

static cJSON *next_value(struct cbor_reader *reader)
{
    struct hg_cbor_item item;

    return hg_cbor_next(&reader->rest, &item) ? read_value(reader, &item) : NULL;
}

/* Whole or in pieces; to be freed. NULL when it is none. */
static char *read_text(struct cbor_reader *reader, const struct hg_cbor_item *item)
{
    struct hg_buf text;
    struct hg_cbor_item piece;
    char *copy;
    bool is_good = true;

    if (!item->is_indefinite)
        return memchr(item->text.p, 0, item->text.n) ? NULL
                                                     : hg_strndup(item->text.p, item->text.n);
    hg_buf_init(&text, WATCH_BODY_MAX);
    while ((is_good = hg_cbor_next(&reader->rest, &piece)) && piece.kind != HG_CBOR_BREAK)
        if (piece.kind != item->kind || piece.is_indefinite ||
            memchr(piece.text.p, 0, piece.text.n) || !hg_buf_append_str(&text, piece.text)) {
            is_good = false;
            break;
        }
    copy = is_good ? hg_strndup(hg_buf_str(&text).p, text.len) : NULL;
    hg_buf_fini(&text);
    return copy;
}

static bool read_pair(struct cbor_reader *reader, const struct hg_cbor_item *key, cJSON *object)
{
    char *name = key->kind == HG_CBOR_TEXT ? read_text(reader, key) : NULL;
    cJSON *value = name ? next_value(reader) : NULL;

    if (value)
        (void)cJSON_AddItemToObject(object, name, value);
    free(name);
    return value != NULL;
}

static cJSON *read_container(struct cbor_reader *reader, const struct hg_cbor_item *item)
{
    bool is_map = item->kind == HG_CBOR_MAP, is_good = true;
    cJSON *container = is_map ? cJSON_CreateObject() : cJSON_CreateArray();
    struct hg_cbor_item next;

    if (reader->depth++ >= DEPTH_MAX)
        is_good = false;
    for (uint64_t i = 0; is_good && (item->is_indefinite || i < item->number); i++) {
        cJSON *value;

        is_good = hg_cbor_next(&reader->rest, &next);
        if (!is_good || (item->is_indefinite && next.kind == HG_CBOR_BREAK))
            break;
        if (is_map) {
            is_good = read_pair(reader, &next, container);
            continue;
        }
        value = read_value(reader, &next);
        is_good = value != NULL;
        if (value)
            (void)cJSON_AddItemToArray(container, value);
    }
    reader->depth--;
    if (is_good)
        return container;
    cJSON_Delete(container);
    return NULL;
}

static cJSON *read_tagged(struct cbor_reader *reader)
{
    cJSON *value = NULL;

    if (reader->depth++ < DEPTH_MAX)
        value = next_value(reader);
    reader->depth--;
    return value;
}

static cJSON *read_string(struct cbor_reader *reader, const struct hg_cbor_item *item)
{
    char *text = read_text(reader, item);
    cJSON *value = text ? cJSON_CreateString(text) : NULL;

    free(text);
    return value;
}

static cJSON *read_value(struct cbor_reader *reader, const struct hg_cbor_item *item)
{
    if (++reader->nodes > NODES_MAX)
        return NULL;
    switch (item->kind) {
    case HG_CBOR_UINT:
        return cJSON_CreateNumber((double)item->number);
    case HG_CBOR_NEGATIVE:
        return cJSON_CreateNumber(-1 - (double)item->number);
    case HG_CBOR_REAL:
        return cJSON_CreateNumber(item->real);
    case HG_CBOR_FALSE:
    case HG_CBOR_TRUE:
        return cJSON_CreateBool(item->kind == HG_CBOR_TRUE);
    case HG_CBOR_NULL:
        return cJSON_CreateNull();
    case HG_CBOR_TEXT:
    case HG_CBOR_BYTES:
        return read_string(reader, item);
    case HG_CBOR_ARRAY:
    case HG_CBOR_MAP:
        return read_container(reader, item);
    case HG_CBOR_TAG:
        return read_tagged(reader);
    case HG_CBOR_BREAK:
        break;
    }
    return NULL;
}

static cJSON *read_cbor(struct hg_str body)
{
    struct cbor_reader reader = {.rest = body};
    cJSON *input = body.n ? next_value(&reader) : cJSON_CreateObject();

    if (input && (reader.rest.n != 0 && body.n)) {
        cJSON_Delete(input);
        return NULL;
    }
    return input;
}

static cJSON *read_json(struct hg_str body)
{
    if (!body.n)
        return cJSON_CreateObject();
    /* The strict reader also says no to invalid UTF-8 and deep nesting. */
    if (hg_json_parse(body, NULL).kind != HG_JSON_OBJECT)
        return NULL;
    return cJSON_ParseWithLength(body.p, body.n);
}

/* ---- forms ---- */

static void become_text(cJSON *node, struct hg_str value)
{
    node->type = cJSON_String;
    node->valuestring = cJSON_malloc(value.n + 1);
    hg_assert(node->valuestring != NULL);
    memcpy(node->valuestring, value.p, value.n);
    node->valuestring[value.n] = '\0';
}

/* The element with that number; they come in order, each with all of its fields: the last one is mostly the one. */
static cJSON *list_element(cJSON *list, uint64_t number)
{
    cJSON *element = list->child ? list->child->prev : NULL;

    if (element && element->valueint == (int)number)
        return element;
    for (element = list->child; element; element = element->next)
        if (element->valueint == (int)number)
            return element;
    element = cJSON_CreateObject();
    element->valueint = (int)number;
    (void)cJSON_AddItemToArray(list, element);
    return element;
}

/* Puts value where "A.member.2.B" leads; makes what is missing on the way. False: it leads nowhere. */
static bool put_field(cJSON *object, struct hg_str path, struct hg_str value, unsigned depth)
{
    struct hg_str part;
    uint64_t at;
    char name[WATCH_PATH_MAX];
    cJSON *inner, *element;

    if (depth > DEPTH_MAX || !hg_str_next(&path, '.', &part) || !part.n || part.n >= sizeof(name))
        return false;
    (void)snprintf(name, sizeof(name), "%.*s", HG_STR_ARG(part));
    inner = cJSON_GetObjectItemCaseSensitive(object, name);
    if (!inner && cJSON_GetArraySize(object) >= MEMBERS_MAX)
        return false;
    if (!path.p || !path.n) {
        if (inner)
            return false;
        inner = cJSON_CreateNull();
        become_text(inner, value);
        return cJSON_AddItemToObject(object, name, inner);
    }
    if (!hg_str_starts(path, HG_STR("member."))) {
        if (!inner)
            inner = cJSON_AddObjectToObject(object, name);
        return cJSON_IsObject(inner) && put_field(inner, path, value, depth + 1);
    }
    path = hg_str_skip(path, strlen("member."));
    if (!hg_str_next(&path, '.', &part) || !hg_str_u64(part, NUMBER_MAX, &at) || at == 0)
        return false;
    if (!inner)
        inner = cJSON_AddArrayToObject(object, name);
    if (!cJSON_IsArray(inner))
        return false;
    element = list_element(inner, at);
    if (!cJSON_IsObject(element))
        return false;
    if (path.p && path.n)
        return put_field(element, path, value, depth + 1);
    if (element->child)
        return false;
    become_text(element, value);
    return true;
}

static bool is_of_protocol(struct hg_str name)
{
    return hg_str_is(name, "Action") || hg_str_is(name, "Version") ||
           hg_str_starts(name, HG_STR("X-Amz-")) || hg_str_starts(name, HG_STR("AWSAccessKeyId")) ||
           hg_str_starts(name, HG_STR("Signature"));
}

static cJSON *read_form(struct hg_arena *arena, struct hg_str body)
{
    struct query_form form;
    cJSON *input = cJSON_CreateObject();

    if (!form_parse(arena, body, &form)) {
        cJSON_Delete(input);
        return NULL;
    }
    for (size_t i = 0; i < form.count; i++) {
        struct hg_str name = form.fields[i].name, value = form.fields[i].value;

        /* A list that is empty is written as its name with nothing. */
        if (is_of_protocol(name) || (!value.n && hg_str_find(name, '.') < 0))
            continue;
        if (memchr(value.p, 0, value.n) || !put_field(input, name, value, 0)) {
            cJSON_Delete(input);
            return NULL;
        }
    }
    return input;
}

cJSON *watch_read_input(struct watch_call *watch, struct hg_str body)
{
    cJSON *input = NULL;

    switch (watch->protocol) {
    case WATCH_CBOR:
        input = read_cbor(body);
        break;
    case WATCH_JSON:
        input = read_json(body);
        break;
    case WATCH_QUERY:
        input = read_form(watch->arena, body);
        break;
    }
    if (cJSON_IsObject(input))
        return input;
    cJSON_Delete(input);
    (void)watch_refuse(watch, WATCH_MALFORMED, "the request's body cannot be read");
    return NULL;
}

/* ---- members ---- */

struct watch_node watch_root(struct watch_call *watch)
{
    return (struct watch_node){.watch = watch, .object = watch->input, .path = ""};
}

static const cJSON *member(const struct watch_node *node, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(node->object, name);

    return cJSON_IsNull(value) ? NULL : value;
}

bool watch_has(const struct watch_node *node, const char *name)
{
    return member(node, name) != NULL;
}

bool watch_need(const struct watch_node *node, const char *name)
{
    return watch_has(node, name) ||
           watch_refuse(node->watch, WATCH_MISSING, "The parameter %s%s is required.", node->path,
                        name);
}

static bool refuse_type(const struct watch_node *node, const char *name)
{
    return watch_refuse(node->watch, WATCH_MALFORMED, "%s%s is not of the right type", node->path,
                        name);
}

static bool text_of(const struct watch_node *node, const char *name, const cJSON *value, size_t max,
                    struct hg_str *text)
{
    if (!cJSON_IsString(value))
        return refuse_type(node, name);
    *text = hg_str_of(value->valuestring);
    if (!text->n)
        return watch_refuse(node->watch, WATCH_INVALID, "The parameter %s%s must not be empty.",
                            node->path, name);
    if (text->n > max)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %s%s must be shorter than %zu characters.", node->path,
                            name, max + 1);
    return true;
}

bool watch_text(const struct watch_node *node, const char *name, size_t max, struct hg_str *text)
{
    const cJSON *value = member(node, name);

    *text = hg_str_n(NULL, 0);
    return !value || text_of(node, name, value, max, text);
}

static bool real_of(const struct watch_node *node, const char *name, const cJSON *value,
                    double *real)
{
    char *end;

    if (cJSON_IsNumber(value)) {
        *real = value->valuedouble;
        return true;
    }
    if (!cJSON_IsString(value) || !value->valuestring[0])
        return refuse_type(node, name);
    /* Texts are how forms bring numbers; in CBOR and JSON only what is no number is one ("NaN"). */
    *real = strtod(value->valuestring, &end);
    if (*end || (node->watch->protocol != WATCH_QUERY && isfinite(*real)))
        return refuse_type(node, name);
    return true;
}

bool watch_real(const struct watch_node *node, const char *name, double *value)
{
    const cJSON *found = member(node, name);

    return !found || real_of(node, name, found, value);
}

bool watch_whole(const struct watch_node *node, const char *name, int64_t min, int64_t max,
                 int64_t *value)
{
    const cJSON *found = member(node, name);
    double real = 0;

    if (!found)
        return true;
    if (!real_of(node, name, found, &real))
        return false;
    if (real != floor(real) || !isfinite(real))
        return refuse_type(node, name);
    if (real < (double)min || real > (double)max)
        return watch_refuse(node->watch, WATCH_INVALID,
                            "The parameter %s%s must be greater than or equal to %lld and at most "
                            "%lld.",
                            node->path, name, (long long)min, (long long)max);
    *value = (int64_t)real;
    return true;
}

bool watch_bool(const struct watch_node *node, const char *name, bool *value)
{
    const cJSON *found = member(node, name);

    if (!found)
        return true;
    if (cJSON_IsBool(found))
        *value = cJSON_IsTrue(found);
    else if (cJSON_IsString(found) && node->watch->protocol == WATCH_QUERY &&
             (strcmp(found->valuestring, "true") == 0 || strcmp(found->valuestring, "false") == 0))
        *value = strcmp(found->valuestring, "true") == 0;
    else
        return refuse_type(node, name);
    return true;
}

/* ISO 8601: 2026-01-02T03:04:05[.678](Z|+hh:mm), or only the date. */
static bool parse_time(const char *text, double *seconds)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    int hours, minutes;
    char *end;

    if (rest && *rest == 'T') {
        const char *hour = rest;

        rest = strptime(hour, "T%H:%M:%S", &tm);
        if (!rest)
            rest = strptime(hour, "T%H:%M", &tm);
    }
    if (!rest)
        return false;
    *seconds = (double)timegm(&tm);
    if (*rest == '.') {
        *seconds += strtod(rest, &end);
        rest = end;
    }
    if (*rest == '\0' || strcmp(rest, "Z") == 0)
        return true;
    if ((*rest != '+' && *rest != '-') || (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) != 2 &&
                                           sscanf(rest + 1, "%2d%2d", &hours, &minutes) != 2))
        return false;
    *seconds -= (*rest == '-' ? -60.0 : 60.0) * (hours * 60 + minutes);
    return true;
}

bool watch_time(const struct watch_node *node, const char *name, int64_t *time_ms)
{
    const cJSON *found = member(node, name);
    double seconds = 0;
    char *end;

    if (!found)
        return true;
    if (cJSON_IsNumber(found)) {
        seconds = found->valuedouble;
    } else if (!cJSON_IsString(found)) {
        return refuse_type(node, name);
    } else if (!parse_time(found->valuestring, &seconds)) {
        seconds = strtod(found->valuestring, &end);
        if (end == found->valuestring || *end)
            return watch_refuse(node->watch, WATCH_INVALID,
                                "The parameter %s%s must be a time in ISO 8601.", node->path, name);
    }
    if (!isfinite(seconds) || fabs(seconds) > 253402300799.0)
        return watch_refuse(node->watch, WATCH_INVALID, "The parameter %s%s is out of range.",
                            node->path, name);
    *time_ms = (int64_t)floor(seconds * 1000 + 0.5);
    return true;
}

bool watch_list(const struct watch_node *node, const char *name, size_t max, const cJSON **list,
                size_t *count)
{
    *list = member(node, name);
    *count = 0;
    if (!*list)
        return true;
    if (!cJSON_IsArray(*list))
        return refuse_type(node, name);
    *count = (size_t)cJSON_GetArraySize(*list);
    return *count <= max ||
           watch_refuse(node->watch, WATCH_INVALID,
                        "The collection %s%s must not have a size greater than %zu.", node->path,
                        name, max);
}

static bool enter(const struct watch_node *node, const char *name, const cJSON *object,
                  struct watch_node *inner)
{
    inner->watch = node->watch;
    inner->object = object;
    return cJSON_IsObject(object) || refuse_type(node, name);
}

bool watch_object(const struct watch_node *node, const char *name, struct watch_node *inner)
{
    (void)snprintf(inner->path, sizeof(inner->path), "%.80s%.40s.", node->path, name);
    return enter(node, name, member(node, name), inner);
}

bool watch_element(const struct watch_node *node, const char *name, const cJSON *element,
                   size_t number, struct watch_node *inner)
{
    (void)snprintf(inner->path, sizeof(inner->path), "%.60s%.30s.member.%zu.", node->path, name,
                   number + 1);
    return enter(node, name, element, inner);
}

bool watch_element_text(const struct watch_node *node, const char *name, const cJSON *element,
                        size_t number, struct hg_str *text)
{
    char path[WATCH_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%.30s.member.%zu", name, number + 1);
    return text_of(node, path, element, WATCH_BODY_MAX, text);
}

bool watch_element_real(const struct watch_node *node, const char *name, const cJSON *element,
                        size_t number, double *value)
{
    char path[WATCH_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%.30s.member.%zu", name, number + 1);
    return real_of(node, path, element, value);
}
