/*
 * The AWS query protocol's input: a form (application/x-www-form-urlencoded), in the body or behind the '?'. Pure; any thread.
 */
#ifndef HG_API_QUERY_FORM_H
#define HG_API_QUERY_FORM_H

#include "core/arena.h"

enum { QUERY_FIELDS_MAX = 50000 };

struct query_field {
    struct hg_str name, value; /* decoded */
};

struct query_form {
    struct query_field *fields;
    size_t count;
};

/* Fields in the order of the text, in the arena. False: more than QUERY_FIELDS_MAX, or than the arena has room for. */
bool form_parse(struct hg_arena *arena, struct hg_str text, struct query_form *form) hg_must_use;
/* p NULL when there is none; the first of several. */
struct hg_str form_get(const struct query_form *form, const char *name);
/* The value of "<list>.member.<number>" or, with a field, "<list>.member.<number>.<field>"; number counts from 1. p NULL: none. */
struct hg_str form_member(const struct query_form *form, const char *list, unsigned number,
                          const char *field);

#endif
