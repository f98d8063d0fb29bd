/*
 * What the files of the evaluation share. Used by them only.
 */
#ifndef HG_CONFIG_TEMPLATE_EVAL_STATE_H
#define HG_CONFIG_TEMPLATE_EVAL_STATE_H

#include "config/suggest.h"
#include "config/template/eval.h"
#include "core/id.h"
#include "core/map.h"

enum {
    HG_EVAL_TEXT_MAX = 1024 * 1024,       /* one text that Fn::Sub, Fn::Join, … make */
    HG_EVAL_TEXTS_MAX = 64 * 1024 * 1024, /* all of them */
    HG_EVAL_NODES_MAX = 2 * 1000 * 1000,  /* values looked at; a template has thousands */
    HG_EVAL_DEPTH_MAX = 200,              /* names and conditions that lead to one another */
    HG_EVAL_LEVELS_MAX =
        1500, /* values inside values, through names and files: what the stack holds */
    HG_EVAL_INCLUDES_MAX = 50, /* files that AWS::Include names */
};

/* Something whose value is found on demand; running means that we are inside it: a cycle. */
enum eval_progress { EVAL_NEW, EVAL_RUNNING, EVAL_DONE };

struct eval_parameter {
    struct hg_str name;
    struct hg_node *value; /* NULL when it is at fault, which was said already */
};

struct eval_condition {
    struct hg_str name;
    const struct hg_node *raw;
    enum eval_progress progress;
    bool value;
};

struct eval_resource {
    struct hg_str id, type;
    const struct hg_node *properties; /* raw */
    unsigned line, column;
    bool is_off;
    size_t order; /* of declaration */
    enum eval_progress progress;
    struct hg_str name; /* the physical one; once done */
};

struct hg_eval {
    struct hg_arena *arena;
    struct hg_problems *problems;
    struct hg_node *document;
    const char *dir;
    const struct hg_template_options *options;
    struct hg_str region, account, stack_name;
    struct hg_map parameters, conditions, resources, aliases;
    struct eval_resource **in_order; /* resources */
    size_t resource_count;
    struct hg_notice *notices;
    size_t notice_count;
    bool has_extensions; /* AWS::LanguageExtensions */
    bool is_in_condition;
    unsigned depth, levels, includes;
    size_t texts, nodes;
};

/* What a value that AWS::NoValue removes evaluates to. */
extern struct hg_node eval_no_value;

/* Like eval_resolve, but tells &eval_no_value from a fault (NULL). */
struct hg_node *eval_value(struct hg_eval *eval, const struct hg_node *raw);
/* A scalar as text. False (said already) at a fault; what names the place in the sentence: "Fn::Join: the delimiter". */
bool eval_text(struct hg_eval *eval, const struct hg_node *raw, const char *what,
               struct hg_str *text);
/* A list; NULL (said already) at a fault. */
struct hg_node *eval_list(struct hg_eval *eval, const struct hg_node *raw, const char *what);

void eval_problem(struct hg_eval *eval, const struct hg_node *at, const char *format, ...)
    hg_printf_like(3, 4);
/* A warning, once for each line and text. */
void eval_warn(struct hg_eval *eval, unsigned line, const char *format, ...) hg_printf_like(3, 4);
/* A text in the arena, against the limits. NULL (said already) beyond them. */
struct hg_node *eval_new_text(struct hg_eval *eval, struct hg_str text, const struct hg_node *at);
/* Depth of names and conditions; every true needs a leave. */
bool eval_enter(struct hg_eval *eval, const struct hg_node *at);
void eval_leave(struct hg_eval *eval);

/* The same for each value inside another. */
bool eval_descend(struct hg_eval *eval, const struct hg_node *at);
void eval_ascend(struct hg_eval *eval);

/* The single member of a map when it calls a function ("Ref", "Fn::…"); NULL otherwise. */
const struct hg_node_member *eval_call_of(const struct hg_node *node);

/* parameters.c */
void parameters_read(struct hg_eval *eval);
/* parameters_check.c: type and constraints; every fault is a problem. NULL when there was one. */
struct hg_node *parameter_make(struct hg_eval *eval, struct hg_str name,
                               const struct hg_node *definition, struct hg_str text,
                               const struct hg_node *at);
/* pattern.c: does the regular expression match all of text? False with a sentence in err when it is not one. */
bool pattern_matches(struct hg_str pattern, struct hg_str text, bool *matches,
                     struct hg_error *err);

/* pseudo.c: NULL when there is no pseudo-parameter of that name. */
struct hg_node *pseudo_value(struct hg_eval *eval, struct hg_str name, const struct hg_node *at);
struct hg_str pseudo_partition(const struct hg_eval *eval);
void pseudo_suggest(struct hg_suggest *suggest);
/* A UUID that is the same for the same text on every run. */
void stable_uuid(struct hg_str text, char out[HG_UUID_LEN + 1]);

/* conditions.c */
void conditions_read(struct hg_eval *eval);

/* eval_include.c: puts included documents in place, outside of what conditions switch off. */
void includes_apply(struct hg_eval *eval);
/* The document that a call {Name: AWS::Include, …} names, with all places set to at. NULL (said) at a fault. */
struct hg_node *includes_read(struct hg_eval *eval, const struct hg_node *call,
                              const struct hg_node *at);

/* refs.c: what a name means as the target of Ref or GetAtt, after SAM's dotted aliases. NULL (said) when nothing. */
struct eval_resource *refs_find(struct hg_eval *eval, struct hg_str id, const struct hg_node *at);
struct hg_node *refs_ref(struct hg_eval *eval, struct hg_str name, const struct hg_node *at);
/* path is "Resource.Attribute…" */
struct hg_node *refs_attribute(struct hg_eval *eval, struct hg_str path, const struct hg_node *at);

/* intrinsics*.c: evaluates a call; argument is its value. */
typedef struct hg_node *eval_call_fn(struct hg_eval *eval, const struct hg_node *argument,
                                     const struct hg_node *at);
#define HG_INTRINSIC(short_tag, name, fn, is_extension) eval_call_fn fn;
#include "config/template/intrinsics.def"
#undef HG_INTRINSIC

#endif
