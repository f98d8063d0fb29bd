/*
 * Checks in the words of the service. All mistakes of syntax are told at once; a wrong JSON type ends the check.
 */
#include "api/logs_input.h"

#include "core/buf.h"
#include "core/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MESSAGE_MAX = 16384,
    SHOWN_MAX = 2048, /* bytes of a value that a message quotes */
    FAULTS_MAX = 20,
};

static const char *const pattern_texts[] = {
    [LOGS_ANY] = "",
    [LOGS_GROUP_NAME] = "[\\.\\-_/#A-Za-z0-9]+",
    [LOGS_GROUP_NAME_PART] = "[\\.\\-_/#A-Za-z0-9]*",
    [LOGS_GROUP_ID] = "[\\w#+=/:,.@-]*",
    [LOGS_STREAM_NAME] = "[^:*]*",
    [LOGS_RESOURCE_ARN] = "[\\w+=/:,.@-]*",
    [LOGS_TAG_KEY] = "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$",
    [LOGS_TAG_VALUE] = "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
    [LOGS_ACCOUNT_ID] = "^\\d{12}$",
};

/* What is being checked. */
struct check {
    struct logs_input *input;
    struct hg_buf faults; /* "Value … at …; Value …" */
    unsigned count;
    struct hg_str wrong_type; /* p NULL: none */
};

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_allowed(enum logs_pattern pattern, char c)
{
    bool is_plain = is_letter_or_digit(c);

    switch (pattern) {
    case LOGS_ANY:
        return true;
    case LOGS_GROUP_NAME:
    case LOGS_GROUP_NAME_PART:
        return is_plain || (c && strchr(".-_/#", c));
    case LOGS_GROUP_ID:
        return is_plain || (c && strchr("_#+=/:,.@-", c));
    case LOGS_STREAM_NAME:
        return c != ':' && c != '*';
    case LOGS_RESOURCE_ARN:
        return is_plain || (c && strchr("_+=/:,.@-", c));
    case LOGS_TAG_KEY:
    case LOGS_TAG_VALUE:
        /* Letters and blanks beyond ASCII are not told from other characters there. */
        return is_plain || (unsigned char)c >= 0x80 || (c && strchr(" _.:/=+-@", c));
    case LOGS_ACCOUNT_ID:
        return c >= '0' && c <= '9';
    }
    return false;
}

static bool matches(enum logs_pattern pattern, struct hg_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_allowed(pattern, text.p[i]))
            return false;
    }
    return true;
}

static size_t count_characters(struct hg_str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.n; i++)
        count += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return count;
}

/* "logGroupName", "tagKeys"; the service writes the model's names with a small letter in front. */
static void begin_fault(struct check *check, struct hg_str value, const char *name)
{
    if (check->count++)
        hg_buf_append_cstr(&check->faults, "; ");
    if (value.p)
        hg_buf_printf(&check->faults, "Value '%.*s' at '%s' failed to satisfy constraint: ",
                      (int)HG_MIN(value.n, (size_t)SHOWN_MAX), value.p, name);
    else
        hg_buf_printf(&check->faults, "Value null at '%s' failed to satisfy constraint: ", name);
}

static void check_length(struct check *check, struct hg_str shown, const char *name, size_t length,
                         int64_t min, int64_t max)
{
    if ((int64_t)length < min) {
        begin_fault(check, shown, name);
        hg_buf_printf(&check->faults, "Member must have length greater than or equal to %lld",
                      (long long)min);
    } else if (max && (int64_t)length > max) {
        begin_fault(check, shown, name);
        hg_buf_printf(&check->faults, "Member must have length less than or equal to %lld",
                      (long long)max);
    }
}

static void check_text(struct check *check, const char *name, struct hg_str text,
                       enum logs_pattern pattern, int64_t min, int64_t max)
{
    check_length(check, text, name, count_characters(text), min, max);
    if (!matches(pattern, text)) {
        begin_fault(check, text, name);
        hg_buf_printf(&check->faults, "Member must satisfy regular expression pattern: %s",
                      pattern_texts[pattern]);
    }
}

