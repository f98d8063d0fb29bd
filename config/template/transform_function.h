/*
 * What AWS::Serverless::Function and AWS::Lambda::Function have in common, and where code comes
 * from.
 */
#ifndef HG_CONFIG_TEMPLATE_TRANSFORM_FUNCTION_H
#define HG_CONFIG_TEMPLATE_TRANSFORM_FUNCTION_H

#include "config/template/transform.h"

/*
 * A function with everything but code, tracing and tags, added to the stack. Mistakes in it
 * are problems; it is made nevertheless.
 */
struct hg_function *function_make(struct hg_transform *t, const struct hg_resource *resource);

/* For a function that cannot be made and was told of: what calls it is not told of again. */
void function_give_up(struct hg_transform *t, const struct hg_resource *resource);

/* Tracing mode ("" and "Disabled" give PassThrough), checked. */
struct hg_str function_tracing_mode(struct hg_transform *t, const struct hg_node *mode,
                                    const char *what);

/* Says when what the function's Metadata asks `sam build` for has not been built. */
void function_check_build(struct hg_transform *t, const struct hg_resource *resource);

/*
 * Code in a folder or archive beside the template: path is checked and unpacked when it must
 * be. False and a problem at `at` when it is not there, in S3 or broken.
 */
bool code_from_path(struct hg_transform *t, struct hg_function *function, struct hg_str path,
                    const struct hg_node *at, const char *what);
/* Source text that becomes index.py or index.js. */
bool code_from_text(struct hg_transform *t, struct hg_function *function, struct hg_str text,
                    const struct hg_node *at, const char *what);
/* A layer's content: folder, archive, hash and size. */
bool code_layer(struct hg_transform *t, struct hg_str path, const struct hg_node *at,
                const char *what, struct hg_layer_version *version);

/* Applies --env-vars to the declared variables of all functions; says what in it has no use. */
void env_vars_load(struct hg_transform *t);
void env_vars_apply(struct hg_transform *t, struct hg_function *function);
void env_vars_report(struct hg_transform *t);

#endif
