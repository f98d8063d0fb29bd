/*
 * The Lambda API's own model: its operations and what it says of their input. Made from api/shapes.def; read-only, any thread.
 */
#ifndef HG_API_SHAPES_H
#define HG_API_SHAPES_H

#include "core/str.h"

#include <math.h>

#define HG_UNBOUND ((double)NAN)

enum shape_kind {
    HG_SHAPE_STRUCTURE,
    HG_SHAPE_LIST,
    HG_SHAPE_MAP,
    HG_SHAPE_STRING,
    HG_SHAPE_INTEGER, /* 32 bits */
    HG_SHAPE_LONG,
    HG_SHAPE_DOUBLE,
    HG_SHAPE_BOOLEAN,
    HG_SHAPE_TIMESTAMP, /* seconds since 1970, maybe with a fraction */
    HG_SHAPE_BLOB       /* base64 */
};

/* Where a member of an operation's input comes from; members of nested structures are all in the body. */
enum shape_place {
    HG_PLACE_PATH,
    HG_PLACE_QUERY,
    HG_PLACE_HEADER,
    HG_PLACE_BODY,
    HG_PLACE_PAYLOAD /* the body as it is, not JSON of the API */
};

struct shape {
    const char *name;
    enum shape_kind kind;
    double min, max;        /* of the value, the length or the count; HG_UNBOUND */
    const char *pattern;    /* Java's syntax, for the whole text; NULL */
    const char *values;     /* of an enum: "A, B"; NULL */
    unsigned first, second; /* see shape_members, shape_element, shape_key */
    bool is_sensitive;      /* errors do not repeat the value */
};

struct shape_member {
    const char *name;      /* "FunctionName" */
    const char *wire_name; /* in query, header or body */
    enum shape_place place;
    unsigned shape;
    bool is_required;
};

struct model_op {
    const char *name, *method, *path;
    const char *query; /* "List=ALL": tells it from an operation with the same path; NULL */
    unsigned input;    /* 0: none, or not read because Headgate does not serve the operation */
};

/* One for each operation: HG_MODEL_Invoke, … */
enum model_op_id {
#define HG_MODEL_OP(name, method, path, query, input) HG_MODEL_##name,
#include "api/shapes.def"
#undef HG_MODEL_OP
    HG_MODEL_OP_COUNT
};

extern const struct model_op model_ops[HG_MODEL_OP_COUNT];

/* id is what shape_member and the rows of shapes tell. */
const struct shape *shape_get(unsigned id);
/* Members of a structure, in the model's order; *count of them. */
const struct shape_member *shape_members(const struct shape *structure, size_t *count);
/* What a list has, what a map has for values; and a map's keys. */
const struct shape *shape_element(const struct shape *shape);
const struct shape *shape_key(const struct shape *map);

/* Whether text as a whole matches; patterns are compiled at first use. shape->pattern must not be NULL. */
bool shape_pattern_matches(const struct shape *shape, struct hg_str text);
/* Whether text is one of shape->values. */
bool shape_value_is_known(const struct shape *shape, struct hg_str text);

#endif