static bool is_listed(const char *values, struct hg_str text)
{
    struct hg_str rest = hg_str_of(values), part;

    while (hg_str_next(&rest, ',', &part)) {
        if (hg_str_eq(hg_str_trim(part), text))
            return true;
    }
    return false;
}

static bool take_number(struct hg_json_value value, int64_t *number)
{
    char text[32], *end;
    double real;

    if (value.kind != HG_JSON_NUMBER)
        return false;
    if (hg_str_i64(value.raw, INT64_MIN, INT64_MAX, number))
        return true;
    if (value.raw.n >= sizeof(text))
        return false;
    memcpy(text, value.raw.p, value.raw.n);
    text[value.raw.n] = '\0';
    real = strtod(text, &end);
    if (*end || !(real > -9e15 && real < 9e15))
        return false;
    *number = (int64_t)real;
    return true;
}

static bool refuse_type(struct check *check, const char *sentence)
{
    if (!check->wrong_type.p)
        check->wrong_type = hg_str_of(sentence);
    return false;
}

static bool expect(struct check *check, struct hg_json_value value, enum hg_json_kind kind)
{
    static const char *const sentences[] = {
        [HG_JSON_OBJECT] = "Start of structure or map found where not expected.",
        [HG_JSON_ARRAY] = "Start of list found where not expected",
        [HG_JSON_STRING] = "STRING_VALUE can not be converted to the type of the member",
        [HG_JSON_NUMBER] = "NUMBER_VALUE can not be converted to the type of the member",
        [HG_JSON_TRUE] = "TRUE_VALUE can not be converted to the type of the member",
        [HG_JSON_FALSE] = "FALSE_VALUE can not be converted to the type of the member",
        [HG_JSON_NULL] = "NULL_VALUE found where not expected",
        [HG_JSON_BAD] = "Unexpected value",
    };

    return value.kind == kind || refuse_type(check, sentences[value.kind]);
}

static void check_string(struct check *check, const struct logs_field *field,
                         struct hg_json_value value)
{
    struct hg_str text;

    if (!expect(check, value, HG_JSON_STRING))
        return;
    text = logs_input_text(check->input, value);
    check_text(check, field->name, text, field->pattern, field->min, field->max);
    if (field->values && !is_listed(field->values, text)) {
        begin_fault(check, text, field->name);
        hg_buf_printf(&check->faults, "Member must satisfy enum value set: [%s]", field->values);
    }
}

static void check_number(struct check *check, const struct logs_field *field,
                         struct hg_json_value value)
{
    int64_t number;

    if (!expect(check, value, HG_JSON_NUMBER))
        return;
    if (!take_number(value, &number)) {
        (void)refuse_type(check, "NUMBER_VALUE can not be converted to Long");
        return;
    }
    if (number < field->min) {
        begin_fault(check, value.raw, field->name);
        hg_buf_printf(&check->faults, "Member must have value greater than or equal to %lld",
                      (long long)field->min);
    } else if (field->max && number > field->max) {
        begin_fault(check, value.raw, field->name);
        hg_buf_printf(&check->faults, "Member must have value less than or equal to %lld",
                      (long long)field->max);
    } else if (field->values && !is_listed(field->values, value.raw)) {
        begin_fault(check, value.raw, field->name);
        hg_buf_printf(&check->faults, "Member must satisfy enum value set: [%s]", field->values);
    }
}

/* The lists of the service are short; a longer one is not looked into. */
static void check_strings(struct check *check, const struct logs_field *field,
                          struct hg_json_value value)
{
    struct hg_json_walk walk;
    struct hg_json_value item;
    char name[96];
    size_t count = 0;

    if (!expect(check, value, HG_JSON_ARRAY))
        return;
    walk = hg_json_walk(value);
    while (hg_json_next_element(&walk, &item) && (int64_t)count++ <= field->max) {
        if (!expect(check, item, HG_JSON_STRING))
            return;
        (void)snprintf(name, sizeof(name), "%s.%zu.member", field->name, count);
        if (check->count < FAULTS_MAX && (int64_t)count <= field->max)
            check_text(check, name, logs_input_text(check->input, item), field->pattern,
                       field->item_min, field->item_max);
    }
    check_length(check, value.raw, field->name, count, field->min, field->max);
}

