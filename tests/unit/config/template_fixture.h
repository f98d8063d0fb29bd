/*
 * A template from a literal, for tests of the loader and the evaluation.
 */
#ifndef HG_TESTS_TEMPLATE_FIXTURE_H
#define HG_TESTS_TEMPLATE_FIXTURE_H

#include "config/template/eval.h"
#include "tests/unit/unit.h"

#include <stdio.h>

struct fixture {
    struct hg_arena *arena;
    struct hg_problems problems;
    struct hg_template_options options;
    struct hg_node *document;
    struct hg_eval *eval;
    struct hg_buf text;
};

static inline void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.arena = hg_arena_new((size_t)1 << 30)};
    hg_buf_init(&f->text, 1 << 20);
}

static inline void fixture_fini(struct fixture *f)
{
    hg_arena_free(f->arena);
    problems_fini(&f->problems);
    hg_buf_fini(&f->text);
}

static inline struct hg_node *fixture_parse(struct fixture *f, const char *text)
{
    f->document = node_parse(f->arena, hg_str_of(text), &f->problems);
    return f->document;
}

/* Parses, evaluates the sections and declares every resource as the transform does. */
static inline void fixture_eval(struct fixture *f, const char *text, const char *dir)
{
    const struct hg_node *resources;

    assert_non_null(fixture_parse(f, text));
    f->eval = eval_new(f->arena, f->document, dir, &f->options, &f->problems);
    resources = node_get(f->document, "Resources");
    for (size_t i = 0; node_is_map(resources) && i < resources->count; i++) {
        struct hg_node *resource = resources->members[i].value;
        struct hg_str condition = node_text(node_get(resource, "Condition"));

        eval_declare(f->eval, resources->members[i].key, resource,
                     condition.p && !eval_condition(f->eval, condition, resource));
    }
}

/* JSON text of a node. */
static inline struct hg_str fixture_json(struct fixture *f, const struct hg_node *node)
{
    hg_buf_clear(&f->text, 1 << 20);
    node_to_json(node, &f->text);
    return hg_buf_str(&f->text);
}

/* JSON text of the evaluated value of a name in Outputs. */
static inline struct hg_str fixture_output(struct fixture *f, const char *name)
{
    return fixture_json(f, eval_resolve(f->eval, node_get(node_get(f->document, "Outputs"), name)));
}

/* "line:column: text" of every problem, a line each. */
static inline struct hg_str fixture_problems(struct fixture *f)
{
    hg_buf_clear(&f->text, 1 << 20);
    for (size_t i = 0; i < f->problems.count; i++)
        (void)hg_buf_printf(&f->text, "%u:%u: %s\n", f->problems.items[i].line,
                            f->problems.items[i].column, f->problems.items[i].text);
    return hg_buf_str(&f->text);
}

#define assert_same(actual, expected) \
    do { \
        struct hg_str same_ = (actual); \
        char *copy_ = hg_strndup(same_.p ? same_.p : "(none)", same_.p ? same_.n : 6); \
        assert_string_equal(copy_, expected); \
        free(copy_); \
    } while (0)

#endif
