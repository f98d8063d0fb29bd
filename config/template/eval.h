/*
 * Evaluation: parameters, mappings, conditions, pseudo-parameters and
 * intrinsic functions turn a raw tree into one without intrinsics.
 * sam-templates.md §2 is the contract.
 */
#ifndef HG_CONFIG_TEMPLATE_EVAL_H
#define HG_CONFIG_TEMPLATE_EVAL_H

#include "config/template/node.h"

struct hg_eval;

/*
 * Takes a loaded document; determines parameters (errors: missing value, not allowed, pattern, unknown override), applies
 * Fn::Transform AWS::Include (paths relative to template_dir), and evaluates Conditions. The document stays raw otherwise.
 */
struct hg_eval *eval_new(struct hg_arena *arena, struct hg_node *document, const char *template_dir,
                         const struct hg_template_options *options, struct hg_problems *problems);

/* The value of a named condition. An unknown name is a problem at `at`. */
bool eval_condition(struct hg_eval *eval, struct hg_str name, const struct hg_node *at);

/*
 * Makes a resource known to Ref and GetAtt before anything is resolved: its raw node (Type, Properties), also for resources that SAM
 * generates ({Fn}Role, {Fn}Aliaslive, ServerlessRestApi, …). Resources switched off by their Condition are declared with is_off: a Ref
 * to one is a problem.
 */
void eval_declare(struct hg_eval *eval, struct hg_str logical_id, struct hg_node *resource,
                  bool is_off);
/* `Fn.Alias`, `Api.Stage`, … : what such a reference means. */
void eval_declare_alias(struct hg_eval *eval, struct hg_str dotted, struct hg_str logical_id);

/*
 * The tree with every intrinsic evaluated; AWS::NoValue members and items are gone; dead branches of Fn::If are not looked at. Each fault is
 * added to problems once; NULL is then returned for that value. Names of resources (FunctionName, QueueName, …) are evaluated on
 * demand, cycles are problems. Literal text is never changed. In raw text of OpenAPI bodies intrinsics work the same.
 */
struct hg_node *eval_resolve(struct hg_eval *eval, const struct hg_node *raw);

/*
 * Ref and GetAtt values of §3.4, also for the transform itself: ids are made from stack name and logical id
 * (hg_stable_id), so they are the same on every run and need no order of evaluation.
 */
struct hg_str eval_ref(struct hg_eval *eval, struct hg_str logical_id, const struct hg_node *at);
struct hg_str eval_attribute(struct hg_eval *eval, struct hg_str logical_id,
                             struct hg_str attribute, const struct hg_node *at);

/*
 * What an evaluation wants to say without stopping anything: made-up values, imports without a source. In the order in which they
 * were found, each once; their text lives in the arena.
 */
const struct hg_notice *eval_notices(const struct hg_eval *eval, size_t *count);

struct hg_str eval_region(const struct hg_eval *eval);
struct hg_str eval_account(const struct hg_eval *eval);
struct hg_str eval_stack_name(const struct hg_eval *eval);

#endif
