/*
 * What is wrong with a template, and what is right but not served: problems and notices with
 * their lines, and the tables that say which types and properties are used.
 */
#ifndef HG_CONFIG_TEMPLATE_NOTICES_H
#define HG_CONFIG_TEMPLATE_NOTICES_H

#include "config/suggest.h"
#include "config/template/transform.h"

/* A problem at node (may be NULL). */
void problem_at(struct hg_transform *t, const struct hg_node *node, const char *format, ...)
    hg_printf_like(3, 4);
void problem_on(struct hg_transform *t, const struct hg_resource *resource, const char *format, ...)
    hg_printf_like(3, 4);

void notice_add(struct hg_transform *t, enum hg_notice_kind kind, unsigned line, const char *format,
                ...) hg_printf_like(4, 5);

/*
 * Between enter and leave, lines are those of another file that the template names at a place:
 * leave rewrites problems and notices so that they stand at that place and tell file and line
 * as text.
 */
struct hg_other_file {
    const char *name;
    unsigned line;
    struct hg_problems outer;
    size_t first_notice;
};
void notices_enter_file(struct hg_transform *t, struct hg_other_file *file, const char *name,
                        const struct hg_node *named_at);
void notices_leave_file(struct hg_transform *t, struct hg_other_file *file);

/* Finds the row of a type in types.def. */
enum hg_use type_use(struct hg_str type, const char **what);
/* The types that become part of the stack, for "did you mean". */
void types_offer(struct hg_suggest *suggest);

/*
 * Looks at the names in map: unknown ones are named (strict: problems), later ones are listed.
 * of is a row of properties.def; who stands before the name in the text ("HelloFunction",
 * "HelloFunction: event Web").
 */
void properties_check(struct hg_transform *t, const struct hg_node *map, const char *of,
                      struct hg_str who);

#endif
