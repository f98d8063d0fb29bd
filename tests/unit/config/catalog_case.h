/*
 * A catalog on a data directory of its own, for tests: opened with one hand-made
 * stack after another; changes are functions that are waited for.
 */
#ifndef HG_TESTS_CATALOG_CASE_H
#define HG_TESTS_CATALOG_CASE_H

#include "config/catalog.h"
#include "tests/unit/config/transform_case.h"

struct catalog_case {
    struct transform_case c; /* its folder is the data directory */
    char path[128];          /* of the store */
    struct hg_loop *loop;
    struct hg_catalog *catalog;
    struct hg_snapshot *snapshot; /* what was in force when it was last asked for */
    struct hg_stack *stack;       /* of the next open */
    unsigned published;
    struct hg_error err; /* of the last change */
};

int catalog_case_setup(void **state);
int catalog_case_teardown(void **state);

/* Closes what is open, and forgets the stack. */
void catalog_case_close(struct catalog_case *cc);
/* The $LATEST or a version of a function for the next open. */
struct hg_function *catalog_case_function(struct catalog_case *cc, const char *name,
                                          const char *version);
/* Opens with what was added to the stack since the last time; fails the test when that is refused. */
void catalog_case_open(struct catalog_case *cc, bool has_template);
/* Runs a change and returns what became of it. */
typedef enum hg_rc (*catalog_case_fn)(struct hg_edit *edit, void *arg, struct hg_error *err);
enum hg_rc catalog_case_change(struct catalog_case *cc, catalog_case_fn work, void *arg);

/* What is in force; NULL when there is none. */
const struct hg_family *catalog_case_family(struct catalog_case *cc, const char *name);
/*
 * Everything of a family in one line: "orders template handler=a versions=1:a,2:b aliases=live>1+2 last=2 …", the parts that it has.
 */
void catalog_case_expect(struct catalog_case *cc, const char *name, const char *expected);

/* A draft for changes by the API, in the edit's arena. */
struct hg_function *catalog_case_draft(struct hg_arena *arena, const char *name,
                                       const char *version, const char *handler);
/* Runs SQL on the store's file from outside; a number that it gives. */
int catalog_case_sql(struct catalog_case *cc, const char *sql);

#endif