static void check_map(struct check *check, const struct logs_field *field,
                      struct hg_json_value value)
{
    struct hg_json_walk walk;
    struct hg_json_value item;
    struct hg_str key;
    size_t count = 0;

    if (!expect(check, value, HG_JSON_OBJECT))
        return;
    walk = hg_json_walk(value);
    while (hg_json_next_member(&walk, &key, &item) && (int64_t)count++ <= field->max) {
        if (!expect(check, item, HG_JSON_STRING))
            return;
        if (check->count >= FAULTS_MAX || (int64_t)count > field->max)
            continue;
        check_text(check, field->name, logs_input_key(check->input, key), field->pattern,
                   field->item_min, field->item_max);
        check_text(check, field->name, logs_input_text(check->input, item), LOGS_TAG_VALUE, 0, 256);
    }
    check_length(check, value.raw, field->name, count, field->min, field->max);
}

static void check_event(struct check *check, size_t index, struct hg_json_value event)
{
    struct hg_json_value time, message;
    char name[64];
    int64_t number;

    if (!expect(check, event, HG_JSON_OBJECT))
        return;
    time = hg_json_member(event, "timestamp");
    message = hg_json_member(event, "message");
    (void)snprintf(name, sizeof(name), "logEvents.%zu.member.timestamp", index);
    if (time.kind == HG_JSON_BAD || time.kind == HG_JSON_NULL) {
        begin_fault(check, hg_str_n(NULL, 0), name);
        hg_buf_append_cstr(&check->faults, "Member must not be null");
    } else if (!take_number(time, &number)) {
        (void)refuse_type(check, "a timestamp is a number of milliseconds");
    } else if (number < 0) {
        begin_fault(check, time.raw, name);
        hg_buf_append_cstr(&check->faults, "Member must have value greater than or equal to 0");
    }
    (void)snprintf(name, sizeof(name), "logEvents.%zu.member.message", index);
    if (message.kind == HG_JSON_BAD || message.kind == HG_JSON_NULL) {
        begin_fault(check, hg_str_n(NULL, 0), name);
        hg_buf_append_cstr(&check->faults, "Member must not be null");
    } else if (expect(check, message, HG_JSON_STRING) && message.raw.n == 2) {
        begin_fault(check, HG_STR(""), name);
        hg_buf_append_cstr(&check->faults, "Member must have length greater than or equal to 1");
    }
}

static void check_events(struct check *check, const struct logs_field *field,
                         struct hg_json_value value)
{
    struct hg_json_walk walk;
    struct hg_json_value event;
    size_t count = 0;

    if (!expect(check, value, HG_JSON_ARRAY))
        return;
    walk = hg_json_walk(value);
    while (hg_json_next_element(&walk, &event) && !check->wrong_type.p) {
        count++;
        if (check->count < FAULTS_MAX && (int64_t)count <= field->max)
            check_event(check, count, event);
    }
    /* The service does not quote the events. */
    check_length(check, HG_STR("[...]"), field->name, count, field->min, field->max);
}

static void check_field(struct check *check, const struct logs_field *field)
{
    struct hg_json_value value = logs_input_get(check->input, field->name);

    if (value.kind == HG_JSON_BAD) {
        if (!field->is_required)
            return;
        begin_fault(check, hg_str_n(NULL, 0), field->name);
        hg_buf_append_cstr(&check->faults, "Member must not be null");
        return;
    }
    switch (field->type) {
    case LOGS_STRING:
        check_string(check, field, value);
        return;
    case LOGS_NUMBER:
        check_number(check, field, value);
        return;
    case LOGS_BOOLEAN:
        if (value.kind != HG_JSON_TRUE)
            (void)expect(check, value, HG_JSON_FALSE);
        return;
    case LOGS_STRINGS:
        check_strings(check, field, value);
        return;
    case LOGS_MAP:
        check_map(check, field, value);
        return;
    case LOGS_EVENTS:
        check_events(check, field, value);
        return;
    case LOGS_OBJECT:
        (void)expect(check, value, HG_JSON_OBJECT);
        return;
    }
}

