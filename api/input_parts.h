/*
 * The steps from a request to a checked input, for input.c and its tests: no answering here.
 */
#ifndef HG_API_INPUT_PARTS_H
#define HG_API_INPUT_PARTS_H

#include "api/call.h"
#include "api/shapes.h"
#include "core/json_scan.h"

#include <cjson/cJSON.h>

/* Where a value is, for messages: "vpcConfig.subnetIds". */
struct input_path {
    const struct input_path *parent; /* NULL: the input itself */
    const char *name;                /* NULL: an element, the index-th */
    size_t index;
};

/* Parts of a request that inputs come from. */
struct input_source {
    const struct hg_str *params; /* of the path, decoded, in order */
    struct hg_str query, body;
    const struct hg_header *headers;
    size_t header_count;
};

struct input_fault {
    enum hg_api_error error;
    struct hg_buf text; /* the message; the owner frees it */
    unsigned count;     /* of constraints that were not met */
    size_t values;      /* that were read so far: bounds the tree */
};

void input_fault_init(struct input_fault *fault);
void input_fault_fini(struct input_fault *fault);

/* "functionName", "filterCriteria.filters.1.member.pattern". */
void input_path_write(struct hg_buf *out, const struct input_path *path);

/*
 * Everything of the operation's input that was given, as the model names it: NULL and the fault (SERIALIZATION) when something
 * has the wrong type. The caller owns it.
 */
cJSON *input_gather(const struct model_op *op, const struct input_source *source,
                    struct input_fault *fault);

/* JSON in the type that shape wants; NULL and the fault otherwise. value must not be null. */
cJSON *input_from_json(const struct shape *shape, struct hg_json_value value,
                       const struct input_path *path, struct input_fault *fault);
/* The same for text of path, query and headers: scalars only. */
cJSON *input_from_text(const struct shape *shape, struct hg_str text, const struct input_path *path,
                       struct input_fault *fault);

/* Constraints of the model. False and the fault (VALIDATION, with all that are not met). */
bool input_check(const struct model_op *op, const cJSON *input, struct input_fault *fault);
/* Members that Headgate does not offer. False and the fault (INVALID_PARAMETER). */
bool input_check_offered(const struct model_op *op, const cJSON *input, struct input_fault *fault);

/* Whether text is padded base64 (RFC 4648 §4). */
bool input_is_base64(struct hg_str text);

#endif
