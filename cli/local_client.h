/*
 * A blocking HTTP client for the management port of a server on this machine.
 */
#ifndef HG_CLI_LOCAL_CLIENT_H
#define HG_CLI_LOCAL_CLIENT_H

#include "core/buf.h"
#include "core/error.h"

struct hg_local_header {
    const char *name, *value;
};

struct hg_local_request {
    const char *address; /* "HOST:PORT" */
    const char *method;  /* "GET", "POST" or "DELETE" */
    const char *path;    /* with its query */
    const struct hg_local_header *headers;
    size_t header_count;
    struct hg_str body;
};

struct hg_local_answer {
    int status;
    struct hg_buf body;
    char request_id[64];     /* x-amzn-RequestId; "" when absent */
    char function_error[32]; /* X-Amz-Function-Error; "" when absent */
    struct hg_buf log_tail;  /* decoded X-Amz-Log-Result */
};

/* HEADGATE_API, or where serve listens when it is not told otherwise. */
const char *local_default_address(void);

/* The caller frees the answer, whatever comes back. Errors say whether a server runs there at all. */
enum hg_rc local_send(const struct hg_local_request *request, struct hg_local_answer *answer,
                      struct hg_error *err) hg_must_use;
void local_answer_fini(struct hg_local_answer *answer);

#endif
