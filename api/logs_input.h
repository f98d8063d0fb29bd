/*
 * The input of an operation of CloudWatch Logs: one JSON object, checked against a table of its members. Nothing is copied until it is
 * asked for; any thread.
 */
#ifndef HG_API_LOGS_INPUT_H
#define HG_API_LOGS_INPUT_H

#include "core/arena.h"
#include "core/json_scan.h"

enum logs_type {
    LOGS_STRING, /* min, max: length */
    LOGS_NUMBER, /* min, max: value */
    LOGS_BOOLEAN,
    LOGS_STRINGS, /* min, max: how many; each is an item */
    LOGS_MAP,     /* of strings; min, max: how many; each key is an item */
    LOGS_EVENTS,  /* of PutLogEvents */
    LOGS_OBJECT,
};

/* What bytes a string may hold. */
enum logs_pattern {
    LOGS_ANY,
    LOGS_GROUP_NAME,
    LOGS_GROUP_NAME_PART, /* the same, or empty */
    LOGS_GROUP_ID,
    LOGS_STREAM_NAME,
    LOGS_RESOURCE_ARN,
    LOGS_TAG_KEY,
    LOGS_TAG_VALUE,
    LOGS_ACCOUNT_ID,
};

struct logs_field {
    const char *name;
    enum logs_type type;
    bool is_required;
    int64_t min, max;
    enum logs_pattern pattern;  /* of a string, an item or a key */
    int64_t item_min, item_max; /* length of an item or a key */
    const char *values;         /* "A, B": nothing else; NULL: anything */
};

struct logs_input {
    struct hg_json_value object; /* kind HG_JSON_BAD before logs_input_read */
    struct hg_arena *arena;      /* for what is asked for */
};

/*
 * Reads text, which must stay as long as the input. On false *error is the exception's name and message its text, in arena.
 */
bool logs_input_read(struct logs_input *input, struct hg_str text, const struct logs_field *fields,
                     size_t count, const char **error, struct hg_str *message);

/* Members; null counts as absent: p NULL, fallback, false, kind HG_JSON_BAD. Strings are copies. */
struct hg_json_value logs_input_get(const struct logs_input *input, const char *name);
struct hg_str logs_input_str(const struct logs_input *input, const char *name);
int64_t logs_input_i64(const struct logs_input *input, const char *name, int64_t fallback);
bool logs_input_bool(const struct logs_input *input, const char *name);
/* Of a number that was checked. */
int64_t logs_input_number(struct hg_json_value value);
/* The items of a list of strings. */
struct hg_str *logs_input_list(const struct logs_input *input, const char *name, size_t *count);
/* The text of a string value; p NULL for any other. */
struct hg_str logs_input_text(const struct logs_input *input, struct hg_json_value value);
/* The key of a member as logs_input walks give it (raw). */
struct hg_str logs_input_key(const struct logs_input *input, struct hg_str raw);

#endif