static void write_faults(struct check *check, struct hg_str *message)
{
    char head[64];
    int length = snprintf(head, sizeof(head), "%u validation error%s detected: ", check->count,
                          check->count == 1 ? "" : "s");
    struct hg_str faults = hg_buf_str(&check->faults);

    *message = hg_str_of(
        hg_arena_printf(check->input->arena, "%.*s%.*s", length, head, HG_STR_ARG(faults)));
}

bool logs_input_read(struct logs_input *input, struct hg_str text, const struct logs_field *fields,
                     size_t count, const char **error, struct hg_str *message)
{
    struct hg_str trimmed = hg_str_trim_ws(text);
    struct check check = {.input = input};

    /* No body is what SDKs of some languages send for an empty input. */
    input->object = hg_json_parse(trimmed.n ? trimmed : HG_STR("{}"), NULL);
    if (input->object.kind != HG_JSON_OBJECT) {
        *error = "SerializationException";
        *message = HG_STR("The body is no JSON object");
        return false;
    }
    hg_buf_init(&check.faults, MESSAGE_MAX);
    for (size_t i = 0; i < count && !check.wrong_type.p; i++)
        check_field(&check, &fields[i]);
    if (check.wrong_type.p) {
        *error = "SerializationException";
        *message = check.wrong_type;
    } else if (check.count) {
        *error = "InvalidParameterException";
        write_faults(&check, message);
    }
    hg_buf_fini(&check.faults);
    return !check.wrong_type.p && !check.count;
}

struct hg_json_value logs_input_get(const struct logs_input *input, const char *name)
{
    struct hg_json_value value = hg_json_member(input->object, name);

    if (value.kind == HG_JSON_NULL)
        value.kind = HG_JSON_BAD;
    return value;
}

struct hg_str logs_input_text(const struct logs_input *input, struct hg_json_value value)
{
    struct hg_str plain = {NULL, 0};
    struct hg_buf text;

    if (value.kind != HG_JSON_STRING)
        return plain;
    plain = hg_json_plain(value);
    if (plain.p)
        return plain;
    /* Resolved escapes never take more room than the escapes. */
    hg_buf_init(&text, value.raw.n + 16);
    (void)hg_json_unescape(value, &text);
    plain = hg_arena_str(input->arena, hg_buf_str(&text));
    hg_buf_fini(&text);
    return plain;
}

struct hg_str logs_input_key(const struct logs_input *input, struct hg_str raw)
{
    /* A raw key with the quotes around it is a string. */
    struct hg_json_value value = {HG_JSON_STRING, hg_str_n(raw.p - 1, raw.n + 2)};

    return logs_input_text(input, value);
}

struct hg_str logs_input_str(const struct logs_input *input, const char *name)
{
    return logs_input_text(input, logs_input_get(input, name));
}

int64_t logs_input_i64(const struct logs_input *input, const char *name, int64_t fallback)
{
    int64_t number;

    return take_number(logs_input_get(input, name), &number) ? number : fallback;
}

int64_t logs_input_number(struct hg_json_value value)
{
    int64_t number = 0;

    (void)take_number(value, &number);
    return number;
}

bool logs_input_bool(const struct logs_input *input, const char *name)
{
    return logs_input_get(input, name).kind == HG_JSON_TRUE;
}

struct hg_str *logs_input_list(const struct logs_input *input, const char *name, size_t *count)
{
    struct hg_json_value list = logs_input_get(input, name), item;
    struct hg_json_walk walk;
    struct hg_str *items;
    size_t room = 0;

    *count = 0;
    if (list.kind != HG_JSON_ARRAY)
        return NULL;
    walk = hg_json_walk(list);
    while (hg_json_next_element(&walk, &item))
        room++;
    items = hg_arena_must(input->arena, (room + 1) * sizeof(*items));
    walk = hg_json_walk(list);
    while (*count < room && hg_json_next_element(&walk, &item))
        items[(*count)++] = logs_input_text(input, item);
    return items;
}
