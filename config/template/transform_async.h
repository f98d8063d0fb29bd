/*
 * Targets that a template names for what becomes of asynchronous events, and
 * the dead-letter queues of functions.
 */
#ifndef HG_CONFIG_TEMPLATE_TRANSFORM_ASYNC_H
#define HG_CONFIG_TEMPLATE_TRANSFORM_ASYNC_H

#include "config/target.h"
#include "config/template/transform.h"

/* Where a target stands, and what it may be. */
struct target_place {
    const struct hg_node *node;       /* evaluated */
    const struct hg_node *raw;        /* as written */
    const char *what;                 /* "F: DeadLetterQueue.TargetArn" */
    struct hg_str type;               /* SAM's Type; "" for none */
    const enum hg_target_kind *kinds; /* besides Headgate's own */
    size_t kind_count;
};

/* Kept; "" and a problem or notice when it is not right. */
struct hg_str target_read(struct hg_transform *t, const struct target_place *place);

/* DeadLetterQueue of a SAM function, DeadLetterConfig of a plain one; "" for none. */
struct hg_str sam_dead_letter(struct hg_transform *t, const struct hg_resource *resource);
struct hg_str cfn_dead_letter(struct hg_transform *t, const struct hg_resource *resource);

#endif
