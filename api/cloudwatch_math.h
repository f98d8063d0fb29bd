/*
 * Metric math: an expression over series of the same periods, or over numbers. Pure.
 */
#ifndef HG_API_CLOUDWATCH_MATH_H
#define HG_API_CLOUDWATCH_MATH_H

#include "core/arena.h"
#include "core/error.h"

/* Values of periods in the order of time; gaps have has[i] false. */
struct math_series {
    int64_t period_s, from_s;
    size_t count;
    double *values;
    bool *has;
};

/* What an identifier stands for; NULL: it is not known. */
typedef const struct math_series *(*math_find_fn)(struct hg_str id, void *arg);

struct math_context {
    math_find_fn find;
    void *arg;
};

/* Frees the values. */
void math_series_fini(struct math_series *series);

/* Of an expression that passed math_check. HG_OK: result is a series, the caller's to free. HG_E_UNSUPPORTED: something of CloudWatch's that Headgate does not offer; HG_E_INVALID otherwise; with a sentence. */
enum hg_rc math_evaluate(const struct math_context *context, struct hg_str expression,
                         struct math_series *result, struct hg_error *err);
/* Calls each with every identifier in the expression. The same errors, as far as they can be seen without values. */
enum hg_rc math_check(struct hg_str expression, void (*each)(struct hg_str id, void *arg),
                      void *arg, struct hg_error *err);

#endif
