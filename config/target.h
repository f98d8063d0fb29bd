/*
 * What a text names as the place where an asynchronous event's outcome goes: an
 * ARN of a service, or one of Headgate's own kinds. By its form alone.
 */
#ifndef HG_CONFIG_TARGET_H
#define HG_CONFIG_TARGET_H

#include "core/str.h"

enum hg_target_kind {
    HG_TARGET_KIND_NONE, /* not a target at all */
    HG_TARGET_KIND_SQS,
    HG_TARGET_KIND_SNS,
    HG_TARGET_KIND_LAMBDA,
    HG_TARGET_KIND_EVENTBRIDGE,
    HG_TARGET_KIND_S3,
    HG_TARGET_KIND_OTHER, /* an ARN of a service that takes no records */
    HG_TARGET_KIND_OWN,   /* kafka://, redis://, rediss://, http://, https://, file:/// */
};

enum hg_target_kind target_kind(struct hg_str target);

/* Why one of Headgate's own kinds can never work; NULL when its form is good. Static. */
const char *target_fault(struct hg_str target);

/* FIFO queues and topics, whose ARNs end in ".fifo", take no records. */
bool target_is_fifo(struct hg_str target);

/* SAM's word for the kind: "SQS", "SNS", "Lambda", "EventBridge", "S3Bucket"; NULL for the others. */
const char *target_kind_name(enum hg_target_kind kind);

#endif
