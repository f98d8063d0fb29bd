/*
 * From a SAM or CloudFormation file to a stack.
 */
#ifndef HG_CONFIG_TEMPLATE_H
#define HG_CONFIG_TEMPLATE_H

#include "config/model.h"
#include "core/error.h"

struct hg_template_options {
    const char *region, *account;   /* defaults: us-east-1, 000000000000 */
    const char *stack_name;         /* default: local */
    const struct hg_kv *parameters; /* --parameter-overrides */
    size_t parameter_count;
    const char *env_vars_file;  /* --env-vars; NULL for none */
    const char *data_dir;       /* absolute; zips and inline code are unpacked below */
    const char *management_url; /* what local URLs of queues begin with; NULL before it is known */
    const char *gateway_url;    /* "http://127.0.0.1:8080"; may be NULL */
    bool is_strict;             /* what is unknown is an error */
    bool is_check_only;         /* validate: nothing is unpacked or written */
};

/* Everything wrong with a template, in the order of lines. Owned by the caller: problems_fini. */
struct hg_problem {
    unsigned line, column; /* 0: not known */
    char *text;
};
struct hg_problems {
    struct hg_problem *items;
    size_t count;
    const char
        *file; /* for printing: the file that was read, as given or what `sam build` made of it */
    char *owned_file; /* what file points to when it is not the caller's; freed with the rest */
};
enum { HG_PROBLEMS_MAX = 500 }; /* kept; beyond, nobody reads on, and hostile input stays cheap */
/* A problem that is there already, word for word, is not added again. */
void problems_add(struct hg_problems *problems, unsigned line, unsigned column, const char *format,
                  ...) hg_printf_like(4, 5);
void problems_fini(struct hg_problems *problems);

/*
 * Reads, evaluates and translates. NULL when anything is wrong (problems says what, with
 * lines); otherwise a stack with one reference whose notices say what is not served yet and
 * what is unknown. `.aws-sam/build/template.yaml` beside the given template is preferred when
 * it is not older than it.
 */
struct hg_stack *template_load(const char *path, const struct hg_template_options *options,
                               struct hg_problems *problems);

#endif
