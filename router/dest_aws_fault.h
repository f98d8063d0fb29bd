/*
 * What a service's refusal means for a record. Pure; any thread.
 */
#ifndef HG_ROUTER_DEST_AWS_FAULT_H
#define HG_ROUTER_DEST_AWS_FAULT_H

#include "core/rc.h"
#include "core/str.h"

struct aws_fault {
    enum hg_rc rc;
    bool is_final;
    bool are_keys_stale; /* others may be in the file by now */
    char code[64];       /* "QueueDoesNotExist"; "" when none was given */
    char message[200];
};

/* From an answer that is no success, in JSON (__type, message) or XML (<Code>, <Message>); anything else gives only what the status tells. */
void aws_fault_read(struct aws_fault *fault, int status, struct hg_str body);
/* From a code alone, as EventBridge gives for each entry. */
void aws_fault_set(struct aws_fault *fault, int status, struct hg_str code, struct hg_str message);

/* The text of the first element of that name that holds no elements, entities resolved; "" when there is none. Terminated, cut to fit. */
void aws_xml_text(struct hg_str xml, const char *name, char *out, size_t room);

#endif
