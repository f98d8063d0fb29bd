/*
 * Loads a template from text in a folder of its own and tells the outcome as
 * lines of text, for tests of the transform.
 */
#ifndef HG_TESTS_TRANSFORM_CASE_H
#define HG_TESTS_TRANSFORM_CASE_H

#include "config/template/template.h"
#include "tests/unit/unit.h"

struct transform_case {
    char folder[64]; /* temporary; removed by fini */
    struct hg_template_options options;
    struct hg_problems problems;
    struct hg_stack *stack; /* of the last load; NULL when there were problems */
    struct hg_buf text;
};

void case_init(struct transform_case *c);
void case_fini(struct transform_case *c);
/* Writes a file below the folder, with the folders above it. */
void case_file(struct transform_case *c, const char *name, const char *content);
/* Writes template.yaml and loads it. */
void case_load(struct transform_case *c, const char *text);
/* Loads the file at an absolute path. */
void case_load_path(struct transform_case *c, const char *path);

/*
 * The outcome, a line each: functions, aliases, event settings, APIs with stages and routes, URLs, outputs, notices, problems. The lines that
 * begin with one of the words in `only` ("route", "problem notice"), or all when it is NULL.
 */
struct hg_str case_tell(struct transform_case *c, const char *only);

/* Loads text and compares what case_tell says. */
void case_expect(struct transform_case *c, const char *text, const char *only,
                 const char *expected);

/* Set-up and tear-down of cmocka. */
int case_setup(void **state);
int case_teardown(void **state);

#endif
